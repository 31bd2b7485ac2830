//! One container host: runs sessions on a container engine and reports what there is.
//!
//! An [`Agent`] owns the host's displays and sessions, whoever is connected: it goes on when links
//! come and go. [`Agent::serve_link`] speaks the agent link ([`porthole_wire::agent`]) over any
//! pair of stream and sink: channels inside the server's process, or a WebSocket
//! ([`remote::run`]).
//!
//! Nothing is kept but facts that survive a kill: labels on containers, and small files in each
//! display's directory. At the start, and after the engine came back, the agent looks at what
//! exists and goes on from there.
//!
//! - `engine`: the container engine's API, bounded in time; the only user of its client.
//! - `displays`: display containers, their directories, and the warm pool.
//! - `display_client`: HTTP and WebSocket to one display over its unix socket.
//! - `sessions`: one task per session that moves it to where it is wanted.
//! - `files`: channels to the files of a session.
//! - `images`: what is there, and pulls.
//! - `host`: cores, memory, disk.
//! - [`link`]: the agent link. [`remote`]: the link over `wss`.

pub mod config;
mod display_client;
mod displays;
mod engine;
mod failures;
mod files;
mod host;
mod images;
pub mod link;
pub mod probe;
pub mod remote;
mod sessions;
mod state;

pub use config::AgentConfig;
pub use link::{LinkEnd, StreamCarrier};

use futures_util::{Sink, Stream};
use porthole_wire::agent::{AgentMessage, ServerMessage};
use state::Shared;
use std::{fmt, io, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long calls under way may take when the agent shuts down.
const FAREWELL: Duration = Duration::from_secs(10);

/// Why an agent could not start. An engine that is down is none: it is reported and awaited.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The runtime directory cannot be used.
    #[error(
        "the runtime directory {path} cannot be used: {error}. Give one that the agent may write to"
    )]
    RuntimeDir {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The engine's address cannot be understood.
    #[error(
        "{0:?} is no address of a container engine: give a socket's path, unix:///path or tcp://host:port"
    )]
    EngineAddress(String),
}

/// One container host. Clones are the same agent; it ends by [`Agent::shut_down`], or when the
/// process does: sessions go on either way.
#[derive(Clone)]
pub struct Agent {
    shared: Arc<Shared>,
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("agent_id", &self.shared.config.agent_id)
            .finish()
    }
}

impl Agent {
    /// Starts the agent's tasks. Must be called inside a Tokio runtime; returns at once, whether
    /// the engine answers or not.
    ///
    /// # Errors
    /// When the runtime directory cannot be made or the engine's address not understood.
    pub fn start(config: AgentConfig) -> Result<Self, StartError> {
        let shared = Shared::new(config)?;
        state::spawn_tasks(&shared);
        Ok(Self { shared })
    }

    /// Speaks the agent link until it ends. Sessions go on; call again for the next link.
    ///
    /// # Errors
    /// Never; the end says why it came.
    pub async fn serve_link<R, S>(
        &self,
        receive: R,
        send: S,
        carrier: Arc<dyn StreamCarrier>,
    ) -> LinkEnd
    where
        R: Stream<Item = ServerMessage> + Send + Unpin,
        S: Sink<AgentMessage> + Send + Unpin,
        S::Error: fmt::Display,
    {
        link::serve(&self.shared, receive, send, carrier).await
    }

    /// Ends the agent's tasks at the next safe point, or after 10 s. Containers are left as they are: the next
    /// agent on the same runtime directory adopts them.
    pub async fn shut_down(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        // What is half-way then, the next agent goes on with, as after a kill.
        if timeout(FAREWELL, self.shared.tasks.wait()).await.is_err() {
            tracing::warn!("calls to the container engine are still under way");
        }
    }

    /// Cancelled when the agent shuts down.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.shared.stop.clone()
    }
}
