//! A viewer's session from the first byte to the last.

use super::{
    clipboard::ViewerClipboard,
    pacing::Pacing,
    picture::{Picture, Task},
    refresh::{Refresh, TICK},
};
use crate::{
    desktop::{Desktop, Mailbox, ResizeResult, ViewerId},
    geometry::Size,
    x11::{clipboard::ClipboardHandle, input::Input},
};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use porthole_encode::Encoder;
use porthole_rfb::{
    Encoding, PixelFormat, Rect, Screen, ViewerEncodings,
    client::{ClientError, ClientLimits, ClientMessage, ClientParser, fence},
    handshake::{HandshakeError, Progress, SERVER_VERSION, ServerHandshake, ServerInit},
    server::{ResizeReason, ResizeStatus, Update, write_end_of_continuous_updates, write_fence},
};
use std::{collections::VecDeque, sync::Arc, time::Instant};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant as TokioInstant, sleep_until},
};

/// Answers that wait to be sent. Who asks for more without reading is not a viewer.
const MAX_ANSWERS: usize = 512;
/// Messages handed to the socket's task that it has not begun to write.
const OUT_QUEUE: usize = 1;

/// What a viewer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// All.
    Control,
    /// Look.
    View,
}

/// What viewers need of the rest.
#[derive(Debug, Clone)]
pub struct Services {
    /// The desktop.
    pub desktop: Arc<Desktop>,
    /// Where keys and pointer go.
    pub input: mpsc::Sender<Input>,
    /// The session's clipboard.
    pub clipboard: ClipboardHandle,
    /// The most bytes of clipboard text either way.
    pub clipboard_max: usize,
}

/// Why a viewer was sent away.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the viewer went")]
    Gone,
    #[error("another viewer asked to be alone")]
    Dismissed,
    #[error(transparent)]
    Protocol(#[from] ClientError),
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("the viewer asks for more than it reads")]
    TooManyAnswers,
    #[error("the input thread ended")]
    NoInput,
    #[error("an update could not be made: {0}")]
    Encode(#[from] tokio::task::JoinError),
}

/// Serves a viewer until it goes.
pub async fn serve(socket: WebSocket, services: Services, access: Access) {
    let (mut sink, mut stream) = socket.split();
    let (out, mut outgoing) = mpsc::channel::<Bytes>(OUT_QUEUE);
    let writer = tokio::spawn(async move {
        while let Some(message) = outgoing.recv().await {
            if sink.send(Message::Binary(message)).await.is_err() {
                return;
            }
        }
        let _ = sink.close().await;
    });
    let (id, mailbox) = services.desktop.join();
    let mut viewer = Viewer::new(id, mailbox, services, access);
    viewer.answers.push_back(Bytes::from_static(SERVER_VERSION));
    let end = loop {
        if let Err(end) = viewer.work(&out).await {
            break end;
        }
        let mailbox = viewer.mailbox.clone();
        let blocked = viewer.blocked(&out);
        let received = tokio::select! {
            message = stream.next() => Some(message),
            () = mailbox.notify.notified() => None,
            permit = out.reserve(), if blocked => match permit {
                Ok(_) => None,
                Err(_) => break End::Gone,
            },
            done = viewer.background() => match done {
                Ok(()) => None,
                Err(end) => break end,
            },
            () = out.closed() => break End::Gone,
        };
        let result = match received {
            None => Ok(()),
            Some(Some(Ok(Message::Binary(bytes)))) => viewer.receive(&bytes).await,
            Some(Some(Ok(Message::Close(_)) | Err(_)) | None) => Err(End::Gone),
            Some(Some(Ok(_))) => Ok(()),
        };
        if let Err(end) = result {
            break end;
        }
    };
    match end {
        End::Gone => tracing::info!(id, "viewer went"),
        ref end => tracing::warn!(id, %end, "viewer was sent away"),
    }
    viewer.leave().await;
    // What was answered last tells the viewer why.
    for answer in viewer.answers.drain(..) {
        if out.try_send(answer).is_err() {
            break;
        }
    }
    drop(out);
    // A viewer that does not read any more shall not keep the task.
    let abort = writer.abort_handle();
    if tokio::time::timeout(std::time::Duration::from_secs(2), writer)
        .await
        .is_err()
    {
        abort.abort();
    }
}

