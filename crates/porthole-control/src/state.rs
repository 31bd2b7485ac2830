//! The server's state, shared by every request and every loop.

use crate::{
    Events,
    app::{auth::Throttle, passwords::Passwords},
};
use ipnet::IpNet;
use porthole_store::Store;
use std::{ops::Deref, sync::Arc, time::Duration};

/// How the control plane is set up.
#[derive(Debug, Clone)]
pub struct ControlConfig {
    /// Proxies besides those on the loopback addresses whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a sign-in lasts at most.
    pub login_lifetime: Duration,
    /// How long a sign-in lasts without being used.
    pub login_idle: Duration,
    /// How long a session lasts after its last keep-alive.
    pub session_keepalive: Duration,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            login_lifetime: Duration::from_secs(288_000),
            login_idle: Duration::from_secs(8 * 3600),
            session_keepalive: Duration::from_secs(3600),
        }
    }
}

/// The control plane. Cheap to clone.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

/// What [`Control`] shares.
pub struct Inner {
    pub(crate) config: ControlConfig,
    pub(crate) store: Store,
    pub(crate) events: Events,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
}

impl Deref for Control {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Control {
    /// The control plane on an opened store.
    pub fn new(config: ControlConfig, store: Store) -> Self {
        Self(Arc::new(Inner {
            config,
            store,
            events: Events::default(),
            passwords: Passwords::default(),
            throttle: Throttle::default(),
        }))
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What changed, and which access ended.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// How it is set up.
    pub fn config(&self) -> &ControlConfig {
        &self.config
    }

    /// Everything under `/api` and `/agent/v1`, and the console's files.
    ///
    /// Serve it with [`axum::Router::into_make_service_with_connect_info`] for
    /// [`std::net::SocketAddr`]: without the peer's address no proxy is trusted and every request
    /// counts as coming from one address.
    pub fn router(&self) -> axum::Router {
        crate::http::router(self.clone())
    }
}
