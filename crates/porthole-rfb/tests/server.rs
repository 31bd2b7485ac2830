//! What a display sends: written and decoded, in every pixel format.
#![allow(missing_docs, clippy::unwrap_used)]

use bytes::Bytes;
use porthole_rfb::{
    Converter, Encoding, FrameView, PixelFormat, Rect, Screen,
    clipboard::Clipboard,
    decode::{DecodeError, Decoder, DecoderLimits, ExtendedSize, Picture, ServerEvent, Surface},
    handshake::{SERVER_VERSION, ServerInit, Version},
    pixel_format::Packing,
    server::{
        self, CursorImage, PredictedWriter, ResizeReason, ResizeStatus, TightWriter, Update,
        ZrleWriter,
        h264::{RESET_ALL_CONTEXTS, RESET_CONTEXT, max_len},
    },
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// True-colour formats of 8, 16 and 32 bits, in both orders, with the colours anywhere.
fn format() -> impl Strategy<Value = PixelFormat> {
    let bits = prop_oneof![
        Just((8_u8, [3_u32, 3, 2])),
        Just((8, [2, 2, 2])),
        Just((16, [5, 6, 5])),
        Just((16, [5, 5, 5])),
        Just((16, [4, 4, 4])),
        Just((32, [8, 8, 8])),
        Just((32, [8, 8, 8])),
        Just((32, [10, 10, 10])),
        Just((32, [6, 6, 6])),
        Just((32, [1, 8, 12])),
    ];
    let order = Just([0_usize, 1, 2]).prop_shuffle();
    (bits, order, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |((bits_per_pixel, bits), order, big_endian, high, deep)| {
            let used: u32 = bits.iter().sum();
            let mut shift = if high {
                u32::from(bits_per_pixel) - used
            } else {
                0
            };
            let mut shifts = [0; 3];
            for colour in order {
                shifts[colour] = shift as u8;
                shift += bits[colour];
            }
            let max = bits.map(|bits| ((1_u32 << bits) - 1) as u16);
            PixelFormat {
                bits_per_pixel,
                depth: if deep { bits_per_pixel } else { used as u8 },
                big_endian,
                true_colour: true,
                red_max: max[0],
                green_max: max[1],
                blue_max: max[2],
                red_shift: shifts[0],
                green_shift: shifts[1],
                blue_shift: shifts[2],
            }
        },
    )
}

/// Frames with few or many colours, in runs or scattered, with something in the empty byte.
fn frame() -> impl Strategy<Value = (u16, u16, Vec<u8>)> {
    (
        1_u16..150,
        1_u16..90,
        1_u32..300,
        1_usize..200,
        any::<u64>(),
    )
        .prop_map(|(width, height, colours, run, seed)| {
            let mut state = seed | 1;
            let mut next = move || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            let mut bytes = Vec::new();
            let len = usize::from(width) * usize::from(height) * 4;
            while bytes.len() < len {
                let colour = (next() >> 20) as u32 % colours;
                let pixel = colour.wrapping_mul(0x9e37_79b1) & 0xff_ffff | (next() as u32) << 24;
                let times = 1 + next() as usize % run;
                bytes.extend(std::iter::repeat_n(pixel.to_le_bytes(), times).flatten());
            }
            bytes.truncate(len);
            (width, height, bytes)
        })
}

/// The frame after what the format loses.
fn reduced(bgrx: &[u8], converter: &Converter) -> Vec<u8> {
    bgrx.as_chunks::<4>()
        .0
        .iter()
        .flat_map(|&pixel| {
            converter
                .colour(converter.pixel(u32::from_le_bytes(pixel)))
                .to_le_bytes()
        })
        .collect()
}

fn events(
    decoder: &mut Decoder,
    bytes: &[u8],
    piece: usize,
    picture: &mut Picture,
) -> Result<Vec<ServerEvent>, DecodeError> {
    let mut events = Vec::new();
    for bytes in bytes.chunks(piece.max(1)) {
        decoder.push(bytes);
        while let Some(event) = decoder.next_event(picture)? {
            events.push(event);
        }
    }
    Ok(events)
}

fn decode(bytes: &[u8], piece: usize, width: u16, height: u16, format: PixelFormat) -> Picture {
    let mut decoder = Decoder::after_handshake(DecoderLimits::default(), width, height).unwrap();
    decoder.set_format(format).unwrap();
    let mut picture = Picture::new(width, height);
    let events = events(&mut decoder, bytes, piece, &mut picture).unwrap();
    assert!(events.iter().all(|event| *event == ServerEvent::UpdateEnd));
    assert_eq!(decoder.buffered(), 0);
    picture
}

/// Cuts a frame into up to four rectangles.
fn parts(width: u16, height: u16, x: u16, y: u16) -> Vec<Rect> {
    let (x, y) = (x % width, y % height);
    [
        Rect::new(0, 0, x, y),
        Rect::new(x, 0, width - x, y),
        Rect::new(0, y, x, height - y),
        Rect::new(x, y, width - x, height - y),
    ]
    .into_iter()
    .filter(|rect| !rect.is_empty())
    .collect()
}

fn colours(frame: &FrameView, area: Rect) -> Vec<u32> {
    frame
        .rows(area)
        .flat_map(|row| row.as_chunks::<4>().0)
        .map(|pixel| u32::from_le_bytes(*pixel) & 0xff_ffff)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn lossless_encodings_are(
        (width, height, bgrx) in frame(),
        format in format(),
        x: u16, y: u16,
        level in 0_u8..10,
        piece in 1_usize..5000,
    ) {
        let frame = FrameView::new(&bgrx, usize::from(width) * 4, width, height).unwrap();
        let converter = Converter::new(format).unwrap();
        let expected = reduced(&bgrx, &converter);
        let mut raw = Update::new();
        let mut zrle = Update::new();
        let mut full = Update::new();
        let mut tight = Update::new();
        let mut zrle_writer = ZrleWriter::new(level);
        let mut full_writer = TightWriter::new(level);
        let mut tight_writer = TightWriter::new(level);
        for part in parts(width, height, x, y) {
            raw.raw(&frame, part, &converter);
            zrle_writer.write(&mut zrle, &frame, part, &converter);
            full_writer.full_colour(&mut full, &frame, part, &converter);
            let pixels = colours(&frame, part);
            let palette: Vec<u32> = pixels.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
            match palette[..] {
                [colour] => tight_writer.fill(&mut tight, part, colour, &converter),
                _ if palette.len() <= 256 => {
                    let indices: Vec<u8> = pixels
                        .iter()
                        .map(|pixel| palette.binary_search(pixel).unwrap() as u8)
                        .collect();
                    tight_writer.indexed(&mut tight, part, &palette, &indices, &converter);
                }
                _ => tight_writer.full_colour(&mut tight, &frame, part, &converter),
            }
        }
        for (name, update) in [("raw", raw), ("zrle", zrle), ("full", full), ("tight", tight)] {
            let picture = decode(&update.finish(), piece, width, height, format);
            prop_assert!(picture.bgrx() == expected, "{} differs", name);
        }
    }

    #[test]
    fn predicted_pixels_are_exact((width, height, bgrx) in frame(), x: u16, y: u16, piece in 1_usize..5000) {
        let frame = FrameView::new(&bgrx, usize::from(width) * 4, width, height).unwrap();
        let mut update = Update::new();
        let mut writer = PredictedWriter::default();
        for part in parts(width, height, x, y) {
            writer.write(&mut update, &frame, part);
        }
        let picture = decode(&update.finish(), piece, width, height, PixelFormat::BGRX);
        prop_assert!(picture.bgrx() == reduced(&bgrx, &Converter::bgrx()));
    }

    #[test]
    fn a_writers_level_may_change((width, height, bgrx) in frame(), levels in prop::collection::vec(0_u8..10, 1..5)) {
        let frame = FrameView::new(&bgrx, usize::from(width) * 4, width, height).unwrap();
        let converter = Converter::bgrx();
        let mut writer = TightWriter::new(5);
        let mut decoder = Decoder::after_handshake(DecoderLimits::default(), width, height).unwrap();
        for level in levels {
            writer.set_level(level);
            let mut update = Update::new();
            writer.full_colour(&mut update, &frame, frame.bounds(), &converter);
            let mut picture = Picture::new(width, height);
            events(&mut decoder, &update.finish(), 1000, &mut picture).unwrap();
            prop_assert!(picture.bgrx() == reduced(&bgrx, &converter));
        }
    }

    #[test]
    fn what_is_written_apart_goes_among_a_viewers_own(
        (width, height, bgrx) in frame(),
        format in format(),
        x: u16, y: u16,
        taken in prop::collection::vec(any::<bool>(), 16),
    ) {
        let frame = FrameView::new(&bgrx, usize::from(width) * 4, width, height).unwrap();
        let converter = Converter::new(format).unwrap();
        let (mut own, mut apart) = (TightWriter::new(3), TightWriter::apart(3));
        let mut update = Update::new();
        // Twice, so that streams go on where they were; the viewer does not get all that is apart.
        for (part, taken) in parts(width, height, x, y).into_iter().cycle().zip(taken) {
            let mut piece = Update::new();
            apart.full_colour(&mut piece, &frame, part, &converter);
            if taken {
                update.append(&piece);
            } else {
                own.full_colour(&mut update, &frame, part, &converter);
            }
        }
        let picture = decode(&update.finish(), 777, width, height, format);
        prop_assert!(picture.bgrx() == reduced(&bgrx, &converter));
    }

    #[test]
    fn copies_overlap((width, height, bgrx) in frame(), x: u16, y: u16, to_x: u16, to_y: u16) {
        let frame = FrameView::new(&bgrx, usize::from(width) * 4, width, height).unwrap();
        let (x, y, to_x, to_y) = (x % width, y % height, to_x % width, to_y % height);
        let area = Rect::new(to_x, to_y, width - x.max(to_x), height - y.max(to_y));
        let converter = Converter::bgrx();
        let mut update = Update::new();
        update.raw(&frame, frame.bounds(), &converter);
        update.copy_rect(area, x, y);
        let picture = decode(&update.finish(), 999, width, height, PixelFormat::BGRX);
        let mut expected = reduced(&bgrx, &converter);
        for row in 0..area.height {
            let source = Rect { x, y, ..area };
            let start = (usize::from(to_y + row) * usize::from(width) + usize::from(to_x)) * 4;
            let moved = reduced(frame.row(&source, row), &converter);
            expected[start..start + moved.len()].copy_from_slice(&moved);
        }
        prop_assert!(picture.bgrx() == expected);
    }

    #[test]
    fn broken_updates_never_panic(
        (width, height, bgrx) in frame(),
        format in format(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let frame = FrameView::new(&bgrx, usize::from(width) * 4, width, height).unwrap();
        let converter = Converter::new(format).unwrap();
        let mut update = Update::new();
        ZrleWriter::new(1).write(&mut update, &frame, frame.bounds(), &converter);
        TightWriter::new(0).full_colour(&mut update, &frame, frame.bounds(), &converter);
        PredictedWriter::default().write(&mut update, &frame, frame.bounds());
        update.extended_desktop_size(ResizeReason::Server, ResizeStatus::Done, 9, 9, &[]);
        let mut bytes = update.finish();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let limits = DecoderLimits { pixels: 1 << 16, ..DecoderLimits::default() };
        let mut decoder = Decoder::after_handshake(limits, width, height).unwrap();
        decoder.set_format(format).unwrap();
        let _ = events(&mut decoder, &bytes, 777, &mut Picture::new(width, height));
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), first in 0_u8..4) {
        let mut stream = vec![first, 0, 0, 9];
        stream.extend(bytes);
        let limits = DecoderLimits { pixels: 1 << 16, ..DecoderLimits::default() };
        let mut whole = Decoder::after_handshake(limits, 64, 48).unwrap();
        let mut split = Decoder::after_handshake(limits, 64, 48).unwrap();
        let (mut one, mut two) = (Picture::new(64, 48), Picture::new(64, 48));
        let whole = events(&mut whole, &stream, usize::MAX, &mut one);
        let split = events(&mut split, &stream, 3, &mut two);
        prop_assert_eq!(whole, split);
        prop_assert!(one.bgrx() == two.bgrx());
    }

    #[test]
    fn cursors_survive(width in 0_u16..20, height in 0_u16..20, seed in any::<u32>()) {
        let mut state = seed;
        let bgra: Vec<u8> = (0..usize::from(width) * usize::from(height))
            .flat_map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let [blue, green, red, alpha] = state.to_le_bytes();
                let alpha = if alpha < 128 { 0 } else { 255 };
                let [blue, green, red] = if alpha == 0 { [0; 3] } else { [blue, green, red] };
                [blue, green, red, alpha]
            })
            .collect();
        let cursor = CursorImage::new(width, height, 3, 4, bgra);
        let mut update = Update::new();
        update.cursor(&cursor, &Converter::bgrx());
        update.cursor_with_alpha(&cursor);
        update.vmware_cursor(&cursor);
        let mut decoder = Decoder::after_handshake(DecoderLimits::default(), 1, 1).unwrap();
        let all = events(&mut decoder, &update.finish(), 5, &mut Picture::new(1, 1)).unwrap();
        let event = ServerEvent::Cursor(cursor);
        prop_assert_eq!(all, [event.clone(), event.clone(), event, ServerEvent::UpdateEnd]);
    }
}

