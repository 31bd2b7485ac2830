//! What the machine says is to be drawn, drawn on a plain picture: it must be the display's frame.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use porthole_encode::{Encoder, Region};
use porthole_rfb::{
    Encoding, PixelFormat, Rect, ViewerEncodings,
    clipboard::{Caps, Clipboard},
    decode::{Picture, Surface},
    handshake::{SERVER_VERSION, ServerInit},
    server::{self, CursorImage, ResizeReason, ResizeStatus, Update},
};
use porthole_viewer_wasm::{
    Machine, Next, event,
    ops::{Ops, WORDS, kind},
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

    fn area(&mut self, width: u16, height: u16) -> Rect {
        let (x, y) = (self.next(width.into()), self.next(height.into()));
        Rect {
            x: x as u16,
            y: y as u16,
            width: 1 + self.next(u32::from(width) - x) as u16,
            height: 1 + self.next(u32::from(height) - y) as u16,
        }
    }
}

/// A box of one colour, of a few, or of noise.
fn paint_box(picture: &mut Picture, random: &mut Random) -> Rect {
    let area = random.area(picture.width(), picture.height());
    let colours = [1, 2, 40, 1 << 24][random.next(4) as usize];
    let pixels: Vec<u8> = (0..area.area())
        .flat_map(|_| (random.next(colours).wrapping_mul(0x0051_1d35) & 0xff_ffff).to_le_bytes())
        .collect();
    picture.pixels(area, &pixels);
    area
}

/// Stands for the page's canvas.
#[derive(Default)]
struct Canvas {
    picture: Picture,
    jpegs: usize,
    videos: Vec<(Rect, u32, Vec<u8>)>,
}

impl Canvas {
    fn draw(&mut self, ops: &Ops) {
        for op in ops.words().as_chunks::<WORDS>().0 {
            let [kind, x, y, width, height, a, b, c] = *op;
            let area = Rect::new(x as u16, y as u16, width as u16, height as u16);
            let bytes = |start: u32, len: u32| &ops.bytes()[start as usize..][..len as usize];
            match kind {
                kind::RESIZE => self.picture.resize(area.width, area.height),
                kind::PUT => {
                    let rgba = bytes(a, (area.area() * 4) as u32).as_chunks::<4>().0;
                    assert!(rgba.iter().all(|pixel| pixel[3] == 255));
                    let bgrx: Vec<u8> = rgba.iter().flat_map(|p| [p[2], p[1], p[0], 0]).collect();
                    self.picture.pixels(area, &bgrx);
                }
                kind::FILL => self.picture.fill(area, a),
                kind::COPY => self.picture.copy(area, a as u16, b as u16),
                kind::JPEG => {
                    let format = turbojpeg::PixelFormat::BGRX;
                    let image = turbojpeg::decompress(bytes(a, b), format).unwrap();
                    let bgrx: Vec<u8> = image
                        .pixels
                        .chunks_exact(4)
                        .flat_map(|p| [p[0], p[1], p[2], 0])
                        .collect();
                    self.picture.pixels(area, &bgrx);
                    self.jpegs += 1;
                }
                kind::H264 => self.videos.push((area, c, bytes(a, b).to_vec())),
                other => panic!("an operation of unknown kind {other}"),
            }
        }
    }
}

/// A machine, what it has drawn and what it has told.
struct Viewer {
    machine: Machine,
    canvas: Canvas,
    events: Vec<Vec<u8>>,
    updates: usize,
}

impl Viewer {
    /// The handshake is over.
    fn new(width: u16, height: u16) -> Self {
        let mut viewer = Self {
            machine: Machine::new(),
            canvas: Canvas::default(),
            events: Vec::new(),
            updates: 0,
        };
        let mut start = SERVER_VERSION.to_vec();
        start.extend([1, 1, 0, 0, 0, 0]);
        let init = ServerInit {
            width,
            height,
            format: PixelFormat::BGRX,
            name: "désk".into(),
        };
        init.write(&mut start);
        viewer.receive(&start, 3);
        let kinds: Vec<u8> = viewer.events.drain(..).map(|event| event[0]).collect();
        use event::kind::{ALLOWED, INIT, SECURITY, VERSION};
        assert_eq!(kinds, [VERSION, SECURITY, ALLOWED, INIT]);
        viewer
    }

