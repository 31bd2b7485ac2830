//! Screens with and without video through an encoder and a viewer: where nothing moves any more,
//! the viewer has the exact picture; while it moves, one that is close, and exact around it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Screen, Viewer, psnr};
use porthole_encode::{Common, Encoder, Link, Rect, Region};
use porthole_rfb::{Encoding, ViewerEncodings, decode::Surface, server::Update};
use proptest::prelude::*;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const FRAME: Duration = Duration::from_millis(33);

/// A display with one viewer, which does what the display does.
struct Session {
    screen: Screen,
    common: Arc<Common>,
    encoder: Encoder,
    viewer: Viewer,
    now: Instant,
    last_change: Instant,
}

impl Session {
    fn new(width: u16, height: u16) -> Self {
        let common = Arc::<Common>::default();
        let mut encoder = Encoder::sharing(common.clone());
        // A quality that goes as video however slow the machine is.
        let list = [Encoding::TIGHT, Encoding::OPEN_H264, Encoding::quality(4)];
        encoder.set_encodings(&ViewerEncodings::new(&list));
        let now = Instant::now();
        let mut session = Self {
            screen: Screen::new(width, height),
            common,
            encoder,
            viewer: Viewer::new(width, height),
            now,
            last_change: now,
        };
        session.update();
        session
    }

    /// An update of what changed; the exact picture of what rests.
    fn update(&mut self) {
        let mut update = Update::new();
        let view = self.screen.picture.view().unwrap();
        if self.screen.damage.is_empty() {
            self.encoder.rest(self.now);
            if self.now >= self.last_change + Duration::from_millis(200) {
                let running = self.encoder.video_region(self.now);
                let resting = self.encoder.lossy_region().subtract(&running);
                self.encoder.encode_lossless(&view, &resting, &mut update);
            }
        } else {
            let damage = std::mem::take(&mut self.screen.damage).snap(16);
            let damage = damage.intersect(&view.bounds().into());
            self.common.changed(&view, &damage, self.now);
            self.encoder
                .encode_at(&view, &damage, self.now, &mut update);
            self.last_change = self.now;
        }
        if !update.is_empty() {
            self.viewer.receive(update);
        }
        self.now += FRAME;
    }

    fn resize(&mut self, width: u16, height: u16) {
        self.screen = Screen::new(width, height);
        let mut update = Update::new();
        update.desktop_size(width, height);
        self.viewer.receive(update);
    }

