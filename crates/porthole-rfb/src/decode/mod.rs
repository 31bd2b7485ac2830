//! The viewer's side: reads what a display sends, every message of [`server`](crate::server), and
//! paints it on a [`Surface`].
//!
//! Nothing is decoded before all of it is there, one rectangle at a time; memory is bounded by
//! [`DecoderLimits`] whatever the server sends.

mod h264;
mod messages;
mod picture;
mod predicted;
mod rects;
mod tight;
mod zlib;
mod zrle;

pub use messages::{Decoder, DecoderLimits};
pub use picture::Picture;

use crate::{
    clipboard::{Clipboard, ClipboardError},
    encoding::Encoding,
    geometry::{Rect, Screen},
    handshake::{ServerInit, Version},
    pixel_format::BadFormat,
    server::CursorImage,
};
use bytes::Bytes;

/// Where the decoder paints. Every rectangle lies in the framebuffer and is not empty.
pub trait Surface {
    /// The framebuffer has this size from now on. What is painted stays where it fits.
    fn resize(&mut self, width: u16, height: u16);

    /// Pixels: bytes blue, green, red and one without meaning, rows without gaps.
    fn pixels(&mut self, area: Rect, bgrx: &[u8]);

    /// One colour `0xRRGGBB`.
    fn fill(&mut self, area: Rect, colour: u32);

    /// Pixels from another place, which may overlap.
    fn copy(&mut self, area: Rect, from_x: u16, from_y: u16);

    /// A JPEG, not looked at yet, of what should have the area's size.
    fn jpeg(&mut self, area: Rect, jpeg: &[u8]);

    /// H.264 in Annex B form, not looked at yet, for the context of that area, after what the flags
    /// of [`h264`](crate::server::h264) ask for. Without data there is nothing to paint.
    fn h264(&mut self, area: Rect, flags: u32, data: &[u8]);

    /// Whether the surface wants to be emptied before anything else is painted: the decoder asks
    /// after each rectangle, and then stops with [`ServerEvent::Paused`].
    fn is_full(&self) -> bool {
        false
    }
}

/// What a display says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent {
    /// The first message: the highest version it speaks.
    ProtocolVersion(Version),
    /// The security types it offers, or the one it chose (3.3).
    SecurityTypes(Vec<u8>),
    /// Whether the connection is allowed (3.8); `None`: it is, else the reason.
    SecurityResult(Option<String>),
    /// It refuses the connection before any security type.
    Refused(String),
    /// The end of the handshake. The surface has its size.
    Init(ServerInit),
    /// All rectangles of an update are painted.
    UpdateEnd,
    /// In the midst of an update: the surface [is full](Surface::is_full). Nothing came from the
    /// display.
    Paused,
    /// The framebuffer's size, and why and how a request to change it ended. The surface has it.
    DesktopSize {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
        /// Reason and status as numbers, and screens, where the display said so.
        extended: Option<ExtendedSize>,
    },
    /// The desktop's name.
    DesktopName(String),
    /// The cursor.
    Cursor(CursorImage),
    /// An extension is served: [`Encoding::QEMU_KEY`] or [`Encoding::EXTENDED_MOUSE_BUTTONS`].
    Serves(Encoding),
    /// What pointer events tell from now on.
    PointerMotion {
        /// Places; else how far the pointer moved.
        absolute: bool,
    },
    /// The state of the keyboard's locks, flags of [`lock`](crate::client::lock).
    LedState(u8),
    /// The bell.
    Bell,
    /// Text in Latin-1.
    CutText(Bytes),
    /// The extended clipboard.
    Clipboard(Clipboard),
    /// A text of this many bytes was over the limit and is skipped.
    CutTextSkipped(u32),
    /// A fence.
    Fence {
        /// Flags of [`fence`](crate::client::fence).
        flags: u32,
        /// To be returned.
        payload: Bytes,
    },
    /// Continuous updates ended, or are served.
    EndOfContinuousUpdates,
}

/// The rest of an extended desktop size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedSize {
    /// 0: the server, 1: this viewer, 2: another.
    pub reason: u16,
    /// 0: done; see [`ResizeStatus`](crate::server::ResizeStatus).
    pub status: u16,
    /// The screens.
    pub screens: Vec<Screen>,
}

/// A display that does not speak RFB as this crate does. The stream cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The first message.
    #[error("the display's first message is not an RFB version")]
    Version,
    /// A message type that is not known.
    #[error("the display sent a message of unknown type {0}")]
    UnknownType(u8),
    /// An encoding that was not asked for.
    #[error("the display sent a rectangle of unknown encoding {0}")]
    UnknownEncoding(i32),
    /// A rectangle outside the framebuffer.
    #[error("the display sent a rectangle outside the framebuffer: {0:?}")]
    Outside(Rect),
    /// Something larger than allowed.
    #[error("the display sent {what} of {size}; {limit} are allowed")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How large: bytes or pixels.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The format is not served by the decoder.
    #[error(transparent)]
    Format(#[from] BadFormat),
    /// Broken contents of an encoding.
    #[error("the display sent a broken rectangle: {0}")]
    Broken(&'static str),
    /// A broken clipboard message.
    #[error(transparent)]
    Clipboard(#[from] ClipboardError),
}
