//! Messages from viewer to display (section 7.5).

mod parse;
mod write;

pub use parse::{ClientError, ClientLimits, ClientParser, Parsed};

use crate::{
    clipboard::Clipboard,
    encoding::Encoding,
    geometry::{Rect, Screen},
    handshake::Version,
    pixel_format::PixelFormat,
};
use bytes::Bytes;

/// Message types, the first byte after the handshake.
pub mod kind {
    /// `SetPixelFormat`.
    pub const SET_PIXEL_FORMAT: u8 = 0;
    /// `SetEncodings`.
    pub const SET_ENCODINGS: u8 = 2;
    /// `FramebufferUpdateRequest`.
    pub const FRAMEBUFFER_UPDATE_REQUEST: u8 = 3;
    /// `KeyEvent`.
    pub const KEY_EVENT: u8 = 4;
    /// `PointerEvent`.
    pub const POINTER_EVENT: u8 = 5;
    /// `ClientCutText`, plain and extended.
    pub const CLIENT_CUT_TEXT: u8 = 6;
    /// `EnableContinuousUpdates`.
    pub const ENABLE_CONTINUOUS_UPDATES: u8 = 150;
    /// `ClientFence`.
    pub const FENCE: u8 = 248;
    /// `SetDesktopSize`.
    pub const SET_DESKTOP_SIZE: u8 = 251;
    /// QEMU's messages.
    pub const QEMU: u8 = 255;
    /// QEMU's extended key event, the byte after [`QEMU`].
    pub const QEMU_KEY: u8 = 0;
}

/// Buttons of a pointer event.
pub mod button {
    /// Left.
    pub const LEFT: u16 = 1;
    /// Middle.
    pub const MIDDLE: u16 = 1 << 1;
    /// Right.
    pub const RIGHT: u16 = 1 << 2;
    /// One step of the wheel up.
    pub const WHEEL_UP: u16 = 1 << 3;
    /// One step of the wheel down.
    pub const WHEEL_DOWN: u16 = 1 << 4;
    /// One step of the wheel to the left.
    pub const WHEEL_LEFT: u16 = 1 << 5;
    /// One step of the wheel to the right.
    pub const WHEEL_RIGHT: u16 = 1 << 6;
    /// Back.
    pub const BACK: u16 = 1 << 7;
    /// Forward.
    pub const FORWARD: u16 = 1 << 8;
}

/// Where nothing moved, in pointer events that tell of motion
/// ([`Encoding::POINTER_MOTION`](crate::Encoding::POINTER_MOTION)).
pub const NO_MOTION: u16 = 0x7fff;

/// Locks of a keyboard ([`Encoding::LED_STATE`](crate::Encoding::LED_STATE)).
pub mod lock {
    /// Scroll Lock.
    pub const SCROLL: u8 = 1;
    /// Num Lock.
    pub const NUM: u8 = 1 << 1;
    /// Caps Lock.
    pub const CAPS: u8 = 1 << 2;
}

/// Flags of a fence.
pub mod fence {
    /// Answer after everything before it is done.
    pub const BLOCK_BEFORE: u32 = 1;
    /// Do nothing after it before it is answered.
    pub const BLOCK_AFTER: u32 = 1 << 1;
    /// The next message and the answer are one.
    pub const SYNC_NEXT: u32 = 1 << 2;
    /// It wants an answer; clear in the answer.
    pub const REQUEST: u32 = 1 << 31;
    /// All that are known; others are cleared in the answer.
    pub const KNOWN: u32 = BLOCK_BEFORE | BLOCK_AFTER | SYNC_NEXT | REQUEST;
    /// The most bytes of a payload.
    pub const MAX_PAYLOAD: usize = 64;
}

/// A message of a viewer, those of the handshake included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// The first: the version.
    ProtocolVersion(Version),
    /// The security type chosen (3.7 and later).
    SecurityType(u8),
    /// The last of the handshake.
    ClientInit {
        /// Whether others may stay connected.
        shared: bool,
    },
    /// The format of pixels from now on, as received: see [`PixelFormat::check`].
    SetPixelFormat(PixelFormat),
    /// The encodings it takes, as received.
    SetEncodings(Vec<Encoding>),
    /// Asks for an update.
    FramebufferUpdateRequest {
        /// Whether changes are enough.
        incremental: bool,
        /// Where; may lie outside the framebuffer.
        area: Rect,
    },
    /// A key.
    Key {
        /// Pressed or released.
        down: bool,
        /// X's key symbol.
        keysym: u32,
    },
    /// The pointer.
    Pointer {
        /// Flags of [`button`].
        buttons: u16,
        /// Where; may lie outside the framebuffer.
        x: u16,
        /// See `x`.
        y: u16,
    },
    /// Text in Latin-1.
    CutText(Bytes),
    /// The extended clipboard.
    Clipboard(Clipboard),
    /// Updates without requests, on or off.
    EnableContinuousUpdates {
        /// On or off.
        enable: bool,
        /// Where.
        area: Rect,
    },
    /// A fence, or the answer to the server's.
    Fence {
        /// Flags of [`fence`], as received.
        flags: u32,
        /// To be returned as it is; up to [`fence::MAX_PAYLOAD`] bytes.
        payload: Bytes,
    },
    /// Asks for another size of the framebuffer.
    SetDesktopSize {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
        /// The screens on it.
        screens: Vec<Screen>,
    },
    /// A key with the code of its place on the keyboard.
    QemuKey {
        /// Pressed or released.
        down: bool,
        /// X's key symbol; 0 where the viewer knows none.
        keysym: u32,
        /// XT scan code, with `0xe0` as bit 7 for those that have it.
        keycode: u32,
    },
    /// A message over a limit. It is skipped: its bytes are not there, and [`Parsed::raw`] is
    /// empty.
    Oversized {
        /// Its type of [`kind`].
        kind: u8,
        /// The length of what is variable in it, in bytes.
        len: u32,
    },
}
