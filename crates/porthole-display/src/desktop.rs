//! What the parts share: the picture of the screen, who watches it, and what changed for whom.

use crate::{
    frame::Frame,
    geometry::{Size, TileSet},
    motion::Move,
    overlay::OverlayError,
};
use porthole_encode::Common;
use porthole_model::protection::Protection;
use porthole_rfb::{Rect, server::CursorImage};
use rustix::event::{EventfdFlags, eventfd};
use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, oneshot, watch};

/// Names a viewer as long as it is connected.
pub type ViewerId = u64;

/// What became of a wish for another size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResizeResult {
    /// The screen has the size.
    Done,
    /// Not within the bounds, or refused by the X server.
    Refused,
}

/// What the capture thread is asked for.
#[derive(Debug)]
pub enum ScreenCommand {
    /// Another size.
    Resize {
        /// Which.
        size: Size,
        /// The viewer that asks; nothing for the server itself.
        by: Option<ViewerId>,
        /// Gets the answer.
        done: oneshot::Sender<ResizeResult>,
    },
    /// To burn something into the picture from now on.
    Protect {
        /// What.
        protection: Box<Protection>,
        /// Gets the answer, once no picture is without it.
        done: oneshot::Sender<Result<(), OverlayError>>,
    },
    /// To capture what is not captured yet.
    Refresh(oneshot::Sender<()>),
}

/// A protection that is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ProtectError {
    /// It cannot be.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    /// Nobody is there to do it.
    #[error("the display is ending")]
    Ended,
}

/// What a viewer has not been told yet. Takes the same memory however long it does not look.
#[derive(Debug)]
pub struct Mail {
    /// What moved on the screen, to be done first and in this order.
    pub moves: Vec<Move>,
    /// What changed on the screen.
    pub dirty: TileSet,
    /// The size changed to this; by which viewer's wish.
    pub resized: Option<(Size, Option<ViewerId>)>,
    /// The cursor changed.
    pub cursor: Option<Arc<CursorImage>>,
    /// The keyboard's locks changed, to these of `porthole_rfb::client::lock`.
    pub locks: Option<u8>,
    /// The desktop's name changed.
    pub name: Option<Arc<str>>,
    /// The session's clipboard has a new text.
    pub clipboard_new: bool,
    /// The session's clipboard is empty now.
    pub clipboard_empty: bool,
    /// Somebody in the session wants the viewer's clipboard.
    pub clipboard_wanted: bool,
    /// Another viewer asked to be alone.
    pub dismissed: bool,
}

/// What was drawn so long ago and is not in the frame yet makes the frame an old one: much longer
/// than it takes to capture it where a viewer wants it.
const BEHIND: Duration = Duration::from_millis(50);

/// More moves than this are not worth their while.
const MAX_MOVES: usize = 32;

impl Mail {
    /// The screen changed: by the moves, and then by the tiles.
    ///
    /// Whoever does the moves in his picture and then takes the dirty tiles from the frame has the
    /// frame.
    pub fn changed(&mut self, moves: &[Move], tiles: &TileSet) {
        for moved in moves {
            // What the viewer has not got yet is moved to where it is needed now.
            for late in self.dirty.rects() {
                let late = late.intersect(&moved.from());
                if !late.is_empty() {
                    self.dirty.insert(Rect {
                        x: late.x - moved.from_x + moved.to.x,
                        y: late.y - moved.from_y + moved.to.y,
                        ..late
                    });
                }
            }
            self.moves.push(*moved);
        }
        self.dirty.insert_all(tiles);
        if self.moves.len() > MAX_MOVES {
            self.forget_moves();
        }
    }

    /// Whether the viewer has not got all of the picture.
    pub const fn is_stale(&self) -> bool {
        !self.dirty.is_empty() || !self.moves.is_empty()
    }

    /// For a viewer that cannot do them: what they reach is dirty instead.
    pub fn forget_moves(&mut self) {
        for moved in self.moves.drain(..) {
            self.dirty.insert(moved.to);
        }
    }
}

/// Where a viewer finds what changed.
#[derive(Debug)]
pub struct Mailbox {
    mail: Mutex<Mail>,
    /// Rings when there is something.
    pub notify: Notify,
    /// Whether the viewer could take a new picture now.
    wants: AtomicBool,
}

