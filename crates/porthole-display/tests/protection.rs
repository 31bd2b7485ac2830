//! What is burnt into the pixels, as a viewer that ignores everything and a screenshot have it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests end that way.

mod common;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{
    Display,
    viewer::{LOSSLESS, Viewer},
    wait_for,
};
use porthole_rfb::{Encoding, client::ClientMessage};
use serde_json::{Value, json};

/// A red picture, opaque on its left half.
fn picture() -> String {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 40, 20);
    encoder.set_color(png::ColorType::Rgba);
    let pixels: Vec<u8> = (0..40 * 20)
        .flat_map(|at| [255, 0, 0, if at % 40 < 20 { 255 } else { 0 }])
        .collect();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    STANDARD.encode(bytes)
}

/// The picture's middle is the screen's: opaque from 300,230 to 320,250 on 640 by 480.
fn marked() -> Value {
    json!({
        "watermark": {
            "mark": { "kind": "picture", "png": picture() },
            "placement": { "kind": "tiled", "spacing": 40 },
            "opacity": 100,
        },
        "black_out": [{ "left": "-100", "top": "0", "right": "100%", "bottom": "50%" }],
    })
}

fn protect(display: &Display, protection: &Value) {
    let body = json!({ "name": "Protected", "protection": protection });
    let (code, answer) = display.put("/session", &body.to_string());
    assert_eq!(code, 200, "{}", String::from_utf8_lossy(&answer));
}

fn pixel(bgrx: &[u8], x: usize, y: usize) -> [u8; 3] {
    let at = (y * 640 + x) * 4;
    [bgrx[at], bgrx[at + 1], bgrx[at + 2]]
}

/// What the X server shows, with the marks and the black area of [`marked`].
fn expected(display: &Display) -> Vec<u8> {
    let mut bgrx = display.picture().bgrx;
    for y in 0..480_i32 {
        for x in 0..640_i32 {
            let at = (y * 640 + x) as usize * 4;
            if (x - 300).rem_euclid(80) < 20 && (y - 230).rem_euclid(60) < 20 {
                bgrx[at..at + 3].copy_from_slice(&[0, 0, 255]);
            }
            if x >= 540 && y < 240 {
                bgrx[at..at + 3].fill(0);
            }
        }
    }
    bgrx
}

async fn until_expected(viewer: &mut Viewer, display: &Display) {
    let start = std::time::Instant::now();
    loop {
        let wanted = expected(display);
        let different = common::picture::difference(viewer.picture.bgrx(), &wanted, 640);
        let Some(different) = different else { return };
        assert!(start.elapsed() < common::PATIENCE, "{different}");
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), viewer.read()).await;
    }
}

#[tokio::test]
async fn every_viewer_has_it_whatever_is_drawn_and_scrolled() {
    let display = Display::start("640x480");
    display.run("xsetroot", &["-solid", "#c0c0c0"]);
    // One was there before, one comes after; one takes raw pixels and knows of nothing.
    let mut early = Viewer::watch(&display, LOSSLESS).await;
    protect(&display, &marked());
    let mut encodings = LOSSLESS.to_vec();
    encodings[0] = Encoding::RAW;
    encodings.retain(|encoding| *encoding != Encoding::COPY_RECT);
    let mut raw = Viewer::watch(&display, &encodings).await;
    until_expected(&mut early, &display).await;
    assert_eq!(
        pixel(raw_picture(&mut raw, &display).await, 310, 240),
        [0, 0, 255]
    );
    assert_eq!(pixel(raw.picture.bgrx(), 330, 240), [0xc0; 3]);
    assert_eq!(pixel(raw.picture.bgrx(), 600, 100), [0; 3]);

    let script = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i of 300; done; exec cat";
    let _terminal = display.spawn(
        "xterm",
        &["-geometry", "90x30+0+0", "-e", "sh", "-c", script],
    );
    wait_for("the terminal", || display.status()["windows"] != 0);
    for _ in 0..20 {
        let _ = tokio::time::timeout(std::time::Duration::from_millis(50), early.read()).await;
    }
    until_expected(&mut early, &display).await;
    until_expected(&mut raw, &display).await;
}

