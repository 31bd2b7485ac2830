//! Key press to pixel: `mode box|full`, `color RRGGBB`; tells `key` with when it came and was drawn.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use serde_json::json;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::Rectangle;
use x11rb::wrapper::ConnectionExt as _;

use crate::display::{Display, color, commands, now, tell};

/// What changes in `box` mode, about the size of a large letter.
const BOX: Rectangle = Rectangle {
    x: 944,
    y: 524,
    width: 32,
    height: 32,
};
/// The two states: dark and bright, no grey between.
const COLORS: [u32; 2] = [0x0000_0000, 0x00ff_ffff];

/// Runs until the input ends.
pub fn run() -> Result<()> {
    let display = Display::show(0, 0, None)?;
    let whole = AtomicBool::new(false);
    tell(&json!({"ev": "ready", "t": now(), "width": display.width, "height": display.height}));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for words in commands() {
                if let Err(error) = command(&display, &whole, &words) {
                    tell(&json!({"ev": "error", "what": error.to_string()}));
                }
            }
            std::process::exit(0);
        });
        let mut state = 0;
        loop {
            let event = display.connection.wait_for_event()?;
            let came = now();
            if !matches!(event, Event::KeyPress(_) | Event::ButtonPress(_)) {
                continue;
            }
            state ^= 1;
            if whole.load(Ordering::Relaxed) {
                display.fill_all(COLORS[state])?;
            } else {
                display.fill(COLORS[state], BOX)?;
            }
            let drawn = now();
            display.connection.flush()?;
            tell(&json!({"ev": "key", "t": came, "drawn": drawn, "state": state}));
        }
    })
}

fn command(display: &Display, whole: &AtomicBool, words: &[String]) -> Result<()> {
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mode", "box"] => whole.store(false, Ordering::Relaxed),
        ["mode", "full"] => whole.store(true, Ordering::Relaxed),
        ["color", text] => display.fill_all(color(text)?)?,
        _ => bail!("unknown command {words:?}"),
    }
    display.connection.sync()?;
    tell(&json!({"ev": "done", "t": now()}));
    Ok(())
}
