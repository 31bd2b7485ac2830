//! Which window was moved: its picture goes along, so viewers can move it too.
//!
//! The X server tells where each top-level window is. What comes of it is a hint like those of
//! scrolling: the frame is shifted as said and then compared with the screen.

use crate::{frame::Frame, motion::Move};
use porthole_rfb::Rect;
use std::collections::HashMap;
use x11rb::protocol::{
    Event,
    xproto::{ConfigureNotifyEvent, Window},
};

/// More windows than this are not followed.
const MOST: usize = 1024;
/// Smaller ones are sent as quickly as they are looked at.
const LEAST_AREA: usize = 96 * 48;
/// One row in so many is looked at before the picture is moved.
const SAMPLE_STEP: u16 = 8;
/// In pieces of this width, since another window may lie over a part.
const SAMPLE_WIDTH: u16 = 64;

/// A window with its border, which may reach over the screen's edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
}

/// Where the top-level windows are.
#[derive(Debug, Default)]
pub struct WindowMoves {
    windows: HashMap<Window, Place>,
    /// Where those that moved since the last picture were in it.
    before: HashMap<Window, Place>,
}

impl WindowMoves {
    /// Takes in what the X server tells of the root's children.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::ConfigureNotify(event) => self.configured(event),
            Event::DestroyNotify(event) => self.forget(event.window),
            Event::ReparentNotify(event) => self.forget(event.window),
            Event::UnmapNotify(event) => self.forget(event.window),
            Event::CreateNotify(event) => {
                let (width, height) = (event.width, event.height);
                let place = Place::new(event.x, event.y, width, height, event.border_width);
                self.put(event.window, place);
            }
            _ => {}
        }
    }

    fn configured(&mut self, event: &ConfigureNotifyEvent) {
        let (width, height) = (event.width, event.height);
        let place = Place::new(event.x, event.y, width, height, event.border_width);
        if let Some(old) = self.put(event.window, place)
            && (old.width, old.height) == (place.width, place.height)
        {
            self.before.entry(event.window).or_insert(old);
        } else {
            // Another size is another picture.
            self.before.remove(&event.window);
        }
    }

    fn put(&mut self, window: Window, place: Place) -> Option<Place> {
        if self.windows.len() >= MOST && !self.windows.contains_key(&window) {
            return None;
        }
        self.windows.insert(window, place)
    }

    fn forget(&mut self, window: Window) {
        self.windows.remove(&window);
        self.before.remove(&window);
    }

    /// The largest move since the last picture, if moving `old` as it says makes more of it right
    /// than it makes wrong; `read` fills a buffer with the screen's pixels from a column and row on.
    pub fn find(&mut self, old: &Frame, read: impl Fn(u16, u16, &mut [u8])) -> Option<Move> {
        let screen = old.size().bounds();
        let moved = self
            .before
            .drain()
            .filter_map(|(window, before)| self.windows.get(&window)?.moved_from(before, screen))
            .filter(|moved| moved.to.area() >= LEAST_AREA)
            .max_by_key(|moved| moved.to.area())?;
        helps(old, moved, read).then_some(moved)
    }
}

impl Place {
    fn new(x: i16, y: i16, width: u16, height: u16, border: u16) -> Self {
        let border = i32::from(border) * 2;
        Self {
            x: x.into(),
            y: y.into(),
            width: i32::from(width) + border,
            height: i32::from(height) + border,
        }
    }

    /// What was on the screen before and still is.
    fn moved_from(self, before: Self, screen: Rect) -> Option<Move> {
        let (right, down) = (self.x - before.x, self.y - before.y);
        // Along one axis: where it begins now, where it did, and the length.
        let visible = |now: i32, by: i32, length: i32, side: u16| {
            let first = now.max(0).max(by);
            let end = (now + length).min(side.into()).min(i32::from(side) + by);
            let place = |at: i32| u16::try_from(at).ok();
            (first < end).then(|| Some((place(first)?, place(first - by)?, place(end - first)?)))?
        };
        let (x, from_x, width) = visible(self.x, right, self.width, screen.width)?;
        let (y, from_y, height) = visible(self.y, down, self.height, screen.height)?;
        ((right, down) != (0, 0)).then_some(Move {
            to: Rect::new(x, y, width, height),
            from_x,
            from_y,
        })
    }
}