#[test]
fn a_whole_connection() {
    let init = ServerInit {
        width: 4,
        height: 2,
        format: PixelFormat::BGRX,
        name: "Schreibtisch ä".into(),
    };
    let mut stream = SERVER_VERSION.to_vec();
    stream.extend([1, 1, 0, 0, 0, 0]);
    init.write(&mut stream);
    let screens = [Screen {
        id: 7,
        area: Rect::new(0, 0, 6, 3),
        flags: 0,
    }];
    let mut update = Update::after(stream);
    update.extended_desktop_size(ResizeReason::Client, ResizeStatus::Done, 6, 3, &screens);
    update.desktop_name("Terminal");
    update.qemu_key();
    update.extended_mouse_buttons();
    update.pointer_motion(false);
    update.led_state(5);
    assert_eq!(update.rects(), 6);
    let mut stream = update.finish();
    server::write_bell(&mut stream);
    server::write_cut_text(b"caf\xe9", &mut stream);
    server::write_clipboard(&Clipboard::Peek, &mut stream);
    server::write_fence(0x8000_0001, b"abc", &mut stream);
    server::write_end_of_continuous_updates(&mut stream);
    let mut last = Update::after(stream);
    last.desktop_size(3, 3);
    let stream = last.finish_with_last_rect();

    let size = |width, height, extended| ServerEvent::DesktopSize {
        width,
        height,
        extended,
    };
    let extended = ExtendedSize {
        reason: 1,
        status: 0,
        screens: screens.to_vec(),
    };
    let expected = [
        ServerEvent::ProtocolVersion(Version::V8),
        ServerEvent::SecurityTypes(vec![1]),
        ServerEvent::SecurityResult(None),
        ServerEvent::Init(init),
        size(6, 3, Some(extended)),
        ServerEvent::DesktopName("Terminal".into()),
        ServerEvent::Serves(Encoding::QEMU_KEY),
        ServerEvent::Serves(Encoding::EXTENDED_MOUSE_BUTTONS),
        ServerEvent::PointerMotion { absolute: false },
        ServerEvent::LedState(5),
        ServerEvent::UpdateEnd,
        ServerEvent::Bell,
        ServerEvent::CutText(Bytes::from_static(b"caf\xe9")),
        ServerEvent::Clipboard(Clipboard::Peek),
        ServerEvent::Fence {
            flags: 0x8000_0001,
            payload: Bytes::from_static(b"abc"),
        },
        ServerEvent::EndOfContinuousUpdates,
        size(3, 3, None),
        ServerEvent::UpdateEnd,
    ];
    for piece in [1, 2, 7, usize::MAX] {
        let mut picture = Picture::default();
        let mut decoder = Decoder::new(DecoderLimits::default());
        assert_eq!(
            events(&mut decoder, &stream, piece, &mut picture).unwrap(),
            expected
        );
        assert_eq!((picture.width(), picture.height()), (3, 3));
    }
}

