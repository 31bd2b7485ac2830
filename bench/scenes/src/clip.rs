//! Video: a photo that pans and zooms with grain and sharp moving shapes, 30 frames a second, the
//! frame's number as a barcode on top. `start SECONDS`, `show FRAME`; tells `frame` with its number
//! and when it was handed over.

use std::fs;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use x11rb::connection::Connection;
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xproto::ImageFormat;
use x11rb::wrapper::ConnectionExt as _;

use crate::display::{Display, commands, now, tell, wait};
use crate::picture::{Random, photo, sample, shade};
use crate::segment::Segment;

/// Where the window is and how large the clip is, in pixels.
pub struct Place {
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
    /// Left edge.
    pub x: i16,
    /// Top edge.
    pub y: i16,
}

/// Pictures of the clip; it begins again after them, without a jump.
const FRAMES: usize = 48;
const RATE: u32 = 30;
/// Side of one bit of the barcode in pixels.
const BIT: usize = 32;
/// Bits of the barcode: white, black, then the number's 14 bits.
const BITS: usize = 16;
/// Changes whenever the clip's content does: part of the cached file's name.
const VERSION: u32 = 2;

/// Runs until the input ends.
pub fn run(place: &Place, cache: Option<&Path>) -> Result<()> {
    let (width, height) = (usize::from(place.width), usize::from(place.height));
    if width < BIT * BITS || height < BIT * 2 {
        bail!("a clip of {width}x{height} has no room for its barcode");
    }
    let frames = load(width, height, cache)?;
    let display = Display::show(place.x, place.y, Some((place.width, place.height)))?;
    let mut player = Player {
        // Two, so that one can be filled while the server may still read the other.
        buffers: [
            Segment::attach(&display.connection, width * height)?,
            Segment::attach(&display.connection, width * height)?,
        ],
        display,
        frames,
        width,
        height,
        number: 0,
    };
    player.put()?;
    tell(&json!({
        "ev": "ready", "t": now(), "x": place.x, "y": place.y, "width": width, "height": height,
        "bit": BIT, "bits": BITS, "frames": FRAMES,
    }));
    let commands = commands();
    while let Ok(words) = commands.recv() {
        if let Err(error) = player.command(&words, &commands) {
            tell(&json!({"ev": "error", "what": format!("{error:#}")}));
        }
    }
    Ok(())
}

struct Player {
    display: Display,
    buffers: [Segment; 2],
    frames: Vec<u32>,
    width: usize,
    height: usize,
    number: usize,
}

impl Player {
    fn command(&mut self, words: &[String], commands: &Receiver<Vec<String>>) -> Result<()> {
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["start", seconds] => {
                let seconds: u32 = seconds.parse().context("seconds")?;
                let start = Instant::now();
                for index in 0..seconds * RATE {
                    let due = start + Duration::from_secs_f64(f64::from(index) / f64::from(RATE));
                    wait(commands, due);
                    self.number = (self.number + 1) % (1 << (BITS - 2));
                    let drawn = self.put()?;
                    tell(&json!({"ev": "frame", "n": self.number, "t": drawn}));
                }
                tell(&json!({"ev": "end", "t": now()}));
            }
            ["show", number] => {
                self.number = number.parse().context("frame number")?;
                let drawn = self.put()?;
                tell(&json!({"ev": "done", "t": drawn}));
            }
            _ => bail!("unknown command {words:?}"),
        }
        Ok(())
    }

    /// Writes the frame `number` with its barcode into a buffer.
    fn compose(&mut self, buffer: usize) {
        let size = self.width * self.height;
        let at = self.number % FRAMES * size;
        let code = 1 << (BITS - 1) | self.number;
        let pixels = self.buffers[buffer].pixels();
        pixels.copy_from_slice(&self.frames[at..at + size]);
        for row in pixels.chunks_exact_mut(self.width).take(BIT) {
            for (bit, cell) in row.chunks_exact_mut(BIT).take(BITS).enumerate() {
                cell.fill(if code >> (BITS - 1 - bit) & 1 == 1 {
                    0x00ff_ffff
                } else {
                    0
                });
            }
        }
    }

    /// Shows the frame; when it was handed to the server.
    fn put(&mut self) -> Result<u64> {
        let buffer = self.number % 2;
        self.compose(buffer);
        let Display {
            connection,
            window,
            gc,
            width,
            height,
        } = &self.display;
        let drawn = now();
        connection.shm_put_image(
            *window,
            *gc,
            *width,
            *height,
            0,
            0,
            *width,
            *height,
            0,
            0,
            24,
            ImageFormat::Z_PIXMAP.into(),
            false,
            self.buffers[buffer].id,
            0,
        )?;
        connection.flush()?;
        // Back when the server has read the buffer; the next call fills the other one all the same.
        connection.sync()?;
        Ok(drawn)
    }
}

