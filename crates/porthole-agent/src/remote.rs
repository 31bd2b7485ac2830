//! The link and the streams over `wss`, dialled out: the agent's host needs no open port.

mod tls;

use crate::{Agent, LinkEnd, StreamCarrier, display_client::io_error};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future::BoxFuture};
use porthole_model::ids::{AgentId, StreamId};
use porthole_wire::{
    agent::{AgentMessage, MAX_MESSAGE, ServerMessage, decode, encode},
    socket::MessageSocket,
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{fmt, future, io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::{HeaderValue, Uri},
        protocol::WebSocketConfig,
    },
};

/// How long dialling may take.
const DIAL: Duration = Duration::from_secs(15);
/// The shortest and longest wait between two tries.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How often the link is pinged; a server that sends nothing for three times as long is gone.
const PING: Duration = Duration::from_secs(15);
/// The largest message of a stream from the server: what a browser may send at once.
const MAX_INPUT: usize = 64 * 1024 * 1024;

/// Where the server is and how to know it.
#[derive(Debug, Clone)]
pub struct RemoteConfig {
    /// Its address, such as `https://desk.example.com:8443`.
    pub server_url: String,
    /// What the server gave for this agent.
    pub token: AgentToken,
    /// Authorities to trust instead of the system's, in PEM.
    pub ca_pem: Option<Vec<u8>>,
}

/// An agent's token: `pha.<agent id>.<secret>[.<SHA-256 of the server's certificate>]`.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentToken {
    /// Who the agent is.
    pub agent_id: AgentId,
    secret: String,
    /// The only certificate to believe, by the SHA-256 of its DER.
    pub fingerprint: Option<[u8; 32]>,
}

/// A text that is no agent's token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no agent token: it has the form pha.<id>.<secret>, as the server showed it when the agent was added"
)]
pub struct InvalidToken;

impl fmt::Debug for AgentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentToken")
            .field("agent_id", &self.agent_id)
            .finish_non_exhaustive()
    }
}

impl std::str::FromStr for AgentToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let mut parts = text.trim().split('.');
        let (Some("pha"), Some(id), Some(secret)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidToken);
        };
        let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if secret.len() != 43 || !secret.bytes().all(base64url) {
            return Err(InvalidToken);
        }
        let fingerprint = parts.next().map(hex).transpose()?;
        if parts.next().is_some() {
            return Err(InvalidToken);
        }
        let agent_id = id.parse().map_err(|_| InvalidToken)?;
        Ok(Self {
            agent_id,
            secret: secret.to_owned(),
            fingerprint,
        })
    }
}

fn hex(text: &str) -> Result<[u8; 32], InvalidToken> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let digits = digits
        .filter(|digits| digits.len() == 64)
        .ok_or(InvalidToken)?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Ok(bytes)
}

impl AgentToken {
    /// What goes into the `Authorization` header.
    fn bearer(&self) -> String {
        format!("Bearer pha.{}.{}", self.agent_id.simple(), self.secret)
    }
}

/// A configuration that no link can be made from.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The server's address.
    #[error("{0:?} is no server address: give one such as https://desk.example.com:8443")]
    Address(String),
    /// The authorities' certificates.
    #[error("the CA file cannot be used: {0}")]
    Ca(String),
    /// The system's certificates.
    #[error(
        "TLS cannot be set up: {0}. Give the server's certificate authority, or a token with its fingerprint"
    )]
    Tls(String),
}

struct Dialer {
    host: String,
    port: u16,
    authority: String,
    prefix: String,
    /// `None` for `http`, which is for tests on loopback.
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    bearer: HeaderValue,
}

/// Keeps a link to the server: dials, serves, and dials again, until the agent shuts down.
///
/// # Errors
/// At once, when the configuration cannot work; a server that does not answer is no error.
pub async fn run(config: RemoteConfig, agent: Agent) -> Result<(), RemoteError> {
    let dialer = Arc::new(Dialer::new(&config)?);
    let stopping = agent.stopping();
    let mut wait = RETRY.0;
    loop {
        let since = Instant::now();
        let served = async {
            match dialer.dial("/agent/v1/link", MAX_MESSAGE).await {
                Ok(socket) => match serve(&agent, socket, &dialer).await {
                    LinkEnd::Closed => tracing::info!("the server closed the link"),
                    end => tracing::warn!(%end, "no link to the server"),
                },
                Err(error) => {
                    tracing::warn!(server = dialer.authority, %error, "no link to the server");
                }
            }
        };
        tokio::select! {
            () = stopping.cancelled() => return Ok(()),
            () = served => {}
        }
        // A link that lasted starts the waits over.
        wait = if since.elapsed() > RETRY.1 {
            RETRY.0
        } else {
            (wait * 2).min(RETRY.1)
        };
        // So that a server that comes back is not dialled by all its agents at once.
        let jitter = wait.mul_f64(rand::random_range(0.5..1.0));
        tokio::select! {
            () = stopping.cancelled() => return Ok(()),
            () = sleep(jitter) => {}
        }
    }
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}
type Socket = WebSocketStream<Box<dyn Transport>>;

