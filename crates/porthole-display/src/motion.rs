//! What moved on the screen, and finding what scrolled: rows of pixels that are where they were, only higher or lower.
//!
//! What is found is a hint. The frame is shifted as said and then compared with the screen as
//! always, so a wrong hint costs bytes and never a wrong picture. That is why samples are enough.

use crate::frame::Frame;
use porthole_rfb::Rect;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_64;

/// Pixels that moved: what `to` shows now was at the same size at another place before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Where they are.
    pub to: Rect,
    /// The column of their left edge before.
    pub from_x: u16,
    /// The row of their upper edge before.
    pub from_y: u16,
}

impl Move {
    /// Where they were.
    pub const fn from(&self) -> Rect {
        Rect::new(self.from_x, self.from_y, self.to.width, self.to.height)
    }
}

/// Smaller areas are sent as quickly as they are searched.
const LEAST: (u16, u16) = (96, 48);
/// Each strip of this width is sampled once.
const STRIP: u16 = 128;
/// The sample's width: a few letters.
const SAMPLE: u16 = 32;
/// The edges of what scrolled are found in steps of this width.
const STEP: u16 = 16;
/// A row is known again by itself and those below it: words, and so their rows, come often.
const CONTEXT: usize = 16;
/// So many rows may be blank in a sample at the edge of what scrolled.
const BLANK: usize = 8;
/// So many rows must agree on a distance.
const LEAST_VOTES: usize = 12;
/// Areas whose misses are remembered.
const REMEMBERED: usize = 8;
/// An area with many misses in a row, such as a film, is searched once in so many pictures.
const LONGEST_PAUSE: u32 = 32;

/// What scrolled so goes on so: it is looked at in samples this often before it is searched again.
const AGAIN: u32 = 15;

/// Searches for scrolling, and remembers where there is none.
#[derive(Debug, Default)]
pub struct Scrolls {
    last: Option<Last>,
    misses: Vec<Misses>,
    before: HashMap<u64, Option<u16>>,
}

/// What was found by the last search.
#[derive(Debug)]
struct Last {
    area: Rect,
    moves: Vec<Move>,
    left: u32,
}

#[derive(Debug)]
struct Misses {
    area: Rect,
    pause: u32,
    left: u32,
}

/// A strip's rows by their hashes, before and now.
struct Strip {
    x: u16,
    width: u16,
    old: Vec<u64>,
    new: Vec<u64>,
}

impl Strip {
    fn changed(&self, row: usize) -> bool {
        self.old[row] != self.new[row]
    }

    /// Whether a row shows what was `down` rows above it.
    fn came(&self, row: usize, down: i32) -> bool {
        source(row, down, self.old.len()).is_some_and(|from| self.new[row] == self.old[from])
    }

    /// From the first to the last row that came from elsewhere, when most of those between did.
    fn run(&self, down: i32) -> Option<(usize, usize)> {
        let came = |row: &usize| self.changed(*row) && self.came(*row, down);
        let mut first = (0..self.new.len()).find(came)?;
        let mut end = (first..self.new.len()).rev().find(came)? + 1;
        // The next rows may have changed beside the sample.
        let least = first.saturating_sub(BLANK);
        while first > least && self.came(first - 1, down) {
            first -= 1;
        }
        let most = (end + BLANK).min(self.new.len());
        while end < most && self.came(end, down) {
            end += 1;
        }
        let agree = (first..end).filter(|row| self.came(*row, down)).count();
        (agree * 2 > end - first).then_some((first, end))
    }

    /// Whether shifting these rows would leave most of them right.
    fn bears(&self, (first, end): (usize, usize), down: i32) -> bool {
        let agree = (first..end).filter(|row| self.came(*row, down)).count();
        agree * 2 > end - first
    }
}

fn hash(rows: &[u64]) -> u64 {
    // Each times another power of an odd number, so that their order counts.
    rows.iter().fold(0, |sum, row| {
        sum.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(*row)
    })
}

fn source(row: usize, down: i32, rows: usize) -> Option<usize> {
    usize::try_from(row as i32 - down)
        .ok()
        .filter(|from| *from < rows)
}