impl Mailbox {
    /// What there is; the holder takes out what it deals with.
    pub fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Shared {
    name: Arc<str>,
    cursor: Arc<CursorImage>,
    locks: u8,
    viewers: HashMap<ViewerId, Arc<Mailbox>>,
    next_viewer: ViewerId,
}

/// The desktop as the parts of this program see it.
#[derive(Debug)]
pub struct Desktop {
    /// The largest size of the screen.
    pub max: Size,
    /// The X display's number.
    pub number: u16,
    /// When it was started.
    pub started: Instant,
    frame: RwLock<Frame>,
    /// Grows whenever the frame is locked for writing.
    generation: AtomicU64,
    /// What the viewers' encoders share.
    pub common: Arc<Common>,
    /// The frame's size, for those who must not wait for it: width, then height.
    size: AtomicU32,
    /// The areas that viewers see nothing of.
    hidden: RwLock<Vec<Rect>>,
    shared: Mutex<Shared>,
    windows: watch::Sender<usize>,
    painted: AtomicBool,
    /// When the first was drawn of what is not in the frame yet.
    uncaptured: Mutex<Option<Instant>>,
    commands: std::sync::mpsc::Sender<ScreenCommand>,
    bell: OwnedFd,
}

impl Desktop {
    /// Makes it, and gives the capture thread's end of the commands.
    ///
    /// # Errors
    /// When the system has no event descriptor left.
    pub fn new(
        max: Size,
        number: u16,
        name: &str,
    ) -> io::Result<(Arc<Self>, std::sync::mpsc::Receiver<ScreenCommand>)> {
        let (commands, receiver) = std::sync::mpsc::channel();
        let shared = Shared {
            name: name.into(),
            cursor: Arc::default(),
            locks: 0,
            viewers: HashMap::new(),
            next_viewer: 1,
        };
        let desktop = Self {
            max,
            number,
            started: Instant::now(),
            frame: RwLock::new(Frame::new(Size::new(1, 1))),
            generation: AtomicU64::new(0),
            common: Arc::default(),
            size: AtomicU32::new(0x0001_0001),
            hidden: RwLock::default(),
            shared: Mutex::new(shared),
            windows: watch::Sender::new(0),
            painted: AtomicBool::new(false),
            uncaptured: Mutex::default(),
            commands,
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        };
        Ok((Arc::new(desktop), receiver))
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The picture of the screen.
    pub fn frame(&self) -> RwLockReadGuard<'_, Frame> {
        self.frame.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The picture of the screen, for the capture thread.
    pub fn frame_mut(&self) -> RwLockWriteGuard<'_, Frame> {
        let frame = self.frame.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::Relaxed);
        frame
    }

    /// Which picture the frame is that the caller holds; nothing while nobody shares it.
    pub fn shared_generation(&self, _held: &RwLockReadGuard<'_, Frame>) -> Option<u64> {
        (self.viewers() > 1).then(|| self.generation.load(Ordering::Relaxed))
    }

    /// The screen's size.
    pub fn size(&self) -> Size {
        let size = self.size.load(Ordering::Acquire);
        Size::new((size >> 16) as u16, size as u16)
    }

    /// The frame has another size.
    pub fn set_size(&self, size: Size) {
        let size = u32::from(size.width) << 16 | u32::from(size.height);
        self.size.store(size, Ordering::Release);
    }

    /// Whether there is anything that viewers see nothing of.
    pub fn hides(&self) -> bool {
        let hidden = self.hidden.read().unwrap_or_else(PoisonError::into_inner);
        !hidden.is_empty()
    }

    /// Whether viewers see nothing of a pixel.
    pub fn is_hidden(&self, x: u16, y: u16) -> bool {
        let hidden = self.hidden.read().unwrap_or_else(PoisonError::into_inner);
        let within = |area: &Rect| {
            (u32::from(area.x)..area.right()).contains(&x.into())
                && (u32::from(area.y)..area.bottom()).contains(&y.into())
        };
        hidden.iter().any(within)
    }

    /// Tells what viewers see nothing of.
    pub fn set_hidden(&self, areas: &[Rect]) {
        let mut hidden = self.hidden.write().unwrap_or_else(PoisonError::into_inner);
        areas.clone_into(&mut hidden);
    }

    /// The desktop's name.
    pub fn name(&self) -> Arc<str> {
        self.shared().name.clone()
    }

    /// Gives the desktop another name.
    pub fn set_name(&self, name: &str) {
        let name: Arc<str> = name.into();
        let mut shared = self.shared();
        if shared.name == name {
            return;
        }
        shared.name = name.clone();
        for mailbox in shared.viewers.values() {
            mailbox.mail().name = Some(name.clone());
            mailbox.notify.notify_one();
        }
    }

