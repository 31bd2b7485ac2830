//! The handshake (sections 7.1 to 7.3): versions, the security type *None*, and init messages.

use crate::{client::ClientMessage, pixel_format::PixelFormat};

/// The security type without any (section 7.2.1). Who may connect is decided before RFB starts.
pub const SECURITY_NONE: u8 = 1;

/// Bytes of a version message.
pub const VERSION_SIZE: usize = 12;

/// What the server sends first.
pub const SERVER_VERSION: &[u8; VERSION_SIZE] = b"RFB 003.008\n";

/// A version of the protocol, in the ways that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 3.3: the server chooses the security type.
    V3,
    /// 3.7: the client chooses.
    V7,
    /// 3.8: the client chooses and hears the result.
    V8,
}

impl Version {
    /// Reads the message `RFB xxx.yyy\n`. Versions that were never published count as 3.3
    /// (section 7.1.1), later ones as 3.8.
    pub fn parse(message: &[u8; VERSION_SIZE]) -> Option<Self> {
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0_u16, |number, digit| {
                digit
                    .is_ascii_digit()
                    .then(|| number * 10 + u16::from(digit - b'0'))
            })
        };
        let [b'R', b'F', b'B', b' ', major @ .., b'.', _, _, _, b'\n'] = message else {
            return None;
        };
        Some(match (number(major)?, number(&message[8..11])?) {
            (3, 7) => Self::V7,
            (3, minor) if minor < 8 => Self::V3,
            (3.., _) => Self::V8,
            _ => return None,
        })
    }

    /// Its message.
    pub const fn message(self) -> &'static [u8; VERSION_SIZE] {
        match self {
            Self::V3 => b"RFB 003.003\n",
            Self::V7 => b"RFB 003.007\n",
            Self::V8 => SERVER_VERSION,
        }
    }
}

/// The server's last message of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInit {
    /// The framebuffer's width in pixels.
    pub width: u16,
    /// Its height.
    pub height: u16,
    /// The format that pixels have until the viewer asks for another.
    pub format: PixelFormat,
    /// The desktop's name.
    pub name: String,
}

impl ServerInit {
    /// Appends the message.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.width.to_be_bytes());
        out.extend(self.height.to_be_bytes());
        self.format.write(out);
        out.extend((self.name.len() as u32).to_be_bytes());
        out.extend(self.name.as_bytes());
    }
}

/// What the client may not do in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// A security type that was not offered.
    #[error("the viewer chose security type {0}; only 1 (none) was offered")]
    SecurityType(u8),
    /// A message that does not belong there.
    #[error("the viewer sent a message before the handshake was over")]
    OutOfOrder,
}

/// How far the handshake is after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The client has to answer.
    Waiting,
    /// It is over.
    Done {
        /// Whether the client lets others stay connected.
        shared: bool,
    },
}

/// The server's side. Send [`SERVER_VERSION`], then give it each message of the client until it is
/// done.
#[derive(Debug, Clone, Copy)]
pub struct ServerHandshake {
    version: Version,
}

impl Default for ServerHandshake {
    fn default() -> Self {
        Self::new()
    }
}

impl ServerHandshake {
    /// At the start.
    pub const fn new() -> Self {
        Self {
            version: Version::V8,
        }
    }

    /// Appends the answer to a message of the client, one message of the server at most.
    ///
    /// # Errors
    /// When the client breaks the handshake; `out` then holds the answer that tells it so, if the
    /// version has one.
    pub fn answer(
        &mut self,
        message: &ClientMessage,
        init: &ServerInit,
        out: &mut Vec<u8>,
    ) -> Result<Progress, HandshakeError> {
        match *message {
            ClientMessage::ProtocolVersion(version) => {
                self.version = version;
                match version {
                    Version::V3 => out.extend(u32::from(SECURITY_NONE).to_be_bytes()),
                    Version::V7 | Version::V8 => out.extend([1, SECURITY_NONE]),
                }
                Ok(Progress::Waiting)
            }
            ClientMessage::SecurityType(SECURITY_NONE) => {
                // Only 3.8 tells a result when there is no security (section 7.1.3).
                if self.version == Version::V8 {
                    out.extend(0_u32.to_be_bytes());
                }
                Ok(Progress::Waiting)
            }
            ClientMessage::SecurityType(chosen) => {
                let error = HandshakeError::SecurityType(chosen);
                if self.version == Version::V8 {
                    let reason = error.to_string();
                    out.extend(1_u32.to_be_bytes());
                    out.extend((reason.len() as u32).to_be_bytes());
                    out.extend(reason.as_bytes());
                }
                Err(error)
            }
            ClientMessage::ClientInit { shared } => {
                init.write(out);
                Ok(Progress::Done { shared })
            }
            _ => Err(HandshakeError::OutOfOrder),
        }
    }
}
