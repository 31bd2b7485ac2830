//! Porthole's own lossless encoding; see [`server`](crate::server).

use super::{DecodeError, Surface, zlib::Inflater};
use crate::{
    geometry::Rect,
    predict::{PLANES, Rows},
    reader::Reader,
};

/// Reads such rectangles; used again and again to keep its memory.
#[derive(Default)]
pub(super) struct Predicted {
    rows: Rows,
    plain: Vec<u8>,
    pixels: Vec<u8>,
}

impl Predicted {
    /// Paints a rectangle and tells its length; `None` when not all of it is there.
    pub(super) fn paint(
        &mut self,
        bytes: &[u8],
        area: Rect,
        surface: &mut impl Surface,
    ) -> Result<Option<usize>, DecodeError> {
        let (width, pixels) = (usize::from(area.width), area.area());
        let mut reader = Reader(bytes);
        let Some(len) = reader.u32().map(|len| len as usize) else {
            return Ok(None);
        };
        // What cannot be compressed grows a little.
        let limit = pixels * PLANES + pixels / 64 + 1024;
        if len > limit {
            return Err(DecodeError::TooLarge {
                what: "a rectangle of predicted pixels in bytes",
                size: len as u64,
                limit: limit as u64,
            });
        }
        let Some(packed) = reader.take(len) else {
            return Ok(None);
        };
        if area.is_empty() {
            return Ok(Some(4 + len));
        }
        Inflater::new().inflate_exact(packed, pixels * PLANES, &mut self.plain)?;
        self.rows.begin(width);
        self.pixels.clear();
        self.pixels.reserve(pixels * 4);
        let (green, rest) = self.plain.split_at(pixels);
        let (red, blue) = rest.split_at(pixels);
        for ((green, red), blue) in green
            .chunks(width)
            .zip(red.chunks(width))
            .zip(blue.chunks(width))
        {
            self.rows.restore(&[green, red, blue], &mut self.pixels);
        }
        surface.pixels(area, &self.pixels);
        Ok(Some(4 + len))
    }
}
