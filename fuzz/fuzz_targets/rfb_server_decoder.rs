//! A hostile display.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porthole_rfb::{
    PixelFormat, Rect,
    clipboard::Clipboard,
    decode::{DecodeError, Decoder, DecoderLimits, Picture, ServerEvent, Surface},
    server::h264::max_len,
};

const LIMITS: DecoderLimits = DecoderLimits {
    pixels: 1 << 14,
    cut_text: 4096,
    cursor: 64,
    text: 256,
};

/// Checks what the decoder promises, and paints.
#[derive(Default, PartialEq)]
struct Checked {
    picture: Picture,
    jpegs: usize,
    h264: usize,
}

impl Checked {
    fn check(&self, area: Rect) {
        assert!(!area.is_empty() && area.fits(self.picture.width(), self.picture.height()));
    }
}

impl Surface for Checked {
    fn resize(&mut self, width: u16, height: u16) {
        assert!(u32::from(width) * u32::from(height) <= LIMITS.pixels);
        self.picture.resize(width, height);
    }

    fn pixels(&mut self, area: Rect, bgrx: &[u8]) {
        self.check(area);
        assert_eq!(bgrx.len(), area.area() * 4);
        self.picture.pixels(area, bgrx);
    }

    fn fill(&mut self, area: Rect, colour: u32) {
        self.check(area);
        self.picture.fill(area, colour);
    }

    fn copy(&mut self, area: Rect, from_x: u16, from_y: u16) {
        self.check(area);
        self.check(Rect {
            x: from_x,
            y: from_y,
            ..area
        });
        self.picture.copy(area, from_x, from_y);
    }

    fn jpeg(&mut self, area: Rect, jpeg: &[u8]) {
        self.check(area);
        self.jpegs += jpeg.len();
    }

    fn h264(&mut self, area: Rect, _: u32, data: &[u8]) {
        self.check(area);
        assert!(data.len() <= max_len(area));
        self.h264 += data.len();
    }
}

fn formats() -> [PixelFormat; 4] {
    let own = PixelFormat::BGRX;
    [
        own,
        PixelFormat {
            big_endian: true,
            red_shift: 24,
            green_shift: 16,
            blue_shift: 8,
            ..own
        },
        PixelFormat {
            bits_per_pixel: 16,
            depth: 16,
            red_max: 31,
            green_max: 63,
            blue_max: 31,
            red_shift: 11,
            green_shift: 5,
            ..own
        },
        PixelFormat {
            bits_per_pixel: 8,
            depth: 8,
            red_max: 7,
            green_max: 7,
            blue_max: 3,
            red_shift: 0,
            green_shift: 3,
            blue_shift: 6,
            ..own
        },
    ]
}

fn decoder(mode: u8, surface: &mut Checked) -> Option<Decoder> {
    if mode & 1 == 0 {
        return Some(Decoder::new(LIMITS));
    }
    let mut decoder = Decoder::after_handshake(LIMITS, 100, 80).ok()?;
    decoder
        .set_format(formats()[usize::from(mode >> 1 & 3)])
        .ok()?;
    surface.resize(100, 80);
    Some(decoder)
}

fn run(
    mode: u8,
    stream: &[u8],
    piece: usize,
) -> Option<(Vec<ServerEvent>, Option<DecodeError>, Checked)> {
    let mut surface = Checked::default();
    let mut decoder = decoder(mode, &mut surface)?;
    let mut events = Vec::new();
    for bytes in stream.chunks(piece) {
        decoder.push(bytes);
        loop {
            match decoder.next_event(&mut surface) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return Some((events, Some(error), surface)),
            }
        }
    }
    Some((events, None, surface))
}

fuzz_target!(|data: &[u8]| {
    let [mode, piece, stream @ ..] = data else {
        return;
    };
    let whole = run(*mode, stream, stream.len().max(1));
    let split = run(*mode, stream, usize::from(*piece).max(16));
    assert!(whole == split);
    for event in whole.into_iter().flat_map(|(events, _, _)| events) {
        if let ServerEvent::Clipboard(Clipboard::Provide(provided)) = event {
            let _ = provided.text(10_000);
        }
    }
});