#[test]
fn a_jpeg_is_given_out_as_it_is() {
    let jpeg = vec![0xab; 70_000];
    let area = Rect::new(1, 2, 30, 40);
    let mut update = Update::new();
    TightWriter::new(1).jpeg(&mut update, area, &jpeg);
    let mut picture = decode(&update.finish(), 1000, 64, 64, PixelFormat::BGRX);
    assert_eq!(picture.take_jpegs(), [(area, jpeg)]);
}

#[test]
fn h264_is_given_out_as_it_is() {
    let (area, other) = (Rect::new(1, 2, 30, 40), Rect::new(0, 0, 64, 64));
    let data: Vec<u8> = (0..3000).map(|byte| byte as u8).collect();
    let mut update = Update::new();
    update.h264(area, RESET_CONTEXT, &data);
    update.h264(other, 0, &data[..7]);
    update.h264(area, RESET_ALL_CONTEXTS, &[]);
    // For no pixel there is no context.
    update.h264(Rect::default(), 0, &[]);
    let bytes = update.finish();
    assert_eq!(
        bytes[4..24],
        [
            0, 1, 0, 2, 0, 30, 0, 40, 0, 0, 0, 50, 0, 0, 11, 184, 0, 0, 0, 1
        ]
    );
    for piece in [1, 13, usize::MAX] {
        let mut picture = decode(&bytes, piece, 64, 64, PixelFormat::BGRX);
        let expected = [
            (area, RESET_CONTEXT, data.clone()),
            (other, 0, data[..7].to_vec()),
            (area, RESET_ALL_CONTEXTS, Vec::new()),
        ];
        assert_eq!(picture.take_h264(), expected);
    }
    // What ends early waits for the rest.
    let mut decoder = Decoder::after_handshake(DecoderLimits::default(), 64, 64).unwrap();
    let mut picture = Picture::new(64, 64);
    let cut = &bytes[..2000];
    assert_eq!(events(&mut decoder, cut, 100, &mut picture), Ok(vec![]));
    assert_eq!(picture.take_h264(), []);
}

