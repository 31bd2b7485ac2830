//! What lies over the screen's pixels, for a screen of one size.

use super::stamp::Stamp;
use crate::geometry::Size;
use porthole_rfb::Rect;

/// Copies of one stamp in steps over the whole screen.
#[derive(Debug)]
pub(super) struct Tiling {
    stamp: Stamp,
    /// Where one of the copies begins.
    start: (i32, i32),
    /// From one copy to the next; no less than the stamp's size.
    step: (i32, i32),
}

impl Tiling {
    pub(super) fn new(stamp: Stamp, start: (i32, i32), step: (i32, i32)) -> Self {
        let step = (
            step.0.max(stamp.width() as i32).max(1),
            step.1.max(stamp.height() as i32).max(1),
        );
        Self { stamp, start, step }
    }

    /// Blends what lies over a row of pixels from a column on.
    fn blend(&self, x: u16, y: u16, row: &mut [u8]) {
        let line = (i32::from(y) - self.start.1).rem_euclid(self.step.1);
        let runs = self.stamp.line(line as usize);
        if runs.is_empty() {
            return;
        }
        let (x, end) = (i32::from(x), i32::from(x) + (row.len() / 4) as i32);
        let mut copy = x - (x - self.start.0).rem_euclid(self.step.0);
        while copy < end {
            for run in runs {
                let marks = self.stamp.marks(*run);
                let from = copy + i32::from(run.x);
                let first = from.max(x);
                let last = (from + marks.len() as i32).min(end);
                if first >= last {
                    continue;
                }
                let marks = &marks[(first - from) as usize..(last - from) as usize];
                let pixels = &mut row[(first - x) as usize * 4..(last - x) as usize * 4];
                for (pixel, mark) in pixels.as_chunks_mut::<4>().0.iter_mut().zip(marks) {
                    mark.blend(pixel);
                }
            }
            copy += self.step.0;
        }
    }

    /// The copies' places on a screen.
    fn places(&self, size: Size) -> Vec<Rect> {
        let (width, height) = (self.stamp.width() as i32, self.stamp.height() as i32);
        let first = |start: i32, step: i32| start.rem_euclid(step) - step;
        let mut places = Vec::new();
        let mut y = first(self.start.1, self.step.1);
        while y < i32::from(size.height) {
            let mut x = first(self.start.0, self.step.0);
            while x < i32::from(size.width) {
                let (left, top) = (x.max(0), y.max(0));
                let right = (x + width).min(i32::from(size.width));
                let bottom = (y + height).min(i32::from(size.height));
                if left < right && top < bottom {
                    places.push(Rect::new(
                        left as u16,
                        top as u16,
                        (right - left) as u16,
                        (bottom - top) as u16,
                    ));
                }
                x += self.step.0;
            }
            y += self.step.1;
        }
        places
    }
}

/// What lies over the screen's pixels. Nothing by default.
#[derive(Debug, Default)]
pub struct Layer {
    mark: Option<Tiling>,
    black: Vec<Rect>,
}

impl Layer {
    pub(super) const fn new(mark: Option<Tiling>, black: Vec<Rect>) -> Self {
        Self { mark, black }
    }

    /// One that hides everything.
    pub(super) fn black(size: Size) -> Self {
        Self::new(None, vec![size.bounds()])
    }

    /// Lays it over a row of pixels from a column on.
    pub fn apply(&self, x: u16, y: u16, row: &mut [u8]) {
        if let Some(mark) = &self.mark {
            mark.blend(x, y, row);
        }
        let (x, end) = (u32::from(x), u32::from(x) + (row.len() / 4) as u32);
        for area in &self.black {
            if !(u32::from(area.y)..area.bottom()).contains(&u32::from(y)) {
                continue;
            }
            let (first, last) = (u32::from(area.x).max(x), area.right().min(end));
            if first < last {
                row[(first - x) as usize * 4..(last - x) as usize * 4].fill(0);
            }
        }
    }

    /// The areas that stay black.
    pub fn hidden(&self) -> &[Rect] {
        &self.black
    }

    /// Where the watermark is on a screen.
    pub fn marked(&self, size: Size) -> Vec<Rect> {
        self.mark
            .as_ref()
            .map(|mark| mark.places(size))
            .unwrap_or_default()
    }
}
