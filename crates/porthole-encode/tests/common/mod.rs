//! A viewer, and a screen to show it.
#![allow(dead_code)] // Each test file uses its part of it.

use openh264::{decoder::Decoder as VideoDecoder, formats::YUVSource};
use porthole_encode::{FrameView, Rect, Region};
use porthole_rfb::{
    decode::{Decoder, DecoderLimits, Picture, ServerEvent, Surface},
    server::{
        Update,
        h264::{RESET_ALL_CONTEXTS, RESET_CONTEXT},
    },
};
use std::collections::HashMap;

/// A viewer with everything but a screen.
pub struct Viewer {
    decoder: Decoder,
    pub screen: Painted,
}

/// What it shows.
#[derive(Default)]
pub struct Painted {
    pub picture: Picture,
    pub contexts: HashMap<Rect, VideoDecoder>,
    /// Pictures by H.264 so far, those that stand for themselves, and those that began a stream.
    pub pictures: usize,
    pub whole: usize,
    pub begun: usize,
    /// Where the last one went, and its data.
    pub last: Option<Rect>,
    pub data: Vec<u8>,
}

impl Viewer {
    pub fn new(width: u16, height: u16) -> Self {
        Self {
            decoder: Decoder::after_handshake(DecoderLimits::default(), width, height).unwrap(),
            screen: Painted {
                picture: Picture::new(width, height),
                ..Painted::default()
            },
        }
    }

    pub fn receive(&mut self, update: Update) {
        self.decoder.push(&update.finish());
        while let Some(event) = self.decoder.next_event(&mut self.screen).unwrap() {
            assert!(matches!(
                event,
                ServerEvent::UpdateEnd | ServerEvent::DesktopSize { .. }
            ));
        }
        assert_eq!(self.decoder.buffered(), 0);
    }
}

impl Surface for Painted {
    fn resize(&mut self, width: u16, height: u16) {
        self.picture.resize(width, height);
    }

    fn pixels(&mut self, area: Rect, bgrx: &[u8]) {
        self.picture.pixels(area, bgrx);
    }

    fn fill(&mut self, area: Rect, colour: u32) {
        self.picture.fill(area, colour);
    }

    fn copy(&mut self, area: Rect, from_x: u16, from_y: u16) {
        self.picture.copy(area, from_x, from_y);
    }

    fn jpeg(&mut self, area: Rect, jpeg: &[u8]) {
        let image = turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::BGRX).unwrap();
        self.picture.pixels(area, &image.pixels);
    }

    fn h264(&mut self, area: Rect, flags: u32, data: &[u8]) {
        if flags & RESET_ALL_CONTEXTS != 0 {
            self.contexts.clear();
        } else if flags & RESET_CONTEXT != 0 {
            self.contexts.remove(&area);
        }
        if data.is_empty() {
            return;
        }
        self.pictures += 1;
        self.begun += usize::from(!self.contexts.contains_key(&area));
        self.last = Some(area);
        let whole = data
            .windows(4)
            .any(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 31 == 5);
        self.whole += usize::from(whole);
        self.data = data.to_vec();
        let context = self
            .contexts
            .entry(area)
            .or_insert_with(|| VideoDecoder::new().unwrap());
        let decoded = context.decode(data).unwrap().unwrap();
        assert_eq!(
            decoded.dimensions(),
            (area.width.into(), area.height.into())
        );
        self.picture.pixels(area, &bgrx(&decoded));
    }
}

/// BT.601 in the limited range.
fn bgrx(picture: &impl YUVSource) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let (luma, chroma, _) = picture.strides();
    (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let bright = (f32::from(picture.y()[y * luma + x]) - 16.0) * 255.0 / 219.0;
            let at = y / 2 * chroma + x / 2;
            let blue = (f32::from(picture.u()[at]) - 128.0) * 255.0 / 224.0;
            let red = (f32::from(picture.v()[at]) - 128.0) * 255.0 / 224.0;
            [
                (bright + 1.772 * blue).round() as u8,
                (bright - 0.344_136 * blue - 0.714_136 * red).round() as u8,
                (bright + 1.402 * red).round() as u8,
                0,
            ]
        })
        .collect()
}

/// In decibels; infinite when equal.
pub fn psnr(one: &FrameView, two: &FrameView, area: Rect) -> f64 {
    let squares: f64 = one
        .rows(area)
        .flatten()
        .zip(two.rows(area).flatten())
        .map(|(one, two)| (f64::from(*one) - f64::from(*two)).powi(2))
        .sum();
    10.0 * (255.0 * 255.0 / (squares / (area.area() as f64 * 3.0))).log10()
}

/// A screen, and what changed on it.
pub struct Screen {
    pub picture: Picture,
    pub damage: Region,
}

impl Screen {
    /// With text all over.
    pub fn new(width: u16, height: u16) -> Self {
        let mut screen = Self {
            picture: Picture::new(width, height),
            damage: Region::new(),
        };
        screen.text(screen.bounds(), 0);
        screen
    }

    pub fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.picture.width(), self.picture.height())
    }

    /// Whether a viewer shows an area exactly.
    pub fn is_shown(&self, viewer: &Viewer, area: Rect) -> bool {
        let (own, shown) = (self.picture.view(), viewer.screen.picture.view());
        own.unwrap().rows(area).eq(shown.unwrap().rows(area))
    }

    pub fn paint(&mut self, area: Rect, colour: impl Fn(u32, u32) -> u32) {
        let area = area.intersect(&self.bounds());
        let pixels: Vec<u8> = (u32::from(area.y)..area.bottom())
            .flat_map(|y| (u32::from(area.x)..area.right()).map(move |x| (x, y)))
            .flat_map(|(x, y)| (colour(x, y) & 0xff_ffff).to_le_bytes())
            .collect();
        self.picture.pixels(area, &pixels);
        self.damage.add(area);
    }

    pub fn text(&mut self, area: Rect, shift: u32) {
        self.paint(area, |x, y| {
            [0xff_ffff, 0, 0x20_20c0][((x / 3 * 7 + (y + shift) / 5 * 3) % 7 % 3) as usize]
        });
    }

    /// A photo that pans.
    pub fn film(&mut self, area: Rect, number: u32) {
        self.paint(area, |x, y| {
            let (x, y) = (x + number * 3, y + number);
            let wave = |period: u32, at: u32| {
                at.abs_diff(at / period * period + period / 2) * 255 / period
            };
            let noise = (x * 31 + y * 17).wrapping_mul(0x9e37_79b1) >> 29;
            (wave(310, x) + noise) << 16 | (wave(270, y) + noise) << 8 | (wave(190, x + y) + noise)
        });
    }
}