/// The clip's pictures, from the cache where they are there.
fn load(width: usize, height: usize, cache: Option<&Path>) -> Result<Vec<u32>> {
    let file = cache.map(|folder| folder.join(format!("clip-{width}x{height}-v{VERSION}.raw")));
    if let Some(bytes) = file.as_ref().and_then(|file| fs::read(file).ok())
        && bytes.len() == width * height * FRAMES * 4
    {
        return Ok(bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|pixel| u32::from_le_bytes(*pixel))
            .collect());
    }
    let frames = render(width, height);
    if let Some(file) = file {
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|pixel| pixel.to_le_bytes())
            .collect();
        let part = file.with_extension(format!("{}.part", std::process::id()));
        fs::write(&part, bytes)
            .and_then(|()| fs::rename(&part, &file))
            .with_context(|| format!("keeping {}", file.display()))?;
    }
    Ok(frames)
}

fn render(width: usize, height: usize) -> Vec<u32> {
    // A little larger than the clip, so that there is something to pan over.
    let (wide, high) = (width * 5 / 4, height * 5 / 4);
    let picture = photo(wide, high);
    let mut frames = vec![0_u32; width * height * FRAMES];
    for (number, frame) in frames.chunks_exact_mut(width * height).enumerate() {
        let phase = number as f32 / FRAMES as f32 * std::f32::consts::TAU;
        let zoom = 1.0 + 0.06 * phase.sin();
        let center = (
            wide as f32 / 2.0 + phase.cos() * width as f32 * 0.06,
            high as f32 / 2.0 + phase.sin() * height as f32 * 0.05,
        );
        let mut grain = Random::new(number as u64 + 1);
        for y in 0..height {
            for x in 0..width {
                let sx = center.0 + (x as f32 - width as f32 / 2.0) * zoom;
                let sy = center.1 + (y as f32 - height as f32 / 2.0) * zoom;
                let color = sample(&picture, wide, high, sx, sy);
                // Two dice: most grain is faint.
                let dice = grain.next();
                frame[y * width + x] = shade(color, (dice & 7) as i32 + (dice >> 3 & 7) as i32 - 7);
            }
        }
        shapes(frame, width, height, phase);
    }
    frames
}

/// Sharp things that move: two bars and a disc.
fn shapes(frame: &mut [u32], width: usize, height: usize, phase: f32) {
    let (w, h) = (width as f32, height as f32);
    let bar = (
        (0.5 + 0.35 * phase.cos()) * w,
        (0.35 + 0.1 * (2.0 * phase).sin()) * h,
    );
    let disc = (
        (0.5 + 0.3 * (phase + 1.0).sin()) * w,
        (0.65 + 0.15 * phase.cos()) * h,
    );
    let radius = h * 0.07;
    for y in 0..height {
        for x in 0..width {
            let (px, py) = (x as f32, y as f32);
            let pixel = &mut frame[y * width + x];
            if (px - bar.0).abs() < w * 0.05 && (py - bar.1).abs() < h * 0.03 {
                *pixel = if (px - bar.0).abs() % 16.0 < 8.0 {
                    0x00f0_e020
                } else {
                    0x0010_2060
                };
            }
            if (px - disc.0).hypot(py - disc.1) < radius {
                *pixel = 0x00e0_3030;
            }
        }
    }
}
