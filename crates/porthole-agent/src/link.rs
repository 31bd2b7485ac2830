//! The agent link: what the server says becomes wishes of sessions; what changes is reported.

use crate::{
    display_client,
    failures::{self, failure},
    files, host,
    sessions::{self, Wish},
    state::{Change, Shared},
};
use futures_util::{Sink, SinkExt, Stream, StreamExt, future::BoxFuture};
use porthole_model::{
    ids::{SessionId, StreamId},
    session::Failure,
};
use porthole_wire::{
    agent::{
        Access, AgentMessage, ExecSpec, Outcome, PROTOCOL, Phase, ServerMessage, SessionReport,
    },
    socket::{MessageSocket, MessageStream},
};
use std::{fmt, io, pin::Pin, sync::Arc, task::Poll, time::Duration};
use tokio::{
    sync::{broadcast, mpsc},
    time::{MissedTickBehavior, interval, timeout},
};

/// How long the first report waits for the first look at the engine.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// How often the whole state is told.
const REPORT: Duration = Duration::from_secs(5);
/// How long the server has to answer the greeting, and to take a message.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest command, all parts together, in bytes.
const MAX_EXEC: usize = 128 * 1024;
/// How many requests may be under way on one link.
const MAX_REQUESTS: usize = 64;

/// Delivers a stream to the server.
pub trait StreamCarrier: Send + Sync + 'static {
    /// Carries the stream under its id; resolves when it was handed over, or when it ended.
    fn carry(
        &self,
        stream_id: StreamId,
        socket: MessageSocket,
    ) -> BoxFuture<'static, io::Result<()>>;
}

/// Why a link ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkEnd {
    /// The server closed it, or the connection broke.
    #[error("the link was closed")]
    Closed,
    /// The server refused it.
    #[error("the server refuses this agent: {0}")]
    Refused(String),
    /// The server speaks another version.
    #[error(
        "the server speaks version {0} of the agent link, this agent {PROTOCOL}; use the same release on both"
    )]
    Protocol(u32),
    /// The server takes this agent for another.
    #[error("the server takes this agent for another; check its token")]
    Identity,
    /// The server answered nothing, or took nothing, for too long.
    #[error("the server does not answer")]
    Silent,
    /// A message could not be sent.
    #[error("the link broke: {0}")]
    Broken(String),
    /// The agent shuts down.
    #[error("the agent shuts down")]
    ShutDown,
}

pub(crate) async fn serve<R, S>(
    shared: &Arc<Shared>,
    mut receive: R,
    send: S,
    carrier: Arc<dyn StreamCarrier>,
) -> LinkEnd
where
    R: Stream<Item = ServerMessage> + Send + Unpin,
    S: Sink<AgentMessage> + Send + Unpin,
    S::Error: fmt::Display,
{
    let mut out = Out { send };
    let served = async {
        greet(shared, &mut receive, &mut out).await?;
        talk(shared, &mut receive, &mut out, &carrier).await
    };
    let end = tokio::select! {
        () = shared.stop.cancelled() => LinkEnd::ShutDown,
        Err(end) = served => end,
    };
    tracing::info!(%end, "agent link ended");
    end
}

enum Never {}

struct Out<S> {
    send: S,
}

impl<S> Out<S>
where
    S: Sink<AgentMessage> + Send + Unpin,
    S::Error: fmt::Display,
{
    async fn tell(&mut self, message: AgentMessage) -> Result<(), LinkEnd> {
        match timeout(PATIENCE, self.send.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(LinkEnd::Broken(error.to_string())),
            Err(_) => Err(LinkEnd::Silent),
        }
    }
}

async fn greet<S>(
    shared: &Shared,
    receive: &mut (impl Stream<Item = ServerMessage> + Send + Unpin),
    out: &mut Out<S>,
) -> Result<(), LinkEnd>
where
    S: Sink<AgentMessage> + Send + Unpin,
    S::Error: fmt::Display,
{
    let hello = AgentMessage::Hello {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hostname: host::hostname().await,
    };
    out.tell(hello).await?;
    match timeout(PATIENCE, receive.next()).await {
        Ok(Some(ServerMessage::Welcome {
            protocol,
            agent_id,
            name,
            images,
        })) => {
            if protocol != PROTOCOL {
                return Err(LinkEnd::Protocol(protocol));
            }
            if agent_id != shared.config.agent_id {
                return Err(LinkEnd::Identity);
            }
            tracing::info!(name, "agent link is up");
            shared.images.want(images);
            Ok(())
        }
        Ok(Some(ServerMessage::Refused { reason })) => Err(LinkEnd::Refused(reason)),
        Ok(Some(_) | None) => Err(LinkEnd::Closed),
        Err(_) => Err(LinkEnd::Silent),
    }
}

