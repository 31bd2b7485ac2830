//! RFB 3.8 (RFC 6143) and the registered extensions that Porthole speaks, both ends.
//!
//! Pure: bytes in, messages out, and the other way round; no I/O, no async. What reads is bounded
//! in memory and answers bad input with an error, never a panic.
//!
//! - [`client`]: messages a viewer sends: an incremental parser and the writers.
//! - [`server`]: writers of what a display sends; [`server::Update`] builds one framebuffer update.
//! - [`decode`]: reads what a display sends.
//! - [`handshake`]: version, security and init messages.
//!
//! Section numbers are those of RFC 6143; extensions are described at
//! <https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst>.

pub mod client;
pub mod clipboard;
pub mod decode;
pub mod encoding;
pub mod frame;
pub mod geometry;
pub mod handshake;
pub mod pixel_format;
pub mod server;

mod predict;
mod reader;

pub use encoding::{Encoding, ViewerEncodings};
pub use frame::FrameView;
pub use geometry::{Rect, Screen};
pub use pixel_format::{Converter, PixelFormat};
