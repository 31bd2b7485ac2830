//! Frames through an encoder and a decoder: exact where promised, close elsewhere.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use porthole_encode::{
    Common, Encoder, FrameView, Jpeg, JpegError, JpegQuality, Quality, Rect, Region, Subsampling,
};
use porthole_rfb::{
    Converter, Encoding, PixelFormat, ViewerEncodings,
    decode::{Decoder, DecoderLimits, Picture, ServerEvent, Surface},
    server::Update,
};
use proptest::prelude::*;

struct Random(u64);

impl Random {
    fn next(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as u32 % below.max(1)
    }
}

/// A desktop: a plain ground with boxes of every kind on it.
fn desktop(width: u16, height: u16, seed: u64) -> Picture {
    let mut random = Random(seed | 1);
    let mut picture = Picture::new(width, height);
    picture.fill(Rect::new(0, 0, width, height), random.next(1 << 24));
    for _ in 0..random.next(8) {
        paint_box(&mut picture, &mut random);
    }
    picture
}

fn paint_box(picture: &mut Picture, random: &mut Random) {
    let x = random.next(picture.width().into()) as u16;
    let y = random.next(picture.height().into()) as u16;
    let width = 1 + random.next(u32::from(picture.width() - x)) as u16;
    let height = 1 + random.next(u32::from(picture.height() - y)) as u16;
    let area = Rect {
        x,
        y,
        width,
        height,
    };
    let kind = random.next(4);
    let colours: Vec<u32> = (0..2 + random.next(300))
        .map(|_| random.next(1 << 24))
        .collect();
    let shade = random.next(1 << 24);
    let pixels: Vec<u8> = (0..u32::from(height))
        .flat_map(|row| (0..u32::from(width)).map(move |column| (row, column)))
        .flat_map(|(row, column)| {
            let colour = match kind {
                0 => shade,
                1 => colours[random.next(2) as usize],
                2 => colours[random.next(colours.len() as u32) as usize],
                _ => {
                    let noise = random.next(6);
                    u32::from_le_bytes([
                        (row * 2 + noise) as u8,
                        (column + noise) as u8,
                        u32::midpoint(row, column) as u8,
                        random.next(256) as u8,
                    ])
                }
            };
            colour.to_le_bytes()
        })
        .collect();
    picture.pixels(area, &pixels);
}

fn format() -> impl Strategy<Value = PixelFormat> {
    let own = PixelFormat::BGRX;
    prop::sample::select(vec![
        own,
        PixelFormat {
            red_shift: 0,
            blue_shift: 16,
            ..own
        },
        PixelFormat {
            big_endian: true,
            ..own
        },
        PixelFormat {
            red_shift: 24,
            green_shift: 16,
            blue_shift: 8,
            ..own
        },
        PixelFormat { depth: 32, ..own },
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
    ])
}

/// The picture after what the format loses.
fn reduced(frame: &FrameView, converter: &Converter) -> Vec<u8> {
    frame
        .rows(frame.bounds())
        .flat_map(|row| row.as_chunks::<4>().0)
        .flat_map(|&pixel| {
            converter
                .colour(converter.pixel(u32::from_le_bytes(pixel)))
                .to_le_bytes()
        })
        .collect()
}

/// A viewer with everything but a screen.
struct Viewer {
    decoder: Decoder,
    picture: Picture,
    jpegs: usize,
}

impl Viewer {
    fn new(width: u16, height: u16, format: PixelFormat) -> Self {
        let limits = DecoderLimits::default();
        let mut decoder = Decoder::after_handshake(limits, width, height).unwrap();
        decoder.set_format(format).unwrap();
        Self {
            decoder,
            picture: Picture::new(width, height),
            jpegs: 0,
        }
    }

    fn receive(&mut self, update: Update) {
        self.decoder.push(&update.finish());
        let mut surface = WithJpeg {
            picture: &mut self.picture,
            jpegs: &mut self.jpegs,
        };
        let event = self.decoder.next_event(&mut surface).unwrap();
        assert_eq!(event, Some(ServerEvent::UpdateEnd));
        assert_eq!(self.decoder.buffered(), 0);
    }
}

struct WithJpeg<'a> {
    picture: &'a mut Picture,
    jpegs: &'a mut usize,
}

