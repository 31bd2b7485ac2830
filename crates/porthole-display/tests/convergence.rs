//! Whatever happens on the screen, and however viewers read, come, go and resize: in the end each
//! of them sees what is there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests end that way.

mod common;

use common::{
    PATIENCE,
    canvas::Canvas,
    viewer::{LOSSLESS, Viewer},
};
use porthole_display::geometry::Size;
use porthole_rfb::{Encoding, Rect, client::ClientMessage, decode::ServerEvent};
use proptest::prelude::*;
use std::time::{Duration, Instant};
use tokio::time::timeout;

const SIZE: Size = Size::new(320, 240);
const ALL: Rect = Rect::new(0, 0, u16::MAX, u16::MAX);

/// How a viewer takes the picture.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// As in the browser.
    Browser,
    /// Tight without loss, with copies.
    Tight,
    /// Tight with JPEG and no copies.
    Jpeg,
    Zrle,
    /// Asks for each update, with JPEG.
    Asking,
    /// Asks for each update, and knows of no other size.
    Plain,
}

impl Kind {
    fn encodings(self) -> Vec<Encoding> {
        let with = |first: &[Encoding], without: &[Encoding]| {
            let rest = LOSSLESS[1..].iter().filter(|one| !without.contains(one));
            first.iter().chain(rest).copied().collect()
        };
        let asking = [
            Encoding::CONTINUOUS_UPDATES,
            Encoding::FENCE,
            Encoding::EXTENDED_DESKTOP_SIZE,
        ];
        match self {
            Self::Browser => with(
                &[
                    Encoding::TIGHT,
                    Encoding::PREDICTED,
                    Encoding::OPEN_H264,
                    Encoding::quality(4),
                ],
                &[],
            ),
            Self::Tight => LOSSLESS.to_vec(),
            Self::Jpeg => with(
                &[Encoding::TIGHT, Encoding::quality(6)],
                &[Encoding::COPY_RECT],
            ),
            Self::Zrle => with(&[Encoding::ZRLE], &[]),
            Self::Asking => with(
                &[
                    Encoding::TIGHT,
                    Encoding::quality(3),
                    Encoding::DESKTOP_SIZE,
                ],
                &asking,
            ),
            Self::Plain => with(&[Encoding::RAW], &asking),
        }
    }

    const fn asks(self) -> bool {
        matches!(self, Self::Asking | Self::Plain)
    }

    const fn follows_size(self) -> bool {
        !matches!(self, Self::Plain)
    }
}

/// A viewer of a kind.
struct Watcher {
    kind: Kind,
    viewer: Viewer,
}

impl Watcher {
    async fn join(canvas: &Canvas, kind: Kind) -> Self {
        let mut viewer = Viewer::connect_to(&canvas.socket(), "control", &kind.encodings()).await;
        if kind.asks() {
            let incremental = false;
            let area = ALL;
            viewer
                .send(ClientMessage::FramebufferUpdateRequest { incremental, area })
                .await;
        } else {
            viewer.turn_on().await;
        }
        Self { kind, viewer }
    }

    async fn ask(&mut self) {
        if self.kind.asks() {
            let incremental = true;
            let area = ALL;
            self.viewer
                .send(ClientMessage::FramebufferUpdateRequest { incremental, area })
                .await;
        }
    }

    /// Reads what there is by now.
    async fn look(&mut self) {
        self.ask().await;
        if self.kind.asks() {
            // No fences: a moment in which something may come.
            let _ = timeout(Duration::from_millis(5), self.viewer.read()).await;
        } else {
            self.viewer.sync().await;
        }
        self.viewer.events.clear();
    }

    fn sees(&self, canvas: &Canvas) -> bool {
        let (screen, own) = (canvas.picture(), &self.viewer.picture);
        if self.kind.follows_size() {
            return (own.width(), own.height(), own.bgrx())
                == (screen.width(), screen.height(), screen.bgrx());
        }
        let (width, height) = (
            own.width().min(screen.width()),
            own.height().min(screen.height()),
        );
        let area = Rect::new(0, 0, width, height);
        let (own, screen) = (own.view().unwrap(), screen.view().unwrap());
        own.rows(area).eq(screen.rows(area))
    }