#[test]
fn h264_that_is_too_long_is_refused() {
    let area = Rect::new(0, 0, 17, 16);
    for (len, right) in [(max_len(area), true), (max_len(area) + 1, false)] {
        let mut update = Update::new();
        update.h264(area, 0, &[]);
        let mut bytes = update.finish();
        let at = bytes.len() - 8;
        bytes[at..at + 4].copy_from_slice(&(len as u32).to_be_bytes());
        let mut decoder = Decoder::after_handshake(DecoderLimits::default(), 64, 64).unwrap();
        let result = events(&mut decoder, &bytes, 99, &mut Picture::new(64, 64));
        if right {
            assert_eq!(result, Ok(vec![]));
        } else {
            assert!(matches!(result, Err(DecodeError::TooLarge { .. })));
        }
    }
}

#[test]
fn tight_as_the_document_has_it() {
    let bgrx = [[1, 2, 3, 9], [4, 5, 6, 9], [1, 2, 3, 9]].concat();
    let frame = FrameView::new(&bgrx, 12, 3, 1).unwrap();
    let converter = Converter::bgrx();
    let mut writer = TightWriter::new(6);
    let mut update = Update::new();
    // Nine bytes: neither compressed nor with a length.
    writer.full_colour(&mut update, &frame, frame.bounds(), &converter);
    writer.fill(&mut update, Rect::new(0, 0, 1, 1), 0x01_0203, &converter);
    writer.indexed(
        &mut update,
        frame.bounds(),
        &[0x03_0201, 0x06_0504],
        &[0, 1, 0],
        &converter,
    );
    let bytes = update.finish();
    let header = |width| [0, 0, 0, 0, 0, width, 0, 1, 0, 0, 0, 7];
    let expected = [
        &[0, 0, 0, 3][..],
        &header(3),
        &[0x00, 3, 2, 1, 6, 5, 4, 3, 2, 1],
        &header(1),
        &[0x80, 1, 2, 3],
        &header(3),
        &[0x50, 1, 1, 3, 2, 1, 6, 5, 4, 0b0100_0000],
    ]
    .concat();
    assert_eq!(bytes, expected);
}

