//! The streams there are, what was withdrawn of late, and the tickets that were used.

use porthole_model::ids::{LoginId, SessionId, StreamId, UserId};
use porthole_wire::{
    agent::Access,
    close::CloseReason,
    ticket::{Grant, LIFETIME},
};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{Notify, watch};

/// The most used tickets remembered. Ten times what a flood of reconnecting viewers would use in
/// a ticket's life; when it is full, tickets are refused, not forgotten.
const MAX_USED: usize = 100_000;
/// The most revocations remembered one by one; beyond it all older tickets are refused.
const MAX_REVOCATIONS: usize = 4096;

/// Whose streams end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// Those opened by one sign-in.
    Login(LoginId),
    /// All of a user.
    User(UserId),
    /// All to a session, with the reason that viewers show.
    Session(SessionId, CloseReason),
    /// Every one.
    All,
}

impl Revocation {
    fn names(self, grant: &Grant) -> bool {
        match self {
            Self::Login(login) => grant.login_id == Some(login),
            Self::User(user) => grant.user_id == user,
            Self::Session(session, _) => grant.session_id == session,
            Self::All => true,
        }
    }

    fn reason(self) -> CloseReason {
        match self {
            Self::Session(_, reason) => reason,
            _ => CloseReason::Revoked,
        }
    }
}

/// A live stream, for lists and metrics.
#[derive(Debug, Clone, Serialize)]
pub struct StreamInfo {
    /// The stream.
    pub stream_id: StreamId,
    /// The session it shows.
    pub session_id: SessionId,
    /// Who looks.
    pub user_id: UserId,
    /// By which sign-in; `None` for an API key.
    pub login_id: Option<LoginId>,
    /// What the viewer may do.
    pub access: Access,
    /// When it was opened, in milliseconds since 1970.
    pub since_ms: u64,
    /// Bytes sent to the browser, without framing.
    pub bytes_down: u64,
    /// Bytes passed on to the display, without framing.
    pub bytes_up: u64,
    /// Messages that policy held back, either way.
    pub withheld: u64,
}

/// One live stream; leaves the registry when it is dropped.
pub(crate) struct Live {
    pub grant: Grant,
    since: SystemTime,
    pub bytes_down: AtomicU64,
    pub bytes_up: AtomicU64,
    pub withheld: AtomicU64,
    end: watch::Sender<Option<CloseReason>>,
}

impl Live {
    /// Resolves when the stream must end, with the reason.
    pub async fn ended(&self) -> CloseReason {
        let mut end = self.end.subscribe();
        let reason = end.wait_for(Option::is_some).await.map(|reason| *reason);
        match reason {
            Ok(reason) => reason.unwrap_or(CloseReason::Revoked),
            // The sender lives in `self`.
            Err(_) => std::future::pending().await,
        }
    }

    pub fn info(&self) -> StreamInfo {
        StreamInfo {
            stream_id: self.grant.stream_id,
            session_id: self.grant.session_id,
            user_id: self.grant.user_id,
            login_id: self.grant.login_id,
            access: self.grant.access,
            since_ms: self
                .since
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_millis() as u64,
            bytes_down: self.bytes_down.load(Relaxed),
            bytes_up: self.bytes_up.load(Relaxed),
            withheld: self.withheld.load(Relaxed),
        }
    }
}

/// Why a stream was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many streams as are allowed.
    Full,
    /// The ticket was used, or what it grants was withdrawn since it was made.
    Ticket,
    /// Shutting down.
    GoingAway,
}

#[derive(Default)]
struct State {
    live: HashMap<StreamId, Arc<Live>>,
    /// Used tickets and when they expire, in seconds since 1970.
    used: HashMap<StreamId, u64>,
    used_purged: u64,
    /// Revocations and when, in seconds since 1970: a ticket made before may not be used after.
    revoked: Vec<(Revocation, u64)>,
    closing: bool,
}

pub(crate) struct Registry {
    state: Mutex<State>,
    max_streams: usize,
    left: Notify,
}

/// Takes the stream out of the registry at its end, however that comes.
pub(crate) struct Admitted<'a> {
    registry: &'a Registry,
    pub live: Arc<Live>,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.registry.lock().live.remove(&self.live.grant.stream_id);
        self.registry.left.notify_waiters();
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