/// Whether most of what a move says is so, and would not be without it.
fn helps(old: &Frame, moved: Move, read: impl Fn(u16, u16, &mut [u8])) -> bool {
    let Move { to, from_x, from_y } = moved;
    let mut pixels = [0; SAMPLE_WIDTH as usize * 4];
    let (mut pieces, mut came, mut stayed) = (0, 0, 0);
    for row in (0..to.height).step_by(SAMPLE_STEP.into()) {
        for column in (0..to.width).step_by(SAMPLE_WIDTH.into()) {
            let width = SAMPLE_WIDTH.min(to.width - column);
            let pixels = &mut pixels[..usize::from(width) * 4];
            read(to.x + column, to.y + row, pixels);
            pieces += 1;
            came += usize::from(old.row(from_x + column, from_y + row, width) == pixels);
            stayed += usize::from(old.row(to.x + column, to.y + row, width) == pixels);
        }
    }
    came * 2 > pieces && came > stayed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Size, TileSet};

    const SIZE: Size = Size::new(400, 300);

    fn noise(x: i32, y: i32) -> [u8; 4] {
        ((x * 31 + y * 1009) as u32)
            .wrapping_mul(0x9e37_79b1)
            .to_le_bytes()
    }

    /// A window with a picture of its own on a plain ground.
    fn draw(x: u16, y: u16, into: &mut [u8], window: Place) {
        for (column, pixel) in into.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let (x, y) = (
                i32::from(x) + column as i32 - window.x,
                i32::from(y) - window.y,
            );
            let inside = (0..window.width).contains(&x) && (0..window.height).contains(&y);
            *pixel = if inside { noise(x, y) } else { [9; 4] };
        }
    }

    fn event(x: i16, y: i16, width: u16, height: u16) -> Event {
        Event::ConfigureNotify(ConfigureNotifyEvent {
            window: 7,
            x,
            y,
            width,
            height,
            border_width: 1,
            ..Default::default()
        })
    }

    /// A window goes from place to place, over the edges too; what is compared after each move.
    #[test]
    fn only_the_edges_are_left_to_compare() {
        let mut moves = WindowMoves::default();
        let mut frame = Frame::new(SIZE);
        let mut before = None;
        for (x, y) in [
            (20, 30),
            (37, 25),
            (-60, 10),
            (-50, -40),
            (200, 140),
            (190, 145),
        ] {
            let window = Place::new(x, y, 200, 150, 1);
            let read = |x: u16, y: u16, into: &mut [u8]| draw(x, y, into, window);
            moves.take(&event(x, y, 200, 150));
            let found = moves.find(&frame, read);
            assert_eq!(found.is_some(), before.is_some(), "{x}, {y}");
            if let (Some(found), Some((old_x, old_y))) = (found, before) {
                let by = |now: u16, from: u16| i32::from(now) - i32::from(from);
                assert_eq!(by(found.to.x, found.from_x), i32::from(x - old_x));
                assert_eq!(by(found.to.y, found.from_y), i32::from(y - old_y));
                assert!(found.to.fits(SIZE.width, SIZE.height));
                assert!(found.from().fits(SIZE.width, SIZE.height));
                frame.shift(found);
                for row in 0..found.to.height {
                    let (x, y, width) = (found.to.x, found.to.y + row, found.to.width);
                    let mut shown = vec![0; usize::from(width) * 4];
                    read(x, y, &mut shown);
                    assert!(frame.row(x, y, width) == shown);
                }
            }
            let mut changed = TileSet::new(SIZE);
            frame.update(SIZE.bounds(), &mut Vec::new(), &mut changed, read);
            before = Some((x, y));
        }
    }

    #[test]
    fn what_did_not_move_so_is_not_moved() {
        let mut moves = WindowMoves::default();
        let mut frame = Frame::new(SIZE);
        let window = Place::new(20, 30, 200, 150, 1);
        let read = |x: u16, y: u16, into: &mut [u8]| draw(x, y, into, window);
        frame.update(
            SIZE.bounds(),
            &mut Vec::new(),
            &mut TileSet::new(SIZE),
            read,
        );
        // It was told to move, and the screen shows it where it was.
        moves.take(&event(20, 30, 200, 150));
        moves.take(&event(60, 50, 200, 150));
        assert_eq!(moves.find(&frame, read), None);
        // Another size, and gone.
        moves.take(&event(70, 50, 210, 150));
        assert_eq!(moves.find(&frame, read), None);
        moves.take(&event(80, 50, 210, 150));
        moves.forget(7);
        assert_eq!(moves.find(&frame, read), None);
    }
}
