//! The writers, for the viewer and for tests.

use super::{ClientMessage, button, kind};
use crate::geometry::Rect;

impl ClientMessage {
    /// Appends the message. A pointer event with a button above the eighth takes the extended
    /// form; one with the eighth alone (`extended_buttons` tells) may too. Writes nothing for
    /// [`Oversized`](Self::Oversized).
    pub fn write(&self, extended_buttons: bool, out: &mut Vec<u8>) {
        match self {
            Self::ProtocolVersion(version) => out.extend(version.message()),
            Self::SecurityType(chosen) => out.push(*chosen),
            Self::ClientInit { shared } => out.push((*shared).into()),
            Self::SetPixelFormat(format) => {
                out.extend([kind::SET_PIXEL_FORMAT, 0, 0, 0]);
                format.write(out);
            }
            Self::SetEncodings(list) => {
                let count = list.len().min(usize::from(u16::MAX));
                out.extend([kind::SET_ENCODINGS, 0]);
                out.extend((count as u16).to_be_bytes());
                out.extend(
                    list[..count]
                        .iter()
                        .flat_map(|encoding| encoding.0.to_be_bytes()),
                );
            }
            Self::FramebufferUpdateRequest { incremental, area } => {
                out.extend([kind::FRAMEBUFFER_UPDATE_REQUEST, (*incremental).into()]);
                rect(*area, out);
            }
            Self::Key { down, keysym } => {
                out.extend([kind::KEY_EVENT, (*down).into(), 0, 0]);
                out.extend(keysym.to_be_bytes());
            }
            Self::Pointer { buttons, x, y } => {
                let high = (buttons >> 7 & 3) as u8;
                let extended = extended_buttons && high != 0;
                let low = (buttons & 0x7f) as u8;
                let plain = low | (buttons & button::BACK) as u8;
                out.extend([
                    kind::POINTER_EVENT,
                    if extended { low | 0x80 } else { plain },
                ]);
                out.extend(x.to_be_bytes());
                out.extend(y.to_be_bytes());
                if extended {
                    out.push(high);
                }
            }
            Self::CutText(text) => {
                out.extend([kind::CLIENT_CUT_TEXT, 0, 0, 0]);
                out.extend((text.len() as u32).to_be_bytes());
                out.extend_from_slice(text);
            }
            Self::Clipboard(clipboard) => {
                out.push(kind::CLIENT_CUT_TEXT);
                clipboard.write(out);
            }
            Self::EnableContinuousUpdates { enable, area } => {
                out.extend([kind::ENABLE_CONTINUOUS_UPDATES, (*enable).into()]);
                rect(*area, out);
            }
            Self::Fence { flags, payload } => {
                crate::server::write_fence(*flags, payload, out);
            }
            Self::SetDesktopSize {
                width,
                height,
                screens,
            } => {
                let count = screens.len().min(usize::from(u8::MAX));
                out.extend([kind::SET_DESKTOP_SIZE, 0]);
                out.extend(width.to_be_bytes());
                out.extend(height.to_be_bytes());
                out.extend([count as u8, 0]);
                for screen in &screens[..count] {
                    out.extend(screen.id.to_be_bytes());
                    rect(screen.area, out);
                    out.extend(screen.flags.to_be_bytes());
                }
            }
            Self::QemuKey {
                down,
                keysym,
                keycode,
            } => {
                out.extend([kind::QEMU, kind::QEMU_KEY, 0, (*down).into()]);
                out.extend(keysym.to_be_bytes());
                out.extend(keycode.to_be_bytes());
            }
            Self::Oversized { .. } => {}
        }
    }
}

fn rect(rect: Rect, out: &mut Vec<u8>) {
    for value in [rect.x, rect.y, rect.width, rect.height] {
        out.extend(value.to_be_bytes());
    }
}
