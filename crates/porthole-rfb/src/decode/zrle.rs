//! ZRLE (section 7.7.6).

use super::{DecodeError, Surface, zlib::Inflater};
use crate::{
    frame::PIXEL,
    geometry::Rect,
    pixel_format::{Converter, Packing},
    reader::Reader,
    server::ZRLE_TILE,
};

const SHORT: DecodeError = DecodeError::Broken("a ZRLE rectangle that ends early");

pub(super) struct Zrle {
    stream: Inflater,
    plain: Vec<u8>,
    pixels: Vec<u8>,
}

impl Zrle {
    pub(super) fn new() -> Self {
        Self {
            stream: Inflater::new(),
            plain: Vec::new(),
            pixels: Vec::new(),
        }
    }

    pub(super) fn paint(
        &mut self,
        bytes: &[u8],
        area: Rect,
        converter: &Converter,
        surface: &mut impl Surface,
    ) -> Result<Option<usize>, DecodeError> {
        let mut reader = Reader(bytes);
        let Some(len) = reader.u32() else {
            return Ok(None);
        };
        // A tile has at most a pixel, or for runs a pixel and a byte of length, for each of its
        // pixels, a palette, and a byte for its kind.
        let tiles = usize::from(area.width.div_ceil(ZRLE_TILE))
            * usize::from(area.height.div_ceil(ZRLE_TILE));
        let limit = area.area() * 5 + tiles * (1 + 127 * 4);
        // Compressed data is never much longer than plain data.
        let most = limit + limit / 100 + 1024;
        if len as usize > most {
            let (size, limit) = (len.into(), most as u64);
            return Err(DecodeError::TooLarge {
                what: "a ZRLE rectangle in bytes",
                size,
                limit,
            });
        }
        let Some(packed) = reader.take(len as usize) else {
            return Ok(None);
        };
        self.stream.inflate(packed, limit, &mut self.plain)?;
        let mut plain = Reader(&self.plain);
        for y in (0..area.height).step_by(ZRLE_TILE.into()) {
            for x in (0..area.width).step_by(ZRLE_TILE.into()) {
                let tile = Rect {
                    x: area.x + x,
                    y: area.y + y,
                    width: ZRLE_TILE.min(area.width - x),
                    height: ZRLE_TILE.min(area.height - y),
                };
                self.pixels.clear();
                match read_tile(&mut plain, tile, converter, &mut self.pixels)? {
                    Some(colour) => surface.fill(tile, colour),
                    None => surface.pixels(tile, &self.pixels),
                }
            }
        }
        Ok(Some(4 + packed.len()))
    }
}

/// Reads a tile's pixels, or the one colour it has.
fn read_tile(
    plain: &mut Reader,
    tile: Rect,
    converter: &Converter,
    out: &mut Vec<u8>,
) -> Result<Option<u32>, DecodeError> {
    let pixel = converter.len(Packing::Compact);
    let colour = |plain: &mut Reader| {
        let bytes = plain.take(pixel).ok_or(SHORT)?;
        Ok::<u32, DecodeError>(converter.read_colour(bytes, Packing::Compact))
    };
    match plain.u8().ok_or(SHORT)? {
        0 => {
            let data = plain.take(tile.area() * pixel).ok_or(SHORT)?;
            converter.read_row(data, Packing::Compact, out);
        }
        1 => return Ok(Some(colour(plain)?)),
        count @ 2..=16 => {
            let palette = (0..count)
                .map(|_| colour(plain))
                .collect::<Result<Vec<_>, _>>()?;
            let bits = match count {
                2 => 1,
                3..=4 => 2,
                _ => 4,
            };
            let row = (usize::from(tile.width) * bits).div_ceil(8);
            for _ in 0..tile.height {
                let indices = plain.take(row).ok_or(SHORT)?;
                for x in 0..usize::from(tile.width) {
                    let byte = indices[x * bits / 8];
                    let index = byte >> (8 - bits - x * bits % 8) & ((1 << bits) - 1);
                    push(&palette, index, 1, out)?;
                }
            }
        }
        128 => {
            let mut left = tile.area();
            while left > 0 {
                let colour = colour(plain)?;
                let run = read_run_length(plain, left)?;
                push(&[colour], 0, run, out)?;
                left -= run;
            }
        }
        count @ 130.. => {
            let palette = (128..count)
                .map(|_| colour(plain))
                .collect::<Result<Vec<_>, _>>()?;
            let mut left = tile.area();
            while left > 0 {
                let index = plain.u8().ok_or(SHORT)?;
                let run = if index & 0x80 == 0 {
                    1
                } else {
                    read_run_length(plain, left)?
                };
                push(&palette, index & 0x7f, run, out)?;
                left -= run;
            }
        }
        _ => return Err(DecodeError::Broken("a ZRLE tile of unknown kind")),
    }
    Ok(None)
}

/// Appends a colour of a palette, several times.
fn push(palette: &[u32], index: u8, times: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let colour = palette.get(usize::from(index));
    let colour = colour.ok_or(DecodeError::Broken("a colour outside the palette"))?;
    let bytes: [u8; PIXEL] = colour.to_le_bytes();
    for _ in 0..times {
        out.extend_from_slice(&bytes);
    }
    Ok(())
}

/// The sum of bytes up to one that is not 255, and one; at most what is left of the tile.
fn read_run_length(plain: &mut Reader, left: usize) -> Result<usize, DecodeError> {
    let mut len = 1;
    loop {
        let more = plain.u8().ok_or(SHORT)?;
        len += usize::from(more);
        if len > left {
            return Err(DecodeError::Broken("a run longer than its tile"));
        }
        if more != 255 {
            return Ok(len);
        }
    }
}
