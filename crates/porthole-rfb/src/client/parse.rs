//! The incremental parser.

use super::{ClientMessage, fence, kind};
use crate::{
    clipboard::{Clipboard, ClipboardError},
    encoding::Encoding,
    geometry::{Rect, Screen},
    handshake::{VERSION_SIZE, Version},
    pixel_format::PixelFormat,
    reader::Reader,
};
use bytes::{Buf, Bytes, BytesMut};

/// What a viewer may send at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// Bytes of a cut text message's contents, compressed where they are.
    pub cut_text: u32,
    /// Entries of a list of encodings.
    pub encodings: u16,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            cut_text: 1 << 20,
            encodings: 1024,
        }
    }
}

/// A viewer that does not speak RFB. The stream cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The first message.
    #[error("the viewer's first message is not an RFB version")]
    Version,
    /// A message type that is not known, or was not offered.
    #[error("the viewer sent a message of unknown type {0}")]
    UnknownType(u8),
    /// A QEMU message that is not known.
    #[error("the viewer sent a QEMU message of unknown type {0}")]
    UnknownQemuType(u8),
    /// A fence with too much in it.
    #[error("the viewer sent a fence of {0} bytes; 64 are allowed")]
    Fence(u8),
    /// A broken message of the extended clipboard.
    #[error(transparent)]
    Clipboard(#[from] ClipboardError),
}

/// A message and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it says.
    pub message: ClientMessage,
    /// Exactly its bytes, to be passed on. Empty for [`ClientMessage::Oversized`].
    pub raw: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Version,
    Security,
    Init,
    Messages,
}

/// Cuts a viewer's bytes into messages. [`push`](Self::push) bytes as they come, however they are
/// split, then take messages until there is none.
///
/// It keeps what was pushed and not taken yet; of a message over a limit it keeps nothing.
#[derive(Debug, Clone)]
pub struct ClientParser {
    limits: ClientLimits,
    state: State,
    buffer: BytesMut,
    /// Bytes still to come of a message that is skipped.
    skip: u64,
    /// Whether the viewer's encodings said that bit 7 of the buttons means a longer message.
    extended_buttons: bool,
    failed: Option<ClientError>,
}

/// What is at the start of the buffer.
enum Next {
    /// Not all of it is there.
    Incomplete,
    Message {
        len: usize,
        message: ClientMessage,
    },
    CutText {
        total: usize,
        extended: bool,
    },
    Skip {
        kind: u8,
        len: u32,
        total: u64,
    },
}

impl ClientParser {
    /// For a connection from its first byte on, handshake included.
    pub fn new(limits: ClientLimits) -> Self {
        Self::in_state(limits, State::Version)
    }

    /// For a connection whose handshake is over.
    pub fn after_handshake(limits: ClientLimits) -> Self {
        Self::in_state(limits, State::Messages)
    }

    fn in_state(limits: ClientLimits, state: State) -> Self {
        Self {
            limits,
            state,
            buffer: BytesMut::new(),
            skip: 0,
            extended_buttons: false,
            failed: None,
        }
    }

    /// Whether the handshake is over.
    pub fn handshake_done(&self) -> bool {
        self.state == State::Messages
    }

