//! Drawing operations: each is [`WORDS`] numbers, a kind of [`kind`], the rectangle's `x`, `y`,
//! `width` and `height`, and three of the kind's own. Bytes that belong to one lie in
//! [`Ops::bytes`].

use porthole_rfb::{Rect, decode::Surface};

/// Numbers of one operation.
pub const WORDS: usize = 8;

/// The first number.
pub mod kind {
    /// The canvas gets the rectangle's size and keeps what fits.
    pub const RESIZE: u32 = 0;
    /// Pixels (red, green, blue, 255), rows without gaps: where they begin.
    pub const PUT: u32 = 1;
    /// One colour: `0xRRGGBB`.
    pub const FILL: u32 = 2;
    /// From elsewhere on the canvas: x and y.
    pub const COPY: u32 = 3;
    /// A JPEG: where it begins, its length.
    pub const JPEG: u32 = 4;
    /// A piece of the rectangle's H.264 stream: where it begins, its length, flags.
    pub const H264: u32 = 5;
}

/// An update that needs more bytes than this is drawn in parts.
const FULL_BYTES: usize = 32 << 20;
/// Likewise for operations.
const FULL_OPS: usize = 8192;

/// Operations that wait to be drawn.
#[derive(Debug, Default)]
pub struct Ops {
    words: Vec<u32>,
    bytes: Vec<u8>,
}

impl Ops {
    /// [`WORDS`] numbers for each operation.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Pixels and compressed data.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.bytes.clear();
    }

    fn push(&mut self, kind: u32, area: Rect, [a, b, c]: [u32; 3]) {
        let Rect {
            x,
            y,
            width,
            height,
        } = area;
        self.words.extend([
            kind,
            x.into(),
            y.into(),
            width.into(),
            height.into(),
            a,
            b,
            c,
        ]);
    }

    fn keep(&mut self, bytes: &[u8]) -> u32 {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start as u32
    }

    /// Whether the last operation puts pixels right above the area, so that one can do both.
    fn extends_last(&mut self, area: Rect) -> bool {
        let Some(&mut [kind::PUT, x, y, width, ref mut height, ..]) =
            self.words.last_chunk_mut::<WORDS>()
        else {
            return false;
        };
        let below =
            (x, width) == (area.x.into(), area.width.into()) && y + *height == area.y.into();
        if below {
            *height += u32::from(area.height);
        }
        below
    }
}

impl Surface for Ops {
    fn resize(&mut self, width: u16, height: u16) {
        self.push(kind::RESIZE, Rect::new(0, 0, width, height), [0; 3]);
    }

    fn pixels(&mut self, area: Rect, bgrx: &[u8]) {
        let start = self.bytes.len();
        self.bytes.resize(start + bgrx.len(), 0);
        let rgba = self.bytes[start..].as_chunks_mut::<4>().0;
        for (to, &[blue, green, red, _]) in rgba.iter_mut().zip(bgrx.as_chunks::<4>().0) {
            *to = [red, green, blue, 255];
        }
        if !self.extends_last(area) {
            self.push(kind::PUT, area, [start as u32, 0, 0]);
        }
    }

    fn fill(&mut self, area: Rect, colour: u32) {
        self.push(kind::FILL, area, [colour & 0xff_ffff, 0, 0]);
    }

    fn copy(&mut self, area: Rect, from_x: u16, from_y: u16) {
        self.push(kind::COPY, area, [from_x.into(), from_y.into(), 0]);
    }

    fn jpeg(&mut self, area: Rect, jpeg: &[u8]) {
        let start = self.keep(jpeg);
        self.push(kind::JPEG, area, [start, jpeg.len() as u32, 0]);
    }

    fn h264(&mut self, area: Rect, flags: u32, data: &[u8]) {
        let start = self.keep(data);
        self.push(kind::H264, area, [start, data.len() as u32, flags]);
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= FULL_BYTES || self.words.len() >= FULL_OPS * WORDS
    }
}
