//! The extended clipboard: text in Unicode, announced and fetched on demand (community document,
//! *Extended Clipboard Pseudo-Encoding*). Other formats than text are named but not carried.

use crate::reader::Reader;
use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Formats and actions of an extended clipboard message.
pub mod flags {
    /// Format: text in UTF-8, lines ending with CR LF, with a 0 at the end.
    pub const TEXT: u32 = 1;
    /// Format: Rich Text Format.
    pub const RTF: u32 = 1 << 1;
    /// Format: HTML.
    pub const HTML: u32 = 1 << 2;
    /// All formats.
    pub const FORMATS: u32 = 0xffff;
    /// Action: tells what the sender takes.
    pub const CAPS: u32 = 1 << 24;
    /// Action: asks for formats.
    pub const REQUEST: u32 = 1 << 25;
    /// Action: asks which formats there are.
    pub const PEEK: u32 = 1 << 26;
    /// Action: tells which formats there are.
    pub const NOTIFY: u32 = 1 << 27;
    /// Action: gives formats.
    pub const PROVIDE: u32 = 1 << 28;
    /// All actions.
    pub const ACTIONS: u32 = CAPS | REQUEST | PEEK | NOTIFY | PROVIDE;
}

/// An extended clipboard message; the same in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clipboard {
    /// What the sender can do.
    Caps(Caps),
    /// Asks for formats.
    Request {
        /// Formats of [`flags`].
        formats: u32,
    },
    /// Asks for a [`Notify`](Self::Notify).
    Peek,
    /// Tells which formats the sender has.
    Notify {
        /// Formats of [`flags`]; 0 when the clipboard is empty.
        formats: u32,
    },
    /// Gives the contents.
    Provide(Provided),
    /// No action, several, or one that is not known. To be ignored.
    Unknown {
        /// As received.
        flags: u32,
    },
}

/// What one side can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Formats and actions of [`flags`].
    pub flags: u32,
    /// The largest text in bytes that it wants unasked; 0: to be notified only.
    pub text: u32,
}

impl Caps {
    /// What Porthole does: text, all actions.
    pub const fn ours(text: u32) -> Self {
        Self {
            flags: flags::TEXT | flags::REQUEST | flags::PEEK | flags::NOTIFY | flags::PROVIDE,
            text,
        }
    }

    /// What a side can do that announced the extension and has not sent its own yet.
    pub const ASSUMED: Self = Self {
        flags: flags::TEXT
            | flags::RTF
            | flags::HTML
            | flags::REQUEST
            | flags::NOTIFY
            | flags::PROVIDE,
        text: 20 << 20,
    };

    /// Whether all these flags are there.
    pub const fn has(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }
}

/// Contents of the clipboard, still compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provided {
    /// Formats of [`flags`] that are in it.
    pub formats: u32,
    /// A zlib stream: for each format a length of four bytes and that many bytes.
    pub deflated: Bytes,
}

/// A clipboard message that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipboardError {
    /// Its end is missing.
    #[error("the clipboard message is cut short")]
    Short,
    /// Not a zlib stream.
    #[error("the clipboard's contents cannot be decompressed")]
    Zlib,
    /// Larger than allowed.
    #[error("the clipboard's text of {len} bytes is larger than the {limit} that are allowed")]
    TooLarge {
        /// Its size.
        len: u32,
        /// The limit.
        limit: u32,
    },
    /// Not UTF-8.
    #[error("the clipboard's text is not UTF-8")]
    Utf8,
}

impl Clipboard {
    /// Reads what follows the length of a cut text message.
    ///
    /// # Errors
    /// When it is cut short.
    pub fn parse(body: &Bytes) -> Result<Self, ClipboardError> {
        let mut reader = Reader(body);
        let all = reader.u32().ok_or(ClipboardError::Short)?;
        let formats = all & flags::FORMATS;
        if all & flags::CAPS != 0 {
            let mut text = 0;
            for format in (0..16)
                .map(|bit| 1 << bit)
                .filter(|format| formats & format != 0)
            {
                let size = reader.u32().ok_or(ClipboardError::Short)?;
                if format == flags::TEXT {
                    text = size;
                }
            }
            return Ok(Self::Caps(Caps {
                flags: all & !flags::CAPS,
                text,
            }));
        }
        Ok(match all & flags::ACTIONS {
            flags::REQUEST => Self::Request { formats },
            flags::PEEK => Self::Peek,
            flags::NOTIFY => Self::Notify { formats },
            flags::PROVIDE => Self::Provide(Provided {
                formats,
                deflated: body.slice(4..),
            }),
            _ => Self::Unknown { flags: all },
        })
    }