    /// Reads until it sees what is there; whether it came to that.
    async fn comes_to_see(&mut self, canvas: &Canvas) -> bool {
        self.viewer.answers_fences = true;
        self.viewer.answer_late().await;
        let start = Instant::now();
        while !self.sees(canvas) {
            if start.elapsed() > PATIENCE / 6 {
                return false;
            }
            self.ask().await;
            // What is on its way; nothing means that all was read.
            let _ = timeout(Duration::from_millis(50), self.viewer.read()).await;
            self.viewer.events.clear();
        }
        true
    }
}

#[derive(Debug, Clone)]
enum Step {
    Text(Rect, u32),
    Photo(Rect, u32),
    Plain(Rect, u32),
    /// So many pictures, while who looks keeps up.
    Film(Rect, u32),
    Scroll(Rect, u16),
    Resize(Size),
    /// By the wish of a viewer.
    ResizeBy(usize, Size),
    Join(Kind),
    Leave(usize),
    /// A viewer answers fences from now on, or does not.
    Answers(usize, bool),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::Browser,
        Kind::Browser,
        Kind::Tight,
        Kind::Jpeg,
        Kind::Zrle,
        Kind::Asking,
        Kind::Plain,
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let rect = || {
        (0_u16..400, 0_u16..300, 1_u16..400, 1_u16..300)
            .prop_map(|(x, y, width, height)| Rect::new(x, y, width, height))
    };
    let size = || (64_u16..500, 64_u16..400).prop_map(|(width, height)| Size::new(width, height));
    prop_oneof![
        4 => (rect(), any::<u32>()).prop_map(|(area, seed)| Step::Text(area, seed % 1000)),
        3 => (rect(), any::<u32>()).prop_map(|(area, seed)| Step::Photo(area, seed % 1000)),
        2 => (rect(), any::<u32>()).prop_map(|(area, colour)| Step::Plain(area, colour)),
        1 => (rect(), 1_u32..15).prop_map(|(area, pictures)| Step::Film(area, pictures)),
        5 => (rect(), 1_u16..60).prop_map(|(area, up)| Step::Scroll(area, up)),
        1 => size().prop_map(Step::Resize),
        1 => (any::<usize>(), size()).prop_map(|(index, size)| Step::ResizeBy(index, size)),
        1 => kind().prop_map(Step::Join),
        1 => any::<usize>().prop_map(Step::Leave),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(index, does)| Step::Answers(index, does)),
    ]
}

fn text(canvas: &Canvas, area: Rect, seed: u32) {
    canvas.paint(area, |x, y| {
        let row = (y / 3).wrapping_mul(0x9e37_79b1).wrapping_add(seed);
        [0xff_ffff, 0, 0x20_20c0][(row.rotate_left(x / 3 % 32) % 3) as usize]
    });
}

fn photo(canvas: &Canvas, area: Rect, seed: u32) {
    canvas.paint(area, |x, y| {
        (((x + seed * 3) % 256) << 16) | (((y + seed) % 256) << 8) | ((x * 31 + y * 17 + seed) % 61)
    });
}

