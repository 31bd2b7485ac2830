//! What the viewer says.

use super::{Access, End, Viewer};
use crate::{geometry::Size, x11::input::Input};
use porthole_rfb::{
    Encoding, PixelFormat, Rect, Screen, ViewerEncodings,
    client::{ClientMessage, NO_MOTION, fence},
    handshake::{Progress, ServerInit},
    server::{ResizeReason, ResizeStatus, write_end_of_continuous_updates, write_fence},
};
use std::time::Instant;

impl Viewer {
    pub(super) async fn receive(&mut self, bytes: &[u8]) -> Result<(), End> {
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

    pub(super) async fn obey(&mut self, message: ClientMessage) -> Result<(), End> {
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
            ClientMessage::Pointer { buttons, x, y } if self.relative => {
                let (x, y) = (motion(x), motion(y));
                self.input(Input::Motion {
                    viewer: self.id,
                    x,
                    y,
                    buttons,
                })
                .await?;
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

    pub(super) async fn key(
        &mut self,
        down: bool,
        symbol: u32,
        scancode: Option<u32>,
    ) -> Result<(), End> {
        self.input(Input::Key {
            viewer: self.id,
            down,
            symbol,
            scancode,
        })
        .await
    }

    pub(super) async fn input(&mut self, input: Input) -> Result<(), End> {
        if self.access != Access::Control {
            return Ok(());
        }
        self.services
            .input
            .send(input)
            .await
            .map_err(|_| End::NoInput)
    }

    pub(super) fn set_encodings(&mut self, list: &[Encoding]) {
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
        let relative = has(Encoding::POINTER_MOTION) && has(Encoding::RELATIVE_POINTER);
        self.tell.motion |= relative != self.relative;
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
        self.relative = relative;
        let control = self.access == Access::Control;
        if first(&mut self.announced.clipboard, clipboard && control) {
            self.answers.push_back(self.clipboard.announce());
        }
    }

    pub(super) fn fence(&mut self, flags: u32, payload: &[u8]) {
        if flags & fence::REQUEST != 0 {
            // Messages are done in order, and updates follow answers, so every kind of blocking
            // that a fence may ask for holds.
            let mut answer = Vec::new();
            write_fence(flags & fence::KNOWN & !fence::REQUEST, payload, &mut answer);
            self.answers.push_back(answer.into());
        } else if let Some(number) = payload.first_chunk() {
            // What follows it is the viewer's to know.
            self.pacing
                .answered(u32::from_be_bytes(*number), Instant::now());
        }
    }

    pub(super) fn resizable(&self) -> bool {
        self.encodings.has(Encoding::EXTENDED_DESKTOP_SIZE)
            || self.encodings.has(Encoding::DESKTOP_SIZE)
    }

    pub(super) fn set_desktop_size(&mut self, size: Size, screens: &[Screen]) {
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
}

/// How far the pointer moved.
fn motion(number: u16) -> i16 {
    let by = i32::from(number) - i32::from(NO_MOTION);
    by.clamp(i16::MIN.into(), i16::MAX.into()) as i16
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
