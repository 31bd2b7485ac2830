//! JPEG.

use porthole_rfb::{FrameView, Rect, ViewerEncodings, encoding::Subsampling};

/// How good a JPEG is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JpegQuality {
    /// JPEG's own scale, 1 to 100.
    pub quality: u8,
    /// How colours are sampled.
    pub subsampling: Subsampling,
}

impl JpegQuality {
    /// Of RFB's levels, 0 (least) to 9. Colours are sampled fully from level 7 on, where text in
    /// colour is to stay sharp.
    pub fn from_level(level: u8) -> Self {
        const QUALITY: [u8; 10] = [15, 30, 42, 52, 62, 70, 78, 85, 92, 97];
        let level = level.min(9);
        Self {
            quality: QUALITY[usize::from(level)],
            subsampling: if level < 7 {
                Subsampling::Quarter
            } else {
                Subsampling::Full
            },
        }
    }
}

/// What a viewer is to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// For pictures; `None`: everything is exact.
    pub jpeg: Option<JpegQuality>,
    /// For zlib, 0 (none) to 9.
    pub compression: u8,
}

impl Default for Quality {
    fn default() -> Self {
        // The step from 1 to 2 costs little time and saves much.
        Self {
            jpeg: None,
            compression: 2,
        }
    }
}

impl From<&ViewerEncodings> for Quality {
    fn from(viewer: &ViewerEncodings) -> Self {
        let level = viewer.quality().map(JpegQuality::from_level);
        let fine = viewer.fine_quality().map(|quality| JpegQuality {
            quality: quality.clamp(1, 100),
            subsampling: Subsampling::Full,
        });
        let jpeg = fine.or(level).map(|jpeg| JpegQuality {
            subsampling: viewer.subsampling().unwrap_or(jpeg.subsampling),
            ..jpeg
        });
        let compression = viewer.compression().unwrap_or(Self::default().compression);
        Self { jpeg, compression }
    }
}

/// A picture that could not be compressed.
#[derive(Debug, thiserror::Error)]
#[error("a JPEG could not be made: {0}")]
pub struct JpegError(#[from] turbojpeg::Error);

/// Makes JPEGs.
pub trait Jpeg: Send {
    /// Replaces `out` with a JPEG of a part of a frame, which is not empty and lies in it.
    ///
    /// # Errors
    /// When it cannot; what is in `out` then means nothing.
    fn compress(
        &mut self,
        frame: &FrameView,
        area: Rect,
        quality: JpegQuality,
        out: &mut Vec<u8>,
    ) -> Result<(), JpegError>;
}

/// JPEG by libjpeg-turbo.
pub struct TurboJpeg {
    compressor: turbojpeg::Compressor,
}

impl TurboJpeg {
    /// A compressor of its own.
    ///
    /// # Errors
    /// When the library has no memory.
    pub fn new() -> Result<Self, JpegError> {
        Ok(Self {
            compressor: turbojpeg::Compressor::new()?,
        })
    }
}

impl Jpeg for TurboJpeg {
    fn compress(
        &mut self,
        frame: &FrameView,
        area: Rect,
        quality: JpegQuality,
        out: &mut Vec<u8>,
    ) -> Result<(), JpegError> {
        self.compressor
            .set_quality(quality.quality.clamp(1, 100).into())?;
        self.compressor.set_subsamp(match quality.subsampling {
            Subsampling::Full => turbojpeg::Subsamp::None,
            Subsampling::Half => turbojpeg::Subsamp::Sub2x1,
            Subsampling::Quarter => turbojpeg::Subsamp::Sub2x2,
            Subsampling::Grey => turbojpeg::Subsamp::Gray,
        })?;
        let image = turbojpeg::Image {
            pixels: frame.part(&area),
            width: area.width.into(),
            pitch: frame.stride(),
            height: area.height.into(),
            format: turbojpeg::PixelFormat::BGRX,
        };
        let room = self.compressor.buf_len(image.width, image.height)?;
        out.resize(room, 0);
        let len = self.compressor.compress_to_slice(image, out)?;
        out.truncate(len);
        Ok(())
    }
}