impl Scrolls {
    /// What scrolled in `area`, as far as it can be told: `old` is the picture so far, `read` fills
    /// a buffer with the screen's pixels from a column and row on.
    pub fn find(
        &mut self,
        old: &Frame,
        area: Rect,
        read: impl Fn(u16, u16, &mut [u8]),
    ) -> Vec<Move> {
        let area = area.intersect(&old.size().bounds());
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return Vec::new();
        }
        if let Some(moves) = self.again(old, area, &read) {
            return moves;
        }
        if self.pauses(area) {
            return Vec::new();
        }
        let strips = strips(old, area, &read);
        let moves = self
            .distance(&strips)
            .map(|down| join(&strips, area, down))
            .unwrap_or_default();
        let moves: Vec<Move> = moves
            .into_iter()
            .filter_map(|found| trim(old, area, found, &read))
            .collect();
        self.remember(area, !moves.is_empty());
        self.last = (!moves.is_empty()).then(|| Last {
            area,
            moves: moves.clone(),
            left: AGAIN,
        });
        moves
    }

    /// What the last search found, if samples of the area say that just this happened again.
    fn again(
        &mut self,
        old: &Frame,
        area: Rect,
        read: &impl Fn(u16, u16, &mut [u8]),
    ) -> Option<Vec<Move>> {
        let last = self.last.as_mut()?;
        if last.area != area || last.left == 0 {
            return None;
        }
        last.left -= 1;
        let mut went = 0;
        let first = area.x.next_multiple_of(STEP);
        for x in (first..area.right() as u16).step_by(STRIP.into()) {
            let inside = |found: &&Move| {
                found.to.x <= x && u32::from(x) + u32::from(STEP) <= found.to.right()
            };
            let found = last.moves.iter().find(inside);
            let stays = Move {
                to: area,
                from_x: area.x,
                from_y: area.y,
            };
            let (changed, came) = column(old, x, area, *found.unwrap_or(&stays), read);
            if came * 8 < changed * 7 {
                return None;
            }
            went += came;
        }
        (went >= LEAST_VOTES).then(|| last.moves.clone())
    }

    /// How far down most rows went that can be told apart.
    fn distance(&mut self, strips: &[Strip]) -> Option<i32> {
        let rows = strips.first()?.old.len();
        let mut votes = vec![0_usize; rows * 2];
        let mut changed = 0;
        for strip in strips {
            self.before.clear();
            for (row, rows) in strip.old.windows(CONTEXT).enumerate() {
                self.before
                    .entry(hash(rows))
                    .and_modify(|row| *row = None)
                    .or_insert(Some(row as u16));
            }
            for (row, here) in strip.new.windows(CONTEXT).enumerate() {
                if !strip.changed(row) {
                    continue;
                }
                changed += 1;
                if let Some(Some(from)) = self.before.get(&hash(here)) {
                    votes[rows + row - usize::from(*from)] += 1;
                }
            }
        }
        let (best, count) = votes.iter().enumerate().max_by_key(|(_, count)| **count)?;
        (*count >= LEAST_VOTES && count * 8 >= changed).then(|| best as i32 - rows as i32)
    }

    fn pauses(&mut self, area: Rect) -> bool {
        let Some(misses) = self.misses.iter_mut().find(|misses| misses.area == area) else {
            return false;
        };
        let pauses = misses.left > 0;
        misses.left = misses.left.saturating_sub(1);
        pauses
    }

    fn remember(&mut self, area: Rect, found: bool) {
        let known = self.misses.iter().position(|misses| misses.area == area);
        match (known, found) {
            (Some(at), true) => {
                self.misses.swap_remove(at);
            }
            (Some(at), false) => {
                let misses = &mut self.misses[at];
                misses.pause = (misses.pause * 2).min(LONGEST_PAUSE);
                misses.left = misses.pause;
            }
            (None, false) => {
                if self.misses.len() == REMEMBERED {
                    self.misses.remove(0);
                }
                // The first miss is forgiven: a page may have been opened.
                self.misses.push(Misses {
                    area,
                    pause: 1,
                    left: 0,
                });
            }
            (None, true) => {}
        }
    }
}