impl Surface for WithJpeg<'_> {
    fn resize(&mut self, width: u16, height: u16) {
        self.picture.resize(width, height);
    }

    fn pixels(&mut self, area: Rect, bgrx: &[u8]) {
        // What viewers need not take.
        assert!(area.width <= 2048);
        self.picture.pixels(area, bgrx);
    }

    fn fill(&mut self, area: Rect, colour: u32) {
        assert!(area.width <= 2048);
        self.picture.fill(area, colour);
    }

    fn copy(&mut self, area: Rect, from_x: u16, from_y: u16) {
        self.picture.copy(area, from_x, from_y);
    }

    fn jpeg(&mut self, area: Rect, jpeg: &[u8]) {
        *self.jpegs += 1;
        let image = turbojpeg::decompress(jpeg, turbojpeg::PixelFormat::BGRX).unwrap();
        assert_eq!(
            (image.width, image.height),
            (area.width.into(), area.height.into())
        );
        assert_eq!(image.pitch, image.width * 4);
        self.picture.pixels(area, &image.pixels);
    }

    fn h264(&mut self, _: Rect, _: u32, _: &[u8]) {
        panic!("H.264 that was not asked for");
    }
}

fn encoder(list: &[Encoding], format: PixelFormat) -> Encoder {
    let mut encoder = Encoder::new();
    encoder.set_format(format).unwrap();
    encoder.set_encodings(&ViewerEncodings::new(list));
    encoder
}

/// In decibels; infinite when equal.
fn psnr(one: &[u8], two: &[u8]) -> f64 {
    let mut squares = 0.0;
    for (one, two) in one.as_chunks::<4>().0.iter().zip(two.as_chunks::<4>().0) {
        for colour in 0..3 {
            squares += (f64::from(one[colour]) - f64::from(two[colour])).powi(2);
        }
    }
    10.0 * (255.0 * 255.0 / (squares / (one.len() as f64 * 0.75))).log10()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exact_without_jpeg(
        width in 1_u16..200,
        height in 1_u16..160,
        seeds in prop::collection::vec(any::<u64>(), 1..4),
        format in format(),
        encoding in prop::sample::select(&[Encoding::RAW, Encoding::ZRLE, Encoding::TIGHT][..]),
        level in 0_u8..10,
        predicts: bool,
    ) {
        let own = if predicts { Encoding::PREDICTED } else { encoding };
        let mut encoder = encoder(&[encoding, own, Encoding::compression(level)], format);
        let mut viewer = Viewer::new(width, height, format);
        let converter = Converter::new(format).unwrap();
        for seed in seeds {
            let picture = desktop(width, height, seed);
            let frame = picture.view().unwrap();
            let mut update = Update::new();
            encoder.encode(&frame, &frame.bounds().into(), &mut update);
            viewer.receive(update);
            prop_assert!(viewer.picture.bgrx() == reduced(&frame, &converter));
            prop_assert!(encoder.lossy_region().is_empty());
        }
    }

    #[test]
    fn a_region_is_all_that_is_sent(
        width in 1_u16..200,
        height in 1_u16..160,
        seed: u64,
        rects in prop::collection::vec((0_u16..200, 0_u16..160, 0_u16..200, 0_u16..160), 0..12),
        encoding in prop::sample::select(&[Encoding::RAW, Encoding::ZRLE, Encoding::TIGHT][..]),
    ) {
        let rects: Vec<Rect> =
            rects.into_iter().map(|(x, y, w, h)| Rect::new(x, y, w, h)).collect();
        let region = Region::from_rects(&rects);
        let picture = desktop(width, height, seed);
        let frame = picture.view().unwrap();
        let mut update = Update::new();
        encoder(&[encoding], PixelFormat::BGRX).encode(&frame, &region, &mut update);
        let mut viewer = Viewer::new(width, height, PixelFormat::BGRX);
        let untouched = 0x55_5555;
        viewer.picture.fill(frame.bounds(), untouched);
        viewer.receive(update);
        for y in 0..height {
            for x in 0..width {
                let pixel = Rect::new(x, y, 1, 1);
                let got = viewer.picture.view().unwrap().row(&pixel, 0).to_vec();
                let mut expected = frame.row(&pixel, 0).to_vec();
                expected[3] = 0;
                if !region.contains(x, y) {
                    expected = 0x0055_5555_u32.to_le_bytes().to_vec();
                }
                prop_assert_eq!(got, expected, "at {},{}", x, y);
            }
        }
    }

    #[test]
    fn close_with_jpeg_then_exact(
        width in 1_u16..200,
        height in 1_u16..160,
        seed: u64,
        quality in 0_u8..10,
    ) {
        let list = [Encoding::TIGHT, Encoding::quality(quality)];
        let mut encoder = encoder(&list, PixelFormat::BGRX);
        let mut viewer = Viewer::new(width, height, PixelFormat::BGRX);
        let picture = desktop(width, height, seed);
        let frame = picture.view().unwrap();
        let exact = reduced(&frame, &Converter::bgrx());
        let mut update = Update::new();
        encoder.encode(&frame, &frame.bounds().into(), &mut update);
        viewer.receive(update);
        let lossy = encoder.lossy_region().clone();
        prop_assert_eq!(lossy.is_empty(), viewer.jpegs == 0);
        // Exact everywhere else.
        for (index, (got, exact)) in
            viewer.picture.bgrx().chunks(4).zip(exact.chunks(4)).enumerate()
        {
            let (x, y) = (index % usize::from(width), index / usize::from(width));
            prop_assert!(got == exact || lossy.contains(x as u16, y as u16));
        }
        let mut refresh = Update::new();
        encoder.encode_lossless(&frame, &lossy, &mut refresh);
        viewer.receive(refresh);
        prop_assert!(viewer.picture.bgrx() == exact);
        prop_assert!(encoder.lossy_region().is_empty());
    }
}

