//! The sessions' clocks: keep-alive, time limit, hours of use; and what happens at their ends.

use super::{Manager, Refused};
use crate::Event;
use porthole_model::{
    ids::{SessionId, UserId},
    policy::{
        EffectivePolicy, ExpiryAction, KEEPALIVE_EXPIRATION, USAGE_LIMIT, UsageLimit, UsageScope,
        ends, used, window_start,
    },
    session::{EndReason, SessionState, WantedState},
};
use porthole_store::{
    StoreError,
    runs::RunsOf,
    sessions::{Change, ChangeError, Session},
};
use std::{convert::Infallible, time::Duration};
use time::OffsetDateTime;

/// The largest part of a session's clock that may pass before a viewer winds it again.
const WIND_AT: u32 = 60;
/// How often the hours of a session under a usage limit are counted.
const COUNT_EVERY: Duration = Duration::from_mins(1);

/// Hours used, of a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// The limit.
    pub limit: UsageLimit,
    /// How long sessions ran since the count began.
    pub used: Duration,
}

impl Usage {
    /// Whether nothing is left.
    pub fn reached(&self) -> bool {
        self.used >= self.limit.allowed()
    }

    /// What is used and allowed, for a person to read.
    pub fn told(&self, policy: &EffectivePolicy) -> String {
        let hours = self.used.as_secs_f64() / 3600.0;
        let whose = match self.limit.scope {
            UsageScope::PerUser => "you have used",
            UsageScope::PerGroup => "your group has used",
        };
        let interval = match self.limit.interval {
            porthole_model::policy::Interval::Daily => "today",
            porthole_model::policy::Interval::Weekly => "this week",
            porthole_model::policy::Interval::Monthly => "this month",
            porthole_model::policy::Interval::Total => "in all",
        };
        format!(
            "{whose} {hours:.1} of {} hours {interval} ({}); ask an administrator to raise {}",
            self.limit.hours,
            policy.source(&USAGE_LIMIT),
            USAGE_LIMIT.name
        )
    }
}

impl Manager {
    /// How many hours of the policy's limit this user, or the group behind it, has used; `None`
    /// without a limit.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn usage(
        &self,
        policy: &EffectivePolicy,
        user_id: UserId,
    ) -> Result<Option<Usage>, StoreError> {
        let Some(limit) = policy.usage_limit() else {
            return Ok(None);
        };
        let now = self.now();
        let start = window_start(limit.interval, now);
        let group = policy.get(&USAGE_LIMIT).decided_by.into_iter().next();
        let of = match (limit.scope, group) {
            (UsageScope::PerGroup, Some(group)) => RunsOf::Group(group.id),
            _ => RunsOf::User(user_id),
        };
        let runs = self.0.store.runs().since(of, start).await?;
        Ok(Some(Usage {
            limit,
            used: used(runs, start, now),
        }))
    }

    /// The session's own clock. A viewer winds it; at its end the session is deleted or stopped.
    /// `grace` gives every clock something at least. Returns whether the row changed.
    pub(super) async fn clock_ran_out(
        &self,
        session: &Session,
        grace: bool,
    ) -> Result<bool, StoreError> {
        let Some(expires_at) = session.expires_at else {
            return Ok(false);
        };
        let now = self.now();
        match session.wanted {
            WantedState::Running => {}
            WantedState::Stopped if now >= expires_at => {
                return self
                    .end(session, ExpiryAction::Delete, EndReason::TimeLimit)
                    .await;
            }
            WantedState::Stopped | WantedState::Deleted => return Ok(false),
        }
        let policy = &session.policy;
        let keepalive = Duration::from_secs(policy.number(&KEEPALIVE_EXPIRATION).into());
        let least = now + self.0.config.grace.min(keepalive);
        if grace && expires_at < least {
            return self
                .set_clock(session.id, session.keepalive_at, least)
                .await;
        }
        if self.usage_ran_out(session).await? {
            return self
                .end(session, policy.expiry_action(), EndReason::UsageLimit)
                .await;
        }
        if now - session.keepalive_at >= keepalive / WIND_AT && self.is_viewed(session) {
            let end = ends(policy, session.created_at, now);
            if end.at > expires_at {
                return self.set_clock(session.id, now, end.at).await;
            }
        }
        if now < expires_at {
            return Ok(false);
        }
        let end = ends(policy, session.created_at, session.keepalive_at);
        self.end(session, end.action, end.reason).await
    }

    fn is_viewed(&self, session: &Session) -> bool {
        session.state == SessionState::Running
            && session
                .agent_id
                .and_then(|agent| self.0.links.observed(agent, session.id))
                .is_some_and(|observed| observed.report.viewers > 0)
    }

    async fn usage_ran_out(&self, session: &Session) -> Result<bool, StoreError> {
        if session.state != SessionState::Running || session.policy.usage_limit().is_none() {
            return Ok(false);
        }
        let now = self.now();
        {
            let mut memory = self.memory();
            let counted = &mut memory.sessions.entry(session.id).or_default().counted_at;
            if counted.is_some_and(|at| now - at < COUNT_EVERY) {
                return Ok(false);
            }
            *counted = Some(now);
        }
        let usage = self.usage(&session.policy, session.user_id).await?;
        Ok(usage.is_some_and(|usage| usage.reached()))
    }

    async fn end(
        &self,
        session: &Session,
        action: ExpiryAction,
        reason: EndReason,
    ) -> Result<bool, StoreError> {
        let mut done = match action {
            ExpiryAction::Stop => self
                .stop_because(session.id, Some(reason), None)
                .await
                .map(drop),
            ExpiryAction::Delete => self.delete(session.id, reason, None).await,
        };
        // What never ran has nothing to keep.
        if let (ExpiryAction::Stop, Err(Refused::State { .. })) = (action, &done) {
            done = self.delete(session.id, reason, None).await;
        }
        match done {
            Ok(()) | Err(Refused::Store(StoreError::NotFound { .. })) => Ok(true),
            Err(Refused::Store(error)) => Err(error),
            Err(error) => Err(StoreError::Statement(error.to_string())),
        }
    }

    async fn set_clock(
        &self,
        id: SessionId,
        keepalive_at: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let changed = self
            .0
            .store
            .sessions()
            .change(id, self.now(), |session| {
                if session.expires_at.is_none_or(|before| before >= expires_at) {
                    return Ok::<_, Infallible>(Change::Keep);
                }
                session.keepalive_at = keepalive_at;
                session.expires_at = Some(expires_at);
                Ok(Change::Save(None))
            })
            .await;
        match changed {
            Ok(Some(session)) => {
                let event = Event::Session {
                    session_id: id,
                    user_id: session.user_id,
                };
                self.0.events.send(event);
                Ok(true)
            }
            Ok(None) | Err(ChangeError::Store(StoreError::NotFound { .. })) => Ok(true),
            Err(ChangeError::Store(error)) => Err(error),
            Err(ChangeError::Rule(never)) => match never {},
        }
    }
}