fn strips(old: &Frame, area: Rect, read: &impl Fn(u16, u16, &mut [u8])) -> Vec<Strip> {
    let mut strips: Vec<Strip> = (area.x..area.right() as u16)
        .step_by(STRIP.into())
        .map(|x| Strip {
            x,
            width: STRIP.min(area.right() as u16 - x),
            old: Vec::with_capacity(area.height.into()),
            new: Vec::with_capacity(area.height.into()),
        })
        .collect();
    let mut pixels = [0; SAMPLE as usize * 4];
    for y in area.y..area.bottom() as u16 {
        for strip in &mut strips {
            let width = SAMPLE.min(strip.width);
            let x = strip.x + (strip.width - width) / 2;
            let pixels = &mut pixels[..usize::from(width) * 4];
            read(x, y, pixels);
            let before = old.row(x, y, width);
            strip.old.push(xxh3_64(before));
            strip.new.push(if before == pixels {
                strip.old[strip.old.len() - 1]
            } else {
                xxh3_64(pixels)
            });
        }
    }
    strips
}

/// Neighbouring strips that went the same way, as one.
fn join(strips: &[Strip], area: Rect, down: i32) -> Vec<Move> {
    let mut moves = Vec::new();
    let mut open: Option<(usize, usize, (usize, usize))> = None;
    let close = |moves: &mut Vec<Move>, group: Option<(usize, usize, (usize, usize))>| {
        let Some((first, last, rows)) = group else {
            return;
        };
        let right = strips[last].x + strips[last].width;
        let top = area.y + rows.0 as u16;
        moves.push(Move {
            to: Rect::new(
                strips[first].x,
                top,
                right - strips[first].x,
                (rows.1 - rows.0) as u16,
            ),
            from_x: strips[first].x,
            from_y: (i32::from(top) - down) as u16,
        });
    };
    for (index, strip) in strips.iter().enumerate() {
        let run = strip.run(down);
        open = match (open.take(), run) {
            (Some((first, last, rows)), run) => {
                let both = run.map_or(rows, |run| (rows.0.min(run.0), rows.1.max(run.1)));
                let fits = strip.bears(both, down)
                    && strips[first..=last]
                        .iter()
                        .all(|strip| strip.bears(both, down));
                // A strip without anything of its own only joins what lies at both sides of it.
                match (fits, run) {
                    (true, Some(_)) => Some((first, index, both)),
                    (true, None) => Some((first, last, rows)),
                    (false, run) => {
                        close(&mut moves, Some((first, last, rows)));
                        run.map(|run| (index, index, run))
                    }
                }
            }
            (None, run) => run.map(|run| (index, index, run)),
        };
    }
    close(&mut moves, open);
    moves
}

/// Finds the left and right edge, which may lie in the strips at the ends or just beside them.
fn trim(old: &Frame, area: Rect, found: Move, read: &impl Fn(u16, u16, &mut [u8])) -> Option<Move> {
    let reach = STRIP / STEP;
    let went = |x: u16| column_went(old, x.min(area.right() as u16), area, found, read);
    let mut left = found.to.x.saturating_sub(reach * STEP).max(area.x);
    left = left.next_multiple_of(STEP).max(area.x);
    while u32::from(left) < found.to.right() && !went(left) {
        left = (left / STEP + 1) * STEP;
    }
    let limit = (found.to.right() + u32::from(reach * STEP)).min(area.right());
    let mut right = limit as u16;
    while right > left && !went((right - 1) / STEP * STEP) {
        right = (right - 1) / STEP * STEP;
    }
    (right > left).then(|| Move {
        to: Rect {
            x: left,
            width: right - left,
            ..found.to
        },
        from_x: left,
        ..found
    })
}

/// Whether a column of [`STEP`] pixels' width changed, and mostly as the move says.
fn column_went(
    old: &Frame,
    x: u16,
    area: Rect,
    found: Move,
    read: &impl Fn(u16, u16, &mut [u8]),
) -> bool {
    let (changed, came) = column(old, x, area, found, read);
    came > 0 && came * 2 >= changed
}

