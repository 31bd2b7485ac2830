//! Areas that move like video go as H.264, what is around them as ever.

use super::{Encoder, border::Border};
use crate::{
    common::{Picture, Video, Videos},
    h264::{H264Error, H264Stream},
    policy::{Link, Policy, Wish, adapt, begin, in_time},
    region::Region,
    video::VideoArea,
};
use porthole_rfb::{
    Encoding, FrameView, Rect,
    server::{
        Update,
        h264::{RESET_ALL_CONTEXTS, RESET_CONTEXT},
    },
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A stream keeps its quantiser so long: with another one it begins anew, which costs bytes.
const KEEP: Duration = Duration::from_secs(2);
/// Until it gets a finer one, longer: a line that is free for a moment may be full the next.
const KEEP_COARSE: Duration = Duration::from_secs(6);
/// An area without a change for so long may be made exact.
const PAUSE: Duration = Duration::from_millis(200);
/// Who misses more of the pictures of a video that viewers share goes on alone: it gets them all,
/// late, and an encoder of its own costs more than that up to here.
const MOST_MISSED: f64 = 2.0;
/// It tries again after so long at first, later less often, and as at first after such a time.
const ALONE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// What an encoder knows of what moves.
pub(super) struct Moving {
    /// What moves, as of the last look.
    areas: Vec<VideoArea>,
    streams: Vec<Stream>,
    policy: Policy,
    link: Link,
    /// This viewer shares no video before, and how long it stays alone the next time.
    alone: (Option<Instant>, Duration),
    size: (u16, u16),
    /// Streams that ended; the viewer need not keep their contexts.
    ended: Vec<Rect>,
    /// All contexts that the viewer may have are of a frame that is gone.
    stale: bool,
}

/// The context of one area.
struct Stream {
    area: Rect,
    border: Border,
    /// Other viewers may have it too.
    video: Arc<Mutex<Video>>,
    /// The newest picture of it that the viewer got.
    have: Option<u64>,
    /// How many pictures of a video that others have too went by for each that it took, about.
    missed: f64,
    quantiser: u8,
    since: Instant,
    /// Bytes of a picture, about.
    len: f64,
    /// Nothing was sent yet.
    new: bool,
}

/// Pictures for a viewer, and whether its context begins with them.
struct Pictures {
    begin: bool,
    pictures: Vec<Picture>,
}

impl Stream {
    /// The next pictures, from a video that others have too wherever that can be.
    fn next(
        &mut self,
        frame: &FrameView,
        generation: Option<u64>,
        now: Instant,
        videos: &Videos,
        alone: &mut (Option<Instant>, Duration),
    ) -> Result<Pictures, H264Error> {
        let lock = |video: &Arc<Mutex<Video>>, work: &mut dyn FnMut(&mut Video) -> _| {
            work(&mut video.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let join = &mut |video: &mut Video| video.join(frame, generation, now);
        let may_share = generation.is_some() && alone.0.is_none_or(|until| now >= until);
        let has_alone = self.have.is_some() && Arc::strong_count(&self.video) == 1;
        if may_share && (self.have.is_none() || has_alone) {
            let other = videos.find(self.area, self.quantiser);
            if let Some(other) = other.filter(|other| !Arc::ptr_eq(other, &self.video))
                && let Ok(Some(pictures)) = lock(&other, join)
            {
                (self.video, self.missed) = (other, 0.0);
                return Ok(Pictures {
                    begin: true,
                    pictures,
                });
            }
        }
        if let Some(have) = self.have {
            let follow = &mut |video: &mut Video| video.follow(frame, generation, have, now);
            if let Some(pictures) = lock(&self.video, follow)? {
                self.missed += (pictures.len() as f64 - 1.0 - self.missed) / 8.0;
                if has_alone || self.missed <= MOST_MISSED {
                    return Ok(Pictures {
                        begin: false,
                        pictures,
                    });
                }
            }
            let last = alone.0.map(|until| until + ALONE.1);
            let wait = if last.is_some_and(|last| now > last) {
                ALONE.0
            } else {
                alone.1
            };
            *alone = (Some(now + wait), (wait * 2).min(ALONE.1));
            self.video = videos.begin(self.area, self.quantiser)?;
            self.missed = 0.0;
        }
        // One of its own, which nothing keeps from beginning.
        let pictures = lock(&self.video, join)?.unwrap_or_default();
        Ok(Pictures {
            begin: true,
            pictures,
        })
    }
}

impl Moving {
    pub(super) fn new() -> Self {
        Self {
            areas: Vec::new(),
            streams: Vec::new(),
            policy: Policy::default(),
            link: Link::default(),
            alone: (None, ALONE.0),
            size: (0, 0),
            ended: Vec::new(),
            stale: false,
        }
    }

    /// Ends the streams that are not to be kept.
    fn keep(&mut self, keep: impl Fn(&Stream) -> bool) {
        let ended = self.streams.extract_if(.., |stream| !keep(stream));
        self.ended
            .extend(ended.filter(|stream| !stream.new).map(|stream| stream.area));
    }

    /// Pixels of a region go to the viewer, in whatever way.
    pub(super) fn written(&mut self, region: &Region) {
        for stream in &mut self.streams {
            stream.border.forget(region);
        }
    }

    /// Tells the viewer which contexts it need not keep.
    fn write_ended(&mut self, update: &mut Update) {
        for area in self.ended.drain(..) {
            if update.room() > 0 {
                update.h264(area, RESET_CONTEXT, &[]);
            }
        }
    }
}

impl Encoder {
    /// Takes what is known of the line to the viewer.
    pub fn set_link(&mut self, link: Link) {
        self.moving.link = link;
    }

    /// Like [`encode`](Self::encode); what moves like video goes as H.264 where the viewer takes
    /// that and it is the better way. The region is what changed since the call before; the
    /// [`Common`](crate::Common) was told of the frame. `now` never goes back.
    pub fn encode_at(
        &mut self,
        frame: &FrameView,
        region: &Region,
        now: Instant,
        update: &mut Update,
    ) {
        let size = (frame.width(), frame.height());
        if self.moving.size != size {
            self.moving.size = size;
            self.moving.stale |= self.moving.streams.iter().any(|stream| !stream.new);
            self.moving.streams.clear();
            self.moving.ended.clear();
        }
        if !self.takes_video() {
            self.moving.keep(|_| false);
            self.encode_in_time(frame, region, update);
            return;
        }
        self.choose(now);
        self.moving.write_ended(update);
        let mut rest = region.clone();
        let mut beside = Region::new();
        let mut pictures = Vec::new();
        for (index, stream) in self.moving.streams.iter().enumerate() {
            let area = Region::from(stream.area);
            if !rest.intersect(&area).is_empty() {
                pictures.push(index);
                rest = rest.subtract(&area).subtract(&stream.border.same(frame));
                beside = beside.union(&stream.border.region());
            }
        }
        // Video last: viewers decode it aside, and what follows it has to wait.
        let beside = beside.intersect(&rest);
        self.encode_in_time(frame, &rest.subtract(&beside), update);
        // What stands beside a video is never made exact later: its tiles change all the time.
        self.encode_lossless(frame, &beside, update);
        for &index in &pictures {
            self.moving.streams[index].border.sent(frame, &rest);
        }
        let mut failed = Vec::new();
        for index in pictures {
            if !self.write_picture(frame, index, now, update) {
                failed.extend(self.moving.streams.get(index).map(|stream| stream.area));
            }
        }
        if !failed.is_empty() {
            self.moving.keep(|stream| !failed.contains(&stream.area));
            self.encode_in_time(frame, &Region::from_rects(&failed), update);
        }
    }

    /// Adds the rectangles of a region, in a quality that lets them pass the line in time.
    fn encode_in_time(&mut self, frame: &FrameView, region: &Region, update: &mut Update) {
        let wanted = self.quality.jpeg;
        let pixels = region.rects().map(|rect| rect.area()).sum();
        self.quality.jpeg = wanted.map(|jpeg| in_time(jpeg, pixels, self.moving.link));
        self.encode(frame, region, update);
        self.quality.jpeg = wanted;
    }

    /// Time passes: ends videos that stand still.
    pub fn rest(&mut self, now: Instant) {
        if !self.moving.streams.is_empty() {
            self.choose(now);
        }
    }

    /// Where videos run: what is made exact there is lost again with the next picture.
    pub fn video_region(&self, now: Instant) -> Region {
        let running = self.moving.areas.iter().filter(|area| {
            now.saturating_duration_since(area.touched()) < PAUSE
                && self.stream(area.area).is_some()
        });
        let areas: Vec<Rect> = running.map(|area| area.area).collect();
        Region::from_rects(&areas)
    }

    fn stream(&self, area: Rect) -> Option<&Stream> {
        self.moving
            .streams
            .iter()
            .find(|stream| stream.area == area)
    }

    fn takes_video(&self) -> bool {
        self.viewer.has(Encoding::OPEN_H264)
            && self.quality.jpeg.is_some()
            && self.converter.format().bits_per_pixel == 32
    }

    /// Makes the streams those of the areas that shall have one.
    fn choose(&mut self, now: Instant) {
        let Some(jpeg) = self.quality.jpeg else {
            return;
        };
        self.moving.areas = self.common.areas(self.moving.size, now);
        let wish = |area: &VideoArea| Wish {
            area: area.area,
            interval: area.interval,
            jpeg,
            link: self.moving.link,
        };
        let moving = &self.moving;
        let chosen: Vec<(VideoArea, u8)> = moving
            .areas
            .iter()
            .filter(|area| H264Stream::takes(area.area))
            .map(|area| (area, wish(area), self.stream(area.area)))
            .filter(|(_, wish, stream)| self.moving.policy.video(wish, stream.is_some()))
            .map(|(area, wish, stream)| {
                let quantiser = match stream {
                    Some(stream) if now < stream.since + KEEP => stream.quantiser,
                    Some(stream) => match adapt(&wish, stream.quantiser, stream.len) {
                        finer if finer < stream.quantiser && now < stream.since + KEEP_COARSE => {
                            stream.quantiser
                        }
                        adapted => adapted,
                    },
                    None => begin(&wish),
                };
                (*area, quantiser)
            })
            .collect();
        self.moving.keep(|stream| {
            chosen
                .iter()
                .any(|(area, quantiser)| area.area == stream.area && *quantiser == stream.quantiser)
        });
        for (VideoArea { area, outer, .. }, quantiser) in chosen {
            if self.stream(area).is_none()
                && let Ok(video) = self.common.videos.begin(area, quantiser)
            {
                self.moving.streams.push(Stream {
                    area,
                    border: Border::new(area, outer),
                    video,
                    have: None,
                    missed: 0.0,
                    quantiser,
                    since: now,
                    len: 0.0,
                    new: true,
                });
            }
        }
    }

    /// Adds the next pictures of a stream; whether it could.
    fn write_picture(
        &mut self,
        frame: &FrameView,
        index: usize,
        now: Instant,
        update: &mut Update,
    ) -> bool {
        let moving = &mut self.moving;
        let Some(stream) = moving.streams.get_mut(index) else {
            return false;
        };
        let videos = &self.common.videos;
        let next = stream.next(frame, self.generation, now, videos, &mut moving.alone);
        let Ok(Pictures { begin, pictures }) = next else {
            return false;
        };
        if pictures.is_empty() || usize::from(update.room()) < pictures.len() {
            return false;
        }
        for (index, picture) in pictures.iter().enumerate() {
            let flags = match (moving.stale, begin && index == 0) {
                (true, _) => RESET_ALL_CONTEXTS,
                (false, true) => RESET_CONTEXT,
                (false, false) => 0,
            };
            moving.stale = false;
            update.h264(stream.area, flags, &picture.data);
            moving.policy.took(stream.area, picture.took);
            if !picture.whole {
                stream.len += (picture.data.len() as f64 - stream.len) / 8.0;
            }
            stream.have = Some(picture.number);
        }
        stream.new = false;
        self.lossy.add(stream.area);
        true
    }
}
