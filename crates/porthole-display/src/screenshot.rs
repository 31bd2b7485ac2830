//! A small picture of the screen.

use crate::{desktop::Desktop, geometry::Size};
use porthole_rfb::{FrameView, Rect};

/// A screenshot that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ScreenshotError {
    /// By the JPEG library.
    #[error("the screenshot could not be compressed: {0}")]
    Jpeg(#[from] turbojpeg::Error),
    /// The frame cannot be read.
    #[error(transparent)]
    Frame(#[from] porthole_rfb::frame::BadFrame),
}

/// A JPEG of the screen as it was captured last, as large as fits `within` but never larger than
/// the screen.
///
/// # Errors
/// When the JPEG library fails.
pub fn take(desktop: &Desktop, within: Size, quality: u8) -> Result<Vec<u8>, ScreenshotError> {
    let (size, pixels) = {
        let frame = desktop.frame();
        let size = fit(frame.size(), within);
        (size, scale(&frame.view()?, size))
    };
    let image = turbojpeg::Image {
        pixels: pixels.as_slice(),
        width: size.width.into(),
        pitch: usize::from(size.width) * 3,
        height: size.height.into(),
        format: turbojpeg::PixelFormat::BGR,
    };
    let mut compressor = turbojpeg::Compressor::new()?;
    compressor.set_quality(quality.into())?;
    // Small text in colours stays readable only with all of its colour.
    compressor.set_subsamp(turbojpeg::Subsamp::None)?;
    Ok(compressor.compress_to_vec(image)?)
}

/// The largest size of the same shape that fits, at least 1×1.
fn fit(size: Size, within: Size) -> Size {
    let (width, height) = (u32::from(size.width), u32::from(size.height));
    let (most_width, most_height) = (u32::from(within.width), u32::from(within.height));
    if width <= most_width && height <= most_height {
        return size;
    }
    let round = |value: u32, times: u32, by: u32| ((value * times + by / 2) / by).max(1) as u16;
    if most_width * height <= most_height * width {
        Size::new(
            within.width,
            round(height, most_width, width).min(within.height),
        )
    } else {
        Size::new(
            round(width, most_height, height).min(within.width),
            within.height,
        )
    }
}

/// Each pixel is the mean of what it covers, so that text shrinks to grey and not to dots. Rows of
/// blue, green, red.
fn scale(frame: &FrameView, to: Size) -> Vec<u8> {
    let from = Size::new(frame.width(), frame.height());
    let (columns, rows) = (cuts(from.width, to.width), cuts(from.height, to.height));
    let mut out = Vec::with_capacity(usize::from(to.width) * usize::from(to.height) * 3);
    let mut sums = vec![[0_u64; 3]; usize::from(to.width)];
    for row in &rows {
        sums.fill([0; 3]);
        for &(y, row_weight) in row {
            let pixels = frame.row(&Rect::new(0, y, from.width, 1), 0);
            for (sum, column) in sums.iter_mut().zip(&columns) {
                for &(x, weight) in column {
                    let weight = u64::from(weight) * u64::from(row_weight);
                    let at = usize::from(x) * 4;
                    for (sum, value) in sum.iter_mut().zip(&pixels[at..at + 3]) {
                        *sum += u64::from(*value) * weight;
                    }
                }
            }
        }
        let all = u64::from(from.width) * u64::from(from.height);
        out.extend(
            sums.iter()
                .flatten()
                .map(|sum| ((sum + all / 2) / all) as u8),
        );
    }
    out
}

/// For each of `to` parts of a line of `from` pixels: the pixels it covers, each with how much of
/// it; the weights of a part add up to `from`.
fn cuts(from: u16, to: u16) -> Vec<Vec<(u16, u32)>> {
    let (length, parts) = (u32::from(from), u32::from(to));
    (0..parts)
        .map(|part| {
            // In units of which a pixel has `parts`, and a part has `length`.
            let (start, end) = (part * length, (part + 1) * length);
            (start / parts..end.div_ceil(parts))
                .map(|pixel| {
                    let covered = end.min((pixel + 1) * parts) - start.max(pixel * parts);
                    (pixel as u16, covered)
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_kept() {
        let screen = Size::new(1920, 1080);
        assert_eq!(fit(screen, Size::new(320, 320)), Size::new(320, 180));
        assert_eq!(fit(screen, Size::new(10_000, 90)), Size::new(160, 90));
        assert_eq!(fit(screen, Size::new(4000, 4000)), screen);
        assert_eq!(
            fit(Size::new(16000, 64), Size::new(100, 100)),
            Size::new(100, 1)
        );
    }

    #[test]
    fn pixels_are_means() {
        // Black and white columns become grey.
        let row = [0, 0, 0, 0, 255, 255, 255, 0].repeat(3);
        let data = row.repeat(4);
        let frame = FrameView::new(&data, 24, 6, 4).unwrap();
        assert_eq!(scale(&frame, Size::new(3, 2)), [128; 18]);
        assert_eq!(
            scale(&frame, Size::new(6, 4))[..6],
            [0, 0, 0, 255, 255, 255]
        );
        for (from, to) in [(1333, 777), (5, 4), (7, 1), (9, 9)] {
            for part in cuts(from, to) {
                assert_eq!(part.iter().map(|cut| cut.1).sum::<u32>(), u32::from(from));
            }
        }
    }
}
