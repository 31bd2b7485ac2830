//! What viewers type and point at arrives.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests end that way.

mod common;

use common::{
    Display,
    viewer::{LOSSLESS, Viewer, symbol_of},
    wait_for,
};
use porthole_rfb::{
    Encoding,
    client::{ClientMessage, NO_MOTION, button, lock},
    decode::ServerEvent,
};
use std::path::Path;

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

/// Types a line into an xterm and gives what its program read.
async fn typed(viewer: &mut Viewer, file: &Path, line: &str) -> String {
    let before = read(file);
    viewer.type_text(line).await;
    viewer.type_text("\n").await;
    wait_for("the line", || {
        read(file).lines().count() > before.lines().count()
    });
    read(file)[before.len()..].trim_end_matches('\n').to_owned()
}

#[tokio::test]
async fn texts_of_many_languages_arrive() {
    let display = Display::start("800x600");
    let file = display.dir().join("typed");
    let _terminal = display.typing_terminal(&file);
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    viewer.point(100, 100, 0).await;
    let lines = [
        "The quick brown fox, (jumps) over 13 lazy dogs! #@$%^&*[]{}<>\\|~`'\"",
        "Zwölf Boxkämpfer jagen Viktor über den großen Sylter Deich: ÄÖÜ ß € µ ²³",
        "Portez ce vieux whisky au juge blond qui fume: éèêëàâçùûîïô œ Æ «»",
        "Съешь же ещё этих мягких французских булок, да выпей чаю",
        "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
        "日本語と한국어 ☃ → ∞",
    ];
    for line in lines {
        assert_eq!(typed(&mut viewer, &file, line).await, line);
    }
    // Other keyboards in the session: the same symbols from other keys, or from spare ones.
    for layout in ["de", "fr", "us,ru"] {
        display.run("setxkbmap", &[layout]);
        for line in &lines[..4] {
            assert_eq!(typed(&mut viewer, &file, line).await, *line, "{layout}");
        }
    }
}

#[tokio::test]
async fn held_modifiers_and_places() {
    let display = Display::start("800x600");
    let file = display.dir().join("typed");
    let _terminal = display.typing_terminal(&file);
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    viewer.point(100, 100, 0).await;
    let shift = 0xffe1;
    // As on a French keyboard: Shift is held for digits.
    viewer
        .send(ClientMessage::Key {
            down: true,
            keysym: shift,
        })
        .await;
    viewer.type_text("123").await;
    viewer.type_text("AB").await;
    viewer
        .send(ClientMessage::Key {
            down: false,
            keysym: shift,
        })
        .await;
    assert_eq!(typed(&mut viewer, &file, "c").await, "123ABc");
    // Caps Lock on, then a viewer whose Caps Lock is off.
    viewer.key(0xffe5).await;
    assert_eq!(typed(&mut viewer, &file, "Ab").await, "Ab");
    // Number pad, by symbol.
    for symbol in [0xffb1, 0xffb2, 0xffae] {
        viewer.key(symbol).await;
    }
    assert_eq!(typed(&mut viewer, &file, "").await, "12.");
    // A place without a symbol, and a place whose symbol is another than here.
    for (keysym, keycode) in [(0, 0x1e), (symbol_of('z'), 0x15), (symbol_of('y'), 0x2c)] {
        for down in [true, false] {
            viewer
                .send(ClientMessage::QemuKey {
                    down,
                    keysym,
                    keycode,
                })
                .await;
        }
    }
    assert_eq!(typed(&mut viewer, &file, "").await, "azy");
    // Control with a letter reaches the program: the terminal's end of input.
    let control = 0xffe3;
    viewer
        .send(ClientMessage::Key {
            down: true,
            keysym: control,
        })
        .await;
    viewer.type_text("d").await;
    viewer
        .send(ClientMessage::Key {
            down: false,
            keysym: control,
        })
        .await;
    wait_for("the xterm's end", || display.status()["windows"] == 0);
}

#[tokio::test]
async fn repeats_come_from_the_viewer_alone() {
    let display = Display::start("800x600");
    let file = display.dir().join("typed");
    let _terminal = display.typing_terminal(&file);
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    viewer.point(100, 100, 0).await;
    for _ in 0..4 {
        viewer
            .send(ClientMessage::Key {
                down: true,
                keysym: symbol_of('x'),
            })
            .await;
    }
    viewer.sync().await;
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    viewer
        .send(ClientMessage::Key {
            down: false,
            keysym: symbol_of('x'),
        })
        .await;
    assert_eq!(typed(&mut viewer, &file, "y").await, "xxxxy");
}

