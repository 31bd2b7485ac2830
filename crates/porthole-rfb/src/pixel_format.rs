//! Pixel formats (section 7.4) and the way between them and the frame's blue-green-red bytes.

use crate::reader::Reader;

/// How a viewer wants its pixels. As received: [`PixelFormat::check`] tells whether it makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelFormat {
    /// 8, 16 or 32.
    pub bits_per_pixel: u8,
    /// Bits of a pixel that mean something.
    pub depth: u8,
    /// Whether a pixel's first byte is its highest.
    pub big_endian: bool,
    /// Whether pixels are colours, not places in a map.
    pub true_colour: bool,
    /// The largest value of red: a power of two less one.
    pub red_max: u16,
    /// See `red_max`.
    pub green_max: u16,
    /// See `red_max`.
    pub blue_max: u16,
    /// How far red is from the lowest bit.
    pub red_shift: u8,
    /// See `red_shift`.
    pub green_shift: u8,
    /// See `red_shift`.
    pub blue_shift: u8,
}

/// Why pixels cannot be sent in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFormat {
    /// It has a colour map.
    #[error("pixel formats with a colour map are not served; ask for true colour")]
    ColourMap,
    /// Bits per pixel.
    #[error("{0} bits per pixel are not served; 8, 16 and 32 are")]
    BitsPerPixel(u8),
    /// A maximum that is not a power of two less one, or lies outside the pixel.
    #[error("a colour with maximum {max} at bit {shift} does not fit into {bits_per_pixel} bits")]
    Colour {
        /// The largest value.
        max: u16,
        /// Its place.
        shift: u8,
        /// The room.
        bits_per_pixel: u8,
    },
}

impl PixelFormat {
    /// Bytes of it in a message.
    pub const SIZE: usize = 16;

    /// The frame's own: blue, green, red and an empty byte.
    pub const BGRX: Self = Self {
        bits_per_pixel: 32,
        depth: 24,
        big_endian: false,
        true_colour: true,
        red_max: 255,
        green_max: 255,
        blue_max: 255,
        red_shift: 16,
        green_shift: 8,
        blue_shift: 0,
    };

    /// Reads the 16 bytes; `None` where there are fewer.
    pub(crate) fn read(reader: &mut Reader) -> Option<Self> {
        let mut bytes = Reader(reader.take(Self::SIZE)?);
        Some(Self {
            bits_per_pixel: bytes.u8()?,
            depth: bytes.u8()?,
            big_endian: bytes.u8()? != 0,
            true_colour: bytes.u8()? != 0,
            red_max: bytes.u16()?,
            green_max: bytes.u16()?,
            blue_max: bytes.u16()?,
            red_shift: bytes.u8()?,
            green_shift: bytes.u8()?,
            blue_shift: bytes.u8()?,
        })
    }

    /// Writes the 16 bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend([
            self.bits_per_pixel,
            self.depth,
            self.big_endian.into(),
            self.true_colour.into(),
        ]);
        for max in [self.red_max, self.green_max, self.blue_max] {
            out.extend(max.to_be_bytes());
        }
        out.extend([self.red_shift, self.green_shift, self.blue_shift, 0, 0, 0]);
    }

    /// Whether pixels can be made in this format.
    ///
    /// # Errors
    /// When it has a colour map, or its numbers contradict each other.
    pub fn check(&self) -> Result<(), BadFormat> {
        if !self.true_colour {
            return Err(BadFormat::ColourMap);
        }
        let bits_per_pixel = self.bits_per_pixel;
        if !matches!(bits_per_pixel, 8 | 16 | 32) {
            return Err(BadFormat::BitsPerPixel(bits_per_pixel));
        }
        for (max, shift) in self.colours() {
            let bits = max.count_ones();
            if bits == 0
                || bits != 16 - max.leading_zeros()
                || u32::from(shift) + bits > u32::from(bits_per_pixel)
            {
                return Err(BadFormat::Colour {
                    max,
                    shift,
                    bits_per_pixel,
                });
            }
        }
        Ok(())
    }

    /// Bytes of a pixel.
    pub const fn bytes(&self) -> usize {
        self.bits_per_pixel as usize / 8
    }

    /// Maximum and shift of red, green and blue.
    const fn colours(&self) -> [(u16, u8); 3] {
        [
            (self.red_max, self.red_shift),
            (self.green_max, self.green_shift),
            (self.blue_max, self.blue_shift),
        ]
    }

    /// Whether its colours are of 8 bits each, as the frame's are.
    pub const fn has_whole_colours(&self) -> bool {
        matches!(self.colours(), [(255, _), (255, _), (255, _)])
    }

    /// Whether Tight sends its pixels as three bytes: red, green, blue (TPIXEL).
    pub(crate) const fn is_tight_888(&self) -> bool {
        self.bits_per_pixel == 32 && self.depth == 24 && self.has_whole_colours()
    }

    /// Where in a pixel's bytes the three of a CPIXEL start (section 7.7.5), for formats that have
    /// such.
    pub(crate) const fn compact_start(&self) -> Option<usize> {
        if self.bits_per_pixel != 32 || self.depth > 24 {
            return None;
        }
        let used = (self.red_max as u32).wrapping_shl(self.red_shift as u32)
            | (self.green_max as u32).wrapping_shl(self.green_shift as u32)
            | (self.blue_max as u32).wrapping_shl(self.blue_shift as u32);
        if used & 0xff00_0000 == 0 {
            Some(self.big_endian as usize)
        } else if used.trailing_zeros() >= 8 {
            Some(!self.big_endian as usize)
        } else {
            None
        }
    }
}

