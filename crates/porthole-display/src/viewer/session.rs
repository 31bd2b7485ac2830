//! A viewer's session from the first byte to the last.

mod mail;
mod receive;

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
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use porthole_encode::Encoder;
use porthole_rfb::{
    PixelFormat, Rect, Screen, ViewerEncodings,
    client::{ClientError, ClientLimits, ClientParser, fence},
    handshake::{HandshakeError, SERVER_VERSION, ServerHandshake},
    server::{ResizeReason, ResizeStatus, Update, write_fence},
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant as TokioInstant, sleep_until},
};

/// Answers that wait to be sent. Who asks for more without reading is not a viewer.
const MAX_ANSWERS: usize = 512;
/// Bytes of them.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// Messages handed to the socket's task that it has not begun to write.
const OUT_QUEUE: usize = 1;

/// The least time between two cursors.
const CURSOR_TIME: Duration = Duration::from_millis(50);

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

impl End {
    /// What the viewer is told. The codes are those of RFC 6455, section 7.4.1.
    fn close(&self) -> CloseFrame {
        let code = match self {
            Self::Gone | Self::Dismissed => close_code::NORMAL,
            Self::Protocol(_) | Self::Handshake(_) => close_code::PROTOCOL,
            Self::TooManyAnswers => close_code::POLICY,
            Self::NoInput | Self::Encode(_) => close_code::ERROR,
        };
        // A close frame has room for 123 bytes of text.
        let mut reason = self.to_string();
        reason.truncate(reason.floor_char_boundary(123));
        CloseFrame {
            code,
            reason: reason.into(),
        }
    }
}

/// Serves a viewer until it goes.
pub async fn serve(socket: WebSocket, services: Services, access: Access) {
    let (mut sink, mut stream) = socket.split();
    let (out, mut outgoing) = mpsc::channel::<Bytes>(OUT_QUEUE);
    let writer = tokio::spawn(async move {
        while let Some(message) = outgoing.recv().await {
            sink.send(Message::Binary(message)).await?;
        }
        Ok::<_, axum::Error>(sink)
    });
    let (id, mailbox) = services.desktop.join();
    let mut viewer = Viewer::new(id, mailbox, services, access);
    viewer.answers.push_back(Bytes::from_static(SERVER_VERSION));
    let end = loop {
        if let Err(end) = viewer.work(&out) {
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
            Some(Some(Ok(Message::Binary(bytes)))) => viewer.receive(&bytes).await,
            Some(Some(Ok(Message::Close(_)) | Err(_)) | None) => Err(End::Gone),
            None | Some(Some(Ok(_))) => Ok(()),
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
    let farewell = async {
        if let Ok(Ok(mut sink)) = writer.await {
            let _ = sink.send(Message::Close(Some(end.close()))).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(2), farewell)
        .await
        .is_err()
    {
        abort.abort();
    }
}

/// What came of drawing.
struct Drawn {
    picture: Box<Picture>,
    update: Option<Vec<u8>>,
    /// It was to make areas at rest exact.
    refreshed: bool,
    took: Duration,
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
    drawing: Option<JoinHandle<Drawn>>,
    drawn: Option<Bytes>,
    /// How long `drawn` took to encode.
    drawn_in: Duration,
    answers: VecDeque<Bytes>,
    /// The size of the viewer's framebuffer.
    size: Size,
    /// What it asked for and did not get yet.
    request: Option<Rect>,
    continuous: Option<Rect>,
    /// Pointer events tell of motion.
    relative: bool,
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
    /// No other cursor before: themes have some that move all the time.
    cursor_due: TokioInstant,
    /// One waits for that.
    cursor_held: bool,
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
    motion: bool,
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
        let encoder = Encoder::sharing(services.desktop.common.clone());
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
                encoder,
                refresh: Refresh::new(size),
            })),
            drawing: None,
            drawn: None,
            drawn_in: Duration::ZERO,
            answers: VecDeque::new(),
            size,
            request: None,
            continuous: None,
            relative: false,
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
            cursor_due: TokioInstant::now(),
            cursor_held: false,
        }
    }

    /// Does all that can be done now: sends what waits, takes what is in the mailbox, starts to
    /// draw.
    fn work(&mut self, out: &mpsc::Sender<Bytes>) -> Result<(), End> {
        let bytes: usize = self.answers.iter().map(Bytes::len).sum();
        if self.answers.len() > MAX_ANSWERS || bytes > MAX_ANSWER_BYTES {
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
            let len = update.len();
            match out.try_send(update) {
                Ok(()) => self.pace(len),
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

    /// After an update went out: a fence that tells when it has arrived. Its number is followed by
    /// the microseconds that encoding took, for the viewer's statistics.
    fn pace(&mut self, bytes: usize) {
        if self.continuous.is_some() {
            let number = self.pacing.sent(bytes, Instant::now());
            let took = u32::try_from(self.drawn_in.as_micros()).unwrap_or(u32::MAX);
            let payload = [number.to_be_bytes(), took.to_be_bytes()].concat();
            let mut message = Vec::new();
            write_fence(fence::REQUEST | fence::BLOCK_BEFORE, &payload, &mut message);
            self.answers.push_back(message.into());
        }
    }

    fn start_drawing(&mut self) {
        let Some(area) = self.wants_picture() else {
            return;
        };
        let refresh = self.refresh_due;
        let nothing = !refresh && !self.new_encodings && self.prefix.is_none();
        if nothing && !self.mailbox.mail().is_stale() {
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
            link: self.pacing.link(),
            // Who asks for each update is paced by that.
            room: self.continuous.map_or(usize::MAX, |_| self.pacing.room()),
        };
        let (desktop, mailbox) = (self.services.desktop.clone(), self.mailbox.clone());
        let update = self.prefix.take().unwrap_or_default();
        self.drawing = Some(tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let update = picture.draw(&desktop, &mailbox, task, update);
            Drawn {
                picture,
                update,
                refreshed: refresh,
                took: began.elapsed(),
            }
        }));
    }

    /// Waits for what is done elsewhere for this viewer.
    async fn background(&mut self) -> Result<(), End> {
        let lossy = self
            .picture
            .as_ref()
            .is_some_and(|picture| !picture.encoder.lossy_region().is_empty());
        let tick = self.next_tick;
        let cursor_due = self.cursor_due;
        tokio::select! {
            done = join(&mut self.drawing) => {
                self.drawing = None;
                let done = done?;
                self.picture = Some(done.picture);
                if let Some(update) = done.update {
                    // More may rest than one update takes.
                    self.refresh_due |= done.refreshed;
                    self.drawn_in = done.took;
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
            () = sleep_until(cursor_due), if self.cursor_held => self.cursor_held = false,
            message = self.clipboard.background() => {
                if let Some(message) = message {
                    self.answers.push_back(message);
                }
            }
        }
        Ok(())
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
