//! Keeps every session on its way: compares what is wanted (the store) with what is there (the
//! agents' reports), again and again, and takes the next step of each.
//!
//! Nothing that is needed to go on is held in memory alone: after a restart of the server the
//! store and the first reports tell all of it again.

mod actions;
mod clock;
pub mod decide;
mod expiry;
mod round;

pub(crate) use actions::counts;
pub use actions::{Launch, Refused};
pub use clock::{Clock, ManualClock, SystemClock};
pub use expiry::Usage;

use crate::{
    Event, Events, Revocation,
    links::{Links, Observed},
};
use decide::{Command, Decision, Sight, Situation, Step, decide};
use porthole_model::{
    ids::{AgentId, SessionId},
    session::{EndReason, Failure, Progress, SessionState},
};
use porthole_store::{
    Store, StoreError,
    sessions::{Change, ChangeError, Event as HistoryEvent, Session},
};
use porthole_wire::{
    agent::{Phase, ServerMessage, SessionSpec},
    close::CloseReason,
};
use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use time::OffsetDateTime;

/// The manager's times.
#[derive(Debug, Clone)]
pub struct ManagerConfig {
    /// How often everything is looked at, whatever the agents say.
    pub round: Duration,
    /// After how long an unanswered command is sent again.
    pub repeat: Duration,
    /// What is left at least of every session's clock when the server starts, because nobody could
    /// keep a session alive while it was down.
    pub grace: Duration,
}

impl Default for ManagerConfig {
    fn default() -> Self {
        Self {
            round: Duration::from_secs(1),
            repeat: Duration::from_secs(5),
            grace: Duration::from_mins(5),
        }
    }
}

/// The manager. Cheap to clone.
#[derive(Clone)]
pub struct Manager(Arc<Inner>);

struct Inner {
    config: ManagerConfig,
    store: Store,
    links: Links,
    events: Events,
    clock: Arc<dyn Clock>,
    started_at: OffsetDateTime,
    memory: Mutex<Memory>,
    rounds: tokio::sync::Mutex<()>,
}

/// What makes the rounds cheaper and the messages better; losing it loses nothing else.
#[derive(Default)]
struct Memory {
    sessions: HashMap<SessionId, SessionMemory>,
    agents: HashMap<AgentId, AgentMemory>,
    /// When sessions that nobody knows were last told to go.
    strays: HashMap<(AgentId, SessionId), OffsetDateTime>,
    /// Whether the first whole round was made.
    graced: bool,
}

#[derive(Default)]
struct SessionMemory {
    /// The last command, when, and on which link.
    sent: Option<(Command, OffsetDateTime, u64)>,
    /// Until when a failure that the agent reports is one of an earlier attempt.
    remains_until: Option<OffsetDateTime>,
    /// When its user's hours were last counted.
    counted_at: Option<OffsetDateTime>,
    /// What was last told to the session's user beyond the row.
    told: Option<(Option<Progress>, u32)>,
}

#[derive(Default, Clone)]
struct AgentMemory {
    name: String,
    connected: bool,
    reported: bool,
    /// What was last stored of it, and when.
    seen: Option<(porthole_store::agents::Seen, OffsetDateTime)>,
}

/// Everything a decision about a session needs, seen at one moment.
struct Look {
    now: OffsetDateTime,
    /// The row's version that it belongs to.
    version: i64,
    sight: Sight,
    quiet: Duration,
    agent: String,
    observed: Option<Observed>,
}

impl Manager {
    /// A manager that does nothing yet; [`run`](Self::run) sets it going.
    pub fn new(
        config: ManagerConfig,
        store: Store,
        links: Links,
        events: Events,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let started_at = clock.now();
        Self(Arc::new(Inner {
            config,
            store,
            links,
            events,
            clock,
            started_at,
            memory: Mutex::default(),
            rounds: tokio::sync::Mutex::default(),
        }))
    }

    /// The agents' links.
    pub fn links(&self) -> &Links {
        &self.0.links
    }

    /// Its times.
    pub fn config(&self) -> &ManagerConfig {
        &self.0.config
    }

