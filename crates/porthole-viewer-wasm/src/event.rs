//! Events as bytes: a kind of [`kind`], then what belongs to it. Numbers are big-endian, texts
//! UTF-8 to the end.

use porthole_rfb::{
    clipboard::{Clipboard, from_latin1},
    decode::ServerEvent,
    server::CursorImage,
};

/// The first byte.
pub mod kind {
    /// The connection cannot go on: a text.
    pub const BROKEN: u8 = 0;
    /// The display speaks RFB 3.8.
    pub const VERSION: u8 = 1;
    /// The security types on offer, a byte each.
    pub const SECURITY: u8 = 2;
    /// The connection is allowed.
    pub const ALLOWED: u8 = 3;
    /// The end of the handshake: width and height (2 bytes each), the desktop's name.
    pub const INIT: u8 = 4;
    /// Width and height (2 each). With an extended size: reason, status (2 each), and of each
    /// screen id (4), x, y, width, height (2 each), flags (4).
    pub const SIZE: u8 = 5;
    /// The desktop's name.
    pub const NAME: u8 = 6;
    /// Width, height, hot spot's x and y (2 each), pixels (red, green, blue, straight alpha).
    pub const CURSOR: u8 = 7;
    /// An extension is served: its encoding's number (4).
    pub const SERVES: u8 = 8;
    /// The bell.
    pub const BELL: u8 = 9;
    /// A text for the clipboard.
    pub const TEXT: u8 = 10;
    /// What the display's clipboard can do: flags, largest text unasked (4 each).
    pub const CLIPBOARD_CAPS: u8 = 11;
    /// The display wants the clipboard's formats (4).
    pub const CLIPBOARD_REQUEST: u8 = 12;
    /// The display asks for a notice.
    pub const CLIPBOARD_PEEK: u8 = 13;
    /// The display has the formats (4).
    pub const CLIPBOARD_NOTIFY: u8 = 14;
    /// A fence: flags (4), payload.
    pub const FENCE: u8 = 15;
    /// Continuous updates are served, or ended.
    pub const CONTINUOUS: u8 = 16;
    /// What pointer events tell from now on: 1 places, 0 motion.
    pub const POINTER_MOTION: u8 = 17;
    /// The keyboard's locks: 1 Scroll Lock, 2 Num Lock, 4 Caps Lock.
    pub const LOCKS: u8 = 18;
}

/// The longest text that is taken from the display's clipboard, in bytes.
pub(crate) const MAX_TEXT: u32 = 4 << 20;

/// Writes an event; false where there is nothing to tell.
pub(crate) fn write(event: &ServerEvent, out: &mut Vec<u8>) -> bool {
    out.clear();
    match event {
        ServerEvent::ProtocolVersion(_) => out.push(kind::VERSION),
        ServerEvent::SecurityTypes(types) => {
            out.push(kind::SECURITY);
            out.extend(types);
        }
        ServerEvent::SecurityResult(None) => out.push(kind::ALLOWED),
        ServerEvent::SecurityResult(Some(reason)) | ServerEvent::Refused(reason) => {
            broken(reason, out);
        }
        ServerEvent::Init(init) => {
            out.push(kind::INIT);
            numbers(&[init.width, init.height], out);
            out.extend(init.name.as_bytes());
        }
        ServerEvent::DesktopSize {
            width,
            height,
            extended,
        } => {
            out.push(kind::SIZE);
            numbers(&[*width, *height], out);
            if let Some(extended) = extended {
                numbers(&[extended.reason, extended.status], out);
                for screen in &extended.screens {
                    out.extend(screen.id.to_be_bytes());
                    let area = screen.area;
                    numbers(&[area.x, area.y, area.width, area.height], out);
                    out.extend(screen.flags.to_be_bytes());
                }
            }
        }
        ServerEvent::DesktopName(name) => {
            out.push(kind::NAME);
            out.extend(name.as_bytes());
        }
        ServerEvent::Cursor(image) => cursor(image, out),
        ServerEvent::Serves(encoding) => {
            out.push(kind::SERVES);
            out.extend(encoding.0.to_be_bytes());
        }
        ServerEvent::Bell => out.push(kind::BELL),
        ServerEvent::CutText(latin1) => {
            out.push(kind::TEXT);
            out.extend(from_latin1(latin1).as_bytes());
        }
        ServerEvent::Clipboard(message) => return clipboard(message, out),
        ServerEvent::Fence { flags, payload } => {
            out.push(kind::FENCE);
            out.extend(flags.to_be_bytes());
            out.extend(payload);
        }
        ServerEvent::EndOfContinuousUpdates => out.push(kind::CONTINUOUS),
        ServerEvent::PointerMotion { absolute } => {
            out.extend([kind::POINTER_MOTION, (*absolute).into()]);
        }
        ServerEvent::LedState(locks) => out.extend([kind::LOCKS, *locks]),
        ServerEvent::UpdateEnd | ServerEvent::Paused | ServerEvent::CutTextSkipped(_) => {
            return false;
        }
    }
    true
}

/// Writes that the connection cannot go on.
pub(crate) fn broken(reason: &str, out: &mut Vec<u8>) {
    out.clear();
    out.push(kind::BROKEN);
    out.extend(reason.as_bytes());
}

fn numbers(values: &[u16], out: &mut Vec<u8>) {
    out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
}

fn clipboard(message: &Clipboard, out: &mut Vec<u8>) -> bool {
    let (kind, numbers) = match message {
        Clipboard::Caps(caps) => (kind::CLIPBOARD_CAPS, [Some(caps.flags), Some(caps.text)]),
        Clipboard::Request { formats } => (kind::CLIPBOARD_REQUEST, [Some(*formats), None]),
        Clipboard::Peek => (kind::CLIPBOARD_PEEK, [None; 2]),
        Clipboard::Notify { formats } => (kind::CLIPBOARD_NOTIFY, [Some(*formats), None]),
        Clipboard::Provide(provided) => {
            // A text that is too long or broken is left out; the connection goes on.
            let Ok(Some(text)) = provided.text(MAX_TEXT) else {
                return false;
            };
            out.push(kind::TEXT);
            out.extend(text.as_bytes());
            return true;
        }
        Clipboard::Unknown { .. } => return false,
    };
    out.push(kind);
    out.extend(numbers.into_iter().flatten().flat_map(u32::to_be_bytes));
    true
}

fn cursor(image: &CursorImage, out: &mut Vec<u8>) {
    out.push(kind::CURSOR);
    let (x, y) = image.hot_spot();
    numbers(&[image.width(), image.height(), x, y], out);
    let straight = |value: u8, alpha: u8| {
        let alpha = u16::from(alpha).max(1);
        ((u16::from(value) * 255 + alpha / 2) / alpha).min(255) as u8
    };
    for &[blue, green, red, alpha] in image.bgra().as_chunks::<4>().0 {
        out.extend([red, green, blue].map(|value| straight(value, alpha)));
        out.push(alpha);
    }
}