#[test]
fn pixels_are_packed_as_the_documents_have_it() {
    let bytes = |format: PixelFormat, packing| {
        let mut out = Vec::new();
        Converter::new(format)
            .unwrap()
            .write_colour(0x11_2233, packing, &mut out);
        out
    };
    let low = PixelFormat::BGRX;
    let high = PixelFormat {
        red_shift: 24,
        green_shift: 16,
        blue_shift: 8,
        ..low
    };
    for (format, whole, compact) in [
        (low, [0x33, 0x22, 0x11, 0], [0x33, 0x22, 0x11]),
        (
            PixelFormat {
                big_endian: true,
                ..low
            },
            [0, 0x11, 0x22, 0x33],
            [0x11, 0x22, 0x33],
        ),
        (high, [0, 0x33, 0x22, 0x11], [0x33, 0x22, 0x11]),
        (
            PixelFormat {
                big_endian: true,
                ..high
            },
            [0x11, 0x22, 0x33, 0],
            [0x11, 0x22, 0x33],
        ),
    ] {
        assert_eq!(bytes(format, Packing::Whole), whole);
        assert_eq!(bytes(format, Packing::Compact), compact);
        assert_eq!(bytes(format, Packing::Tight), [0x11, 0x22, 0x33]);
        let deep = PixelFormat {
            depth: 32,
            ..format
        };
        assert_eq!(bytes(deep, Packing::Tight), whole);
        assert_eq!(bytes(deep, Packing::Compact), whole);
    }
    let high_colour = PixelFormat {
        bits_per_pixel: 16,
        depth: 16,
        big_endian: true,
        red_max: 31,
        green_max: 63,
        blue_max: 31,
        red_shift: 11,
        green_shift: 5,
        ..low
    };
    // 0x11 is 2 of 31, 0x22 is 8 of 63, 0x33 is 6 of 31.
    for packing in [Packing::Whole, Packing::Tight, Packing::Compact] {
        assert_eq!(
            bytes(high_colour, packing),
            (2_u16 << 11 | 8 << 5 | 6).to_be_bytes()
        );
    }
}

