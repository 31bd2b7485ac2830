//! HTTP and WebSocket to one display over the unix socket in its directory.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use porthole_model::protection::Protection;
use porthole_wire::{
    agent::{Access, SessionSpec},
    socket::{MessageSink, MessageSocket, MessageStream},
};
use rustix::fs::{FileType, Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{UnixStream, unix::pipe},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

/// A display that is alive answers within this.
const ANSWER: Duration = Duration::from_secs(5);
/// The largest answer: a picture of the largest display.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The largest RFB message: all pixels of the largest display, uncompressed, and a little.
const MAX_MESSAGE: usize = 128 * 1024 * 1024;
/// The largest picture that a screenshot asks for; in base64 it fits the link's messages.
const MAX_JPEG: usize = porthole_wire::agent::MAX_MESSAGE / 4 * 3 - 4096;

/// What a display says of itself.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub(crate) struct Status {
    /// Top-level windows that are mapped.
    pub windows: u32,
}

#[derive(Serialize)]
struct Session<'a> {
    name: &'a str,
    width: u16,
    height: u16,
    // A display of before there was any refuses it, and so the session does not start.
    #[serde(skip_serializing_if = "Protection::is_empty")]
    protection: &'a Protection,
}

fn error(text: impl Into<String>) -> io::Error {
    io::Error::other(text.into())
}

/// Opens the socket in a display's directory.
///
/// The display's container writes this directory, so its name for the socket is not believed: a
/// link to another socket of the host is refused. Going by a descriptor also keeps the path below
/// the 107 bytes of unix(7).
async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::open(dir.join("stream"), flags | OFlags::DIRECTORY, Mode::empty())?;
    let socket: OwnedFd = rustix::fs::openat(&dir, "display.sock", flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&socket)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return Err(error("the display's socket is none"));
    }
    let path = format!("/proc/self/fd/{}", socket.as_raw_fd());
    timeout(ANSWER, UnixStream::connect(path)).await?
}

/// Waits until the display's socket is there. Cancel it to give up.
pub(crate) async fn appeared(dir: &Path) -> io::Result<()> {
    use rustix::fs::inotify;
    let stream = dir.join("stream");
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
    let events = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
    inotify::add_watch(&watch, &stream, events)?;
    // Any descriptor that becomes readable will do; what the events say does not matter.
    let watch = pipe::Receiver::from_owned_fd_unchecked(watch)?;
    let mut events = [0; 4096];
    loop {
        match connect(dir).await {
            Ok(_) => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(e) => return Err(e),
        }
        watch.readable().await?;
        match watch.try_read(&mut events) {
            Err(e) if e.kind() != io::ErrorKind::WouldBlock => return Err(e),
            _ => {}
        }
    }
}

async fn request(
    dir: &Path,
    method: Method,
    path: &str,
    body: Vec<u8>,
    within: Duration,
) -> io::Result<Bytes> {
    let exchange = async {
        let stream = TokioIo::new(connect(dir).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
            .await
            .map_err(io::Error::other)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "display")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(io::Error::other)?;
        let answer = async {
            let response = sender
                .send_request(request)
                .await
                .map_err(io::Error::other)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER)
                .collect()
                .await;
            let body = body.map_err(io::Error::other)?.to_bytes();
            Ok::<_, io::Error>((status, body))
        };
        tokio::pin!(answer);
        // The connection is driven here, so it ends with this call.
        let (status, body) = tokio::select! {
            answer = &mut answer => answer?,
            ended = connection => {
                ended.map_err(io::Error::other)?;
                answer.await?
            }
        };
        if status == StatusCode::OK || status == StatusCode::NO_CONTENT {
            Ok(body)
        } else {
            let text: String = String::from_utf8_lossy(&body).chars().take(200).collect();
            Err(error(format!("the display answered {status}: {text}")))
        }
    };
    timeout(within, exchange).await?
}

/// Waits for the first top-level window; 0 windows when none came in time.
pub(crate) async fn first_window(dir: &Path, within: Duration) -> io::Result<Status> {
    let path = format!("/status?wait=window&timeout_ms={}", within.as_millis());
    let body = request(dir, Method::GET, &path, Vec::new(), within + ANSWER).await?;
    Ok(serde_json::from_slice(&body)?)
}

/// Hands a display over to a session: its name, its size, and what it burns into the pixels.
pub(crate) async fn hand_over(dir: &Path, spec: &SessionSpec) -> io::Result<()> {
    let body = serde_json::to_vec(&Session {
        name: &spec.workspace_name,
        width: spec.width,
        height: spec.height,
        protection: &spec.protection,
    })?;
    request(dir, Method::PUT, "/session", body, ANSWER)
        .await
        .map(|_| ())
}

