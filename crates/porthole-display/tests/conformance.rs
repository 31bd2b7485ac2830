//! Clients that nobody here wrote: noVNC in Chromium, TigerVNC's viewer, vncdotool. Each connects
//! through a bridge, types into an xterm, and shows what the X server shows, pixel by pixel.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests end that way.

mod common;

use common::{
    Application, Display,
    bridge::{Speaks, bridge},
    need,
    picture::difference,
    wait_for,
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const SIZE: &str = "640x480";
const TYPED: &str = "Hello, conformance: 123!";

/// A display with a terminal that writes what is typed, and the file it writes to.
fn terminal() -> (Display, Application, PathBuf) {
    let display = Display::start(SIZE);
    let file = display.dir().join("typed");
    let terminal = display.typing_terminal(&file);
    display.run("xdotool", &["mousemove", "200", "200"]);
    (display, terminal, file)
}

fn typed(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default()
}

/// Where what is fetched for tests is kept.
fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap()).join(".cache/porthole");
    env::var_os("PORTHOLE_CACHE").map_or_else(home, PathBuf::from)
}

/// Decodes a picture file to blue, green, red and one more byte.
fn bgrx(file: &Path) -> Vec<u8> {
    need("convert", "imagemagick");
    let output = Command::new("convert")
        .arg(file)
        .args(["-depth", "8", "bgra:-"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs a client on the blocking pool, since the bridge is served meanwhile; it must succeed.
async fn finish(mut command: Command, what: &'static str) -> Vec<u8> {
    let output = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output())
        .await
        .unwrap();
    let output = output.unwrap_or_else(|error| panic!("{what} could not be started: {error}"));
    assert!(
        output.status.success(),
        "{what} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vncdotool() {
    let program = cache().join("vncdotool/bin/vncdo");
    if !program.is_file() {
        need("python3", "python3 python3-venv");
        let folder = cache().join("vncdotool");
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(&folder);
        finish(make, "making a Python environment (install python3-venv)").await;
        let mut install = Command::new(folder.join("bin/pip"));
        install.args(["install", "--quiet", "vncdotool==1.4.2"]);
        finish(install, "installing vncdotool from PyPI").await;
    }
    let (display, _terminal, file) = terminal();
    let address = bridge(display.socket(), Speaks::Rfb).await;
    let server = format!("127.0.0.1::{}", address.port());
    let vncdo = |arguments: &[&str]| {
        let mut command = Command::new("timeout");
        command
            .arg("60")
            .arg(&program)
            .args(["--server", &server, "--nocursor"])
            .args(arguments);
        command
    };
    finish(
        vncdo(&["move", "200", "200", "type", TYPED, "key", "enter"]),
        "vncdotool",
    )
    .await;
    wait_for("the text", || typed(&file).ends_with('\n'));
    assert_eq!(typed(&file), format!("{TYPED}\n"));
    let shot = display.dir().join("shot.png");
    finish(vncdo(&["capture", shot.to_str().unwrap()]), "vncdotool").await;
    let screen = display.picture();
    assert_eq!(difference(&bgrx(&shot), &screen.bgrx, screen.width), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tigervnc() {
    need("vncviewer", "tigervnc-viewer");
    for encoding in ["Tight", "ZRLE", "Raw"] {
        let (display, _terminal, file) = terminal();
        // Where the viewer itself is shown.
        let outside = Display::start("1024x768");
        let address = bridge(display.socket(), Speaks::Rfb).await;
        let server = format!("127.0.0.1::{}", address.port());
        let choice = format!("PreferredEncoding={encoding}");
        let mut viewer = outside.command(
            "vncviewer",
            &[
                "-SecurityTypes=None",
                "-AutoSelect=0",
                "-FullColor=1",
                "-NoJPEG=1",
                "-RemoteResize=0",
                "-FullScreen=1",
                "-DotWhenNoCursor=0",
                "-AlertOnFatalError=0",
                "-Shared=1",
            ],
        );
        viewer
            .env("HOME", outside.dir())
            .arg(format!("-{choice}"))
            .arg(&server);
        let _viewer = Application::start(viewer);
        let same = || {
            let (inner, outer) = (display.picture(), outside.picture());
            // Without a window manager it is shown in the middle.
            let (left, top) = (
                (outer.width - inner.width) / 2,
                (outer.height - inner.height) / 2,
            );
            let rows = outer
                .bgrx
                .chunks_exact(outer.width * 4)
                .skip(top)
                .take(inner.height);
            let part: Vec<u8> = rows
                .flat_map(|row| row[left * 4..(left + inner.width) * 4].to_vec())
                .collect();
            difference(&part, &inner.bgrx, inner.width).is_none()
        };
        tokio::task::block_in_place(|| wait_for("TigerVNC's picture to be the same", same));
        outside.run(
            "xdotool",
            &["mousemove", "402", "349", "click", "1", "type", TYPED],
        );
        outside.run("xdotool", &["key", "Return"]);
        tokio::task::block_in_place(|| wait_for("the text", || typed(&file).ends_with('\n')));
        assert_eq!(typed(&file), format!("{TYPED}\n"), "{encoding}");
        tokio::task::block_in_place(|| wait_for("TigerVNC's picture to be the same", same));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn novnc() {
    need("node", "nodejs (20 or newer)");
    let web = fs::canonicalize("../../web").unwrap();
    for package in ["@novnc/novnc", "playwright-core"] {
        let folder = web.join("node_modules").join(package);
        assert!(
            folder.is_dir(),
            "{package} is missing: run 'npm ci' in {}",
            web.display()
        );
    }
    let chromium = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ]
    .into_iter()
    .find(|path| Path::new(path).exists())
    .expect("Chromium is missing: install the package chromium");
    let (display, _terminal, file) = terminal();
    let address = bridge(display.socket(), Speaks::Http).await;
    let shot = display.dir().join("novnc.rgba");
    let script = Path::new("tests/conformance/novnc.mjs");
    let mut client = Command::new("node");
    client
        .arg(script)
        .arg(&web)
        .arg(chromium)
        .arg(format!("ws://{address}/rfb?access=control"))
        .arg(TYPED)
        .arg(&shot)
        .stdin(Stdio::piped())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit());
    let mut client = Application::start(client);
    tokio::task::block_in_place(|| {
        wait_for("the text", || typed(&file).ends_with('\n'));
        assert_eq!(typed(&file), format!("{TYPED}\n"));
        let same = || {
            let Ok(rgba) = std::fs::read(&shot) else {
                return false;
            };
            let pixels: Vec<u8> = rgba
                .chunks_exact(4)
                .flat_map(|p| [p[2], p[1], p[0], 0])
                .collect();
            let screen = display.picture();
            difference(&pixels, &screen.bgrx, screen.width).is_none()
        };
        wait_for("noVNC's picture to be the same", same);
    });
    client.end_input();
    assert!(client.wait().success(), "noVNC's page failed; see above");
}
