//! What neighbours tell about a pixel: photographs and shades become small numbers, which compress.
//!
//! Colours are taken apart into green, red less green and blue less green, since what changes the
//! brightness changes all three. Each value is told from those at its left, above and between, by
//! the median of LOCO-I (Weinberger, Seroussi, Sapiro, IEEE Transactions on Image Processing 9(8),
//! 2000); the difference is what is left.

use crate::frame::PIXEL;

/// Planes of a picture.
pub(crate) const PLANES: usize = 3;
/// Differences of colours lie around the middle, so that few of them wrap.
const MIDDLE: u8 = 128;

/// A row and the one above, plane by plane, each with one value more at the left.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    above: [Vec<u8>; PLANES],
    here: [Vec<u8>; PLANES],
}

fn median(left: u8, above: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(above), i16::from(corner));
    a.min(b).max(a.max(b).min(a + b - c)) as u8
}

impl Rows {
    /// Begins a picture of this width.
    pub(crate) fn begin(&mut self, width: usize) {
        for row in self.above.iter_mut().chain(&mut self.here) {
            row.clear();
            row.resize(width + 1, 0);
        }
    }

    /// Takes a row of pixels (blue, green, red, nothing) and gives what is left of each plane.
    pub(crate) fn differ(&mut self, pixels: &[u8], out: &mut [&mut [u8]; PLANES]) {
        let [green, red, blue] = &mut self.here;
        for (index, pixel) in pixels.as_chunks::<PIXEL>().0.iter().enumerate() {
            green[index + 1] = pixel[1];
            red[index + 1] = pixel[2].wrapping_sub(pixel[1]).wrapping_add(MIDDLE);
            blue[index + 1] = pixel[0].wrapping_sub(pixel[1]).wrapping_add(MIDDLE);
        }
        for ((above, here), out) in self.above.iter().zip(&mut self.here).zip(out) {
            here[0] = above[1];
            let told = here.iter().zip(&above[1..]).zip(above);
            for ((out, value), ((left, up), corner)) in out.iter_mut().zip(&here[1..]).zip(told) {
                *out = value.wrapping_sub(median(*left, *up, *corner));
            }
        }
        std::mem::swap(&mut self.above, &mut self.here);
    }

    /// The way back: appends a row of pixels, whose last byte is 0.
    pub(crate) fn restore(&mut self, left_over: &[&[u8]; PLANES], pixels: &mut Vec<u8>) {
        for ((above, here), left_over) in self.above.iter().zip(&mut self.here).zip(left_over) {
            let (mut left, mut corner) = (above[1], above[1]);
            for ((here, difference), up) in here[1..].iter_mut().zip(*left_over).zip(&above[1..]) {
                left = difference.wrapping_add(median(left, *up, corner));
                corner = *up;
                *here = left;
            }
        }
        let [green, red, blue] = &self.here;
        for ((green, red), blue) in green[1..].iter().zip(&red[1..]).zip(&blue[1..]) {
            let red = red.wrapping_sub(MIDDLE).wrapping_add(*green);
            let blue = blue.wrapping_sub(MIDDLE).wrapping_add(*green);
            pixels.extend([blue, *green, red, 0]);
        }
        std::mem::swap(&mut self.above, &mut self.here);
    }
}
