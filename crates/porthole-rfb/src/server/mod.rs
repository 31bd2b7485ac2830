//! Messages from display to viewer (section 7.6).

mod cursor;
pub mod h264;
mod predicted;
mod tight;
mod update;
mod zlib;
mod zrle;

pub use cursor::CursorImage;
pub use predicted::PredictedWriter;
pub(crate) use tight::{EXPLICIT_FILTER, FILL, FILTER_PALETTE, JPEG, MIN_TO_COMPRESS};
pub use tight::{MAX_JPEG, MAX_TIGHT_WIDTH, TightWriter};
pub use update::{ResizeReason, ResizeStatus, Update};
pub(crate) use zrle::TILE as ZRLE_TILE;
pub use zrle::ZrleWriter;

use crate::clipboard::Clipboard;

/// Message types, the first byte after the handshake.
pub mod kind {
    /// `FramebufferUpdate`.
    pub const FRAMEBUFFER_UPDATE: u8 = 0;
    /// `SetColourMapEntries`; never sent by Porthole.
    pub const SET_COLOUR_MAP_ENTRIES: u8 = 1;
    /// `Bell`.
    pub const BELL: u8 = 2;
    /// `ServerCutText`, plain and extended.
    pub const SERVER_CUT_TEXT: u8 = 3;
    /// `EndOfContinuousUpdates`.
    pub const END_OF_CONTINUOUS_UPDATES: u8 = 150;
    /// `ServerFence`.
    pub const FENCE: u8 = 248;
}

/// Appends `Bell`.
pub fn write_bell(out: &mut Vec<u8>) {
    out.push(kind::BELL);
}

/// Appends `ServerCutText` with a text in Latin-1
/// ([`to_latin1`](crate::clipboard::to_latin1)).
pub fn write_cut_text(latin1: &[u8], out: &mut Vec<u8>) {
    // A length with the highest bit set would be an extended clipboard message.
    let text = &latin1[..latin1.len().min(i32::MAX as usize)];
    out.extend([kind::SERVER_CUT_TEXT, 0, 0, 0]);
    out.extend((text.len() as u32).to_be_bytes());
    out.extend_from_slice(text);
}

/// Appends a message of the extended clipboard, for viewers that announced it.
pub fn write_clipboard(clipboard: &Clipboard, out: &mut Vec<u8>) {
    out.push(kind::SERVER_CUT_TEXT);
    clipboard.write(out);
}

/// Appends a fence of up to [`MAX_PAYLOAD`](crate::client::fence::MAX_PAYLOAD) bytes, for viewers
/// that announced them; the form is the same both ways. The answer to a viewer's fence has its
/// payload and its flags, those that are not known and
/// [`REQUEST`](crate::client::fence::REQUEST) cleared.
pub fn write_fence(flags: u32, payload: &[u8], out: &mut Vec<u8>) {
    let payload = &payload[..payload.len().min(crate::client::fence::MAX_PAYLOAD)];
    out.extend([kind::FENCE, 0, 0, 0]);
    out.extend(flags.to_be_bytes());
    out.push(payload.len() as u8);
    out.extend_from_slice(payload);
}

/// Appends `EndOfContinuousUpdates`: once when the viewer announces the extension, to tell that it
/// is served, and as the answer when it turns them off.
pub fn write_end_of_continuous_updates(out: &mut Vec<u8>) {
    out.push(kind::END_OF_CONTINUOUS_UPDATES);
}
