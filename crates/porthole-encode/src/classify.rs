//! What kind of picture a piece of the frame is.

use porthole_rfb::{FrameView, Rect, frame::PIXEL};

/// The most colours of a palette.
const MAX_COLOURS: usize = 256;
const SLOTS: usize = 1024;

/// A kind of picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Class {
    /// One colour `0xRRGGBB`.
    Solid(u32),
    /// These colours, 2 to 256, in ascending order: text, drawings.
    Few(Vec<u32>),
    /// More: photographs, video, shades.
    Many,
}

impl Class {
    /// Whether pictures of two kinds can go as one; the first then is the kind of both.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Solid(one), Self::Solid(two)) => one == two,
            (Self::Many, Self::Many) => true,
            // Two colours take a bit for each pixel, more a byte.
            (Self::Few(one), Self::Few(two)) if one.len() == 2 || two.len() == 2 => one == two,
            (Self::Few(one), Self::Few(two)) => {
                let joined = merge(one, two);
                let fits = joined.len() <= MAX_COLOURS;
                if fits {
                    *one = joined;
                }
                fits
            }
            _ => false,
        }
    }
}

/// The numbers of two ascending lists, each once.
fn merge(one: &[u32], two: &[u32]) -> Vec<u32> {
    if one == two {
        return one.to_vec();
    }
    let mut merged = [one, two].concat();
    merged.sort_unstable();
    merged.dedup();
    merged
}

/// Finds colours and their places; used again and again to keep its memory.
pub(crate) struct Palette {
    colours: Vec<u32>,
    /// Place of a colour plus one, at the colour's hash or after it; 0: free. At most a quarter is
    /// taken, so that searches are short and end.
    slots: Box<[u16; SLOTS]>,
}

impl Default for Palette {
    fn default() -> Self {
        Self {
            colours: Vec::with_capacity(MAX_COLOURS),
            slots: Box::new([0; SLOTS]),
        }
    }
}

impl Palette {
    fn clear(&mut self) {
        self.colours.clear();
        self.slots.fill(0);
    }

    /// Where a colour is, or would be.
    fn slot(&self, colour: u32) -> usize {
        let mut slot = (colour.wrapping_mul(0x9e37_79b1) >> 22) as usize;
        loop {
            match self.slots[slot] {
                0 => return slot,
                place if self.colours[usize::from(place) - 1] == colour => return slot,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }

    /// The place of a colour, which is added; `None` when there are too many.
    fn place(&mut self, colour: u32) -> Option<u8> {
        let slot = self.slot(colour);
        if self.slots[slot] == 0 {
            if self.colours.len() == MAX_COLOURS {
                return None;
            }
            self.colours.push(colour);
            self.slots[slot] = self.colours.len() as u16;
        }
        Some((self.slots[slot] - 1) as u8)
    }

    /// What kind a rectangle is, which is not empty and lies in the frame.
    pub(crate) fn classify(&mut self, frame: &FrameView, area: Rect) -> Class {
        if let Some(colour) = solid(frame, area) {
            return Class::Solid(colour);
        }
        self.clear();
        let mut last = None;
        let mut above: &[u8] = &[];
        for row in frame.rows(area) {
            // Much of what is on a screen repeats from row to row.
            if row == above {
                continue;
            }
            above = row;
            for colour in colours(row) {
                if last != Some(colour) {
                    last = Some(colour);
                    if self.place(colour).is_none() {
                        return Class::Many;
                    }
                }
            }
        }
        let mut colours = self.colours.clone();
        colours.sort_unstable();
        // One colour is left where only the bytes without meaning differed.
        if let [colour] = colours[..] {
            Class::Solid(colour)
        } else {
            Class::Few(colours)
        }
    }

    /// Replaces `indices` with each pixel's place in the palette.
    pub(crate) fn index(
        &mut self,
        frame: &FrameView,
        area: Rect,
        palette: &[u32],
        indices: &mut Vec<u8>,
    ) {
        self.clear();
        for &colour in palette {
            self.place(colour);
        }
        indices.clear();
        indices.reserve(area.area());
        let mut last = (palette.first().copied().unwrap_or(0), 0);
        let mut above: &[u8] = &[];
        for row in frame.rows(area) {
            if row == above {
                indices.extend_from_within(indices.len() - row.len() / PIXEL..);
                continue;
            }
            above = row;
            indices.extend(colours(row).map(|colour| {
                if colour != last.0 {
                    last = (colour, self.place(colour).unwrap_or(0));
                }
                last.1
            }));
        }
    }
}

/// The colours `0xRRGGBB` of a row.
fn colours(row: &[u8]) -> impl Iterator<Item = u32> + '_ {
    row.as_chunks::<PIXEL>()
        .0
        .iter()
        .map(|pixel| u32::from_le_bytes(*pixel) & 0xff_ffff)
}

/// The one colour of a rectangle, if all bytes agree.
fn solid(frame: &FrameView, area: Rect) -> Option<u32> {
    let mut rows = frame.rows(area);
    let first = rows.next()?;
    let colour = colours(first).next()?;
    // A row is of one colour when it is the same one pixel further.
    let alike = first[PIXEL..] == first[..first.len() - PIXEL] && rows.all(|row| row == first);
    alike.then_some(colour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn frame(pixels: &[u32]) -> Vec<u8> {
        pixels
            .iter()
            .flat_map(|pixel| pixel.to_le_bytes())
            .collect()
    }

    proptest! {
        #[test]
        fn classes_are_right(
            width in 1_u16..70,
            height in 1_u16..20,
            colours in 1_u32..400,
            pad in any::<bool>(),
            seed in any::<u32>(),
        ) {
            let mut state = seed;
            let pixels: Vec<u32> = (0..u32::from(width) * u32::from(height))
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let colour = ((state >> 8) % colours * 0x5_0301) & 0xff_ffff;
                    colour | if pad { state & 0xff00_0000 } else { 0 }
                })
                .collect();
            let bytes = frame(&pixels);
            let view = FrameView::new(&bytes, usize::from(width) * 4, width, height).unwrap();
            let set: BTreeSet<u32> = pixels.iter().map(|pixel| pixel & 0xff_ffff).collect();
            let list: Vec<u32> = set.into_iter().collect();
            let mut palette = Palette::default();
            let class = palette.classify(&view, view.bounds());
            match list.len() {
                1 => prop_assert_eq!(class, Class::Solid(list[0])),
                2..=256 => {
                    prop_assert_eq!(class, Class::Few(list.clone()));
                    let mut indices = Vec::new();
                    palette.index(&view, view.bounds(), &list, &mut indices);
                    let back: Vec<u32> = indices.iter().map(|&index| list[usize::from(index)]).collect();
                    let plain: Vec<u32> = pixels.iter().map(|pixel| pixel & 0xff_ffff).collect();
                    prop_assert_eq!(back, plain);
                }
                _ => prop_assert_eq!(class, Class::Many),
            }
        }
    }

    #[test]
    fn kinds_join_when_one_way_suits_both() {
        let mut text = Class::Few(vec![1, 2, 3]);
        assert!(text.join(&Class::Few(vec![2, 4, 5])));
        assert_eq!(text, Class::Few(vec![1, 2, 3, 4, 5]));
        assert!(!text.join(&Class::Few((2..=257).collect())));
        assert!(!text.join(&Class::Few(vec![1, 2])));
        assert!(!text.join(&Class::Solid(1)));
        assert!(!Class::Solid(2).join(&Class::Solid(1)));
        assert!(Class::Many.join(&Class::Many));
    }
}
