//! What a rectangle is made of: pieces of one kind, each of which goes as one rectangle. Depends on
//! the pixels alone, so it is the same for every viewer.

use crate::{
    classify::{Class, Palette},
    grid::{CELL, steps},
};
use porthole_rfb::{FrameView, Rect, server::MAX_TIGHT_WIDTH};

/// The most pixels of a compressed rectangle: its data stays far below Tight's 22 bits of length,
/// and a viewer can show one while it waits for the next.
pub(crate) const MAX_AREA: usize = 1 << 18;

/// Neighbouring pieces that go as one rectangle.
pub(crate) struct Run {
    pub(crate) area: Rect,
    pub(crate) class: Class,
}

/// Judges the rectangle cell by cell, and takes neighbours of one kind together: along the row,
/// then with the rows above.
pub(crate) fn plan(frame: &FrameView, rect: Rect, palette: &mut Palette) -> Vec<Run> {
    let mut done: Vec<Run> = Vec::new();
    let mut open: Vec<Run> = Vec::new();
    for (y, height) in steps(rect.y, rect.bottom(), CELL) {
        let mut row: Vec<Run> = Vec::new();
        for (x, width) in steps(rect.x, rect.right(), CELL) {
            let area = Rect {
                x,
                y,
                width,
                height,
            };
            let class = palette.classify(frame, area);
            if !row
                .last_mut()
                .is_some_and(|run| run.extend_right(area, &class))
            {
                row.push(Run { area, class });
            }
        }
        let mut above = open.into_iter().peekable();
        let mut next = Vec::with_capacity(row.len());
        for run in row {
            // Both rows are in order, so what begins further left ends here.
            while let Some(ended) = above.next_if(|ended| ended.area.x < run.area.x) {
                done.push(ended);
            }
            match above.next_if(|upper| upper.area.x == run.area.x) {
                Some(mut upper) => {
                    if upper.extend_down(&run) {
                        next.push(upper);
                    } else {
                        done.push(upper);
                        next.push(run);
                    }
                }
                None => next.push(run),
            }
        }
        done.extend(above);
        open = next;
    }
    done.extend(open);
    done
}

impl Run {
    /// Takes in a piece of the same rows at its right.
    fn extend_right(&mut self, area: Rect, class: &Class) -> bool {
        let width = u32::from(self.area.width) + u32::from(area.width);
        if width > MAX_TIGHT_WIDTH.into()
            || !self.has_room(width as usize * usize::from(area.height))
            || !self.class.join(class)
        {
            return false;
        }
        self.area.width = width as u16;
        true
    }

    /// Takes in a run of the same columns below it.
    fn extend_down(&mut self, lower: &Self) -> bool {
        let height = self.area.height + lower.area.height;
        if self.area.width != lower.area.width
            || !self.has_room(usize::from(height) * usize::from(self.area.width))
            || !self.class.join(&lower.class)
        {
            return false;
        }
        self.area.height = height;
        true
    }

    fn has_room(&self, pixels: usize) -> bool {
        matches!(self.class, Class::Solid(_)) || pixels <= MAX_AREA
    }
}
