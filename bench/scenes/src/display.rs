//! The connection to the display, windows without a window manager, and the scene's own two pipes.

use std::io::{BufRead, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ConnectionExt, CreateGCAux, CreateWindowAux, EventMask, Gcontext, InputFocus, Rectangle,
    Screen, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// A window of a scene.
pub struct Display {
    /// The connection.
    pub connection: RustConnection,
    /// The scene's window, mapped above everything and with the keyboard.
    pub window: Window,
    /// A graphics context without graphics exposures.
    pub gc: Gcontext,
    /// The window's width in pixels.
    pub width: u16,
    /// The window's height in pixels.
    pub height: u16,
}

impl Display {
    /// Opens `$DISPLAY`. Refuses anything but 24-bit colour with blue in the lowest byte: the
    /// scenes write pixels themselves.
    pub fn open() -> Result<(RustConnection, Screen)> {
        let (connection, number) = x11rb::connect(None).context("connecting to the X display")?;
        let screen = connection
            .setup()
            .roots
            .get(number)
            .context("the display has no screen")?
            .clone();
        if screen.root_depth != 24 {
            bail!("the display's depth is {}, not 24", screen.root_depth);
        }
        Ok((connection, screen))
    }

    /// Shows a window; `size` `None` means the whole screen.
    pub fn show(x: i16, y: i16, size: Option<(u16, u16)>) -> Result<Self> {
        let (connection, screen) = Self::open()?;
        let (width, height) = size.unwrap_or((screen.width_in_pixels, screen.height_in_pixels));
        let window = connection.generate_id()?;
        // Override-redirect: no window manager moves or decorates it, wherever this runs.
        let attributes = CreateWindowAux::new()
            .background_pixel(0x0020_2020)
            .override_redirect(1)
            .event_mask(EventMask::KEY_PRESS | EventMask::BUTTON_PRESS | EventMask::EXPOSURE);
        connection.create_window(
            24,
            window,
            screen.root,
            x,
            y,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            screen.root_visual,
            &attributes,
        )?;
        let gc = connection.generate_id()?;
        connection.create_gc(gc, window, &CreateGCAux::new().graphics_exposures(0))?;
        connection.map_window(window)?;
        // Mapped before the focus is set: focus on an unviewable window is an error.
        connection.sync()?;
        connection.set_input_focus(InputFocus::POINTER_ROOT, window, x11rb::CURRENT_TIME)?;
        connection.sync()?;
        Ok(Self {
            connection,
            window,
            gc,
            width,
            height,
        })
    }

    /// Fills a rectangle with a colour (0xRRGGBB); not flushed.
    pub fn fill(&self, color: u32, rectangle: Rectangle) -> Result<()> {
        self.connection.change_gc(
            self.gc,
            &x11rb::protocol::xproto::ChangeGCAux::new().foreground(color),
        )?;
        self.connection
            .poly_fill_rectangle(self.window, self.gc, &[rectangle])?;
        Ok(())
    }

    /// Fills the window; not flushed.
    pub fn fill_all(&self, color: u32) -> Result<()> {
        self.fill(
            color,
            Rectangle {
                x: 0,
                y: 0,
                width: self.width,
                height: self.height,
            },
        )
    }
}

/// Microseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_micros() as u64)
}

/// Writes one event. A reader that is gone ends the scene.
pub fn tell(event: &Value) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{event}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Commands, one line each, split at blanks. The channel ends with the input.
pub fn commands() -> Receiver<Vec<String>> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if send
                .send(line.split_whitespace().map(str::to_owned).collect())
                .is_err()
            {
                break;
            }
        }
    });
    receive
}

/// Waits for a moment. The input's end ends the scene at once; a command that comes meanwhile is
/// for nobody.
pub fn wait(commands: &Receiver<Vec<String>>, due: Instant) {
    loop {
        match commands.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(words) => tell(&json!({"ev": "error", "what": format!("busy, {words:?} is lost")})),
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => std::process::exit(0),
        }
    }
}

/// A colour written as RRGGBB.
pub fn color(text: &str) -> Result<u32> {
    u32::from_str_radix(text, 16).with_context(|| format!("'{text}' is no colour"))
}
