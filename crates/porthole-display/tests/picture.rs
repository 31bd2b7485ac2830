//! What viewers see is what the X server shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests end that way.

mod common;

use common::{
    Display,
    viewer::{LOSSLESS, Viewer},
    wait_for,
};
use porthole_rfb::{Encoding, Rect, client::ClientMessage, decode::ServerEvent};
use std::time::Duration;

#[tokio::test]
async fn every_lossless_encoding_shows_every_pixel() {
    let display = Display::start("801x603");
    for encoding in [Encoding::TIGHT, Encoding::ZRLE, Encoding::RAW] {
        let mut encodings = LOSSLESS.to_vec();
        encodings[0] = encoding;
        let mut viewer = Viewer::watch(&display, &encodings).await;
        viewer.until_same(&display).await;
        {
            let _terminal = display.spawn(
                "xterm",
                &[
                    "-geometry",
                    "70x30+13+7",
                    "-e",
                    "ls -l --color=always /etc /usr/bin; cat",
                ],
            );
            wait_for("a window", || display.status()["windows"] != 0);
            viewer.until_same(&display).await;
            display.run(
                "xsetroot",
                &["-mod", "5", "3", "-fg", "#123456", "-bg", "#fedcba"],
            );
            viewer.until_same(&display).await;
        }
        viewer.until_same(&display).await;
    }
}

#[tokio::test]
async fn scrolled_text_is_copied_by_viewers_that_can() {
    let display = Display::start("1000x700");
    let without: Vec<Encoding> = LOSSLESS
        .iter()
        .copied()
        .filter(|encoding| *encoding != Encoding::COPY_RECT)
        .collect();
    let mut copying = Viewer::watch(&display, LOSSLESS).await;
    let mut plain = Viewer::watch(&display, &without).await;
    let _terminal = display.spawn(
        "xterm",
        &[
            "-geometry",
            "120x45+20+10",
            "-e",
            "ls -lR --color=always /etc | head -n 400 | while read -r line; do echo \"$line\"; sleep 0.01; done; cat",
        ],
    );
    wait_for("a window", || display.status()["windows"] != 0);
    // Both look all the time, as viewers do; the end is when nothing comes any more.
    let watch = async |viewer: &mut Viewer| {
        let start = viewer.bytes;
        while tokio::time::timeout(Duration::from_millis(1500), viewer.read())
            .await
            .is_ok()
        {}
        viewer.bytes - start
    };
    let (copied, sent) = tokio::join!(watch(&mut copying), watch(&mut plain));
    copying.until_same(&display).await;
    plain.until_same(&display).await;
    assert!(sent > 100_000, "the text did not scroll: {sent} bytes");
    assert!(
        copied * 2 < sent,
        "{copied} bytes with copies, {sent} without"
    );
}

#[tokio::test]
async fn a_window_that_is_moved_is_copied_by_viewers_that_can() {
    let display = Display::start("1000x700");
    let without: Vec<Encoding> = LOSSLESS
        .iter()
        .copied()
        .filter(|encoding| *encoding != Encoding::COPY_RECT)
        .collect();
    let mut copying = Viewer::watch(&display, LOSSLESS).await;
    let mut plain = Viewer::watch(&display, &without).await;
    let _terminal = display.spawn(
        "xterm",
        &[
            "-geometry",
            "80x24+20+10",
            "-e",
            "ls -lR --color=always /etc | head -n 60; cat",
        ],
    );
    // Something that it is moved over.
    let _other = display.spawn("xterm", &["-geometry", "40x10+500+400", "-e", "cat"]);
    wait_for("the windows", || display.status()["windows"] == 2);
    let ids = display.run("xdotool", &["search", "--onlyvisible", "--class", "xterm"]);
    let ids = String::from_utf8(ids).unwrap();
    let width = |id: &&str| {
        let shape = display.run("xdotool", &["getwindowgeometry", "--shell", id]);
        let shape = String::from_utf8(shape).unwrap();
        let line = shape.lines().find_map(|line| line.strip_prefix("WIDTH="));
        line.unwrap().parse::<u32>().unwrap()
    };
    let window = ids.lines().max_by_key(width).unwrap();
    copying.until_same(&display).await;
    plain.until_same(&display).await;
    let before = (copying.bytes, plain.bytes);
    for step in 0..20 {
        let (x, y) = (20 + step * 23, 10 + step * 17 % 250);
        let (x, y) = (x.to_string(), y.to_string());
        display.run("xdotool", &["windowmove", window, &x, &y]);
        copying.until_same(&display).await;
        plain.until_same(&display).await;
    }
    let (copied, sent) = (copying.bytes - before.0, plain.bytes - before.1);
    println!("{copied} bytes with copies, {sent} without");
    assert!(sent > 30_000, "the window did not move: {sent} bytes");
    assert!(
        copied * 2 < sent,
        "{copied} bytes with copies, {sent} without"
    );
}

