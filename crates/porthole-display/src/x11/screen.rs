//! The screen's size through RandR, and how the screen looks while nothing is on it.

use super::{XConnection, XError};
use crate::geometry::Size;
use x11rb::{
    CURRENT_TIME, NONE,
    connection::Connection as _,
    protocol::{
        randr::{self, ConnectionExt as _, ModeInfo},
        xproto::{ChangeWindowAttributesAux, ConnectionExt as _},
    },
};

/// The bare screen's colour: users see it until the first window is there.
pub const BACKGROUND: u32 = 0x000e_3a44;

/// Pixels in an inch: sizes in millimetres are told so that applications compute this.
const DPI: f64 = 96.0;
/// The left pointing arrow of X's cursor font; the next glyph is its mask.
const LEFT_POINTER: u16 = 68;

/// Sets and tells the screen's size.
#[derive(Debug)]
pub struct Screen {
    crtc: randr::Crtc,
    output: randr::Output,
    /// The mode made for the size set last.
    mode: Option<randr::Mode>,
}

impl Screen {
    /// Finds the X server's one output.
    ///
    /// # Errors
    /// When there is none, or the connection breaks.
    pub fn new(x: &XConnection) -> Result<Self, XError> {
        x.conn.randr_query_version(1, 5)?.reply()?;
        let resources = x.conn.randr_get_screen_resources_current(x.root)?.reply()?;
        let crtc = *resources
            .crtcs
            .first()
            .ok_or(XError::Missing("a RandR controller"))?;
        let output = *resources
            .outputs
            .first()
            .ok_or(XError::Missing("a RandR output"))?;
        x.conn
            .randr_select_input(x.root, randr::NotifyMask::SCREEN_CHANGE)?
            .check()?;
        Ok(Self {
            crtc,
            output,
            mode: None,
        })
    }

    /// Gives the bare screen its colour and a pointer that can be seen.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn decorate(&self, x: &XConnection) -> Result<(), XError> {
        let font = x.conn.generate_id()?;
        let cursor = x.conn.generate_id()?;
        x.conn.open_font(font, b"cursor")?;
        x.conn.create_glyph_cursor(
            cursor,
            font,
            font,
            LEFT_POINTER,
            LEFT_POINTER + 1,
            0,
            0,
            0,
            u16::MAX,
            u16::MAX,
            u16::MAX,
        )?;
        let look = ChangeWindowAttributesAux::new()
            .background_pixel(BACKGROUND)
            .cursor(cursor);
        x.conn.change_window_attributes(x.root, &look)?.check()?;
        x.conn.clear_area(false, x.root, 0, 0, 0, 0)?.check()?;
        Ok(())
    }

    /// The size as the X server has it now.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn size(&self, x: &XConnection) -> Result<Size, XError> {
        let root = x.conn.get_geometry(x.root)?.reply()?;
        Ok(Size::new(root.width, root.height))
    }

    /// Makes the screen exactly this size.
    ///
    /// # Errors
    /// When the X server refuses it, or the connection breaks.
    pub fn resize(&mut self, x: &XConnection, size: Size) -> Result<(), XError> {
        // Nobody shall see, or draw in, a screen that is half changed.
        x.conn.grab_server()?;
        let done = self.resize_grabbed(x, size);
        x.conn.ungrab_server()?.check()?;
        done
    }

    fn resize_grabbed(&mut self, x: &XConnection, size: Size) -> Result<(), XError> {
        let mode = self.make_mode(x, size)?;
        let millimetres = |pixels: u16| (f64::from(pixels) * 25.4 / DPI).round() as u32;
        // The screen cannot shrink under a controller that shows more.
        self.show(x, None)?;
        x.conn
            .randr_set_screen_size(
                x.root,
                size.width,
                size.height,
                millimetres(size.width),
                millimetres(size.height),
            )?
            .check()?;
        self.show(x, Some(mode))?;
        if let Some(old) = self.mode.replace(mode).filter(|old| *old != mode) {
            // In use by nobody any more; if somebody took it meanwhile it stays.
            x.conn
                .randr_delete_output_mode(self.output, old)?
                .ignore_error();
            x.conn.randr_destroy_mode(old)?.ignore_error();
        }
        Ok(())
    }

    fn make_mode(&self, x: &XConnection, size: Size) -> Result<randr::Mode, XError> {
        let name = format!("{}x{}", size.width, size.height);
        let known = x.conn.randr_get_screen_resources_current(x.root)?.reply()?;
        let mut names = known.names.as_slice();
        for mode in &known.modes {
            let (this, rest) = names.split_at(usize::from(mode.name_len).min(names.len()));
            names = rest;
            if this == name.as_bytes() && (mode.width, mode.height) == (size.width, size.height) {
                return Ok(mode.id);
            }
        }
        // Timings that give 60 Hz, for applications that look.
        let (htotal, vtotal) = (size.width.saturating_add(16), size.height.saturating_add(8));
        let info = ModeInfo {
            width: size.width,
            height: size.height,
            dot_clock: u32::from(htotal) * u32::from(vtotal) * 60,
            hsync_start: size.width.saturating_add(4),
            hsync_end: size.width.saturating_add(8),
            htotal,
            vsync_start: size.height.saturating_add(2),
            vsync_end: size.height.saturating_add(4),
            vtotal,
            name_len: name.len() as u16,
            ..ModeInfo::default()
        };
        let mode = x
            .conn
            .randr_create_mode(x.root, info, name.as_bytes())?
            .reply()?
            .mode;
        x.conn.randr_add_output_mode(self.output, mode)?.check()?;
        Ok(mode)
    }

    fn show(&self, x: &XConnection, mode: Option<randr::Mode>) -> Result<(), XError> {
        let outputs: &[_] = if mode.is_some() { &[self.output] } else { &[] };
        let mode = mode.unwrap_or(NONE);
        let rotation = randr::Rotation::ROTATE0;
        let status = x
            .conn
            .randr_set_crtc_config(
                self.crtc,
                CURRENT_TIME,
                CURRENT_TIME,
                0,
                0,
                mode,
                rotation,
                outputs,
            )?
            .reply()?
            .status;
        if status == randr::SetConfig::SUCCESS {
            Ok(())
        } else {
            Err(XError::Missing("the mode just made for the screen's size"))
        }
    }
}
