//! A viewer of our own for the tests.

use super::{Display, PATIENCE, picture::difference};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use porthole_rfb::{
    Encoding, Rect, Screen,
    client::{ClientMessage, fence},
    clipboard::{Clipboard, flags},
    decode::{Decoder, DecoderLimits, Picture, ServerEvent},
    handshake::Version,
};
use std::{path::Path, time::Instant};
use tokio::{net::UnixStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// Pixels and all extensions; no JPEG.
pub const LOSSLESS: &[Encoding] = &[
    Encoding::TIGHT,
    Encoding::COPY_RECT,
    Encoding::CURSOR_WITH_ALPHA,
    Encoding::EXTENDED_DESKTOP_SIZE,
    Encoding::DESKTOP_NAME,
    Encoding::QEMU_KEY,
    Encoding::EXTENDED_MOUSE_BUTTONS,
    Encoding::FENCE,
    Encoding::CONTINUOUS_UPDATES,
    Encoding::EXTENDED_CLIPBOARD,
    Encoding::LAST_RECT,
];

/// A connected viewer.
pub struct Viewer {
    socket: WebSocketStream<UnixStream>,
    decoder: Decoder,
    /// What it sees.
    pub picture: Picture,
    /// Events that nobody has waited for.
    pub events: Vec<ServerEvent>,
    /// Whether it answers the display's fences.
    pub answers_fences: bool,
    /// The answers that it did not send.
    late: Vec<ClientMessage>,
    /// Updates and bytes so far.
    pub updates: usize,
    /// See `updates`.
    pub bytes: usize,
    /// Text that it gives when asked.
    pub clipboard: Option<String>,
}

impl Viewer {
    /// Connects with these encodings and asks for nothing yet.
    pub async fn connect(display: &Display, access: &str, encodings: &[Encoding]) -> Self {
        Self::connect_to(&display.socket(), access, encodings).await
    }

    /// Connects to a socket.
    pub async fn connect_to(socket: &Path, access: &str, encodings: &[Encoding]) -> Self {
        let stream = UnixStream::connect(socket).await.unwrap();
        let request = format!("ws://display/rfb?access={access}");
        let (socket, _) = client_async(request, stream).await.unwrap();
        let mut viewer = Self {
            socket,
            decoder: Decoder::new(DecoderLimits::default()),
            picture: Picture::new(1, 1),
            events: Vec::new(),
            answers_fences: true,
            late: Vec::new(),
            updates: 0,
            bytes: 0,
            clipboard: None,
        };
        viewer
            .until(|event| matches!(event, ServerEvent::ProtocolVersion(_)))
            .await;
        viewer
            .send(ClientMessage::ProtocolVersion(Version::V8))
            .await;
        viewer
            .until(|event| matches!(event, ServerEvent::SecurityTypes(_)))
            .await;
        viewer.send(ClientMessage::SecurityType(1)).await;
        viewer
            .until(|event| matches!(event, ServerEvent::SecurityResult(None)))
            .await;
        viewer
            .send(ClientMessage::ClientInit { shared: true })
            .await;
        viewer
            .until(|event| matches!(event, ServerEvent::Init(_)))
            .await;
        viewer
            .send(ClientMessage::SetEncodings(encodings.to_vec()))
            .await;
        viewer
    }

    /// Connects and turns on updates of everything.
    pub async fn watch(display: &Display, encodings: &[Encoding]) -> Self {
        let mut viewer = Self::connect(display, "control", encodings).await;
        viewer.turn_on().await;
        viewer
    }

    /// Turns on updates of everything, and reads the first.
    pub async fn turn_on(&mut self) {
        let viewer = self;
        let area = Rect::new(0, 0, u16::MAX, u16::MAX);
        viewer
            .until(|event| matches!(event, ServerEvent::EndOfContinuousUpdates))
            .await;
        viewer
            .send(ClientMessage::EnableContinuousUpdates { enable: true, area })
            .await;
        viewer
            .send(ClientMessage::FramebufferUpdateRequest {
                incremental: false,
                area,
            })
            .await;
        viewer
            .until(|event| matches!(event, ServerEvent::UpdateEnd))
            .await;
    }

    /// Sends a message.
    pub async fn send(&mut self, message: ClientMessage) {
        let mut bytes = Vec::new();
        message.write(true, &mut bytes);
        timeout(PATIENCE, self.socket.send(Message::Binary(bytes.into())))
            .await
            .unwrap()
            .unwrap();
    }

    /// Reads one message of the display.
    pub async fn read(&mut self) {
        let message = timeout(PATIENCE, self.socket.next())
            .await
            .expect("the display says nothing")
            .expect("the display closed the connection")
            .expect("the display broke the connection");
        let Message::Binary(bytes) = message else {
            assert!(!message.is_close(), "the display closed: {message:?}");
            return;
        };
        self.bytes += bytes.len();
        self.decoder.push(&bytes);
        while let Some(event) = self.decoder.next_event(&mut self.picture).unwrap() {
            self.take(event).await;
        }
        assert_eq!(
            self.decoder.buffered(),
            0,
            "a message of the display was split"
        );
    }

    async fn take(&mut self, event: ServerEvent) {
        match &event {
            ServerEvent::ProtocolVersion(_) => self.decoder.set_version(Version::V8),
            ServerEvent::UpdateEnd => self.updates += 1,
            ServerEvent::Fence { flags, payload } if flags & fence::REQUEST != 0 => {
                let flags = flags & !fence::REQUEST;
                let payload = payload.clone();
                self.late.push(ClientMessage::Fence { flags, payload });
                if self.answers_fences {
                    self.answer_late().await;
                }
                return;
            }
            ServerEvent::Clipboard(Clipboard::Request { formats })
                if formats & flags::TEXT != 0 =>
            {
                if let Some(text) = &self.clipboard {
                    let message = ClientMessage::Clipboard(Clipboard::provide(text));
                    self.send(message).await;
                }
            }
            _ => {}
        }
        self.events.push(event);
    }

    /// Answers the fences that it did not answer.
    pub async fn answer_late(&mut self) {
        for answer in std::mem::take(&mut self.late) {
            self.send(answer).await;
        }
    }

    /// Reads until such an event was there; takes it out with those before it.
    pub async fn until(&mut self, is_it: impl Fn(&ServerEvent) -> bool) -> ServerEvent {
        let start = Instant::now();
        loop {
            if let Some(at) = self.events.iter().position(&is_it) {
                let mut rest = self.events.split_off(at);
                self.events = rest.split_off(1);
                return rest.remove(0);
            }
            assert!(start.elapsed() < PATIENCE, "the event did not come");
            self.read().await;
        }
    }

    /// Waits until all that was sent before is done: a fence and its answer.
    pub async fn sync(&mut self) {
        let payload = Bytes::from_static(b"sync");
        let flags = fence::REQUEST | fence::BLOCK_BEFORE;
        self.send(ClientMessage::Fence {
            flags,
            payload: payload.clone(),
        })
        .await;
        self.until(|event| {
            matches!(event, ServerEvent::Fence { flags, payload: answer }
                if flags & fence::REQUEST == 0 && *answer == payload)
        })
        .await;
    }

    /// Presses and releases a key without a place.
    pub async fn key(&mut self, symbol: u32) {
        self.send(ClientMessage::Key {
            down: true,
            keysym: symbol,
        })
        .await;
        self.send(ClientMessage::Key {
            down: false,
            keysym: symbol,
        })
        .await;
    }

    /// Types a text as viewers do: one symbol for each character.
    pub async fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            self.key(symbol_of(character)).await;
        }
    }

    /// Moves the pointer.
    pub async fn point(&mut self, x: u16, y: u16, buttons: u16) {
        self.send(ClientMessage::Pointer { buttons, x, y }).await;
    }

    /// Asks for a size.
    pub async fn ask_for_size(&mut self, width: u16, height: u16) {
        let screens = vec![Screen {
            id: 7,
            area: Rect::new(0, 0, width, height),
            flags: 0,
        }];
        self.send(ClientMessage::SetDesktopSize {
            width,
            height,
            screens,
        })
        .await;
    }

    /// Asks for a size; gives the answer's status.
    pub async fn resize(&mut self, width: u16, height: u16) -> u16 {
        self.events.clear();
        self.ask_for_size(width, height).await;
        let event = self
            .until(|event| {
                matches!(event, ServerEvent::DesktopSize { extended: Some(extended), .. }
                    if extended.reason == 1)
            })
            .await;
        let ServerEvent::DesktopSize {
            extended: Some(extended),
            ..
        } = event
        else {
            unreachable!("that was waited for")
        };
        extended.status
    }

    /// Reads until it sees exactly what the X server shows.
    pub async fn until_same(&mut self, display: &Display) {
        let start = Instant::now();
        loop {
            let screen = display.picture();
            let size = (
                usize::from(self.picture.width()),
                usize::from(self.picture.height()),
            );
            let differs = if size == (screen.width, screen.height) {
                difference(self.picture.bgrx(), &screen.bgrx, screen.width)
            } else {
                Some(format!("{size:?} and {:?}", (screen.width, screen.height)))
            };
            let Some(differs) = differs else {
                return;
            };
            assert!(
                start.elapsed() < PATIENCE,
                "the viewer's picture stays different: {differs}"
            );
            // What is on its way; nothing means that all was read.
            let _ = timeout(std::time::Duration::from_millis(100), self.read()).await;
        }
    }
}

/// The symbol that a viewer sends for a character.
pub fn symbol_of(character: char) -> u32 {
    match character {
        '\n' => 0xff0d,
        '€' => 0x20ac,
        character if (character as u32) < 0x100 => character as u32,
        character => 0x0100_0000 + character as u32,
    }
}
