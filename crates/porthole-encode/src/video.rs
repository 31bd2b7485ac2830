//! Where the screen moves like video.
//!
//! Time goes in slots; each tile remembers in which of the last slots it changed. Tiles that change
//! steadily are cut into rectangles along the lines that rest; large ones that show many colours
//! are video. That is the screen's matter alone: how often viewers take a picture of it has no part
//! in it. While none can, what is drawn is noted, and counts where the next picture differs.

use crate::{
    classify::{Class, Palette},
    edges::Edges,
    grid::{CELL, steps},
    region::Region,
};
use porthole_rfb::{FrameView, Rect};
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// The side of a tile.
const TILE: u16 = 16;
const SLOT: Duration = Duration::from_millis(50);
/// Slots in which a tile must have changed to move, half a second in two halves: ten changes a
/// second, one of which may be late in each.
const HALVES: [u32; 2] = [0b00_0001_1111, 0b11_1110_0000];
const CHANGES_IN_HALF: u32 = 2;
/// An area without a change for so long is no video any more.
const END: Duration = Duration::from_millis(500);
/// How often is looked for areas.
const LOOK: Duration = Duration::from_millis(100);
/// So long the edges of an area are looked at before it begins.
const TRIAL: Duration = Duration::from_millis(100);
/// An area is not made anew sooner, and what was refused is not judged again.
const STAY: Duration = Duration::from_millis(500);
/// The most areas at once.
const MAX_AREAS: usize = 4;
/// The least sides of an area.
const MIN_SIDES: (u16, u16) = (160, 120);
/// So many tiles at rest side by side part two areas.
const GAP: usize = 2;
/// How many places are judged by their colours.
const SAMPLES: usize = 16;

/// An area that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VideoArea {
    /// Where; its sides are even.
    pub(crate) area: Rect,
    /// The tiles it lies in.
    pub(crate) outer: Rect,
    made: Instant,
    /// When something in it changed last.
    pub(crate) changed: Instant,
    /// When something was drawn in it that no picture shows yet.
    drawn: Option<Instant>,
    /// Between two of its changes, about.
    pub(crate) interval: Duration,
}

impl VideoArea {
    /// When something was done to it last, as far as is known.
    pub(crate) fn touched(&self) -> Instant {
        self.drawn.map_or(self.changed, |at| at.max(self.changed))
    }

    /// Something is done to it again.
    fn pass(&mut self, before: Instant, now: Instant) {
        let passed = now.saturating_duration_since(before).min(END);
        self.interval = (self.interval * 7 + passed) / 8;
    }
}

/// Finds areas that move like video.
#[derive(Debug, Default)]
pub(crate) struct VideoFinder {
    width: u16,
    height: u16,
    columns: usize,
    /// For each tile the slots in which it changed, the current one lowest.
    tiles: Vec<u32>,
    /// For each tile the slots in which it was drawn since the last picture.
    drawn: Vec<u32>,
    any_drawn: bool,
    /// When the first picture came: time is what callers say it is.
    start: Option<Instant>,
    slot: u64,
    areas: Vec<VideoArea>,
    /// Areas to be, whose edges are looked at until then.
    trials: Vec<(Edges, Instant)>,
    next_look: Option<Instant>,
    refused: Option<(Rect, Instant)>,
}

/// A rectangle of tiles.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tiles {
    columns: Range<usize>,
    rows: Range<usize>,
}

impl VideoFinder {
    /// The areas; they do not overlap.
    pub(crate) fn areas(&self) -> &[VideoArea] {
        &self.areas
    }

