//! Follows the screen: waits for damage, takes over what changed, tells the viewers.
//!
//! Runs on a thread of its own. It reads the X server's framebuffer without asking the X server for
//! it, and only when a viewer could take a new picture: until then it only notes now and then where
//! was drawn, so that what moves is known however seldom it is looked at.

use super::{
    XConnection, XError, cursor, nudge::Nudge, screen::Screen, screen_file::ScreenFile,
    window_moves::WindowMoves, windows,
};
use crate::{
    desktop::{Desktop, ResizeResult, ScreenCommand, ViewerId},
    frame::Frame,
    geometry::{Size, TileSet},
    motion::{Move, Scrolls},
    overlay::Overlay,
};
use porthole_encode::Region;
use porthole_rfb::Rect;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    path::Path,
    sync::{Arc, mpsc::Receiver},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use x11rb::{
    NONE,
    connection::Connection as _,
    protocol::{
        Event,
        damage::{self, ConnectionExt as _},
        xfixes::{self, ConnectionExt as _},
    },
};

/// The least time between two pictures.
const FRAME_TIME: Duration = Duration::from_micros(16_600);
/// How often is noted where was drawn, while no viewer takes a picture.
const NOTE_TIME: Duration = Duration::from_millis(40);

/// The capture thread's state.
pub struct Capture {
    x: XConnection,
    screen: Screen,
    file: ScreenFile,
    overlay: Overlay,
    desktop: Arc<Desktop>,
    commands: Receiver<ScreenCommand>,
    damage: damage::Damage,
    region: xfixes::Region,
    /// The X server told of damage that it was not asked for yet.
    damaged: bool,
    /// Damage that it was asked for and that was not taken over yet.
    noted: TileSet,
    next_note: Option<Instant>,
    /// Windows came or went since they were counted.
    recount: bool,
    nudge: Nudge,
    /// Who waits for a fresh picture.
    refresh: Vec<oneshot::Sender<()>>,
    last: Option<Instant>,
    scratch: Vec<u8>,
    scrolls: Scrolls,
    window_moves: WindowMoves,
}

impl Capture {
    /// Connects, makes the screen `size` and takes the first picture of it.
    ///
    /// # Errors
    /// When the X server lacks something or cannot be reached.
    pub fn start(
        desktop: Arc<Desktop>,
        commands: Receiver<ScreenCommand>,
        framebuffer_dir: &Path,
        size: Size,
        overlay: Overlay,
    ) -> Result<Self, XError> {
        let x = XConnection::open(desktop.number)?;
        let file = ScreenFile::open(framebuffer_dir)?;
        x.conn.damage_query_version(1, 1)?.reply()?;
        cursor::watch(&x)?;
        windows::watch(&x)?;
        let mut screen = Screen::new(&x)?;
        screen.resize(&x, size)?;
        screen.decorate(&x)?;
        let damage = x.conn.generate_id()?;
        x.conn
            .damage_create(damage, x.root, damage::ReportLevel::NON_EMPTY)?
            .check()?;
        let region = x.conn.generate_id()?;
        x.conn.xfixes_create_region(region, &[])?.check()?;
        let nudge = Nudge::new(&x)?;
        let mut capture = Self {
            x,
            screen,
            file,
            overlay,
            desktop,
            commands,
            damage,
            region,
            damaged: false,
            noted: TileSet::new(size),
            next_note: None,
            recount: true,
            nudge,
            refresh: Vec::new(),
            last: None,
            scratch: Vec::new(),
            scrolls: Scrolls::default(),
            window_moves: WindowMoves::default(),
        };
        let size = capture.screen.size(&capture.x)?;
        capture.adopt(size, None);
        capture.follow_cursor()?;
        Ok(capture)
    }