/// Which bytes of a pixel are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// All (PIXEL).
    Whole,
    /// Red, green and blue where Tight allows (TPIXEL).
    Tight,
    /// The three that are used where ZRLE allows (CPIXEL).
    Compact,
}

/// The bytes to send of a pixel in the frame's order, whose highest byte is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Blue, green, red, 0: the frame's bytes, with the empty one cleared.
    Bgrx,
    Bgr,
    Rgb,
    /// By table, and then these bytes of the pixel's four.
    Table {
        start: usize,
        len: usize,
    },
}

/// Turns the frame's pixels into a viewer's, and back.
#[derive(Debug, Clone)]
pub struct Converter {
    format: PixelFormat,
    /// Each colour's part of a pixel.
    red: Box<[u32; 256]>,
    green: Box<[u32; 256]>,
    blue: Box<[u32; 256]>,
    whole: Layout,
    tight: Layout,
    compact: Layout,
}

impl Converter {
    /// For a format.
    ///
    /// # Errors
    /// When pixels cannot be sent in it.
    pub fn new(format: PixelFormat) -> Result<Self, BadFormat> {
        format.check()?;
        Ok(Self::of(format))
    }

    fn of(format: PixelFormat) -> Self {
        let table = |(max, shift): (u16, u8)| {
            let mut table = Box::new([0; 256]);
            for (value, part) in (0_u32..).zip(table.iter_mut()) {
                *part = ((value * u32::from(max) + 127) / 255) << shift;
            }
            table
        };
        let [red, green, blue] = format.colours().map(table);
        let layout = |packing| Layout::of(&format, packing);
        let (whole, tight, compact) = (
            layout(Packing::Whole),
            layout(Packing::Tight),
            layout(Packing::Compact),
        );
        Self {
            format,
            red,
            green,
            blue,
            whole,
            tight,
            compact,
        }
    }

    /// For the frame's own format.
    pub fn bgrx() -> Self {
        Self::of(PixelFormat::BGRX)
    }

    /// The format.
    pub const fn format(&self) -> &PixelFormat {
        &self.format
    }

    /// Bytes of a pixel when packed so.
    pub fn len(&self, packing: Packing) -> usize {
        match packing {
            Packing::Tight if self.format.is_tight_888() => 3,
            Packing::Compact if self.format.compact_start().is_some() => 3,
            _ => self.format.bytes(),
        }
    }

    const fn layout(&self, packing: Packing) -> Layout {
        match packing {
            Packing::Whole => self.whole,
            Packing::Tight => self.tight,
            Packing::Compact => self.compact,
        }
    }

    /// The viewer's pixel for a colour `0xRRGGBB`.
    pub fn pixel(&self, colour: u32) -> u32 {
        let [blue, green, red, _] = colour.to_le_bytes();
        self.red[usize::from(red)] | self.green[usize::from(green)] | self.blue[usize::from(blue)]
    }

    /// Appends one colour `0xRRGGBB`.
    pub fn write_colour(&self, colour: u32, packing: Packing, out: &mut Vec<u8>) {
        self.write_row(&colour.to_le_bytes(), packing, out);
    }

    /// Appends a row of the frame's pixels.
    pub fn write_row(&self, row: &[u8], packing: Packing, out: &mut Vec<u8>) {
        let (pixels, _) = row.as_chunks::<4>();
        match self.layout(packing) {
            Layout::Bgrx => append(pixels, out, |[blue, green, red, _]| [blue, green, red, 0]),
            Layout::Bgr => append(pixels, out, |[blue, green, red, _]| [blue, green, red]),
            Layout::Rgb => append(pixels, out, |[blue, green, red, _]| [red, green, blue]),
            Layout::Table { start, len: 1, .. } => {
                append(pixels, out, |pixel| [self.bytes(pixel)[start]]);
            }
            Layout::Table { start, len: 2, .. } => append(pixels, out, |pixel| {
                let bytes = self.bytes(pixel);
                [bytes[start], bytes[start + 1]]
            }),
            Layout::Table { start, len: 3, .. } => append(pixels, out, |pixel| {
                let bytes = self.bytes(pixel);
                [bytes[start], bytes[start + 1], bytes[start + 2]]
            }),
            Layout::Table { .. } => append(pixels, out, |pixel| self.bytes(pixel)),
        }
    }