#[tokio::test]
async fn odd_sizes_and_sizes_out_of_bounds() {
    let display = Display::start("640x480");
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    let mut other = Viewer::watch(&display, LOSSLESS).await;
    for (width, height) in [
        (777, 555),
        (64, 64),
        (1333, 1001),
        (2048, 1536),
        (639, 479),
        (65, 1536),
    ] {
        assert_eq!(viewer.resize(width, height).await, 0, "{width}x{height}");
        let seen = (viewer.picture.width(), viewer.picture.height());
        assert_eq!(seen, (width, height));
        viewer.until_same(&display).await;
        other.until_same(&display).await;
        let told = other.events.iter().any(|event| {
            matches!(event, ServerEvent::DesktopSize { extended: Some(extended), .. }
                if extended.reason == 2 && extended.status == 0)
        });
        assert!(told, "the other viewer was not told why");
        other.events.clear();
        let geometry = String::from_utf8(display.run("xdotool", &["getdisplaygeometry"])).unwrap();
        assert_eq!(geometry.trim(), format!("{width} {height}"));
    }
    assert_eq!(viewer.resize(2049, 1000).await, 2);
    assert_eq!(viewer.resize(63, 1000).await, 3);
    assert_eq!(
        (viewer.picture.width(), viewer.picture.height()),
        (65, 1536)
    );
    assert_eq!(viewer.resize(800, 600).await, 0);
    // Modes that are not used any more are gone.
    let modes = String::from_utf8(display.run("xrandr", &[])).unwrap();
    assert!(
        modes.contains("800x600") && !modes.contains("1333x1001"),
        "{modes}"
    );
    // The session may change it too.
    display.run("xrandr", &["--output", "screen", "--mode", "2048x1536"]);
    viewer.until_same(&display).await;
    assert_eq!(viewer.picture.width(), 2048);
}

#[tokio::test]
async fn a_viewer_may_ask_for_each_update() {
    let display = Display::start("320x240");
    let encodings = [Encoding::RAW];
    let mut viewer = Viewer::connect(&display, "view", &encodings).await;
    let area = Rect::new(0, 0, 320, 240);
    viewer
        .send(ClientMessage::FramebufferUpdateRequest {
            incremental: false,
            area,
        })
        .await;
    viewer
        .until(|event| matches!(event, ServerEvent::UpdateEnd))
        .await;
    viewer.until_same(&display).await;
    // Nothing changed, so nothing comes; then one request, one update.
    viewer
        .send(ClientMessage::FramebufferUpdateRequest {
            incremental: true,
            area,
        })
        .await;
    let silent = tokio::time::timeout(Duration::from_millis(300), viewer.read()).await;
    assert!(silent.is_err(), "an update without a change");
    let updates = viewer.updates;
    display.run("xsetroot", &["-solid", "#00ff00"]);
    viewer.read().await;
    display.run("xsetroot", &["-solid", "#ff0000"]);
    let silent = tokio::time::timeout(Duration::from_millis(300), viewer.read()).await;
    assert!(silent.is_err(), "an update without a request");
    assert_eq!(viewer.updates, updates + 1);
    assert_eq!(viewer.picture.bgrx()[..3], [0, 255, 0]);
    // What nobody asked for meanwhile is there when it is asked for as a whole.
    let mut late = Viewer::connect(&display, "view", &encodings).await;
    late.send(ClientMessage::FramebufferUpdateRequest {
        incremental: false,
        area,
    })
    .await;
    late.read().await;
    assert_eq!(late.picture.bgrx()[..3], [0, 0, 255]);
    drop(late);
    viewer
        .send(ClientMessage::FramebufferUpdateRequest {
            incremental: true,
            area,
        })
        .await;
    viewer.read().await;
    assert_eq!(viewer.picture.bgrx()[..3], [0, 0, 255]);
    // A viewer that may look only changes nothing.
    viewer
        .send(ClientMessage::Key {
            down: true,
            keysym: 0x61,
        })
        .await;
    let size = ClientMessage::SetDesktopSize {
        width: 400,
        height: 300,
        screens: Vec::new(),
    };
    viewer.send(size).await;
    viewer
        .send(ClientMessage::FramebufferUpdateRequest {
            incremental: false,
            area,
        })
        .await;
    viewer.read().await;
    assert_eq!(display.status()["width"], 320);
}

