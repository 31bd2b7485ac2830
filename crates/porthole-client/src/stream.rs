//! A session's stream, as a browser opens it: ticket, WebSocket, RFB.

use crate::{
    ClientError,
    api::{Client, Connect},
    trust::client_config,
};
use futures_util::{SinkExt, StreamExt};
use porthole_model::ids::SessionId;
use porthole_rfb::{Encoding, Rect, client::ClientMessage, handshake::Version};
use rustls_pki_types::ServerName;
use std::{sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        http::HeaderValue,
        protocol::{WebSocketConfig, frame::coding::CloseCode},
    },
};

/// The longest any one answer of the handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(20);

/// An open stream.
pub struct Stream {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    /// The display's size in pixels when the stream was opened.
    pub width: u16,
    /// See `width`.
    pub height: u16,
    /// The desktop's name.
    pub name: String,
}

/// What the first picture was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// The display's width in pixels.
    pub width: u16,
    /// Its height.
    pub height: u16,
    /// The size of the update's message in bytes.
    pub bytes: usize,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The WebSocket close code; 1006 when the connection broke without one.
    pub code: u16,
    /// The reason that the viewer would show.
    pub reason: String,
}

impl Stream {
    /// Asks for a ticket and opens the stream.
    ///
    /// # Errors
    /// When the server refuses, the display does not answer, or breaks the protocol.
    pub async fn open(client: &Client, session: SessionId) -> Result<Self, ClientError> {
        let Connect { url, ticket } = client.connect(session).await?;
        Self::open_at(client, &format!("{url}?ticket={ticket}")).await
    }

    /// Opens the stream at an address that a ticket was given for.
    ///
    /// # Errors
    /// As [`Stream::open`].
    pub async fn open_at(client: &Client, path: &str) -> Result<Self, ClientError> {
        let socket = within("opening the stream", HANDSHAKE, dial(client, path)).await??;
        let mut stream = Self {
            socket,
            width: 0,
            height: 0,
            name: String::new(),
        };
        within(
            "the handshake with the display",
            HANDSHAKE,
            stream.handshake(),
        )
        .await??;
        Ok(stream)
    }

    /// Asks for the whole picture and waits for the first update that has pixels.
    ///
    /// # Errors
    /// When the stream ends before, or it takes longer than `most`.
    pub async fn first_picture(&mut self, most: Duration) -> Result<Picture, ClientError> {
        let area = Rect {
            x: 0,
            y: 0,
            width: self.width,
            height: self.height,
        };
        self.say(&ClientMessage::FramebufferUpdateRequest {
            incremental: false,
            area,
        })
        .await?;
        let picture = async {
            loop {
                let message = self.hear().await?;
                if has_pixels(&message) {
                    return Ok(Picture {
                        width: self.width,
                        height: self.height,
                        bytes: message.len(),
                    });
                }
            }
        };
        within("the first picture", most, picture).await?
    }

    /// Types a text, key by key, as a keyboard would. Line feeds become Return.
    ///
    /// # Errors
    /// When the stream ends.
    pub async fn type_text(&mut self, text: &str) -> Result<(), ClientError> {
        for character in text.chars() {
            let keysym = match character {
                '\n' => 0xff0d,
                character if u32::from(character) < 0x100 => u32::from(character),
                character => 0x0100_0000 | u32::from(character),
            };
            for down in [true, false] {
                self.say(&ClientMessage::Key { down, keysym }).await?;
            }
        }
        Ok(())
    }

    /// Waits until the server ends the stream.
    ///
    /// # Errors
    /// When that takes longer than `most`.
    pub async fn closed(&mut self, most: Duration) -> Result<Closed, ClientError> {
        within("the end of the stream", most, async {
            loop {
                match self.hear().await {
                    Ok(_) => {}
                    Err(ClientError::Closed { code, reason }) => return Closed { code, reason },
                    Err(error) => {
                        return Closed {
                            code: 1006,
                            reason: error.to_string(),
                        };
                    }
                }
            }
        })
        .await
    }

    /// Sends one message.
    ///
    /// # Errors
    /// When the stream has ended.
    pub async fn say(&mut self, message: &ClientMessage) -> Result<(), ClientError> {
        let mut bytes = Vec::new();
        message.write(false, &mut bytes);
        self.socket
            .send(Message::Binary(bytes.into()))
            .await
            .map_err(|error| broken(&error))
    }

