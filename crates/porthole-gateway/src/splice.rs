//! Carries messages between a browser and a display, one at a time each direction.

use crate::{
    Inner,
    policy::{Down, Policy, Up},
    registry::Live,
};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use porthole_wire::{
    close::CloseReason,
    socket::{MessageSink, MessageStream},
};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at};

/// How long a browser has to take the close message, and then to answer it.
const FAREWELL: Duration = Duration::from_millis(700);
/// How long the reason may take to arrive when a display's stream ended: a session that is stopped
/// loses its display before, or after, its streams are revoked.
const REASON: Duration = Duration::from_millis(500);
/// A message may take longer than the stall when it is large: this many bytes must pass a second.
const SLOWEST: u64 = 64 * 1024;

/// Why a stream ended.
enum End {
    /// The browser closed it, or is gone.
    Browser,
    /// We close it.
    Close(CloseReason),
    /// The display's end closed.
    Display,
}

/// Runs a stream until it ends and closes it. Gives the end in words for the log.
pub(crate) async fn run(
    socket: WebSocket,
    inner: &Inner,
    live: &Live,
    policy: &Policy,
) -> &'static str {
    let open = timeout(inner.config.source, inner.source.open(&live.grant));
    let opened = tokio::select! {
        opened = open => opened.unwrap_or(Err(CloseReason::DisplayLost)),
        reason = live.ended() => Err(reason),
    };
    let source = match opened {
        Ok(source) => source,
        Err(reason) => {
            close(socket, reason).await;
            return words(reason);
        }
    };
    let (mut to_browser, mut from_browser) = socket.split();
    let heard = Heard::new();
    let mut end = tokio::select! {
        // First: what is withdrawn is withdrawn, whatever else is ready.
        biased;
        reason = live.ended() => End::Close(reason),
        end = up(&mut from_browser, source.send, inner, live, policy, &heard) => end,
        end = down(source.receive, &mut to_browser, inner, live, policy, &heard) => end,
    };
    if matches!(end, End::Display) {
        let reason = timeout(REASON, live.ended())
            .await
            .unwrap_or(CloseReason::DisplayLost);
        end = End::Close(reason);
    }
    match end {
        End::Close(reason) => {
            farewell(&mut to_browser, &mut from_browser, reason).await;
            words(reason)
        }
        End::Browser | End::Display => "the browser closed it",
    }
}

/// Closes a socket that carries no stream.
pub(crate) async fn close(socket: WebSocket, reason: CloseReason) {
    let (mut to_browser, mut from_browser) = socket.split();
    farewell(&mut to_browser, &mut from_browser, reason).await;
}

const fn words(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::BadTicket => "bad ticket",
        CloseReason::Revoked => "revoked",
        CloseReason::NoSession => "no such session",
        CloseReason::Stopped => "session stopped",
        CloseReason::Ended => "session ended",
        CloseReason::Idle => "idle",
        CloseReason::Protocol => "not RFB",
        CloseReason::TooSlow => "too slow",
        CloseReason::DisplayLost => "display lost",
        CloseReason::AgentLost => "agent lost",
        CloseReason::GoingAway => "going away",
    }
}

/// Sends the close message and waits for the answer, so that the browser reads the reason before
/// the connection goes; both bounded, because a browser that is blocked takes neither.
async fn farewell(
    to_browser: &mut (impl Sink<Message> + Unpin),
    from_browser: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin),
    reason: CloseReason,
) {
    let text = Utf8Bytes::from(reason.to_string());
    let frame = Message::Close(Some(CloseFrame {
        code: reason.code(),
        reason: text,
    }));
    if timeout(FAREWELL, to_browser.send(frame))
        .await
        .is_ok_and(|sent| sent.is_ok())
    {
        let answer = async { while let Some(Ok(_)) = from_browser.next().await {} };
        let _ = timeout(FAREWELL, answer).await;
    }
}

/// When something was last heard of the browser.
struct Heard(Mutex<Instant>);

impl Heard {
    fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn ago(&self) -> Duration {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Relaxed);
}

async fn down(
    mut from_display: MessageStream,
    to_browser: &mut (impl Sink<Message> + Unpin),
    inner: &Inner,
    live: &Live,
    policy: &Policy,
    heard: &Heard,
) -> End {
    let config = &inner.config;
    let mut policy = Down::new(policy);
    let mut ping = interval_at(Instant::now() + config.ping, config.ping);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            message = from_display.next() => match message {
                Some(Ok(message)) if policy.allows(&message) => Message::Binary(message),
                Some(Ok(_)) => {
                    count(&live.withheld, 1);
                    continue;
                }
                Some(Err(error)) => {
                    tracing::info!(stream_id = %live.grant.stream_id, %error, "display's end");
                    return End::Display;
                }
                None => return End::Display,
            },
            _ = ping.tick() => {
                if heard.ago() > config.ping * 3 {
                    return End::Browser;
                }
                Message::Ping(Bytes::new())
            }
        };
        let len = match &message {
            Message::Binary(bytes) => bytes.len() as u64,
            _ => 0,
        };
        let patience = config.stall + Duration::from_millis(len * 1000 / SLOWEST);
        match timeout(patience, to_browser.send(message)).await {
            Ok(Ok(())) => count(&live.bytes_down, len),
            Ok(Err(_)) => return End::Browser,
            Err(_) => return End::Close(CloseReason::TooSlow),
        }
    }
}

async fn up(
    from_browser: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin),
    mut to_display: MessageSink,
    inner: &Inner,
    live: &Live,
    policy: &Policy,
    heard: &Heard,
) -> End {
    let idle = policy.idle();
    let mut active = Instant::now();
    let mut policy = Up::new(policy);
    loop {
        let next = match idle {
            Some(idle) => timeout_at(active + idle, from_browser.next()).await,
            None => Ok(from_browser.next().await),
        };
        let Ok(message) = next else {
            return End::Close(CloseReason::Idle);
        };
        let bytes = match message {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                heard.now();
                continue;
            }
            Some(Ok(Message::Text(_))) => return End::Close(CloseReason::Protocol),
            Some(Ok(Message::Close(_))) | None => return End::Browser,
            Some(Err(error)) => {
                tracing::debug!(stream_id = %live.grant.stream_id, %error, "browser's end");
                // A message over the limit, or a frame that is none; a connection that broke
                // hears nothing of it.
                return End::Close(CloseReason::Protocol);
            }
        };
        heard.now();
        let passed = match policy.pass(&bytes) {
            Ok(passed) => passed,
            Err(error) => {
                tracing::info!(stream_id = %live.grant.stream_id, %error, "not RFB");
                return End::Close(CloseReason::Protocol);
            }
        };
        if passed.input {
            active = Instant::now();
        }
        count(&live.withheld, passed.withheld);
        if passed.bytes.is_empty() {
            continue;
        }
        let len = passed.bytes.len() as u64;
        match timeout(inner.config.source, to_display.send(passed.bytes)).await {
            Ok(Ok(())) => count(&live.bytes_up, len),
            Ok(Err(error)) => {
                tracing::info!(stream_id = %live.grant.stream_id, %error, "display's end");
                return End::Display;
            }
            Err(_) => {
                tracing::warn!(stream_id = %live.grant.stream_id, "the display takes nothing");
                return End::Close(CloseReason::DisplayLost);
            }
        }
    }
}