    fn receive(&mut self, bytes: &[u8], piece: usize) {
        for piece in bytes.chunks(piece) {
            self.machine.feed(piece);
            loop {
                match self.machine.proceed() {
                    Next::Wait => break,
                    Next::Draw => self.canvas.draw(self.machine.ops()),
                    Next::Finish => {
                        self.canvas.draw(self.machine.ops());
                        self.updates += 1;
                    }
                    Next::Event => self.events.push(self.machine.event().to_vec()),
                    Next::Broken => {
                        self.events.push(self.machine.event().to_vec());
                        return;
                    }
                }
            }
        }
    }
}

fn encoder(list: &[Encoding]) -> Encoder {
    let mut encoder = Encoder::new();
    encoder.set_format(PixelFormat::BGRX).unwrap();
    encoder.set_encodings(&ViewerEncodings::new(list));
    encoder
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_canvas_is_the_frame(
        width in 1_u16..200,
        height in 1_u16..160,
        seed: u64,
        frames in 1_usize..6,
        piece in 1_usize..5000,
        encoding in prop::sample::select(&[Encoding::RAW, Encoding::ZRLE, Encoding::TIGHT][..]),
        jpeg: bool,
    ) {
        let mut random = Random(seed | 1);
        let mut list = vec![encoding, Encoding::COPY_RECT];
        if jpeg {
            list.push(Encoding::quality(5));
        }
        let mut encoder = encoder(&list);
        let mut viewer = Viewer::new(width, height);
        let mut screen = Picture::new(width, height);
        let mut dirty: Region = Rect::new(0, 0, width, height).into();
        for _ in 0..frames {
            for _ in 0..random.next(5) {
                dirty.add(paint_box(&mut screen, &mut random));
            }
            let mut update = Update::new();
            let frame = screen.view().unwrap();
            encoder.encode(&frame, &dirty, &mut update);
            dirty = Region::default();
            // What was drawn in whatever way is copied within the same update.
            let from = random.area(width, height);
            let to = Rect {
                x: random.next(u32::from(width - from.width) + 1) as u16,
                y: random.next(u32::from(height - from.height) + 1) as u16,
                ..from
            };
            encoder.copy(to, from.x, from.y, &mut update);
            screen.copy(to, from.x, from.y);
            viewer.receive(&update.finish(), piece);
        }
        prop_assert_eq!(viewer.updates, frames);
        prop_assert!(jpeg || viewer.canvas.jpegs == 0);
        // What came as a JPEG is repaired first.
        let lossy = encoder.lossy_region().clone();
        let mut update = Update::new();
        encoder.encode_lossless(&screen.view().unwrap(), &lossy, &mut update);
        viewer.receive(&update.finish(), piece);
        prop_assert!(viewer.canvas.picture == screen);
        prop_assert!(viewer.events.is_empty());
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), first in 0_u8..6) {
        let mut viewer = Viewer::new(64, 64);
        let mut all = vec![first];
        all.extend(bytes);
        viewer.receive(&all, 7);
    }
}

#[test]
fn a_large_update_is_drawn_in_parts() {
    let mut viewer = Viewer::new(2000, 1000);
    let screen = Picture::new(2000, 1000);
    let mut update = Update::new();
    for _ in 0..6 {
        let frame = screen.view().unwrap();
        update.raw(&frame, frame.bounds(), &porthole_rfb::Converter::bgrx());
    }
    viewer.machine.feed(&update.finish());
    assert_eq!(viewer.machine.proceed(), Next::Draw);
    assert!(viewer.machine.ops().bytes().len() <= 40 << 20);
    assert_eq!(viewer.machine.proceed(), Next::Finish);
    assert_eq!(viewer.machine.proceed(), Next::Wait);
    assert!(viewer.machine.ops().bytes().is_empty());
}

