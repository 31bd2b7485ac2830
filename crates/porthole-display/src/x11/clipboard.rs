//! The session's clipboard (the selection `CLIPBOARD`; ICCCM section 2), as text.
//!
//! Runs on a thread of its own, on its own connection. A text is carried only when somebody wants
//! it: a new owner in the session is announced to the viewers, a viewer's text is owned in its
//! name, and either is fetched when it is pasted.

mod receive;
mod serve;

use super::{XConnection, XError};
use crate::desktop::{Desktop, ViewerId};
use receive::Receiving;
use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    io::Errno,
};
use serve::Serving;
use std::{
    os::fd::OwnedFd,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use x11rb::{
    CURRENT_TIME, NONE,
    connection::Connection as _,
    protocol::{
        Event,
        xfixes::{self, ConnectionExt as _, SelectionEventMask},
        xproto::{
            Atom, ConnectionExt as _, CreateWindowAux, EventMask, Property, Window, WindowClass,
        },
    },
};

/// How long the other side may take for its next step.
const PATIENCE: Duration = Duration::from_secs(5);

/// A text that was asked for; nothing when there is none, or it is too large.
pub type Fetched = Option<Arc<str>>;

#[derive(Debug)]
enum Command {
    Offer(ViewerId),
    Give(ViewerId, Arc<str>),
    Withdraw(ViewerId),
    Leave(ViewerId),
    Fetch(oneshot::Sender<Fetched>),
}

/// How the rest of the program reaches the clipboard.
#[derive(Debug, Clone)]
pub struct ClipboardHandle {
    commands: mpsc::Sender<Command>,
    bell: Arc<OwnedFd>,
}

impl ClipboardHandle {
    /// Where no clipboard is: what is given goes nowhere, and nothing comes.
    ///
    /// # Errors
    /// When the system has no event descriptor left.
    pub fn nowhere() -> std::io::Result<Self> {
        let (commands, _) = mpsc::channel();
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        Ok(Self { commands, bell })
    }

    /// The viewer has a text, to be fetched when it is wanted.
    pub fn offer(&self, viewer: ViewerId) {
        self.send(Command::Offer(viewer));
    }

    /// The viewer's text.
    pub fn give(&self, viewer: ViewerId, text: &str) {
        self.send(Command::Give(viewer, text.into()));
    }

    /// The viewer has no text any more, or cannot give it.
    pub fn withdraw(&self, viewer: ViewerId) {
        self.send(Command::Withdraw(viewer));
    }

    /// The viewer went. What it gave stays.
    pub fn leave(&self, viewer: ViewerId) {
        self.send(Command::Leave(viewer));
    }

    /// Asks for the text.
    pub fn fetch(&self) -> oneshot::Receiver<Fetched> {
        let (sender, receiver) = oneshot::channel();
        self.send(Command::Fetch(sender));
        receiver
    }

    fn send(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            let _ = rustix::io::write(&*self.bell, &1_u64.to_ne_bytes());
        }
    }
}

/// Names of selections, targets and types.
#[derive(Debug, Clone, Copy)]
struct Atoms {
    clipboard: Atom,
    targets: Atom,
    timestamp: Atom,
    incr: Atom,
    utf8: Atom,
    text: Atom,
    plain: Atom,
    plain_utf8: Atom,
    string: Atom,
    atom: Atom,
    integer: Atom,
    /// Our property that others put their text into.
    transfer: Atom,
}

impl Atoms {
    fn fetch(x: &XConnection) -> Result<Self, XError> {
        Ok(Self {
            clipboard: x.atom("CLIPBOARD")?,
            targets: x.atom("TARGETS")?,
            timestamp: x.atom("TIMESTAMP")?,
            incr: x.atom("INCR")?,
            utf8: x.atom("UTF8_STRING")?,
            text: x.atom("TEXT")?,
            plain: x.atom("text/plain")?,
            plain_utf8: x.atom("text/plain;charset=utf-8")?,
            string: x.atom("STRING")?,
            atom: x.atom("ATOM")?,
            integer: x.atom("INTEGER")?,
            transfer: x.atom("PORTHOLE_CLIPBOARD")?,
        })
    }

    fn is_text(&self, target: Atom) -> bool {
        [
            self.utf8,
            self.plain_utf8,
            self.plain,
            self.text,
            self.string,
        ]
        .contains(&target)
    }
}

/// Who has the text.
#[derive(Debug)]
enum Source {
    Nobody,
    /// An application of the session; its text if it was fetched already.
    Session(Fetched),
    /// A viewer; its text if it was fetched already.
    Viewer(ViewerId, Fetched),
}

/// The clipboard thread's state.
pub struct ClipboardThread {
    x: XConnection,
    window: Window,
    atoms: Atoms,
    desktop: Arc<Desktop>,
    commands: mpsc::Receiver<Command>,
    bell: Arc<OwnedFd>,
    max: usize,
    source: Source,
    owned_since: u32,
    receiving: Receiving,
    serving: Serving,
    /// Who waits for the text, and until when at the latest.
    waiting: Vec<oneshot::Sender<Fetched>>,
    give_up: Option<Instant>,
}