async fn talk<S>(
    shared: &Arc<Shared>,
    receive: &mut (impl Stream<Item = ServerMessage> + Send + Unpin),
    out: &mut Out<S>,
    carrier: &Arc<dyn StreamCarrier>,
) -> Result<Never, LinkEnd>
where
    S: Sink<AgentMessage> + Send + Unpin,
    S::Error: fmt::Display,
{
    // A host that is not known yet would look like one without cores; one whose engine is down
    // reports just that.
    let _ = timeout(FIRST_LOOK, shared.engine_up()).await;
    // Heard from before the report is made, so that nothing falls between the two.
    let mut changes = shared.changes.subscribe();
    let (answers, mut answered) = mpsc::channel(MAX_REQUESTS);
    let mut tick = interval(REPORT);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = receive.next() => match message {
                Some(message) => hear(shared, message, &answers, carrier),
                None => return Err(LinkEnd::Closed),
            },
            change = changes.recv() => match change {
                Ok(Change::Session(report)) => out.tell(AgentMessage::Session(report)).await?,
                Ok(Change::Removed(session_id)) => {
                    out.tell(AgentMessage::Removed { session_id }).await?;
                }
                // Sessions that were missed are all in a report.
                Ok(Change::Report) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    tick.reset_immediately();
                }
                Err(broadcast::error::RecvError::Closed) => return Err(LinkEnd::ShutDown),
            },
            Some(answer) = answered.recv() => out.tell(answer).await?,
            _ = tick.tick() => {
                out.tell(AgentMessage::Report(Box::new(shared.report()))).await?;
            }
        }
    }
}

/// Never waits: what takes time goes on by itself and answers later.
fn hear(
    shared: &Arc<Shared>,
    message: ServerMessage,
    answers: &mpsc::Sender<AgentMessage>,
    carrier: &Arc<dyn StreamCarrier>,
) {
    let later = |answer: BoxFuture<'static, Option<AgentMessage>>| {
        // A place for the answer is taken first: the server cannot pile up requests.
        let Ok(place) = answers.clone().try_reserve_owned() else {
            tracing::warn!("the server asks more than {MAX_REQUESTS} things at a time");
            return;
        };
        shared.tasks.spawn(async move {
            if let Some(answer) = answer.await {
                place.send(answer);
            }
        });
    };
    match message {
        ServerMessage::Run { spec } => {
            sessions::wish(shared, spec.session_id, Wish::Run(spec));
        }
        ServerMessage::Stop { session_id } => sessions::wish(shared, session_id, Wish::Stop),
        ServerMessage::Remove { session_id } => sessions::wish(shared, session_id, Wish::Remove),
        ServerMessage::Images { images } => shared.images.want(images),
        ServerMessage::Exec {
            request_id,
            session_id,
            exec,
        } => {
            let shared = shared.clone();
            later(Box::pin(async move {
                let outcome = match run_exec(&shared, session_id, exec).await {
                    Ok(()) => Outcome::Started,
                    Err(failure) => Outcome::Failed { failure },
                };
                Some(AgentMessage::Reply {
                    request_id,
                    outcome,
                })
            }));
        }
        ServerMessage::Screenshot {
            request_id,
            session_id,
            width,
            height,
        } => {
            let shared = shared.clone();
            later(Box::pin(async move {
                let outcome = match screenshot(&shared, session_id, width, height).await {
                    Ok(jpeg) => Outcome::Screenshot { jpeg },
                    Err(failure) => Outcome::Failed { failure },
                };
                Some(AgentMessage::Reply {
                    request_id,
                    outcome,
                })
            }));
        }
        ServerMessage::OpenStream {
            stream_id,
            session_id,
            access,
        } => {
            let opener = shared.clone();
            let open = async move { open_stream(&opener, session_id, access).await };
            carry(shared, answers, carrier, stream_id, open);
        }
        ServerMessage::OpenFiles {
            stream_id,
            session_id,
        } => {
            let opener = shared.clone();
            let open = async move { files::open(&opener, session_id).await };
            carry(shared, answers, carrier, stream_id, open);
        }
        // Only the first message may be one of these.
        ServerMessage::Welcome { .. } | ServerMessage::Refused { .. } => {
            tracing::warn!("the server greets twice");
        }
    }
}

