//! Which areas go as H.264, and how good.

use crate::jpeg::JpegQuality;
use porthole_rfb::{Rect, encoding::Subsampling};
use std::time::Duration;

/// What is known of the line to a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Link {
    /// Bytes that it carries in a second; `None`: not known, or more than can be measured.
    pub rate: Option<f64>,
}

/// From this area on H.264 is the rule: a JPEG of it costs browsers more time than video does.
const LARGE: usize = 640 * 360;
/// Below this JPEG quality the viewer wants few bytes more than clear pictures.
const CLEAR: u8 = 75;
/// The share of the line that pictures of one area may take.
const SHARE: f64 = 0.5;
/// What encoding is taken to cost before it was measured, in seconds a pixel.
const FIRST_COST: f64 = 10e-9;

/// Chooses between H.264 and JPEG.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Seconds that encoding a pixel takes.
    cost: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { cost: FIRST_COST }
    }
}

/// An area to choose for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) area: Rect,
    /// Between two pictures.
    pub(crate) interval: Duration,
    /// What the viewer asks for.
    pub(crate) jpeg: JpegQuality,
    pub(crate) link: Link,
}

impl Policy {
    /// A picture of an area was encoded.
    pub(crate) fn took(&mut self, area: Rect, time: Duration) {
        let cost = time.as_secs_f64() / area.area().max(1) as f64;
        self.cost += (cost - self.cost) / 16.0;
    }

    /// Whether an area shall go as H.264. What goes so already does not change for little.
    pub(crate) fn video(&self, wish: &Wish, already: bool) -> bool {
        let interval = wish.interval.as_secs_f64().max(1.0 / 60.0);
        let ease = if already { 1.5 } else { 1.0 };
        let narrow = wish.link.rate.is_some_and(|rate| {
            jpeg_len(wish.area.area(), wish.jpeg) / interval * ease > rate * SHARE
        });
        let quick = self.cost * wish.area.area() as f64 * 1.25 < interval * ease;
        narrow || wish.jpeg.quality < CLEAR || (wish.area.area() >= LARGE && quick)
    }
}

/// About how many bytes JPEGs of so many pixels have.
fn jpeg_len(pixels: usize, jpeg: JpegQuality) -> f64 {
    let quality = f64::from(jpeg.quality) / 78.0;
    let colours = if jpeg.subsampling == Subsampling::Full {
        1.4
    } else {
        1.0
    };
    pixels as f64 * (0.02 + 0.18 * quality.powi(2)) * colours
}

/// The longest that JPEGs of one update shall take on the line, in seconds.
const JPEG_TIME: f64 = 0.15;
/// The least of RFB's levels for them.
const LEAST_LEVEL: u8 = 1;

/// The quality of JPEGs of so many pixels: what the viewer asks for, or as much less as lets them
/// pass the line in time. What stands still is made exact soon after.
pub(crate) fn in_time(wanted: JpegQuality, pixels: usize, link: Link) -> JpegQuality {
    let fits = |jpeg: JpegQuality| {
        link.rate
            .is_none_or(|rate| jpeg_len(pixels, jpeg) <= rate * JPEG_TIME)
    };
    if fits(wanted) {
        return wanted;
    }
    let lower = (LEAST_LEVEL..=7)
        .rev()
        .map(JpegQuality::from_level)
        .filter(|lower| lower.quality < wanted.quality);
    let mut least = wanted;
    for jpeg in lower {
        least = JpegQuality {
            subsampling: Subsampling::Quarter,
            ..jpeg
        };
        if fits(least) {
            break;
        }
    }
    least
}

/// The coarsest quantiser: more than 32 dB of a photo with grain.
const COARSEST: u8 = 36;
/// Quantisers go in such steps; one takes about a third off the bytes.
const STEP: u8 = 4;

/// The quantiser of H.264 that is about as clear as the JPEGs that the viewer asks for.
pub(crate) const fn quantiser(jpeg: JpegQuality) -> u8 {
    match jpeg.quality {
        90.. => 20,
        CLEAR.. => 26,
        50.. => 30,
        _ => 34,
    }
}

/// Bytes that a pixel of a picture is taken to need at the finest, before it was measured.
const FIRST_DENSITY: f64 = 8e-3;

/// The quantiser that an area begins with.
pub(crate) fn begin(wish: &Wish) -> u8 {
    let len = wish.area.area() as f64 * FIRST_DENSITY;
    adapt(wish, quantiser(wish.jpeg), len)
}

