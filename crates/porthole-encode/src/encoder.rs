//! The rectangles of an update for one viewer.

mod border;
mod moving;

use crate::{
    classify::Class,
    common::{Common, Kind},
    grid::{CELL, cell_count, steps},
    jpeg::Quality,
    plan::{MAX_AREA, Run, plan},
    region::Region,
};
use moving::Moving;
use porthole_rfb::{
    Converter, Encoding, FrameView, PixelFormat, Rect, ViewerEncodings,
    pixel_format::BadFormat,
    server::{TightWriter, Update, ZrleWriter},
};
use std::sync::Arc;

/// Pieces with fewer pixels are not worth a JPEG's headers.
const MIN_JPEG_AREA: usize = 1024;
/// Pieces narrower than JPEG's blocks are not worth it either.
const MIN_JPEG_SIDE: u16 = 8;
/// Lossless pieces of so many pixels are compressed once for all viewers. A smaller one is soon
/// compressed, and a viewer's own zlib stream knows what came before.
const MIN_SHARED_AREA: usize = 1 << 14;
/// A region of more rectangles is rounded to the grid first.
const MAX_RECTS: usize = 512;
/// More rectangles than this may not fit into one update.
const MAX_PIECES: usize = 60_000;

/// How a viewer gets pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Tight,
    Zrle,
    Raw,
}

