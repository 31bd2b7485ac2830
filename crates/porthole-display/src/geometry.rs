//! Sizes of the screen and sets of tiles on it.

use porthole_rfb::Rect;

/// The least length of a side of the screen, in pixels.
pub const MIN_SIDE: u16 = 64;
/// The greatest length of a side that may be configured, in pixels.
pub const MAX_SIDE: u16 = 16384;

/// A screen's size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

impl Size {
    /// From its sides.
    pub const fn new(width: u16, height: u16) -> Self {
        Self { width, height }
    }

    /// Reads `1280x720`; nothing when it is no size or a side is out of bounds.
    pub fn parse(text: &str) -> Option<Self> {
        let (width, height) = text.split_once('x')?;
        let side = |text: &str| {
            text.parse()
                .ok()
                .filter(|side| (MIN_SIDE..=MAX_SIDE).contains(side))
        };
        Some(Self::new(side(width)?, side(height)?))
    }

    /// Each side no longer than the other's.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self::new(self.width.min(other.width), self.height.min(other.height))
    }

    /// Whether both sides are within the least length and `max`.
    pub const fn allowed(self, max: Self) -> bool {
        self.width >= MIN_SIDE
            && self.height >= MIN_SIDE
            && self.width <= max.width
            && self.height <= max.height
    }

    /// All of the screen.
    pub const fn bounds(self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }
}

/// The side of a tile in pixels.
pub const TILE: u16 = 16;

/// A set of tiles of a screen: takes the same memory however much is in it (1 KiB at 1920×1080).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileSet {
    size: Size,
    columns: usize,
    words_per_row: usize,
    bits: Vec<u64>,
    any: bool,
}

impl TileSet {
    /// Nothing of a screen of this size.
    pub fn new(size: Size) -> Self {
        let columns = usize::from(size.width.div_ceil(TILE));
        let words_per_row = columns.div_ceil(64);
        let rows = usize::from(size.height.div_ceil(TILE));
        Self {
            size,
            columns,
            words_per_row,
            bits: vec![0; words_per_row * rows],
            any: false,
        }
    }