async fn raw_picture<'a>(viewer: &'a mut Viewer, display: &Display) -> &'a [u8] {
    until_expected(viewer, display).await;
    viewer.picture.bgrx()
}

#[tokio::test]
async fn screenshots_have_it() {
    let display = Display::start("640x480");
    display.run("xsetroot", &["-solid", "#c0c0c0"]);
    protect(&display, &marked());
    let (code, jpeg) = display.get("/screenshot?quality=100");
    assert_eq!(code, 200);
    let image = turbojpeg::decompress(&jpeg, turbojpeg::PixelFormat::BGRX).unwrap();
    let near = |x, y, wanted: [u8; 3]| {
        let seen = pixel(&image.pixels, x, y);
        let close = seen
            .iter()
            .zip(wanted)
            .all(|(one, two)| one.abs_diff(two) < 12);
        assert!(close, "{x},{y}: {seen:?}, and not {wanted:?}");
    };
    near(310, 240, [0, 0, 255]);
    near(340, 240, [0xc0; 3]);
    near(600, 100, [0; 3]);
}

#[tokio::test]
async fn a_text_is_burnt_in_and_follows_the_size() {
    let display = Display::start("640x480");
    display.run("xsetroot", &["-solid", "#000000"]);
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    let text = json!({ "watermark": {
        "mark": { "kind": "text", "text": "someone@example.com\n%Y-%m-%d" },
        "angle": -30, "opacity": 100, "colour": "#ffffff",
    }});
    protect(&display, &text);
    let (code, _) = display.put("/session", r#"{"width":500,"height":300}"#);
    assert_eq!(code, 200);
    let bright = |bgrx: &[u8]| bgrx.chunks_exact(4).filter(|pixel| pixel[1] > 200).count();
    let start = std::time::Instant::now();
    while viewer.picture.width() != 500 || bright(viewer.picture.bgrx()) < 500 {
        assert!(start.elapsed() < common::PATIENCE);
        viewer.read().await;
    }
}

#[tokio::test]
async fn clicks_on_what_is_hidden_reach_nothing() {
    let display = Display::start("640x480");
    protect(&display, &marked());
    let file = display.dir().join("typed");
    let _terminal = display.typing_terminal(&file);
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    let buttons = || {
        let (conn, screen) = x11rb::connect(Some(&display.name)).unwrap();
        let root = x11rb::connection::Connection::setup(&conn).roots[screen].root;
        let asked = x11rb::protocol::xproto::query_pointer(&conn, root).unwrap();
        let pointer = asked.reply().unwrap();
        (pointer.root_x, u16::from(pointer.mask) & 0x1f00 != 0)
    };
    let mut point = async |x, buttons| {
        let message = ClientMessage::Pointer { buttons, x, y: 100 };
        viewer.send(message).await;
    };
    // Pressed in the dark and dragged out of it: nobody hears of that button until it is let go.
    point(600, 1).await;
    wait_for("the pointer", || buttons() == (600, false));
    point(100, 1).await;
    wait_for("the pointer", || buttons() == (100, false));
    point(100, 0).await;
    point(101, 1).await;
    wait_for("the press", || buttons() == (101, true));
    // Pressed in the light and let go in the dark: the release counts.
    point(601, 1).await;
    wait_for("the drag", || buttons() == (601, true));
    point(602, 0).await;
    wait_for("the release", || buttons() == (602, false));
}

#[tokio::test]
async fn what_cannot_be_carried_out_is_refused() {
    let display = Display::start_with("640x480", &[("PORTHOLE_DISPLAY_FONTS", "/nonexistent.ttf")]);
    for bad in [
        json!({ "watermark": { "mark": { "kind": "text", "text": "x" } } }),
        json!({ "watermark": { "mark": { "kind": "picture", "png": "AAAA" } } }),
        json!({ "watermark": { "mark": { "kind": "song" } } }),
        json!({ "blackout": [] }),
    ] {
        let body = json!({ "protection": bad }).to_string();
        let (code, answer) = display.put("/session", &body);
        assert_eq!(code, 422, "{bad}");
        assert!(
            String::from_utf8(answer).unwrap().contains("error"),
            "{bad}"
        );
    }
}
