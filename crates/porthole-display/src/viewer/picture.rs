//! Makes the updates with pixels. Runs on a thread for blocking work, so that neither the sockets
//! nor the X server wait for it.

use super::refresh::Refresh;
use crate::{
    desktop::{Desktop, Mailbox},
    geometry::{Size, TileSet},
};
use porthole_encode::{Encoder, Link, Region};
use porthole_rfb::{Encoding, FrameView, Rect, server::Update};
use std::{sync::Arc, time::Instant};

/// The most pixels of one refreshing update: a viewer shall not wait long for what changes
/// meanwhile.
const REFRESH_PIXELS: usize = 640 * 360;
/// However narrow the line, so many are worth an update.
const LEAST_REFRESH: usize = 256 * 64;
/// A part is not cut into lower ones than this: they would compress badly.
const PART_HEIGHT: usize = 64;

/// A viewer's encoder and what it needs to remember.
pub struct Picture {
    /// The encoder.
    pub encoder: Encoder,
    /// What changed lately.
    pub refresh: Refresh,
}

/// What is to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Task {
    /// Where the viewer wants updates.
    pub area: Rect,
    /// The size of the viewer's framebuffer.
    pub size: Size,
    /// Whether it can be told of another size; it is then told before it gets pixels of it.
    pub resizable: bool,
    /// Whether lossy areas that stand still may be made exact.
    pub refresh: bool,
    /// What is known of the line to the viewer.
    pub link: Link,
    /// The bytes that it may get at once without others waiting long for them.
    pub room: usize,
}

impl Picture {
    /// Adds to an update what brings the viewer up to date; nothing when nothing is in it then.
    pub fn draw(
        &mut self,
        desktop: &Arc<Desktop>,
        mailbox: &Mailbox,
        task: Task,
        mut update: Update,
    ) -> Option<Vec<u8>> {
        let frame = desktop.frame();
        if (frame.size() == task.size || !task.resizable)
            && let Ok(view) = frame.view()
        {
            self.encoder
                .set_generation(desktop.shared_generation(&frame));
            let refresh = task.refresh && !desktop.is_behind();
            self.add(&view, mailbox, Task { refresh, ..task }, &mut update);
        }
        (!update.is_empty()).then(|| update.finish())
    }

    fn add(&mut self, view: &FrameView, mailbox: &Mailbox, task: Task, update: &mut Update) {
        let area = task
            .area
            .intersect(&task.size.bounds())
            .intersect(&view.bounds());
        let mut mail = mailbox.mail();
        let copies = self.encoder.viewer().has(Encoding::COPY_RECT)
            && area == view.bounds()
            && usize::from(update.room()) > mail.moves.len();
        if !copies {
            mail.forget_moves();
        }
        let moves = std::mem::take(&mut mail.moves);
        let dirty = take(&mut mail.dirty, area);
        drop(mail);
        for moved in &moves {
            self.encoder
                .copy(moved.to, moved.from_x, moved.from_y, update);
            let mut tiles = TileSet::new(task.size);
            tiles.insert(moved.to);
            self.refresh.changed(&tiles);
        }
        if !dirty.is_empty() {
            let rects: Vec<Rect> = dirty
                .rects()
                .iter()
                .map(|rect| rect.intersect(&area))
                .collect();
            self.encoder.set_link(task.link);
            self.encoder
                .encode_at(view, &Region::from_rects(&rects), Instant::now(), update);
            self.refresh.changed(&dirty);
        } else if task.refresh && moves.is_empty() {
            self.make_exact(view, area, task.room, update);
        }
    }

    fn make_exact(&mut self, view: &FrameView, area: Rect, room: usize, update: &mut Update) {
        let now = Instant::now();
        self.encoder.rest(now);
        let restless = Region::from_rects(&self.refresh.restless().rects())
            .union(&self.encoder.video_region(now));
        let resting = self
            .encoder
            .lossy_region()
            .subtract(&restless)
            .intersect(&Region::from(area));
        // A photo has about a byte for each pixel.
        let room = room / 2;
        let most = room.clamp(LEAST_REFRESH, REFRESH_PIXELS);
        let (mut left, mut rest, before) = (REFRESH_PIXELS, resting, update.len());
        while left > 0 && update.len() - before <= room / 2 {
            let Some(rect) = rest.rects().next() else {
                break;
            };
            let part = part(rect, most.min(left));
            left = left.saturating_sub(part.area());
            rest = rest.subtract(&part.into());
            self.encoder.encode_lossless(view, &part.into(), update);
        }
    }
}

/// The first part of a rectangle with about so many pixels.
fn part(rect: Rect, pixels: usize) -> Rect {
    let side = |length: usize, whole: u16| length.clamp(1, whole.into()) as u16;
    let width = side(
        (pixels / PART_HEIGHT).next_multiple_of(PART_HEIGHT),
        rect.width,
    );
    let height = side(pixels / usize::from(width), rect.height);
    Rect {
        width,
        height,
        ..rect
    }
}

/// Takes what lies in `area` out of a set.
fn take(dirty: &mut TileSet, area: Rect) -> TileSet {
    let outside = dirty.split_outside(area);
    std::mem::replace(dirty, outside)
}