/// Another quantiser than the one in use, where the line wants one: `len` is what a picture takes.
pub(crate) fn adapt(wish: &Wish, now: u8, len: f64) -> u8 {
    let best = quantiser(wish.jpeg);
    let Some(rate) = wish.link.rate else {
        return best;
    };
    let load = len / wish.interval.as_secs_f64().max(1.0 / 60.0) / (rate * SHARE);
    if load > 1.0 {
        // Six more halve the bytes.
        let more = (6.0 * load.log2()).ceil() as u8;
        now.saturating_add(more.next_multiple_of(STEP))
            .min(COARSEST)
            .max(now)
    } else if load < 0.3 && now > best {
        now.saturating_sub(STEP).max(best)
    } else {
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(area: Rect, level: u8, rate: Option<f64>) -> Wish {
        Wish {
            area,
            interval: Duration::from_millis(33),
            jpeg: JpegQuality::from_level(level),
            link: Link { rate },
        }
    }

    const SMALL: Rect = Rect::new(0, 0, 320, 240);
    const HD: Rect = Rect::new(0, 0, 1280, 720);

    #[test]
    fn large_areas_go_as_video_where_there_is_time() {
        let mut policy = Policy::default();
        assert!(policy.video(&wish(HD, 6, None), false));
        assert!(!policy.video(&wish(SMALL, 6, None), false));
        // A machine that takes 30 ms a picture: what began goes on, nothing begins.
        for _ in 0..200 {
            policy.took(HD, Duration::from_millis(30));
        }
        assert!(!policy.video(&wish(HD, 6, None), false));
        assert!(policy.video(&wish(HD, 6, None), true));
        for _ in 0..200 {
            policy.took(HD, Duration::from_millis(50));
        }
        assert!(!policy.video(&wish(HD, 6, None), true));
        // Unless JPEG is worse still.
        assert!(policy.video(&wish(HD, 6, Some(600e3)), false));
    }

    #[test]
    fn narrow_lines_and_savers_get_video() {
        let policy = Policy::default();
        assert!(policy.video(&wish(SMALL, 6, Some(600e3)), false));
        assert!(!policy.video(&wish(SMALL, 6, Some(10e6)), false));
        assert!(policy.video(&wish(SMALL, 3, Some(10e6)), false));
    }

    #[test]
    fn jpegs_pass_the_line_in_time() {
        let wanted = JpegQuality::from_level(7);
        let of = |pixels, rate| in_time(wanted, pixels, Link { rate });
        assert_eq!(of(HD.area(), None), wanted);
        assert_eq!(of(HD.area(), Some(10e6)), wanted);
        assert_eq!(of(1 << 14, Some(100e3)), wanted);
        let mut before = wanted.quality;
        for rate in [2e6, 1e6, 500e3, 250e3, 1e3] {
            let jpeg = of(HD.area(), Some(rate));
            assert!(jpeg.quality <= before);
            before = jpeg.quality;
            let fits = jpeg_len(HD.area(), jpeg) <= rate * JPEG_TIME;
            assert!(fits || jpeg.quality == JpegQuality::from_level(LEAST_LEVEL).quality);
        }
        // Who asks for less gets no more.
        let low = JpegQuality::from_level(0);
        assert_eq!(in_time(low, HD.area(), Link { rate: Some(1e3) }), low);
    }

    #[test]
    fn a_narrow_line_begins_coarser() {
        assert_eq!(begin(&wish(HD, 6, None)), 26);
        assert_eq!(begin(&wish(HD, 6, Some(600e3))), 26);
        assert!(begin(&wish(HD, 6, Some(250e3))) > 26);
        assert_eq!(begin(&wish(HD, 6, Some(60e3))), COARSEST);
        assert_eq!(begin(&wish(SMALL, 6, Some(125e3))), 26);
    }

    #[test]
    fn the_quantiser_follows_the_line() {
        let free = wish(HD, 6, None);
        let best = quantiser(free.jpeg);
        assert_eq!(adapt(&free, 34, 12e3), best);
        let narrow = wish(HD, 6, Some(600e3));
        // Half of it is 9 kB a picture.
        assert_eq!(adapt(&narrow, best, 8e3), best);
        assert_eq!(adapt(&narrow, best, 12e3), best + STEP);
        assert_eq!(adapt(&narrow, best, 900e3), COARSEST);
        assert_eq!(adapt(&narrow, 34, 8e3), 34);
        assert_eq!(adapt(&narrow, 34, 2e3), 30);
        assert_eq!(adapt(&narrow, best, 2e3), best);
        for level in 0..10 {
            assert!(quantiser(JpegQuality::from_level(level)) <= COARSEST);
        }
    }
}