impl Registry {
    pub fn new(max_streams: usize) -> Self {
        Self {
            state: Mutex::default(),
            max_streams,
            left: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses a ticket up and enters its stream.
    pub fn admit(&self, grant: Grant) -> Result<Admitted<'_>, Refused> {
        let mut state = self.lock();
        let now = now();
        if state.closing {
            return Err(Refused::GoingAway);
        }
        if state.live.len() >= self.max_streams {
            return Err(Refused::Full);
        }
        // Purged at most once a second, so that a flood does not walk the map for each.
        if state.used_purged != now {
            state.used_purged = now;
            state.used.retain(|_, exp| *exp >= now);
        }
        let made = grant.exp.saturating_sub(LIFETIME);
        let withdrawn = state
            .revoked
            .iter()
            .any(|(what, at)| *at >= made && what.names(&grant));
        if withdrawn
            || grant.exp < now
            || state.used.len() >= MAX_USED
            || state.used.insert(grant.stream_id, grant.exp).is_some()
        {
            return Err(Refused::Ticket);
        }
        let live = Arc::new(Live {
            since: SystemTime::now(),
            bytes_down: AtomicU64::new(0),
            bytes_up: AtomicU64::new(0),
            withheld: AtomicU64::new(0),
            end: watch::Sender::new(None),
            grant,
        });
        state.live.insert(live.grant.stream_id, live.clone());
        drop(state);
        Ok(Admitted {
            registry: self,
            live,
        })
    }

    pub fn revoke(&self, what: Revocation) {
        let mut state = self.lock();
        let now = now();
        state.revoked.retain(|(_, at)| at + LIFETIME >= now);
        if state.revoked.len() >= MAX_REVOCATIONS {
            state.revoked.clear();
            state.revoked.push((Revocation::All, now));
        } else {
            state.revoked.push((what, now));
        }
        for live in state.live.values().filter(|live| what.names(&live.grant)) {
            end(live, what.reason());
        }
    }

    pub fn streams(&self) -> Vec<StreamInfo> {
        self.lock().live.values().map(|live| live.info()).collect()
    }

    pub async fn shut_down(&self, within: Duration) {
        {
            let mut state = self.lock();
            state.closing = true;
            for live in state.live.values() {
                end(live, CloseReason::GoingAway);
            }
        }
        let empty = async {
            loop {
                let left = self.left.notified();
                if self.lock().live.is_empty() {
                    return;
                }
                left.await;
            }
        };
        if tokio::time::timeout(within, empty).await.is_err() {
            tracing::warn!(
                streams = self.lock().live.len(),
                "streams did not end in time"
            );
        }
    }
}

/// The first reason stays.
fn end(live: &Live, reason: CloseReason) {
    live.end.send_if_modified(|end| {
        let first = end.is_none();
        end.get_or_insert(reason);
        first
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use porthole_model::ids::AgentId;

    fn grant() -> Grant {
        Grant {
            stream_id: StreamId::new(),
            exp: now() + LIFETIME,
            session_id: SessionId::new(),
            agent_id: AgentId::new(),
            user_id: UserId::new(),
            login_id: Some(LoginId::new()),
            access: Access::Control,
            clipboard_down: true,
            clipboard_up: true,
            clipboard_down_max: 1000,
            clipboard_up_max: 1000,
            clipboard_delay: 0,
            idle_disconnect: 0,
        }
    }

    #[test]
    fn a_ticket_is_used_once() {
        let registry = Registry::new(10);
        let grant = grant();
        drop(
            registry
                .admit(grant.clone())
                .unwrap_or_else(|e| panic!("{e:?}")),
        );
        assert_eq!(registry.admit(grant).err(), Some(Refused::Ticket));
        assert!(registry.streams().is_empty());
    }

    #[test]
    fn used_tickets_are_forgotten_only_when_expired() {
        let registry = Registry::new(10);
        let mut old = grant();
        old.exp = now();
        drop(registry.admit(old.clone()));
        registry.lock().used_purged = 0;
        registry.lock().used.insert(StreamId::new(), now() - 1);
        drop(registry.admit(grant()));
        let state = registry.lock();
        assert!(state.used.contains_key(&old.stream_id));
        assert_eq!(state.used.len(), 2);
    }

    #[test]
    fn a_full_cache_refuses() {
        let registry = Registry::new(10);
        for _ in 0..MAX_USED {
            registry.lock().used.insert(StreamId::new(), now() + 30);
        }
        assert_eq!(registry.admit(grant()).err(), Some(Refused::Ticket));
    }

    #[test]
    fn a_revocation_reaches_tickets_under_way() {
        let registry = Registry::new(10);
        let (grant, other) = (grant(), grant());
        registry.revoke(Revocation::User(grant.user_id));
        assert_eq!(registry.admit(grant).err(), Some(Refused::Ticket));
        assert!(registry.admit(other).is_ok());
    }

    #[tokio::test]
    async fn a_revocation_ends_those_it_names() {
        let registry = Registry::new(10);
        let one = registry.admit(grant()).unwrap_or_else(|e| panic!("{e:?}"));
        let two = registry.admit(grant()).unwrap_or_else(|e| panic!("{e:?}"));
        let what = Revocation::Session(one.live.grant.session_id, CloseReason::Stopped);
        registry.revoke(what);
        registry.revoke(Revocation::Login(one.live.grant.login_id.unwrap()));
        assert_eq!(one.live.ended().await, CloseReason::Stopped);
        assert!(two.live.end.borrow().is_none());
    }

    #[test]
    fn many_revocations_stay_bounded() {
        let registry = Registry::new(10);
        for _ in 0..MAX_REVOCATIONS * 2 {
            registry.revoke(Revocation::User(UserId::new()));
        }
        assert!(registry.lock().revoked.len() <= MAX_REVOCATIONS);
        let mut earlier = grant();
        earlier.exp -= LIFETIME / 2;
        assert_eq!(registry.admit(earlier).err(), Some(Refused::Ticket));
    }

    #[test]
    fn no_more_than_allowed() {
        let registry = Registry::new(1);
        let _one = registry.admit(grant()).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!(registry.admit(grant()).err(), Some(Refused::Full));
    }
}
