//! Browser streams and files: access, policy, and the splice between a browser and a display.
//!
//! The gateway needs no database. A signed ticket ([`porthole_wire::ticket`]) says who may open
//! which stream with what rights; a [`StreamSource`] opens the display's end; what is withdrawn is
//! told by [`Gateway::revoke`]. It keeps nothing between a browser and a display but the one
//! message under way each direction, so a slow browser slows its display and nothing else.
//!
//! The display is `GET /gateway/v1/sessions/{session_id}/display?ticket=…`, a WebSocket (RFC 6455)
//! of binary messages; files are HTTP below `/gateway/v1/sessions/{session_id}/files`. Set
//! `TCP_NODELAY` on the listener's sockets: input and small updates must not wait for Nagle's
//! algorithm.

mod files;
mod policy;
mod registry;
mod route;
mod splice;

pub use registry::{Revocation, StreamInfo};

use futures_util::future::BoxFuture;
use porthole_model::files::FileTransfer;
use porthole_wire::{
    close::CloseReason,
    socket::MessageSocket,
    ticket::{Grant, Verifier},
};
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

/// Opens the session's end of a stream: of its display, or of its files where the grant has rules
/// for them.
pub trait StreamSource: Send + Sync + 'static {
    /// Opens the stream that a ticket grants, or says with which reason to close the browser's.
    fn open(&self, grant: &Grant) -> BoxFuture<'static, Result<MessageSocket, CloseReason>>;
}

/// Whether an address is one of a proxy in front, whose `X-Forwarded-Host` counts.
pub type TrustedProxy = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Keeps the record of each file transfer when it ends. The answer to whoever asked for the transfer
/// waits for it, so that what was answered was recorded.
pub type TransferAudit = Arc<dyn Fn(FileTransfer) -> BoxFuture<'static, ()> + Send + Sync>;

/// The gateway's limits.
#[derive(Clone)]
pub struct GatewayConfig {
    /// Proxies in front. The peer's address is known when the router is served with
    /// `into_make_service_with_connect_info::<SocketAddr>()`; without it no proxy is trusted.
    pub trusted_proxy: TrustedProxy,
    /// The most streams at a time; more are answered 503.
    pub max_streams: usize,
    /// How long a browser may take nothing before it is closed with
    /// [`CloseReason::TooSlow`].
    pub stall: Duration,
    /// How often a browser is pinged; one that answers nothing for three times as long is gone.
    pub ping: Duration,
    /// How long a source may take to open, and a display to take one message.
    pub source: Duration,
    /// How long files stay open to a browser that asks for none.
    pub files_idle: Duration,
    /// Keeps the records of file transfers, besides the log.
    pub audit: TransferAudit,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            trusted_proxy: Arc::new(|_| false),
            max_streams: 4096,
            stall: Duration::from_mins(1),
            ping: Duration::from_secs(20),
            source: Duration::from_secs(20),
            files_idle: Duration::from_mins(2),
            audit: Arc::new(|_| Box::pin(async {})),
        }
    }
}

impl fmt::Debug for GatewayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayConfig")
            .field("max_streams", &self.max_streams)
            .field("stall", &self.stall)
            .field("ping", &self.ping)
            .field("source", &self.source)
            .field("files_idle", &self.files_idle)
            .finish_non_exhaustive()
    }
}

/// The gateway of one server. Clones are the same gateway.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    verifier: Verifier,
    source: Arc<dyn StreamSource>,
    config: GatewayConfig,
    registry: registry::Registry,
    passes: files::Passes,
    /// What goes on when its request is answered or given up: downloads, and records of transfers.
    tasks: TaskTracker,
}

impl Gateway {
    /// A gateway that believes tickets signed with the verifier's key.
    pub fn new(verifier: Verifier, source: Arc<dyn StreamSource>, config: GatewayConfig) -> Self {
        let registry = registry::Registry::new(config.max_streams);
        Self {
            inner: Arc::new(Inner {
                verifier,
                source,
                config,
                registry,
                passes: files::Passes::default(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// The routes under `/gateway/v1`.
    pub fn router(&self) -> axum::Router {
        route::router(self.clone())
    }

    /// Cuts the streams that the revocation names within 2 s, also ones that are blocked on a
    /// slow browser, and refuses their tickets that are still under way.
    pub fn revoke(&self, revocation: Revocation) {
        self.inner.registry.revoke(revocation);
    }

    /// The streams there are now.
    pub fn streams(&self) -> Vec<StreamInfo> {
        self.inner.registry.streams()
    }

    /// Refuses new streams and closes all with [`CloseReason::GoingAway`]; waits until they are
    /// closed and their transfers recorded, at most `within`.
    pub async fn shut_down(&self, within: Duration) {
        let until = Instant::now() + within;
        self.inner.registry.shut_down(within).await;
        self.inner.tasks.close();
        if timeout_at(until, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!("file transfers did not end in time");
        }
    }
}
