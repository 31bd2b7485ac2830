//! The server's side of the agents' links: who is connected, what they report, and what is asked
//! of them.
//!
//! Nothing here is stored: agents tell all of it again when they come back.

mod carry;
pub mod http;
mod live;
mod local;
mod pending;

pub(crate) use http::routes;
pub use live::{AgentView, HostView, Observed};
pub use local::{LinkClosed, LocalLink, StreamDelivery, UnknownStream};
pub use pending::Broken;

use crate::manager::{Clock, decide::Sight};
use live::{Handle, Live};
use pending::{PendingRequests, PendingStreams};
use porthole_model::{
    ids::{AgentId, RequestId, SessionId, StreamId},
    image::ImageRef,
};
use porthole_wire::{
    agent::{Access, AgentMessage, ExecSpec, Outcome, ServerMessage},
    close::CloseReason,
    socket::MessageSocket,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// Times and sizes of the links.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// A link without any report for this long is taken for dead.
    pub report_timeout: Duration,
    /// How often the server pings an agent's WebSocket.
    pub ping: Duration,
    /// How long an agent may take to answer a request.
    pub request_timeout: Duration,
    /// How long a stream may take to come.
    pub stream_timeout: Duration,
    /// Messages that wait for one agent, at most; an agent that lets more pile up is cut.
    pub queue: usize,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            report_timeout: Duration::from_secs(15),
            ping: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
            stream_timeout: Duration::from_secs(10),
            queue: 256,
        }
    }
}

/// Every agent's link. Cheap to clone.
#[derive(Clone)]
pub struct Links(Arc<Inner>);

struct Inner {
    config: LinkConfig,
    clock: Arc<dyn Clock>,
    agents: Mutex<HashMap<AgentId, Live>>,
    images: Mutex<Vec<ImageRef>>,
    streams: PendingStreams,
    requests: PendingRequests,
    changes: Changes,
}

/// What changed since it was last looked at.
#[derive(Debug, Default)]
struct Changes {
    set: Mutex<ChangeSet>,
    some: Notify,
}

/// What agents said something new about.
#[derive(Debug, Default)]
pub struct ChangeSet {
    /// Sessions that changed.
    pub sessions: HashSet<SessionId>,
    /// Agents that came, went, or reported as a whole.
    pub agents: HashSet<AgentId>,
}

