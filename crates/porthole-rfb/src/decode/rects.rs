//! Rectangles.

use super::{DecodeError, Surface, messages::cursor_image, tight::Tight, zrle::Zrle};
use crate::{
    encoding::Encoding,
    frame::PIXEL,
    geometry::Rect,
    pixel_format::{Converter, Packing, PixelFormat},
    reader::Reader,
    server::CursorImage,
};

/// Room for an H.264 stream's headers, which small areas have too.
const H264_HEADERS: usize = 4096;

/// Paints the rectangles of a connection.
pub(super) struct Rects {
    pub(super) converter: Converter,
    width: u16,
    height: u16,
    max_cursor: u16,
    tight: Tight,
    zrle: Zrle,
    pixels: Vec<u8>,
}

impl Rects {
    pub(super) fn new(max_cursor: u16) -> Self {
        Self {
            converter: Converter::bgrx(),
            width: 0,
            height: 0,
            max_cursor,
            tight: Tight::default(),
            zrle: Zrle::new(),
            pixels: Vec::new(),
        }
    }

    pub(super) fn resize(&mut self, width: u16, height: u16) {
        (self.width, self.height) = (width, height);
    }

    pub(super) fn set_format(&mut self, format: PixelFormat) -> Result<(), DecodeError> {
        self.converter = Converter::new(format)?;
        Ok(())
    }

    /// Paints a rectangle from what follows its header, and tells its length; `None` when not all
    /// of it is there.
    pub(super) fn paint(
        &mut self,
        bytes: &[u8],
        area: Rect,
        encoding: Encoding,
        surface: &mut impl Surface,
    ) -> Result<Option<usize>, DecodeError> {
        if !encoding.is_pixels() && encoding != Encoding::OPEN_H264 {
            return Err(DecodeError::UnknownEncoding(encoding.0));
        }
        if !area.fits(self.width, self.height) {
            return Err(DecodeError::Outside(area));
        }
        let mut reader = Reader(bytes);
        match encoding {
            Encoding::COPY_RECT => {
                let (Some(x), Some(y)) = (reader.u16(), reader.u16()) else {
                    return Ok(None);
                };
                let source = Rect { x, y, ..area };
                if !source.fits(self.width, self.height) {
                    return Err(DecodeError::Outside(source));
                }
                if !area.is_empty() {
                    surface.copy(area, x, y);
                }
                Ok(Some(4))
            }
            Encoding::TIGHT => self.tight.paint(bytes, area, &self.converter, surface),
            Encoding::ZRLE => self.zrle.paint(bytes, area, &self.converter, surface),
            Encoding::OPEN_H264 => h264(&mut reader, area, surface),
            _ => {
                let len = area.area() * self.converter.format().bytes();
                let Some(data) = reader.take(len) else {
                    return Ok(None);
                };
                self.pixels.clear();
                self.converter
                    .read_row(data, Packing::Whole, &mut self.pixels);
                if !area.is_empty() {
                    surface.pixels(area, &self.pixels);
                }
                Ok(Some(len))
            }
        }
    }

    /// Reads a cursor from what follows its header.
    pub(super) fn cursor(
        &self,
        bytes: &[u8],
        area: Rect,
        encoding: Encoding,
    ) -> Result<Option<(usize, CursorImage)>, DecodeError> {
        let side = area.width.max(area.height);
        if side > self.max_cursor {
            let (size, limit) = (side.into(), self.max_cursor.into());
            return Err(DecodeError::TooLarge {
                what: "a cursor in pixels",
                size,
                limit,
            });
        }
        let mut reader = Reader(bytes);
        let bgra = match encoding {
            Encoding::CURSOR => self.masked(&mut reader, area),
            Encoding::CURSOR_WITH_ALPHA => match reader.i32() {
                Some(0) => rgba(&mut reader, area, true),
                Some(_) => {
                    return Err(DecodeError::Broken("a cursor with alpha that is not Raw"));
                }
                None => None,
            },
            _ => match reader.take(2) {
                Some([1, _]) => rgba(&mut reader, area, false),
                Some(_) => return Err(DecodeError::Broken("a cursor of VMware without alpha")),
                None => None,
            },
        };
        let len = bytes.len() - reader.0.len();
        Ok(bgra.map(|bgra| (len, cursor_image(area, bgra))))
    }

    fn masked(&self, reader: &mut Reader, area: Rect) -> Option<Vec<u8>> {
        let row = usize::from(area.width).div_ceil(8);
        let data = reader.take(area.area() * self.converter.format().bytes())?;
        let mask = reader.take(row * usize::from(area.height))?;
        let mut bgra = Vec::with_capacity(area.area() * PIXEL);
        self.converter.read_row(data, Packing::Whole, &mut bgra);
        let width = usize::from(area.width).max(1);
        for (index, pixel) in bgra.as_chunks_mut::<PIXEL>().0.iter_mut().enumerate() {
            let (x, y) = (index % width, index / width);
            if mask[y * row + x / 8] & 0x80 >> (x % 8) != 0 {
                pixel[3] = 255;
            } else {
                *pixel = [0; PIXEL];
            }
        }
        Some(bgra)
    }
}

/// Length, flags, data. Compressed video is never larger than its pixels in full.
fn h264(
    reader: &mut Reader,
    area: Rect,
    surface: &mut impl Surface,
) -> Result<Option<usize>, DecodeError> {
    let (Some(len), Some(flags)) = (reader.u32(), reader.u32()) else {
        return Ok(None);
    };
    let most = area.area() * PIXEL + H264_HEADERS;
    if len as usize > most {
        return Err(DecodeError::TooLarge {
            what: "an H.264 rectangle in bytes",
            size: len.into(),
            limit: most as u64,
        });
    }
    let Some(data) = reader.take(len as usize) else {
        return Ok(None);
    };
    if !area.is_empty() {
        surface.h264(area, flags, data);
    }
    Ok(Some(8 + data.len()))
}

fn rgba(reader: &mut Reader, area: Rect, multiplied: bool) -> Option<Vec<u8>> {
    let (pixels, _) = reader.take(area.area() * PIXEL)?.as_chunks::<PIXEL>();
    let multiply = |value: u8, alpha: u8| {
        if multiplied {
            value
        } else {
            ((u16::from(value) * u16::from(alpha) + 127) / 255) as u8
        }
    };
    let bgra = pixels.iter().flat_map(|&[red, green, blue, alpha]| {
        [
            multiply(blue, alpha),
            multiply(green, alpha),
            multiply(red, alpha),
            alpha,
        ]
    });
    Some(bgra.collect())
}