#[tokio::test]
async fn lossy_areas_become_exact_when_they_rest() {
    let display = Display::start("640x480");
    let picture = display.dir().join("plasma.png");
    let picture = picture.to_str().unwrap();
    display.run(
        "convert",
        &["-seed", "7", "-size", "640x480", "plasma:", picture],
    );
    let mut encodings = LOSSLESS.to_vec();
    encodings.extend([Encoding::quality(1), Encoding::compression(1)]);
    let mut viewer = Viewer::watch(&display, &encodings).await;
    let _shown = display.spawn("display", &["-geometry", "640x480+0+0", picture]);
    wait_for("a window", || display.status()["windows"] != 0);
    let mut jpegs = 0;
    while jpegs == 0 {
        viewer.read().await;
        jpegs += viewer.picture.take_jpegs().len();
    }
    // JPEGs are not painted by this viewer; what makes it the same is sent without loss.
    viewer.until_same(&display).await;
}

#[tokio::test]
async fn the_cursor_is_told_when_it_changes() {
    let display = Display::start("640x480");
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    display.run("xsetroot", &["-cursor_name", "watch"]);
    // Themes' cursors move, and may begin with nothing.
    let painted = |event: &ServerEvent| {
        let ServerEvent::Cursor(image) = event else {
            return false;
        };
        let painted = image
            .bgra()
            .chunks_exact(4)
            .filter(|pixel| pixel[3] == 255)
            .count();
        image.width() > 12 && painted > 50
    };
    viewer.until(painted).await;
}

#[tokio::test]
async fn a_viewer_that_does_not_read_costs_nobody_anything() {
    let display = Display::start("1280x720");
    let mut good = Viewer::watch(&display, LOSSLESS).await;
    // One that never answers fences, and one that never reads.
    let mut deaf = Viewer::watch(&display, LOSSLESS).await;
    deaf.answers_fences = false;
    let mut encodings = LOSSLESS.to_vec();
    encodings[0] = Encoding::RAW;
    let stuck = Viewer::watch(&display, &encodings).await;
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", display.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap()
            .to_owned();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    for round in 0..5 {
        display.run("xsetroot", &["-solid", &format!("#{round}{round}3344")]);
        good.until_same(&display).await;
    }
    let before = memory();
    let updates = good.updates;
    for round in 0..30 {
        let colour = format!("#{:02x}{:02x}{:02x}", round * 8, 255 - round * 8, round);
        display.run("xsetroot", &["-solid", &colour]);
        good.until_same(&display).await;
    }
    assert!(good.updates >= updates + 30);
    let grown = memory().saturating_sub(before);
    assert!(grown < 24 * 1024, "memory grew by {grown} KiB");
    // The deaf one gets a few updates and no more.
    let mut got = 0;
    while tokio::time::timeout(Duration::from_millis(300), deaf.read())
        .await
        .is_ok()
    {
        got += 1;
    }
    assert!(got < 20, "{got} messages for a viewer that answers nothing");
    drop(stuck);
    wait_for("the viewer's end", || display.status()["viewers"] == 2);
}