/// A JPEG picture that fits into the size, in base64.
pub(crate) async fn screenshot(dir: &Path, width: u16, height: u16) -> io::Result<String> {
    let (width, height) = (width.clamp(1, 8192), height.clamp(1, 8192));
    let path = format!("/screenshot?width={width}&height={height}&quality=80");
    let jpeg = request(dir, Method::GET, &path, Vec::new(), ANSWER).await?;
    if jpeg.len() > MAX_JPEG {
        return Err(error("the picture is too large; ask for a smaller one"));
    }
    Ok(STANDARD.encode(&jpeg))
}

/// Opens a stream. A display that is about to serve is waited for.
pub(crate) async fn stream(dir: &Path, access: Access) -> io::Result<MessageSocket> {
    let access = match access {
        Access::Control => "control",
        Access::View => "view",
    };
    let request = format!("ws://display/rfb?access={access}");
    let request = request.into_client_request().map_err(io::Error::other)?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .write_buffer_size(0);
    let open = async {
        appeared(dir).await?;
        let stream = connect(dir).await?;
        client_async_with_config(request, stream, Some(config))
            .await
            .map_err(io_error)
    };
    let (socket, _) = timeout(ANSWER, open).await??;
    Ok(message_socket(socket))
}

pub(crate) fn io_error(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// A WebSocket's binary messages, both ways.
fn message_socket<S>(socket: WebSocketStream<S>) -> MessageSocket
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (send, receive) = socket.split();
    let receive: MessageStream = Box::pin(receive.filter_map(|message| {
        future::ready(match message {
            Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
            Ok(Message::Close(Some(close))) => Some(Err(error(close.reason.as_str()))),
            Ok(_) => None,
            Err(error) => Some(Err(io_error(error))),
        })
    }));
    let send: MessageSink = Box::pin(
        send.sink_map_err(io_error)
            .with(|bytes| future::ready(Ok::<_, io::Error>(Message::Binary(bytes)))),
    );
    MessageSocket { receive, send }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::fs::symlink, sync::Arc};
    use tokio::net::UnixListener;

    fn dir() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("stream")).unwrap();
        dir
    }

    #[tokio::test]
    async fn a_link_to_another_socket_is_refused() {
        let (dir, other) = (dir(), tempfile::tempdir().unwrap());
        let target = other.path().join("engine.sock");
        let _listener = UnixListener::bind(&target).unwrap();
        symlink(&target, dir.path().join("stream/display.sock")).unwrap();
        assert!(connect(dir.path()).await.is_err());
    }

    #[tokio::test]
    async fn long_paths_are_no_matter() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("d".repeat(120));
        std::fs::create_dir_all(dir.join("stream")).unwrap();
        let short = root.path().join("s.sock");
        let _listener = UnixListener::bind(&short).unwrap();
        std::fs::rename(&short, dir.join("stream/display.sock")).unwrap();
        connect(&dir).await.unwrap();
    }

    #[tokio::test]
    async fn the_socket_is_awaited() {
        let dir = Arc::new(dir());
        let waiting = tokio::spawn({
            let dir = dir.clone();
            async move { appeared(dir.path()).await }
        });
        tokio::task::yield_now().await;
        let stream = dir.path().join("stream");
        let _listener = UnixListener::bind(stream.join(".new")).unwrap();
        std::fs::rename(stream.join(".new"), stream.join("display.sock")).unwrap();
        timeout(ANSWER, waiting).await.unwrap().unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_display_that_never_answers_is_given_up() {
        let dir = dir();
        let _listener = UnixListener::bind(dir.path().join("stream/display.sock")).unwrap();
        let within = Duration::from_millis(50);
        let error = request(dir.path(), Method::GET, "/status", Vec::new(), within).await;
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_stream_waits_for_its_display_and_hears_why_it_ends() {
        use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
        let dir = Arc::new(dir());
        let opening = tokio::spawn({
            let dir = dir.clone();
            async move { stream(dir.path(), Access::View).await }
        });
        tokio::task::yield_now().await;
        let listener = UnixListener::bind(dir.path().join("stream/display.sock")).unwrap();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                // Whoever only looks whether anybody listens says nothing.
                let Ok(mut socket) = tokio_tungstenite::accept_async(socket).await else {
                    continue;
                };
                let reason = CloseFrame {
                    code: CloseCode::Error,
                    reason: "the input thread ended".into(),
                };
                let _ = socket.close(Some(reason)).await;
            }
        });
        let mut opened = timeout(ANSWER, opening).await.unwrap().unwrap().unwrap();
        let ended = timeout(ANSWER, opened.receive.next()).await.unwrap();
        let error = ended.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the input thread ended");
    }
}
