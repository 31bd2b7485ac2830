//! Our copy of the screen: what the viewers' encoders read, whatever is being captured meanwhile.

use crate::{
    geometry::{Size, TILE, TileSet},
    motion::Move,
};
use porthole_rfb::{FrameView, Rect, frame::BadFrame};

/// A picture of the screen: four bytes a pixel (blue, green, red, nothing), no gaps between rows.
#[derive(Debug)]
pub struct Frame {
    size: Size,
    data: Vec<u8>,
}

impl Frame {
    /// A black picture.
    pub fn new(size: Size) -> Self {
        let mut frame = Self {
            size,
            data: Vec::new(),
        };
        frame.resize(size);
        frame
    }

    /// Its size.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Makes it a black picture of another size, and gives back memory no longer needed.
    pub fn resize(&mut self, size: Size) {
        let bytes = usize::from(size.width) * usize::from(size.height) * 4;
        self.size = size;
        self.data.clear();
        self.data.shrink_to(bytes);
        self.data.resize(bytes, 0);
    }

    /// What encoders take.
    ///
    /// # Errors
    /// Never in practice: the size and the bytes agree by construction.
    pub fn view(&self) -> Result<FrameView<'_>, BadFrame> {
        FrameView::new(
            &self.data,
            usize::from(self.size.width) * 4,
            self.size.width,
            self.size.height,
        )
    }

    /// Pixels of a row from a column on; they must lie in the picture.
    pub fn row(&self, x: u16, y: u16, width: u16) -> &[u8] {
        let start = self.at(x, y);
        &self.data[start..start + usize::from(width) * 4]
    }

    fn at(&self, x: u16, y: u16) -> usize {
        (usize::from(y) * usize::from(self.size.width) + usize::from(x)) * 4
    }

    /// Moves pixels, as a viewer does that is told to; both places must lie in the picture.
    pub fn shift(&mut self, moved: Move) {
        let bytes = usize::from(moved.to.width) * 4;
        let mut copy = |row: u16| {
            let from = self.at(moved.from_x, moved.from_y + row);
            let to = self.at(moved.to.x, moved.to.y + row);
            self.data.copy_within(from..from + bytes, to);
        };
        // No row is overwritten that is still to be read.
        if moved.to.y > moved.from_y {
            (0..moved.to.height).rev().for_each(&mut copy);
        } else {
            (0..moved.to.height).for_each(&mut copy);
        }
    }

    /// Takes over `area` from `read` (which fills a buffer from a column and row on), and puts the
    /// tiles in which a pixel changed into `changed`.
    pub fn update(
        &mut self,
        area: Rect,
        scratch: &mut Vec<u8>,
        changed: &mut TileSet,
        read: impl Fn(u16, u16, &mut [u8]),
    ) {
        let area = area.intersect(&self.size.bounds());
        if area.is_empty() {
            return;
        }
        for y in area.y..area.bottom() as u16 {
            self.update_row(area, y, scratch, changed, &read);
        }
    }

    /// Does the moves, in their order, and then takes over `areas` like [`update`](Self::update).
    ///
    /// One move within one area, the rule, is done row by row just before each is compared, while
    /// it is at hand.
    pub fn update_moved(
        &mut self,
        areas: &[Rect],
        moves: &[Move],
        scratch: &mut Vec<u8>,
        changed: &mut TileSet,
        read: impl Fn(u16, u16, &mut [u8]),
    ) {
        let within = |area: &Rect, moved: &Move| area.intersect(&moved.to) == moved.to;
        let one = match moves {
            [moved] => areas
                .iter()
                .position(|area| within(area, moved))
                .map(|at| (at, *moved)),
            _ => None,
        };
        if let Some((at, moved)) = one {
            self.update_along(areas[at], moved, scratch, changed, &read);
        } else {
            for moved in moves {
                self.shift(*moved);
            }
        }
        for (index, area) in areas.iter().enumerate() {
            if one.is_none_or(|(at, _)| at != index) {
                self.update(*area, scratch, changed, &read);
            }
        }
    }

    fn update_along(
        &mut self,
        area: Rect,
        moved: Move,
        scratch: &mut Vec<u8>,
        changed: &mut TileSet,
        read: &impl Fn(u16, u16, &mut [u8]),
    ) {
        let area = area.intersect(&self.size.bounds());
        let bytes = usize::from(moved.to.width) * 4;
        let rows = u32::from(moved.to.y)..moved.to.bottom();
        let mut row = |y: u16| {
            if rows.contains(&u32::from(y)) {
                let from = self.at(moved.from_x, moved.from_y + (y - moved.to.y));
                let to = self.at(moved.to.x, y);
                self.data.copy_within(from..from + bytes, to);
            }
            self.update_row(area, y, scratch, changed, read);
        };
        // No row is overwritten that is still to be read.
        if moved.to.y > moved.from_y {
            (area.y..area.bottom() as u16).rev().for_each(&mut row);
        } else {
            (area.y..area.bottom() as u16).for_each(&mut row);
        }
    }

    fn update_row(
        &mut self,
        area: Rect,
        y: u16,
        scratch: &mut Vec<u8>,
        changed: &mut TileSet,
        read: &impl Fn(u16, u16, &mut [u8]),
    ) {
        let tile_bytes = usize::from(TILE) * 4;
        // From a tile's edge on, so that each piece compared is one of one tile.
        let lead = usize::from(area.x % TILE) * 4;
        scratch.resize(usize::from(area.width) * 4, 0);
        read(area.x, y, scratch);
        let start = self.at(area.x, y);
        let old = &mut self.data[start..start + scratch.len()];
        if old == scratch.as_slice() {
            return;
        }
        let mut at = 0;
        while at < scratch.len() {
            let end =
                ((at + lead) / tile_bytes * tile_bytes + tile_bytes - lead).min(scratch.len());
            if old[at..end] != scratch[at..end] {
                old[at..end].copy_from_slice(&scratch[at..end]);
                changed.insert(Rect::new(area.x + (at / 4) as u16, y, 1, 1));
            }
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_marked() {
        let size = Size::new(101, 67);
        let mut frame = Frame::new(size);
        let mut changed = TileSet::new(size);
        let screen = |x: u16, y: u16, into: &mut [u8]| {
            for (column, pixel) in into.chunks_exact_mut(4).enumerate() {
                let here =
                    (x + column as u16, y) == (50, 33) || (x + column as u16, y) == (100, 66);
                pixel.fill(if here { 255 } else { 0 });
            }
        };
        let mut scratch = Vec::new();
        frame.update(
            Rect::new(3, 1, 200, 200),
            &mut scratch,
            &mut changed,
            screen,
        );
        assert_eq!(
            changed.rects(),
            [Rect::new(48, 32, 16, 16), Rect::new(96, 64, 5, 3)]
        );
        let at = (33 * 101 + 50) * 4;
        assert_eq!(frame.data[at..at + 4], [255; 4]);
        changed.clear();
        frame.update(size.bounds(), &mut scratch, &mut changed, screen);
        assert!(changed.is_empty());
        assert_eq!(frame.view().unwrap().width(), 101);
    }
}
