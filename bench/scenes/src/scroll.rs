//! Scrolling text as a terminal draws it: one copy of the window's content upwards, one new line.
//! `start LINES_PER_SECOND SECONDS`; tells `line` with its number and when it was drawn.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ChangeGCAux, ConnectionExt, Rectangle};

use crate::display::{Display, commands, now, tell, wait};
use crate::picture::{Random, source_line};

/// The cell of the X server's built-in font.
const CELL: (u16, u16) = (6, 13);
const COLUMNS: u16 = 200;
const ROWS: u16 = 75;
/// Where the window is.
const ORIGIN: (i16, i16) = (104, 48);
/// Bits of the barcode: white, black, then the number's 12 bits.
const BITS: u16 = 14;
/// Width of one bit in pixels.
const BIT: u16 = 12;

/// Runs until the input ends.
pub fn run() -> Result<()> {
    let size = (COLUMNS * CELL.0, ROWS * CELL.1);
    let display = Display::show(ORIGIN.0, ORIGIN.1, Some(size))?;
    let font = display.connection.generate_id()?;
    display
        .connection
        .open_font(font, b"fixed")?
        .check()
        .context("opening the font 'fixed'")?;
    display
        .connection
        .change_gc(display.gc, &ChangeGCAux::new().font(font))?;
    let mut scene = Scroll {
        display,
        random: Random::new(7),
        number: 0,
    };
    for _ in 0..ROWS {
        scene.line()?;
    }
    tell(&json!({
        "ev": "ready", "t": now(), "x": ORIGIN.0, "y": ORIGIN.1, "width": size.0, "height": size.1,
        "row": CELL.1, "bit": BIT, "bits": BITS,
    }));
    let commands = commands();
    while let Ok(words) = commands.recv() {
        let number = |index: usize| {
            words
                .get(index)
                .and_then(|word| word.parse::<u32>().ok())
                .filter(|value| *value > 0)
        };
        let (Some("start"), Some(rate), Some(seconds)) =
            (words.first().map(String::as_str), number(1), number(2))
        else {
            tell(&json!({"ev": "error", "what": format!("unknown command {words:?}")}));
            continue;
        };
        let start = Instant::now();
        for index in 0..rate * seconds {
            let due = start + Duration::from_secs_f64(f64::from(index) / f64::from(rate));
            wait(&commands, due);
            let drawn = scene.line()?;
            tell(&json!({"ev": "line", "n": scene.number, "t": drawn}));
        }
        tell(&json!({"ev": "end", "t": now()}));
    }
    Ok(())
}

struct Scroll {
    display: Display,
    random: Random,
    number: u16,
}

impl Scroll {
    /// Scrolls by one line and writes the next; when it was handed to the server.
    fn line(&mut self) -> Result<u64> {
        self.number = (self.number + 1) % 4096;
        let Display {
            connection,
            window,
            gc,
            width,
            height,
        } = &self.display;
        let top = height - CELL.1;
        connection.copy_area(*window, *window, *gc, 0, CELL.1 as i16, 0, 0, *width, top)?;
        self.display.fill(
            0x0010_1418,
            Rectangle {
                x: 0,
                y: top as i16,
                width: *width,
                height: CELL.1,
            },
        )?;
        let code = (1 << (BITS - 1)) | self.number;
        for bit in 0..BITS {
            let color = if code >> (BITS - 1 - bit) & 1 == 1 {
                0x00ff_ffff
            } else {
                0
            };
            self.display.fill(
                color,
                Rectangle {
                    x: (bit * BIT) as i16,
                    y: top as i16,
                    width: BIT,
                    height: CELL.1,
                },
            )?;
        }
        let mut column = BITS * BIT / CELL.0 + 2;
        connection.change_gc(*gc, &ChangeGCAux::new().background(0x0010_1418))?;
        for (color, word) in source_line(&mut self.random) {
            let end = column + word.len() as u16;
            if end > COLUMNS {
                break;
            }
            connection.change_gc(*gc, &ChangeGCAux::new().foreground(color))?;
            let baseline = (top + CELL.1 - 3) as i16;
            connection.image_text8(
                *window,
                *gc,
                (column * CELL.0) as i16,
                baseline,
                word.as_bytes(),
            )?;
            column = end + 1;
        }
        let drawn = now();
        connection.flush()?;
        Ok(drawn)
    }
}