    /// Tells the viewers the cursor's new picture.
    pub fn set_cursor(&self, cursor: CursorImage) {
        let mut shared = self.shared();
        if *shared.cursor == cursor {
            return;
        }
        let cursor = Arc::new(cursor);
        shared.cursor = cursor.clone();
        for mailbox in shared.viewers.values() {
            mailbox.mail().cursor = Some(cursor.clone());
            mailbox.notify.notify_one();
        }
    }

    /// Tells the viewers the state of the keyboard's locks.
    pub fn set_locks(&self, locks: u8) {
        let mut shared = self.shared();
        if std::mem::replace(&mut shared.locks, locks) == locks {
            return;
        }
        for mailbox in shared.viewers.values() {
            mailbox.mail().locks = Some(locks);
            mailbox.notify.notify_one();
        }
    }

    /// A viewer came. It has seen nothing yet.
    pub fn join(&self) -> (ViewerId, Arc<Mailbox>) {
        let mut shared = self.shared();
        let id = shared.next_viewer;
        shared.next_viewer += 1;
        let size = self.size();
        let mut dirty = TileSet::new(size);
        dirty.insert(size.bounds());
        let mail = Mail {
            moves: Vec::new(),
            dirty,
            resized: None,
            cursor: Some(shared.cursor.clone()),
            locks: Some(shared.locks),
            name: None,
            clipboard_new: false,
            clipboard_empty: false,
            clipboard_wanted: false,
            dismissed: false,
        };
        let mailbox = Arc::new(Mailbox {
            mail: Mutex::new(mail),
            notify: Notify::new(),
            wants: AtomicBool::new(false),
        });
        shared.viewers.insert(id, mailbox.clone());
        (id, mailbox)
    }

    /// A viewer went.
    pub fn leave(&self, id: ViewerId) {
        let mut shared = self.shared();
        shared.viewers.remove(&id);
        if shared.viewers.len() <= 1 {
            self.common.forget();
        }
    }

    /// Sends every viewer but one away.
    pub fn dismiss_others(&self, id: ViewerId) {
        self.mail_all(|viewer, mail| mail.dismissed |= viewer != id);
    }

    /// How many watch.
    pub fn viewers(&self) -> usize {
        self.shared().viewers.len()
    }

    /// Puts something in every viewer's mailbox.
    pub fn mail_all(&self, put: impl Fn(ViewerId, &mut Mail)) {
        for (id, mailbox) in &self.shared().viewers {
            put(*id, &mut mailbox.mail());
            mailbox.notify.notify_one();
        }
    }

    /// Puts something in one viewer's mailbox; whether it is still there.
    pub fn mail_one(&self, id: ViewerId, put: impl Fn(&mut Mail)) -> bool {
        let mailbox = self.shared().viewers.get(&id).cloned();
        mailbox.is_some_and(|mailbox| {
            put(&mut mailbox.mail());
            mailbox.notify.notify_one();
            true
        })
    }

    /// A viewer tells whether it could take a new picture now. Nothing is captured that nobody can
    /// take.
    pub fn set_wants(&self, mailbox: &Mailbox, wants: bool) {
        if mailbox.wants.swap(wants, Ordering::AcqRel) != wants && wants {
            self.ring();
        }
    }

    /// Whether any viewer could take a new picture.
    pub fn wanted(&self) -> bool {
        self.shared()
            .viewers
            .values()
            .any(|mailbox| mailbox.wants.load(Ordering::Acquire))
    }

    /// How many windows can be seen, and changes of it.
    pub fn windows(&self) -> watch::Receiver<usize> {
        self.windows.subscribe()
    }

    /// Tells how many windows can be seen.
    pub fn set_windows(&self, count: usize) {
        self.windows
            .send_if_modified(|windows| std::mem::replace(windows, count) != count);
    }

    /// Whether anything was drawn since the first window came.
    pub fn painted(&self) -> bool {
        self.painted.load(Ordering::Acquire)
    }

    /// Something was drawn since the first window came.
    pub fn set_painted(&self) {
        self.painted.store(true, Ordering::Release);
    }

    /// Something was drawn that is not in the frame yet.
    pub fn set_drawn(&self) {
        self.uncaptured().get_or_insert_with(Instant::now);
    }

    /// All that was drawn is in the frame, but for what is drawn just now.
    pub fn set_captured(&self, drawn: bool) {
        *self.uncaptured() = drawn.then(Instant::now);
    }

