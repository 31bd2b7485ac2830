//! The server's state, shared by every request and every loop.

use crate::{
    Events,
    app::{
        passwords::Passwords,
        sessions::{Tellings, Thumbnails},
    },
    http::ConsoleFiles,
    links::{LinkConfig, Links},
    manager::{Clock, Manager, ManagerConfig, SystemClock},
    tickets::Tickets,
};
use ipnet::IpNet;
use porthole_model::files::DeniedFiles;
use porthole_store::Store;
use std::{collections::BTreeMap, ops::Deref, sync::Arc, time::Duration};

/// Tells the SHA-256 of the server's certificate, in hexadecimal digits, while that is one which no
/// authority vouches for. It becomes a part of the tokens of new agents.
#[derive(Clone)]
pub struct CertificatePin(pub Arc<dyn Fn() -> Option<String> + Send + Sync>);

impl Default for CertificatePin {
    fn default() -> Self {
        Self(Arc::new(|| None))
    }
}

impl std::fmt::Debug for CertificatePin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CertificatePin").field(&(self.0)()).finish()
    }
}

/// How the control plane is set up.
#[derive(Debug, Clone)]
pub struct ControlConfig {
    /// The installation's name.
    pub name: String,
    /// The console's files; without them a page says that they are missing.
    pub console: ConsoleFiles,
    /// What agents that are added now pin.
    pub pin: CertificatePin,
    /// Proxies besides those on the loopback addresses whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a sign-in lasts at most.
    pub login_lifetime: Duration,
    /// How long a sign-in lasts without being used.
    pub login_idle: Duration,
    /// Group settings whose defaults are this installation's own, by name.
    pub policy: BTreeMap<&'static str, serde_json::Value>,
    /// Sessions: their clocks.
    pub sessions: ManagerConfig,
    /// Links of agents.
    pub links: LinkConfig,
    /// Files that may go neither into sessions nor out of them, whatever groups allow.
    pub denied_files: DeniedFiles,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            name: "Porthole".into(),
            console: |_| None,
            pin: CertificatePin::default(),
            trusted_proxies: Vec::new(),
            login_lifetime: Duration::from_hours(80),
            login_idle: Duration::from_hours(8),
            policy: BTreeMap::new(),
            sessions: ManagerConfig::default(),
            links: LinkConfig::default(),
            denied_files: DeniedFiles::default(),
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
    pub(crate) manager: Manager,
    pub(crate) tickets: Tickets,
    pub(crate) thumbnails: Thumbnails,
    pub(crate) tellings: Tellings,
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
        Self::with_clock(config, store, Arc::new(SystemClock))
    }

    /// The control plane with another clock for sessions and agents, for tests.
    pub fn with_clock(config: ControlConfig, store: Store, clock: Arc<dyn Clock>) -> Self {
        let events = Events::default();
        let links = Links::new(config.links.clone(), Arc::clone(&clock));
        let manager = Manager::new(
            config.sessions.clone(),
            store.clone(),
            links,
            events.clone(),
            clock,
        );
        Self(Arc::new(Inner {
            config,
            store,
            events,
            passwords: Passwords::default(),
            manager,
            tickets: Tickets::default(),
            thumbnails: Thumbnails::default(),
            tellings: Tellings::default(),
        }))
    }

    /// What keeps sessions on their way. Nothing moves until
    /// [`Manager::run`](crate::manager::Manager::run) is spawned.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// The agents' links.
    pub fn links(&self) -> &Links {
        self.manager.links()
    }

    /// Signs stream tickets; gateways check them with its public key.
    pub fn tickets(&self) -> &Tickets {
        &self.tickets
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
