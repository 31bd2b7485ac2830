//! Messages, one after the other.

use super::{DecodeError, ExtendedSize, ServerEvent, Surface, rects::Rects};
use crate::{
    client::fence,
    clipboard::Clipboard,
    encoding::Encoding,
    geometry::{Rect, Screen},
    handshake::{SECURITY_NONE, ServerInit, VERSION_SIZE, Version},
    pixel_format::PixelFormat,
    reader::Reader,
    server::{CursorImage, kind},
};
use bytes::{Buf, Bytes, BytesMut};

/// What a display may send at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecoderLimits {
    /// Pixels of the framebuffer.
    pub pixels: u32,
    /// Bytes of a cut text.
    pub cut_text: u32,
    /// Width and height of a cursor.
    pub cursor: u16,
    /// Bytes of a name or of a reason for refusal.
    pub text: u32,
}

impl Default for DecoderLimits {
    fn default() -> Self {
        Self {
            pixels: 8192 * 8192,
            cut_text: 1 << 20,
            cursor: 512,
            text: 4096,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Version,
    Security,
    Result,
    Init,
    Messages,
    /// In an update, with so many rectangles to come; `None`: until the last one says so.
    Update(u16),
}

/// Reads a display's bytes. [`push`](Self::push) them as they come, however they are split, then
/// take events until there is none.
///
/// After the handshake's init event pixels have the display's format, until
/// [`set_format`](Self::set_format).
pub struct Decoder {
    limits: DecoderLimits,
    state: State,
    version: Version,
    buffer: BytesMut,
    /// Bytes still to come of what is skipped.
    skip: u64,
    rects: Rects,
    failed: Option<DecodeError>,
}

/// What came of looking at the start of the buffer.
enum Step {
    /// Not all of it is there.
    Incomplete,
    /// So many bytes are done.
    Done(usize),
    /// So many bytes are done, and an event.
    Event(usize, ServerEvent),
    /// A cut text that is skipped.
    Skip(u32),
}

impl Decoder {
    /// For a connection from its first byte on.
    pub fn new(limits: DecoderLimits) -> Self {
        Self {
            limits,
            state: State::Version,
            version: Version::V8,
            buffer: BytesMut::new(),
            skip: 0,
            rects: Rects::new(limits.cursor),
            failed: None,
        }
    }

    /// For a connection whose handshake is over, in the frame's own pixel format.
    ///
    /// # Errors
    /// When the size is over the limit.
    pub fn after_handshake(
        limits: DecoderLimits,
        width: u16,
        height: u16,
    ) -> Result<Self, DecodeError> {
        let mut decoder = Self::new(limits);
        decoder.check_size(width, height)?;
        decoder.rects.resize(width, height);
        decoder.state = State::Messages;
        Ok(decoder)
    }

    /// Tells the version this side answered with, if not the one that the display sent. Call it on
    /// the version's event.
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    /// Reads pixels in another format. Call it between updates, where the display changes too.
    ///
    /// # Errors
    /// When the format cannot be read; the one before stays.
    pub fn set_format(&mut self, format: PixelFormat) -> Result<(), DecodeError> {
        self.rects.set_format(format)
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

    /// Takes the next event, and paints what comes before it; `None` until more bytes are pushed.
    ///
    /// # Errors
    /// When the display does not speak RFB; the same error again from then on.
    pub fn next_event(
        &mut self,
        surface: &mut impl Surface,
    ) -> Result<Option<ServerEvent>, DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        loop {
            let in_update = matches!(self.state, State::Update(_));
            match self.step(surface) {
                Ok(Step::Incomplete) => return Ok(None),
                Ok(Step::Done(len)) => {
                    self.buffer.advance(len);
                    if in_update && surface.is_full() {
                        return Ok(Some(ServerEvent::Paused));
                    }
                }
                Ok(Step::Event(len, event)) => {
                    self.buffer.advance(len);
                    return Ok(Some(event));
                }
                Ok(Step::Skip(len)) => {
                    let total = 8 + u64::from(len);
                    let here = total.min(self.buffer.len() as u64);
                    self.buffer.advance(here as usize);
                    self.skip = total - here;
                    return Ok(Some(ServerEvent::CutTextSkipped(len)));
                }
                Err(error) => {
                    self.buffer = BytesMut::new();
                    self.failed = Some(error.clone());
                    return Err(error);
                }
            }
        }
    }

    fn check_size(&self, width: u16, height: u16) -> Result<(), DecodeError> {
        let size = u64::from(width) * u64::from(height);
        let limit = u64::from(self.limits.pixels);
        if size <= limit {
            Ok(())
        } else {
            Err(DecodeError::TooLarge {
                what: "a framebuffer in pixels",
                size,
                limit,
            })
        }
    }

    fn step(&mut self, surface: &mut impl Surface) -> Result<Step, DecodeError> {
        match self.state {
            State::Version => {
                let start = &b"RFB "[..self.buffer.len().min(4)];
                if !self.buffer.starts_with(start) {
                    return Err(DecodeError::Version);
                }
                let Some(bytes) = self.buffer.first_chunk::<VERSION_SIZE>() else {
                    return Ok(Step::Incomplete);
                };
                self.version = Version::parse(bytes).ok_or(DecodeError::Version)?;
                self.state = State::Security;
                Ok(Step::Event(
                    VERSION_SIZE,
                    ServerEvent::ProtocolVersion(self.version),
                ))
            }
            State::Security => self.security(),
            State::Result => self.result(),
            State::Init => self.init(surface),
            State::Messages => self.message(),
            State::Update(left) => self.rect(left, surface),
        }
    }

    fn security(&mut self) -> Result<Step, DecodeError> {
        let mut reader = Reader(&self.buffer);
        if self.version == Version::V3 {
            let Some(chosen) = reader.u32() else {
                return Ok(Step::Incomplete);
            };
            if chosen == 0 {
                return Ok(match self.text(4)? {
                    Some((len, reason)) => Step::Event(len, ServerEvent::Refused(reason)),
                    None => Step::Incomplete,
                });
            }
            self.state = State::Init;
            return Ok(Step::Event(
                4,
                ServerEvent::SecurityTypes(vec![chosen as u8]),
            ));
        }
        let Some(count) = reader.u8() else {
            return Ok(Step::Incomplete);
        };
        if count == 0 {
            return Ok(match self.text(1)? {
                Some((len, reason)) => Step::Event(len, ServerEvent::Refused(reason)),
                None => Step::Incomplete,
            });
        }
        let Some(types) = reader.take(count.into()) else {
            return Ok(Step::Incomplete);
        };
        // 3.7 tells no result where there is no security.
        let no_result = self.version == Version::V7 && types.contains(&SECURITY_NONE);
        self.state = if no_result {
            State::Init
        } else {
            State::Result
        };
        Ok(Step::Event(
            1 + types.len(),
            ServerEvent::SecurityTypes(types.to_vec()),
        ))
    }

    fn result(&mut self) -> Result<Step, DecodeError> {
        match Reader(&self.buffer).u32() {
            None => Ok(Step::Incomplete),
            Some(0) => {
                self.state = State::Init;
                Ok(Step::Event(4, ServerEvent::SecurityResult(None)))
            }
            Some(_) => Ok(match self.text(4)? {
                Some((len, reason)) => Step::Event(len, ServerEvent::SecurityResult(Some(reason))),
                None => Step::Incomplete,
            }),
        }
    }

    /// A text with its length after so many bytes, and where it ends.
    fn text(&self, skip: usize) -> Result<Option<(usize, String)>, DecodeError> {
        let mut reader = Reader(&self.buffer);
        let Some(len) = reader.take(skip).and_then(|_| reader.u32()) else {
            return Ok(None);
        };
        check_text(len, self.limits.text)?;
        Ok(reader.take(len as usize).map(|text| {
            (
                skip + 4 + text.len(),
                String::from_utf8_lossy(text).into_owned(),
            )
        }))
    }

    fn init(&mut self, surface: &mut impl Surface) -> Result<Step, DecodeError> {
        let Some((end, name)) = self.text(4 + PixelFormat::SIZE)? else {
            return Ok(Step::Incomplete);
        };
        let mut reader = Reader(&self.buffer);
        let (Some(width), Some(height), Some(format)) =
            (reader.u16(), reader.u16(), PixelFormat::read(&mut reader))
        else {
            return Ok(Step::Incomplete);
        };
        self.check_size(width, height)?;
        self.rects.set_format(format)?;
        self.rects.resize(width, height);
        surface.resize(width, height);
        self.state = State::Messages;
        Ok(Step::Event(
            end,
            ServerEvent::Init(ServerInit {
                width,
                height,
                format,
                name,
            }),
        ))
    }

    fn message(&mut self) -> Result<Step, DecodeError> {
        let Some(&kind) = self.buffer.first() else {
            return Ok(Step::Incomplete);
        };
        let mut reader = Reader(&self.buffer[1..]);
        match kind {
            kind::FRAMEBUFFER_UPDATE => {
                let Some(count) = reader.take(1).and_then(|_| reader.u16()) else {
                    return Ok(Step::Incomplete);
                };
                self.state = State::Update(count);
                Ok(Step::Done(4))
            }
            kind::BELL => Ok(Step::Event(1, ServerEvent::Bell)),
            kind::SERVER_CUT_TEXT => self.cut_text(),
            kind::END_OF_CONTINUOUS_UPDATES => {
                Ok(Step::Event(1, ServerEvent::EndOfContinuousUpdates))
            }
            kind::FENCE => {
                let header = reader
                    .take(3)
                    .and_then(|_| Some((reader.u32()?, reader.u8()?)));
                let Some((flags, len)) = header else {
                    return Ok(Step::Incomplete);
                };
                if usize::from(len) > fence::MAX_PAYLOAD {
                    let (size, limit) = (len.into(), fence::MAX_PAYLOAD as u64);
                    return Err(DecodeError::TooLarge {
                        what: "a fence in bytes",
                        size,
                        limit,
                    });
                }
                let Some(payload) = reader.take(len.into()) else {
                    return Ok(Step::Incomplete);
                };
                let payload = Bytes::copy_from_slice(payload);
                Ok(Step::Event(
                    9 + payload.len(),
                    ServerEvent::Fence { flags, payload },
                ))
            }
            other => Err(DecodeError::UnknownType(other)),
        }
    }

    fn cut_text(&mut self) -> Result<Step, DecodeError> {
        let mut reader = Reader(&self.buffer);
        let Some(signed) = reader.take(4).and_then(|_| reader.i32()) else {
            return Ok(Step::Incomplete);
        };
        let len = signed.unsigned_abs();
        if len > self.limits.cut_text {
            return Ok(Step::Skip(len));
        }
        let Some(body) = reader.take(len as usize) else {
            return Ok(Step::Incomplete);
        };
        let body = Bytes::copy_from_slice(body);
        let event = if signed < 0 {
            ServerEvent::Clipboard(Clipboard::parse(&body)?)
        } else {
            ServerEvent::CutText(body)
        };
        Ok(Step::Event(8 + len as usize, event))
    }

    fn rect(&mut self, left: u16, surface: &mut impl Surface) -> Result<Step, DecodeError> {
        if left == 0 {
            self.state = State::Messages;
            return Ok(Step::Event(0, ServerEvent::UpdateEnd));
        }
        let mut reader = Reader(&self.buffer);
        let header = (|| {
            let area = Rect::new(reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
            Some((area, Encoding(reader.i32()?)))
        })();
        let Some((area, encoding)) = header else {
            return Ok(Step::Incomplete);
        };
        let step = match encoding {
            Encoding::LAST_RECT => {
                self.state = State::Update(0);
                return Ok(Step::Done(12));
            }
            Encoding::DESKTOP_SIZE => self.desktop_size(12, area, None, surface)?,
            Encoding::EXTENDED_DESKTOP_SIZE => self.extended_desktop_size(area, surface)?,
            Encoding::DESKTOP_NAME => match self.text(12)? {
                Some((len, name)) => Step::Event(len, ServerEvent::DesktopName(name)),
                None => Step::Incomplete,
            },
            Encoding::QEMU_KEY | Encoding::EXTENDED_MOUSE_BUTTONS => {
                Step::Event(12, ServerEvent::Serves(encoding))
            }
            Encoding::POINTER_MOTION => Step::Event(
                12,
                ServerEvent::PointerMotion {
                    absolute: area.x != 0,
                },
            ),
            Encoding::LED_STATE => match self.buffer.get(12) {
                Some(locks) => Step::Event(13, ServerEvent::LedState(*locks)),
                None => Step::Incomplete,
            },
            Encoding::CURSOR | Encoding::CURSOR_WITH_ALPHA | Encoding::VMWARE_CURSOR => {
                match self.rects.cursor(&self.buffer[12..], area, encoding)? {
                    Some((len, image)) => Step::Event(12 + len, ServerEvent::Cursor(image)),
                    None => Step::Incomplete,
                }
            }
            _ => match self
                .rects
                .paint(&self.buffer[12..], area, encoding, surface)?
            {
                Some(len) => Step::Done(12 + len),
                None => Step::Incomplete,
            },
        };
        if !matches!(step, Step::Incomplete) {
            self.state = State::Update(left - 1);
        }
        Ok(step)
    }

    fn desktop_size(
        &mut self,
        len: usize,
        area: Rect,
        extended: Option<ExtendedSize>,
        surface: &mut impl Surface,
    ) -> Result<Step, DecodeError> {
        let Rect { width, height, .. } = area;
        self.check_size(width, height)?;
        self.rects.resize(width, height);
        surface.resize(width, height);
        Ok(Step::Event(
            len,
            ServerEvent::DesktopSize {
                width,
                height,
                extended,
            },
        ))
    }

    fn extended_desktop_size(
        &mut self,
        area: Rect,
        surface: &mut impl Surface,
    ) -> Result<Step, DecodeError> {
        let mut reader = Reader(&self.buffer[12..]);
        let Some(&[count, ..]) = reader.take(4).and_then(<[u8]>::first_chunk::<4>) else {
            return Ok(Step::Incomplete);
        };
        let mut screens = Vec::with_capacity(count.into());
        for _ in 0..count {
            let screen = (|| {
                let id = reader.u32()?;
                let area = Rect::new(reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
                Some(Screen {
                    id,
                    area,
                    flags: reader.u32()?,
                })
            })();
            let Some(screen) = screen else {
                return Ok(Step::Incomplete);
            };
            screens.push(screen);
        }
        let len = 16 + screens.len() * 16;
        let extended = ExtendedSize {
            reason: area.x,
            status: area.y,
            screens,
        };
        self.desktop_size(len, area, Some(extended), surface)
    }
}

fn check_text(len: u32, limit: u32) -> Result<(), DecodeError> {
    if len <= limit {
        Ok(())
    } else {
        Err(DecodeError::TooLarge {
            what: "a text in bytes",
            size: len.into(),
            limit: limit.into(),
        })
    }
}

/// A cursor no larger than allowed, from straight or multiplied colours.
pub(super) fn cursor_image(area: Rect, bgra: Vec<u8>) -> CursorImage {
    CursorImage::new(area.width, area.height, area.x, area.y, bgra)
}