    /// The size of the pictures that the areas are of.
    pub(crate) const fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// Takes in a picture of the screen and where it differs from the one before.
    pub(crate) fn changed(
        &mut self,
        frame: &FrameView,
        damage: &Region,
        now: Instant,
        palette: &mut Palette,
    ) {
        if (frame.width(), frame.height()) != (self.width, self.height) {
            self.resize(frame.width(), frame.height());
        }
        self.advance(now);
        self.mark(damage, |tile, drawn| *tile |= 1 | *drawn);
        if std::mem::take(&mut self.any_drawn) {
            self.drawn.fill(0);
        }
        for area in &mut self.areas {
            let before = area.touched();
            area.drawn = None;
            if !damage.intersect(&area.area.into()).is_empty() {
                area.pass(before, now);
                area.changed = now;
            }
        }
        self.rest(now);
        for (edges, _) in &mut self.trials {
            edges.look(frame);
        }
        if self.next_look.is_none_or(|due| now >= due) {
            self.next_look = Some(now + LOOK);
            self.look(frame, now, palette);
        }
    }

    /// Something was drawn that no picture shows yet: the next one tells whether it changed.
    pub(crate) fn drawn(&mut self, region: &Region, now: Instant) {
        self.advance(now);
        self.mark(region, |_, drawn| *drawn |= 1);
        self.any_drawn = true;
        for area in &mut self.areas {
            if !region.intersect(&area.area.into()).is_empty() {
                area.pass(area.touched(), now);
                area.drawn = Some(now);
            }
        }
    }

    /// Time passes: forgets areas that rest.
    pub(crate) fn rest(&mut self, now: Instant) {
        self.areas
            .retain(|area| now.saturating_duration_since(area.touched()) < END);
    }

    fn resize(&mut self, width: u16, height: u16) {
        (self.width, self.height) = (width, height);
        self.columns = width.div_ceil(TILE).into();
        self.tiles.clear();
        let rows = usize::from(height.div_ceil(TILE));
        self.tiles.resize(self.columns * rows, 0);
        self.drawn.clear();
        self.drawn.resize(self.columns * rows, 0);
        self.areas.clear();
        self.trials.clear();
        self.refused = None;
    }

    fn advance(&mut self, now: Instant) {
        let start = *self.start.get_or_insert(now);
        let passed = now.saturating_duration_since(start).as_millis();
        let slot = (passed / SLOT.as_millis()) as u64;
        let gap = slot.saturating_sub(self.slot).min(32) as u32;
        self.slot = self.slot.max(slot);
        if gap > 0 {
            for tile in self.tiles.iter_mut().chain(&mut self.drawn) {
                *tile = tile.checked_shl(gap).unwrap_or(0);
            }
        }
    }

    /// Goes through the tiles of a region: the slots in which each changed, and was drawn.
    fn mark(&mut self, region: &Region, each: impl Fn(&mut u32, &mut u32)) {
        let (last_column, last_row) = (self.columns, self.rows());
        for rect in region.rects() {
            let columns = usize::from(rect.x / TILE)..rect.right().div_ceil(TILE.into()) as usize;
            let rows = usize::from(rect.y / TILE)..rect.bottom().div_ceil(TILE.into()) as usize;
            for row in rows.start..rows.end.min(last_row) {
                for column in columns.start..columns.end.min(last_column) {
                    let at = row * self.columns + column;
                    each(&mut self.tiles[at], &mut self.drawn[at]);
                }
            }
        }
    }

    fn rows(&self) -> usize {
        self.tiles.len().checked_div(self.columns).unwrap_or(0)
    }

    fn moves(&self, column: usize, row: usize) -> bool {
        let slots = self.tiles[row * self.columns + column];
        HALVES
            .iter()
            .all(|half| (slots & half).count_ones() >= CHANGES_IN_HALF)
    }

    /// Compares what moves now with the areas.
    fn look(&mut self, frame: &FrameView, now: Instant, palette: &mut Palette) {
        let whole = Tiles {
            columns: 0..self.columns,
            rows: 0..self.rows(),
        };
        let mut found = Vec::new();
        self.cut(&whole, &mut found);
        let mut found: Vec<Rect> = found
            .into_iter()
            .filter_map(|tiles| self.trim(tiles))
            .map(|tiles| self.place(&tiles))
            .filter(|area| area.width >= MIN_SIDES.0 && area.height >= MIN_SIDES.1)
            .collect();
        found.sort_by_key(|area| std::cmp::Reverse(area.area()));
        // What is not found again was no area.
        self.trials
            .retain(|(edges, _)| found.iter().any(|&area| fills(area, edges.outer())));
        for area in found {
            if self.is_new(frame, area, now, palette) {
                let outer = self.grown(area);
                self.try_out(frame, outer, now, palette);
            }
        }
    }