async fn run(kinds: Vec<Kind>, steps: Vec<(Step, u8)>) -> Result<(), TestCaseError> {
    let canvas = Canvas::serve(SIZE);
    text(&canvas, SIZE.bounds(), 0);
    let mut watchers = Vec::new();
    for kind in kinds {
        watchers.push(Watcher::join(&canvas, kind).await);
    }
    for (step, looks) in steps {
        match step {
            Step::Text(area, seed) => text(&canvas, area, seed),
            Step::Photo(area, seed) => photo(&canvas, area, seed),
            Step::Plain(area, colour) => canvas.paint(area, |_, _| colour),
            Step::Film(area, pictures) => {
                for number in 0..pictures {
                    photo(&canvas, area, number * 7);
                    for (index, watcher) in watchers.iter_mut().enumerate() {
                        if looks >> (index % 8) & 1 == 1 {
                            watcher.look().await;
                        }
                    }
                }
            }
            Step::Scroll(area, up) => canvas.scroll(area, up),
            Step::Resize(size) => canvas.resize(size).await,
            Step::ResizeBy(index, size) => {
                let count = watchers.len();
                if let Some(watcher) = watchers.get_mut(index % count.max(1)) {
                    watcher.viewer.ask_for_size(size.width, size.height).await;
                }
            }
            Step::Join(kind) => watchers.push(Watcher::join(&canvas, kind).await),
            Step::Leave(index) if !watchers.is_empty() => {
                let index = index % watchers.len();
                watchers.swap_remove(index);
            }
            Step::Answers(index, does) if !watchers.is_empty() => {
                let index = index % watchers.len();
                let viewer = &mut watchers[index].viewer;
                viewer.answers_fences = does;
                if does {
                    viewer.answer_late().await;
                }
            }
            Step::Leave(_) | Step::Answers(..) => {}
        }
        for (index, watcher) in watchers.iter_mut().enumerate() {
            if looks >> (index % 8) & 1 == 1 {
                watcher.look().await;
            }
        }
    }
    // Sizes that viewers asked for are there before their pictures are compared.
    for watcher in &mut watchers {
        if !watcher.kind.asks() {
            watcher.look().await;
        }
    }
    for watcher in &mut watchers {
        let sees = watcher.comes_to_see(&canvas).await;
        prop_assert!(sees, "{:?} never saw what is there", watcher.kind);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_viewer_ends_with_the_screens_picture(
        kinds in prop::collection::vec(kind(), 1..5),
        steps in prop::collection::vec((step(), any::<u8>()), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(run(kinds, steps))?;
    }
}

/// The sizes that a viewer was told, with the reasons and statuses.
fn told(viewer: &mut Viewer) -> Vec<(u16, u16, u16, u16)> {
    let sizes = viewer.events.drain(..).filter_map(|event| match event {
        ServerEvent::DesktopSize {
            width,
            height,
            extended: Some(extended),
        } => Some((width, height, extended.reason, extended.status)),
        _ => None,
    });
    sizes.collect()
}

#[tokio::test]
async fn the_last_size_asked_for_wins_and_the_others_are_told() {
    let canvas = Canvas::serve(SIZE);
    text(&canvas, SIZE.bounds(), 0);
    let mut viewers = Vec::new();
    for access in ["control", "control", "view"] {
        let mut viewer = Viewer::connect_to(&canvas.socket(), access, LOSSLESS).await;
        viewer.turn_on().await;
        viewer.events.clear();
        viewers.push(viewer);
    }
    let [one, two, view] = &mut viewers[..] else {
        unreachable!("three connected")
    };
    for (size, others) in [((400, 300), false), ((333, 222), true), ((401, 299), false)] {
        let (asks, other) = if others {
            (&mut *two, &mut *one)
        } else {
            (&mut *one, &mut *two)
        };
        assert_eq!(asks.resize(size.0, size.1).await, 0);
        for viewer in [&mut *other, &mut *view] {
            viewer
                .until(|event| {
                    matches!(event, ServerEvent::DesktopSize { extended: Some(extended), .. }
                        if extended.reason == 2 && extended.status == 0)
                })
                .await;
            assert_eq!((viewer.picture.width(), viewer.picture.height()), size);
            viewer.events.clear();
        }
    }
    // Who may only look is refused, and nobody else hears of it.
    assert_eq!(view.resize(200, 200).await, 1);
    for viewer in [one, two] {
        viewer.sync().await;
        assert!(told(viewer).is_empty());
        assert_eq!(
            (viewer.picture.width(), viewer.picture.height()),
            (401, 299)
        );
    }
    assert_eq!(
        (canvas.picture().width(), canvas.picture().height()),
        (401, 299)
    );
}