#[test]
fn rows_of_pixels_become_one_operation() {
    let mut ops = Ops::default();
    for y in 0..4 {
        ops.pixels(Rect::new(2, y, 3, 1), &[9; 12]);
    }
    ops.pixels(Rect::new(1, 4, 3, 1), &[9; 12]);
    let words = ops.words();
    assert_eq!(words[..WORDS], [kind::PUT, 2, 0, 3, 4, 0, 0, 0]);
    assert_eq!(words[WORDS..], [kind::PUT, 1, 4, 3, 1, 48, 0, 0]);
}

#[test]
fn video_is_passed_on() {
    let mut viewer = Viewer::new(64, 64);
    let mut update = vec![0, 0, 0, 1];
    for value in [8_u16, 4, 32, 16] {
        update.extend(value.to_be_bytes());
    }
    update.extend([0, 0, 0, 50, 0, 0, 0, 5, 0, 0, 0, 1]);
    update.extend(b"annex");
    viewer.receive(&update, 5);
    let area = Rect::new(8, 4, 32, 16);
    assert_eq!(viewer.canvas.videos, [(area, 1, b"annex".to_vec())]);

    update.splice(16..20, u32::MAX.to_be_bytes());
    viewer.receive(&update, 1000);
    assert_eq!(viewer.events[0][0], event::kind::BROKEN);
}

#[test]
fn events_are_told_as_bytes() {
    let mut viewer = Viewer::new(10, 10);
    let mut update = Update::new();
    update.extended_desktop_size(
        ResizeReason::Server,
        ResizeStatus::Done,
        20,
        30,
        &[porthole_rfb::Screen {
            id: 7,
            area: Rect::new(0, 0, 20, 30),
            flags: 1,
        }],
    );
    update.desktop_name("näme");
    update.qemu_key();
    update.cursor_with_alpha(&CursorImage::new(1, 1, 0, 0, vec![50, 100, 0, 100]));
    let mut bytes = update.finish();
    server::write_bell(&mut bytes);
    server::write_cut_text(b"caf\xe9", &mut bytes);
    server::write_clipboard(&Clipboard::Caps(Caps::ours(5)), &mut bytes);
    server::write_clipboard(&Clipboard::provide("one\ntwo"), &mut bytes);
    server::write_fence(1 << 31, b"x", &mut bytes);
    server::write_end_of_continuous_updates(&mut bytes);
    viewer.receive(&bytes, 9);
    let caps = Caps::ours(5).flags.to_be_bytes();
    let expected: [&[u8]; 10] = [
        &[
            5, 0, 20, 0, 30, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 20, 0, 30, 0, 0, 0, 1,
        ],
        b"\x06n\xc3\xa4me",
        &[8, 0xff, 0xff, 0xfe, 0xfe],
        &[7, 0, 1, 0, 1, 0, 0, 0, 0, 0, 255, 128, 100],
        &[9],
        b"\x0acaf\xc3\xa9",
        &[11, caps[0], caps[1], caps[2], caps[3], 0, 0, 0, 5],
        b"\x0aone\ntwo",
        &[15, 128, 0, 0, 0, b'x'],
        &[16],
    ];
    assert_eq!(viewer.events, expected);
    assert_eq!(
        (viewer.canvas.picture.width(), viewer.updates),
        (20, 1),
        "the canvas has the new size"
    );
}

#[test]
fn an_older_display_is_refused() {
    let mut viewer = Viewer::new(1, 1);
    viewer.machine = Machine::new();
    viewer.receive(b"RFB 003.003\n", 12);
    assert_eq!(viewer.events[0][0], event::kind::BROKEN);
}
