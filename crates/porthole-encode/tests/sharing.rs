//! Several viewers of one screen: each gets its picture, whatever the others do, and what is the
//! same for them is made once.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Screen, Viewer, psnr};
use porthole_encode::{
    Common, Encoder, FrameView, Jpeg, JpegError, JpegQuality, Rect, Region, TurboJpeg,
};
use porthole_rfb::{Encoding, ViewerEncodings, server::Update};
use proptest::prelude::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const FRAME: Duration = Duration::from_millis(33);
const FILM: Rect = Rect::new(64, 64, 400, 300);
/// As in a browser; a quality that goes as video however slow the machine is.
const VIDEO: &[Encoding] = &[
    Encoding::TIGHT,
    Encoding::PREDICTED,
    Encoding::OPEN_H264,
    Encoding::quality(4),
];

/// One who watches.
struct Watcher {
    encoder: Encoder,
    viewer: Viewer,
    damage: Region,
    last_change: Instant,
}

/// A screen that several watch.
struct Room {
    screen: Screen,
    common: Arc<Common>,
    generation: u64,
    now: Instant,
    watchers: Vec<Watcher>,
}

impl Room {
    fn new(width: u16, height: u16) -> Self {
        Self {
            screen: Screen::new(width, height),
            common: Arc::default(),
            generation: 0,
            now: Instant::now(),
            watchers: Vec::new(),
        }
    }

    fn join(&mut self, encodings: &[Encoding]) {
        let mut encoder = Encoder::sharing(self.common.clone());
        encoder.set_encodings(&ViewerEncodings::new(encodings));
        let bounds = self.screen.bounds();
        self.watchers.push(Watcher {
            encoder,
            viewer: Viewer::new(bounds.width, bounds.height),
            damage: bounds.into(),
            last_change: self.now,
        });
    }

    /// What changed comes to those that look now; what rests is made exact.
    fn update(&mut self, looks: impl Fn(usize) -> bool) {
        let bounds = Region::from(self.screen.bounds());
        let damage = std::mem::take(&mut self.screen.damage)
            .snap(16)
            .intersect(&bounds);
        let view = self.screen.picture.view().unwrap();
        if !damage.is_empty() {
            self.generation += 1;
            self.common.changed(&view, &damage, self.now);
        }
        for (index, watcher) in self.watchers.iter_mut().enumerate() {
            watcher.damage = watcher.damage.union(&damage);
            if !looks(index) {
                continue;
            }
            let (encoder, mut update) = (&mut watcher.encoder, Update::new());
            encoder.set_generation(Some(self.generation));
            if watcher.damage.is_empty() {
                encoder.rest(self.now);
                if self.now >= watcher.last_change + Duration::from_millis(200) {
                    let running = encoder.video_region(self.now);
                    let resting = encoder.lossy_region().subtract(&running);
                    encoder.encode_lossless(&view, &resting, &mut update);
                }
            } else {
                let damage = std::mem::take(&mut watcher.damage);
                encoder.encode_at(&view, &damage, self.now, &mut update);
                watcher.last_change = self.now;
            }
            if !update.is_empty() {
                watcher.viewer.receive(update);
            }
        }
        self.now += FRAME;
    }

    fn play(&mut self, numbers: std::ops::Range<u32>, looks: impl Fn(usize, u32) -> bool) {
        for number in numbers {
            self.screen.film(FILM, number);
            self.update(|index| looks(index, number));
        }
    }

    fn shown(&self, index: usize) -> &common::Painted {
        &self.watchers[index].viewer.screen
    }

    fn decibels(&self, index: usize) -> f64 {
        let shown = self.shown(index).picture.view().unwrap();
        psnr(&self.screen.picture.view().unwrap(), &shown, FILM)
    }
}

#[test]
fn viewers_that_keep_up_share_a_video() {
    let mut room = Room::new(640, 480);
    for _ in 0..3 {
        room.join(VIDEO);
    }
    room.play(0..30, |_, _| true);
    for number in 30..60 {
        room.play(number..number + 1, |_, _| true);
        for index in 0..3 {
            assert_eq!(room.shown(index).data, room.shown(0).data);
            assert!(room.decibels(index) > 30.0);
        }
    }
    assert!((0..3).all(|index| room.shown(index).begun == 1 && room.shown(index).whole == 1));
    assert_eq!(room.common.videos(), 1);
}