    /// Follows the screen until the connection breaks.
    ///
    /// # Errors
    /// When it breaks.
    pub fn run(mut self) -> Result<(), XError> {
        loop {
            self.take_events()?;
            while let Ok(command) = self.commands.try_recv() {
                match command {
                    ScreenCommand::Resize { size, by, done } => {
                        let result = self.resize(size, by)?;
                        let _ = done.send(result);
                    }
                    ScreenCommand::Protect { protection, done } => {
                        let size = self.desktop.size();
                        let result = self.overlay.set(*protection, size);
                        if result.is_ok() {
                            self.desktop.set_hidden(self.overlay.layer().hidden());
                            self.repaint(&[size.bounds()]);
                        }
                        let _ = done.send(result);
                    }
                    ScreenCommand::Refresh(done) => self.refresh.push(done),
                }
            }
            if self.recount {
                self.recount = false;
                let count = windows::count(&self.x)?;
                self.desktop.set_windows(count);
                if count > 0 {
                    self.nudge.stop();
                }
            }
            let timeout = self.capture_when_due()?;
            let nudge = self.nudge.when_due(&self.x)?;
            let timeout = timeout
                .into_iter()
                .chain(nudge)
                .chain(self.overlay_due())
                .min();
            // Requests and replies above may have brought events along.
            if self.take_events()? {
                continue;
            }
            self.wait(timeout)?;
        }
    }

    /// Takes over what is damaged if somebody wants it; says how long to wait until it is due.
    fn capture_when_due(&mut self) -> Result<Option<Duration>, XError> {
        if self.overlay_due() == Some(Duration::ZERO)
            && let Some(areas) = self.overlay.renew(Instant::now(), self.desktop.size())
        {
            self.repaint(&areas);
        }
        let first_paint = !self.desktop.painted() && *self.desktop.windows().borrow() > 0;
        let asked = !self.refresh.is_empty();
        let mut captured = false;
        let uncaptured = self.damaged || !self.noted.is_empty();
        if !uncaptured {
            // Nothing to do.
        } else if !asked && !first_paint && !self.desktop.wanted() {
            return self.note();
        } else {
            let since = self.last.map_or(FRAME_TIME, |last| last.elapsed());
            if !asked && since < FRAME_TIME {
                return Ok(Some(FRAME_TIME.saturating_sub(since)));
            }
            self.last = Some(Instant::now());
            let changed = self.capture()?;
            captured = true;
            if changed && first_paint {
                self.desktop.set_painted();
            }
        }
        for waiting in self.refresh.drain(..) {
            let _ = waiting.send(());
        }
        // Capturing takes in events, which may ask for more.
        let more = captured && (self.damaged || self.recount);
        Ok(more.then_some(Duration::ZERO))
    }

    /// Notes where was drawn, if somebody will want to see it; says how long to wait until that is
    /// due again.
    fn note(&mut self) -> Result<Option<Duration>, XError> {
        if !self.damaged || self.desktop.viewers() == 0 {
            return Ok(None);
        }
        let now = Instant::now();
        if let Some(due) = self.next_note.filter(|due| now < *due) {
            return Ok(Some(due - now));
        }
        self.next_note = Some(now + NOTE_TIME);
        let drawn = self.fetch_damage()?;
        self.noted.insert_all(&drawn);
        let region = Region::from_rects(&drawn.rects());
        self.desktop.common.drawn(&region, now);
        // The answer may have come with more.
        Ok(self.damaged.then_some(NOTE_TIME))
    }

    /// The tiles that were drawn in since the X server was asked last.
    fn fetch_damage(&mut self) -> Result<TileSet, XError> {
        self.damaged = false;
        self.x
            .conn
            .damage_subtract(self.damage, NONE, self.region)?;
        let damaged = self
            .x
            .conn
            .xfixes_fetch_region(self.region)?
            .reply()?
            .rectangles;
        let mut tiles = TileSet::new(self.noted.size());
        for area in damaged {
            let left = area.x.max(0);
            let top = area.y.max(0);
            let right = i32::from(area.x) + i32::from(area.width);
            let bottom = i32::from(area.y) + i32::from(area.height);
            tiles.insert(Rect::new(
                left.cast_unsigned(),
                top.cast_unsigned(),
                (right - i32::from(left)).max(0) as u16,
                (bottom - i32::from(top)).max(0) as u16,
            ));
        }
        Ok(tiles)
    }

