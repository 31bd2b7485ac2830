//! Pictures for watermarks.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::io::Cursor;

/// The most bytes of a PNG.
pub const MAX_PICTURE_BYTES: usize = 64 * 1024;
/// The most pixels of a side.
pub const MAX_PICTURE_SIDE: u32 = 1024;

/// A picture's pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green, blue and opacity of each pixel. Of a picture in shades of grey without
    /// opacities, the brightness is the opacity.
    pub rgba: Vec<[u8; 4]>,
    /// Whether it was such a picture, which has no colour of its own.
    pub tinted: bool,
}

/// A picture that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Not base64.
    #[error("it is not base64")]
    Base64,
    /// Too many bytes.
    #[error("the picture has more than {} KiB", MAX_PICTURE_BYTES / 1024)]
    TooLarge,
    /// Too many pixels.
    #[error(
        "the picture has {0} by {1} pixels; up to {MAX_PICTURE_SIDE} by {MAX_PICTURE_SIDE} can be used"
    )]
    TooWide(u32, u32),
    /// Not a PNG.
    #[error("it is not a PNG that can be read: {0}")]
    Malformed(String),
}

impl Picture {
    /// Reads a PNG in base64.
    ///
    /// # Errors
    /// When it is none, or larger than is allowed.
    pub fn decode(png: &str) -> Result<Self, PictureError> {
        if png.len() > MAX_PICTURE_BYTES / 3 * 4 + 4 {
            return Err(PictureError::TooLarge);
        }
        let bytes = STANDARD.decode(png).map_err(|_| PictureError::Base64)?;
        let malformed = |error: png::DecodingError| PictureError::Malformed(error.to_string());
        let limits = png::Limits {
            bytes: 16 * 1024 * 1024,
        };
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(malformed)?;
        let (width, height) = (reader.info().width, reader.info().height);
        if width > MAX_PICTURE_SIDE || height > MAX_PICTURE_SIDE {
            return Err(PictureError::TooWide(width, height));
        }
        let size = reader.output_buffer_size().unwrap_or_default();
        let mut pixels = vec![0; size];
        let info = reader.next_frame(&mut pixels).map_err(malformed)?;
        pixels.truncate(info.buffer_size());
        let (tinted, rgba): (bool, Vec<[u8; 4]>) = match info.color_type {
            png::ColorType::Grayscale => (
                true,
                pixels.iter().map(|grey| [255, 255, 255, *grey]).collect(),
            ),
            png::ColorType::GrayscaleAlpha => (
                false,
                pixels
                    .as_chunks()
                    .0
                    .iter()
                    .map(|[grey, alpha]| [*grey, *grey, *grey, *alpha])
                    .collect(),
            ),
            png::ColorType::Rgb => (
                false,
                pixels
                    .as_chunks()
                    .0
                    .iter()
                    .map(|[red, green, blue]| [*red, *green, *blue, 255])
                    .collect(),
            ),
            png::ColorType::Rgba => (false, pixels.as_chunks().0.to_vec()),
            // Expanded to colours above.
            png::ColorType::Indexed => {
                return Err(PictureError::Malformed("its palette is missing".to_owned()));
            }
        };
        if rgba.len() != width as usize * height as usize {
            return Err(PictureError::Malformed("pixels are missing".to_owned()));
        }
        Ok(Self {
            width,
            height,
            rgba,
            tinted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn png(width: u32, height: u32, kind: png::ColorType, pixels: &[u8]) -> String {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(kind);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
        writer.finish().unwrap();
        STANDARD.encode(bytes)
    }

    #[test]
    fn kinds_of_pictures() {
        let grey = Picture::decode(&png(2, 1, png::ColorType::Grayscale, &[0, 200])).unwrap();
        assert_eq!((grey.width, grey.height, grey.tinted), (2, 1, true));
        assert_eq!(grey.rgba, [[255, 255, 255, 0], [255, 255, 255, 200]]);
        let rgb = Picture::decode(&png(1, 1, png::ColorType::Rgb, &[1, 2, 3])).unwrap();
        assert_eq!((rgb.rgba, rgb.tinted), (vec![[1, 2, 3, 255]], false));
        let rgba = Picture::decode(&png(1, 1, png::ColorType::Rgba, &[1, 2, 3, 4])).unwrap();
        assert_eq!(rgba.rgba, [[1, 2, 3, 4]]);
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(Picture::decode("***"), Err(PictureError::Base64));
        assert!(matches!(
            Picture::decode("AAAA"),
            Err(PictureError::Malformed(_))
        ));
        assert_eq!(
            Picture::decode(&"A".repeat(100_000)),
            Err(PictureError::TooLarge)
        );
        let wide = png(2000, 1, png::ColorType::Grayscale, &[0; 2000]);
        assert_eq!(Picture::decode(&wide), Err(PictureError::TooWide(2000, 1)));
    }

    proptest! {
        #[test]
        fn spoilt_pictures_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let whole = png(9, 9, png::ColorType::Rgb, &[77; 243]);
            let mut bytes = STANDARD.decode(whole).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Picture::decode(&STANDARD.encode(bytes));
        }
    }
}