/// A picture without hard edges.
fn photograph(width: u16, height: u16) -> Picture {
    let mut picture = Picture::new(width, height);
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (f32::from(x), f32::from(y))))
        .flat_map(|(x, y)| {
            let wave =
                |phase: f32| (127.0 + 90.0 * ((x + phase) / 40.0).sin() * (y / 30.0).cos()) as u8;
            [
                wave(0.0),
                wave(15.0),
                wave(60.0).wrapping_add((x as u8) & 3),
                0,
            ]
        })
        .collect();
    picture.pixels(Rect::new(0, 0, width, height), &pixels);
    picture
}

#[test]
fn photographs_are_close_at_every_quality() {
    let picture = photograph(301, 203);
    let frame = picture.view().unwrap();
    let mut sizes = Vec::new();
    for (quality, least) in [(0, 26.0), (3, 31.0), (6, 33.0), (9, 38.0)] {
        let list = [Encoding::TIGHT, Encoding::quality(quality)];
        let mut encoder = encoder(&list, PixelFormat::BGRX);
        let mut viewer = Viewer::new(301, 203, PixelFormat::BGRX);
        let mut update = Update::new();
        encoder.encode(&frame, &frame.bounds().into(), &mut update);
        sizes.push(update.len());
        viewer.receive(update);
        assert!(viewer.jpegs > 0);
        let psnr = psnr(viewer.picture.bgrx(), frame.part(&frame.bounds()));
        assert!(psnr > least, "quality {quality}: {psnr} dB");
    }
    assert!(sizes.is_sorted() && sizes[0] < sizes[3] / 2, "{sizes:?}");
}

#[test]
fn jpeg_only_where_it_may() {
    let picture = photograph(128, 128);
    let frame = picture.view().unwrap();
    let jpegs = |list: &[Encoding], format: PixelFormat| {
        let mut encoder = encoder(list, format);
        let mut viewer = Viewer::new(128, 128, format);
        let mut update = Update::new();
        encoder.encode(&frame, &frame.bounds().into(), &mut update);
        viewer.receive(update);
        viewer.jpegs
    };
    let (tight, zrle, quality) = (Encoding::TIGHT, Encoding::ZRLE, Encoding::quality(6));
    let own = PixelFormat::BGRX;
    assert!(jpegs(&[tight, quality], own) > 0);
    assert!(jpegs(&[tight, zrle, quality], own) > 0);
    // The viewer's order counts; without a quality it wants no JPEG.
    assert_eq!(jpegs(&[zrle, tight, quality], own), 0);
    assert_eq!(jpegs(&[tight], own), 0);
    let high = PixelFormat {
        bits_per_pixel: 16,
        depth: 16,
        red_max: 31,
        green_max: 63,
        blue_max: 31,
        red_shift: 11,
        green_shift: 5,
        ..own
    };
    assert_eq!(jpegs(&[tight, quality], high), 0);
}

