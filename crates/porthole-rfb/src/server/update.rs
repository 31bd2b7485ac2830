//! One framebuffer update (section 7.6.1).

use super::{cursor::CursorImage, kind};
use crate::{
    encoding::Encoding,
    frame::FrameView,
    geometry::{Rect, Screen},
    pixel_format::{Converter, Packing},
};

/// Who changed the framebuffer's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResizeReason {
    /// The server.
    Server,
    /// This viewer's request; see the status.
    Client,
    /// Another viewer's request.
    OtherClient,
}

/// What came of a viewer's request to resize.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResizeStatus {
    /// Done.
    Done,
    /// Not allowed.
    Prohibited,
    /// Not enough memory or such.
    OutOfResources,
    /// The screens make no sense.
    InvalidLayout,
    /// Passed on; it may be done later.
    Forwarded,
}

/// A framebuffer update in the making: rectangles in order, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct Update {
    bytes: Vec<u8>,
    start: usize,
    rects: u16,
}

impl Default for Update {
    fn default() -> Self {
        Self::new()
    }
}

impl Update {
    /// With no rectangle.
    pub fn new() -> Self {
        Self::after(Vec::new())
    }

    /// With no rectangle, to be appended to other bytes: an emptied buffer to use again, or
    /// messages that go before.
    pub fn after(mut bytes: Vec<u8>) -> Self {
        let start = bytes.len();
        bytes.extend([kind::FRAMEBUFFER_UPDATE, 0, 0, 0]);
        Self {
            bytes,
            start,
            rects: 0,
        }
    }

    /// The number of rectangles.
    pub const fn rects(&self) -> u16 {
        self.rects
    }

    /// Whether there is no rectangle.
    pub const fn is_empty(&self) -> bool {
        self.rects == 0
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// How many more rectangles it can take.
    pub const fn room(&self) -> u16 {
        u16::MAX - self.rects
    }

    /// The finished message, after the bytes it was appended to.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let count = self.start + 2;
        self.bytes[count..count + 2].copy_from_slice(&self.rects.to_be_bytes());
        self.bytes
    }

    /// The bytes it was appended to, without it.
    #[must_use]
    pub fn cancel(mut self) -> Vec<u8> {
        self.bytes.truncate(self.start);
        self.bytes
    }

    /// The rectangles of another update, of which there must be no more than
    /// [`room`](Self::room).
    pub fn append(&mut self, other: &Self) {
        debug_assert!(
            other.rects <= self.room(),
            "an update has no room for another's rectangles"
        );
        self.rects = self.rects.saturating_add(other.rects);
        self.bytes
            .extend_from_slice(&other.bytes[other.start + 4..]);
    }

    /// A rectangle's header; what follows goes to the vector.
    pub(crate) fn rect(&mut self, area: Rect, encoding: Encoding) -> &mut Vec<u8> {
        debug_assert!(
            self.rects < u16::MAX,
            "an update has no room for another rectangle"
        );
        self.rects = self.rects.saturating_add(1);
        for value in [area.x, area.y, area.width, area.height] {
            self.bytes.extend(value.to_be_bytes());
        }
        self.bytes.extend(encoding.0.to_be_bytes());
        &mut self.bytes
    }

    /// Pixels as they are (section 7.7.1). The rectangle must lie in the frame.
    pub fn raw(&mut self, frame: &FrameView, area: Rect, converter: &Converter) {
        let out = self.rect(area, Encoding::RAW);
        out.reserve(area.area() * converter.format().bytes());
        for row in frame.rows(area) {
            converter.write_row(row, Packing::Whole, out);
        }
    }

    /// Pixels that the viewer has (section 7.7.2).
    pub fn copy_rect(&mut self, area: Rect, from_x: u16, from_y: u16) {
        let out = self.rect(area, Encoding::COPY_RECT);
        out.extend(from_x.to_be_bytes());
        out.extend(from_y.to_be_bytes());
    }

    /// The cursor with a mask (section 7.8.1).
    pub fn cursor(&mut self, image: &CursorImage, converter: &Converter) {
        let out = self.rect(image.area(), Encoding::CURSOR);
        image.write_masked(converter, out);
    }

    /// The cursor with alpha.
    pub fn cursor_with_alpha(&mut self, image: &CursorImage) {
        let out = self.rect(image.area(), Encoding::CURSOR_WITH_ALPHA);
        out.extend(Encoding::RAW.0.to_be_bytes());
        image.write_rgba(true, out);
    }

    /// VMware's cursor with alpha.
    pub fn vmware_cursor(&mut self, image: &CursorImage) {
        let out = self.rect(image.area(), Encoding::VMWARE_CURSOR);
        out.extend([1, 0]);
        image.write_rgba(false, out);
    }

    /// The framebuffer's new size (section 7.8.2). Nothing may follow it in the update.
    pub fn desktop_size(&mut self, width: u16, height: u16) {
        self.rect(Rect::new(0, 0, width, height), Encoding::DESKTOP_SIZE);
    }

    /// The framebuffer's size and screens. The first rectangle of its update; also the answer to
    /// the encoding's first announcement and to every `SetDesktopSize`.
    pub fn extended_desktop_size(
        &mut self,
        reason: ResizeReason,
        status: ResizeStatus,
        width: u16,
        height: u16,
        screens: &[Screen],
    ) {
        let screens = &screens[..screens.len().min(usize::from(u8::MAX))];
        let area = Rect::new(reason as u16, status as u16, width, height);
        let out = self.rect(area, Encoding::EXTENDED_DESKTOP_SIZE);
        out.extend([screens.len() as u8, 0, 0, 0]);
        for screen in screens {
            out.extend(screen.id.to_be_bytes());
            for value in [
                screen.area.x,
                screen.area.y,
                screen.area.width,
                screen.area.height,
            ] {
                out.extend(value.to_be_bytes());
            }
            out.extend(screen.flags.to_be_bytes());
        }
    }

    /// The desktop's name.
    pub fn desktop_name(&mut self, name: &str) {
        let out = self.rect(Rect::default(), Encoding::DESKTOP_NAME);
        out.extend((name.len() as u32).to_be_bytes());
        out.extend(name.as_bytes());
    }

    /// Tells that QEMU's key events are served.
    pub fn qemu_key(&mut self) {
        self.rect(Rect::default(), Encoding::QEMU_KEY);
    }

    /// Tells that buttons 8 and 9 are served.
    pub fn extended_mouse_buttons(&mut self) {
        self.rect(Rect::default(), Encoding::EXTENDED_MOUSE_BUTTONS);
    }

    /// Tells what the pointer events' numbers are from now on: places, or motion.
    pub fn pointer_motion(&mut self, absolute: bool) {
        let area = Rect::new(absolute.into(), 0, 0, 0);
        self.rect(area, Encoding::POINTER_MOTION);
    }

    /// Tells the state of the keyboard's locks, flags of [`lock`](crate::client::lock).
    pub fn led_state(&mut self, locks: u8) {
        self.rect(Rect::default(), Encoding::LED_STATE).push(locks);
    }

    /// Ends an update whose number of rectangles was not known; makes that number 65535.
    #[must_use]
    pub fn finish_with_last_rect(mut self) -> Vec<u8> {
        self.rect(Rect::default(), Encoding::LAST_RECT);
        self.rects = u16::MAX;
        self.finish()
    }
}