impl Links {
    /// No agent yet.
    pub fn new(config: LinkConfig, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            config,
            clock,
            agents: Mutex::default(),
            images: Mutex::default(),
            streams: PendingStreams::default(),
            requests: PendingRequests::default(),
            changes: Changes::default(),
        }))
    }

    fn agents(&self) -> MutexGuard<'_, HashMap<AgentId, Live>> {
        self.0.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until an agent said something new, and takes all of it.
    pub async fn changes(&self) -> ChangeSet {
        self.0.changes.some.notified().await;
        std::mem::take(&mut *self.change_set())
    }

    fn change_set(&self) -> MutexGuard<'_, ChangeSet> {
        self.0
            .changes
            .set
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, sessions: impl IntoIterator<Item = SessionId>, agent: Option<AgentId>) {
        let mut set = self.change_set();
        set.sessions.extend(sessions);
        set.agents.extend(agent);
        drop(set);
        self.0.changes.some.notify_one();
    }

    /// Sends a command; `false` when the agent is not connected. One whose queue is full is cut:
    /// it does not read, and what it missed is told again when it comes back.
    pub fn send(&self, agent_id: AgentId, message: ServerMessage) -> bool {
        let agents = self.agents();
        let Some(handle) = agents.get(&agent_id).and_then(|live| live.link.as_ref()) else {
            return false;
        };
        if let Err(error) = handle.send.try_send(message) {
            tracing::warn!(%agent_id, %error, "the agent does not take its messages; its link is cut");
            handle.close.cancel();
            return false;
        }
        true
    }

    /// What an agent reports about one session.
    pub fn sight(&self, agent_id: AgentId, session_id: SessionId) -> Sight {
        match self.agents().get(&agent_id) {
            Some(live) => live.sight(session_id),
            None => Sight::Unseen { connected: false },
        }
    }

    /// What an agent last said of a session, while its link is up.
    pub fn observed(&self, agent_id: AgentId, session_id: SessionId) -> Option<Observed> {
        self.agents()
            .get(&agent_id)?
            .sessions
            .get(&session_id)
            .cloned()
    }

    /// Every session that connected agents list, whoever knows it.
    pub fn all_observed(&self) -> Vec<(AgentId, SessionId)> {
        let agents = self.agents();
        agents
            .iter()
            .flat_map(|(agent, live)| live.sessions.keys().map(|session| (*agent, *session)))
            .collect()
    }

    /// Every agent that has had a link since the server started.
    pub fn views(&self) -> HashMap<AgentId, AgentView> {
        self.agents()
            .iter()
            .map(|(id, live)| (*id, live.view()))
            .collect()
    }

    /// One agent; `None` when it has had no link since the server started.
    pub fn view(&self, agent_id: AgentId) -> Option<AgentView> {
        self.agents().get(&agent_id).map(Live::view)
    }

    /// Whether an agent's link is up.
    pub fn connected(&self, agent_id: AgentId) -> bool {
        self.agents()
            .get(&agent_id)
            .is_some_and(|live| live.link.is_some())
    }

    /// Cuts an agent's link and forgets the agent.
    pub fn forget(&self, agent_id: AgentId) {
        if let Some(Live {
            link: Some(Handle { close, .. }),
            ..
        }) = self.agents().remove(&agent_id)
        {
            close.cancel();
        }
        self.0.requests.forget_agent(agent_id);
        self.0.streams.forget_agent(agent_id);
        self.changed([], Some(agent_id));
    }

    /// Cuts every link, as when the server goes down. The agents' sessions go on.
    pub fn close(&self) {
        for live in self.agents().values() {
            if let Some(handle) = &live.link {
                handle.close.cancel();
            }
        }
    }

    /// Sets the images that agents shall have ready, and tells them when that changed.
    pub fn set_images(&self, images: &[ImageRef]) {
        let mut known = self.images();
        if *known == images {
            return;
        }
        *known = images.to_vec();
        drop(known);
        let agents: Vec<_> = self.agents().keys().copied().collect();
        for agent_id in agents {
            self.send(
                agent_id,
                ServerMessage::Images {
                    images: images.to_vec(),
                },
            );
        }
    }

    fn images(&self) -> MutexGuard<'_, Vec<ImageRef>> {
        self.0.images.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a command in a session's container; returns when it was started.
    ///
    /// # Errors
    /// See [`Broken`].
    pub async fn exec(
        &self,
        agent_id: AgentId,
        session_id: SessionId,
        exec: ExecSpec,
    ) -> Result<(), Broken> {
        let make = |request_id| ServerMessage::Exec {
            request_id,
            session_id,
            exec,
        };
        match self.request(agent_id, make).await? {
            Outcome::Failed { failure } => Err(Broken::Failed(failure)),
            Outcome::Started | Outcome::Screenshot { .. } => Ok(()),
        }
    }

    /// A picture of a session's display as JPEG in base64, fitting into `width` × `height` pixels.
    ///
    /// # Errors
    /// See [`Broken`].
    pub async fn screenshot(
        &self,
        agent_id: AgentId,
        session_id: SessionId,
        width: u16,
        height: u16,
    ) -> Result<String, Broken> {
        let make = |request_id| ServerMessage::Screenshot {
            request_id,
            session_id,
            width,
            height,
        };
        match self.request(agent_id, make).await? {
            Outcome::Screenshot { jpeg } => Ok(jpeg),
            Outcome::Failed { failure } => Err(Broken::Failed(failure)),
            Outcome::Started => Err(Broken::Failed(porthole_model::session::Failure {
                what: "The agent sent no picture".into(),
                part: format!("agent {agent_id}"),
                advice: "Server and agent may be of different versions".into(),
            })),
        }
    }

    async fn request(
        &self,
        agent_id: AgentId,
        make: impl FnOnce(RequestId) -> ServerMessage,
    ) -> Result<Outcome, Broken> {
        let request_id = RequestId::new();
        let ticket = self.0.requests.expect(request_id, agent_id)?;
        if !self.send(agent_id, make(request_id)) {
            return Err(Broken::Disconnected);
        }
        ticket.wait(self.0.config.request_timeout).await
    }

    /// Opens a stream to a session's display.
    ///
    /// # Errors
    /// [`CloseReason::AgentLost`] when the agent is not there, [`CloseReason::DisplayLost`] when it
    /// brings no stream in time.
    pub async fn open_stream(
        &self,
        agent_id: AgentId,
        session_id: SessionId,
        access: Access,
    ) -> Result<MessageSocket, CloseReason> {
        self.open(agent_id, session_id, |stream_id| {
            ServerMessage::OpenStream {
                stream_id,
                session_id,
                access,
            }
        })
        .await
    }

    /// Opens a channel to a session's files.
    ///
    /// # Errors
    /// As [`Self::open_stream`].
    pub async fn open_files(
        &self,
        agent_id: AgentId,
        session_id: SessionId,
    ) -> Result<MessageSocket, CloseReason> {
        self.open(agent_id, session_id, |stream_id| ServerMessage::OpenFiles {
            stream_id,
            session_id,
        })
        .await
    }

    async fn open(
        &self,
        agent_id: AgentId,
        session_id: SessionId,
        make: impl FnOnce(StreamId) -> ServerMessage,
    ) -> Result<MessageSocket, CloseReason> {
        // Not the ticket's id: a browser knows that one.
        let stream_id = StreamId::new();
        let lost = |error: Broken| {
            tracing::warn!(%agent_id, %session_id, %error, "no stream from the agent");
            match error {
                Broken::Disconnected => CloseReason::AgentLost,
                Broken::TimedOut(_) | Broken::TooMany | Broken::Failed(_) => {
                    CloseReason::DisplayLost
                }
            }
        };
        let ticket = self.0.streams.expect(stream_id, agent_id).map_err(lost)?;
        if !self.send(agent_id, make(stream_id)) {
            return Err(CloseReason::AgentLost);
        }
        ticket
            .wait(self.0.config.stream_timeout)
            .await
            .map_err(lost)
    }

    /// Takes in one message of an agent's link. Never waits.
    fn hear(&self, agent_id: AgentId, number: u64, message: AgentMessage) {
        let now = self.0.clock.now();
        match message {
            AgentMessage::Hello { .. } => {
                tracing::debug!(%agent_id, "a second Hello on a link");
            }
            AgentMessage::Report(report) => {
                let mut agents = self.agents();
                let Some(live) = agents.get_mut(&agent_id).filter(|live| live.is(number)) else {
                    return;
                };
                let touched = live.report(*report, now);
                drop(agents);
                self.changed(touched, Some(agent_id));
            }
            AgentMessage::Session(report) => {
                let session_id = report.session_id;
                let mut agents = self.agents();
                let Some(live) = agents.get_mut(&agent_id).filter(|live| live.is(number)) else {
                    return;
                };
                live.session(report, now);
                drop(agents);
                self.changed([session_id], None);
            }
            AgentMessage::Removed { session_id } => {
                let mut agents = self.agents();
                let Some(live) = agents.get_mut(&agent_id).filter(|live| live.is(number)) else {
                    return;
                };
                live.removed(session_id);
                drop(agents);
                self.changed([session_id], None);
            }
            AgentMessage::Reply {
                request_id,
                outcome,
            } => {
                if self
                    .0
                    .requests
                    .answer(request_id, agent_id, Ok(outcome))
                    .is_err()
                {
                    tracing::debug!(%agent_id, %request_id, "a reply that nobody awaits");
                }
            }
            AgentMessage::StreamFailed { stream_id, failure } => {
                let answer = Err(Broken::Failed(failure));
                if self.0.streams.answer(stream_id, agent_id, answer).is_err() {
                    tracing::debug!(%agent_id, %stream_id, "a failed stream that nobody awaits");
                }
            }
        }
    }
}