impl ClipboardThread {
    /// Connects; texts are of at most `max` bytes.
    ///
    /// # Errors
    /// When the X server lacks something or cannot be reached.
    pub fn start(desktop: Arc<Desktop>, max: usize) -> Result<(Self, ClipboardHandle), XError> {
        let x = XConnection::open(desktop.number)?;
        let atoms = Atoms::fetch(&x)?;
        let window = x.conn.generate_id()?;
        let events = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        x.conn
            .create_window(
                0,
                window,
                x.root,
                -1,
                -1,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                0,
                &events,
            )?
            .check()?;
        x.conn.xfixes_query_version(5, 0)?.reply()?;
        let mask = SelectionEventMask::SET_SELECTION_OWNER
            | SelectionEventMask::SELECTION_WINDOW_DESTROY
            | SelectionEventMask::SELECTION_CLIENT_CLOSE;
        x.conn
            .xfixes_select_selection_input(window, atoms.clipboard, mask)?
            .check()?;
        let bell = Arc::new(
            eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
                .map_err(std::io::Error::from)?,
        );
        let (sender, commands) = mpsc::channel();
        let handle = ClipboardHandle {
            commands: sender,
            bell: bell.clone(),
        };
        let thread = Self {
            x,
            window,
            atoms,
            desktop,
            commands,
            bell,
            max,
            source: Source::Nobody,
            owned_since: CURRENT_TIME,
            receiving: Receiving::default(),
            serving: Serving::default(),
            waiting: Vec::new(),
            give_up: None,
        };
        Ok((thread, handle))
    }

    /// Serves until the connection breaks.
    ///
    /// # Errors
    /// When it breaks.
    pub fn run(mut self) -> Result<(), XError> {
        loop {
            while let Some(event) = self.x.conn.poll_for_event()? {
                match self.take(&event) {
                    Err(error @ XError::Connection(_)) => return Err(error),
                    // The other side may be gone at any time; then there is nothing to do for it.
                    Err(error) => tracing::debug!(%error, "the clipboard's other side went"),
                    Ok(()) => {}
                }
            }
            while let Ok(command) = self.commands.try_recv() {
                match self.obey(command) {
                    Err(error @ XError::Connection(_)) => return Err(error),
                    Err(error) => tracing::warn!(%error, "the clipboard could not be used"),
                    Ok(()) => {}
                }
            }
            let now = Instant::now();
            if self.give_up.is_some_and(|at| at <= now) {
                self.receiving.stop();
                self.answer(None)?;
            }
            self.serving.forget_old(now);
            if let Some(event) = self.x.conn.poll_for_event()? {
                let _ = self.take(&event);
                continue;
            }
            self.wait()?;
        }
    }

