//! The rectangles of an update for one viewer.

mod border;
mod moving;

use crate::{
    classify::{Class, Palette},
    grid::{CELL, cell_count, steps},
    jpeg::{Jpeg, Quality, TurboJpeg},
    region::Region,
};
use porthole_rfb::{
    Converter, Encoding, FrameView, PixelFormat, Rect, ViewerEncodings,
    pixel_format::BadFormat,
    server::{MAX_JPEG, MAX_TIGHT_WIDTH, PredictedWriter, TightWriter, Update, ZrleWriter},
};

use moving::Moving;

/// The most pixels of a compressed rectangle: its data stays far below Tight's 22 bits of length,
/// and a viewer can show one while it waits for the next.
const MAX_AREA: usize = 1 << 18;
/// Pieces with fewer pixels are not worth a JPEG's headers.
const MIN_JPEG_AREA: usize = 1024;
/// Pieces narrower than JPEG's blocks are not worth it either.
const MIN_JPEG_SIDE: u16 = 8;
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
    converter: Converter,
    viewer: ViewerEncodings,
    way: Way,
    quality: Quality,
    tight: TightWriter,
    zrle: Option<ZrleWriter>,
    predicted: PredictedWriter,
    /// Whether the viewer takes predicted pixels.
    predicts: bool,
    jpeg: Option<Box<dyn Jpeg>>,
    /// Where the viewer's picture is not exact.
    lossy: Region,
    palette: Palette,
    indices: Vec<u8>,
    compressed: Vec<u8>,
    moving: Moving,
}

/// Neighbouring pieces that go as one rectangle.
struct Run {
    area: Rect,
    class: Class,
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
        Self::with_jpeg(
            TurboJpeg::new()
                .ok()
                .map(|jpeg| Box::new(jpeg) as Box<dyn Jpeg>),
        )
    }

    /// Like [`new`](Self::new), with another way to make JPEGs, or none.
    pub fn with_jpeg(jpeg: Option<Box<dyn Jpeg>>) -> Self {
        let quality = Quality::default();
        Self {
            converter: Converter::bgrx(),
            viewer: ViewerEncodings::default(),
            way: Way::Raw,
            quality,
            tight: TightWriter::new(quality.compression),
            zrle: None,
            predicted: PredictedWriter::default(),
            predicts: false,
            jpeg,
            lossy: Region::new(),
            palette: Palette::default(),
            indices: Vec::new(),
            compressed: Vec::new(),
            moving: Moving::new(),
        }
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

    /// Judges the rectangle cell by cell, and writes neighbours of one kind together: along the
    /// row, then with the rows above.
    fn write_tight(&mut self, frame: &FrameView, rect: Rect, jpeg: bool, update: &mut Update) {
        let mut open: Vec<Run> = Vec::new();
        for (y, height) in steps(rect.y, rect.bottom(), CELL) {
            let mut row: Vec<Run> = Vec::new();
            for (x, width) in steps(rect.x, rect.right(), CELL) {
                let area = Rect {
                    x,
                    y,
                    width,
                    height,
                };
                let class = self.palette.classify(frame, area);
                if !row
                    .last_mut()
                    .is_some_and(|run| run.extend_right(area, &class))
                {
                    row.push(Run { area, class });
                }
            }
            let mut above = open.into_iter().peekable();
            let mut next = Vec::with_capacity(row.len());
            for run in row {
                // Both rows are in order, so what begins further left ends here.
                while let Some(done) = above.next_if(|done| done.area.x < run.area.x) {
                    self.write_run(frame, &done, jpeg, update);
                }
                match above.next_if(|upper| upper.area.x == run.area.x) {
                    Some(mut upper) => {
                        if upper.extend_down(&run) {
                            next.push(upper);
                        } else {
                            self.write_run(frame, &upper, jpeg, update);
                            next.push(run);
                        }
                    }
                    None => next.push(run),
                }
            }
            for done in above {
                self.write_run(frame, &done, jpeg, update);
            }
            open = next;
        }
        for done in open {
            self.write_run(frame, &done, jpeg, update);
        }
    }

    fn write_run(&mut self, frame: &FrameView, run: &Run, jpeg: bool, update: &mut Update) {
        let area = run.area;
        match &run.class {
            Class::Solid(colour) => self.tight.fill(update, area, *colour, &self.converter),
            Class::Few(colours) => {
                self.palette.index(frame, area, colours, &mut self.indices);
                self.tight
                    .indexed(update, area, colours, &self.indices, &self.converter);
            }
            Class::Many => {
                if jpeg && self.write_jpeg(frame, area, update) {
                    self.lossy.add(area);
                } else if self.predicts && self.converter.format().has_whole_colours() {
                    self.predicted.write(update, frame, area);
                } else {
                    self.tight.full_colour(update, frame, area, &self.converter);
                }
            }
        }
    }

    fn write_jpeg(&mut self, frame: &FrameView, area: Rect, update: &mut Update) -> bool {
        let (Some(jpeg), Some(quality)) = (&mut self.jpeg, self.quality.jpeg) else {
            return false;
        };
        let small = area.area() < MIN_JPEG_AREA || area.width.min(area.height) < MIN_JPEG_SIDE;
        // What cannot be made as a JPEG goes exactly.
        if small
            || jpeg
                .compress(frame, area, quality, &mut self.compressed)
                .is_err()
            || self.compressed.len() > MAX_JPEG
        {
            return false;
        }
        self.tight.jpeg(update, area, &self.compressed);
        true
    }
}

impl Run {
    /// Takes in a piece of the same rows at its right.
    fn extend_right(&mut self, area: Rect, class: &Class) -> bool {
        let width = u32::from(self.area.width) + u32::from(area.width);
        if width > MAX_TIGHT_WIDTH.into()
            || !self.has_room(width as usize * usize::from(area.height))
            || !self.class.join(class)
        {
            return false;
        }
        self.area.width = width as u16;
        true
    }

    /// Takes in a run of the same columns below it.
    fn extend_down(&mut self, lower: &Self) -> bool {
        let height = self.area.height + lower.area.height;
        if self.area.width != lower.area.width
            || !self.has_room(usize::from(height) * usize::from(self.area.width))
            || !self.class.join(&lower.class)
        {
            return false;
        }
        self.area.height = height;
        true
    }

    fn has_room(&self, pixels: usize) -> bool {
        matches!(self.class, Class::Solid(_)) || pixels <= MAX_AREA
    }
}
