//! Pixels as video has them: brightness for each, colour for each four (I420).
//!
//! BT.601 in the limited range: what viewers take that do not read what the stream says of its
//! colours, and what [`h264`](crate::h264) makes the stream say.

use openh264::formats::YUVSource;
use porthole_rfb::{FrameView, Rect, frame::PIXEL};

/// A picture in I420; its width and height are even.
#[derive(Debug, Default)]
pub(crate) struct I420 {
    width: usize,
    height: usize,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl I420 {
    /// Takes over a part of a frame, which lies in it and has an even width and height.
    pub(crate) fn fill(&mut self, frame: &FrameView, area: Rect) {
        self.width = area.width.into();
        self.height = area.height.into();
        let pixels = area.area();
        self.y.resize(pixels, 0);
        self.u.resize(pixels / 4, 0);
        self.v.resize(pixels / 4, 0);
        let mut rows = frame.rows(area);
        let planes = self
            .y
            .chunks_exact_mut((self.width * 2).max(1))
            .zip(self.u.chunks_exact_mut((self.width / 2).max(1)))
            .zip(self.v.chunks_exact_mut((self.width / 2).max(1)));
        for ((y, u), v) in planes {
            let (Some(upper), Some(lower)) = (rows.next(), rows.next()) else {
                return;
            };
            let (above, below) = y.split_at_mut(self.width);
            luma(upper, above);
            luma(lower, below);
            chroma(upper, lower, u, v);
        }
    }
}

impl YUVSource for I420 {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.width, self.width / 2, self.width / 2)
    }

    fn y(&self) -> &[u8] {
        &self.y
    }

    fn u(&self) -> &[u8] {
        &self.u
    }

    fn v(&self) -> &[u8] {
        &self.v
    }
}

/// The brightness of a row. Weights are 256ths; no sum leaves its 16 bits, and without checks of
/// that the compiler does eight pixels at once.
fn luma(row: &[u8], out: &mut [u8]) {
    for (pixel, out) in row.as_chunks::<PIXEL>().0.iter().zip(out) {
        let pixel = u32::from_le_bytes(*pixel);
        let blue = (pixel & 0xff) as u16;
        let green = (pixel >> 8 & 0xff) as u16;
        let red = (pixel >> 16 & 0xff) as u16;
        let sum = red
            .wrapping_mul(66)
            .wrapping_add(green.wrapping_mul(129))
            .wrapping_add(blue.wrapping_mul(25))
            .wrapping_add(128);
        *out = ((sum >> 8) as u8).wrapping_add(16);
    }
}

/// The colour of each four pixels of two rows.
fn chroma(upper: &[u8], lower: &[u8], us: &mut [u8], vs: &mut [u8]) {
    let upper = upper.as_chunks::<PIXEL>().0.as_chunks::<2>().0;
    let lower = lower.as_chunks::<PIXEL>().0.as_chunks::<2>().0;
    let pairs = upper.iter().zip(lower);
    for ((upper, lower), (u, v)) in pairs.zip(us.iter_mut().zip(vs)) {
        // Red and blue side by side in one number, with room for their sums.
        let (mut red_blue, mut green) = (0x2_0002_u32, 2_u32);
        for pixel in [upper[0], upper[1], lower[0], lower[1]] {
            let pixel = u32::from_le_bytes(pixel);
            red_blue = red_blue.wrapping_add(pixel & 0xff_00ff);
            green = green.wrapping_add(pixel >> 8 & 0xff);
        }
        let blue = (red_blue >> 2 & 0xff) as i16;
        let green = (green >> 2) as i16;
        let red = (red_blue >> 18) as i16;
        let weigh = |most: i16, one: i16, other: i16, by: i16, the_other_by: i16| {
            let sum = most
                .wrapping_mul(112)
                .wrapping_sub(one.wrapping_mul(by))
                .wrapping_sub(other.wrapping_mul(the_other_by))
                .wrapping_add(128);
            ((sum >> 8) as u8).wrapping_add(128)
        };
        *u = weigh(blue, green, red, 74, 38);
        *v = weigh(red, green, blue, 94, 18);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same with real numbers: Y, U and V of one colour.
    fn reference(blue: f64, green: f64, red: f64) -> [f64; 3] {
        let y = 0.299 * red + 0.587 * green + 0.114 * blue;
        [
            16.0 + y * 219.0 / 255.0,
            128.0 + (blue - y) / 1.772 * 224.0 / 255.0,
            128.0 + (red - y) / 1.402 * 224.0 / 255.0,
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_real_numbers(
            half_width in 1_usize..40,
            half_height in 1_usize..6,
            x in 0_u16..5,
            y in 0_u16..5,
            extreme in any::<bool>(),
            seed in any::<u32>(),
        ) {
            let (width, height) = (half_width * 2, half_height * 2);
            let (wide, high) = (width + 9, height + 7);
            let mut state = seed;
            let bytes: Vec<u8> = (0..wide * high * 4)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let byte = (state >> 24) as u8;
                    if extreme { if byte < 128 { 0 } else { 255 } } else { byte }
                })
                .collect();
            let frame = FrameView::new(&bytes, wide * 4, wide as u16, high as u16).unwrap();
            let mut picture = I420::default();
            picture.fill(&frame, Rect::new(x, y, width as u16, height as u16));
            let colour = |column: usize, row: usize, channel: usize| {
                let at = ((usize::from(y) + row) * wide + usize::from(x) + column) * 4;
                f64::from(bytes[at + channel])
            };
            for row in 0..height {
                for column in 0..width {
                    let [expected, ..] =
                        reference(colour(column, row, 0), colour(column, row, 1), colour(column, row, 2));
                    let got = f64::from(picture.y()[row * width + column]);
                    prop_assert!((got - expected).abs() <= 1.0, "{} for {}", got, expected);
                }
            }
            for row in 0..half_height {
                for column in 0..half_width {
                    let mean = |channel| {
                        let at = |right, down| colour(column * 2 + right, row * 2 + down, channel);
                        (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4.0
                    };
                    let [_, u, v] = reference(mean(0), mean(1), mean(2));
                    let at = row * half_width + column;
                    let (got_u, got_v) = (f64::from(picture.u()[at]), f64::from(picture.v()[at]));
                    prop_assert!((got_u - u).abs() <= 1.3, "{} for {}", got_u, u);
                    prop_assert!((got_v - v).abs() <= 1.3, "{} for {}", got_v, v);
                }
            }
        }
    }
}
