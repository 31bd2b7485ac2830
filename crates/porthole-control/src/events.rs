//! What changed: to the console's event stream, and to the gateway when access ends.

use porthole_model::{
    ids::{LoginId, SessionId, UserId},
    session::EndReason,
};
use porthole_wire::close::CloseReason;
use tokio::sync::broadcast;

/// Who may hear of an event. Administrators may hear all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// One user.
    User(UserId),
    /// Everybody who is signed in.
    Everybody,
    /// Administrators only.
    Administrators,
}

/// Something changed; whoever hears it reads the new state from the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A session came or changed.
    Session {
        /// The session.
        session_id: SessionId,
        /// Whose it is.
        user_id: UserId,
    },
    /// A session is gone.
    SessionGone {
        /// The session.
        session_id: SessionId,
        /// Whose it was.
        user_id: UserId,
        /// Why.
        reason: EndReason,
    },
    /// The list of workspaces, or who may launch them, changed.
    Workspaces,
    /// An agent came, went or changed.
    Agents,
}

impl Event {
    /// Who may hear of it.
    pub const fn audience(&self) -> Audience {
        match self {
            Self::Session { user_id, .. } | Self::SessionGone { user_id, .. } => {
                Audience::User(*user_id)
            }
            Self::Workspaces => Audience::Everybody,
            Self::Agents => Audience::Administrators,
        }
    }
}

/// Access that ended; running streams that stand on it are to be cut at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// One sign-in ended.
    LoginEnded(LoginId),
    /// A user lost access altogether: every sign-in, and streams by API keys for them.
    UserRevoked(UserId),
    /// A session stopped or ended, with what its viewers are told.
    SessionEnded(SessionId, CloseReason),
}

/// Broadcasts of [`Event`]s and [`Revocation`]s. Cheap to clone.
///
/// A hearer that lags loses the oldest and must read the whole state again
/// ([`broadcast::error::RecvError::Lagged`]).
#[derive(Debug, Clone)]
pub struct Events {
    events: broadcast::Sender<Event>,
    revocations: broadcast::Sender<Revocation>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            events: broadcast::channel(1024).0,
            revocations: broadcast::channel(1024).0,
        }
    }
}

impl Events {
    /// Tells everybody who listens.
    pub fn send(&self, event: Event) {
        // An error only says that nobody listens.
        let _ = self.events.send(event);
    }

    /// Events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Tells whoever carries streams that access ended.
    pub fn revoke(&self, revocation: Revocation) {
        let _ = self.revocations.send(revocation);
    }

    /// Revocations from now on.
    pub fn subscribe_revocations(&self) -> broadcast::Receiver<Revocation> {
        self.revocations.subscribe()
    }
}
