//! Sets of pixels.

use porthole_rfb::Rect;

/// Half-open range of columns.
type Span = (u16, u16);

/// Rows that have the same columns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Band {
    top: u16,
    bottom: u16,
    /// In order, neither empty nor touching.
    spans: Vec<Span>,
}

/// A set of pixels, kept as bands of rows from top to bottom. There is one form for each set, so
/// that equal sets are equal values. Pixels right of column 65534 or below row 65534 are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Region {
    /// In order, none empty; touching ones differ in their spans.
    bands: Vec<Band>,
}

impl Region {
    /// No pixel.
    pub const fn new() -> Self {
        Self { bands: Vec::new() }
    }

    /// All pixels of some rectangles.
    pub fn from_rects(rects: &[Rect]) -> Self {
        match rects {
            [] => Self::new(),
            [rect] => Self::from(*rect),
            _ => {
                let (first, second) = rects.split_at(rects.len() / 2);
                Self::from_rects(first).union(&Self::from_rects(second))
            }
        }
    }

    /// Whether it has no pixel.
    pub fn is_empty(&self) -> bool {
        self.bands.is_empty()
    }

    /// Its rectangles from top to bottom, left to right. They do not overlap.
    pub fn rects(&self) -> impl Iterator<Item = Rect> + Clone + '_ {
        self.bands.iter().flat_map(|band| {
            band.spans.iter().map(|&(left, right)| {
                Rect::new(left, band.top, right - left, band.bottom - band.top)
            })
        })
    }

    /// The number of its rectangles.
    pub fn rect_count(&self) -> usize {
        self.bands.iter().map(|band| band.spans.len()).sum()
    }

    /// The number of its pixels.
    pub fn area(&self) -> usize {
        self.rects().map(|rect| rect.area()).sum()
    }

    /// The smallest rectangle around it; empty where it is.
    pub fn bounds(&self) -> Rect {
        let (Some(first), Some(last)) = (self.bands.first(), self.bands.last()) else {
            return Rect::default();
        };
        let left = self
            .bands
            .iter()
            .filter_map(|band| band.spans.first())
            .map(|span| span.0)
            .min();
        let right = self
            .bands
            .iter()
            .filter_map(|band| band.spans.last())
            .map(|span| span.1)
            .max();
        let (left, right) = (left.unwrap_or(0), right.unwrap_or(0));
        Rect::new(left, first.top, right - left, last.bottom - first.top)
    }

    /// Whether a pixel is in it.
    pub fn contains(&self, x: u16, y: u16) -> bool {
        let band = self.bands.partition_point(|band| band.bottom <= y);
        self.bands.get(band).is_some_and(|band| {
            let span = band.spans.partition_point(|span| span.1 <= x);
            band.top <= y && band.spans.get(span).is_some_and(|span| span.0 <= x)
        })
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        self.combine(other, |one, two| one || two)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return self.clone();
        }
        self.combine(other, |one, two| one && !two)
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        self.combine(other, |one, two| one && two)
    }

    /// Adds a rectangle.
    pub fn add(&mut self, rect: Rect) {
        *self = self.union(&Self::from(rect));
    }

    /// Moves it; what leaves the plane is lost.
    #[must_use]
    pub fn translate(&self, right: i32, down: i32) -> Self {
        let shift = |value: u16, by: i32| {
            (i64::from(value) + i64::from(by)).clamp(0, u16::MAX.into()) as u16
        };
        let mut moved = Self::new();
        for band in &self.bands {
            let spans = band
                .spans
                .iter()
                .map(|&(from, to)| (shift(from, right), shift(to, right)));
            moved.push(
                shift(band.top, down),
                shift(band.bottom, down),
                spans.filter(|span| span.0 < span.1).collect(),
            );
        }
        moved
    }

    /// It and what shares a cell of a grid with it. `cell` is the grid's distance, at least 1.
    #[must_use]
    pub fn snap(&self, cell: u16) -> Self {
        let cell = cell.max(1);
        let down = |value: u16| value / cell * cell;
        let up = |value: u16| u32::from(value).next_multiple_of(cell.into()).min(65535) as u16;
        let rects: Vec<Rect> = self
            .bands
            .iter()
            .flat_map(|band| {
                let (top, bottom) = (down(band.top), up(band.bottom));
                band.spans.iter().map(move |&(left, right)| {
                    Rect::new(down(left), top, up(right) - down(left), bottom - top)
                })
            })
            .collect();
        Self::from_rects(&rects)
    }

    /// Adds a band below all others, as one with the last where they are alike.
    fn push(&mut self, top: u16, bottom: u16, spans: Vec<Span>) {
        if spans.is_empty() || top >= bottom {
            return;
        }
        if let Some(last) = self.bands.last_mut()
            && last.bottom == top
            && last.spans == spans
        {
            last.bottom = bottom;
            return;
        }
        self.bands.push(Band { top, bottom, spans });
    }

    /// Sweeps down both. `keep` must not keep what is in neither.
    fn combine(&self, other: &Self, keep: impl Fn(bool, bool) -> bool + Copy) -> Self {
        let mut result = Self::new();
        let (mut ones, mut twos) = (self.bands.as_slice(), other.bands.as_slice());
        let mut y = 0;
        loop {
            // The next row where anything begins or ends, and what is there above it.
            let one = ones.first().filter(|band| band.top <= y);
            let two = twos.first().filter(|band| band.top <= y);
            let edge = |bands: &[Band]| {
                bands
                    .first()
                    .map(|band| if band.top <= y { band.bottom } else { band.top })
            };
            let Some(next) = edge(ones).into_iter().chain(edge(twos)).min() else {
                return result;
            };
            if one.is_some() || two.is_some() {
                result.push(y, next, combine_spans(spans(one), spans(two), keep));
            }
            y = next;
            for bands in [&mut ones, &mut twos] {
                if let Some((first, rest)) = bands.split_first()
                    && first.bottom <= y
                {
                    *bands = rest;
                }
            }
        }
    }
}