/// Writes the updates of one viewer. It keeps the viewer's zlib streams, so all that it writes must
/// reach the viewer, in order.
pub struct Encoder {
    common: Arc<Common>,
    /// Which picture of the screen the frame is, where other viewers take it too.
    generation: Option<u64>,
    converter: Converter,
    viewer: ViewerEncodings,
    way: Way,
    quality: Quality,
    tight: TightWriter,
    zrle: Option<ZrleWriter>,
    /// Whether the viewer takes predicted pixels.
    predicts: bool,
    /// Where the viewer's picture is not exact.
    lossy: Region,
    moving: Moving,
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder {
    /// For a viewer that has said nothing yet: Raw pixels in the frame's own format. Pictures are
    /// compressed by libjpeg-turbo, or exactly where that does not start.
    pub fn new() -> Self {
        Self::sharing(Arc::default())
    }

    /// Like [`new`](Self::new), one of several of the same screen.
    pub fn sharing(common: Arc<Common>) -> Self {
        let quality = Quality::default();
        Self {
            common,
            generation: None,
            converter: Converter::bgrx(),
            viewer: ViewerEncodings::default(),
            way: Way::Raw,
            quality,
            tight: TightWriter::new(quality.compression),
            zrle: None,
            predicts: false,
            lossy: Region::new(),
            moving: Moving::new(),
        }
    }

    /// Tells which picture of the screen the frames are from now on, by a number that grows with
    /// every change: encoders with the same [`Common`] then make things once. `None`: no other
    /// viewer is there.
    pub const fn set_generation(&mut self, generation: Option<u64>) {
        self.generation = generation;
    }

    /// Takes the viewer's pixel format.
    ///
    /// # Errors
    /// When pixels cannot be sent in it; the one before stays.
    pub fn set_format(&mut self, format: PixelFormat) -> Result<(), BadFormat> {
        self.converter = Converter::new(format)?;
        Ok(())
    }

    /// Takes the viewer's encodings; the first it lists that is known is used. Sets the quality to
    /// what the viewer asks for.
    pub fn set_encodings(&mut self, viewer: &ViewerEncodings) {
        self.way = viewer
            .pixels()
            .iter()
            .find_map(|&encoding| match encoding {
                Encoding::TIGHT => Some(Way::Tight),
                Encoding::ZRLE => Some(Way::Zrle),
                Encoding::RAW => Some(Way::Raw),
                _ => None,
            })
            .unwrap_or(Way::Raw);
        self.predicts = viewer.has(Encoding::PREDICTED);
        self.set_quality(viewer.into());
        self.viewer = viewer.clone();
    }

    /// Sets another quality than the viewer's encodings ask for.
    pub fn set_quality(&mut self, quality: Quality) {
        self.quality = quality;
        self.tight.set_level(quality.compression);
    }

    /// The quality in use.
    pub const fn quality(&self) -> Quality {
        self.quality
    }

    /// The viewer's encodings.
    pub const fn viewer(&self) -> &ViewerEncodings {
        &self.viewer
    }

    /// Turns the frame's pixels into the viewer's, for cursors.
    pub const fn converter(&self) -> &Converter {
        &self.converter
    }

    /// Where the viewer has less than the exact picture.
    pub const fn lossy_region(&self) -> &Region {
        &self.lossy
    }

    /// Adds the rectangles that bring a region of the frame to the viewer; what lies outside the
    /// frame is left out.
    pub fn encode(&mut self, frame: &FrameView, region: &Region, update: &mut Update) {
        // Formats of fewer bits lose what JPEG is good at; Tight wants 32 for it.
        let jpeg = self.quality.jpeg.is_some() && self.converter.format().bits_per_pixel == 32;
        self.write(frame, region, jpeg, update);
    }

    /// Like [`encode`](Self::encode), exactly.
    pub fn encode_lossless(&mut self, frame: &FrameView, region: &Region, update: &mut Update) {
        self.write(frame, region, false, update);
    }

    /// Adds a rectangle that the viewer copies from another place of its picture, as it is after
    /// the rectangles before. Only for viewers that list [`Encoding::COPY_RECT`].
    pub fn copy(&mut self, area: Rect, from_x: u16, from_y: u16, update: &mut Update) {
        let source = Region::from(Rect {
            x: from_x,
            y: from_y,
            ..area
        });
        let right = i32::from(area.x) - i32::from(from_x);
        let down = i32::from(area.y) - i32::from(from_y);
        let moved = self.lossy.intersect(&source).translate(right, down);
        self.lossy = self.lossy.subtract(&area.into()).union(&moved);
        self.moving.written(&area.into());
        update.copy_rect(area, from_x, from_y);
    }

    fn write(&mut self, frame: &FrameView, region: &Region, jpeg: bool, update: &mut Update) {
        let bounds = Region::from(frame.bounds());
        let mut region = region.intersect(&bounds);
        if region.rect_count() > MAX_RECTS {
            region = region.snap(CELL).intersect(&bounds);
        }
        self.lossy = self.lossy.intersect(&bounds).subtract(&region);
        self.moving.written(&region);
        let pieces: usize = region.rects().map(cell_count).sum();
        if pieces > MAX_PIECES.min(update.room().into()) {
            // Larger than any display; one rectangle is always right.
            if update.room() > 0 {
                update.raw(frame, region.bounds(), &self.converter);
            }
            return;
        }
        for rect in region.rects() {
            match self.way {
                Way::Tight => self.write_tight(frame, rect, jpeg, update),
                Way::Zrle => self.write_zrle(frame, rect, update),
                Way::Raw => update.raw(frame, rect, &self.converter),
            }
        }
    }

    fn write_zrle(&mut self, frame: &FrameView, rect: Rect, update: &mut Update) {
        let level = self.quality.compression;
        let zrle = self.zrle.get_or_insert_with(|| ZrleWriter::new(level));
        // In bands, so that a viewer has not to wait for all of it.
        let rows = (MAX_AREA / usize::from(rect.width).max(1)).clamp(64, 1024) as u16 / CELL * CELL;
        for (y, height) in steps(rect.y, rect.bottom(), rows) {
            zrle.write(update, frame, Rect { y, height, ..rect }, &self.converter);
        }
    }

    fn write_tight(&mut self, frame: &FrameView, rect: Rect, jpeg: bool, update: &mut Update) {
        let common = self.common.clone();
        let judge = || common.with_tools(|tools| plan(frame, rect, &mut tools.palette));
        match self.generation {
            None => self.write_runs(frame, &judge(), jpeg, update),
            Some(generation) => {
                let runs = common.plans.take(generation, rect, || Arc::from(judge()));
                self.write_runs(frame, &runs, jpeg, update);
            }
        }
    }

    fn write_runs(&mut self, frame: &FrameView, runs: &[Run], jpeg: bool, update: &mut Update) {
        for Run { area, class } in runs {
            match class {
                Class::Solid(colour) => self.tight.fill(update, *area, *colour, &self.converter),
                Class::Few(colours) => self.write_few(frame, *area, colours, update),
                Class::Many => {
                    if jpeg && self.write_jpeg(frame, *area, update) {
                        self.lossy.add(*area);
                    } else {
                        self.write_many(frame, *area, update);
                    }
                }
            }
        }
    }

    fn write_few(&mut self, frame: &FrameView, area: Rect, colours: &[u32], update: &mut Update) {
        let (common, converter) = (&*self.common, &self.converter);
        if let Some(kind) = self.tight_for_all(area) {
            self.once(kind, area, update, |update| {
                common.with_tools(|tools| {
                    tools
                        .palette
                        .index(frame, area, colours, &mut tools.indices);
                    tools.apart.set_level(self.quality.compression);
                    let indices = &tools.indices;
                    tools
                        .apart
                        .indexed(update, area, colours, indices, converter);
                });
            });
        } else {
            common.with_tools(|tools| {
                tools
                    .palette
                    .index(frame, area, colours, &mut tools.indices);
                self.tight
                    .indexed(update, area, colours, &tools.indices, converter);
            });
        }
    }

    fn write_many(&mut self, frame: &FrameView, area: Rect, update: &mut Update) {
        let (common, converter) = (&*self.common, &self.converter);
        if self.predicts && converter.format().has_whole_colours() {
            self.once(Kind::Predicted, area, update, |update| {
                common.with_tools(|tools| tools.predicted.write(update, frame, area));
            });
        } else if let Some(kind) = self.tight_for_all(area) {
            self.once(kind, area, update, |update| {
                common.with_tools(|tools| {
                    tools.apart.set_level(self.quality.compression);
                    tools.apart.full_colour(update, frame, area, converter);
                });
            });
        } else {
            self.tight.full_colour(update, frame, area, converter);
        }
    }

    /// Adds a JPEG; whether it could. What cannot be made as one goes exactly.
    fn write_jpeg(&self, frame: &FrameView, area: Rect, update: &mut Update) -> bool {
        let Some(quality) = self.quality.jpeg else {
            return false;
        };
        if area.area() < MIN_JPEG_AREA || area.width.min(area.height) < MIN_JPEG_SIDE {
            return false;
        }
        let before = update.rects();
        self.once(Kind::Jpeg(quality), area, update, |update| {
            self.common
                .with_tools(|tools| tools.write_jpeg(frame, area, quality, update));
        });
        update.rects() > before
    }

    /// The kind of a lossless Tight rectangle that all viewers can take, where it is worth it.
    fn tight_for_all(&self, area: Rect) -> Option<Kind> {
        (self.generation.is_some() && area.area() >= MIN_SHARED_AREA).then_some(Kind::Tight(
            self.quality.compression,
            *self.converter.format(),
        ))
    }

    /// Adds what is the same for every viewer that gets this kind of the area: made by the first.
    fn once(&self, kind: Kind, area: Rect, update: &mut Update, write: impl Fn(&mut Update)) {
        match self.generation {
            None => write(update),
            Some(generation) => {
                let made = self.common.rects.take(generation, (area, kind), || {
                    let mut made = Update::new();
                    write(&mut made);
                    Arc::new(made)
                });
                update.append(&made);
            }
        }
    }
}
