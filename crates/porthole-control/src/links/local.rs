//! The link of the agent in the server's own process: the same messages, without a network.

use super::{
    Links,
    carry::{Ended, Outgoing},
    pending::PendingStreams,
};
use futures_util::{Sink, SinkExt, StreamExt, stream::BoxStream};
use porthole_model::ids::{AgentId, StreamId};
use porthole_wire::{
    agent::{AgentMessage, ServerMessage},
    socket::MessageSocket,
};
use std::pin::Pin;
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

/// The server is gone from the other end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server has closed the link")]
pub struct LinkClosed;

/// Nobody awaits a stream of this id any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody awaits the stream {0}")]
pub struct UnknownStream(pub StreamId);

/// An agent's end of a link within the process. Dropping it ends the link.
pub struct LocalLink {
    /// What the server says.
    pub receive: BoxStream<'static, ServerMessage>,
    /// What the agent says.
    pub send: Pin<Box<dyn Sink<AgentMessage, Error = LinkClosed> + Send>>,
    /// Where the agent hands over the streams it was asked for.
    pub streams: StreamDelivery,
}

/// Takes the streams of one agent.
#[derive(Clone)]
pub struct StreamDelivery {
    agent_id: AgentId,
    streams: PendingStreams,
}

impl StreamDelivery {
    /// Hands over a stream that the server asked for.
    ///
    /// # Errors
    /// [`UnknownStream`] when it is not awaited any more.
    pub fn deliver(&self, id: StreamId, socket: MessageSocket) -> Result<(), UnknownStream> {
        self.streams
            .answer(id, self.agent_id, Ok(socket))
            .map_err(|_| UnknownStream(id))
    }
}

impl Links {
    /// Attaches the agent of the server's own process under its registered id and name. An older
    /// link of the same agent is cut.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn attach_local(&self, agent_id: AgentId, name: &str) -> LocalLink {
        let (to_agent, from_server) = mpsc::channel(self.0.config.queue);
        let (to_server, from_agent) = mpsc::channel(self.0.config.queue);
        let sink = PollSender::new(to_agent)
            .sink_map_err(|_| Ended::Closed)
            .with_flat_map(|outgoing| {
                futures_util::stream::iter(match outgoing {
                    Outgoing::Message(message) => Some(Ok(*message)),
                    Outgoing::Ping => None,
                })
            });
        let (links, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            links
                .carry(agent_id, name, stream_of(from_agent).map(Ok), sink)
                .await;
        });
        LocalLink {
            receive: stream_of(from_server).boxed(),
            send: Box::pin(PollSender::new(to_server).sink_map_err(|_| LinkClosed)),
            streams: self.delivery(agent_id),
        }
    }

    /// Takes the streams of one agent.
    pub(super) fn delivery(&self, agent_id: AgentId) -> StreamDelivery {
        StreamDelivery {
            agent_id,
            streams: self.0.streams.clone(),
        }
    }
}

fn stream_of<T: Send + 'static>(
    receiver: mpsc::Receiver<T>,
) -> impl futures_util::Stream<Item = T> + Send {
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
}
