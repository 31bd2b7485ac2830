//! What really changed.

use crate::region::Region;
use porthole_rfb::{FrameView, Rect, frame::PIXEL};

/// The grid on which frames are compared.
const CELL: u16 = 64;

/// The last frame, against which the next is compared; one for all viewers of a framebuffer.
#[derive(Debug, Default)]
pub struct Comparer {
    previous: Vec<u8>,
    width: u16,
    height: u16,
}

impl Comparer {
    /// With no frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// The last frame; empty before the first.
    pub fn previous(&self) -> Option<FrameView<'_>> {
        FrameView::new(&self.previous, self.stride(), self.width, self.height).ok()
    }

    fn stride(&self) -> usize {
        usize::from(self.width) * PIXEL
    }

    /// Where in the damage the frame differs from the last one, in rectangles of at most 64×64,
    /// and takes it as the last one there. A frame of another size, or the first, is all changed.
    pub fn changed(&mut self, frame: &FrameView, damage: &Region) -> Region {
        if (frame.width(), frame.height()) != (self.width, self.height) || self.previous.is_empty()
        {
            (self.width, self.height) = (frame.width(), frame.height());
            self.previous.clear();
            for row in frame.rows(frame.bounds()) {
                self.previous.extend_from_slice(row);
            }
            return frame.bounds().into();
        }
        let mut changed = Vec::new();
        for rect in damage.rects() {
            let rect = rect.intersect(&frame.bounds());
            for piece in cells(rect, CELL, CELL) {
                if let Some(rows) = self.take(frame, piece) {
                    changed.push(rows);
                }
            }
        }
        Region::from_rects(&changed)
    }

    /// The rows of a rectangle from the first to the last that differ, now taken over.
    fn take(&mut self, frame: &FrameView, area: Rect) -> Option<Rect> {
        let stride = self.stride();
        let left = usize::from(area.x) * PIXEL;
        let len = usize::from(area.width) * PIXEL;
        let mut rows = None;
        for row in 0..area.height {
            let start = usize::from(area.y + row) * stride + left;
            let old = &mut self.previous[start..start + len];
            let new = frame.row(&area, row);
            if old != new {
                old.copy_from_slice(new);
                let (first, _) = rows.unwrap_or((row, row));
                rows = Some((first, row));
            }
        }
        let (first, last) = rows?;
        Some(Rect::new(
            area.x,
            area.y + first,
            area.width,
            last - first + 1,
        ))
    }
}

/// The parts of a rectangle in the cells of a grid that starts at the framebuffer's corner, row by
/// row.
pub(crate) fn cells(area: Rect, width: u16, height: u16) -> impl Iterator<Item = Rect> {
    steps(area.y, area.bottom(), height).flat_map(move |(y, height)| {
        steps(area.x, area.right(), width).map(move |(x, width)| Rect::new(x, y, width, height))
    })
}

/// Cuts a range at the multiples of `cell`: start and length of each part.
pub(crate) fn steps(from: u16, to: u32, cell: u16) -> impl Iterator<Item = (u16, u16)> {
    let (mut from, cell) = (u32::from(from), u32::from(cell));
    std::iter::from_fn(move || {
        let start = from;
        from = (start / cell * cell + cell).min(to);
        (start < to).then(|| (start as u16, (from - start) as u16))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_changed_in_the_damage() {
        let (width, height) = (200, 130);
        let mut pixels = vec![7; 200 * 130 * 4];
        let view = |pixels: &'static [u8]| FrameView::new(pixels, 800, width, height).unwrap();
        let first: &'static [u8] = pixels.clone().leak();
        let mut comparer = Comparer::new();
        let all = Region::from(Rect::new(0, 0, width, height));
        assert_eq!(comparer.changed(&view(first), &Region::new()), all);
        assert_eq!(comparer.changed(&view(first), &all), Region::new());
        pixels[(70 * 200 + 70) * 4] = 8;
        pixels[(3 * 200 + 199) * 4] = 8;
        let second: &'static [u8] = pixels.leak();
        let damage = Region::from(Rect::new(0, 64, 100, 66));
        let changed = comparer.changed(&view(second), &damage);
        assert_eq!(changed.bounds(), Rect::new(64, 70, 36, 1));
        // The rest is found when it is damaged.
        assert_eq!(
            comparer.changed(&view(second), &all).bounds(),
            Rect::new(192, 3, 8, 1)
        );
        let smaller = FrameView::new(second, 800, 100, 100).unwrap();
        assert_eq!(
            comparer.changed(&smaller, &Region::new()).bounds(),
            smaller.bounds()
        );
    }

    proptest! {
        #[test]
        fn cells_tile_a_rectangle(x in 0_u16..300, y in 0_u16..300, w in 0_u16..300, h in 0_u16..300) {
            let area = Rect::new(x, y, w, h);
            let pieces: Vec<Rect> = cells(area, 64, 32).collect();
            prop_assert_eq!(pieces.iter().map(Rect::area).sum::<usize>(), area.area());
            prop_assert_eq!(Region::from_rects(&pieces), Region::from(area));
            for piece in pieces {
                prop_assert_eq!(piece.x / 64, (piece.right() - 1) as u16 / 64);
                prop_assert_eq!(piece.y / 32, (piece.bottom() - 1) as u16 / 32);
            }
        }
    }
}