    /// Whether the frame shows the screen as it was a while ago, because no viewer could take a new
    /// one: what stands still in it may be moving.
    pub fn is_behind(&self) -> bool {
        self.uncaptured().is_some_and(|at| at.elapsed() > BEHIND)
    }

    fn uncaptured(&self) -> MutexGuard<'_, Option<Instant>> {
        self.uncaptured
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for another size of the screen.
    pub async fn resize(&self, size: Size, by: Option<ViewerId>) -> ResizeResult {
        if !size.allowed(self.max) {
            return ResizeResult::Refused;
        }
        let (done, answer) = oneshot::channel();
        self.command(ScreenCommand::Resize { size, by, done });
        answer.await.unwrap_or(ResizeResult::Refused)
    }

    /// Has something burnt into the picture; afterwards no picture leaves without it.
    ///
    /// # Errors
    /// When it cannot be carried out; then all stays as it was.
    pub async fn protect(&self, protection: Protection) -> Result<(), ProtectError> {
        let (done, answer) = oneshot::channel();
        let protection = Box::new(protection);
        self.command(ScreenCommand::Protect { protection, done });
        Ok(answer.await.map_err(|_| ProtectError::Ended)??)
    }

    /// Waits until the picture shows all that is drawn by now.
    pub async fn refresh(&self) {
        let (done, answer) = oneshot::channel();
        self.command(ScreenCommand::Refresh(done));
        // Without an answer the picture is as old as the capture thread's end.
        let _ = answer.await;
    }

    fn command(&self, command: ScreenCommand) {
        if self.commands.send(command).is_ok() {
            self.ring();
        }
    }

    fn ring(&self) {
        // Full means rung already.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// What the capture thread waits on.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Makes the bell silent until it is rung again.
    pub fn silence(&self) {
        let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: Size = Size::new(200, 150);

    fn mail() -> Mail {
        Mail {
            moves: Vec::new(),
            dirty: TileSet::new(SIZE),
            resized: None,
            cursor: None,
            locks: None,
            name: None,
            clipboard_new: false,
            clipboard_empty: false,
            clipboard_wanted: false,
            dismissed: false,
        }
    }

    /// Takes a part of another picture over.
    fn take(viewer: &mut Frame, screen: &Frame, area: Rect) {
        viewer.update(
            area,
            &mut Vec::new(),
            &mut TileSet::new(SIZE),
            |x, y, into| into.copy_from_slice(screen.row(x, y, (into.len() / 4) as u16)),
        );
    }

    fn rect() -> impl Strategy<Value = Rect> {
        (0..SIZE.width, 0..SIZE.height, 1_u16..120, 1_u16..120).prop_map(|(x, y, width, height)| {
            Rect::new(x, y, width, height).intersect(&SIZE.bounds())
        })
    }

    proptest! {
        /// Whenever a viewer looks, moves and dirty tiles make its picture the screen's.
        #[test]
        fn late_viewers_lose_nothing(
            steps in prop::collection::vec(
                (prop::option::of((rect(), any::<u16>(), any::<u16>())), rect(), any::<u8>(), any::<bool>(), any::<bool>()),
                1..60,
            ),
        ) {
            let (mut screen, mut viewer, mut mail) = (Frame::new(SIZE), Frame::new(SIZE), mail());
            for (moved, painted, colour, looks, copies) in steps {
                let moves: Vec<Move> = moved
                    .map(|(to, x, y)| Move {
                        to,
                        from_x: x % (SIZE.width - to.width + 1),
                        from_y: y % (SIZE.height - to.height + 1),
                    })
                    .into_iter()
                    .collect();
                for moved in &moves {
                    screen.shift(*moved);
                }
                let mut changed = TileSet::new(SIZE);
                screen.update(painted, &mut Vec::new(), &mut changed, |x, y, into| {
                    for (index, byte) in into.iter_mut().enumerate() {
                        *byte = colour ^ (usize::from(x) + usize::from(y) * 7 + index / 4) as u8;
                    }
                });
                mail.changed(&moves, &changed);
                if looks {
                    if !copies {
                        mail.forget_moves();
                    }
                    for moved in mail.moves.drain(..) {
                        viewer.shift(moved);
                    }
                    for area in mail.dirty.rects() {
                        take(&mut viewer, &screen, area);
                    }
                    mail.dirty.clear();
                    for y in 0..SIZE.height {
                        prop_assert!(viewer.row(0, y, SIZE.width) == screen.row(0, y, SIZE.width));
                    }
                }
            }
        }
    }
}
