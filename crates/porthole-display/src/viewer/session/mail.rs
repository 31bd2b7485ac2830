//! What the viewer is told but for pixels.

use super::{Access, CURSOR_TIME, End, Viewer};
use porthole_rfb::{
    Encoding, ViewerEncodings,
    server::{ResizeReason, ResizeStatus, Update},
};
use tokio::time::Instant as TokioInstant;

impl Viewer {
    /// Takes what is in the mailbox but the pixels, and makes messages of it.
    pub(super) fn read_mail(&mut self) -> Result<(), End> {
        // One update at a time may tell of sizes: pixels drawn before must be out first.
        let settled = self.drawing.is_none() && self.drawn.is_none();
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
                // As it was told, not as it is by now: size and reason belong together.
                let mut frame_size = self.size;
                if let Some((size, by)) = mail.resized.take() {
                    frame_size = size;
                    let reason = match by {
                        Some(id) if id == self.id => ResizeReason::Client,
                        Some(_) => ResizeReason::OtherClient,
                        None => ResizeReason::Server,
                    };
                    self.tell.size = Some((reason, ResizeStatus::Done));
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
            if self.encodings.has(Encoding::LED_STATE)
                && let Some(locks) = mail.locks.take()
            {
                update.led_state(locks);
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
                && mail.cursor.is_some()
            {
                let now = TokioInstant::now();
                self.cursor_held = now < self.cursor_due;
                if !self.cursor_held
                    && let Some(image) = mail.cursor.take()
                {
                    self.cursor_due = now + CURSOR_TIME;
                    match kind {
                        Encoding::CURSOR_WITH_ALPHA => update.cursor_with_alpha(&image),
                        Encoding::VMWARE_CURSOR => update.vmware_cursor(&image),
                        _ => update.cursor(&image, picture.encoder.converter()),
                    }
                }
            }
            has_pixels = mail.is_stale();
        }
        if std::mem::take(&mut self.tell.qemu_key) {
            update.qemu_key();
        }
        if std::mem::take(&mut self.tell.buttons) {
            update.extended_mouse_buttons();
        }
        if std::mem::take(&mut self.tell.motion) {
            update.pointer_motion(!self.relative);
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
    pub(super) fn announced_any(&self) -> bool {
        self.encodings != ViewerEncodings::default()
    }
}