#[test]
fn a_server_cannot_make_the_viewer_hold_too_much() {
    let limits = DecoderLimits {
        pixels: 100,
        cut_text: 10,
        cursor: 8,
        text: 10,
    };
    let decode = |bytes: &[u8]| {
        let mut decoder = Decoder::after_handshake(limits, 10, 10).unwrap();
        events(&mut decoder, bytes, usize::MAX, &mut Picture::new(10, 10))
    };
    let mut larger = Update::new();
    larger.desktop_size(11, 10);
    assert!(matches!(
        decode(&larger.finish()),
        Err(DecodeError::TooLarge { size: 110, .. })
    ));
    let mut named = Update::new();
    named.desktop_name("longer than ten");
    assert!(matches!(
        decode(&named.finish()),
        Err(DecodeError::TooLarge { .. })
    ));
    let mut cursor = Update::new();
    cursor.cursor_with_alpha(&CursorImage::new(9, 1, 0, 0, vec![]));
    assert!(matches!(
        decode(&cursor.finish()),
        Err(DecodeError::TooLarge { .. })
    ));
    let mut outside = Update::new();
    outside.copy_rect(Rect::new(0, 0, 5, 5), 6, 0);
    assert!(matches!(
        decode(&outside.finish()),
        Err(DecodeError::Outside(_))
    ));
    let mut text = Vec::new();
    server::write_cut_text(b"eleven bytes", &mut text);
    server::write_bell(&mut text);
    assert_eq!(
        decode(&text).unwrap(),
        [ServerEvent::CutTextSkipped(12), ServerEvent::Bell]
    );
}

/// Keeps what it is given of video, and is full after each piece.
#[derive(Default)]
struct Videos(Vec<(Rect, u32, Vec<u8>)>);

impl Surface for Videos {
    fn resize(&mut self, _: u16, _: u16) {}
    fn pixels(&mut self, _: Rect, _: &[u8]) {}
    fn fill(&mut self, _: Rect, _: u32) {}
    fn copy(&mut self, _: Rect, _: u16, _: u16) {}
    fn jpeg(&mut self, _: Rect, _: &[u8]) {}

    fn h264(&mut self, area: Rect, flags: u32, data: &[u8]) {
        self.0.push((area, flags, data.to_vec()));
    }

    fn is_full(&self) -> bool {
        true
    }
}

/// An update with one rectangle of H.264.
fn video(area: Rect, len: u32, flags: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1];
    for value in [area.x, area.y, area.width, area.height] {
        bytes.extend(value.to_be_bytes());
    }
    for value in [Encoding::OPEN_H264.0 as u32, len, flags] {
        bytes.extend(value.to_be_bytes());
    }
    bytes.extend(data);
    bytes
}

#[test]
fn a_full_surface_stops_the_decoder() {
    let area = Rect::new(2, 3, 16, 8);
    let bytes = video(area, 7, 3, b"annex b");
    for piece in 1..bytes.len() {
        let mut decoder = Decoder::after_handshake(DecoderLimits::default(), 64, 64).unwrap();
        let mut surface = Videos::default();
        let mut all = Vec::new();
        for piece in bytes.chunks(piece) {
            decoder.push(piece);
            while let Some(event) = decoder.next_event(&mut surface).unwrap() {
                all.push(event);
            }
        }
        // A surface that is full stops the decoder, and does not lose its place.
        assert_eq!(all, [ServerEvent::Paused, ServerEvent::UpdateEnd]);
        assert_eq!(surface.0, [(area, 3, b"annex b".to_vec())]);
    }
}

#[test]
fn a_picture_keeps_what_fits() {
    let mut picture = Picture::new(3, 2);
    picture.fill(Rect::new(0, 0, 3, 2), 0x01_0203);
    picture.resize(2, 3);
    let pixel = [3, 2, 1, 0];
    assert_eq!(
        picture.bgrx(),
        [pixel, pixel, pixel, pixel, [0; 4], [0; 4]].concat()
    );
}