    /// Takes over what is damaged; whether anything differs from the last picture.
    fn capture(&mut self) -> Result<bool, XError> {
        let damaged = self.fetch_damage()?;
        // Where windows are by the time of that answer.
        self.take_events()?;
        let mut frame = self.desktop.frame_mut();
        let size = frame.size();
        let mut tiles = std::mem::replace(&mut self.noted, TileSet::new(size));
        tiles.insert_all(&damaged);
        let read = reader(&self.file, &self.overlay);
        let moves = match self.window_moves.find(&frame, &read) {
            Some(moved) => vec![moved],
            None => find_moves(&mut self.scrolls, &read, &frame, &tiles.rects()),
        };
        for moved in &moves {
            // Moves are hints: what they touch is compared, damaged or not.
            tiles.insert(moved.to);
        }
        let mut changed = TileSet::new(size);
        let areas = tiles.rects();
        frame.update_moved(&areas, &moves, &mut self.scratch, &mut changed, &read);
        let any = !changed.is_empty() || !moves.is_empty();
        // The frame is still locked: who sees the new pixels sees that they are new.
        tell_encoders(&self.desktop, &frame, &changed);
        if any {
            self.desktop
                .mail_all(|_, mail| mail.changed(&moves, &changed));
        }
        self.desktop.set_captured(self.damaged);
        drop(frame);
        Ok(any)
    }

    /// How long until the watermark's text may be another, if anybody would see it.
    fn overlay_due(&self) -> Option<Duration> {
        let due = self.overlay.due_in(Instant::now())?;
        (!self.refresh.is_empty() || self.desktop.wanted()).then_some(due)
    }

    /// Compares areas that nothing was drawn in, after what lies over them changed.
    fn repaint(&mut self, areas: &[Rect]) {
        let mut frame = self.desktop.frame_mut();
        let size = frame.size();
        let mut tiles = TileSet::new(size);
        for area in areas {
            tiles.insert(*area);
        }
        let mut changed = TileSet::new(size);
        let read = reader(&self.file, &self.overlay);
        for area in tiles.rects() {
            frame.update(area, &mut self.scratch, &mut changed, &read);
        }
        if !changed.is_empty() {
            tell_encoders(&self.desktop, &frame, &changed);
            self.desktop.mail_all(|_, mail| mail.changed(&[], &changed));
        }
        drop(frame);
    }