    /// The viewer's pixel in its order, with what is left of four bytes at the end.
    fn bytes(&self, pixel: [u8; 4]) -> [u8; 4] {
        let value = self.pixel(u32::from_le_bytes(pixel));
        if self.format.big_endian {
            (value << (32 - u32::from(self.format.bits_per_pixel))).to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    /// The colour `0xRRGGBB` of a viewer's pixel.
    pub fn colour(&self, pixel: u32) -> u32 {
        let [red, green, blue] = self.format.colours().map(|(max, shift)| {
            let max = u32::from(max);
            ((pixel >> shift & max) * 255 + max / 2) / max
        });
        red << 16 | green << 8 | blue
    }

    /// The colour `0xRRGGBB` of a viewer's pixel in the bytes that
    /// [`write_row`](Self::write_row) makes; black where some are missing.
    pub fn read_colour(&self, bytes: &[u8], packing: Packing) -> u32 {
        match (self.layout(packing), bytes) {
            (Layout::Rgb, &[red, green, blue, ..])
            | (Layout::Bgr | Layout::Bgrx, &[blue, green, red, ..]) => {
                u32::from_le_bytes([blue, green, red, 0])
            }
            (Layout::Table { start, len }, _) if bytes.len() >= len => {
                self.read_table(start, &bytes[..len])
            }
            _ => 0,
        }
    }

    /// The colour of a pixel's bytes, the first of which is its byte `start`.
    fn read_table(&self, start: usize, bytes: &[u8]) -> u32 {
        let mut pixel = [0; 4];
        pixel[start..start + bytes.len()].copy_from_slice(bytes);
        self.colour(if self.format.big_endian {
            u32::from_be_bytes(pixel) >> (32 - u32::from(self.format.bits_per_pixel))
        } else {
            u32::from_le_bytes(pixel)
        })
    }

    /// Appends the frame's pixels, with the empty byte 0, for the bytes that
    /// [`write_row`](Self::write_row) makes. What is left of a pixel at the end is ignored.
    pub fn read_row(&self, bytes: &[u8], packing: Packing, out: &mut Vec<u8>) {
        match self.layout(packing) {
            Layout::Bgrx => {
                let (pixels, _) = bytes.as_chunks();
                append(pixels, out, |[blue, green, red, _]: [u8; 4]| {
                    [blue, green, red, 0]
                });
            }
            Layout::Bgr => {
                let (pixels, _) = bytes.as_chunks();
                append(pixels, out, |[blue, green, red]: [u8; 3]| {
                    [blue, green, red, 0]
                });
            }
            Layout::Rgb => {
                let (pixels, _) = bytes.as_chunks();
                append(pixels, out, |[red, green, blue]: [u8; 3]| {
                    [blue, green, red, 0]
                });
            }
            Layout::Table { start, len } => {
                out.reserve(bytes.len() / len * 4);
                for bytes in bytes.chunks_exact(len) {
                    out.extend_from_slice(&self.read_table(start, bytes).to_le_bytes());
                }
            }
        }
    }
}

impl Layout {
    const fn of(format: &PixelFormat, packing: Packing) -> Self {
        let tight = matches!(packing, Packing::Tight);
        if tight && format.is_tight_888() {
            return Self::Rgb;
        }
        let own = format.bits_per_pixel == 32
            && !format.big_endian
            && matches!(format.colours(), [(255, 16), (255, 8), (255, 0)]);
        let compact = matches!(packing, Packing::Compact);
        match (
            own,
            if compact {
                format.compact_start()
            } else {
                None
            },
        ) {
            (true, None) => Self::Bgrx,
            (true, Some(_)) => Self::Bgr,
            (false, Some(start)) => Self::Table { start, len: 3 },
            (false, None) => Self::Table {
                start: 0,
                len: format.bytes(),
            },
        }
    }
}

/// Appends what `turn` makes of each pixel; written so that the compiler finds vectors.
fn append<const FROM: usize, const TO: usize>(
    pixels: &[[u8; FROM]],
    out: &mut Vec<u8>,
    turn: impl Fn([u8; FROM]) -> [u8; TO],
) {
    let start = out.len();
    out.resize(start + pixels.len() * TO, 0);
    let (turned, _) = out[start..].as_chunks_mut::<TO>();
    for (to, &from) in turned.iter_mut().zip(pixels) {
        *to = turn(from);
    }
}
