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
};
use porthole_rfb::{PixelFormat, Rect, server::Update};
use shelf::Shelf;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
