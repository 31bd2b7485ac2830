//! The grid on which frames are judged; it starts at the framebuffer's corner.

use porthole_rfb::Rect;

/// The side of a cell.
pub(crate) const CELL: u16 = 64;

/// Cuts a range at the multiples of `cell`: start and length of each part.
pub(crate) fn steps(from: u16, to: u32, cell: u16) -> impl Iterator<Item = (u16, u16)> {
    let (mut from, cell) = (u32::from(from), u32::from(cell));
    std::iter::from_fn(move || {
        let start = from;
        from = (start / cell * cell + cell).min(to);
        (start < to).then(|| (start as u16, (from - start) as u16))
    })
}

/// How many cells a rectangle touches.
pub(crate) fn cell_count(rect: Rect) -> usize {
    let count = |from: u16, to: u32| to.div_ceil(CELL.into()) as usize - usize::from(from / CELL);
    if rect.is_empty() {
        0
    } else {
        count(rect.x, rect.right()) * count(rect.y, rect.bottom())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::Region;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_tile_a_rectangle(x in 0_u16..300, y in 0_u16..300, w in 0_u16..300, h in 0_u16..300) {
            let area = Rect::new(x, y, w, h);
            let pieces: Vec<Rect> = steps(area.y, area.bottom(), CELL)
                .flat_map(|(y, height)| {
                    steps(area.x, area.right(), CELL)
                        .map(move |(x, width)| Rect::new(x, y, width, height))
                })
                .collect();
            prop_assert_eq!(pieces.iter().map(Rect::area).sum::<usize>(), area.area());
            prop_assert_eq!(Region::from_rects(&pieces), Region::from(area));
            for piece in &pieces {
                prop_assert_eq!(piece.x / CELL, (piece.right() - 1) as u16 / CELL);
                prop_assert_eq!(piece.y / CELL, (piece.bottom() - 1) as u16 / CELL);
            }
            prop_assert!(area.is_empty() || pieces.len() == cell_count(area));
        }
    }
}