#[test]
fn a_jpeg_that_fails_is_sent_exactly() {
    struct Broken;
    impl Jpeg for Broken {
        fn compress(
            &mut self,
            _: &FrameView,
            _: Rect,
            _: JpegQuality,
            _: &mut Vec<u8>,
        ) -> Result<(), JpegError> {
            let image = turbojpeg::decompress(&[], turbojpeg::PixelFormat::BGRX);
            Err(image.err().map(JpegError::from).unwrap())
        }
    }
    let picture = photograph(128, 128);
    let frame = picture.view().unwrap();
    let mut encoder = Encoder::sharing(Common::with_jpeg(Some(Box::new(Broken))).into());
    encoder.set_encodings(&ViewerEncodings::new(&[
        Encoding::TIGHT,
        Encoding::quality(5),
    ]));
    let mut viewer = Viewer::new(128, 128, PixelFormat::BGRX);
    let mut update = Update::new();
    encoder.encode(&frame, &frame.bounds().into(), &mut update);
    viewer.receive(update);
    assert!(viewer.picture.bgrx() == picture.bgrx() && encoder.lossy_region().is_empty());
}

#[test]
fn wide_frames_are_cut_for_tight() {
    let mut picture = desktop(5000, 70, 5);
    picture.pixels(Rect::new(100, 0, 301, 70), photograph(301, 70).bgrx());
    let frame = picture.view().unwrap();
    let mut encoder = encoder(&[Encoding::TIGHT], PixelFormat::BGRX);
    let mut viewer = Viewer::new(5000, 70, PixelFormat::BGRX);
    let mut update = Update::new();
    encoder.encode(&frame, &frame.bounds().into(), &mut update);
    viewer.receive(update);
    assert!(viewer.picture.bgrx() == reduced(&frame, &Converter::bgrx()));
}

#[test]
fn a_plain_desktop_takes_few_bytes() {
    let mut picture = Picture::new(1920, 1080);
    picture.fill(Rect::new(0, 0, 1920, 1080), 0x20_4060);
    picture.fill(Rect::new(0, 0, 1920, 30), 0x10_1010);
    let frame = picture.view().unwrap();
    let mut update = Update::new();
    encoder(&[Encoding::TIGHT], PixelFormat::BGRX).encode(
        &frame,
        &frame.bounds().into(),
        &mut update,
    );
    assert!(update.len() < 2000, "{}", update.len());
}

#[test]
fn a_scattered_region_is_rounded() {
    let picture = photograph(600, 600);
    let frame = picture.view().unwrap();
    let rects: Vec<Rect> = (0..300_u16)
        .flat_map(|y| (0..20_u16).map(move |x| Rect::new(x * 30, y * 2, 1, 1)))
        .collect();
    let mut update = Update::new();
    encoder(&[Encoding::TIGHT], PixelFormat::BGRX).encode(
        &frame,
        &Region::from_rects(&rects),
        &mut update,
    );
    assert!(update.rects() < 300);
}

#[test]
fn copies_take_their_loss_along() {
    let picture = photograph(256, 256);
    let frame = picture.view().unwrap();
    let list = [Encoding::TIGHT, Encoding::COPY_RECT, Encoding::quality(2)];
    let mut encoder = encoder(&list, PixelFormat::BGRX);
    let mut update = Update::new();
    let photo = Rect::new(0, 0, 64, 64);
    encoder.encode(&frame, &photo.into(), &mut update);
    assert_eq!(*encoder.lossy_region(), photo.into());
    encoder.copy(Rect::new(100, 50, 200, 64), 0, 0, &mut update);
    let both = Region::from_rects(&[photo, Rect::new(100, 50, 64, 64)]);
    assert_eq!(*encoder.lossy_region(), both);
    encoder.copy(photo, 192, 192, &mut update);
    assert_eq!(*encoder.lossy_region(), Rect::new(100, 50, 64, 64).into());
}

#[test]
fn qualities_follow_the_viewer() {
    let quality = |list: &[Encoding]| Quality::from(&ViewerEncodings::new(list));
    assert_eq!(
        quality(&[]),
        Quality {
            jpeg: None,
            compression: 2
        }
    );
    let nine = quality(&[Encoding::quality(9), Encoding::compression(7)]);
    assert_eq!(nine.compression, 7);
    assert_eq!(nine.jpeg.unwrap().subsampling, Subsampling::Full);
    // TurboVNC's fine quality and sampling.
    let fine = quality(&[
        Encoding::quality(9),
        Encoding(-512 + 80),
        Encoding(-768 + 1),
    ]);
    let jpeg = JpegQuality {
        quality: 80,
        subsampling: Subsampling::Quarter,
    };
    assert_eq!(fine.jpeg, Some(jpeg));
}