    /// The screen's size.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        !self.any
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        if self.any {
            self.bits.fill(0);
            self.any = false;
        }
    }

    /// Puts in the tiles that `area` touches.
    pub fn insert(&mut self, area: Rect) {
        let area = area.intersect(&self.size.bounds());
        if area.is_empty() {
            return;
        }
        self.any = true;
        let first = usize::from(area.x / TILE);
        let last = (area.right() as usize - 1) / usize::from(TILE);
        for row in usize::from(area.y / TILE)..=(area.bottom() as usize - 1) / usize::from(TILE) {
            let row = &mut self.bits[row * self.words_per_row..][..self.words_per_row];
            for column in first..=last {
                row[column / 64] |= 1 << (column % 64);
            }
        }
    }

    /// Puts in what another of the same size holds; a set of another size is left alone.
    pub fn insert_all(&mut self, other: &Self) {
        if other.any && other.size == self.size {
            for (mine, theirs) in self.bits.iter_mut().zip(&other.bits) {
                *mine |= theirs;
            }
            self.any = true;
        }
    }

    /// Takes out what another of the same size holds.
    pub fn remove_all(&mut self, other: &Self) {
        if self.any && other.any && other.size == self.size {
            let mut left = 0;
            for (mine, theirs) in self.bits.iter_mut().zip(&other.bits) {
                *mine &= !theirs;
                left |= *mine;
            }
            self.any = left != 0;
        }
    }

    /// Takes out what lies outside `area`, and gives it back.
    #[must_use]
    pub fn split_outside(&mut self, area: Rect) -> Self {
        let mut inside = Self::new(self.size);
        inside.insert(area);
        for (bit, mine) in inside.bits.iter_mut().zip(&self.bits) {
            *bit &= mine;
        }
        inside.any = inside.bits.iter().any(|word| *word != 0);
        let mut outside = self.clone();
        outside.remove_all(&inside);
        *self = inside;
        outside
    }

    fn holds(&self, row: usize, column: usize) -> bool {
        self.bits[row * self.words_per_row + column / 64] >> (column % 64) & 1 == 1
    }

    /// The set as rectangles that do not overlap, cut to the screen: runs in a row of tiles, joined
    /// with the same run in the rows below.
    pub fn rects(&self) -> Vec<Rect> {
        let mut done: Vec<Rect> = Vec::new();
        if !self.any {
            return done;
        }
        let mut open: Vec<(usize, usize, usize)> = Vec::new();
        let mut next = Vec::new();
        let rows = self.bits.len() / self.words_per_row;
        let close = |done: &mut Vec<Rect>, (first, end, top): (usize, usize, usize), row: usize| {
            let tile = usize::from(TILE);
            let area = Rect::new(
                (first * tile) as u16,
                (top * tile) as u16,
                ((end - first) * tile) as u16,
                ((row - top) * tile) as u16,
            );
            done.push(area.intersect(&self.size.bounds()));
        };
        for row in 0..rows {
            next.clear();
            let mut column = 0;
            while column < self.columns {
                if !self.holds(row, column) {
                    column += 1;
                    continue;
                }
                let first = column;
                while column < self.columns && self.holds(row, column) {
                    column += 1;
                }
                match open
                    .iter()
                    .position(|run| (run.0, run.1) == (first, column))
                {
                    Some(same) => next.push(open.swap_remove(same)),
                    None => next.push((first, column, row)),
                }
            }
            for run in open.drain(..) {
                close(&mut done, run, row);
            }
            std::mem::swap(&mut open, &mut next);
        }
        for run in open {
            close(&mut done, run, rows);
        }
        done.sort_by_key(|area| (area.y, area.x));
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_within_bounds() {
        assert_eq!(Size::parse("1333x777"), Some(Size::new(1333, 777)));
        for bad in ["", "10x10", "1280", "1280x", "x720", "-1x720", "99999x720"] {
            assert_eq!(Size::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn rectangles_cover_exactly_the_tiles() {
        let mut set = TileSet::new(Size::new(1333, 777));
        set.insert(Rect::new(5, 5, 1, 1));
        set.insert(Rect::new(1330, 770, 50, 50));
        set.insert(Rect::new(160, 160, 32, 64));
        assert_eq!(
            set.rects(),
            [
                Rect::new(0, 0, 16, 16),
                Rect::new(160, 160, 32, 64),
                Rect::new(1328, 768, 5, 9)
            ]
        );
        set.insert(Rect::new(0, 0, 1333, 777));
        assert_eq!(set.rects(), [Rect::new(0, 0, 1333, 777)]);
    }

    #[test]
    fn sets_join_and_part() {
        let size = Size::new(300, 200);
        let mut all = TileSet::new(size);
        all.insert(size.bounds());
        let mut some = TileSet::new(size);
        some.insert(Rect::new(0, 0, 300, 16));
        all.remove_all(&some);
        assert_eq!(all.rects(), [Rect::new(0, 16, 300, 184)]);
        let outside = all.split_outside(Rect::new(0, 16, 300, 16));
        assert_eq!(all.rects(), [Rect::new(0, 16, 300, 16)]);
        assert_eq!(outside.rects(), [Rect::new(0, 32, 300, 168)]);
        some.insert_all(&outside);
        all.insert_all(&some);
        assert_eq!(all.rects(), [size.bounds()]);
        let same = all.clone();
        all.remove_all(&same);
        assert!(all.is_empty());
    }

    #[test]
    fn another_size_is_left_alone() {
        let mut set = TileSet::new(Size::new(100, 100));
        let mut other = TileSet::new(Size::new(200, 200));
        other.insert(Rect::new(0, 0, 10, 10));
        set.insert_all(&other);
        assert!(set.is_empty());
    }
}
