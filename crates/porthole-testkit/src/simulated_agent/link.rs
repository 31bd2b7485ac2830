//! The host's end of a link.

use super::SimulatedAgent;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt, future};
use porthole_model::ids::StreamId;
use porthole_wire::{
    agent::{AgentMessage, PROTOCOL, ServerMessage, decode, encode},
    socket::MessageSocket,
};
use std::{
    io,
    sync::{Arc, PoisonError},
};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};
use tokio_util::sync::{CancellationToken, PollSender};

/// Why an agent can not dial in.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The server refuses, or does not answer.
    #[error(transparent)]
    WebSocket(Box<tungstenite::Error>),
    /// The token can not be sent.
    #[error("the token is not a header's value")]
    Token,
}

impl From<tungstenite::Error> for DialError {
    fn from(error: tungstenite::Error) -> Self {
        Self::WebSocket(Box::new(error))
    }
}

impl SimulatedAgent {
    /// Serves one link until either side ends it. Streams that the server asks for go to `deliver`.
    pub async fn serve<R, W>(
        &self,
        receive: R,
        send: W,
        deliver: Arc<dyn Fn(StreamId, MessageSocket) + Send + Sync>,
    ) where
        R: Stream<Item = ServerMessage> + Send,
        W: Sink<AgentMessage> + Send,
    {
        let (mut receive, mut send) = (Box::pin(receive), Box::pin(send));
        let end = CancellationToken::new();
        {
            let mut link = self.0.link.lock().unwrap_or_else(PoisonError::into_inner);
            link.cancel();
            *link = end.clone();
        }
        self.host().forget_link();
        let hello = AgentMessage::Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").into(),
            hostname: "simulated".into(),
        };
        if send.send(hello).await.is_err() {
            return;
        }
        if !matches!(receive.next().await, Some(ServerMessage::Welcome { .. })) {
            return;
        }
        let mut reports = tokio::time::interval(self.0.report_every);
        loop {
            tokio::select! {
                biased;
                () = end.cancelled() => return,
                _ = reports.tick() => self.report(),
                () = self.0.outbox.notified() => {}
                message = receive.next() => {
                    let Some(message) = message else { return };
                    if let ServerMessage::OpenStream { stream_id, .. }
                    | ServerMessage::OpenFiles { stream_id, .. } = message
                    {
                        if !self.host().behaviour.no_streams {
                            deliver(stream_id, echo());
                        }
                    } else {
                        let said = self.host().command(message);
                        self.say(said);
                    }
                    self.0.taken.send_modify(|taken| *taken += 1);
                }
            }
            loop {
                let Some(message) = self.host().outbox.pop_front() else {
                    break;
                };
                if end.is_cancelled() || send.send(message).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Dials a server at `ws://host:port` and serves the link until either side ends it.
    ///
    /// # Errors
    /// When the server refuses, or does not answer.
    pub async fn dial(&self, server: &str, token: &str) -> Result<(), DialError> {
        let socket = dial(&format!("{server}/agent/v1/link"), token).await?;
        let (send, receive) = socket.split();
        let receive = receive
            .take_while(|message| future::ready(message.is_ok()))
            .filter_map(|message| {
                future::ready(match message {
                    Ok(Message::Text(text)) => decode(&text).ok(),
                    _ => None,
                })
            });
        let send = send.with(|message: AgentMessage| {
            future::ready(
                encode(&message)
                    .map(|text| Message::Text(text.into()))
                    .map_err(|e| tungstenite::Error::Io(io::Error::other(e))),
            )
        });
        let (server, token) = (server.to_owned(), token.to_owned());
        let deliver = Arc::new(move |stream_id: StreamId, socket: MessageSocket| {
            let (url, token) = (
                format!("{server}/agent/v1/streams/{stream_id}"),
                token.clone(),
            );
            tokio::spawn(async move {
                if let Ok(carrier) = dial(&url, &token).await {
                    splice(socket, carrier).await;
                }
            });
        });
        self.serve(receive, send, deliver).await;
        Ok(())
    }
}

async fn dial(
    url: &str,
    token: &str,
) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, DialError> {
    let mut request = url.into_client_request()?;
    let value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| DialError::Token)?;
    request.headers_mut().insert("authorization", value);
    Ok(connect_async(request).await?.0)
}

async fn splice(socket: MessageSocket, carrier: WebSocketStream<MaybeTlsStream<TcpStream>>) {
    let (send, receive) = carrier.split();
    let to_server = socket
        .receive
        .map(|message| message.map(Message::Binary).map_err(tungstenite::Error::Io));
    let to_display = receive.filter_map(|message| {
        future::ready(match message {
            Ok(Message::Binary(data)) => Some(Ok(data)),
            Ok(_) => None,
            Err(error) => Some(Err(io::Error::other(error))),
        })
    });
    // Either direction's end is the stream's end.
    tokio::select! {
        _ = to_server.forward(send) => {}
        _ = to_display.forward(socket.send) => {}
    }
}

/// A display that greets as RFB does and then says back whatever it is told.
fn echo() -> MessageSocket {
    let (to_display, from_viewer) = mpsc::channel::<Bytes>(1);
    let greeting = future::ready(Ok(Bytes::from_static(b"RFB 003.008\n")));
    let back = futures_util::stream::unfold(from_viewer, |mut from_viewer| async move {
        from_viewer.recv().await.map(|data| (Ok(data), from_viewer))
    });
    MessageSocket {
        receive: Box::pin(futures_util::stream::once(greeting).chain(back)),
        send: Box::pin(PollSender::new(to_display).sink_map_err(io::Error::other)),
    }
}