#[tokio::test]
async fn the_http_side() {
    let display = Display::start("640x480");
    let status = display.status();
    assert_eq!(
        (&status["width"], &status["windows"], &status["painted"]),
        (&640.into(), &0.into(), &false.into())
    );
    let (code, body) = display.get("/status?wait=window&timeout_ms=100");
    assert_eq!(
        (
            code,
            String::from_utf8(body).unwrap().contains("\"windows\":0")
        ),
        (200, true)
    );
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| display.get("/status?wait=window&timeout_ms=15000"));
        let terminal = display.spawn("xterm", &[]);
        let answer = waiting.join().unwrap();
        wait_for("the first paint", || display.status()["painted"] == true);
        drop(terminal);
        answer
    });
    assert!(
        String::from_utf8(waiting.1)
            .unwrap()
            .contains("\"windows\":1")
    );

    let (code, jpeg) = display.get("/screenshot?width=200&height=200&quality=70");
    assert_eq!((code, &jpeg[..2]), (200, &[0xff, 0xd8][..]));
    let header = turbojpeg::read_header(&jpeg).unwrap();
    assert_eq!((header.width, header.height), (200, 150));
    assert_eq!(display.get("/screenshot?width=0").0, 400);
    assert_eq!(display.get("/screenshot?width=wide").0, 400);

    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    let (code, _) = display.put("/session", r#"{"name":"Büro","width":901,"height":507}"#);
    assert_eq!(code, 200);
    viewer
        .until(|event| *event == ServerEvent::DesktopName("Büro".to_owned()))
        .await;
    viewer.until_same(&display).await;
    assert_eq!(viewer.picture.width(), 901);
    for bad in [
        r#"{"width":901}"#,
        r#"{"width":1,"height":1}"#,
        r#"{"colour":1}"#,
        "{",
    ] {
        let (code, body) = display.put("/session", bad);
        assert!((400..500).contains(&code), "{bad}: {code}");
        assert!(String::from_utf8(body).unwrap().contains("error"), "{bad}");
    }
    assert_eq!(display.get("/nothing").0, 404);
}

#[tokio::test]
async fn when_the_x_server_ends_so_does_the_display() {
    let mut display = Display::start("320x240");
    let children = format!("/proc/{0}/task/{0}/children", display.pid());
    let children = std::fs::read_to_string(children).unwrap();
    std::process::Command::new("kill")
        .arg("-9")
        .arg(children.trim())
        .status()
        .unwrap();
    let socket = display.socket();
    let status = display.child().wait().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(!socket.exists());
}

#[tokio::test]
async fn it_ends_when_told() {
    let mut display = Display::start("320x240");
    let children = format!("/proc/{0}/task/{0}/children", display.pid());
    let x_server = std::fs::read_to_string(children).unwrap();
    std::process::Command::new("kill")
        .arg(display.pid().to_string())
        .status()
        .unwrap();
    assert_eq!(display.child().wait().unwrap().code(), Some(0));
    assert!(!std::path::Path::new(&format!("/proc/{}", x_server.trim())).exists());
}

#[tokio::test]
async fn a_window_manager_that_sleeps_is_woken() {
    use x11rb::{
        connection::Connection as _,
        protocol::{
            Event,
            xproto::{
                ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask,
                WindowClass,
            },
        },
    };
    let display = Display::start("320x240");
    let (conn, screen) = x11rb::connect(Some(&display.name)).unwrap();
    let root = conn.setup().roots[screen].root;
    let events = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
    conn.change_window_attributes(root, &events)
        .unwrap()
        .check()
        .unwrap();
    // As an application whose window manager has not seen that it wants its window shown.
    let window = conn.generate_id().unwrap();
    let (class, plain) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
    conn.create_window(0, window, root, 0, 0, 99, 99, 0, class, 0, &plain)
        .unwrap()
        .check()
        .unwrap();
    let event = tokio::task::spawn_blocking(move || (conn.wait_for_event(), conn).0);
    let event = tokio::time::timeout(common::PATIENCE, event)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(
        matches!(event, Event::PropertyNotify(event) if event.window == root),
        "{event:?}"
    );
}
