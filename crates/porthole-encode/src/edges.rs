//! Where exactly within tiles a moving picture begins and ends.

use porthole_rfb::{FrameView, Rect, frame::PIXEL};

/// A strip along one side, and how it looked at first.
#[derive(Debug)]
struct Strip {
    area: Rect,
    first: Vec<u8>,
}

/// Watches the outermost tiles of an area for the pixels that change.
#[derive(Debug)]
pub(crate) struct Edges {
    /// The area in whole tiles.
    outer: Rect,
    strips: [Strip; 4],
    /// What surely moves: left, top, right, bottom.
    moving: [u32; 4],
}

impl Edges {
    /// From now on. `tile` is the strips' width.
    pub(crate) fn new(frame: &FrameView, outer: Rect, tile: u16) -> Self {
        let (wide, high) = (tile.min(outer.width), tile.min(outer.height));
        let right = outer.x + (outer.width - wide);
        let bottom = outer.y + (outer.height - high);
        let strip = |area: Rect| Strip {
            area,
            first: frame.rows(area).collect::<Vec<_>>().concat(),
        };
        Self {
            outer,
            strips: [
                strip(Rect {
                    width: wide,
                    ..outer
                }),
                strip(Rect {
                    height: high,
                    ..outer
                }),
                strip(Rect {
                    x: right,
                    width: wide,
                    ..outer
                }),
                strip(Rect {
                    y: bottom,
                    height: high,
                    ..outer
                }),
            ],
            moving: [
                (outer.x + wide).into(),
                (outer.y + high).into(),
                right.into(),
                bottom.into(),
            ],
        }
    }

    /// The area in whole tiles.
    pub(crate) const fn outer(&self) -> Rect {
        self.outer
    }

    /// Takes in another picture, of the same size.
    pub(crate) fn look(&mut self, frame: &FrameView) {
        let [left, top, right, bottom] = &mut self.moving;
        for strip in &self.strips {
            let row_len = usize::from(strip.area.width) * PIXEL;
            let rows = frame
                .rows(strip.area)
                .zip(strip.first.chunks_exact(row_len.max(1)));
            for (y, (now, first)) in (u32::from(strip.area.y)..).zip(rows) {
                if now == first {
                    continue;
                }
                let differs = |(now, first): (&[u8; PIXEL], &[u8; PIXEL])| now != first;
                let pairs = now.as_chunks().0.iter().zip(first.as_chunks().0);
                let x = u32::from(strip.area.x);
                if let Some(at) = pairs.clone().position(differs) {
                    *left = (*left).min(x + at as u32);
                }
                if let Some(at) = pairs.rev().position(differs) {
                    *right = (*right).max(x + u32::from(strip.area.width) - at as u32);
                }
                *top = (*top).min(y);
                *bottom = (*bottom).max(y + 1);
            }
        }
    }

    /// The part that changed so far, its sides even, as far as its pixels can tell.
    pub(crate) fn area(&self) -> Rect {
        let [left, top, right, bottom] = self.moving;
        let even = |from: u32, to: u32, outer: u16, len: u16| {
            // Outer sides begin at tiles' edges and are even.
            let from = from.min(to) & !1;
            let to = to
                .next_multiple_of(2)
                .min(u32::from(outer) + u32::from(len));
            (from as u16, (to - from) as u16)
        };
        let (x, width) = even(left, right, self.outer.x, self.outer.width);
        let (y, height) = even(top, bottom, self.outer.y, self.outer.height);
        Rect {
            x,
            y,
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_edges_are_those_of_what_changes(
            left in 0_u16..16, top in 0_u16..16, right in 0_u16..16, bottom in 0_u16..16,
        ) {
            let (width, height) = (160_u16, 112_u16);
            let outer = Rect::new(16, 32, 128, 64);
            let mut bytes = vec![7; usize::from(width) * usize::from(height) * 4];
            let view = |bytes: &[u8]| -> Edges {
                let frame = FrameView::new(bytes, usize::from(width) * 4, width, height).unwrap();
                Edges::new(&frame, outer, 16)
            };
            let mut edges = view(&bytes);
            let moving = Rect::new(16 + left, 32 + top, 128 - left - right, 64 - top - bottom);
            for y in moving.y..moving.bottom() as u16 {
                for x in moving.x..moving.right() as u16 {
                    bytes[(usize::from(y) * usize::from(width) + usize::from(x)) * 4] = 9;
                }
            }
            // Beside the area, too.
            bytes[0] = 1;
            let frame = FrameView::new(&bytes, usize::from(width) * 4, width, height).unwrap();
            edges.look(&frame);
            let area = edges.area();
            prop_assert_eq!(area.intersect(&moving), moving);
            prop_assert!(area.width <= moving.width + 2 && area.height <= moving.height + 2);
            prop_assert!([area.x, area.y, area.width, area.height].iter().all(|side| side % 2 == 0));
        }
    }
}