/// Opens a stream and carries it. A stream lasts; it holds no place among the requests.
fn carry(
    shared: &Arc<Shared>,
    answers: &mpsc::Sender<AgentMessage>,
    carrier: &Arc<dyn StreamCarrier>,
    stream_id: StreamId,
    open: impl Future<Output = Result<MessageSocket, Failure>> + Send + 'static,
) {
    let (stop, answers, carrier) = (shared.stop.clone(), answers.clone(), carrier.clone());
    shared.tasks.spawn(async move {
        let carried = async {
            carrier
                .carry(stream_id, open.await?)
                .await
                .map_err(|error| {
                    failure(
                        format!("The stream does not reach the server: {error}"),
                        "agent",
                        "Check the network between the agent and the server",
                    )
                })
        };
        let carried = tokio::select! {
            () = stop.cancelled() => return,
            carried = carried => carried,
        };
        if let Err(failure) = carried {
            let _ = answers
                .send(AgentMessage::StreamFailed { stream_id, failure })
                .await;
        }
    });
}

pub(crate) fn no_session(session_id: SessionId) -> Failure {
    failure(
        "There is no such session on this host",
        format!("session {session_id}"),
        "Reload the page",
    )
}

fn session(shared: &Shared, session_id: SessionId) -> Result<SessionReport, Failure> {
    shared
        .sessions
        .get(session_id)
        .ok_or_else(|| no_session(session_id))
}

async fn run_exec(shared: &Shared, session_id: SessionId, exec: ExecSpec) -> Result<(), Failure> {
    let part = format!("session {session_id}");
    let report = session(shared, session_id)?;
    let container = report
        .container_id
        .filter(|_| matches!(report.phase, Phase::Running | Phase::Starting { .. }));
    let Some(container) = container else {
        let advice = "Start or resume the session first";
        return Err(failure(
            "The session does not run, so no command can",
            part,
            advice,
        ));
    };
    let size: usize = exec.cmd.iter().map(String::len).sum::<usize>()
        + exec
            .environment
            .iter()
            .map(|(k, v)| k.len() + v.len())
            .sum::<usize>();
    if exec.cmd.first().is_none_or(String::is_empty) || size > MAX_EXEC {
        let what = format!("The command is empty, or longer than {MAX_EXEC} bytes");
        return Err(failure(what, part, "Give a program and its arguments"));
    }
    shared
        .engine
        .exec(&container, exec)
        .await
        .map_err(|error| failures::engine("The command cannot be run", &part, &error))
}

async fn screenshot(
    shared: &Shared,
    session_id: SessionId,
    width: u16,
    height: u16,
) -> Result<String, Failure> {
    let dir = display_dir(shared, session_id)?;
    display_client::screenshot(&dir, width, height)
        .await
        .map_err(|error| display_failure(session_id, &error))
}

fn display_dir(shared: &Shared, session_id: SessionId) -> Result<std::path::PathBuf, Failure> {
    let report = session(shared, session_id)?;
    let streams = matches!(report.phase, Phase::Starting { .. } | Phase::Running);
    report
        .display_id
        .filter(|_| streams)
        .map(|id| shared.displays.dir(id))
        .ok_or_else(|| {
            let part = format!("session {session_id}");
            failure(
                "The session has no display now",
                part,
                "Start or resume the session first",
            )
        })
}

fn display_failure(session_id: SessionId, error: &io::Error) -> Failure {
    failure(
        format!("The display does not answer: {error}"),
        format!("session {session_id}"),
        "Try again; if it stays so, stop and resume the session",
    )
}

async fn open_stream(
    shared: &Arc<Shared>,
    session_id: SessionId,
    access: Access,
) -> Result<MessageSocket, Failure> {
    let dir = display_dir(shared, session_id)?;
    let MessageSocket { receive, send } = display_client::stream(&dir, access)
        .await
        .map_err(|error| display_failure(session_id, &error))?;
    let viewer = shared.sessions.viewer(shared, session_id);
    let viewer = viewer.ok_or_else(|| no_session(session_id))?;
    let receive = Box::pin(Counted {
        receive,
        _viewer: viewer,
    });
    Ok(MessageSocket { receive, send })
}

/// A stream that counts as a viewer while it is there.
struct Counted {
    receive: MessageStream,
    _viewer: sessions::Viewer,
}

impl Stream for Counted {
    type Item = io::Result<bytes::Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        self.receive.as_mut().poll_next(context)
    }
}
