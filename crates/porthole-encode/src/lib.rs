//! Pixels to rectangles.
//!
//! A [`Comparer`] is shared by all viewers of a framebuffer: it turns damage into what really
//! changed. An [`Encoder`] belongs to one viewer: it writes the rectangles of an update in the
//! viewer's encodings, and remembers where the viewer has less than the exact picture.

mod classify;
mod compare;
mod encoder;
mod jpeg;
mod region;

pub use compare::Comparer;
pub use encoder::Encoder;
pub use jpeg::{Jpeg, JpegError, JpegQuality, Quality, TurboJpeg};
pub use porthole_rfb::{FrameView, Rect, encoding::Subsampling};
pub use region::Region;