    fn wait(&self) -> Result<(), XError> {
        self.x.conn.flush()?;
        let until = [self.give_up, self.serving.oldest()]
            .into_iter()
            .flatten()
            .min();
        let timeout = until
            .and_then(|at| Timespec::try_from(at.saturating_duration_since(Instant::now())).ok());
        let mut sources = [
            PollFd::new(self.x.conn.stream(), PollFlags::IN),
            PollFd::new(&*self.bell, PollFlags::IN),
        ];
        match poll(&mut sources, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(XError::Wait(error.into())),
        }
        let _ = rustix::io::read(&*self.bell, &mut [0_u8; 8]);
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<(), XError> {
        match command {
            Command::Offer(viewer) => self.own(viewer, None),
            Command::Give(viewer, text) => {
                if text.len() > self.max {
                    return Ok(());
                }
                if let Source::Viewer(owner, known) = &mut self.source
                    && *owner == viewer
                    && known.is_none()
                {
                    *known = Some(text.clone());
                    self.answer(Some(&text))
                } else if matches!(&self.source, Source::Viewer(owner, Some(known))
                    if *owner == viewer && *known == text)
                {
                    Ok(())
                } else {
                    self.own(viewer, Some(text))
                }
            }
            Command::Withdraw(viewer) => {
                if matches!(self.source, Source::Viewer(owner, _) if owner == viewer) {
                    self.disown()?;
                }
                Ok(())
            }
            Command::Leave(viewer) => {
                if matches!(self.source, Source::Viewer(owner, None) if owner == viewer) {
                    self.disown()?;
                }
                Ok(())
            }
            Command::Fetch(sender) => {
                self.waiting.push(sender);
                match &self.source {
                    Source::Nobody => self.answer(None),
                    Source::Session(Some(text)) | Source::Viewer(_, Some(text)) => {
                        let text = text.clone();
                        self.answer(Some(&text))
                    }
                    Source::Session(None) => self.want_session(),
                    Source::Viewer(viewer, None) => {
                        let viewer = *viewer;
                        self.want_viewer(viewer)
                    }
                }
            }
        }
    }

    /// Asks the session's owner for the text, unless that was done.
    fn want_session(&mut self) -> Result<(), XError> {
        self.give_up
            .get_or_insert_with(|| Instant::now() + PATIENCE);
        self.receiving.ask_text(&self.x, self.window, &self.atoms)
    }

    /// Asks a viewer for its text.
    fn want_viewer(&mut self, viewer: ViewerId) -> Result<(), XError> {
        if self
            .desktop
            .mail_one(viewer, |mail| mail.clipboard_wanted = true)
        {
            self.give_up
                .get_or_insert_with(|| Instant::now() + PATIENCE);
            Ok(())
        } else {
            self.disown()
        }
    }

    /// Owns the session's clipboard in a viewer's name.
    fn own(&mut self, viewer: ViewerId, text: Fetched) -> Result<(), XError> {
        self.receiving.stop();
        self.source = Source::Viewer(viewer, text.clone());
        self.x
            .conn
            .set_selection_owner(self.window, self.atoms.clipboard, CURRENT_TIME)?;
        self.desktop
            .mail_all(|other, mail| mail.clipboard_new |= other != viewer);
        // Who waited for the text before gets the new one.
        match text {
            Some(text) => self.answer(Some(&text)),
            None if self.serving.wants_text() || !self.waiting.is_empty() => {
                self.want_viewer(viewer)
            }
            None => Ok(()),
        }
    }

    fn disown(&mut self) -> Result<(), XError> {
        self.source = Source::Nobody;
        self.x
            .conn
            .set_selection_owner(NONE, self.atoms.clipboard, CURRENT_TIME)?;
        self.desktop.mail_all(|_, mail| mail.clipboard_empty = true);
        self.answer(None)
    }

    /// Gives the text, or that there is none, to all who wait for it.
    fn answer(&mut self, text: Option<&Arc<str>>) -> Result<(), XError> {
        self.give_up = None;
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(text.cloned());
        }
        self.serving.give_text(&self.x, &self.atoms, text)
    }

    fn take(&mut self, event: &Event) -> Result<(), XError> {
        match event {
            Event::XfixesSelectionNotify(event) => self.owner_changed(event),
            Event::SelectionNotify(event) => {
                let news = self
                    .receiving
                    .notified(&self.x, &self.atoms, event, self.max)?;
                self.received(news)
            }
            Event::PropertyNotify(event) if event.window == self.window => {
                if event.state != Property::NEW_VALUE || event.atom != self.atoms.transfer {
                    return Ok(());
                }
                let news = self
                    .receiving
                    .piece(&self.x, self.window, &self.atoms, self.max)?;
                if self.receiving.busy() {
                    self.give_up = Some(Instant::now() + PATIENCE);
                }
                self.received(news)
            }
            Event::PropertyNotify(event) if event.state == Property::DELETE => {
                self.serving.next_piece(&self.x, event.window, event.atom)
            }
            Event::SelectionRequest(request) => {
                let text = match &self.source {
                    Source::Viewer(_, text) => text.clone(),
                    Source::Nobody | Source::Session(_) => {
                        return serve::refuse(&self.x, request);
                    }
                };
                let since = self.owned_since;
                let must_wait =
                    self.serving
                        .request(&self.x, &self.atoms, request, since, text.as_ref())?;
                if let (true, &Source::Viewer(viewer, _)) = (must_wait, &self.source) {
                    self.want_viewer(viewer)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn owner_changed(&mut self, event: &xfixes::SelectionNotifyEvent) -> Result<(), XError> {
        if event.owner == self.window {
            self.owned_since = event.selection_timestamp;
            return Ok(());
        }
        self.receiving.stop();
        if event.owner == NONE {
            if matches!(self.source, Source::Session(_)) {
                self.source = Source::Nobody;
                self.desktop.mail_all(|_, mail| mail.clipboard_empty = true);
            }
            return self.answer(None);
        }
        self.source = Source::Session(None);
        // Applications asked us, the viewers ask for whatever is there.
        self.serving.give_text(&self.x, &self.atoms, None)?;
        // Whether it is text is known from its targets.
        self.receiving
            .ask_targets(&self.x, self.window, &self.atoms)
    }

    fn received(&mut self, news: receive::News) -> Result<(), XError> {
        match news {
            receive::News::Nothing => Ok(()),
            receive::News::HasText => {
                self.desktop.mail_all(|_, mail| mail.clipboard_new = true);
                if self.waiting.is_empty() {
                    Ok(())
                } else {
                    self.want_session()
                }
            }
            receive::News::Text(text) => {
                if let (Source::Session(known), Some(text)) = (&mut self.source, &text) {
                    *known = Some(text.clone());
                }
                self.answer(text.as_ref())
            }
        }
    }
}