    /// A message that gives a text. Line ends become CR LF.
    pub fn provide(text: &str) -> Self {
        Self::Provide(Provided::from_text(text))
    }

    /// Appends what follows a cut text message's first byte: padding, length, contents.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend([0; 3]);
        let start = out.len();
        out.extend([0; 4]);
        match self {
            Self::Caps(caps) => {
                out.extend(
                    (caps.flags & !flags::FORMATS | flags::TEXT | flags::CAPS).to_be_bytes(),
                );
                out.extend(caps.text.to_be_bytes());
            }
            Self::Request { formats } => {
                out.extend((flags::REQUEST | formats & flags::FORMATS).to_be_bytes());
            }
            Self::Peek => out.extend(flags::PEEK.to_be_bytes()),
            Self::Notify { formats } => {
                out.extend((flags::NOTIFY | formats & flags::FORMATS).to_be_bytes());
            }
            Self::Provide(provided) => {
                out.extend((flags::PROVIDE | provided.formats & flags::FORMATS).to_be_bytes());
                out.extend_from_slice(&provided.deflated);
            }
            Self::Unknown { flags } => out.extend(flags.to_be_bytes()),
        }
        // A negative length tells the extension from plain text.
        let len = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&len.wrapping_neg().to_be_bytes());
    }
}

impl Provided {
    /// From a text.
    pub fn from_text(text: &str) -> Self {
        let mut plain = vec![0; 4];
        let mut lines = text.split('\n');
        if let Some(first) = lines.next() {
            plain.extend(first.as_bytes());
        }
        for line in lines {
            if plain.last() != Some(&b'\r') {
                plain.push(b'\r');
            }
            plain.push(b'\n');
            plain.extend(line.as_bytes());
        }
        plain.push(0);
        let len = (plain.len() - 4) as u32;
        plain[..4].copy_from_slice(&len.to_be_bytes());
        Self {
            formats: flags::TEXT,
            deflated: deflate(&plain).into(),
        }
    }

    /// The text, with lines ending in LF; `None` where it holds none.
    ///
    /// # Errors
    /// When it is larger than `limit` bytes on the wire, or not what it says. At most `limit` bytes
    /// and a little are ever decompressed.
    pub fn text(&self, limit: u32) -> Result<Option<String>, ClipboardError> {
        if self.formats & flags::TEXT == 0 {
            return Ok(None);
        }
        // Text is the lowest bit, so it comes first.
        let mut inflate = Inflate {
            state: Decompress::new(true),
            input: &self.deflated,
        };
        let mut len = [0; 4];
        inflate.fill(&mut len)?;
        let len = u32::from_be_bytes(len);
        if len > limit {
            return Err(ClipboardError::TooLarge { len, limit });
        }
        // Grown as the data comes, so that a length alone costs nothing.
        let mut text = Vec::new();
        while text.len() < len as usize {
            let start = text.len();
            text.resize((start + 64 * 1024).min(len as usize), 0);
            inflate.fill(&mut text[start..])?;
        }
        while text.last() == Some(&0) {
            text.pop();
        }
        let text = String::from_utf8(text).map_err(|_| ClipboardError::Utf8)?;
        Ok(Some(if text.contains("\r\n") {
            text.replace("\r\n", "\n")
        } else {
            text
        }))
    }
}

struct Inflate<'a> {
    state: Decompress,
    input: &'a [u8],
}

impl Inflate<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), ClipboardError> {
        let mut filled = 0;
        while filled < out.len() {
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(self.input, &mut out[filled..], FlushDecompress::Sync)
                .map_err(|_| ClipboardError::Zlib)?;
            let read = (self.state.total_in() - read) as usize;
            let written = (self.state.total_out() - written) as usize;
            self.input = &self.input[read..];
            filled += written;
            if filled < out.len() && (status == Status::StreamEnd || read + written == 0) {
                return Err(ClipboardError::Short);
            }
        }
        Ok(())
    }
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut state = Compress::new(Compression::default(), true);
    // zlib's bound on what does not compress, so that one call is enough nearly always.
    let mut out = Vec::with_capacity(plain.len() + plain.len() / 1000 + 64);
    loop {
        let input = &plain[state.total_in() as usize..];
        match state.compress_vec(input, &mut out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) | Err(_) => return out,
            Ok(Status::Ok | Status::BufError) => out.reserve(4096),
        }
    }
}

/// The Latin-1 bytes of a plain cut text as a string.
pub fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// A string as Latin-1 for a plain cut text; what it lacks becomes `?`.
pub fn to_latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|char| u8::try_from(char).unwrap_or(b'?'))
        .collect()
}
