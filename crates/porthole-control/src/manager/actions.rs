//! What is asked of sessions: each call writes the wish into the store and takes the first step.
//! Who may ask is decided in `app/`.

use super::{Manager, decide::Sight};
use crate::{Event, Revocation};
use porthole_model::{
    ids::{AgentId, SessionId, UserId, WorkspaceId},
    image::ImageRef,
    placement::{Candidate, Need, Refusal, place},
    policy::{EffectivePolicy, LimitReached, check_session_limits, ends, time_limit_end},
    protection::Protection,
    resources::{Bytes, Resources},
    session::{EndReason, SessionState, WantedState},
};
use porthole_store::{
    StoreError,
    agents::AgentLoad,
    sessions::{Change, ChangeError, Event as HistoryEvent, Session, SessionFilter},
};
use porthole_wire::{
    agent::{Phase, ServerMessage, SessionSpec},
    close::CloseReason,
};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A session to be started, checked already against what its user may do.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Its id to be.
    pub id: SessionId,
    /// Whose it will be.
    pub user_id: UserId,
    /// The user's name.
    pub username: String,
    /// What to launch.
    pub workspace_id: WorkspaceId,
    /// Its name.
    pub workspace_name: String,
    /// Its image.
    pub image: ImageRef,
    /// What it takes.
    pub resources: Resources,
    /// Its `/dev/shm`.
    pub shm_size: Bytes,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// The display's first size in pixels.
    pub width: u16,
    /// See `width`.
    pub height: u16,
    /// What is burnt into its pixels, with its values filled in.
    pub protection: Protection,
    /// What holds for its user now.
    pub policy: EffectivePolicy,
    /// Who asked, for the history.
    pub actor: Option<String>,
}

