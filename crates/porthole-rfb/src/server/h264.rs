//! Open H.264, encoding 50 of the community's registry: an area as a video of its own.
//!
//! The viewer keeps a decoder, called context, for each rectangle by its place and size; what a
//! rectangle brings continues the stream of its context.

use super::Update;
use crate::{encoding::Encoding, geometry::Rect};

/// Flag: the rectangle's context begins anew before its data.
pub const RESET_CONTEXT: u32 = 1;
/// Flag: all contexts begin anew before the rectangle's data.
pub const RESET_ALL_CONTEXTS: u32 = 2;

/// The most bytes that a rectangle's data may have: more than its pixels uncompressed would take,
/// with headers.
pub const fn max_len(area: Rect) -> usize {
    let blocks = (area.width as usize).div_ceil(16) * (area.height as usize).div_ceil(16);
    blocks * 512 + 4096
}

impl Update {
    /// The next picture of an area's video, in Annex B form, at most [`max_len`] bytes. Without
    /// data only the flags count. For viewers that list [`Encoding::OPEN_H264`].
    pub fn h264(&mut self, area: Rect, flags: u32, data: &[u8]) {
        debug_assert!(data.len() <= max_len(area), "more H.264 than viewers take");
        let out = self.rect(area, Encoding::OPEN_H264);
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(flags.to_be_bytes());
        out.extend_from_slice(data);
    }
}
