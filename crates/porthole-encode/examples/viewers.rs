//! What several viewers of one screen cost: processor time and bytes of each update that one gets,
//! for one viewer, for six, and for six that share nothing.
//!
//! ```sh
//! cargo run --release -p porthole-encode --example viewers
//! ```
#![allow(clippy::unwrap_used)]

use porthole_encode::{Common, Encoder, Rect};
use porthole_rfb::{
    Encoding, ViewerEncodings,
    decode::{Picture, Surface as _},
    server::Update,
};
use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

const UPDATES: u32 = 42;
const WARM: u32 = 26;

type Scene = (&'static str, Rect, fn(u32, u32, u32) -> u32);

/// Text in words of eight letters of 8×16 pixels, in lines of different length.
fn text(x: u32, y: u32, number: u32) -> u32 {
    let line = (y + number * 16) / 16;
    let seed = line.wrapping_mul(0x85eb_ca6b);
    let word = (seed >> 7).wrapping_add(x / 64).wrapping_mul(0x9e37_79b1) >> 24;
    if x / 8 > 40 + (seed >> 27 << 2) || x / 8 % 8 == word % 8 {
        return 0x10_1418;
    }
    let letter = (word * 8 + x / 8 % 8).wrapping_mul(0xc2b2_ae35);
    let on = letter.rotate_left(y % 16 * 5 + x % 8) & 3 == 1;
    let colour = [0xe0_e0e0, 0x60_c060, 0x40_80ff, 0xff_b040][(word % 4) as usize];
    if on { colour } else { 0x10_1418 }
}

fn film(x: u32, y: u32, number: u32) -> u32 {
    let (x, y) = (x + number * 3, y + number);
    let wave = |period: u32, at: u32| at.abs_diff(at / period * period + period / 2) * 255 / period;
    let noise = (x * 31 + y * 17).wrapping_mul(0x9e37_79b1) >> 29;
    (wave(310, x) + noise) << 16 | (wave(270, y) + noise) << 8 | (wave(190, x + y) + noise)
}

fn main() {
    let tight = [
        Encoding::TIGHT,
        Encoding::quality(6),
        Encoding::compression(2),
    ];
    let browser = [
        Encoding::TIGHT,
        Encoding::PREDICTED,
        Encoding::OPEN_H264,
        Encoding::quality(7),
        Encoding::compression(2),
    ];
    let scenes: [Scene; 3] = [
        ("film, 1280×720", Rect::new(320, 180, 1280, 720), film),
        ("text, all of the page", Rect::new(0, 0, 1920, 1072), text),
        ("text, one line", Rect::new(0, 1056, 1920, 16), text),
    ];
    for (name, area, paint) in scenes {
        for (kind, list) in [("Tight", &tight[..]), ("browser", &browser)] {
            for (viewers, shares) in [(1, false), (6, true), (6, false)] {
                let (time, bytes) = run(area, paint, list, viewers, shares);
                let how = if shares { "sharing" } else { "apart" };
                println!("{name:24} {kind:8} {viewers} {how:8} {time:6.2} ms {bytes:8.1} kB");
            }
        }
    }
}

/// Milliseconds and kilobytes of an update of one viewer.
fn run(
    area: Rect,
    paint: fn(u32, u32, u32) -> u32,
    list: &[Encoding],
    viewers: usize,
    shares: bool,
) -> (f64, f64) {
    let commons: Vec<Arc<Common>> = (0..if shares { 1 } else { viewers })
        .map(|_| Arc::default())
        .collect();
    let mut encoders: Vec<Encoder> = (0..viewers)
        .map(|index| {
            let mut encoder = Encoder::sharing(commons[index % commons.len()].clone());
            encoder.set_encodings(&ViewerEncodings::new(list));
            encoder
        })
        .collect();
    let mut screen = Picture::new(1920, 1080);
    let (mut time, mut bytes) = (Duration::ZERO, 0);
    let start = Instant::now();
    for number in 0..UPDATES {
        let pixels: Vec<u8> = (u32::from(area.y)..area.bottom())
            .flat_map(|y| (u32::from(area.x)..area.right()).map(move |x| (x, y)))
            .flat_map(|(x, y)| paint(x, y, number).to_le_bytes())
            .collect();
        screen.pixels(area, &pixels);
        let now = start + Duration::from_millis(33) * number;
        let before = cpu();
        let mut sent = 0;
        for common in &commons {
            common.changed(&screen.view().unwrap(), &area.into(), now);
        }
        for encoder in &mut encoders {
            encoder.set_generation(shares.then_some(number.into()));
            let mut update = Update::new();
            encoder.encode_at(&screen.view().unwrap(), &area.into(), now, &mut update);
            sent += update.finish().len();
        }
        if number >= WARM {
            time += cpu().saturating_sub(before);
            bytes += sent;
        }
    }
    let count = f64::from(UPDATES - WARM) * viewers as f64;
    (time.as_secs_f64() * 1e3 / count, bytes as f64 / 1e3 / count)
}

/// What this thread has computed: others on the machine do not count.
fn cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
