//! Tight.

use super::{DecodeError, Surface, zlib::Inflater};
use crate::{
    frame::PIXEL,
    geometry::Rect,
    pixel_format::{Converter, Packing},
    reader::Reader,
    server::{EXPLICIT_FILTER, FILL, FILTER_PALETTE, JPEG, MIN_TO_COMPRESS},
};

const FILTER_COPY: u8 = 0;

/// Four zlib streams, made when first used.
#[derive(Default)]
pub(super) struct Tight {
    streams: [Option<Inflater>; 4],
    plain: Vec<u8>,
    pixels: Vec<u8>,
}

impl Tight {
    pub(super) fn paint(
        &mut self,
        bytes: &[u8],
        area: Rect,
        converter: &Converter,
        surface: &mut impl Surface,
    ) -> Result<Option<usize>, DecodeError> {
        let mut reader = Reader(bytes);
        let Some(control) = reader.u8() else {
            return Ok(None);
        };
        let painted = match control & 0xf0 {
            FILL => fill(&mut reader, area, converter, surface),
            JPEG => jpeg(&mut reader, area, surface),
            0..FILL => return self.basic(bytes, control, area, converter, surface),
            _ => return Err(DecodeError::Broken("a Tight rectangle of unknown kind")),
        };
        if painted.is_some() {
            self.reset(control);
        }
        Ok(painted.map(|()| bytes.len() - reader.0.len()))
    }

    /// The lowest bits tell which streams start anew.
    fn reset(&mut self, control: u8) {
        for (bit, stream) in self.streams.iter_mut().enumerate() {
            if control >> bit & 1 != 0 {
                *stream = None;
            }
        }
    }

    fn basic(
        &mut self,
        bytes: &[u8],
        control: u8,
        area: Rect,
        converter: &Converter,
        surface: &mut impl Surface,
    ) -> Result<Option<usize>, DecodeError> {
        let mut reader = Reader(&bytes[1..]);
        let filter = if control & EXPLICIT_FILTER == 0 {
            Some(FILTER_COPY)
        } else {
            reader.u8()
        };
        let Some(filter) = filter else {
            return Ok(None);
        };
        let pixel = converter.len(Packing::Tight);
        let mut palette = Vec::new();
        let row = match filter {
            FILTER_COPY => usize::from(area.width) * pixel,
            FILTER_PALETTE => {
                let Some(count) = reader.u8() else {
                    return Ok(None);
                };
                let count = usize::from(count) + 1;
                let Some(colours) = reader.take(count * pixel) else {
                    return Ok(None);
                };
                palette.reserve(count * PIXEL);
                converter.read_row(colours, Packing::Tight, &mut palette);
                let bits = if count <= 2 { 1 } else { 8 };
                (usize::from(area.width) * bits).div_ceil(8)
            }
            _ => return Err(DecodeError::Broken("a Tight filter that is not known")),
        };
        let len = row * usize::from(area.height);
        let packed = if len < MIN_TO_COMPRESS {
            reader.take(len)
        } else {
            read_length(&mut reader).and_then(|len| reader.take(len))
        };
        let Some(packed) = packed else {
            return Ok(None);
        };

        self.reset(control);
        let plain = if len < MIN_TO_COMPRESS {
            packed
        } else {
            let stream = &mut self.streams[usize::from(control >> 4 & 3)];
            let inflater = stream.get_or_insert_with(Inflater::new);
            inflater.inflate_exact(packed, len, &mut self.plain)?;
            &self.plain
        };
        self.pixels.clear();
        if filter == FILTER_COPY {
            converter.read_row(plain, Packing::Tight, &mut self.pixels);
        } else {
            let (palette, _) = palette.as_chunks::<PIXEL>();
            unpack(plain, row, area, palette, &mut self.pixels)?;
        }
        if !area.is_empty() {
            surface.pixels(area, &self.pixels);
        }
        Ok(Some(bytes.len() - reader.0.len()))
    }
}

fn fill(
    reader: &mut Reader,
    area: Rect,
    converter: &Converter,
    surface: &mut impl Surface,
) -> Option<()> {
    let pixel = reader.take(converter.len(Packing::Tight))?;
    if !area.is_empty() {
        surface.fill(area, converter.read_colour(pixel, Packing::Tight));
    }
    Some(())
}

fn jpeg(reader: &mut Reader, area: Rect, surface: &mut impl Surface) -> Option<()> {
    let len = read_length(reader)?;
    let jpeg = reader.take(len)?;
    if !area.is_empty() {
        surface.jpeg(area, jpeg);
    }
    Some(())
}

/// One to three bytes of seven bits, the lowest first; the third has eight.
fn read_length(reader: &mut Reader) -> Option<usize> {
    let first = usize::from(reader.u8()?);
    if first < 0x80 {
        return Some(first);
    }
    let second = usize::from(reader.u8()?);
    let low = first & 0x7f | (second & 0x7f) << 7;
    if second < 0x80 {
        return Some(low);
    }
    Some(low | usize::from(reader.u8()?) << 14)
}

/// The pixels that indices of one or eight bits stand for.
fn unpack(
    plain: &[u8],
    row: usize,
    area: Rect,
    palette: &[[u8; PIXEL]],
    out: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    out.reserve(area.area() * PIXEL);
    for indices in plain.chunks_exact(row.max(1)) {
        for x in 0..usize::from(area.width) {
            let index = if palette.len() <= 2 {
                indices[x / 8] >> (7 - x % 8) & 1
            } else {
                indices[x]
            };
            let colour = palette.get(usize::from(index));
            let colour = colour.ok_or(DecodeError::Broken("a colour outside the palette"))?;
            out.extend_from_slice(colour);
        }
    }
    Ok(())
}
