//! Draws a text. Letter by letter: scripts whose letters change with their neighbours (Arabic,
//! those of India) are shown unjoined, which is enough to tell who it was.

use super::stamp::Bitmap;
use ab_glyph::{Font as _, FontVec, Glyph, GlyphId, PxScale, ScaleFont as _, point};
use std::{fs, path::PathBuf};

/// A line's height in sizes of its letters.
const LINE: f32 = 1.3;
/// Letters are never made smaller than this, in pixels.
const LEAST: f32 = 4.0;
/// Stands for what no font has.
const MISSING: [char; 2] = ['\u{fffd}', '?'];

/// There is no font.
#[derive(Debug, thiserror::Error)]
#[error("none of the fonts can be read: {0}")]
pub struct FontError(String);

/// A letter with the font that has it.
#[derive(Debug, Clone, Copy)]
struct Letter {
    font: usize,
    id: GlyphId,
}

/// A text that is about to be drawn.
pub(super) struct Lettering {
    fonts: Vec<FontVec>,
    lines: Vec<Vec<Letter>>,
    size: f32,
}

impl Lettering {
    /// Finds the letters of a text. Fonts are opened in their order until each letter is found.
    pub(super) fn new(paths: &[PathBuf], text: &str, size: f32) -> Result<Self, FontError> {
        let mut fonts: Vec<FontVec> = Vec::new();
        let mut faults = Vec::new();
        for path in paths {
            let wanted = |letter: char| letter != '\n' && !has(&fonts, letter);
            if !fonts.is_empty() && !text.contains(wanted) {
                break;
            }
            let font = fs::read(path)
                .map_err(|error| error.to_string())
                .and_then(|bytes| FontVec::try_from_vec(bytes).map_err(|error| error.to_string()));
            match font {
                Ok(font) => fonts.push(font),
                Err(error) => faults.push(format!("{}: {error}", path.display())),
            }
        }
        if fonts.is_empty() {
            return Err(FontError(faults.join("; ")));
        }
        let lines = text.lines().map(|line| {
            let letters = line.chars().map(|letter| find(&fonts, letter));
            letters.collect()
        });
        let lines = lines.collect();
        Ok(Self {
            fonts,
            lines,
            size: size.max(LEAST),
        })
    }

    /// Makes its letters smaller.
    pub(super) fn shrink(&mut self, scale: f32) {
        self.size = (self.size * scale).max(LEAST);
    }

    /// Its size in pixels.
    pub(super) fn size(&self) -> (f32, f32) {
        let widths = self.lines.iter().map(|line| self.place(line).1);
        let width = widths.fold(1.0, f32::max);
        (
            width.ceil(),
            (self.lines.len() as f32 * self.size * LINE).ceil().max(1.0),
        )
    }

    /// Fonts measure by their height; letters of all fonts are to have one size.
    fn scale(&self, font: &FontVec) -> PxScale {
        let units = font.units_per_em().unwrap_or(1000.0);
        PxScale::from(self.size * font.height_unscaled() / units)
    }

    /// Where the letters of a line are, and how wide it is.
    fn place(&self, line: &[Letter]) -> (Vec<(Letter, f32)>, f32) {
        let mut x = 0.0;
        let mut before: Option<Letter> = None;
        let mut placed = Vec::with_capacity(line.len());
        for letter in line {
            let font = &self.fonts[letter.font];
            let scaled = font.as_scaled(self.scale(font));
            if let Some(before) = before.filter(|before| before.font == letter.font) {
                x += scaled.kern(before.id, letter.id);
            }
            placed.push((*letter, x));
            x += scaled.h_advance(letter.id);
            before = Some(*letter);
        }
        (placed, x)
    }

    /// Draws it, each line in the middle.
    pub(super) fn draw(&self, colour: [u8; 3]) -> Bitmap {
        let (width, height) = self.size();
        let (width, height) = (width as usize, height as usize);
        let mut coverage = vec![0.0_f32; width * height];
        for (index, line) in self.lines.iter().enumerate() {
            let (letters, length) = self.place(line);
            let left = (width as f32 - length) / 2.0;
            // As much room above the letters as below.
            let base = (index as f32 + 0.5) * self.size * LINE + self.size * 0.35;
            for (letter, x) in letters {
                let font = &self.fonts[letter.font];
                let glyph = Glyph {
                    id: letter.id,
                    scale: self.scale(font),
                    position: point(left + x, base),
                };
                let Some(outline) = font.outline_glyph(glyph) else {
                    continue;
                };
                let bounds = outline.px_bounds();
                outline.draw(|x, y, covered| {
                    let x = bounds.min.x as i64 + i64::from(x);
                    let y = bounds.min.y as i64 + i64::from(y);
                    if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                        let here = &mut coverage[y as usize * width + x as usize];
                        *here = (*here + covered).min(1.0);
                    }
                });
            }
        }
        let [red, green, blue] = colour;
        let pixels = coverage.into_iter();
        Bitmap::new(
            width,
            height,
            pixels.map(|covered| [red, green, blue, (covered * 255.0).round() as u8]),
        )
    }
}

fn has(fonts: &[FontVec], letter: char) -> bool {
    fonts.iter().any(|font| font.glyph_id(letter).0 != 0)
}

fn find(fonts: &[FontVec], letter: char) -> Letter {
    let in_fonts = |letter: char| {
        fonts.iter().enumerate().find_map(|(font, has)| {
            let id = has.glyph_id(letter);
            (id.0 != 0).then_some(Letter { font, id })
        })
    };
    in_fonts(letter)
        .or_else(|| MISSING.into_iter().find_map(in_fonts))
        .unwrap_or(Letter {
            font: 0,
            id: GlyphId(0),
        })
}
