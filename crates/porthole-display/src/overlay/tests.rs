use super::*;
use crate::{
    frame::Frame,
    geometry::TileSet,
    motion::{Move, Scrolls},
};
use porthole_model::protection::{Edge, Region};
use proptest::prelude::*;

const SIZE: Size = Size::new(333, 217);
const DEJAVU: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

/// A screen of made-up pixels.
struct Screen(Vec<u8>);

impl Screen {
    fn new(seed: u32) -> Self {
        let mut screen = Self(vec![
            0;
            usize::from(SIZE.width) * usize::from(SIZE.height) * 4
        ]);
        screen.draw(SIZE.bounds(), seed);
        screen
    }

    fn at(x: u16, y: u16) -> usize {
        (usize::from(y) * usize::from(SIZE.width) + usize::from(x)) * 4
    }

    fn draw(&mut self, area: Rect, seed: u32) {
        let area = area.intersect(&SIZE.bounds());
        for y in area.y..area.bottom() as u16 {
            for x in area.x..area.right() as u16 {
                // Letters of 8 by 8 pixels in lines that differ.
                let cell = (u32::from(y) / 8)
                    .wrapping_mul(0x9e37_79b1)
                    .wrapping_add((u32::from(x) / 8).wrapping_mul(0x85eb_ca6b))
                    .wrapping_add(seed);
                let bit = cell.wrapping_mul(0xc2b2_ae35) >> (x % 8 + y % 8 * 2) & 1;
                let pixel = [bit as u8 * 255, (cell >> 9) as u8, 30, 7];
                self.0[Self::at(x, y)..][..4].copy_from_slice(&pixel);
            }
        }
    }

    fn scroll(&mut self, by: u16) {
        self.0.copy_within(Self::at(0, by).., 0);
    }

    fn read(&self, x: u16, y: u16, into: &mut [u8]) {
        into.copy_from_slice(&self.0[Self::at(x, y)..][..into.len()]);
    }

    /// Each pixel by itself, as it is to be seen.
    fn seen(&self, layer: &Layer) -> Vec<u8> {
        let mut seen = self.0.clone();
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                layer.apply(x, y, &mut seen[Self::at(x, y)..][..4]);
            }
        }
        seen
    }
}

fn bitmap(width: usize, height: usize) -> Bitmap {
    let pixels = (0..width * height).map(|at| {
        let (x, y) = (at % width, at / width);
        let alpha = if (x + y).is_multiple_of(3) {
            0
        } else {
            (x * 40 + y * 7) as u8
        };
        [(x * 9) as u8, (y * 13) as u8, 200, alpha]
    });
    Bitmap::new(width, height, pixels)
}

fn layer_of(width: usize, height: usize, start: (i32, i32), gap: (i32, i32), opacity: u8) -> Layer {
    let stamp = Stamp::new(&bitmap(width, height), opacity);
    let step = (width as i32 + gap.0, height as i32 + gap.1);
    let black = vec![Rect::new(300, 0, 20, 150), Rect::new(0, 200, 333, 9)];
    Layer::new(Some(Tiling::new(stamp, start, step)), black)
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "reads better where it is called"
)]
fn text(json: serde_json::Value) -> Protection {
    serde_json::from_value(serde_json::json!({ "watermark": json })).unwrap()
}

fn set(protection: Protection) -> Overlay {
    let mut overlay = Overlay::new(vec![DEJAVU.into()]);
    overlay.set(protection, SIZE).unwrap();
    overlay
}

#[test]
fn blending_is_that_of_the_definition() {
    // Half of white on black, on white, and of black on white.
    for (mark, screen, seen) in [(255, 0, 128), (255, 255, 255), (0, 255, 127)] {
        let picture = Bitmap::new(1, 1, [[mark, mark, mark, 255]].into_iter());
        let stamp = Stamp::new(&picture, 50);
        let layer = Layer::new(Some(Tiling::new(stamp, (0, 0), (1, 1))), Vec::new());
        let mut pixel = [screen, screen, screen, 9];
        layer.apply(7, 7, &mut pixel);
        assert_eq!(pixel, [seen, seen, seen, 9]);
    }
}