    /// What was found with the area that it outgrows, so that areas become steady; alone where
    /// that holds much more.
    fn grown(&self, found: Rect) -> Rect {
        let mut both: Vec<Rect> = self.areas.iter().map(|old| old.outer).collect();
        both.retain(|old| {
            let common = old.intersect(&found);
            !common.is_empty() && common != found
        });
        both.push(found);
        let both = Region::from_rects(&both).bounds();
        if fills(found, both) { both } else { found }
    }

    /// Whether the areas do not have what was found.
    fn is_new(&self, frame: &FrameView, found: Rect, now: Instant, palette: &mut Palette) -> bool {
        let mut touched = self
            .areas
            .iter()
            .filter(|old| !old.outer.intersect(&found).is_empty());
        let refused = self
            .refused
            .is_some_and(|(refused, until)| now < until && refused.intersect(&found) == found);
        if refused || touched.clone().any(|old| now < old.made + STAY) {
            return false;
        }
        match (touched.next(), touched.next()) {
            (None, _) => self.areas.len() < MAX_AREAS,
            (Some(old), None) => {
                old.outer.intersect(&found) != found
                    || self.too_large(frame, old.outer, found, palette)
            }
            _ => true,
        }
    }

    /// Begins to look at an area's edges, or makes it an area once they are known.
    fn try_out(&mut self, frame: &FrameView, outer: Rect, now: Instant, palette: &mut Palette) {
        let trial = self
            .trials
            .iter()
            .position(|(edges, _)| fills(outer, edges.outer()));
        let Some(trial) = trial else {
            if is_photo(frame, outer, palette) {
                self.trials.push((Edges::new(frame, outer, TILE), now));
            } else {
                self.refused = Some((outer, now + STAY));
            }
            return;
        };
        if now < self.trials[trial].1 + TRIAL {
            return;
        }
        let (edges, _) = self.trials.swap_remove(trial);
        let outer = edges.outer();
        let mut interval = SLOT;
        self.areas.retain(|old| {
            let gone = !old.outer.intersect(&outer).is_empty();
            if gone {
                interval = old.interval;
            }
            !gone
        });
        self.areas.push(VideoArea {
            area: edges.area(),
            outer,
            made: now,
            changed: now,
            drawn: None,
            interval,
        });
    }

    /// Whether an area holds too much beside the part that moves: a quarter that rests, or text.
    fn too_large(&self, frame: &FrameView, area: Rect, part: Rect, palette: &mut Palette) -> bool {
        let tiles = self.tiles_of(area);
        let rows = tiles.rows.clone();
        let resting = rows
            .flat_map(|row| self.tiles[row * self.columns..][tiles.columns.clone()].iter())
            .filter(|&&slots| slots == 0)
            .count();
        let beside = Region::from(area).subtract(&part.into());
        resting * 4 >= tiles.columns.len() * tiles.rows.len()
            || cells(&beside).any(|cell| {
                cell.area() >= usize::from(CELL) * usize::from(TILE)
                    && self.rests(cell)
                    && matches!(palette.classify(frame, cell), Class::Few(_))
            })
    }

    /// Whether no tile of a rectangle changed in the last half second.
    fn rests(&self, area: Rect) -> bool {
        let tiles = self.tiles_of(area);
        tiles.rows.clone().all(|row| {
            self.tiles[row * self.columns..][tiles.columns.clone()]
                .iter()
                .all(|slots| slots & (HALVES[0] | HALVES[1]) == 0)
        })
    }