    /// A film of which the viewer takes every `nth` picture.
    fn play_held(&mut self, area: Rect, numbers: std::ops::Range<u32>, nth: u32) {
        for number in numbers {
            self.screen.film(area, number);
            if number % nth == 0 {
                self.update();
            } else {
                let drawn = self.screen.damage.clone().snap(16);
                self.common.drawn(&drawn, self.now);
                self.now += FRAME;
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..25 {
            self.update();
        }
        assert!(self.encoder.lossy_region().is_empty());
        assert!(self.is_exact(self.screen.bounds()));
    }

    fn is_exact(&self, area: Rect) -> bool {
        self.screen.is_shown(&self.viewer, area)
    }

    fn play(&mut self, area: Rect, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.screen.film(area, number);
            self.update();
        }
    }
}

#[test]
fn a_film_goes_as_video_and_the_text_around_it_stays_exact() {
    let mut session = Session::new(1000, 600);
    let film = Rect::new(150, 101, 700, 399);
    session.play(film, 0..30);
    let before = session.viewer.screen.pictures;
    session.play(film, 30..50);
    assert_eq!(session.viewer.screen.pictures - before, 20);
    assert_eq!(session.viewer.screen.begun, 1);
    let area = session.viewer.screen.last.unwrap();
    assert_eq!(area, Rect::new(150, 100, 700, 400));
    let (shown, screen) = (
        session.viewer.screen.picture.view().unwrap(),
        session.screen.picture.view().unwrap(),
    );
    let quality = psnr(&screen, &shown, film);
    assert!(quality > 32.0, "{quality} dB");
    let around = Region::from(screen.bounds()).subtract(&area.into());
    assert!(around.rects().all(|rect| session.is_exact(rect)));
    // Typing beside it, in a tile of the film's edge.
    session.screen.text(Rect::new(140, 200, 8, 12), 3);
    session.play(film, 50..51);
    assert!(around.rects().all(|rect| session.is_exact(rect)));
    // It rests: exact before its context ends.
    for _ in 0..8 {
        session.update();
    }
    assert!(session.is_exact(session.screen.bounds()));
    // And goes on as if nothing had been.
    session.play(film, 60..70);
    assert_eq!(session.viewer.screen.begun, 1);
    session.settle();
}

#[test]
fn another_size_begins_all_anew() {
    let mut session = Session::new(900, 600);
    let film = Rect::new(64, 64, 704, 400);
    session.play(film, 0..30);
    assert_eq!(session.viewer.screen.begun, 1);
    session.resize(800, 512);
    assert_eq!(session.viewer.screen.contexts.len(), 1);
    session.play(film, 0..30);
    assert_eq!(session.viewer.screen.begun, 2);
    assert_eq!(session.viewer.screen.contexts.len(), 1);
    session.settle();
}

#[test]
fn who_wants_exact_pixels_or_knows_no_video_gets_none() {
    for list in [
        &[Encoding::TIGHT, Encoding::OPEN_H264][..],
        &[Encoding::TIGHT, Encoding::quality(6)],
    ] {
        let mut session = Session::new(900, 600);
        session.encoder.set_encodings(&ViewerEncodings::new(list));
        session.play(Rect::new(64, 64, 704, 400), 0..30);
        assert_eq!(session.viewer.screen.pictures, 0);
        session.settle();
    }
}

#[test]
fn a_context_that_ended_is_given_back() {
    let mut session = Session::new(900, 600);
    session.play(Rect::new(64, 64, 704, 400), 0..30);
    session.settle();
    assert_eq!(session.viewer.screen.contexts.len(), 1);
    session.screen.text(Rect::new(0, 0, 10, 10), 5);
    session.update();
    assert!(session.viewer.screen.contexts.is_empty());
}

#[test]
fn a_narrow_line_gets_a_coarser_picture() {
    let mut session = Session::new(900, 600);
    let film = Rect::new(64, 64, 704, 400);
    session.play(film, 0..30);
    session.encoder.set_link(Link { rate: Some(20e3) });
    session.play(film, 30..120);
    assert!(session.viewer.screen.begun > 1);
    session.settle();
}

#[test]
fn a_viewer_that_takes_few_pictures_gets_video() {
    // 8 a second, and less than 2; a line that is full for 1.3 seconds at a time.
    for nth in [4, 16, 40] {
        let mut session = Session::new(900, 600);
        let film = Rect::new(64, 64, 704, 400);
        let begin = nth * 25_u32.div_ceil(nth).max(2) + 1;
        session.play_held(film, 0..begin, nth);
        let before = session.viewer.screen.pictures;
        session.play_held(film, begin..begin + nth * 20, nth);
        let pictures = session.viewer.screen.pictures - before;
        assert_eq!(pictures, 20, "of every {nth}th");
        assert_eq!(session.viewer.screen.begun, 1);
        session.settle();
    }
}

#[derive(Debug, Clone)]
enum Step {
    Film(Rect, u32),
    Text(Rect, u32),
    Scroll(Rect, u16),
    Rest(u32),
    /// Nothing is looked at for some milliseconds; something may be drawn meanwhile.
    Pause(u64, bool),
    Resize(u16, u16),
}

fn step() -> impl Strategy<Value = Step> {
    let rect = || {
        (0_u16..400, 0_u16..300, 1_u16..500, 1_u16..400)
            .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height))
    };
    let window = (0_u16..200, 0_u16..100, 160_u16..400, 120_u16..300)
        .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height));
    prop_oneof![
        4 => (window, 1_u32..30).prop_map(|(area, pictures)| Step::Film(area, pictures)),
        2 => (rect(), any::<u32>()).prop_map(|(area, seed)| Step::Text(area, seed % 1000)),
        1 => (rect(), 1_u16..60).prop_map(|(area, by)| Step::Scroll(area, by)),
        2 => (1_u32..12).prop_map(Step::Rest),
        4 => (0_u64..3000, any::<bool>()).prop_map(|(time, drawn)| Step::Pause(time, drawn)),
        1 => (300_u16..640, 200_u16..480).prop_map(|(width, height)| Step::Resize(width, height)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_moves_ends_exact(steps in prop::collection::vec(step(), 1..12), level in 2_u8..8) {
        let mut session = Session::new(640, 480);
        // A low level: small areas go as video, too.
        let list = [Encoding::TIGHT, Encoding::OPEN_H264, Encoding::quality(level)];
        session.encoder.set_encodings(&ViewerEncodings::new(&list));
        session.update();
        for (index, step) in steps.into_iter().enumerate() {
            let bounds = session.screen.bounds();
            match step {
                Step::Film(area, pictures) => {
                    let first = index as u32 * 100;
                    session.play(area, first..first + pictures);
                }
                Step::Text(area, seed) => {
                    session.screen.text(area, seed);
                    session.update();
                }
                Step::Scroll(area, by) => {
                    let area = area.intersect(&bounds);
                    if area.height > by {
                        let from = area.y + by;
                        let area = Rect { height: area.height - by, ..area };
                        session.screen.picture.copy(area, area.x, from);
                        let mut update = Update::new();
                        session.encoder.copy(area, area.x, from, &mut update);
                        session.viewer.receive(update);
                    }
                }
                Step::Rest(updates) => (0..updates).for_each(|_| session.update()),
                Step::Pause(time, drawn) => {
                    for _ in 0..time / 50 {
                        session.now += Duration::from_millis(50);
                        if drawn {
                            session.common.drawn(&bounds.into(), session.now);
                        }
                    }
                }
                Step::Resize(width, height) => session.resize(width, height),
            }
        }
        session.settle();
    }
}