fn spans(band: Option<&Band>) -> &[Span] {
    band.map_or(&[], |band| &band.spans)
}

/// Sweeps along both.
fn combine_spans(ones: &[Span], twos: &[Span], keep: impl Fn(bool, bool) -> bool) -> Vec<Span> {
    let mut result: Vec<Span> = Vec::with_capacity(ones.len() + twos.len());
    let (mut ones, mut twos) = (ones.iter().peekable(), twos.iter().peekable());
    let mut x = 0;
    loop {
        let edge = |span: Option<&&Span>| {
            span.map(|&&(left, right)| {
                if left <= x {
                    (right, true)
                } else {
                    (left, false)
                }
            })
        };
        let (one, two) = (edge(ones.peek()), edge(twos.peek()));
        let Some(next) = one.into_iter().chain(two).map(|(edge, _)| edge).min() else {
            return result;
        };
        let inside = |edge: Option<(u16, bool)>| edge.is_some_and(|(_, inside)| inside);
        if keep(inside(one), inside(two)) {
            match result.last_mut() {
                Some(last) if last.1 == x => last.1 = next,
                _ => result.push((x, next)),
            }
        }
        x = next;
        ones.next_if(|span| span.1 <= x);
        twos.next_if(|span| span.1 <= x);
    }
}

impl From<Rect> for Region {
    fn from(rect: Rect) -> Self {
        let right = rect.right().min(u16::MAX.into()) as u16;
        let bottom = rect.bottom().min(u16::MAX.into()) as u16;
        let mut region = Self::new();
        if rect.x < right {
            region.push(rect.y, bottom, vec![(rect.x, right)]);
        }
        region
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIDE: u16 = 24;

    type Bitmap = Vec<bool>;

    fn rects() -> impl Strategy<Value = Vec<Rect>> {
        let rect = (0..SIDE, 0..SIDE, 0..SIDE, 0..SIDE)
            .prop_map(|(x, y, w, h)| Rect::new(x, y, w.min(SIDE - x), h.min(SIDE - y)));
        prop::collection::vec(rect, 0..8)
    }

    fn bitmap(rects: &[Rect]) -> Bitmap {
        (0..SIDE)
            .flat_map(|y| (0..SIDE).map(move |x| (x, y)))
            .map(|(x, y)| {
                rects
                    .iter()
                    .any(|rect| !rect.intersect(&Rect::new(x, y, 1, 1)).is_empty())
            })
            .collect()
    }

    fn painted(region: &Region) -> Bitmap {
        let rects: Vec<Rect> = region.rects().collect();
        bitmap(&rects)
    }

    fn combined(one: &Bitmap, two: &Bitmap, keep: impl Fn(bool, bool) -> bool) -> Bitmap {
        one.iter()
            .zip(two)
            .map(|(&one, &two)| keep(one, two))
            .collect()
    }

    proptest! {
        #[test]
        fn algebra_agrees_with_bitmaps(one in rects(), two in rects()) {
            let (a, b) = (Region::from_rects(&one), Region::from_rects(&two));
            let (x, y) = (bitmap(&one), bitmap(&two));
            prop_assert_eq!(&painted(&a), &x);
            prop_assert_eq!(painted(&a.union(&b)), combined(&x, &y, |x, y| x || y));
            prop_assert_eq!(painted(&a.subtract(&b)), combined(&x, &y, |x, y| x && !y));
            prop_assert_eq!(painted(&a.intersect(&b)), combined(&x, &y, |x, y| x && y));
            // One form for each set, and rectangles that do not overlap.
            prop_assert_eq!(a.union(&b), b.union(&a));
            prop_assert_eq!(a.subtract(&b).union(&a.intersect(&b)), a.clone());
            prop_assert_eq!(a.area(), x.iter().filter(|&&set| set).count());
            prop_assert_eq!(a.is_empty(), a.area() == 0);
            for (index, &set) in x.iter().enumerate() {
                let (column, row) = (index as u16 % SIDE, index as u16 / SIDE);
                prop_assert_eq!(a.contains(column, row), set);
            }
            let mut added = Region::new();
            for &rect in &one {
                added.add(rect);
            }
            prop_assert_eq!(&added, &a);
            let bounds = a.bounds();
            prop_assert!(a.rects().all(|rect| rect.intersect(&bounds) == rect));
        }

        #[test]
        fn moved_and_snapped(one in rects(), right in -30_i32..30, down in -30_i32..30, cell in 1_u16..9) {
            let a = Region::from_rects(&one);
            let moved = a.translate(right, down);
            let back = moved.translate(-right, -down);
            prop_assert_eq!(back.subtract(&a), Region::new());
            if right >= 0 && down >= 0 {
                prop_assert_eq!(&back, &a);
            }
            let snapped = a.snap(cell);
            prop_assert_eq!(a.subtract(&snapped), Region::new());
            prop_assert!(snapped.rects().all(|rect| rect.x % cell == 0 && rect.y % cell == 0
                && rect.width % cell == 0 && rect.height % cell == 0));
        }
    }

    #[test]
    fn the_plane_ends_at_65535() {
        let region = Region::from(Rect::new(65000, 65000, 65535, 65535));
        assert_eq!(region.bounds(), Rect::new(65000, 65000, 535, 535));
        assert_eq!(region.snap(64).bounds(), Rect::new(64960, 64960, 575, 575));
        assert!(Region::from(Rect::new(65535, 0, 5, 5)).is_empty());
    }
}
