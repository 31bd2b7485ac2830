//! What making rectangles takes: memory and compressors, used again and again by whoever draws.

use crate::{
    classify::Palette,
    jpeg::{Jpeg, JpegQuality, TurboJpeg},
};
use porthole_rfb::{
    FrameView, Rect,
    server::{MAX_JPEG, PredictedWriter, TightWriter, Update},
};

/// One set, for one thread.
pub(crate) struct Tools {
    pub(crate) palette: Palette,
    pub(crate) indices: Vec<u8>,
    pub(crate) predicted: PredictedWriter,
    /// Writes what any viewer can take.
    pub(crate) apart: TightWriter,
    jpeg: Option<Box<dyn Jpeg>>,
    compressed: Vec<u8>,
}

impl Default for Tools {
    /// JPEGs are made by libjpeg-turbo, or not at all where that does not start.
    fn default() -> Self {
        let jpeg = TurboJpeg::new().ok();
        Self::with_jpeg(jpeg.map(|jpeg| Box::new(jpeg) as Box<dyn Jpeg>))
    }
}

impl Tools {
    /// With another way to make JPEGs, or none.
    pub(crate) fn with_jpeg(jpeg: Option<Box<dyn Jpeg>>) -> Self {
        Self {
            palette: Palette::default(),
            indices: Vec::new(),
            predicted: PredictedWriter::default(),
            apart: TightWriter::apart(0),
            jpeg,
            compressed: Vec::new(),
        }
    }

    /// Adds a JPEG, where one can be made.
    pub(crate) fn write_jpeg(
        &mut self,
        frame: &FrameView,
        area: Rect,
        quality: JpegQuality,
        update: &mut Update,
    ) {
        if let Some(jpeg) = &mut self.jpeg
            && jpeg
                .compress(frame, area, quality, &mut self.compressed)
                .is_ok()
            && self.compressed.len() <= MAX_JPEG
        {
            self.apart.jpeg(update, area, &self.compressed);
        }
    }
}