    /// Cuts what moves into rectangles along lines at rest.
    fn cut(&self, part: &Tiles, found: &mut Vec<Tiles>) {
        let rows = runs(part.rows.clone(), |row| {
            part.columns.clone().any(|column| self.moves(column, row))
        });
        for rows in rows {
            let columns = runs(part.columns.clone(), |column| {
                rows.clone().any(|row| self.moves(column, row))
            });
            for columns in columns {
                let rows = rows.clone();
                let piece = Tiles { columns, rows };
                if piece == *part {
                    found.push(piece);
                } else {
                    self.cut(&piece, found);
                }
            }
        }
    }

    /// Takes off lines at the edges where less than a quarter moves: something small beside a
    /// video. Nothing where less than half moves in what is left.
    fn trim(&self, mut part: Tiles) -> Option<Tiles> {
        loop {
            let moving = |part: &Tiles| {
                let rows = part.rows.clone();
                rows.map(|row| {
                    let columns = part.columns.clone();
                    columns.filter(|&column| self.moves(column, row)).count()
                })
                .sum::<usize>()
            };
            let size = |part: &Tiles| part.columns.len() * part.rows.len();
            if size(&part) == 0 {
                return None;
            }
            let (columns, rows) = (part.columns.clone(), part.rows.clone());
            let line = |columns: Range<usize>, rows: Range<usize>| Tiles { columns, rows };
            let thin = |line: &Tiles| moving(line) * 4 < size(line);
            if thin(&line(columns.clone(), rows.start..rows.start + 1)) {
                part.rows.start += 1;
            } else if thin(&line(columns.clone(), rows.end - 1..rows.end)) {
                part.rows.end -= 1;
            } else if thin(&line(columns.start..columns.start + 1, rows.clone())) {
                part.columns.start += 1;
            } else if thin(&line(columns.end - 1..columns.end, rows)) {
                part.columns.end -= 1;
            } else {
                return (moving(&part) * 2 >= size(&part)).then_some(part);
            }
        }
    }

    /// The pixels of tiles, even in width and height.
    fn place(&self, tiles: &Tiles) -> Rect {
        let edge = |tile: usize, end: u16| (tile * usize::from(TILE)).min(end.into()) as u16;
        let (x, y) = (
            edge(tiles.columns.start, self.width),
            edge(tiles.rows.start, self.height),
        );
        let width = edge(tiles.columns.end, self.width) - x;
        let height = edge(tiles.rows.end, self.height) - y;
        Rect::new(x, y, width & !1, height & !1)
    }

    /// The tiles that an area touches.
    fn tiles_of(&self, area: Rect) -> Tiles {
        let tile = u32::from(TILE);
        Tiles {
            columns: usize::from(area.x / TILE)
                ..(area.right().div_ceil(tile) as usize).min(self.columns),
            rows: usize::from(area.y / TILE)
                ..(area.bottom().div_ceil(tile) as usize).min(self.rows()),
        }
    }
}

/// Whether a rectangle lies in another and fills most of it.
fn fills(part: Rect, whole: Rect) -> bool {
    part.intersect(&whole) == part && part.area() * 4 >= whole.area() * 3
}

/// Whether most of what an area shows has many colours, by a sample.
fn is_photo(frame: &FrameView, area: Rect, palette: &mut Palette) -> bool {
    let cells: Vec<Rect> = cells(&area.into())
        .filter(|cell| cell.area() == usize::from(CELL) * usize::from(CELL))
        .collect();
    let step = cells.len().div_ceil(SAMPLES).max(1);
    let sample: Vec<bool> = cells
        .into_iter()
        .step_by(step)
        .map(|cell| palette.classify(frame, cell) == Class::Many)
        .collect();
    let many = sample.iter().filter(|&&many| many).count();
    !sample.is_empty() && many * 2 >= sample.len()
}

