//! Tight (community document, *Tight Encoding*).

use super::{Update, zlib::ZlibStream};
use crate::{
    encoding::Encoding,
    frame::FrameView,
    geometry::Rect,
    pixel_format::{Converter, Packing},
};

/// The widest rectangle that viewers must take.
pub const MAX_TIGHT_WIDTH: u16 = 2048;

/// The largest compressed length, of 22 bits; so the largest JPEG.
pub const MAX_JPEG: usize = (1 << 22) - 1;

/// Data shorter than this is not compressed, and has no length.
pub(crate) const MIN_TO_COMPRESS: usize = 12;

pub(crate) const FILL: u8 = 0x80;
pub(crate) const JPEG: u8 = 0x90;
pub(crate) const EXPLICIT_FILTER: u8 = 0x40;
pub(crate) const FILTER_PALETTE: u8 = 1;

const STREAM_FULL_COLOUR: usize = 0;
const STREAM_MONO: usize = 1;
const STREAM_INDEXED: usize = 2;
/// Of rectangles that need nothing of those before.
const STREAM_APART: usize = 3;

/// Writes Tight rectangles of one viewer: it keeps the viewer's zlib streams. The rectangles of
/// one writer must reach the viewer all and in order, unless they are written
/// [apart](Self::apart).
#[derive(Debug)]
pub struct TightWriter {
    streams: [Option<ZlibStream>; 4],
    apart: bool,
    level: u8,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl TightWriter {
    /// With a compression level, 0 to 9.
    pub fn new(level: u8) -> Self {
        Self {
            streams: [None, None, None, None],
            apart: false,
            level: level.min(9),
            plain: vec![],
            packed: vec![],
        }
    }

    /// Writes each rectangle so that it needs nothing of those before: for whichever viewers, among
    /// the rectangles of their own writers. Costs bytes, since nothing is learned.
    pub fn apart(level: u8) -> Self {
        Self {
            apart: true,
            ..Self::new(level)
        }
    }

    /// Compresses more or less from now on. Level 0 only stores.
    pub fn set_level(&mut self, level: u8) {
        self.level = level.min(9);
    }

    /// One colour `0xRRGGBB`.
    pub fn fill(&mut self, update: &mut Update, area: Rect, colour: u32, converter: &Converter) {
        let out = update.rect(area, Encoding::TIGHT);
        out.push(FILL);
        converter.write_colour(colour, Packing::Tight, out);
    }

    /// A JPEG of at most [`MAX_JPEG`] bytes; only for formats of 32 bits per pixel.
    pub fn jpeg(&mut self, update: &mut Update, area: Rect, jpeg: &[u8]) {
        debug_assert!(jpeg.len() <= MAX_JPEG);
        let out = update.rect(area, Encoding::TIGHT);
        out.push(JPEG);
        write_length(jpeg.len(), out);
        out.extend_from_slice(jpeg);
    }

    /// All pixels, compressed. The rectangle must lie in the frame.
    pub fn full_colour(
        &mut self,
        update: &mut Update,
        frame: &FrameView,
        area: Rect,
        converter: &Converter,
    ) {
        self.plain.clear();
        for row in frame.rows(area) {
            converter.write_row(row, Packing::Tight, &mut self.plain);
        }
        let out = update.rect(area, Encoding::TIGHT);
        // No filter follows.
        let control = out.len();
        out.push(0);
        self.compress(STREAM_FULL_COLOUR, control, out);
    }

    /// Up to 256 colours `0xRRGGBB`, at least two, and for each pixel its place among them.
    pub fn indexed(
        &mut self,
        update: &mut Update,
        area: Rect,
        palette: &[u32],
        indices: &[u8],
        converter: &Converter,
    ) {
        debug_assert!((2..=256).contains(&palette.len()) && indices.len() == area.area());
        let mono = palette.len() == 2;
        let stream = if mono { STREAM_MONO } else { STREAM_INDEXED };
        let out = update.rect(area, Encoding::TIGHT);
        let control = out.len();
        out.extend([
            EXPLICIT_FILTER,
            FILTER_PALETTE,
            (palette.len().clamp(1, 256) - 1) as u8,
        ]);
        for &colour in palette {
            converter.write_colour(colour, Packing::Tight, out);
        }
        self.plain.clear();
        if mono {
            for row in indices.chunks(usize::from(area.width).max(1)) {
                pack_bits(row, &mut self.plain);
            }
        } else {
            self.plain.extend_from_slice(indices);
        }
        self.compress(stream, control, out);
    }

    /// Appends `plain`, compressed where it is long enough; `control` is where the control byte
    /// is, which tells the stream, and whether it starts anew.
    fn compress(&mut self, stream: usize, control: usize, out: &mut Vec<u8>) {
        let stream = if self.apart { STREAM_APART } else { stream };
        out[control] |= (stream as u8) << 4;
        if self.plain.len() < MIN_TO_COMPRESS {
            out.extend_from_slice(&self.plain);
            return;
        }
        let slot = &mut self.streams[stream];
        if slot.as_ref().is_none_or(|zlib| zlib.level() != self.level) {
            // Told for the first one too: it does no harm, and heals what was before.
            out[control] |= 1 << stream;
            *slot = None;
        }
        let zlib = slot.get_or_insert_with(|| ZlibStream::new(self.level));
        if self.apart {
            out[control] |= 1 << stream;
            zlib.restart();
        }
        self.packed.clear();
        zlib.write(&self.plain, &mut self.packed);
        write_length(self.packed.len(), out);
        out.extend_from_slice(&self.packed);
    }
}

/// Eight indices a byte, the first one highest.
fn pack_bits(row: &[u8], out: &mut Vec<u8>) {
    out.extend(row.chunks(8).map(|bits| {
        bits.iter()
            .zip(0..)
            .fold(0, |byte, (&index, bit)| byte | (index & 1) << (7 - bit))
    }));
}

/// One to three bytes of seven bits, the lowest first.
fn write_length(len: usize, out: &mut Vec<u8>) {
    let low = (len & 0x7f) as u8;
    let middle = (len >> 7 & 0x7f) as u8;
    match len {
        0..0x80 => out.push(low),
        0x80..0x4000 => out.extend([low | 0x80, middle]),
        _ => out.extend([low | 0x80, middle | 0x80, (len >> 14 & 0xff) as u8]),
    }
}
