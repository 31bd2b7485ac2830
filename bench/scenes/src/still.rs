//! A still picture for fidelity: text, coloured text, a gradient and a photo, a quarter each.
//! `show`, `hide`, `dump PATH`; `ready` and `dump` tell the picture's hash.

use std::fs;
use std::io::Write;

use anyhow::{Context, Result, bail};
use serde_json::json;
use x11rb::connection::Connection;
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xproto::{ChangeGCAux, ConnectionExt, ImageFormat, Rectangle};
use x11rb::wrapper::ConnectionExt as _;
use xxhash_rust::xxh3::xxh3_64;

use crate::display::{Display, commands, now, tell};
use crate::picture::{Random, photo, shade, source_line};
use crate::segment::Segment;

/// The glyphs that text is set from: printable ASCII in the server's built-in font.
const CELL: (usize, usize) = (6, 13);
const GLYPHS: usize = 95;

/// Runs until the input ends.
pub fn run() -> Result<()> {
    let display = Display::show(0, 0, None)?;
    let (width, height) = (usize::from(display.width), usize::from(display.height));
    let glyphs = glyphs(&display)?;
    let mut segment = Segment::attach(&display.connection, width * height)?;
    compose(segment.pixels(), width, height, &glyphs);
    let bytes: Vec<u8> = segment
        .pixels()
        .iter()
        .flat_map(|pixel| {
            let [blue, green, red, _] = pixel.to_le_bytes();
            [red, green, blue, 255]
        })
        .collect();
    let hash = format!("{:016x}", xxh3_64(&bytes));
    display.fill_all(0x0030_3840)?;
    display.connection.sync()?;
    tell(&json!({"ev": "ready", "t": now(), "width": width, "height": height, "hash": hash}));
    for words in commands() {
        let answer = (|| -> Result<u64> {
            let mut at = now();
            match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["show"] => {
                    at = now();
                    display.connection.shm_put_image(
                        display.window,
                        display.gc,
                        display.width,
                        display.height,
                        0,
                        0,
                        display.width,
                        display.height,
                        0,
                        0,
                        24,
                        ImageFormat::Z_PIXMAP.into(),
                        false,
                        segment.id,
                        0,
                    )?;
                }
                ["hide"] => display.fill_all(0x0030_3840)?,
                ["dump", path] => fs::File::create(path)
                    .and_then(|mut file| file.write_all(&bytes))
                    .context("writing the picture")?,
                _ => bail!("unknown command {words:?}"),
            }
            display.connection.sync()?;
            Ok(at)
        })();
        match answer {
            Ok(at) => tell(&json!({"ev": "done", "t": at, "hash": hash})),
            Err(error) => tell(&json!({"ev": "error", "what": format!("{error:#}")})),
        }
    }
    Ok(())
}

/// The font's glyphs side by side, one byte a pixel, 1 where the glyph is.
fn glyphs(display: &Display) -> Result<Vec<u8>> {
    let connection = &display.connection;
    let (width, height) = (CELL.0 * GLYPHS, CELL.1);
    let (font, pixmap) = (connection.generate_id()?, connection.generate_id()?);
    connection
        .open_font(font, b"fixed")?
        .check()
        .context("opening the font 'fixed'")?;
    connection.create_pixmap(24, pixmap, display.window, width as u16, height as u16)?;
    connection.change_gc(display.gc, &ChangeGCAux::new().font(font).foreground(0))?;
    connection.poly_fill_rectangle(
        pixmap,
        display.gc,
        &[Rectangle {
            x: 0,
            y: 0,
            width: width as u16,
            height: height as u16,
        }],
    )?;
    connection.change_gc(
        display.gc,
        &ChangeGCAux::new().foreground(0x00ff_ffff).background(0),
    )?;
    let text: Vec<u8> = (32..127).collect();
    connection.image_text8(pixmap, display.gc, 0, CELL.1 as i16 - 3, &text)?;
    let image = connection
        .get_image(
            ImageFormat::Z_PIXMAP,
            pixmap,
            0,
            0,
            width as u16,
            height as u16,
            !0,
        )?
        .reply()
        .context("reading the glyphs")?;
    connection.free_pixmap(pixmap)?;
    Ok(image
        .data
        .chunks_exact(4)
        .map(|pixel| u8::from(pixel[0] != 0))
        .collect())
}

fn compose(pixels: &mut [u32], width: usize, height: usize, glyphs: &[u8]) {
    let (middle, center) = (width / 2, height / 2);
    let mut picture = photo(width - middle, height - center);
    let mut grain = Random::new(5);
    for pixel in &mut picture {
        let dice = grain.next();
        *pixel = shade(*pixel, (dice & 3) as i32 + (dice >> 2 & 1) as i32 - 2);
    }
    for y in 0..height {
        for x in 0..width {
            pixels[y * width + x] = match (x < middle, y < center) {
                (true, true) => 0x00ff_ffff,
                (false, true) => 0x0018_1c28,
                (true, false) => {
                    let along = x * 255 / middle;
                    let down = (y - center) * 255 / (height - center);
                    (along as u32) << 16 | (down as u32) << 8 | (255 - along as u32)
                }
                (false, false) => picture[(y - center) * (width - middle) + x - middle],
            };
        }
    }
    let mut random = Random::new(11);
    for (left, back, colored) in [(0, 0x00ff_ffff, false), (middle, 0x0018_1c28, true)] {
        for top in (4..center - 24).step_by(22) {
            let mut x = left + 8;
            for (color, word) in source_line(&mut random) {
                let color = if colored { color } else { 0x0010_1010 };
                for letter in word.bytes() {
                    if x + 9 > left + middle - 8 {
                        break;
                    }
                    letter_at(
                        &mut pixels[top * width + x..],
                        width,
                        glyphs,
                        letter,
                        color,
                        back,
                    );
                    x += 9;
                }
                x += 9;
            }
        }
    }
}

/// Sets one letter one and a half times as large, with soft edges as text on a screen has them.
fn letter_at(pixels: &mut [u32], width: usize, glyphs: &[u8], letter: u8, color: u32, back: u32) {
    let glyph = usize::from(letter.saturating_sub(32)).min(GLYPHS - 1) * CELL.0;
    for y in 0..19 {
        for x in 0..9 {
            // Each pixel covers 2×2 thirds of the glyph's pixels.
            let mut covered = 0;
            for (sx, sy) in [
                (2 * x, 2 * y),
                (2 * x + 1, 2 * y),
                (2 * x, 2 * y + 1),
                (2 * x + 1, 2 * y + 1),
            ] {
                covered +=
                    u32::from(glyphs[(sy / 3).min(CELL.1 - 1) * CELL.0 * GLYPHS + glyph + sx / 3]);
            }
            pixels[y * width + x] = [0, 8, 16].into_iter().fold(0, |sum, shift| {
                let (front, behind) = (color >> shift & 0xff, back >> shift & 0xff);
                sum | ((front * covered + behind * (4 - covered)) / 4) << shift
            });
        }
    }
}