#[tokio::test]
async fn a_viewer_that_goes_lets_go_of_everything() {
    let display = Display::start("800x600");
    let file = display.dir().join("typed");
    let _terminal = display.typing_terminal(&file);
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    viewer.point(100, 100, 0).await;
    for keysym in [0xffe1, 0xffe3, 0xffe9] {
        viewer.send(ClientMessage::Key { down: true, keysym }).await;
    }
    viewer.point(100, 100, button::LEFT).await;
    viewer.sync().await;
    let held = || {
        use x11rb::{connection::Connection as _, protocol::xproto::ConnectionExt as _};
        let (conn, screen) = x11rb::connect(Some(&display.name)).unwrap();
        let root = conn.setup().roots[screen].root;
        u16::from(conn.query_pointer(root).unwrap().reply().unwrap().mask)
    };
    wait_for("the held keys", || held() == 0x10d);
    drop(viewer);
    wait_for("that nothing is held", || held() == 0);
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    assert_eq!(typed(&mut viewer, &file, "ok").await, "ok");
}

#[tokio::test]
async fn all_nine_buttons_and_the_place() {
    let display = Display::start("800x600");
    let log = display.dir().join("events");
    let script = format!("exec xev -root -event button > '{}'", log.display());
    let _xev = display.spawn("sh", &["-c", &script]);
    wait_for("xev", || log.exists());
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    let count = || read(&log).matches("ButtonPress").count();
    // Until xev listens.
    for round in 0.. {
        viewer.point(5, 5, button::LEFT).await;
        viewer.point(5, 5, 0).await;
        viewer.sync().await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if count() > 0 {
            break;
        }
        assert!(round < 200, "xev sees no button");
    }
    let before = count();
    for button in 0..9 {
        viewer.point(700, 17 + button, 1 << button).await;
        viewer.point(700, 17 + button, 0).await;
    }
    wait_for("the buttons", || count() >= before + 9);
    let text = read(&log);
    for button in 1..=9 {
        assert!(
            text.contains(&format!("button {button},")),
            "button {button}"
        );
    }
    assert!(text.contains("(700,25)"), "{text}");
}

#[tokio::test]
async fn motion_goes_on_from_wherever_a_program_put_the_pointer() {
    let display = Display::start("800x600");
    let place = || {
        use x11rb::{connection::Connection as _, protocol::xproto::ConnectionExt as _};
        let (conn, screen) = x11rb::connect(Some(&display.name)).unwrap();
        let root = conn.setup().roots[screen].root;
        let pointer = conn.query_pointer(root).unwrap().reply().unwrap();
        (pointer.root_x, pointer.root_y, u16::from(pointer.mask))
    };
    let plain = [LOSSLESS, &[Encoding::POINTER_MOTION]].concat();
    let relative = [&plain, &[Encoding::RELATIVE_POINTER][..]].concat();
    let mut viewer = Viewer::watch(&display, &plain).await;
    viewer.point(300, 200, 0).await;
    wait_for("a place", || place() == (300, 200, 0));
    viewer.send(ClientMessage::SetEncodings(relative)).await;
    viewer
        .until(|event| matches!(event, ServerEvent::PointerMotion { absolute: false }))
        .await;
    viewer
        .point(NO_MOTION + 7, NO_MOTION - 5, button::LEFT)
        .await;
    wait_for("motion", || place() == (307, 195, 0x100));
    viewer.point(NO_MOTION, NO_MOTION, 0).await;
    wait_for("a released button", || place() == (307, 195, 0));
    // As games do: the pointer is put back into the middle, and motion counts from there.
    display.run("xdotool", &["mousemove", "400", "300"]);
    viewer.point(NO_MOTION - 1, NO_MOTION + 2, 0).await;
    wait_for("motion from there", || place() == (399, 302, 0));
    viewer.send(ClientMessage::SetEncodings(plain)).await;
    viewer.point(10, 20, 0).await;
    wait_for("a place again", || place() == (10, 20, 0));
    viewer
        .until(|event| matches!(event, ServerEvent::PointerMotion { absolute: true }))
        .await;
}

#[tokio::test]
async fn locks_are_told() {
    let display = Display::start("800x600");
    let encodings = [LOSSLESS, &[Encoding::LED_STATE]].concat();
    let mut viewer = Viewer::watch(&display, &encodings).await;
    let mut is = async |locks: u8, key: u32| {
        viewer.key(key).await;
        viewer
            .until(|event| *event == ServerEvent::LedState(locks))
            .await;
    };
    is(lock::CAPS, 0xffe5).await;
    is(lock::CAPS | lock::NUM, 0xff7f).await;
    is(lock::NUM, 0xffe5).await;
}
