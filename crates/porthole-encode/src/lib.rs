//! Pixels to rectangles.
//!
//! An [`Encoder`] belongs to one viewer: it writes the rectangles of an update in the viewer's
//! encodings, and remembers where the viewer has less than the exact picture. What changed is for
//! its user to know, as a [`Region`].

mod classify;
mod edges;
mod encoder;
mod grid;
mod h264;
mod jpeg;
mod policy;
mod region;
mod video;
mod yuv;

pub use encoder::Encoder;
pub use h264::{H264Error, H264Stream};
pub use jpeg::{Jpeg, JpegError, JpegQuality, Quality, TurboJpeg};
pub use policy::Link;
pub use porthole_rfb::{FrameView, Rect, encoding::Subsampling};
pub use region::Region;
