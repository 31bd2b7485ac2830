//! What the encoders of one screen have in common: what one of them makes of a picture, the others
//! take. Each keeps its own pace and quality, since nothing here belongs to a viewer.

mod shelf;
mod tools;
mod videos;

pub(crate) use tools::Tools;
pub(crate) use videos::{Picture, Video, Videos};

use crate::{
    jpeg::{Jpeg, JpegQuality},
    plan::Run,
    region::Region,
    video::{VideoArea, VideoFinder},
};
use porthole_rfb::{FrameView, PixelFormat, Rect, server::Update};
use shelf::Shelf;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Bytes of rectangles that are kept for other viewers; what is over is made again.
const MAX_RECT_BYTES: usize = 8 << 20;
/// Runs that are kept for other viewers.
const MAX_RUNS: usize = 1 << 14;
/// More tools than threads can use at once need not be kept.
const MAX_TOOLS: usize = 4;

/// What the encoders of one screen share. Holds no more than one picture's worth of it, and that
/// bounded.
pub struct Common {
    pub(crate) plans: Shelf<Rect, Arc<[Run]>>,
    pub(crate) rects: Shelf<(Rect, Kind), Arc<Update>>,
    pub(crate) videos: Videos,
    finder: Mutex<VideoFinder>,
    tools: Mutex<Vec<Tools>>,
}

/// What tells rectangles of the same pixels apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A JPEG, or nothing where none can be made.
    Jpeg(JpegQuality),
    /// Predicted pixels.
    Predicted,
    /// Tight that needs nothing before it, at a level.
    Tight(u8, PixelFormat),
}

impl Default for Common {
    fn default() -> Self {
        Self {
            plans: Shelf::new(MAX_RUNS, |runs| runs.len() + 1),
            rects: Shelf::new(MAX_RECT_BYTES, |update| update.len()),
            videos: Videos::default(),
            finder: Mutex::default(),
            tools: Mutex::default(),
        }
    }
}

impl fmt::Debug for Common {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.debug_struct("Common").finish_non_exhaustive()
    }
}

impl Common {
    /// With another way to make JPEGs, or none, for encoders that draw one after the other.
    pub fn with_jpeg(jpeg: Option<Box<dyn Jpeg>>) -> Self {
        let common = Self::default();
        common.spare().push(Tools::with_jpeg(jpeg));
        common
    }

    /// Takes in a picture of the screen and where it differs from the one before: finds what moves
    /// like video. To be told before any encoder gets the picture; `now` never goes back.
    pub fn changed(&self, frame: &FrameView, region: &Region, now: Instant) {
        let mut finder = self.finder();
        self.with_tools(|tools| finder.changed(frame, region, now, &mut tools.palette));
    }

    /// Something was drawn on the screen that no picture shows yet, because no viewer can take one:
    /// what moves goes on moving meanwhile.
    pub fn drawn(&self, region: &Region, now: Instant) {
        self.finder().drawn(region, now);
    }

    /// How many videos are encoded: one for each area, and for each quality of it, as long as all
    /// viewers keep up.
    pub fn videos(&self) -> usize {
        self.videos.count()
    }

    /// Where a screen of this size moves like video.
    pub(crate) fn areas(&self, size: (u16, u16), now: Instant) -> Vec<VideoArea> {
        let mut finder = self.finder();
        finder.rest(now);
        if finder.size() == size {
            finder.areas().to_vec()
        } else {
            Vec::new()
        }
    }

    fn finder(&self) -> MutexGuard<'_, VideoFinder> {
        self.finder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back what is kept for other viewers: there is one at most.
    pub fn forget(&self) {
        self.plans.clear();
        self.rects.clear();
        self.spare().truncate(1);
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Tools>> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works with tools that nobody else uses meanwhile.
    pub(crate) fn with_tools<T>(&self, work: impl FnOnce(&mut Tools) -> T) -> T {
        let spare = self.spare().pop();
        let mut tools = spare.unwrap_or_default();
        let done = work(&mut tools);
        let mut spare = self.spare();
        if spare.len() < MAX_TOOLS {
            spare.push(tools);
        }
        done
    }
}