    /// The time now.
    pub fn now(&self) -> OffsetDateTime {
        self.0.clock.now()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next step of one session, if there is one to take.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reconcile(&self, id: SessionId) -> Result<(), StoreError> {
        match self.0.store.sessions().find(id).await {
            Ok(session) => self.step(session).await,
            Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn step(&self, session: Session) -> Result<(), StoreError> {
        let look = self.look(&session);
        let mut copy = session.clone();
        let (mut decision, change) = plan(&mut copy, &look);
        if change == Change::Keep {
            self.tell(&session, &look);
        } else {
            let result = self
                .0
                .store
                .sessions()
                .change(session.id, look.now, |row| {
                    // Something else was faster: what was seen may not belong to the row any more.
                    let (fresh, change) = if row.version == look.version {
                        plan(row, &look)
                    } else {
                        (Decision::default(), Change::Keep)
                    };
                    decision = fresh;
                    Ok::<_, Infallible>(change)
                })
                .await;
            match result {
                Ok(Some(after)) if after.version == session.version + 1 => {
                    self.announce(&session, &after);
                    self.tell(&after, &look);
                }
                Ok(Some(_)) => {}
                Ok(None) => self.farewell(&session),
                Err(ChangeError::Store(StoreError::NotFound { .. })) => return Ok(()),
                Err(ChangeError::Store(error)) => return Err(error),
                Err(ChangeError::Rule(never)) => match never {},
            }
        }
        if let Some(command) = decision.command {
            self.command(&session, command, look.now);
        }
        Ok(())
    }

    fn look(&self, session: &Session) -> Look {
        let now = self.now();
        let (sight, observed) = match session.agent_id {
            Some(agent) => (
                self.0.links.sight(agent, session.id),
                self.0.links.observed(agent, session.id),
            ),
            None => (Sight::Unseen { connected: false }, None),
        };
        let mut memory = self.memory();
        let agent = session
            .agent_id
            .and_then(|id| memory.agents.get(&id))
            .map_or_else(|| "unknown".to_owned(), |agent| agent.name.clone());
        let of_session = memory.sessions.entry(session.id).or_default();
        let failed = matches!(sight, Sight::Present(Phase::Failed { .. }));
        let sight = match of_session.remains_until {
            Some(until) if failed && now < until => Sight::Remains,
            _ => {
                of_session.remains_until = None;
                sight
            }
        };
        let mut news_at = session.state_at.max(self.0.started_at);
        if let (Some(observed), Sight::Present(Phase::Starting { .. })) = (&observed, &sight) {
            news_at = news_at.max(observed.news_at);
        }
        let quiet = Duration::try_from(now - news_at).unwrap_or(Duration::ZERO);
        Look {
            now,
            version: session.version,
            sight,
            quiet,
            agent,
            observed,
        }
    }

    /// Sends a command, unless the same one is on its way.
    fn command(&self, session: &Session, command: Command, now: OffsetDateTime) {
        let Some(agent_id) = session.agent_id else {
            return;
        };
        let Some(view) = self.0.links.view(agent_id).filter(|view| view.connected) else {
            return;
        };
        {
            let mut memory = self.memory();
            let sent = &mut memory.sessions.entry(session.id).or_default().sent;
            let again = sent.is_none_or(|(last, at, link)| {
                last != command || link != view.link || now - at >= self.0.config.repeat
            });
            if !again {
                return;
            }
            *sent = Some((command, now, view.link));
        }
        let session_id = session.id;
        let message = match command {
            Command::Run => match serde_json::from_str::<SessionSpec>(&session.spec) {
                Ok(spec) => ServerMessage::Run {
                    spec: Box::new(spec),
                },
                Err(error) => {
                    // The start's time-out tells its user.
                    tracing::error!(%session_id, %error, "a session's stored spec can not be read");
                    return;
                }
            },
            Command::Stop => ServerMessage::Stop { session_id },
            Command::Remove => ServerMessage::Remove { session_id },
        };
        tracing::debug!(%session_id, %agent_id, ?command, "command");
        self.0.links.send(agent_id, message);
    }

    /// Forgets which commands are on their way, so that the next one is sent at once.
    fn urge(&self, id: SessionId) {
        if let Some(memory) = self.memory().sessions.get_mut(&id) {
            memory.sent = None;
        }
    }

    /// Tells whoever listens that a session changed, and cuts its streams when it ended.
    fn announce(&self, before: &Session, after: &Session) {
        if before.state != after.state {
            tracing::info!(
                session_id = %after.id, from = %before.state, to = %after.state, "session"
            );
            self.urge(after.id);
            let reason = match after.state {
                SessionState::Stopping | SessionState::Stopped => Some(CloseReason::Stopped),
                SessionState::Failed | SessionState::Deleting => Some(CloseReason::Ended),
                _ => None,
            };
            if let Some(reason) = reason {
                self.0
                    .events
                    .revoke(Revocation::SessionEnded(after.id, reason));
            }
        }
        self.0.events.send(Event::Session {
            session_id: after.id,
            user_id: after.user_id,
        });
    }

    /// Tells whoever listens what is not in the row: progress within a step, and viewers.
    fn tell(&self, session: &Session, look: &Look) {
        let Some(observed) = &look.observed else {
            return;
        };
        let now = (progress_of(observed).cloned(), observed.report.viewers);
        let mut memory = self.memory();
        let told = &mut memory.sessions.entry(session.id).or_default().told;
        if told.as_ref() != Some(&now) {
            *told = Some(now);
            drop(memory);
            let event = Event::Session {
                session_id: session.id,
                user_id: session.user_id,
            };
            self.0.events.send(event);
        }
    }

    /// A session is gone.
    fn farewell(&self, session: &Session) {
        tracing::info!(session_id = %session.id, reason = ?session.end_reason, "session removed");
        self.memory().sessions.remove(&session.id);
        let reason = session.end_reason.unwrap_or(EndReason::User);
        self.0
            .events
            .revoke(Revocation::SessionEnded(session.id, CloseReason::Ended));
        self.0.events.send(Event::SessionGone {
            session_id: session.id,
            user_id: session.user_id,
            reason,
        });
    }
}

/// The progress that an agent reports.
pub(crate) fn progress_of(observed: &Observed) -> Option<&Progress> {
    match &observed.report.phase {
        Phase::Starting { progress } => Some(progress),
        _ => None,
    }
}

/// Decides, and makes the row as it shall be.
fn plan(session: &mut Session, look: &Look) -> (Decision, Change) {
    let decision = decide(&Situation {
        state: session.state,
        wanted: session.wanted,
        ran: session.started_at.is_some(),
        quiet: look.quiet,
        sight: &look.sight,
        agent: &look.agent,
    });
    let event = |event, reason| HistoryEvent {
        event,
        reason,
        actor: None,
    };
    let change = match &decision.step {
        Some(Step::Forget) => {
            let reason = session.end_reason.map(|reason| reason.as_str().to_owned());
            return (decision, Change::Remove(event("removed", reason)));
        }
        Some(Step::Enter(state)) => {
            session.state = *state;
            match state {
                SessionState::Running => {
                    session.started_at.get_or_insert(look.now);
                    session.progress = None;
                    session.failure = None;
                    Change::Save(Some(event("running", None)))
                }
                SessionState::Stopped => {
                    session.failure = None;
                    Change::Save(Some(event("stopped", None)))
                }
                _ => Change::Save(None),
            }
        }
        Some(Step::Fail(failure)) => {
            fail(session, failure.clone());
            Change::Save(Some(event("failed", Some(failure.to_string()))))
        }
        Some(Step::Warn(failure)) if session.failure.as_ref() != Some(failure) => {
            session.failure = Some(failure.clone());
            Change::Save(None)
        }
        Some(Step::Warn(_)) | None => Change::Keep,
    };
    let facts = sync_facts(session, look);
    (
        decision,
        if change == Change::Keep && facts {
            Change::Save(None)
        } else {
            change
        },
    )
}

fn fail(session: &mut Session, failure: Failure) {
    session.state = SessionState::Failed;
    session.failure = Some(failure);
    session.progress = None;
    session.container_id = None;
    session.display_id = None;
    session.expires_at = None;
}

/// Takes over what the agent says of its containers, and each step of the start. Percentages stay
/// in memory: they come often and tell nothing after a restart.
fn sync_facts(session: &mut Session, look: &Look) -> bool {
    let Some(observed) = look
        .observed
        .as_ref()
        .filter(|_| matches!(look.sight, Sight::Present(_)))
    else {
        return false;
    };
    if session.state == SessionState::Failed {
        return false;
    }
    let report = &observed.report;
    let mut changed = false;
    if session.container_id != report.container_id {
        session.container_id.clone_from(&report.container_id);
        changed = true;
    }
    if session.display_id != report.display_id {
        session.display_id = report.display_id;
        changed = true;
    }
    let step = progress_of(observed).map(|progress| progress.step);
    if matches!(
        session.state,
        SessionState::Requested | SessionState::Starting
    ) && step.is_some()
        && session.progress.as_ref().map(|progress| progress.step) != step
    {
        session.progress = progress_of(observed).cloned();
        changed = true;
    }
    changed
}