impl Dialer {
    fn new(config: &RemoteConfig) -> Result<Self, RemoteError> {
        let address = || RemoteError::Address(config.server_url.clone());
        let uri: Uri = config.server_url.trim().parse().map_err(|_| address())?;
        let secure = match uri.scheme_str() {
            Some("https" | "wss") => true,
            Some("http" | "ws") => false,
            _ => return Err(address()),
        };
        let authority = uri.authority().ok_or_else(address)?.to_string();
        let host = uri.host().ok_or_else(address)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let tls = if secure {
            let name = ServerName::try_from(host.clone()).map_err(|_| address())?;
            let fingerprint = config.token.fingerprint;
            Some((
                Arc::new(tls::config(config.ca_pem.as_deref(), fingerprint)?),
                name,
            ))
        } else {
            None
        };
        let mut bearer = HeaderValue::from_str(&config.token.bearer()).map_err(|_| address())?;
        bearer.set_sensitive(true);
        Ok(Self {
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            host,
            authority,
            tls,
            bearer,
        })
    }

    async fn dial(&self, path: &str, max_message: usize) -> io::Result<Socket> {
        let dial = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            let transport: Box<dyn Transport> = match &self.tls {
                Some((config, name)) => {
                    let connector = tokio_rustls::TlsConnector::from(config.clone());
                    Box::new(connector.connect(name.clone(), tcp).await?)
                }
                None => Box::new(tcp),
            };
            let scheme = if self.tls.is_some() { "wss" } else { "ws" };
            let address = format!("{scheme}://{}{}{path}", self.authority, self.prefix);
            let mut request = address.into_client_request().map_err(io_error)?;
            request
                .headers_mut()
                .insert("Authorization", self.bearer.clone());
            let config = WebSocketConfig::default()
                .max_message_size(Some(max_message))
                .max_frame_size(Some(max_message))
                .write_buffer_size(0);
            let (socket, _) = client_async_with_config(request, transport, Some(config))
                .await
                .map_err(io_error)?;
            Ok(socket)
        };
        timeout(DIAL, dial).await?
    }
}

async fn serve(agent: &Agent, socket: Socket, dialer: &Arc<Dialer>) -> LinkEnd {
    let (send, receive) = socket.split();
    let heard = Arc::new(std::sync::Mutex::new(Instant::now()));
    let receive = {
        let heard = heard.clone();
        receive
            .inspect(move |_| {
                *heard
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
            })
            .take_while(|message| future::ready(matches!(message, Ok(m) if !m.is_close())))
            .filter_map(|message| {
                future::ready(match message {
                    Ok(Message::Text(text)) => match decode::<ServerMessage>(&text) {
                        Ok(message) => Some(message),
                        Err(error) => {
                            tracing::warn!(%error, "a message of the server is skipped");
                            None
                        }
                    },
                    _ => None,
                })
            })
    };
    // Pings go between the messages.
    let (messages, mut queue) = tokio::sync::mpsc::channel::<AgentMessage>(16);
    let write = async {
        let mut send = send;
        let mut ping = tokio::time::interval(PING);
        loop {
            let message = tokio::select! {
                message = queue.recv() => match message {
                    Some(message) => match encode(&message) {
                        Ok(text) => Message::text(text),
                        Err(error) => {
                            tracing::error!(%error, "a message cannot be written");
                            continue;
                        }
                    },
                    None => return LinkEnd::Closed,
                },
                _ = ping.tick() => {
                    let heard = *heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if heard.elapsed() > PING * 3 {
                        return LinkEnd::Silent;
                    }
                    Message::Ping(Bytes::new())
                }
            };
            if let Err(error) = send.send(message).await {
                return LinkEnd::Broken(error.to_string());
            }
        }
    };
    let sink = Box::pin(futures_util::sink::unfold(
        messages,
        |messages, message| async move {
            let sent = messages
                .send(message)
                .await
                .map_err(|_| "the connection is closed");
            sent.map(|()| messages)
        },
    ));
    let carrier: Arc<dyn StreamCarrier> = Arc::new(RemoteCarrier(dialer.clone()));
    tokio::select! {
        end = agent.serve_link(Box::pin(receive), sink, carrier) => end,
        end = write => end,
    }
}

struct RemoteCarrier(Arc<Dialer>);