    /// Receives one message.
    ///
    /// # Errors
    /// When the stream has ended.
    pub async fn hear(&mut self) -> Result<bytes::Bytes, ClientError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame
                        .map_or((CloseCode::Status.into(), String::new()), |frame| {
                            (frame.code.into(), frame.reason.to_string())
                        });
                    return Err(ClientError::Closed { code, reason });
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(broken(&error)),
                None => {
                    return Err(ClientError::Closed {
                        code: 1006,
                        reason: "no close message".into(),
                    });
                }
            }
        }
    }

    async fn handshake(&mut self) -> Result<(), ClientError> {
        let version = self.hear().await?;
        if !version.starts_with(b"RFB 003.") {
            return Err(ClientError::Protocol(format!(
                "{version:?} instead of a version"
            )));
        }
        self.say(&ClientMessage::ProtocolVersion(Version::V8))
            .await?;
        let types = self.hear().await?;
        if !types.get(1..).is_some_and(|types| types.contains(&1)) {
            return Err(ClientError::Protocol(format!(
                "{types:?} instead of security types with None"
            )));
        }
        self.say(&ClientMessage::SecurityType(1)).await?;
        let result = self.hear().await?;
        if result.as_ref() != [0, 0, 0, 0] {
            return Err(ClientError::Protocol(format!("security result {result:?}")));
        }
        self.say(&ClientMessage::ClientInit { shared: true })
            .await?;
        let init = self.hear().await?;
        let [w1, w2, h1, h2, ..] = init.as_ref() else {
            return Err(ClientError::Protocol(
                "a ServerInit that is too short".into(),
            ));
        };
        (self.width, self.height) = (
            u16::from_be_bytes([*w1, *w2]),
            u16::from_be_bytes([*h1, *h2]),
        );
        self.name = String::from_utf8_lossy(init.get(24..).unwrap_or_default()).into_owned();
        // Tight first, as browsers ask; its palette and JPEG need no decoder here.
        let encodings = vec![Encoding(7), Encoding(16), Encoding(0), Encoding(-32 + 6)];
        self.say(&ClientMessage::SetEncodings(encodings)).await
    }
}

/// Whether a message is a framebuffer update (type 0) whose first rectangle is a picture: a real
/// encoding, not a pseudo-encoding, whose numbers are negative (section 7.6.1).
fn has_pixels(message: &[u8]) -> bool {
    let encoding = message
        .get(12..16)
        .and_then(|bytes| bytes.try_into().ok())
        .map(i32::from_be_bytes);
    message.first() == Some(&0) && encoding.is_some_and(|encoding| encoding >= 0)
}

async fn dial(
    client: &Client,
    path: &str,
) -> Result<WebSocketStream<TlsStream<TcpStream>>, ClientError> {
    let address = || ClientError::Address(client.base.clone());
    let authority = client.base.strip_prefix("https://").ok_or_else(address)?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| address())?),
        None => (authority, 443),
    };
    let unreachable = |error: String| ClientError::Unreachable {
        url: client.base.clone(),
        error,
    };
    let socket = TcpStream::connect((host, port))
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    let _ = socket.set_nodelay(true);
    let tls = TlsConnector::from(Arc::new(client_config(&client.trust)?));
    let name = ServerName::try_from(host.to_owned()).map_err(|_| address())?;
    let tls = tls
        .connect(name, socket)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    let mut request = format!("wss://{authority}{path}")
        .into_client_request()
        .map_err(|_| address())?;
    let headers = request.headers_mut();
    headers.insert(
        "origin",
        HeaderValue::from_str(&client.base).map_err(|_| address())?,
    );
    headers.insert("sec-websocket-protocol", HeaderValue::from_static("binary"));
    let config = WebSocketConfig::default().max_message_size(Some(64 * 1024 * 1024));
    client_async_with_config(request, tls, Some(config))
        .await
        .map(|(socket, _)| socket)
        .map_err(|error| match error {
            tokio_tungstenite::tungstenite::Error::Http(response) => ClientError::Refused {
                method: "GET",
                path: path.split('?').next().unwrap_or_default().to_owned(),
                status: response.status().as_u16(),
                detail: response
                    .body()
                    .as_deref()
                    .map(|body| String::from_utf8_lossy(body).into_owned())
                    .unwrap_or_default(),
            },
            error => broken(&error),
        })
}

fn broken(error: &tokio_tungstenite::tungstenite::Error) -> ClientError {
    ClientError::Closed {
        code: 1006,
        reason: error.to_string(),
    }
}

async fn within<T>(
    what: &'static str,
    most: Duration,
    future: impl Future<Output = T>,
) -> Result<T, ClientError> {
    tokio::time::timeout(most, future)
        .await
        .map_err(|_| ClientError::TooLong {
            what,
            seconds: most.as_secs(),
        })
}
