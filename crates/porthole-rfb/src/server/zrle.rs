//! ZRLE (section 7.7.6).

use super::{Update, zlib::ZlibStream};
use crate::{
    encoding::Encoding,
    frame::{FrameView, PIXEL},
    geometry::Rect,
    pixel_format::{Converter, Packing},
};

/// The side of a tile.
pub(crate) const TILE: u16 = 64;

/// Writes ZRLE rectangles of one viewer: it keeps the viewer's zlib stream. The rectangles of one
/// writer must reach the viewer all and in order.
#[derive(Debug)]
pub struct ZrleWriter {
    stream: ZlibStream,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl ZrleWriter {
    /// With a compression level, 0 to 9, that stays.
    pub fn new(level: u8) -> Self {
        Self {
            stream: ZlibStream::new(level.min(9)),
            plain: vec![],
            packed: vec![],
        }
    }

    /// A rectangle, which must lie in the frame.
    pub fn write(
        &mut self,
        update: &mut Update,
        frame: &FrameView,
        area: Rect,
        converter: &Converter,
    ) {
        self.plain.clear();
        let mut pixels = Vec::new();
        for y in (area.y..area.bottom() as u16).step_by(TILE.into()) {
            for x in (area.x..area.right() as u16).step_by(TILE.into()) {
                let tile = Rect::new(x, y, TILE, TILE).intersect(&area);
                pixels.clear();
                for row in frame.rows(tile) {
                    let (row, _) = row.as_chunks::<PIXEL>();
                    pixels.extend(
                        row.iter()
                            .map(|pixel| u32::from_le_bytes(*pixel) & 0xff_ffff),
                    );
                }
                write_tile(frame, &pixels, tile, converter, &mut self.plain);
            }
        }
        self.packed.clear();
        self.stream.write(&self.plain, &mut self.packed);
        let out = update.rect(area, Encoding::ZRLE);
        out.extend((self.packed.len() as u32).to_be_bytes());
        out.extend_from_slice(&self.packed);
    }
}

/// A run of one colour.
struct Run {
    colour: u32,
    len: usize,
}

/// Writes a tile in whichever of ZRLE's ways is shortest before compression.
fn write_tile(
    frame: &FrameView,
    pixels: &[u32],
    tile: Rect,
    converter: &Converter,
    out: &mut Vec<u8>,
) {
    let runs: Vec<Run> = pixels
        .chunk_by(|one, next| one == next)
        .map(|run| Run {
            colour: run[0],
            len: run.len(),
        })
        .collect();
    let mut palette: Vec<u32> = Vec::with_capacity(128);
    let mut too_many = false;
    for run in &runs {
        if !palette.contains(&run.colour) {
            if palette.len() == 127 {
                too_many = true;
                break;
            }
            palette.push(run.colour);
        }
    }
    let pixel = converter.len(Packing::Compact);
    let raw = pixels.len() * pixel;
    let run_lengths: usize = runs.iter().map(|run| (run.len - 1) / 255 + 1).sum();
    let plain_rle = runs.len() * pixel + run_lengths;
    if too_many {
        if plain_rle < raw {
            write_rle(&runs, converter, out);
        } else {
            write_raw(frame, tile, converter, out);
        }
        return;
    }
    if palette.len() == 1 {
        out.push(1);
        converter.write_colour(palette[0], Packing::Compact, out);
        return;
    }
    let colours = palette.len() * pixel;
    let bits = match palette.len() {
        2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        _ => 0,
    };
    let packed_row = (usize::from(tile.width) * bits).div_ceil(8);
    let packed = if bits == 0 {
        usize::MAX
    } else {
        colours + packed_row * usize::from(tile.height)
    };
    let single = runs.iter().filter(|run| run.len == 1).count();
    let palette_rle = colours + runs.len() + run_lengths - single;
    let least = raw.min(plain_rle).min(packed).min(palette_rle);
    if least == packed {
        out.push(palette.len() as u8);
        write_palette(&palette, converter, out);
        for row in pixels.chunks(usize::from(tile.width)) {
            for group in row.chunks(8 / bits) {
                let mut byte = 0;
                for (place, colour) in group.iter().enumerate() {
                    byte |= index_of(&palette, *colour) << (8 - bits * (place + 1));
                }
                out.push(byte);
            }
        }
    } else if least == palette_rle {
        out.push(128 + palette.len() as u8);
        write_palette(&palette, converter, out);
        for run in &runs {
            let index = index_of(&palette, run.colour);
            if run.len == 1 {
                out.push(index);
            } else {
                out.push(index | 0x80);
                write_run_length(run.len, out);
            }
        }
    } else if least == plain_rle {
        write_rle(&runs, converter, out);
    } else {
        write_raw(frame, tile, converter, out);
    }
}

fn index_of(palette: &[u32], colour: u32) -> u8 {
    palette
        .iter()
        .position(|&other| other == colour)
        .unwrap_or(0) as u8
}

fn write_palette(palette: &[u32], converter: &Converter, out: &mut Vec<u8>) {
    for &colour in palette {
        converter.write_colour(colour, Packing::Compact, out);
    }
}

fn write_raw(frame: &FrameView, tile: Rect, converter: &Converter, out: &mut Vec<u8>) {
    out.push(0);
    for row in frame.rows(tile) {
        converter.write_row(row, Packing::Compact, out);
    }
}

fn write_rle(runs: &[Run], converter: &Converter, out: &mut Vec<u8>) {
    out.push(128);
    for run in runs {
        converter.write_colour(run.colour, Packing::Compact, out);
        write_run_length(run.len, out);
    }
}

/// The length less one, as many 255 as go into it, and the rest.
fn write_run_length(len: usize, out: &mut Vec<u8>) {
    let rest = len - 1;
    out.extend(std::iter::repeat_n(255, rest / 255));
    out.push((rest % 255) as u8);
}