/// How many rows of a column of [`STEP`] pixels' width changed, and how many as the move says.
fn column(
    old: &Frame,
    x: u16,
    area: Rect,
    found: Move,
    read: &impl Fn(u16, u16, &mut [u8]),
) -> (usize, usize) {
    let width = STEP.min((area.right() as u16).saturating_sub(x));
    let mut pixels = [0; STEP as usize * 4];
    let pixels = &mut pixels[..usize::from(width) * 4];
    let (mut changed, mut came) = (0, 0);
    for row in 0..found.to.height {
        read(x, found.to.y + row, pixels);
        if old.row(x, found.to.y + row, width) != pixels {
            changed += 1;
            came += usize::from(old.row(x, found.from_y + row, width) == pixels);
        }
    }
    (changed, came)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Size, TileSet};
    use proptest::prelude::*;

    /// A screen of made-up pixels.
    struct Screen {
        size: Size,
        pixels: Vec<u8>,
    }

    impl Screen {
        fn new(size: Size) -> Self {
            Self {
                size,
                pixels: vec![20; usize::from(size.width) * usize::from(size.height) * 4],
            }
        }

        fn at(&self, x: u16, y: u16) -> usize {
            (usize::from(y) * usize::from(self.size.width) + usize::from(x)) * 4
        }

        fn read(&self, x: u16, y: u16, into: &mut [u8]) {
            let at = self.at(x, y);
            into.copy_from_slice(&self.pixels[at..at + into.len()]);
        }

        /// Lines of letters that differ, of lengths that differ.
        fn write_line(&mut self, area: Rect, y: u16, number: u32) {
            let letters = (u32::from(area.width) / 8).min(10 + number * 7 % 60);
            for letter in 0..letters as u16 {
                // Words of eight letters, of which there are only six.
                let word = number
                    .wrapping_add(u32::from(letter) / 8)
                    .wrapping_mul(0x85eb_ca6b)
                    >> 7;
                let mut shape =
                    (word % 6 * 8 + u32::from(letter) % 8 + 1).wrapping_mul(0x9e37_79b1);
                for row in 2..14 {
                    shape = shape.rotate_left(5).wrapping_mul(0x85eb_ca6b);
                    for column in 0..7 {
                        if shape >> column & 1 == 1 {
                            let at = self.at(area.x + letter * 8 + column, y + row);
                            self.pixels[at..at + 3].fill(200);
                        }
                    }
                }
            }
        }

        fn scroll_up(&mut self, area: Rect, by: u16) {
            for y in area.y..area.bottom() as u16 - by {
                let from = self.at(area.x, y + by);
                let to = self.at(area.x, y);
                self.pixels
                    .copy_within(from..from + usize::from(area.width) * 4, to);
            }
            for y in area.bottom() as u16 - by..area.bottom() as u16 {
                let at = self.at(area.x, y);
                self.pixels[at..at + usize::from(area.width) * 4].fill(20);
            }
        }

        fn capture(&self, frame: &mut Frame, area: Rect, moves: &[Move]) -> TileSet {
            let mut changed = TileSet::new(self.size);
            let read = |x: u16, y: u16, into: &mut [u8]| self.read(x, y, into);
            frame.update_moved(&[area], moves, &mut Vec::new(), &mut changed, read);
            changed
        }
    }

    fn text(size: Size, area: Rect) -> (Screen, Frame) {
        let mut screen = Screen::new(size);
        for line in 0..area.height / 16 {
            screen.write_line(area, area.y + line * 16, line.into());
        }
        let mut frame = Frame::new(size);
        screen.capture(&mut frame, size.bounds(), &[]);
        (screen, frame)
    }

    #[test]
    fn a_scrolled_window_is_found_with_its_edges() {
        let size = Size::new(1000, 700);
        let window = Rect::new(208, 48, 640, 480);
        let (mut screen, mut frame) = text(size, window);
        // Something that stays, at its side.
        for row in 0..40 {
            screen.write_line(Rect::new(0, 0, 200, 700), row * 16, 1000 + u32::from(row));
        }
        screen.capture(&mut frame, size.bounds(), &[]);
        let mut scrolls = Scrolls::default();
        for (count, by) in [16_u16, 3, 48].into_iter().enumerate() {
            screen.scroll_up(window, by);
            screen.write_line(window, 512, 500 + count as u32);
            let area = Rect::new(0, 0, 1000, 700);
            let moves = scrolls.find(&frame, area, |x, y, into| screen.read(x, y, into));
            assert_eq!(moves.len(), 1, "{by}: {moves:?}");
            assert_eq!(moves[0].from_y - moves[0].to.y, by);
            assert_eq!(moves[0].to.x, 208);
            let changed = screen.capture(&mut frame, area, &moves);
            // Little more than the new line.
            let pixels: usize = changed.rects().iter().map(Rect::area).sum();
            assert!(pixels <= 640 * 96, "{by}: {:?}", changed.rects());
        }
    }

    #[test]
    fn what_scrolls_down_is_found_too() {
        let size = Size::new(800, 600);
        let (screen, mut frame) = text(size, size.bounds());
        let mut up = Screen {
            size,
            pixels: screen.pixels.clone(),
        };
        up.scroll_up(size.bounds(), 37);
        up.capture(&mut frame, size.bounds(), &[]);
        let moves = Scrolls::default().find(&frame, size.bounds(), |x, y, into| {
            screen.read(x, y, into);
        });
        assert_eq!(moves.len(), 1);
        assert_eq!(moves[0].to.y - moves[0].from_y, 37);
    }

    #[test]
    fn what_goes_on_is_not_searched_anew() {
        let size = Size::new(1200, 700);
        let (mut screen, mut frame) = text(size, size.bounds());
        let mut scrolls = Scrolls::default();
        let (mut most, mut least) = (0, usize::MAX);
        for count in 0..40 {
            // In the middle it goes faster; whoever believed the last would miss it.
            let by = if count == 20 { 32 } else { 16 };
            screen.scroll_up(size.bounds(), by);
            screen.write_line(size.bounds(), 672, 900 + count);
            let read = std::cell::Cell::new(0);
            let moves = scrolls.find(&frame, size.bounds(), |x, y, into| {
                read.set(read.get() + into.len());
                screen.read(x, y, into);
            });
            assert_eq!(moves.len(), 1, "{count}");
            assert_eq!(moves[0].from_y - moves[0].to.y, by, "{count}");
            screen.capture(&mut frame, size.bounds(), &moves);
            (most, least) = (most.max(read.get()), least.min(read.get()));
        }
        assert!(least * 2 < most, "{least} {most}");
    }

    #[test]
    fn films_are_searched_seldom() {
        let size = Size::new(640, 360);
        let mut screen = Screen::new(size);
        let mut frame = Frame::new(size);
        let mut scrolls = Scrolls::default();
        let mut searched = 0;
        let mut state = 1_u64;
        for _ in 0..100 {
            for pixel in &mut screen.pixels {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *pixel = (state >> 33) as u8;
            }
            let reads = std::cell::Cell::new(0);
            let moves = scrolls.find(&frame, size.bounds(), |x, y, into| {
                reads.set(reads.get() + 1);
                screen.read(x, y, into);
            });
            assert!(moves.is_empty());
            searched += usize::from(reads.get() > 0);
            screen.capture(&mut frame, size.bounds(), &[]);
        }
        assert!(searched <= 10, "{searched}");
    }

    proptest! {
        #[test]
        fn hints_never_spoil_the_picture(
            steps in prop::collection::vec((0_u16..60, 0_u16..300, 0_u16..300, 20_u16..300, 60_u16..300), 1..12),
        ) {
            let size = Size::new(611, 403);
            let (mut screen, mut frame) = text(size, Rect::new(0, 0, 600, 400));
            let mut scrolls = Scrolls::default();
            for (count, (by, x, y, width, height)) in steps.into_iter().enumerate() {
                let area = Rect::new(x, y, width, height).intersect(&size.bounds());
                if by > 0 && area.height > by && area.width > 0 {
                    screen.scroll_up(area, by);
                }
                if area.height >= 16 && area.width >= 8 {
                    screen.write_line(area, area.bottom() as u16 - 16, count as u32 + 100);
                }
                let moves = scrolls.find(&frame, size.bounds(), |x, y, into| screen.read(x, y, into));
                let mut changed = TileSet::new(size);
                for found in &moves {
                    prop_assert!(found.to.fits(size.width, size.height));
                    prop_assert!(found.from().fits(size.width, size.height));
                }
                changed.insert_all(&screen.capture(&mut frame, size.bounds(), &moves));
                for y in 0..size.height {
                    let mut row = vec![0; usize::from(size.width) * 4];
                    screen.read(0, y, &mut row);
                    prop_assert!(frame.row(0, y, size.width) == row.as_slice());
                }
            }
        }
    }
}