#[test]
fn six_viewers_at_their_own_paces_share_one_encoder() {
    let mut room = Room::new(640, 480);
    for _ in 0..6 {
        room.join(VIDEO);
    }
    // Each takes from all down to two of five, never in step, and with a pause now and then.
    let looks = |index: usize, number: u32| {
        let own = number + index as u32 * 7;
        match index {
            0 => true,
            5 => own % 5 < 2,
            _ => !own.is_multiple_of(8 - index as u32) && own % 90 > 4,
        }
    };
    room.play(0..60, looks);
    assert_eq!(room.common.videos(), 1);
    for number in 60..200 {
        room.play(number..number + 1, looks);
        assert_eq!(room.common.videos(), 1, "{number}");
        for index in (0..6).filter(|&index| looks(index, number)) {
            assert!(room.decibels(index) > 30.0);
        }
    }
    for index in 0..6 {
        let shown = room.shown(index);
        assert_eq!((shown.begun, shown.whole), (1, 1), "{index}");
    }
}

#[test]
fn who_falls_behind_leaves_and_comes_back() {
    let mut room = Room::new(640, 480);
    for _ in 0..3 {
        room.join(VIDEO);
    }
    room.play(0..60, |_, _| true);
    // Two seconds without a picture, some slow ones.
    room.play(60..120, |index, _| index != 2);
    room.play(120..150, |index, number| index != 2 || number % 6 == 0);
    assert_eq!(room.common.videos(), 2);
    assert_eq!(room.shown(2).begun, 2);
    room.play(150..420, |_, _| true);
    assert_eq!(room.common.videos(), 1);
    for index in 0..3 {
        assert_eq!(room.shown(index).data, room.shown(0).data);
        assert!(room.decibels(index) > 30.0);
    }
    assert!((0..2).all(|index| room.shown(index).begun == 1 && room.shown(index).whole <= 2));
}

#[test]
fn who_misses_a_picture_catches_up_and_shares_on() {
    let mut room = Room::new(640, 480);
    for _ in 0..2 {
        room.join(VIDEO);
    }
    room.play(0..45, |_, _| true);
    room.play(45..153, |index, number| index == 0 || number % 9 > 1);
    assert_eq!((room.shown(0).whole, room.shown(1).begun), (1, 1));
    assert_eq!(room.shown(0).data, room.shown(1).data);
    assert!(room.decibels(1) > 30.0);
}

#[test]
fn a_slow_viewer_costs_the_others_nothing() {
    let mut room = Room::new(640, 480);
    for _ in 0..3 {
        room.join(VIDEO);
    }
    // Twenty seconds in which one takes every sixth picture, since its line takes no more.
    room.play(0..600, |index, number| index < 2 || number % 6 == 0);
    for index in 0..2 {
        let shown = room.shown(index);
        assert!(
            shown.whole <= 3,
            "{} pictures that stand for themselves",
            shown.whole
        );
        assert_eq!(shown.begun, 1);
        assert!(room.decibels(index) > 30.0);
    }
    assert_eq!(room.shown(0).data, room.shown(1).data);
    let (slow, quick) = (room.shown(2), room.shown(0));
    assert!(slow.pictures > 50, "{}", slow.pictures);
    assert!(slow.pictures * 3 < quick.pictures, "{}", slow.pictures);
    room.play(600..601, |_, _| true);
    assert!(room.decibels(2) > 30.0);
}

#[test]
fn who_comes_later_joins() {
    let mut room = Room::new(640, 480);
    room.join(VIDEO);
    room.play(0..60, |_, _| true);
    room.join(VIDEO);
    room.play(60..250, |_, _| true);
    room.join(VIDEO);
    room.play(250..450, |_, _| true);
    for index in 1..3 {
        assert_eq!(room.shown(index).data, room.shown(0).data, "{index}");
    }
    assert!(room.shown(0).whole <= 3);
}

#[test]
fn another_quality_is_another_video() {
    let mut room = Room::new(640, 480);
    room.join(VIDEO);
    room.join(&[Encoding::TIGHT, Encoding::OPEN_H264, Encoding::quality(1)]);
    room.play(0..60, |_, _| true);
    assert!(room.shown(0).data.len() > room.shown(1).data.len());
    assert!(room.decibels(0) > room.decibels(1));
}