/// The pieces of a region in the cells of the grid.
fn cells(region: &Region) -> impl Iterator<Item = Rect> {
    region.rects().flat_map(|rect| {
        steps(rect.y, rect.bottom(), CELL).flat_map(move |(y, height)| {
            steps(rect.x, rect.right(), CELL).map(move |(x, width)| Rect {
                x,
                y,
                width,
                height,
            })
        })
    })
}

/// The ranges of what is marked; a gap of fewer than [`GAP`] is none.
fn runs(range: Range<usize>, marked: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for index in range.filter(|&index| marked(index)) {
        match runs.last_mut() {
            Some(run) if index < run.end + GAP => run.end = index + 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(33);

    /// A screen with text on it, on which tests draw.
    struct Screen {
        width: u16,
        height: u16,
        bytes: Vec<u8>,
        damage: Region,
        finder: VideoFinder,
        palette: Palette,
        now: Instant,
        seed: u32,
    }

    impl Screen {
        fn new(width: u16, height: u16) -> Self {
            let now = Instant::now();
            let mut screen = Self {
                width,
                height,
                bytes: vec![0; usize::from(width) * usize::from(height) * 4],
                damage: Region::new(),
                finder: VideoFinder::default(),
                palette: Palette::default(),
                now,
                seed: 1,
            };
            screen.text(Rect::new(0, 0, width, height), 0);
            screen
        }

        fn paint(&mut self, area: Rect, colour: impl Fn(u32, u32) -> u32) {
            for y in area.y..area.bottom() as u16 {
                for x in area.x..area.right() as u16 {
                    let at = (usize::from(y) * usize::from(self.width) + usize::from(x)) * 4;
                    let colour = colour(x.into(), y.into());
                    self.bytes[at..at + 4].copy_from_slice(&colour.to_le_bytes());
                }
            }
            self.damage.add(area);
        }

        /// Four colours; `line` scrolls.
        fn text(&mut self, area: Rect, line: u32) {
            self.paint(area, |x, y| {
                [0xff_ffff, 0, 0x80_8080, 0x20_20c0]
                    [((x / 3 * 7 + (y + line) / 5 * 3) % 11 % 4) as usize]
            });
        }

        /// Another picture of a film.
        fn film(&mut self, area: Rect) {
            self.seed = self
                .seed
                .wrapping_mul(1_664_525)
                .wrapping_add(1_013_904_223);
            let seed = self.seed >> 16;
            self.paint(area, |x, y| {
                let noise = (x * 31 + y * 17 + seed).wrapping_mul(0x9e37_79b1) >> 26;
                ((x + seed) & 255) << 16 | ((y * 2 + noise) & 255) << 8 | ((x + y + noise) & 255)
            });
        }

        /// An update with what was painted, as large as the capture tells it.
        fn update(&mut self) {
            let damage = self.take_damage();
            let stride = usize::from(self.width) * 4;
            let frame = FrameView::new(&self.bytes, stride, self.width, self.height).unwrap();
            self.finder
                .changed(&frame, &damage, self.now, &mut self.palette);
        }

        fn take_damage(&mut self) -> Region {
            let bounds = Region::from(Rect::new(0, 0, self.width, self.height));
            std::mem::take(&mut self.damage)
                .snap(TILE)
                .intersect(&bounds)
        }

        /// Lets several pictures pass of which viewers take every `nth`, as the capture tells it.
        fn run_held(&mut self, pictures: usize, nth: usize, draw: impl Fn(&mut Self, usize)) {
            let mut uncaptured = Region::new();
            for index in 0..pictures {
                draw(self, index);
                let drawn = self.take_damage();
                uncaptured = uncaptured.union(&drawn);
                if index % nth == nth - 1 {
                    self.damage = std::mem::take(&mut uncaptured);
                    self.update();
                } else if !drawn.is_empty() {
                    self.finder.drawn(&drawn, self.now);
                }
                self.now += FRAME;
                self.finder.rest(self.now);
            }
        }

        /// Lets several pictures pass.
        fn run(&mut self, pictures: usize, mut draw: impl FnMut(&mut Self, usize)) {
            for index in 0..pictures {
                draw(self, index);
                if !self.damage.is_empty() {
                    self.update();
                }
                self.now += FRAME;
                self.finder.rest(self.now);
            }
        }

        fn areas(&self) -> Vec<Rect> {
            let mut areas: Vec<Rect> = self.finder.areas().iter().map(|area| area.area).collect();
            areas.sort_by_key(|area| (area.y, area.x));
            areas
        }
    }

    #[test]
    fn a_film_in_a_window_without_the_text_around_it() {
        let mut screen = Screen::new(1024, 768);
        let film = Rect::new(203, 151, 641, 362);
        // A little more than half a second, and time to look at the edges.
        screen.run(11, |screen, _| screen.film(film));
        assert_eq!(screen.areas(), []);
        screen.run(15, |screen, index| {
            screen.film(film);
            // Somebody types beside it, and a clock ticks far from it.
            screen.text(Rect::new(860, 200, 9, 12), index as u32);
            screen.text(Rect::new(10, 10, 40, 9), index as u32);
        });
        // To even pixels, no more.
        assert_eq!(screen.areas(), [Rect::new(202, 150, 642, 364)]);
    }

    #[test]
    fn after_a_pause_of_any_length() {
        let area = Rect::new(0, 0, 16, 16);
        for (slots, drawn) in (0..40).flat_map(|slots| [(slots, false), (slots, true)]) {
            let mut screen = Screen::new(64, 64);
            screen.update();
            for _ in 0..slots {
                screen.now += SLOT;
                if drawn {
                    screen.finder.drawn(&area.into(), screen.now);
                }
            }
            screen.film(area);
            screen.update();
            let changes = (0..=slots).filter(|&slot| drawn || slot == 0 || slot == slots);
            let expected = changes.fold(0, |bits, slot| bits | 1_u64 << slot) as u32;
            assert_eq!(screen.finder.tiles[0], expected, "{slots} {drawn}");
            // What was drawn elsewhere, and looks as before, did not change.
            screen.finder.drawn(&area.into(), screen.now + SLOT);
            screen.now += SLOT * 2;
            screen.film(Rect::new(32, 32, 16, 16));
            screen.update();
            assert_eq!(screen.finder.tiles[0], expected << 2);
        }
    }

    #[test]
    fn a_film_on_the_whole_screen() {
        let mut screen = Screen::new(1366, 769);
        screen.run(30, |screen, _| screen.film(Rect::new(0, 0, 1366, 769)));
        // All but the odd row.
        assert_eq!(screen.areas(), [Rect::new(0, 0, 1366, 768)]);
    }

    #[test]
    fn two_films_and_text_between() {
        let mut screen = Screen::new(1024, 768);
        let films = [Rect::new(32, 64, 400, 300), Rect::new(480, 64, 400, 300)];
        screen.run(30, |screen, _| {
            for film in films {
                screen.film(film);
            }
        });
        assert_eq!(screen.areas(), films);
    }

    #[test]
    fn at_most_four() {
        let mut screen = Screen::new(1024, 768);
        let films: Vec<Rect> = (0..6)
            .map(|index| Rect::new(index % 3 * 320, index / 3 * 320, 240, 240))
            .collect();
        screen.run(30, |screen, _| {
            for &film in &films {
                screen.film(film);
            }
        });
        assert_eq!(screen.areas().len(), MAX_AREAS);
    }

    #[test]
    fn text_that_scrolls_is_none() {
        let mut screen = Screen::new(800, 600);
        screen.run(60, |screen, index| {
            screen.text(Rect::new(100, 100, 600, 400), index as u32 * 3);
        });
        assert_eq!(screen.areas(), []);
    }

    #[test]
    fn small_things_are_none() {
        let mut screen = Screen::new(800, 600);
        screen.run(90, |screen, index| {
            screen.film(Rect::new(300, 300, 48, 48));
            screen.film(Rect::new(10, 10, 700, 90));
            if index % 15 == 0 {
                screen.text(Rect::new(500, 500, 2, 14), index as u32);
            }
        });
        assert_eq!(screen.areas(), []);
    }

    #[test]
    fn slow_changes_are_none() {
        let mut screen = Screen::new(800, 600);
        screen.run(90, |screen, index| {
            if index % 6 == 0 {
                screen.film(Rect::new(100, 100, 400, 300));
            }
        });
        assert_eq!(screen.areas(), []);
    }

    #[test]
    fn how_often_a_viewer_takes_pictures_hides_no_film() {
        // Down to less than one in two seconds; found as soon as at 30 a second, and a picture.
        for nth in [1, 2, 4, 8, 16, 31, 70] {
            let mut screen = Screen::new(800, 600);
            let film = Rect::new(96, 96, 400, 304);
            screen.run_held((3 * nth).max(40), nth, |screen, _| screen.film(film));
            assert_eq!(screen.areas(), [film], "every {nth}th");
            let interval = screen.finder.areas()[0].interval;
            assert!(interval < SLOT * 3 / 2, "{interval:?}");
            // It rests while nobody looks, and then somebody does.
            screen.run_held(40, 40, |_, _| ());
            assert_eq!(screen.areas(), []);
        }
    }

    #[test]
    fn what_is_drawn_alike_is_no_film() {
        let mut screen = Screen::new(800, 600);
        let still = Rect::new(96, 96, 400, 304);
        screen.film(still);
        screen.update();
        for index in 0..120 {
            screen.finder.drawn(&still.into(), screen.now);
            screen.now += FRAME;
            if index % 4 == 0 {
                // Captured for something small elsewhere.
                screen.text(Rect::new(600, 500, 20, 20), index);
                screen.update();
            }
        }
        assert_eq!(screen.areas(), []);
    }

    #[test]
    fn a_film_that_pauses_ends_and_begins_again() {
        let mut screen = Screen::new(800, 600);
        let film = Rect::new(96, 96, 400, 304);
        screen.run(30, |screen, _| screen.film(film));
        assert_eq!(screen.areas(), [film]);
        screen.run(12, |_, _| ());
        assert_eq!(screen.areas(), [film]);
        screen.run(6, |_, _| ());
        assert_eq!(screen.areas(), []);
        screen.run(30, |screen, _| screen.film(film));
        assert_eq!(screen.areas(), [film]);
    }

    #[test]
    fn a_film_that_moves_is_followed() {
        let mut screen = Screen::new(1024, 768);
        let film = |x| Rect::new(x, 160, 400, 304);
        screen.run(30, |screen, _| screen.film(film(64)));
        assert_eq!(screen.areas(), [film(64)]);
        screen.run(10, |screen, index| {
            let left = 64 + index as u16 * 40;
            screen.text(Rect::new(left, 160, 40, 304), 0);
            screen.film(film(left + 40));
        });
        screen.run(45, |screen, _| screen.film(film(464)));
        assert_eq!(screen.areas(), [film(464)]);
    }

    #[test]
    fn a_film_that_grows_is_followed() {
        let mut screen = Screen::new(1024, 768);
        screen.run(30, |screen, _| screen.film(Rect::new(64, 64, 320, 240)));
        screen.run(30, |screen, _| screen.film(Rect::new(0, 0, 1024, 768)));
        assert_eq!(screen.areas(), [Rect::new(0, 0, 1024, 768)]);
    }

    #[test]
    fn another_size_forgets_all() {
        let mut screen = Screen::new(1024, 768);
        screen.run(30, |screen, _| screen.film(Rect::new(64, 64, 320, 240)));
        assert_eq!(screen.areas().len(), 1);
        let now = screen.now;
        let mut finder = std::mem::take(&mut screen.finder);
        let mut smaller = Screen::new(800, 600);
        std::mem::swap(&mut smaller.finder, &mut finder);
        smaller.now = now;
        smaller.film(Rect::new(64, 64, 320, 240));
        smaller.update();
        assert_eq!(smaller.areas(), []);
    }
}