    /// Bytes that wait for the rest of their message, or to be taken.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        self.buffer.extend_from_slice(&bytes[skipped as usize..]);
    }

    /// Takes the next message; `None` until more bytes are pushed.
    ///
    /// # Errors
    /// When the viewer does not speak RFB; the same error again from then on.
    pub fn next_message(&mut self) -> Result<Option<Parsed>, ClientError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        match self.parse() {
            Ok(Next::Incomplete) => Ok(None),
            Ok(Next::Message { len, message }) => {
                let raw = self.buffer.split_to(len).freeze();
                Ok(Some(Parsed { message, raw }))
            }
            Ok(Next::CutText { total, extended }) => {
                // What is looked at and what is passed on are slices of the same bytes.
                let raw = self.buffer.split_to(total).freeze();
                let body = raw.slice(8..);
                if !extended {
                    return Ok(Some(Parsed {
                        message: ClientMessage::CutText(body),
                        raw,
                    }));
                }
                match Clipboard::parse(&body) {
                    Ok(clipboard) => Ok(Some(Parsed {
                        message: ClientMessage::Clipboard(clipboard),
                        raw,
                    })),
                    Err(error) => Err(self.fail(error.into())),
                }
            }
            Ok(Next::Skip { kind, len, total }) => {
                let here = total.min(self.buffer.len() as u64);
                self.buffer.advance(here as usize);
                self.skip = total - here;
                let message = ClientMessage::Oversized { kind, len };
                Ok(Some(Parsed {
                    message,
                    raw: Bytes::new(),
                }))
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    fn fail(&mut self, error: ClientError) -> ClientError {
        self.buffer = BytesMut::new();
        self.failed = Some(error.clone());
        error
    }

    fn parse(&mut self) -> Result<Next, ClientError> {
        let mut reader = Reader(&self.buffer);
        let message = match self.state {
            State::Version => {
                // A viewer that speaks something else is told so at once, not when 12 bytes are
                // there.
                let start = &b"RFB "[..self.buffer.len().min(4)];
                if !self.buffer.starts_with(start) {
                    return Err(ClientError::Version);
                }
                let Some(bytes) = self.buffer.first_chunk::<VERSION_SIZE>() else {
                    return Ok(Next::Incomplete);
                };
                let version = Version::parse(bytes).ok_or(ClientError::Version)?;
                self.state = if version == Version::V3 {
                    State::Init
                } else {
                    State::Security
                };
                return Ok(Next::Message {
                    len: VERSION_SIZE,
                    message: ClientMessage::ProtocolVersion(version),
                });
            }
            State::Security => reader.u8().map(|chosen| {
                self.state = State::Init;
                ClientMessage::SecurityType(chosen)
            }),
            State::Init => reader.u8().map(|shared| {
                self.state = State::Messages;
                ClientMessage::ClientInit {
                    shared: shared != 0,
                }
            }),
            State::Messages => return self.parse_message(),
        };
        Ok(match message {
            Some(message) => Next::Message { len: 1, message },
            None => Next::Incomplete,
        })
    }

    fn parse_message(&mut self) -> Result<Next, ClientError> {
        let Some(&kind) = self.buffer.first() else {
            return Ok(Next::Incomplete);
        };
        let mut reader = Reader(&self.buffer[1..]);
        let message = match kind {
            kind::SET_PIXEL_FORMAT => set_pixel_format(&mut reader),
            kind::SET_ENCODINGS => {
                if let [_, _, high, low, ..] = self.buffer[..] {
                    let count = u16::from_be_bytes([high, low]);
                    if count > self.limits.encodings {
                        let len = u32::from(count) * 4;
                        return Ok(Next::Skip {
                            kind,
                            len,
                            total: 4 + u64::from(len),
                        });
                    }
                }
                let message = set_encodings(&mut reader);
                if let Some(ClientMessage::SetEncodings(list)) = &message {
                    self.extended_buttons = list.contains(&Encoding::EXTENDED_MOUSE_BUTTONS);
                }
                message
            }
            kind::FRAMEBUFFER_UPDATE_REQUEST => update_request(&mut reader),
            kind::KEY_EVENT => key(&mut reader),
            kind::POINTER_EVENT => pointer(&mut reader, self.extended_buttons),
            kind::CLIENT_CUT_TEXT => return Ok(self.parse_cut_text()),
            kind::ENABLE_CONTINUOUS_UPDATES => continuous_updates(&mut reader),
            kind::FENCE => {
                if let Some(&len) = self.buffer.get(8)
                    && usize::from(len) > fence::MAX_PAYLOAD
                {
                    return Err(ClientError::Fence(len));
                }
                fence_message(&mut reader)
            }
            kind::SET_DESKTOP_SIZE => set_desktop_size(&mut reader),
            kind::QEMU => match self.buffer.get(1) {
                Some(&kind::QEMU_KEY) => qemu_key(&mut reader),
                Some(&other) => return Err(ClientError::UnknownQemuType(other)),
                None => None,
            },
            other => return Err(ClientError::UnknownType(other)),
        };
        let len = self.buffer.len() - reader.0.len();
        Ok(match message {
            Some(message) => Next::Message { len, message },
            None => Next::Incomplete,
        })
    }

    /// A length below zero, as a signed number, tells the extended clipboard from plain text.
    fn parse_cut_text(&mut self) -> Next {
        let mut reader = Reader(&self.buffer);
        let Some(signed) = reader.take(4).and_then(|_| reader.i32()) else {
            return Next::Incomplete;
        };
        let len = signed.unsigned_abs();
        if len > self.limits.cut_text {
            return Next::Skip {
                kind: kind::CLIENT_CUT_TEXT,
                len,
                total: 8 + u64::from(len),
            };
        }
        let total = 8 + len as usize;
        if self.buffer.len() < total {
            // Room for all of it at once; the limit bounds it.
            self.buffer.reserve(total - self.buffer.len());
            return Next::Incomplete;
        }
        Next::CutText {
            total,
            extended: signed < 0,
        }
    }
}

fn rect(reader: &mut Reader) -> Option<Rect> {
    Some(Rect::new(
        reader.u16()?,
        reader.u16()?,
        reader.u16()?,
        reader.u16()?,
    ))
}

fn set_pixel_format(reader: &mut Reader) -> Option<ClientMessage> {
    reader.take(3)?;
    Some(ClientMessage::SetPixelFormat(PixelFormat::read(reader)?))
}

fn set_encodings(reader: &mut Reader) -> Option<ClientMessage> {
    reader.take(1)?;
    let count = usize::from(reader.u16()?);
    let (list, _) = reader.take(count * 4)?.as_chunks();
    let list = list
        .iter()
        .map(|number| Encoding(i32::from_be_bytes(*number)))
        .collect();
    Some(ClientMessage::SetEncodings(list))
}

fn update_request(reader: &mut Reader) -> Option<ClientMessage> {
    let incremental = reader.u8()? != 0;
    let area = rect(reader)?;
    Some(ClientMessage::FramebufferUpdateRequest { incremental, area })
}

fn key(reader: &mut Reader) -> Option<ClientMessage> {
    let down = reader.u8()? != 0;
    reader.take(2)?;
    Some(ClientMessage::Key {
        down,
        keysym: reader.u32()?,
    })
}

fn pointer(reader: &mut Reader, extended: bool) -> Option<ClientMessage> {
    let buttons = u16::from(reader.u8()?);
    let (x, y) = (reader.u16()?, reader.u16()?);
    let buttons = if extended && buttons & 0x80 != 0 {
        buttons & 0x7f | u16::from(reader.u8()? & 3) << 7
    } else {
        buttons
    };
    Some(ClientMessage::Pointer { buttons, x, y })
}

fn continuous_updates(reader: &mut Reader) -> Option<ClientMessage> {
    let enable = reader.u8()? != 0;
    Some(ClientMessage::EnableContinuousUpdates {
        enable,
        area: rect(reader)?,
    })
}

fn fence_message(reader: &mut Reader) -> Option<ClientMessage> {
    reader.take(3)?;
    let flags = reader.u32()?;
    let len = reader.u8()?;
    let payload = Bytes::copy_from_slice(reader.take(len.into())?);
    Some(ClientMessage::Fence { flags, payload })
}

fn set_desktop_size(reader: &mut Reader) -> Option<ClientMessage> {
    reader.take(1)?;
    let (width, height) = (reader.u16()?, reader.u16()?);
    let count = usize::from(reader.u8()?);
    reader.take(1)?;
    let mut list = Reader(reader.take(count * 16)?);
    let mut screens = Vec::with_capacity(count);
    while !list.0.is_empty() {
        screens.push(Screen {
            id: list.u32()?,
            area: rect(&mut list)?,
            flags: list.u32()?,
        });
    }
    Some(ClientMessage::SetDesktopSize {
        width,
        height,
        screens,
    })
}

fn qemu_key(reader: &mut Reader) -> Option<ClientMessage> {
    reader.take(1)?;
    let down = reader.u16()? != 0;
    Some(ClientMessage::QemuKey {
        down,
        keysym: reader.u32()?,
        keycode: reader.u32()?,
    })
}