/// Why a session is not started, or not changed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The user has as many as they may.
    #[error("{0}")]
    Limit(#[from] LimitReached),
    /// No agent has room.
    #[error("{0}")]
    Placement(#[from] Refusal),
    /// The session's state does not allow it.
    #[error("the session is {state}; {hint}")]
    State {
        /// Its state.
        state: SessionState,
        /// What to do.
        hint: &'static str,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangeError<Self>> for Refused {
    fn from(error: ChangeError<Self>) -> Self {
        match error {
            ChangeError::Store(error) => Self::Store(error),
            ChangeError::Rule(refused) => refused,
        }
    }
}

impl Manager {
    /// Places and starts a session.
    ///
    /// # Errors
    /// [`Refused::Limit`], [`Refused::Placement`], or the store's.
    pub async fn request(&self, launch: Launch) -> Result<Session, Refused> {
        let now = self.now();
        let id = launch.id;
        let need = Need {
            resources: launch.resources,
            image: launch.image.clone(),
        };
        let spec = SessionSpec {
            session_id: id,
            user_id: launch.user_id,
            username: launch.username.clone(),
            workspace_id: launch.workspace_id,
            workspace_name: launch.workspace_name.clone(),
            image: launch.image.clone(),
            resources: launch.resources,
            shm_size: launch.shm_size,
            environment: launch.environment,
            width: launch.width,
            height: launch.height,
            protection: launch.protection,
        };
        let spec = serde_json::to_string(&spec).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let session = Session {
            id,
            user_id: launch.user_id,
            username: launch.username,
            workspace_id: launch.workspace_id,
            workspace_name: launch.workspace_name,
            image: launch.image.into(),
            agent_id: None,
            state: SessionState::Requested,
            wanted: WantedState::Running,
            resources: launch.resources,
            spec,
            container_id: None,
            display_id: None,
            progress: None,
            failure: None,
            end_reason: None,
            created_at: now,
            started_at: None,
            keepalive_at: now,
            expires_at: Some(ends(&launch.policy, now, now).at),
            state_at: now,
            version: 0,
            statistics: None,
            policy: launch.policy,
        };
        let event = HistoryEvent {
            event: "requested",
            reason: None,
            actor: launch.actor,
        };
        let session = self
            .0
            .store
            .sessions()
            .request(session, event, |session, others, loads| {
                within_limits(session, others)?;
                session.agent_id = Some(place(&need, &self.candidates(&need, loads))?);
                Ok::<_, Refused>(())
            })
            .await?;
        self.first_step(&session).await;
        Ok(session)
    }

    /// Ends the session's processes and keeps its disk.
    ///
    /// # Errors
    /// [`Refused::State`] unless it runs or starts.
    pub async fn stop(&self, id: SessionId, actor: Option<String>) -> Result<Session, Refused> {
        self.stop_because(id, None, actor).await
    }

    /// As [`stop`](Self::stop), when a clock asks for it.
    pub(super) async fn stop_because(
        &self,
        id: SessionId,
        reason: Option<EndReason>,
        actor: Option<String>,
    ) -> Result<Session, Refused> {
        self.ask(id, "stopping", reason, actor, |session| {
            match session.state {
                // One that is asked for and has run is being resumed.
                SessionState::Requested if session.started_at.is_none() => Err(Refused::State {
                    state: session.state,
                    hint: "it is not there yet; delete it instead",
                }),
                SessionState::Requested | SessionState::Starting | SessionState::Running => {
                    session.state = SessionState::Stopping;
                    session.wanted = WantedState::Stopped;
                    session.progress = None;
                    session.failure = None;
                    // The time limit goes on; nothing else ends what is stopped.
                    session.expires_at = time_limit_end(&session.policy, session.created_at);
                    Ok(Change::Keep)
                }
                SessionState::Stopping | SessionState::Stopped => Ok(Change::Save(None)),
                state => Err(Refused::State {
                    state,
                    hint: "only a running session can be stopped",
                }),
            }
        })
        .await
    }

    /// Starts a stopped session again, where its disk is.
    ///
    /// # Errors
    /// [`Refused::State`] unless it is stopped, [`Refused::Placement`] when its agent has no room.
    pub async fn resume(&self, id: SessionId, actor: Option<String>) -> Result<Session, Refused> {
        let hint = "only a stopped session can be resumed";
        self.start_again(id, SessionState::Stopped, "resumed", hint, actor)
            .await
    }

    /// Starts a failed session again from its beginning, wherever there is room.
    ///
    /// # Errors
    /// [`Refused::State`] unless it failed, [`Refused::Limit`], [`Refused::Placement`].
    pub async fn retry(&self, id: SessionId, actor: Option<String>) -> Result<Session, Refused> {
        let hint = "only a failed session can be tried again";
        self.start_again(id, SessionState::Failed, "retried", hint, actor)
            .await
    }

    async fn start_again(
        &self,
        id: SessionId,
        from: SessionState,
        event: &'static str,
        hint: &'static str,
        actor: Option<String>,
    ) -> Result<Session, Refused> {
        let now = self.now();
        let mut old_agent = None;
        let changed = self
            .0
            .store
            .sessions()
            .replace(id, now, |session, all, loads| {
                if session.wanted == WantedState::Running
                    && matches!(
                        session.state,
                        SessionState::Requested | SessionState::Starting | SessionState::Running
                    )
                {
                    return Ok(Change::Keep);
                }
                if session.state != from || session.wanted == WantedState::Deleted {
                    return Err(Refused::State {
                        state: session.state,
                        hint,
                    });
                }
                let end = ends(&session.policy, session.created_at, now);
                if end.at <= now {
                    return Err(Refused::State {
                        state: session.state,
                        hint: "its time limit is over; delete it and start another",
                    });
                }
                let image = session.image.parse().map_err(|_| {
                    StoreError::Corrupt(format!("image {:?} of a session", session.image))
                })?;
                let need = Need {
                    resources: session.resources,
                    image,
                };
                let mut candidates = self.candidates(&need, loads);
                if from == SessionState::Failed {
                    within_limits(session, all)?;
                } else {
                    candidates.retain(|candidate| Some(candidate.id) == session.agent_id);
                    // New sessions are not wanted there, but this one is there already.
                    for candidate in &mut candidates {
                        candidate.enabled = true;
                    }
                }
                let agent_id = place(&need, &candidates)?;
                old_agent = session.agent_id.filter(|_| from == SessionState::Failed);
                session.agent_id = Some(agent_id);
                if from == SessionState::Failed {
                    session.started_at = None;
                }
                session.state = SessionState::Requested;
                session.wanted = WantedState::Running;
                session.progress = None;
                session.failure = None;
                session.keepalive_at = now;
                session.expires_at = Some(end.at);
                Ok(Change::Save(Some(HistoryEvent {
                    event,
                    reason: None,
                    actor,
                })))
            })
            .await?;
        let session = changed.ok_or(StoreError::not_found("session"))?;
        if let Some(agent_id) = old_agent {
            self.clear_remains(agent_id, &session, now);
        }
        self.first_step(&session).await;
        Ok(session)
    }

    /// An agent may still report the failure of the attempt before; it must not end the new one.
    fn clear_remains(&self, agent_id: AgentId, session: &Session, now: OffsetDateTime) {
        if !matches!(
            self.0.links.sight(agent_id, session.id),
            Sight::Present(Phase::Failed { .. })
        ) {
            return;
        }
        self.0.links.send(
            agent_id,
            ServerMessage::Remove {
                session_id: session.id,
            },
        );
        if session.agent_id == Some(agent_id) {
            let until = now + 2 * self.0.config.repeat;
            self.memory()
                .sessions
                .entry(session.id)
                .or_default()
                .remains_until = Some(until);
        }
    }

    /// Keeps a session alive: its clock starts anew. With an actor, the history tells.
    ///
    /// # Errors
    /// [`Refused::State`] when it has no clock: stopped, failed, or going.
    pub async fn extend(&self, id: SessionId, actor: Option<String>) -> Result<Session, Refused> {
        let now = self.now();
        let changed = self
            .0
            .store
            .sessions()
            .change(id, now, |session| {
                if session.wanted != WantedState::Running || session.expires_at.is_none() {
                    let hint = "only a running session has a clock to extend";
                    return Err(Refused::State {
                        state: session.state,
                        hint,
                    });
                }
                session.keepalive_at = now;
                session.expires_at = Some(ends(&session.policy, session.created_at, now).at);
                let event = actor.map(|actor| HistoryEvent {
                    event: "extended",
                    reason: None,
                    actor: Some(actor),
                });
                Ok(Change::Save(event))
            })
            .await?;
        let session = changed.ok_or(StoreError::not_found("session"))?;
        self.0.events.send(Event::Session {
            session_id: session.id,
            user_id: session.user_id,
        });
        Ok(session)
    }

    /// Removes a session. Whether its agent is there or not, it is gone for its user at once or
    /// within the time-out of [`SessionState::Deleting`].
    ///
    /// # Errors
    /// When there is no such session, or the database does not answer.
    pub async fn delete(
        &self,
        id: SessionId,
        reason: EndReason,
        actor: Option<String>,
    ) -> Result<(), Refused> {
        self.ask(id, "deleted", Some(reason), actor, |session| {
            if session.wanted == WantedState::Deleted {
                return Ok(Change::Save(None));
            }
            let dismissed = session.state == SessionState::Failed && reason == EndReason::User;
            session.end_reason = Some(if dismissed { EndReason::Failed } else { reason });
            // What it gave back may be another's by now; removing its disk takes none of it.
            if !session.state.holds_resources() {
                session.resources = Resources::default();
            }
            session.state = SessionState::Deleting;
            session.wanted = WantedState::Deleted;
            session.progress = None;
            session.failure = None;
            session.expires_at = None;
            Ok(Change::Keep)
        })
        .await?;
        Ok(())
    }

    /// Removes every session of a user, as when the user is deleted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_of_user(&self, id: UserId, reason: EndReason) -> Result<(), StoreError> {
        self.delete_all(
            SessionFilter {
                user_id: Some(id),
                ..SessionFilter::default()
            },
            reason,
        )
        .await
    }

    /// Removes every session of an agent, as when the agent is removed for good.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_of_agent(&self, id: AgentId) -> Result<(), StoreError> {
        let filter = SessionFilter {
            agent_id: Some(id),
            ..SessionFilter::default()
        };
        self.delete_all(filter, EndReason::AgentRemoved).await
    }

    async fn delete_all(&self, filter: SessionFilter, reason: EndReason) -> Result<(), StoreError> {
        for session in self.0.store.sessions().all(filter).await? {
            match self.delete(session.id, reason, None).await {
                Ok(()) | Err(Refused::Store(StoreError::NotFound { .. })) => {}
                Err(Refused::Store(error)) => return Err(error),
                Err(error) => return Err(StoreError::Statement(error.to_string())),
            }
        }
        Ok(())
    }

    /// Writes a wish and takes the first step. The rule answers [`Change::Keep`] for a wish to be
    /// written, [`Change::Save`] when it was there already.
    async fn ask(
        &self,
        id: SessionId,
        event: &'static str,
        reason: Option<EndReason>,
        actor: Option<String>,
        rule: impl FnOnce(&mut Session) -> Result<Change, Refused>,
    ) -> Result<Session, Refused> {
        let now = self.now();
        let mut before = None;
        let changed = self
            .0
            .store
            .sessions()
            .change(id, now, |session| {
                before = Some(session.clone());
                Ok::<_, Refused>(match rule(session)? {
                    Change::Keep => {
                        let reason = session.end_reason.or(reason);
                        let reason = reason.map(|reason| reason.as_str().to_owned());
                        Change::Save(Some(HistoryEvent {
                            event,
                            reason,
                            actor,
                        }))
                    }
                    Change::Save(_) | Change::Remove(_) => Change::Keep,
                })
            })
            .await?;
        let session = changed.ok_or(StoreError::not_found("session"))?;
        if let Some(before) = before.filter(|before| before.version != session.version) {
            self.announce(&before, &session);
            self.step_or_log(&session).await;
        }
        Ok(session)
    }

    async fn first_step(&self, session: &Session) {
        self.urge(session.id);
        self.0.events.send(Event::Session {
            session_id: session.id,
            user_id: session.user_id,
        });
        self.step_or_log(session).await;
    }

    /// The wish is written; if the step fails now, the next round takes it.
    async fn step_or_log(&self, session: &Session) {
        if let Err(error) = self.step(session.clone()).await {
            tracing::warn!(session_id = %session.id, %error, "a step is left to the next round");
        }
    }

    /// Cuts a session's streams.
    pub fn cut_streams(&self, id: SessionId, reason: CloseReason) {
        self.0.events.revoke(Revocation::SessionEnded(id, reason));
    }

    /// The agents as placement sees them.
    pub(crate) fn candidates(&self, need: &Need, loads: &[AgentLoad]) -> Vec<Candidate> {
        let views = self.0.links.views();
        loads
            .iter()
            .map(|load| {
                let view = views.get(&load.agent.id);
                let host = view.and_then(|view| view.host.as_ref());
                Candidate {
                    id: load.agent.id,
                    name: load.agent.name.clone(),
                    connected: view.is_some_and(|view| view.connected && view.reported),
                    enabled: load.agent.enabled,
                    offered: host.map_or(load.agent.offered, |host| host.host.offered),
                    reserved: load.reserved,
                    has_image: host.is_some_and(|host| {
                        host.images.iter().any(|there| there.image == need.image)
                    }),
                }
            })
            .collect()
    }
}

/// Whether the session's user may have it beside these.
fn within_limits(session: &Session, sessions: &[Session]) -> Result<(), LimitReached> {
    let counted = sessions.iter().filter(|session| counts(session));
    let workspaces = counted.map(|session| session.workspace_id);
    check_session_limits(&session.policy, session.workspace_id, workspaces)
}

/// Whether a session counts towards limits.
pub(crate) fn counts(session: &Session) -> bool {
    !matches!(session.state, SessionState::Failed | SessionState::Deleting)
}