#[test]
fn a_text_is_seen_all_over_the_screen_and_in_any_script() {
    for letters in ["Grüße", "Ωμέγα", "Съешь", "漢字", "\u{1f980}"] {
        let overlay = set(text(serde_json::json!({
            "mark": { "kind": "text", "text": letters, "size": 20 },
            "placement": { "kind": "tiled", "spacing": 10 }, "opacity": 100,
        })));
        let mut seen = vec![0; usize::from(SIZE.width) * usize::from(SIZE.height) * 4];
        for y in 0..SIZE.height {
            let row = &mut seen[Screen::at(0, y)..][..usize::from(SIZE.width) * 4];
            overlay.layer().apply(0, y, row);
        }
        for quarter in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let marked = (0..100).any(|y| {
                let at = Screen::at(quarter.0 * 160, quarter.1 * 108 + y);
                seen[at..at + 640].iter().any(|byte| *byte > 100)
            });
            assert!(marked, "{letters}: {quarter:?}");
        }
    }
}

#[test]
fn long_texts_and_small_screens_fit() {
    let mut overlay = Overlay::new(vec![DEJAVU.into()]);
    let protection = text(serde_json::json!({
        "mark": { "kind": "text", "text": "somebody@example.com on a long line of text", "size": 90 },
        "angle": -35, "placement": { "kind": "once", "position": "bottom_right" },
    }));
    for size in [Size::new(2000, 300), Size::new(360, 640), Size::new(64, 64)] {
        overlay.set(protection.clone(), size).unwrap();
        overlay.resize(size);
        let places = overlay.layer().marked(size);
        assert_eq!(places.len(), 1, "{size:?}");
        assert!(places[0].fits(size.width, size.height), "{places:?}");
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_and_never_shown_bare() {
    let protection = text(serde_json::json!({ "mark": { "kind": "text", "text": "x" } }));
    let mut overlay = Overlay::new(vec!["/nonexistent/font.ttf".into()]);
    let error = overlay
        .set(protection.clone(), SIZE)
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nonexistent/font.ttf"), "{error}");
    let nothing = text(serde_json::json!({ "mark": { "kind": "text", "text": "  " } }));
    assert!(matches!(
        Overlay::new(vec![DEJAVU.into()]).set(nothing, SIZE),
        Err(OverlayError::Nothing)
    ));
    // The fonts went away while it ran.
    let mut overlay = set(protection);
    overlay.fonts.clear();
    overlay.resize(SIZE);
    assert_eq!(overlay.layer().hidden(), [SIZE.bounds()]);
}

#[test]
fn black_and_visible_areas() {
    let edge = |text: &str| text.parse::<Edge>().unwrap();
    let seen = |left: &str| Protection {
        visible: Some(Region {
            left: edge(left),
            top: edge("20"),
            right: edge("-30"),
            bottom: edge("50%"),
        }),
        ..Protection::default()
    };
    let overlay = set(seen("10"));
    let screen = Screen::new(1);
    let picture = screen.seen(overlay.layer());
    for y in 0..SIZE.height {
        for x in 0..SIZE.width {
            let at = Screen::at(x, y);
            let shown = (10..303).contains(&x) && (20..109).contains(&y);
            let wanted = if shown {
                &screen.0[at..at + 4]
            } else {
                &[0; 4][..]
            };
            assert_eq!(&picture[at..at + 4], wanted, "{x},{y}");
        }
    }
    // Nothing is left to see: all is black, and not nothing.
    assert_eq!(set(seen("5000")).layer().hidden(), [SIZE.bounds()]);
}

#[test]
fn time_passes_only_where_the_text_is() {
    let mut overlay = set(text(serde_json::json!({
        "mark": { "kind": "text", "text": "%H:%M:%S" },
        "placement": { "kind": "once", "position": "top" },
    })));
    let due = overlay.due_in(Instant::now()).unwrap();
    assert!(due <= Duration::from_secs(1));
    assert!(overlay.renew(Instant::now(), SIZE).is_none() || due.is_zero());
    if let Shown::Text(text, _) = &mut overlay.shown {
        "another time".clone_into(text);
    }
    let areas = overlay.renew(Instant::now() + due, SIZE).unwrap();
    assert!(areas.iter().all(|area| area.bottom() < 80), "{areas:?}");
    let still = set(text(
        serde_json::json!({ "mark": { "kind": "text", "text": "still" } }),
    ));
    assert_eq!(still.due_in(Instant::now()), None);
}

/// What the capture thread does for an area that was damaged.
fn capture(
    screen: &Screen,
    layer: &Layer,
    frame: &mut Frame,
    scrolls: &mut Scrolls,
    damaged: Rect,
) -> (Vec<Move>, TileSet) {
    let read = |x: u16, y: u16, into: &mut [u8]| {
        screen.read(x, y, into);
        layer.apply(x, y, into);
    };
    let moves = scrolls.find(frame, damaged, read);
    for moved in &moves {
        frame.shift(*moved);
    }
    let mut changed = TileSet::new(SIZE);
    frame.update(damaged, &mut Vec::new(), &mut changed, read);
    (moves, changed)
}

fn same(frame: &Frame, pixels: &[u8]) -> bool {
    (0..SIZE.height).all(|y| {
        let row = &pixels[Screen::at(0, y)..][..usize::from(SIZE.width) * 4];
        frame.row(0, y, SIZE.width) == row
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Rows in one go are as pixels one by one, from wherever they begin.
    #[test]
    fn rows_are_as_pixels(
        (width, height) in (1_usize..60, 1_usize..40),
        start in (-50_i32..300, -50_i32..300),
        gap in (0_i32..90, 0_i32..90),
        opacity in 1_u8..=100,
        (x, y, length) in (0..SIZE.width, 0..SIZE.height, 1..SIZE.width),
    ) {
        let layer = layer_of(width, height, start, gap, opacity);
        let screen = Screen::new(u32::from(opacity));
        let length = length.min(SIZE.width - x);
        let mut row = vec![0; usize::from(length) * 4];
        screen.read(x, y, &mut row);
        layer.apply(x, y, &mut row);
        let seen = screen.seen(&layer);
        prop_assert_eq!(&row[..], &seen[Screen::at(x, y)..][..row.len()]);
        // What the layer says it covers is all that differs, but for what is black.
        let bare = Layer::new(None, layer.hidden().to_vec());
        let (bare, places) = (screen.seen(&bare), layer.marked(SIZE));
        for y in 0..SIZE.height {
            for x in 0..SIZE.width {
                let at = Screen::at(x, y);
                let pixel = Rect::new(x, y, 1, 1);
                let covered = places.iter().any(|place| !place.intersect(&pixel).is_empty());
                prop_assert!(covered || bare[at..at + 4] == seen[at..at + 4], "{x},{y}");
            }
        }
    }

    /// Whatever is drawn, scrolled and marked anew: the picture is screen and layer, and a viewer
    /// that does the moves and takes the changed tiles has it too.
    #[test]
    fn any_damage_gives_screen_and_layer(
        steps in prop::collection::vec(
            (prop::option::of(1_u16..60), (0_u16..333, 0_u16..217, 1_u16..333, 1_u16..217), any::<u32>(), prop::option::of((1_usize..60, 1_usize..40, 1_u8..100))),
            1..12,
        ),
    ) {
        let mut screen = Screen::new(0);
        let mut layer = layer_of(40, 20, (3, 5), (17, 11), 60);
        let (mut frame, mut viewer) = (Frame::new(SIZE), Frame::new(SIZE));
        let mut scrolls = Scrolls::default();
        let mut step = |screen: &Screen, layer: &Layer, damaged: Rect| {
            let (moves, changed) = capture(screen, layer, &mut frame, &mut scrolls, damaged);
            for moved in &moves {
                viewer.shift(*moved);
            }
            for area in changed.rects() {
                viewer.update(area, &mut Vec::new(), &mut TileSet::new(SIZE), |x, y, into| {
                    into.copy_from_slice(frame.row(x, y, (into.len() / 4) as u16));
                });
            }
            let seen = screen.seen(layer);
            same(&frame, &seen) && same(&viewer, &seen)
        };
        prop_assert!(step(&screen, &layer, SIZE.bounds()));
        for (scrolled, (x, y, width, height), seed, marked) in steps {
            let mut damaged = Rect::new(x, y, width, height).intersect(&SIZE.bounds());
            screen.draw(damaged, seed);
            if let Some(by) = scrolled {
                screen.scroll(by);
                damaged = SIZE.bounds();
            }
            prop_assert!(step(&screen, &layer, damaged));
            if let Some((width, height, opacity)) = marked {
                let next = layer_of(width, height, (9, 2), (30, 30), opacity);
                let areas = [layer.marked(SIZE), next.marked(SIZE)].concat();
                layer = next;
                let mut tiles = TileSet::new(SIZE);
                for area in areas {
                    tiles.insert(area);
                }
                for (index, area) in tiles.rects().into_iter().enumerate() {
                    // The picture is whole when the last of them was taken over.
                    let whole = step(&screen, &layer, area);
                    prop_assert!(whole || index + 1 < tiles.rects().len());
                }
            }
        }
    }
}
