//! Videos of areas. Viewers that keep up share one; whoever does not gets one at its own pace.

use crate::h264::{H264Error, H264Stream};
use porthole_rfb::{FrameView, Rect, server::h264::max_len};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};
use xxhash_rust::xxh3::Xxh3Default;

/// So many pictures back a viewer may be and still catch up,
const RECENT: usize = 24;
/// as long as they are no more bytes than these, or so many pictures that stand for themselves: with
/// one of those it could begin anew.
const RECENT_BYTES: usize = 64 << 10;
const RECENT_WHOLES: usize = 2;
/// A few are always kept.
const RECENT_LEAST: usize = 3;
/// No other picture that stands for itself sooner, whoever wants to join: it costs all of them.
const WHOLE_TIME: Duration = Duration::from_secs(5);

/// The videos that run.
#[derive(Default)]
pub(crate) struct Videos(Mutex<Vec<Running>>);

/// A video as long as a viewer has it.
struct Running {
    area: Rect,
    quantiser: u8,
    video: Weak<Mutex<Video>>,
}

/// One video.
pub(crate) struct Video {
    area: Rect,
    stream: H264Stream,
    /// When its first picture was made.
    start: Option<Instant>,
    at: Duration,
    /// What the newest picture shows: which picture of the screen, and a hash of the pixels.
    generation: Option<u64>,
    pixels: Option<u64>,
    recent: VecDeque<Picture>,
    whole_at: Option<Instant>,
    /// Bytes of the newest picture that stands for itself.
    whole_len: usize,
    broken: bool,
}

/// One picture of a video.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) number: u64,
    /// It stands for itself.
    pub(crate) whole: bool,
    pub(crate) data: Arc<[u8]>,
    /// What making it took.
    pub(crate) took: Duration,
}

impl Videos {
    fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest video of an area.
    pub(crate) fn find(&self, area: Rect, quantiser: u8) -> Option<Arc<Mutex<Video>>> {
        let running = self.running();
        let mut same = running
            .iter()
            .filter(|running| (running.area, running.quantiser) == (area, quantiser));
        same.find_map(|running| running.video.upgrade())
    }

    /// How many run.
    pub(crate) fn count(&self) -> usize {
        let running = self.running();
        let runs = |running: &&Running| running.video.strong_count() > 0;
        running.iter().filter(runs).count()
    }

    /// A new one.
    ///
    /// # Errors
    /// When the library has no memory.
    pub(crate) fn begin(&self, area: Rect, quantiser: u8) -> Result<Arc<Mutex<Video>>, H264Error> {
        let video = Arc::new(Mutex::new(Video::new(area, quantiser)?));
        let mut running = self.running();
        running.retain(|running| running.video.strong_count() > 0);
        running.push(Running {
            area,
            quantiser,
            video: Arc::downgrade(&video),
        });
        Ok(video)
    }
}

impl Video {
    fn new(area: Rect, quantiser: u8) -> Result<Self, H264Error> {
        Ok(Self {
            area,
            stream: H264Stream::new(quantiser)?,
            start: None,
            at: Duration::ZERO,
            generation: None,
            pixels: None,
            recent: VecDeque::new(),
            whole_at: None,
            whole_len: 0,
            broken: false,
        })
    }

    /// The pictures from the one after `have` to that of the frame; nothing when the viewer is too
    /// far behind.
    ///
    /// # Errors
    /// When a picture could not be made; the video then cannot go on.
    pub(crate) fn follow(
        &mut self,
        frame: &FrameView,
        generation: Option<u64>,
        have: u64,
        now: Instant,
    ) -> Result<Option<Vec<Picture>>, H264Error> {
        // Who has the newest and still needs one needs another.
        let newest = self.recent.back().map(|picture| picture.number);
        if newest == Some(have) || !self.shows(frame, generation) {
            self.draw(frame, generation, now)?;
        }
        Ok(self.after(have))
    }

    /// The pictures with which a viewer begins; nothing when it cannot now.
    ///
    /// # Errors
    /// When a picture could not be made; the video then cannot go on.
    pub(crate) fn join(
        &mut self,
        frame: &FrameView,
        generation: Option<u64>,
        now: Instant,
    ) -> Result<Option<Vec<Picture>>, H264Error> {
        if self.broken {
            return Ok(None);
        }
        // One that is not old yet costs nobody anything.
        if self.has_whole() && !self.shows(frame, generation) {
            self.draw(frame, generation, now)?;
        }
        if !self.has_whole() {
            if self.whole_at.is_some_and(|at| now < at + WHOLE_TIME) {
                return Ok(None);
            }
            self.stream.begin_anew();
            self.draw(frame, generation, now)?;
        }
        let whole = self.recent.iter().rposition(|picture| picture.whole);
        Ok(whole.map(|from| self.recent.range(from..).cloned().collect()))
    }

    /// Whether a viewer can begin with one of the pictures that are kept.
    fn has_whole(&self) -> bool {
        self.recent.iter().any(|picture| picture.whole)
    }

    /// Whether the newest picture is one of this frame.
    fn shows(&mut self, frame: &FrameView, generation: Option<u64>) -> bool {
        if generation.is_none() || self.recent.is_empty() {
            return false;
        }
        if self.generation != generation && self.pixels == Some(hash(frame, self.area)) {
            // What changed was elsewhere.
            self.generation = generation;
        }
        self.generation == generation
    }

    fn draw(
        &mut self,
        frame: &FrameView,
        generation: Option<u64>,
        now: Instant,
    ) -> Result<(), H264Error> {
        let since_start = now.saturating_duration_since(*self.start.get_or_insert(now));
        self.at = since_start.max(self.at + Duration::from_millis(1));
        let begin = Instant::now();
        let mut data = Vec::new();
        self.broken = true;
        let whole = self.stream.encode(frame, self.area, self.at, &mut data)?;
        if data.is_empty() || data.len() > max_len(self.area) {
            return Err(H264Error::Length(data.len()));
        }
        self.broken = false;
        let took = begin.elapsed();
        self.generation = generation;
        self.pixels = generation.map(|_| hash(frame, self.area));
        if whole {
            (self.whole_at, self.whole_len) = (Some(now), data.len());
        }
        let number = self.recent.back().map_or(0, |before| before.number + 1);
        self.recent.push_back(Picture {
            number,
            whole,
            data: data.into(),
            took,
        });
        self.forget_old();
        Ok(())
    }

    fn forget_old(&mut self) {
        let most = (self.whole_len * RECENT_WHOLES).max(RECENT_BYTES);
        let mut bytes: usize = self.recent.iter().map(|picture| picture.data.len()).sum();
        while self.recent.len() > RECENT_LEAST && (self.recent.len() > RECENT || bytes > most) {
            bytes -= self.recent.pop_front().map_or(0, |old| old.data.len());
        }
    }

    fn after(&self, have: u64) -> Option<Vec<Picture>> {
        let first = self.recent.front()?.number;
        let from = usize::try_from((have + 1).checked_sub(first)?).ok()?;
        (from < self.recent.len()).then(|| self.recent.range(from..).cloned().collect())
    }
}

fn hash(frame: &FrameView, area: Rect) -> u64 {
    let mut hash = Xxh3Default::new();
    for row in frame.rows(area) {
        hash.update(row);
    }
    hash.digest()
}
