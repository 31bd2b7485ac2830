//! The links over WebSocket: agents dial in.

use super::carry::{Ended, Outgoing};
use crate::{AppError, Control};
use axum::{
    Router,
    extract::{
        FromRequestParts, Path, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{header, request::Parts},
    response::Response,
    routing::get,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::{SinkExt, StreamExt, future};
use porthole_model::ids::{AgentId, StreamId};
use porthole_store::agents::Agent;
use porthole_wire::{
    agent::{MAX_MESSAGE, decode, encode},
    socket::MessageSocket,
};
use rand::RngCore;
use sha2::{Digest, Sha256};
use std::{fmt::Write, io};

/// The largest message of a stream in bytes: one whole raw picture of the largest display
/// (5120 × 2880 in 32 bits) and its header.
const MAX_STREAM_MESSAGE: usize = 64 * 1024 * 1024;

/// What an agent shows to prove who it is. The server keeps only its hash.
pub struct AgentToken {
    /// The token, as the agent is given it: `pha.<agent id>.<secret>`, and the SHA-256 of the
    /// server's certificate behind it where the agent shall pin that.
    pub text: String,
    /// The hash to store.
    pub hash: String,
}

impl AgentToken {
    /// A new secret for an agent, which believes only the certificate of this fingerprint.
    pub fn new(agent_id: AgentId, pin: Option<&str>) -> Self {
        let mut secret = [0; 32];
        rand::rng().fill_bytes(&mut secret);
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let hash = hash(&secret);
        let pin = pin.map(|pin| format!(".{pin}")).unwrap_or_default();
        Self {
            text: format!("pha.{}.{secret}{pin}", agent_id.simple()),
            hash,
        }
    }
}

/// A random secret of 256 bits needs no slow hash.
fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String can not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Agent and secret in a token; a fingerprint behind them is for the agent alone.
fn read_token(text: &str) -> Option<(AgentId, &str)> {
    let mut parts = text.trim().split('.');
    if parts.next()? != "pha" {
        return None;
    }
    Some((parts.next()?.parse().ok()?, parts.next()?))
}

/// An agent that has proved who it is.
struct Known(Agent);

impl FromRequestParts<Control> for Known {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, control: &Control) -> Result<Self, AppError> {
        let (id, secret) = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .and_then(read_token)
            .ok_or(AppError::Unauthenticated)?;
        let stored = control.store().agents().token_hash(id).await?;
        // Hashes are compared, so the time it takes tells nothing about the secret.
        if stored.is_none_or(|stored| stored != hash(secret)) {
            return Err(AppError::Unauthenticated);
        }
        Ok(Self(control.store().agents().find(id).await?))
    }
}

async fn link(
    State(control): State<Control>,
    Known(agent): Known,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| async move {
            let (send, receive) = socket.split();
            let receive = receive.filter_map(|message| {
                future::ready(match message {
                    Ok(Message::Text(text)) => {
                        Some(decode(&text).map_err(|e| Ended::Broken(e.to_string())))
                    }
                    Ok(Message::Binary(_)) => {
                        Some(Err(Ended::Broken("it sent a binary message".into())))
                    }
                    Ok(Message::Close(_)) => Some(Err(Ended::Closed)),
                    Ok(Message::Ping(_) | Message::Pong(_)) => None,
                    Err(error) => Some(Err(Ended::Broken(error.to_string()))),
                })
            });
            let send = send
                .sink_map_err(|e| Ended::Broken(e.to_string()))
                .with(|outgoing| {
                    future::ready(match outgoing {
                        Outgoing::Message(message) => encode(&*message)
                            .map(|text| Message::Text(text.into()))
                            .map_err(|e| Ended::Broken(e.to_string())),
                        Outgoing::Ping => Ok(Message::Ping(bytes::Bytes::new())),
                    })
                });
            control
                .links()
                .carry(agent.id, agent.name, receive, send)
                .await;
        })
}

async fn stream(
    State(control): State<Control>,
    Known(agent): Known,
    Path(id): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, AppError> {
    let id: StreamId = id.parse()?;
    if !control.links().0.streams.expects(id, agent.id) {
        return Err(AppError::not_found("stream"));
    }
    let delivery = control.links().delivery(agent.id);
    Ok(upgrade
        .max_message_size(MAX_STREAM_MESSAGE)
        .max_frame_size(MAX_STREAM_MESSAGE)
        .on_upgrade(move |socket| async move {
            // Its gateway takes it over; given up meanwhile, it is closed by being dropped.
            if let Err(error) = delivery.deliver(id, message_socket(socket)) {
                tracing::debug!(%error, "a stream came too late");
            }
        }))
}

/// A WebSocket as a stream of the display's messages. Nothing is held back on the way: a message
/// is read when it is asked for, and sending waits for the network.
fn message_socket(socket: WebSocket) -> MessageSocket {
    let (send, receive) = socket.split();
    let receive = receive.filter_map(|message| {
        future::ready(match message {
            Ok(Message::Binary(data)) => Some(Ok(data)),
            Ok(Message::Text(_)) => {
                let text = "a text message on a stream";
                Some(Err(io::Error::new(io::ErrorKind::InvalidData, text)))
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => None,
            Err(error) => Some(Err(io::Error::other(error))),
        })
    });
    let send = send
        .sink_map_err(io::Error::other)
        .with(|data| future::ready(Ok::<_, io::Error>(Message::Binary(data))));
    MessageSocket {
        receive: Box::pin(receive),
        send: Box::pin(send),
    }
}

/// The routes that agents dial.
pub(crate) fn routes() -> Router<Control> {
    Router::new()
        .route("/agent/v1/link", get(link))
        .route("/agent/v1/streams/{stream_id}", get(stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_agent_with_or_without_a_fingerprint() {
        let id = AgentId::new();
        let token = AgentToken::new(id, None);
        let (read, secret) = read_token(&token.text).unwrap();
        assert_eq!((read, hash(secret)), (id, token.hash.clone()));
        let long = format!("{}.{}", token.text, "ab".repeat(32));
        let (read, secret) = read_token(&long).unwrap();
        assert_eq!((read, hash(secret)), (id, token.hash));
        for bad in ["", "pha", "pha.x.y", "phx.018f.x", "pha.."] {
            assert!(read_token(bad).is_none(), "{bad}");
        }
    }
}