    fn resize(&mut self, size: Size, by: Option<ViewerId>) -> Result<ResizeResult, XError> {
        if size != self.screen.size(&self.x)? {
            match self.screen.resize(&self.x, size) {
                Ok(()) => {}
                Err(error @ XError::Connection(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(?size, %error, "the screen's size could not be set");
                    return Ok(ResizeResult::Refused);
                }
            }
        }
        let now = self.screen.size(&self.x)?;
        self.adopt(now, by);
        Ok(if now == size {
            ResizeResult::Done
        } else {
            ResizeResult::Refused
        })
    }

    /// Goes on with a screen of another size.
    fn adopt(&mut self, size: Size, by: Option<ViewerId>) {
        let mut frame = self.desktop.frame_mut();
        if frame.size() == size {
            return;
        }
        frame.resize(size);
        self.desktop.set_size(size);
        self.overlay.resize(size);
        self.desktop.set_hidden(self.overlay.layer().hidden());
        if let Err(error) = self.file.release_outside(size) {
            tracing::debug!(%error, "memory of the framebuffer that is not shown stays taken");
        }
        let mut all = TileSet::new(size);
        all.insert(size.bounds());
        let mut changed = TileSet::new(size);
        frame.update(
            size.bounds(),
            &mut self.scratch,
            &mut changed,
            reader(&self.file, &self.overlay),
        );
        tell_encoders(&self.desktop, &frame, &all);
        self.desktop.mail_all(|_, mail| {
            mail.moves.clear();
            mail.dirty = all.clone();
            mail.resized = Some((size, by));
        });
        self.noted = TileSet::new(size);
        self.desktop.set_captured(true);
        drop(frame);
        // Windows are told to draw what was uncovered only now.
        self.damaged = true;
    }

    fn follow_cursor(&self) -> Result<(), XError> {
        if let Some(image) = cursor::fetch(&self.x)? {
            self.desktop.set_cursor(image);
        }
        Ok(())
    }

    /// Takes in the events there are; whether there were any.
    fn take_events(&mut self) -> Result<bool, XError> {
        let mut any = false;
        let mut cursor_changed = false;
        let mut size_changed = false;
        while let Some(event) = self.x.conn.poll_for_event()? {
            any = true;
            self.window_moves.take(&event);
            match event {
                Event::DamageNotify(_) => {
                    self.damaged = true;
                    self.desktop.set_drawn();
                }
                Event::XfixesCursorNotify(_) => cursor_changed = true,
                Event::RandrScreenChangeNotify(_) => size_changed = true,
                Event::MapNotify(_)
                | Event::UnmapNotify(_)
                | Event::DestroyNotify(_)
                | Event::ReparentNotify(_) => self.recount = true,
                Event::CreateNotify(_) if *self.desktop.windows().borrow() == 0 => {
                    self.nudge.window_made();
                }
                Event::Error(error) => {
                    tracing::debug!(?error, "the X server refused a request");
                }
                _ => {}
            }
        }
        if cursor_changed {
            self.follow_cursor()?;
        }
        if size_changed {
            let size = self.screen.size(&self.x)?;
            self.adopt(size, None);
        }
        Ok(any)
    }

    fn wait(&self, timeout: Option<Duration>) -> Result<(), XError> {
        self.x.conn.flush()?;
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let stream = self.x.conn.stream();
        let mut sources = [
            PollFd::new(stream, PollFlags::IN),
            PollFd::from_borrowed_fd(self.desktop.bell(), PollFlags::IN),
        ];
        match poll(&mut sources, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(XError::Wait(error.into())),
        }
        self.desktop.silence();
        Ok(())
    }
}

/// Tells what encoders share of a new picture.
fn tell_encoders(desktop: &Desktop, frame: &Frame, changed: &TileSet) {
    // The size and the bytes of a frame agree.
    if let Ok(view) = frame.view() {
        let region = Region::from_rects(&changed.rects());
        desktop.common.changed(&view, &region, Instant::now());
    }
}

/// Reads the screen's pixels as they are to be seen. There is no other way to them.
fn reader(file: &ScreenFile, overlay: &Overlay) -> impl Fn(u16, u16, &mut [u8]) {
    let layer = overlay.layer();
    move |x, y, into| {
        file.read(x, y, into);
        layer.apply(x, y, into);
    }
}

/// What scrolled: looked for in each damaged area, or in all of them at once where they lie close
/// together, as the pieces of one window do.
fn find_moves(
    scrolls: &mut Scrolls,
    read: &impl Fn(u16, u16, &mut [u8]),
    frame: &Frame,
    areas: &[Rect],
) -> Vec<Move> {
    let Some(whole) = areas.iter().copied().reduce(|one, two| one.union(&two)) else {
        return Vec::new();
    };
    let damaged: usize = areas.iter().map(Rect::area).sum();
    let together = [whole];
    let areas = if damaged * 2 > whole.area() {
        &together
    } else {
        areas
    };
    areas
        .iter()
        .flat_map(|area| scrolls.find(frame, *area, read))
        .collect()
}