struct Viewer {
    id: ViewerId,
    mailbox: Arc<Mailbox>,
    services: Services,
    access: Access,
    parser: ClientParser,
    handshake: Option<ServerHandshake>,
    encodings: ViewerEncodings,
    /// Encodings and format that the encoder has to take before the next update.
    new_encodings: bool,
    new_format: Option<PixelFormat>,
    /// Where it is while it draws.
    picture: Option<Box<Picture>>,
    drawing: Option<JoinHandle<(Box<Picture>, Option<Vec<u8>>, bool)>>,
    drawn: Option<Bytes>,
    answers: VecDeque<Bytes>,
    /// The size of the viewer's framebuffer.
    size: Size,
    /// What it asked for and did not get yet.
    request: Option<Rect>,
    continuous: Option<Rect>,
    pacing: Pacing,
    next_tick: TokioInstant,
    /// Something may rest by now.
    refresh_due: bool,
    announced: Announced,
    tell: Tell,
    /// Rectangles without pixels that go with the next that have some.
    prefix: Option<Update>,
    resizing: Option<JoinHandle<ResizeResult>>,
    next_resize: Option<Size>,
    /// The wish in work was answered already, with the new size.
    resize_answered: bool,
    screen: Screen,
    clipboard: ViewerClipboard,
}

/// What the viewer was told that we serve.
#[derive(Debug, Default)]
struct Announced {
    fence: bool,
    continuous: bool,
    qemu_key: bool,
    buttons: bool,
    desktop_size: bool,
    clipboard: bool,
}

/// What goes into the next update without pixels.
#[derive(Debug, Default)]
struct Tell {
    qemu_key: bool,
    buttons: bool,
    size: Option<(ResizeReason, ResizeStatus)>,
}

impl Viewer {
    fn new(id: ViewerId, mailbox: Arc<Mailbox>, services: Services, access: Access) -> Self {
        let size = services.desktop.size();
        let limits = ClientLimits {
            // Compressed text may be a little longer than the text.
            cut_text: (services.clipboard_max + 65536) as u32,
            ..ClientLimits::default()
        };
        let clipboard =
            ViewerClipboard::new(id, services.clipboard.clone(), services.clipboard_max);
        Self {
            id,
            mailbox,
            services,
            access,
            parser: ClientParser::new(limits),
            handshake: Some(ServerHandshake::new()),
            encodings: ViewerEncodings::default(),
            new_encodings: false,
            new_format: None,
            picture: Some(Box::new(Picture {
                encoder: Encoder::new(),
                refresh: Refresh::new(size),
            })),
            drawing: None,
            drawn: None,
            answers: VecDeque::new(),
            size,
            request: None,
            continuous: None,
            pacing: Pacing::default(),
            next_tick: TokioInstant::now() + TICK,
            refresh_due: false,
            announced: Announced::default(),
            tell: Tell::default(),
            prefix: None,
            resizing: None,
            next_resize: None,
            resize_answered: false,
            screen: Screen {
                id: 0,
                area: size.bounds(),
                flags: 0,
            },
            clipboard,
        }
    }