#[test]
fn pictures_are_compressed_once_for_all_of_a_quality() {
    struct Counted(TurboJpeg, Arc<AtomicUsize>);
    impl Jpeg for Counted {
        fn compress(
            &mut self,
            frame: &FrameView,
            area: Rect,
            quality: JpegQuality,
            out: &mut Vec<u8>,
        ) -> Result<(), JpegError> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.compress(frame, area, quality, out)
        }
    }
    let made = Arc::new(AtomicUsize::new(0));
    let jpeg = Counted(TurboJpeg::new().unwrap(), made.clone());
    let mut room = Room::new(640, 480);
    room.common = Arc::new(Common::with_jpeg(Some(Box::new(jpeg))));
    let list = [Encoding::TIGHT, Encoding::quality(6)];
    room.join(&list);
    room.screen.film(FILM, 0);
    room.update(|_| true);
    let alone = made.swap(0, Ordering::Relaxed);
    assert!(alone > 0);
    for _ in 0..4 {
        room.join(&list);
    }
    room.screen.film(room.screen.bounds(), 1);
    room.screen.text(Rect::new(0, 0, 640, 40), 0);
    room.update(|_| true);
    let shared = made.swap(0, Ordering::Relaxed);
    room.join(&[Encoding::TIGHT, Encoding::quality(7)]);
    room.update(|_| true);
    let other = made.swap(0, Ordering::Relaxed);
    assert_eq!(shared, other, "five of one quality, and one of another");
    for index in 1..5 {
        assert!(room.shown(index).picture.bgrx() == room.shown(0).picture.bgrx());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Film(u32),
    Text(Rect, u32),
    Photo(Rect, u32),
    Rest(u32),
    /// Nobody looks for some milliseconds.
    Pause(u64),
    Join(usize),
    Leave(usize),
}

fn rect() -> impl Strategy<Value = Rect> {
    (0_u16..500, 0_u16..400, 1_u16..500, 1_u16..400)
        .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_u32..25).prop_map(Step::Film),
        3 => (rect(), 0_u32..1000).prop_map(|(area, seed)| Step::Text(area, seed)),
        2 => (rect(), 0_u32..1000).prop_map(|(area, seed)| Step::Photo(area, seed)),
        1 => (1_u32..12).prop_map(Step::Rest),
        2 => (0_u64..3000).prop_map(Step::Pause),
        1 => (0_usize..KINDS.len()).prop_map(Step::Join),
        1 => any::<usize>().prop_map(Step::Leave),
    ]
}

const KINDS: [&[Encoding]; 6] = [
    VIDEO,
    VIDEO,
    &[Encoding::TIGHT, Encoding::quality(4), Encoding::PREDICTED],
    &[Encoding::TIGHT],
    &[
        Encoding::TIGHT,
        Encoding::PREDICTED,
        Encoding::compression(9),
    ],
    &[Encoding::ZRLE],
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whoever looks when, comes or goes: what is exact is exact at once, and in the end all is.
    #[test]
    fn every_viewer_ends_exact(
        steps in prop::collection::vec((step(), any::<u8>()), 1..10),
        kinds in prop::collection::vec(0..KINDS.len(), 1..5),
    ) {
        let mut room = Room::new(640, 480);
        for kind in kinds {
            room.join(KINDS[kind]);
        }
        for (number, (step, looks)) in steps.into_iter().enumerate() {
            let looks = |index: usize| looks >> (index % 8) & 1 == 1;
            let from = number as u32 * 100;
            match step {
                Step::Film(pictures) => {
                    room.play(from..from + pictures, |index, number| {
                        looks(index) || number % 4 == 0
                    });
                }
                Step::Text(area, seed) => {
                    room.screen.text(area, seed);
                    room.update(looks);
                }
                Step::Photo(area, seed) => {
                    room.screen.film(area, seed);
                    room.update(looks);
                }
                Step::Rest(updates) => (0..updates).for_each(|_| room.update(looks)),
                Step::Pause(time) => room.now += Duration::from_millis(time),
                Step::Join(kind) => room.join(KINDS[kind]),
                Step::Leave(index) if room.watchers.len() > 1 => {
                    let index = index % room.watchers.len();
                    room.watchers.swap_remove(index);
                }
                Step::Leave(_) => {}
            }
            let screen = &room.screen;
            for watcher in &room.watchers {
                let lossy = watcher.encoder.lossy_region().union(&watcher.damage);
                let exact = Region::from(screen.bounds()).subtract(&lossy);
                let shown = exact.rects().all(|rect| screen.is_shown(&watcher.viewer, rect));
                prop_assert!(shown);
            }
        }
        for _ in 0..25 {
            room.update(|_| true);
        }
        for watcher in &room.watchers {
            prop_assert!(watcher.encoder.lossy_region().is_empty());
            prop_assert!(room.screen.is_shown(&watcher.viewer, room.screen.bounds()));
        }
    }
}
