//! Pixels to rectangles.
//!
//! An [`Encoder`] belongs to one viewer: it writes the rectangles of an update in the viewer's
//! encodings, and remembers where the viewer has less than the exact picture. What changed is for
//! its user to know, as a [`Region`]. The encoders of one screen have a [`Common`]: what is the same
//! for several viewers is made once.

mod classify;
mod common;
mod edges;
mod encoder;
mod grid;
mod h264;
mod jpeg;
mod plan;
mod policy;
mod region;
mod video;
mod yuv;

pub use common::Common;
pub use encoder::Encoder;
pub use h264::{H264Error, H264Stream};
pub use jpeg::{Jpeg, JpegError, JpegQuality, Quality, TurboJpeg};
pub use policy::Link;
pub use porthole_rfb::{FrameView, Rect, encoding::Subsampling};
pub use region::Region;