impl StreamCarrier for RemoteCarrier {
    fn carry(
        &self,
        stream_id: StreamId,
        display: MessageSocket,
    ) -> BoxFuture<'static, io::Result<()>> {
        let dialer = self.0.clone();
        Box::pin(async move {
            let path = format!("/agent/v1/streams/{stream_id}");
            let server = dialer.dial(&path, MAX_INPUT).await?;
            // From here on an end is an end, not a failure to open.
            if let Err(error) = splice(display, server).await {
                tracing::debug!(%stream_id, %error, "stream ended");
            }
            Ok(())
        })
    }
}

/// Carries messages one to one, one at a time each direction.
async fn splice(mut display: MessageSocket, server: Socket) -> io::Result<()> {
    let (mut to_server, mut from_server) = server.split();
    let down = async {
        while let Some(message) = display.receive.next().await {
            to_server
                .send(Message::Binary(message?))
                .await
                .map_err(io_error)?;
        }
        // The server tells a display that ended from a connection that broke.
        timeout(Duration::from_secs(1), to_server.close())
            .await?
            .map_err(io_error)
    };
    let up = async {
        while let Some(message) = from_server.next().await {
            match message.map_err(io_error)? {
                Message::Binary(bytes) => display.send.send(bytes).await?,
                Message::Close(_) => break,
                _ => {}
            }
        }
        Ok(())
    };
    tokio::select! {
        ended = down => ended,
        ended = up => ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(rest: &str) -> String {
        format!("pha.{}.{}{rest}", AgentId::new().simple(), "a".repeat(43))
    }

    #[test]
    fn tokens() {
        let parsed: AgentToken = token("").parse().unwrap();
        assert_eq!(parsed.fingerprint, None);
        let parsed: AgentToken = token(&format!(".{}", "0f".repeat(32))).parse().unwrap();
        assert_eq!(parsed.fingerprint, Some([0x0f; 32]));
        assert!(
            !format!("{parsed:?}").contains("aaaa"),
            "secrets stay out of logs"
        );
        assert!(
            !parsed.bearer().contains("0f0f0f"),
            "the fingerprint is not for the server"
        );
        for bad in [
            "",
            "pha",
            "pha.x.y",
            &token(".12"),
            &token(".zz"),
            &token("."),
            &token("b"),
        ] {
            assert_eq!(bad.parse::<AgentToken>(), Err(InvalidToken), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_stream_is_carried_one_to_one_and_ends_with_either_side() {
        use tokio_tungstenite::tungstenite::protocol::Role;
        for server_ends in [true, false] {
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            let ours: Box<dyn Transport> = Box::new(ours);
            let ours = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
            let mut theirs = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
            let (to_agent, mut from_display) = tokio::sync::mpsc::channel(1);
            let (to_display, mut input) = tokio::sync::mpsc::channel(1);
            let receive = futures_util::stream::poll_fn(move |cx| from_display.poll_recv(cx));
            let send = futures_util::sink::unfold(to_display, |to_display, bytes| async move {
                to_display
                    .send(bytes)
                    .await
                    .map_err(|_| io::Error::other("closed"))?;
                Ok(to_display)
            });
            let display = MessageSocket {
                receive: Box::pin(receive),
                send: Box::pin(send),
            };
            let carried = tokio::spawn(splice(display, ours));
            for message in ["RFB 003.008\n", "x"] {
                to_agent.send(Ok(Bytes::from(message))).await.unwrap();
                let heard = theirs.next().await.unwrap().unwrap();
                assert_eq!(heard, Message::binary(Bytes::from(message)));
            }
            theirs
                .send(Message::binary(Bytes::from_static(b"up")))
                .await
                .unwrap();
            assert_eq!(input.recv().await.unwrap(), "up");
            if server_ends {
                theirs.close(None).await.unwrap();
            } else {
                drop(to_agent);
                let end = timeout(DIAL, theirs.next()).await.unwrap();
                assert!(matches!(end, Some(Ok(Message::Close(_)))), "{end:?}");
            }
            timeout(DIAL, carried).await.unwrap().unwrap().unwrap();
            assert_eq!(timeout(DIAL, input.recv()).await.unwrap(), None);
        }
    }

    #[test]
    fn addresses() {
        let config = |server_url: &str| RemoteConfig {
            server_url: server_url.into(),
            token: token("").parse().unwrap(),
            ca_pem: None,
        };
        let dialer = Dialer::new(&config("http://127.0.0.1:8080/porthole/")).unwrap();
        assert_eq!((dialer.port, dialer.prefix.as_str()), (8080, "/porthole"));
        for bad in ["", "desk.example.com", "ftp://x"] {
            assert!(
                matches!(Dialer::new(&config(bad)), Err(RemoteError::Address(_))),
                "{bad}"
            );
        }
    }
}
