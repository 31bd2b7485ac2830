//! One link from Hello to its end, whatever carries it.

use super::{Links, live::Live};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use porthole_model::ids::AgentId;
use porthole_wire::agent::{AgentMessage, PROTOCOL, ServerMessage};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// How long an agent may take to say Hello, and to take the last message of a link.
const GREETING: Duration = Duration::from_secs(10);

/// What goes to an agent.
pub(super) enum Outgoing {
    /// A message.
    Message(Box<ServerMessage>),
    /// A sign of life, where the carrier has one.
    Ping,
}

/// Why a link ended; for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("the agent closed it")]
    Closed,
    #[error("it did not begin with Hello")]
    NoHello,
    #[error("nothing was heard for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("it was replaced by a newer one, or cut")]
    Cut,
    #[error("{0}")]
    Broken(String),
}

impl Links {
    /// Runs an agent's link until it ends. The agent has proved who it is.
    pub(super) async fn carry<R, W>(&self, agent_id: AgentId, name: String, receive: R, send: W)
    where
        R: Stream<Item = Result<AgentMessage, Ended>> + Send,
        W: Sink<Outgoing, Error = Ended> + Send,
    {
        let (mut receive, mut send) = (Box::pin(receive), Box::pin(send));
        let hello = tokio::time::timeout(GREETING, receive.next()).await;
        let Ok(Some(Ok(AgentMessage::Hello {
            protocol,
            version,
            hostname,
        }))) = hello
        else {
            tracing::warn!(%agent_id, reason = %Ended::NoHello, "agent link refused");
            return;
        };
        if protocol != PROTOCOL {
            let reason = format!(
                "agent {name} speaks version {protocol} of the link's protocol, the server version {PROTOCOL}; install the same version of Porthole on both"
            );
            tracing::warn!(%agent_id, reason, "agent link refused");
            let refused = ServerMessage::Refused { reason };
            let farewell = send.send(Outgoing::Message(Box::new(refused)));
            let _ = tokio::time::timeout(GREETING, farewell).await;
            return;
        }
        let version: String = version.chars().take(64).collect();
        let hostname: String = hostname.chars().take(255).collect();

        let close = CancellationToken::new();
        let (queue, queued) = mpsc::channel(self.0.config.queue);
        let images = self.images().clone();
        let welcome = ServerMessage::Welcome {
            protocol: PROTOCOL,
            agent_id,
            name,
            images,
        };
        let welcomed = queue.try_send(welcome);
        let number = {
            let (now, about) = (self.0.clock.now(), (hostname, version));
            let mut agents = self.agents();
            let live = agents.entry(agent_id).or_insert_with(|| Live::new(now));
            live.up(queue, close.clone(), about, now)
        };
        tracing::info!(%agent_id, "agent connected");
        self.changed([], Some(agent_id));

        let ended = if welcomed.is_err() {
            Ended::Broken("the queue is too short for one message".into())
        } else {
            tokio::select! {
                ended = self.read(agent_id, number, &mut receive) => ended,
                ended = self.write(queued, &mut send) => ended,
                () = close.cancelled() => Ended::Cut,
            }
        };
        tracing::info!(%agent_id, reason = %ended, "agent link ended");

        self.ended(agent_id, number);
        // A peer that still reads learns that this is the end.
        let _ = tokio::time::timeout(Duration::from_secs(1), send.close()).await;
    }

    /// What a link said is not the present any more, unless a newer one took its place.
    fn ended(&self, agent_id: AgentId, number: u64) {
        let mut touched = Vec::new();
        if let Some(live) = self
            .agents()
            .get_mut(&agent_id)
            .filter(|live| live.is(number))
        {
            touched = live.down();
            self.0.requests.forget_agent(agent_id);
            self.0.streams.forget_agent(agent_id);
        }
        self.changed(touched, Some(agent_id));
    }

    async fn read<R>(&self, agent_id: AgentId, number: u64, receive: &mut R) -> Ended
    where
        R: Stream<Item = Result<AgentMessage, Ended>> + Unpin,
    {
        let limit = self.0.config.report_timeout;
        let mut silent_at = Instant::now() + limit;
        loop {
            match tokio::time::timeout_at(silent_at, receive.next()).await {
                Err(_) => return Ended::Silent(limit),
                Ok(None) => return Ended::Closed,
                Ok(Some(Err(error))) => return error,
                Ok(Some(Ok(message))) => {
                    if matches!(message, AgentMessage::Report(_)) {
                        silent_at = Instant::now() + limit;
                    }
                    self.hear(agent_id, number, message);
                }
            }
        }
    }

    async fn write<W>(&self, mut queued: mpsc::Receiver<ServerMessage>, send: &mut W) -> Ended
    where
        W: Sink<Outgoing, Error = Ended> + Unpin,
    {
        let mut ping = tokio::time::interval(self.0.config.ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                message = queued.recv() => match message {
                    Some(message) => Outgoing::Message(Box::new(message)),
                    None => return Ended::Cut,
                },
                _ = ping.tick() => Outgoing::Ping,
            };
            if let Err(error) = send.send(next).await {
                return error;
            }
        }
    }
}
