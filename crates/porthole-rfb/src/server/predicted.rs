//! Porthole's own lossless encoding for photographs and shades ([`Encoding::PREDICTED`]): the planes
//! of [`predict`](crate::predict), one after the other, as one zlib stream a rectangle (its length in
//! bytes before it, 32 bits). It needs nothing of the rectangles before.

use super::Update;
use crate::{
    encoding::Encoding,
    frame::FrameView,
    geometry::Rect,
    predict::{PLANES, Rows},
};
use zlib_rs::{DeflateConfig, Method, Strategy, compress_bound, compress_slice};

/// Runs and the numbers' frequencies are all that differences have: a search for what repeats takes
/// several times as long and finds less.
const CONFIG: DeflateConfig = DeflateConfig {
    level: 6,
    method: Method::Deflated,
    window_bits: 15,
    mem_level: 9,
    strategy: Strategy::Rle,
};

/// Writes such rectangles; used again and again to keep its memory.
#[derive(Debug, Default)]
pub struct PredictedWriter {
    rows: Rows,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl PredictedWriter {
    /// A rectangle, which must lie in the frame. For viewers whose pixels have 8 bits a colour.
    pub fn write(&mut self, update: &mut Update, frame: &FrameView, area: Rect) {
        let (width, pixels) = (usize::from(area.width), area.area());
        self.plain.resize(pixels * PLANES, 0);
        self.rows.begin(width);
        let (green, rest) = self.plain.split_at_mut(pixels);
        let (red, blue) = rest.split_at_mut(pixels);
        let planes = green
            .chunks_mut(width)
            .zip(red.chunks_mut(width))
            .zip(blue.chunks_mut(width));
        for (row, ((green, red), blue)) in frame.rows(area).zip(planes) {
            self.rows.differ(row, &mut [green, red, blue]);
        }
        self.packed.resize(compress_bound(self.plain.len()), 0);
        // Fails only without room, and there is enough for whatever comes.
        let (packed, _) = compress_slice(&mut self.packed, &self.plain, CONFIG);
        let out = update.rect(area, Encoding::PREDICTED);
        out.extend((packed.len() as u32).to_be_bytes());
        out.extend_from_slice(packed);
    }
}
