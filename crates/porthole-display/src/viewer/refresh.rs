//! When areas that were sent with loss are sent again exactly: once they stand still.

use crate::geometry::{Size, TileSet};
use std::time::Duration;

/// How often what stands still is looked for.
pub const TICK: Duration = Duration::from_millis(25);
/// An area that changed in this many ticks before is not at rest: after 100 ms at the soonest, so
/// that what changes ten times a second is not sent twice.
const TICKS: usize = 4;

/// Remembers what changed lately.
#[derive(Debug)]
pub struct Refresh {
    /// The current tick's changes first.
    changed: [TileSet; TICKS + 1],
}

impl Refresh {
    /// For a screen of this size.
    pub fn new(size: Size) -> Self {
        Self {
            changed: std::array::from_fn(|_| TileSet::new(size)),
        }
    }

    /// These were sent because they changed.
    pub fn changed(&mut self, tiles: &TileSet) {
        if self.changed[0].size() != tiles.size() {
            *self = Self::new(tiles.size());
        }
        self.changed[0].insert_all(tiles);
    }

    /// A tick passed.
    pub fn tick(&mut self) {
        self.changed.rotate_right(1);
        self.changed[0].clear();
    }

    /// What is not at rest.
    pub fn restless(&self) -> TileSet {
        let mut all = self.changed[0].clone();
        for tiles in &self.changed[1..] {
            all.insert_all(tiles);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use porthole_rfb::Rect;

    #[test]
    fn rest_comes_after_some_ticks() {
        let size = Size::new(100, 100);
        let mut refresh = Refresh::new(size);
        let mut tiles = TileSet::new(size);
        tiles.insert(Rect::new(0, 0, 16, 16));
        refresh.changed(&tiles);
        for _ in 0..TICKS {
            refresh.tick();
            assert_eq!(refresh.restless(), tiles);
        }
        refresh.tick();
        assert!(refresh.restless().is_empty());
    }
}
