//! The way from a browser to a session's display.

use crate::{AppError, Control, Event, RequestContext};
use porthole_model::{
    ids::{SessionId, StreamId},
    permission::Permission,
    policy::{
        ALLOW_CLIPBOARD_DOWN, ALLOW_CLIPBOARD_UP, CLIPBOARD_DELAY, CLIPBOARD_DOWN_SIZE,
        CLIPBOARD_UP_SIZE, IDLE_DISCONNECT,
    },
    session::{SessionState, WantedState},
};
use porthole_store::{StoreError, sessions::Session};
use porthole_wire::{
    agent::Access,
    close::CloseReason,
    socket::MessageSocket,
    ticket::{Grant, LIFETIME},
};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::{sync::broadcast::error::RecvError, time::Instant};

/// How long a connection waits for a session that is about to have a display.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a viewer needs to open a session's stream.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The stream's path on this server, without the ticket.
    pub path: String,
    /// The ticket: good for one stream.
    pub ticket: String,
    /// What it grants.
    pub grant: Grant,
    /// When the ticket ends.
    pub expires_at: OffsetDateTime,
}

impl Control {
    /// Grants a stream to a session's display. Waits up to 10 s for a display that is about to be
    /// there, so that a viewer sees the session's start as early as there is something to see.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] for a session that has no display;
    /// [`AppError::Unavailable`] when its agent is not connected.
    pub async fn connect_session(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<Connection, AppError> {
        let session = self.displayed(context, id).await?;
        let agent_id = session
            .agent_id
            .ok_or_else(|| AppError::conflict("it has no agent"))?;
        let expires_at = OffsetDateTime::now_utc() + Duration::from_secs(LIFETIME);
        let policy = &session.policy;
        let grant = Grant {
            stream_id: StreamId::new(),
            exp: expires_at.unix_timestamp().unsigned_abs(),
            session_id: id,
            agent_id,
            user_id: context.user_id().unwrap_or(session.user_id),
            login_id: context.login_id(),
            access: Access::Control,
            clipboard_down: policy.allows(&ALLOW_CLIPBOARD_DOWN),
            clipboard_up: policy.allows(&ALLOW_CLIPBOARD_UP),
            clipboard_down_max: policy.number(&CLIPBOARD_DOWN_SIZE),
            clipboard_up_max: policy.number(&CLIPBOARD_UP_SIZE),
            clipboard_delay: policy.number(&CLIPBOARD_DELAY),
            idle_disconnect: policy.number(&IDLE_DISCONNECT).saturating_mul(60),
        };
        let ticket = self
            .tickets
            .sign(grant.clone())
            .map_err(AppError::internal)?;
        Ok(Connection {
            path: format!("/gateway/v1/sessions/{id}/display"),
            ticket,
            grant,
            expires_at,
        })
    }

    /// The session, as soon as it has a display.
    async fn displayed(
        &self,
        context: &RequestContext,
        id: SessionId,
    ) -> Result<Session, AppError> {
        let mut events = self.events.subscribe();
        let until = Instant::now() + PATIENCE;
        loop {
            let session = self
                .accessible(context, id, Permission::SessionsModify)
                .await?;
            if self.has_display(&session)? {
                return Ok(session);
            }
            let mine = |event: &Event| match event {
                Event::Session { session_id, .. } | Event::SessionGone { session_id, .. } => {
                    *session_id == id
                }
                _ => false,
            };
            loop {
                match tokio::time::timeout_at(until, events.recv()).await {
                    Ok(Ok(event)) if !mine(&event) => {}
                    Ok(Ok(_) | Err(RecvError::Lagged(_))) => break,
                    Ok(Err(RecvError::Closed)) | Err(_) => {
                        return Err(AppError::conflict(
                            "the session has no display yet; its progress tells how far it is",
                        ));
                    }
                }
            }
        }
    }

    fn has_display(&self, session: &Session) -> Result<bool, AppError> {
        use SessionState::{Requested, Running, Starting};
        if session.wanted == WantedState::Deleted {
            return Err(AppError::not_found("session"));
        }
        if !matches!(session.state, Requested | Starting | Running) {
            return Err(AppError::conflict(match session.state {
                SessionState::Failed => "the session has failed; try it again, or dismiss it",
                _ => "the session is stopped; resume it first",
            }));
        }
        let Some(agent_id) = session.agent_id else {
            return Ok(false);
        };
        if !self.links().connected(agent_id) {
            return Err(AppError::Unavailable(
                "the session's agent is not connected at the moment; the session is kept".into(),
            ));
        }
        let observed = self.links().observed(agent_id, session.id);
        Ok(observed.is_some_and(|observed| observed.report.display_id.is_some()))
    }

    /// Opens the stream of a grant whose ticket the gateway has checked.
    ///
    /// # Errors
    /// Why there is none, as the viewer is told.
    pub async fn open_stream(&self, grant: &Grant) -> Result<MessageSocket, CloseReason> {
        let session = match self.store.sessions().find(grant.session_id).await {
            Ok(session) => session,
            Err(StoreError::NotFound { .. }) => return Err(CloseReason::NoSession),
            Err(error) => {
                tracing::error!(%error, "a stream could not be opened");
                return Err(CloseReason::DisplayLost);
            }
        };
        match session.state {
            SessionState::Deleting | SessionState::Failed => return Err(CloseReason::Ended),
            SessionState::Stopping | SessionState::Stopped => return Err(CloseReason::Stopped),
            SessionState::Requested | SessionState::Starting | SessionState::Running => {}
        }
        // Where it is now, which after a retry may be elsewhere than when the ticket was signed.
        let agent_id = session.agent_id.unwrap_or(grant.agent_id);
        self.links()
            .open_stream(agent_id, grant.session_id, grant.access)
            .await
    }
}
