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

    /// Whether Tight sends its pixels as three bytes: red, green, blue (TPIXEL).
    pub(crate) fn is_tight_888(&self) -> bool {
        self.bits_per_pixel == 32
            && self.depth == 24
            && self.colours().iter().all(|&(max, _)| max == 255)
    }

    /// Where in a pixel's bytes the three of a CPIXEL start (section 7.7.5), for formats that have
    /// such.
    pub(crate) fn compact_start(&self) -> Option<usize> {
        if self.bits_per_pixel != 32 || self.depth > 24 {
            return None;
        }
        let used = self.colours().iter().fold(0_u32, |used, &(max, shift)| {
            used | u32::from(max).wrapping_shl(shift.into())
        });
        if used & 0xff00_0000 == 0 {
            Some(usize::from(self.big_endian))
        } else if used.trailing_zeros() >= 8 {
            Some(usize::from(!self.big_endian))
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
    /// By table, and then these bytes of the pixel's four, big-endian or not.
    Table {
        start: usize,
        len: usize,
        big_endian: bool,
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
        Self {
            format,
            red,
            green,
            blue,
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

    fn layout(&self, packing: Packing) -> Layout {
        let format = &self.format;
        if packing == Packing::Tight && format.is_tight_888() {
            return Layout::Rgb;
        }
        let own = PixelFormat {
            depth: format.depth,
            ..PixelFormat::BGRX
        };
        let compact = if packing == Packing::Compact {
            format.compact_start()
        } else {
            None
        };
        match compact {
            None if *format == own => Layout::Bgrx,
            Some(_) if *format == own => Layout::Bgr,
            Some(start) => Layout::Table {
                start,
                len: 3,
                big_endian: format.big_endian,
            },
            None => Layout::Table {
                start: 0,
                len: format.bytes(),
                big_endian: format.big_endian,
            },
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
            Layout::Bgrx => {
                out.extend(
                    pixels
                        .iter()
                        .flat_map(|&[blue, green, red, _]| [blue, green, red, 0]),
                );
            }
            Layout::Bgr => out.extend(
                pixels
                    .iter()
                    .flat_map(|&[blue, green, red, _]| [blue, green, red]),
            ),
            Layout::Rgb => out.extend(
                pixels
                    .iter()
                    .flat_map(|&[blue, green, red, _]| [red, green, blue]),
            ),
            Layout::Table {
                start,
                len,
                big_endian,
            } => {
                let bytes = self.format.bytes();
                out.reserve(pixels.len() * len);
                for pixel in pixels {
                    let value = self.pixel(u32::from_le_bytes(*pixel));
                    let value = if big_endian {
                        (value << (32 - 8 * bytes)).to_be_bytes()
                    } else {
                        value.to_le_bytes()
                    };
                    out.extend_from_slice(&value[start..start + len]);
                }
            }
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

    /// The colour `0xRRGGBB` of a viewer's pixel in the bytes that [`write_row`](Self::write_row)
    /// makes. Missing bytes count as 0.
    pub fn read_colour(&self, bytes: &[u8], packing: Packing) -> u32 {
        let at = |index| bytes.get(index).copied().unwrap_or(0);
        let (start, len, big_endian) = match self.layout(packing) {
            Layout::Rgb => return u32::from_be_bytes([0, at(0), at(1), at(2)]),
            Layout::Bgr => return u32::from_le_bytes([at(0), at(1), at(2), 0]),
            Layout::Bgrx => (0, 4, false),
            Layout::Table {
                start,
                len,
                big_endian,
            } => (start, len, big_endian),
        };
        let mut pixel = [0; 4];
        for (index, byte) in pixel[start..start + len].iter_mut().enumerate() {
            *byte = at(index);
        }
        self.colour(if big_endian {
            u32::from_be_bytes(pixel) >> (32 - 8 * self.format.bytes())
        } else {
            u32::from_le_bytes(pixel)
        })
    }
}
