//! Cursors.

use crate::{
    geometry::Rect,
    pixel_format::{Converter, Packing},
};

/// A cursor's picture as X gives it: bytes blue, green, red, alpha, the colours already multiplied
/// by alpha.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CursorImage {
    width: u16,
    height: u16,
    hot_x: u16,
    hot_y: u16,
    bgra: Vec<u8>,
}

impl CursorImage {
    /// From rows of pixels without gaps. Missing bytes are transparent; a hot spot outside is moved
    /// to the edge. An empty picture means that there is no cursor to see.
    pub fn new(width: u16, height: u16, hot_x: u16, hot_y: u16, mut bgra: Vec<u8>) -> Self {
        bgra.resize(usize::from(width) * usize::from(height) * 4, 0);
        Self {
            width,
            height,
            hot_x: hot_x.min(width.saturating_sub(1)),
            hot_y: hot_y.min(height.saturating_sub(1)),
            bgra,
        }
    }

    /// Width in pixels.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> u16 {
        self.height
    }

    /// The hot spot, from the top left corner.
    pub const fn hot_spot(&self) -> (u16, u16) {
        (self.hot_x, self.hot_y)
    }

    /// The pixels.
    pub fn bgra(&self) -> &[u8] {
        &self.bgra
    }

    /// The rectangle that stands for hot spot and size.
    pub(super) const fn area(&self) -> Rect {
        Rect::new(self.hot_x, self.hot_y, self.width, self.height)
    }

    pub(super) fn write_masked(&self, converter: &Converter, out: &mut Vec<u8>) {
        let (pixels, _) = self.bgra.as_chunks::<4>();
        let plain: Vec<u8> = pixels.iter().flat_map(|pixel| straight(*pixel)).collect();
        converter.write_row(&plain, Packing::Whole, out);
        for row in pixels.chunks(usize::from(self.width).max(1)) {
            for bits in row.chunks(8) {
                let byte = bits
                    .iter()
                    .zip(0..)
                    .fold(0_u8, |byte, (&[.., alpha], bit)| {
                        byte | if alpha >= 128 { 0x80 >> bit } else { 0 }
                    });
                out.push(byte);
            }
        }
    }

    /// Red, green, blue, alpha, multiplied or not.
    pub(super) fn write_rgba(&self, multiplied: bool, out: &mut Vec<u8>) {
        let (pixels, _) = self.bgra.as_chunks::<4>();
        out.extend(pixels.iter().flat_map(|&pixel| {
            let [blue, green, red, alpha] = if multiplied { pixel } else { straight(pixel) };
            [red, green, blue, alpha]
        }));
    }
}

/// A pixel with its colours not multiplied by alpha.
fn straight([blue, green, red, alpha]: [u8; 4]) -> [u8; 4] {
    if alpha == 0 {
        return [0; 4];
    }
    let colour = |value: u8| {
        ((u16::from(value) * 255 + u16::from(alpha) / 2) / u16::from(alpha)).min(255) as u8
    };
    [colour(blue), colour(green), colour(red), alpha]
}