    /// Does all that can be done now: sends what waits, takes what is in the mailbox, starts to
    /// draw.
    async fn work(&mut self, out: &mpsc::Sender<Bytes>) -> Result<(), End> {
        if self.answers.len() > MAX_ANSWERS {
            return Err(End::TooManyAnswers);
        }
        if self.handshake.is_none() {
            self.read_mail()?;
            self.start_resize();
        }
        while let Some(answer) = self.answers.pop_front() {
            match out.try_send(answer) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(answer)) => {
                    self.answers.push_front(answer);
                    break;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(End::Gone),
            }
        }
        if self.answers.is_empty()
            && let Some(update) = self.drawn.take()
        {
            match out.try_send(update) {
                Ok(()) => self.pace(),
                Err(mpsc::error::TrySendError::Full(update)) => self.drawn = Some(update),
                Err(mpsc::error::TrySendError::Closed(_)) => return Err(End::Gone),
            }
        }
        let ready = self.ready(out);
        self.services.desktop.set_wants(&self.mailbox, ready);
        if ready {
            self.start_drawing();
        }
        Ok(())
    }

    /// Whether room in the socket's queue is what is missing.
    fn blocked(&self, out: &mpsc::Sender<Bytes>) -> bool {
        out.capacity() == 0
            && (!self.answers.is_empty() || self.drawn.is_some() || self.wants_picture().is_some())
    }

    fn wants_picture(&self) -> Option<Rect> {
        match self.continuous {
            Some(area) => self.pacing.ready().then_some(area),
            None => self.request,
        }
    }

    fn ready(&self, out: &mpsc::Sender<Bytes>) -> bool {
        self.handshake.is_none()
            && self.picture.is_some()
            && self.drawn.is_none()
            && self.answers.is_empty()
            && out.capacity() > 0
            && self.wants_picture().is_some()
    }

    /// After an update went out: a fence that tells when it has arrived.
    fn pace(&mut self) {
        if self.continuous.is_some() {
            let number = self.pacing.sent(Instant::now());
            let mut message = Vec::new();
            write_fence(
                fence::REQUEST | fence::BLOCK_BEFORE,
                &number.to_be_bytes(),
                &mut message,
            );
            self.answers.push_back(message.into());
        }
    }

    fn start_drawing(&mut self) {
        let Some(area) = self.wants_picture() else {
            return;
        };
        let refresh = self.refresh_due;
        let nothing = !refresh && !self.new_encodings && self.prefix.is_none();
        if nothing && self.mailbox.mail().dirty.is_empty() {
            return;
        }
        let Some(mut picture) = self.picture.take() else {
            return;
        };
        self.refresh_due = false;
        if std::mem::take(&mut self.new_encodings) {
            picture.encoder.set_encodings(&self.encodings);
        }
        if let Some(format) = self.new_format.take()
            && let Err(error) = picture.encoder.set_format(format)
        {
            tracing::warn!(id = self.id, %error, "the viewer's pixel format cannot be used");
        }
        let task = Task {
            area,
            size: self.size,
            resizable: self.resizable(),
            refresh,
        };
        let (desktop, mailbox) = (self.services.desktop.clone(), self.mailbox.clone());
        let update = self.prefix.take().unwrap_or_default();
        self.drawing = Some(tokio::task::spawn_blocking(move || {
            let update = picture.draw(&desktop, &mailbox, task, update);
            (picture, update, refresh)
        }));
    }

    /// Waits for what is done elsewhere for this viewer.
    async fn background(&mut self) -> Result<(), End> {
        let lossy = self
            .picture
            .as_ref()
            .is_some_and(|picture| !picture.encoder.lossy_region().is_empty());
        let tick = self.next_tick;
        tokio::select! {
            done = join(&mut self.drawing) => {
                self.drawing = None;
                let (picture, update, refreshed) = done?;
                self.picture = Some(picture);
                if let Some(update) = update {
                    // More may rest than one update takes.
                    self.refresh_due |= refreshed;
                    self.request = None;
                    self.drawn = Some(update.into());
                }
            }
            done = join(&mut self.resizing) => {
                self.resizing = None;
                let status = match done? {
                    ResizeResult::Done => ResizeStatus::Done,
                    ResizeResult::Refused => ResizeStatus::InvalidLayout,
                };
                if !self.resize_answered {
                    self.tell.size = Some((ResizeReason::Client, status));
                }
            }
            () = sleep_until(tick), if lossy => {
                self.next_tick = TokioInstant::now() + TICK;
                if let Some(picture) = &mut self.picture {
                    picture.refresh.tick();
                }
                self.refresh_due = true;
            }
            message = self.clipboard.background() => {
                if let Some(message) = message {
                    self.answers.push_back(message);
                }
            }
        }
        Ok(())
    }

    async fn receive(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.parser.push(bytes);
        while let Some(parsed) = self.parser.next_message()? {
            if let Some(handshake) = &mut self.handshake {
                let init = ServerInit {
                    width: self.size.width,
                    height: self.size.height,
                    format: PixelFormat::BGRX,
                    name: self.services.desktop.name().to_string(),
                };
                let mut answer = Vec::new();
                let progress = handshake.answer(&parsed.message, &init, &mut answer);
                if !answer.is_empty() {
                    self.answers.push_back(answer.into());
                }
                if let Progress::Done { shared } = progress? {
                    self.handshake = None;
                    if !shared {
                        self.services.desktop.dismiss_others(self.id);
                    }
                }
            } else {
                self.obey(parsed.message).await?;
            }
        }
        Ok(())
    }

    async fn obey(&mut self, message: ClientMessage) -> Result<(), End> {
        match message {
            ClientMessage::SetPixelFormat(format) => self.new_format = Some(format),
            ClientMessage::SetEncodings(list) => self.set_encodings(&list),
            ClientMessage::FramebufferUpdateRequest { incremental, area } => {
                if !incremental {
                    // The picture may be old when nobody wanted a newer one.
                    self.services.desktop.refresh().await;
                    self.mailbox.mail().dirty.insert(area);
                }
                self.request = Some(self.request.map_or(area, |other| around(area, other)));
            }
            ClientMessage::EnableContinuousUpdates { enable, area } => {
                if enable && self.announced.continuous {
                    self.continuous = Some(area);
                } else if self.continuous.take().is_some() {
                    let mut message = Vec::new();
                    write_end_of_continuous_updates(&mut message);
                    self.answers.push_back(message.into());
                }
            }
            ClientMessage::Fence { flags, payload } => self.fence(flags, &payload),
            ClientMessage::SetDesktopSize {
                width,
                height,
                screens,
            } => {
                self.set_desktop_size(Size::new(width, height), &screens);
            }
            ClientMessage::Key { down, keysym } => self.key(down, keysym, None).await?,
            ClientMessage::QemuKey {
                down,
                keysym,
                keycode,
            } => {
                self.key(down, keysym, Some(keycode)).await?;
            }
            ClientMessage::Pointer { buttons, x, y } => {
                let (x, y) = (x.min(self.size.width - 1), y.min(self.size.height - 1));
                self.input(Input::Pointer {
                    viewer: self.id,
                    x,
                    y,
                    buttons,
                })
                .await?;
            }
            ClientMessage::CutText(text) if self.access == Access::Control => {
                self.clipboard.plain_text(&text);
            }
            ClientMessage::Clipboard(message) if self.access == Access::Control => {
                if let Some(answer) = self.clipboard.receive(&message) {
                    self.answers.push_back(answer);
                }
            }
            ClientMessage::Oversized { kind, len } => {
                tracing::info!(
                    id = self.id,
                    kind,
                    len,
                    "a message over the limit was left out"
                );
            }
            _ => {}
        }
        Ok(())
    }

    async fn key(&mut self, down: bool, symbol: u32, scancode: Option<u32>) -> Result<(), End> {
        self.input(Input::Key {
            viewer: self.id,
            down,
            symbol,
            scancode,
        })
        .await
    }

    async fn input(&mut self, input: Input) -> Result<(), End> {
        if self.access != Access::Control {
            return Ok(());
        }
        self.services
            .input
            .send(input)
            .await
            .map_err(|_| End::NoInput)
    }

    fn set_encodings(&mut self, list: &[Encoding]) {
        self.encodings = ViewerEncodings::new(list);
        self.new_encodings = true;
        let has = |encoding| self.encodings.has(encoding);
        // Told once each, the first time that the viewer lists it.
        let first =
            |told: &mut bool, listed: bool| listed && !std::mem::replace(told, *told || listed);
        let (fences, clipboard) = (has(Encoding::FENCE), has(Encoding::EXTENDED_CLIPBOARD));
        let continuous = fences && has(Encoding::CONTINUOUS_UPDATES);
        let (keys, buttons) = (
            has(Encoding::QEMU_KEY),
            has(Encoding::EXTENDED_MOUSE_BUTTONS),
        );
        let desktop_size = has(Encoding::EXTENDED_DESKTOP_SIZE);
        if first(&mut self.announced.fence, fences) {
            let mut message = Vec::new();
            write_fence(fence::REQUEST, &[], &mut message);
            self.answers.push_back(message.into());
        }
        if first(&mut self.announced.continuous, continuous) {
            let mut message = Vec::new();
            write_end_of_continuous_updates(&mut message);
            self.answers.push_back(message.into());
        }
        self.tell.qemu_key |= first(&mut self.announced.qemu_key, keys);
        self.tell.buttons |= first(&mut self.announced.buttons, buttons);
        if first(&mut self.announced.desktop_size, desktop_size) {
            self.tell
                .size
                .get_or_insert((ResizeReason::Server, ResizeStatus::Done));
        }
        let control = self.access == Access::Control;
        if first(&mut self.announced.clipboard, clipboard && control) {
            self.answers.push_back(self.clipboard.announce());
        }
    }

    fn fence(&mut self, flags: u32, payload: &[u8]) {
        if flags & fence::REQUEST != 0 {
            // Messages are done in order, and updates follow answers, so every kind of blocking
            // that a fence may ask for holds.
            let mut answer = Vec::new();
            write_fence(flags & fence::KNOWN & !fence::REQUEST, payload, &mut answer);
            self.answers.push_back(answer.into());
        } else if let Ok(number) = payload.try_into() {
            self.pacing
                .answered(u32::from_be_bytes(number), Instant::now());
        }
    }

    fn resizable(&self) -> bool {
        self.encodings.has(Encoding::EXTENDED_DESKTOP_SIZE)
            || self.encodings.has(Encoding::DESKTOP_SIZE)
    }

    fn set_desktop_size(&mut self, size: Size, screens: &[Screen]) {
        let refused = if self.access != Access::Control {
            Some(ResizeStatus::Prohibited)
        } else if let [screen] = screens {
            self.screen = Screen {
                area: size.bounds(),
                ..*screen
            };
            let max = self.services.desktop.max;
            if size.width > max.width || size.height > max.height {
                Some(ResizeStatus::OutOfResources)
            } else if size.allowed(max) && screen.area.fits(size.width, size.height) {
                None
            } else {
                Some(ResizeStatus::InvalidLayout)
            }
        } else {
            Some(ResizeStatus::InvalidLayout)
        };
        match refused {
            Some(status) => self.tell.size = Some((ResizeReason::Client, status)),
            None => self.next_resize = Some(size),
        }
    }

    fn start_resize(&mut self) {
        if self.resizing.is_none()
            && let Some(size) = self.next_resize.take()
        {
            self.resize_answered = false;
            let (desktop, id) = (self.services.desktop.clone(), self.id);
            self.resizing = Some(tokio::spawn(
                async move { desktop.resize(size, Some(id)).await },
            ));
        }
    }

    /// Takes what is in the mailbox but the pixels, and makes messages of it.
    fn read_mail(&mut self) -> Result<(), End> {
        // One update at a time may tell of sizes: pixels drawn before must be out first.
        let settled = self.drawing.is_none() && self.drawn.is_none();
        let frame_size = self.services.desktop.size();
        // A viewer that asks for each update takes the next one for the answer, so it gets nothing
        // unasked, and what it asked for together with the rest.
        let asks = self.continuous.is_none();
        let hold = asks && (self.request.is_none() || self.prefix.is_some() || !settled);
        let mut update = Update::new();
        let mut legacy_size = None;
        let has_pixels;
        {
            let mut mail = self.mailbox.mail();
            if mail.dismissed {
                return Err(End::Dismissed);
            }
            if self.access == Access::Control {
                self.clipboard.read_mail(&mut mail, &mut self.answers);
            }
            if hold {
                return Ok(());
            }
            if settled && self.announced_any() {
                if let Some(by) = mail.resized.take() {
                    let reason = match by {
                        Some(id) if id == self.id => ResizeReason::Client,
                        Some(_) => ResizeReason::OtherClient,
                        None => ResizeReason::Server,
                    };
                    self.tell.size = Some((reason, ResizeStatus::Done));
                }
                if self.size != frame_size && self.tell.size.is_none() && self.resizable() {
                    self.tell.size = Some((ResizeReason::Server, ResizeStatus::Done));
                }
                if let Some((reason, status)) = self.tell.size.take() {
                    self.resize_answered |= reason == ResizeReason::Client;
                    if self.encodings.has(Encoding::EXTENDED_DESKTOP_SIZE) {
                        self.size = frame_size;
                        self.screen.area = frame_size.bounds();
                        let (width, height) = (frame_size.width, frame_size.height);
                        update.extended_desktop_size(reason, status, width, height, &[self.screen]);
                    } else if self.resizable() && self.size != frame_size {
                        self.size = frame_size;
                        legacy_size = Some(frame_size);
                    }
                    // The whole picture follows.
                    mail.dirty.insert(frame_size.bounds());
                }
            }
            if let Some(name) = mail.name.take()
                && self.encodings.has(Encoding::DESKTOP_NAME)
            {
                update.desktop_name(&name);
            }
            let cursors = [
                Encoding::CURSOR_WITH_ALPHA,
                Encoding::VMWARE_CURSOR,
                Encoding::CURSOR,
            ];
            if let Some(kind) = cursors.into_iter().find(|kind| self.encodings.has(*kind))
                && let Some(picture) = self.picture.as_ref().filter(|_| !self.new_encodings)
                && let Some(image) = mail.cursor.take()
            {
                match kind {
                    Encoding::CURSOR_WITH_ALPHA => update.cursor_with_alpha(&image),
                    Encoding::VMWARE_CURSOR => update.vmware_cursor(&image),
                    _ => update.cursor(&image, picture.encoder.converter()),
                }
            }
            has_pixels = !mail.dirty.is_empty();
        }
        if std::mem::take(&mut self.tell.qemu_key) {
            update.qemu_key();
        }
        if std::mem::take(&mut self.tell.buttons) {
            update.extended_mouse_buttons();
        }
        if let Some(size) = legacy_size {
            update.desktop_size(size.width, size.height);
        }
        if update.is_empty() {
            return Ok(());
        }
        if asks && has_pixels && legacy_size.is_none() {
            self.prefix = Some(update);
        } else {
            if asks {
                self.request = None;
            }
            self.answers.push_back(update.finish().into());
        }
        Ok(())
    }

    /// Whether the viewer said what it takes.
    fn announced_any(&self) -> bool {
        self.encodings != ViewerEncodings::default()
    }

    async fn leave(&mut self) {
        self.services.desktop.leave(self.id);
        self.clipboard.leave();
        let _ = self.services.input.send(Input::Leave(self.id)).await;
    }
}

/// Waits for a task if there is one.
async fn join<T>(task: &mut Option<JoinHandle<T>>) -> Result<T, tokio::task::JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}

/// The smallest rectangle around two.
fn around(one: Rect, two: Rect) -> Rect {
    let x = one.x.min(two.x);
    let y = one.y.min(two.y);
    let width = one.right().max(two.right()) - u32::from(x);
    let height = one.bottom().max(two.bottom()) - u32::from(y);
    let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
    Rect::new(x, y, side(width), side(height))
}
