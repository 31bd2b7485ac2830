//! The clipboard, both ways.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Tests end that way.

mod common;

use common::{
    Display,
    viewer::{LOSSLESS, Viewer},
    wait_for,
};
use porthole_rfb::{
    Encoding,
    client::ClientMessage,
    clipboard::{Clipboard, flags},
    decode::ServerEvent,
};
use std::{io::Write as _, process::Stdio};

/// Puts a text into the session's clipboard, as an application does.
fn copy(display: &Display, text: &str) {
    let mut xclip = display
        .command("xclip", &["-selection", "clipboard", "-in"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    xclip
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(xclip.wait().unwrap().success());
}

/// What an application would paste.
async fn paste(display: &Display, viewer: &mut Viewer) -> String {
    let xclip = display
        .command("xclip", &["-selection", "clipboard", "-out"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = tokio::task::spawn_blocking(move || xclip.wait_with_output().unwrap());
    loop {
        tokio::select! {
            output = &mut output => return String::from_utf8(output.unwrap().stdout).unwrap(),
            () = viewer.read() => {}
        }
    }
}

async fn received(viewer: &mut Viewer) -> String {
    let notified = |event: &ServerEvent| {
        matches!(event, ServerEvent::Clipboard(Clipboard::Notify { formats })
            if *formats == flags::TEXT)
    };
    viewer.until(notified).await;
    let formats = flags::TEXT;
    viewer
        .send(ClientMessage::Clipboard(Clipboard::Request { formats }))
        .await;
    let provided =
        |event: &ServerEvent| matches!(event, ServerEvent::Clipboard(Clipboard::Provide(_)));
    match viewer.until(provided).await {
        ServerEvent::Clipboard(Clipboard::Provide(provided)) => {
            provided.text(u32::MAX).unwrap().unwrap()
        }
        _ => unreachable!("that was waited for"),
    }
}

async fn offer(viewer: &mut Viewer, text: &str) {
    viewer.clipboard = Some(text.to_owned());
    let formats = flags::TEXT;
    viewer
        .send(ClientMessage::Clipboard(Clipboard::Notify { formats }))
        .await;
    viewer.sync().await;
}

fn large() -> String {
    (0..)
        .map(|line| format!("line {line}: größer → 大\n"))
        .take(20_000)
        .collect()
}

#[tokio::test]
async fn from_the_session_to_viewers() {
    let display = Display::start("320x240");
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    let mut other = Viewer::watch(&display, LOSSLESS).await;
    let large = large();
    assert!(large.len() > 500_000);
    for text in ["hello\nworld", "Grüße → 世界", &large, ""] {
        copy(&display, text);
        assert_eq!(received(&mut viewer).await, text);
        assert_eq!(received(&mut other).await, text);
    }
}

#[tokio::test]
async fn from_a_viewer_to_the_session() {
    let display = Display::start("320x240");
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    let mut other = Viewer::watch(&display, LOSSLESS).await;
    let large = large();
    for text in ["hello\nworld", "Grüße → 世界", &large] {
        offer(&mut viewer, text).await;
        let pasted = wait_paste(&display, &mut viewer, text).await;
        assert_eq!(pasted, text);
        // Who gave it is not told of it; the others are.
        assert_eq!(received(&mut other).await, text);
        viewer.sync().await;
        let echo = viewer.events.iter().any(|event| {
            matches!(
                event,
                ServerEvent::Clipboard(Clipboard::Notify { .. } | Clipboard::Provide(_))
            )
        });
        assert!(!echo, "the viewer got its own text back");
    }
    // What was fetched stays when its viewer goes.
    drop(viewer);
    wait_for("the viewer's end", || display.status()["viewers"] == 1);
    assert_eq!(paste(&display, &mut other).await, large);
}

/// The clipboard's thread takes over a little after the viewer's message was taken.
async fn wait_paste(display: &Display, viewer: &mut Viewer, text: &str) -> String {
    let mut pasted = String::new();
    for _ in 0..50 {
        pasted = paste(display, viewer).await;
        if pasted == text {
            break;
        }
    }
    pasted
}

#[tokio::test]
async fn viewers_without_the_extension_get_latin_1() {
    let display = Display::start("320x240");
    let mut encodings = LOSSLESS.to_vec();
    encodings.retain(|encoding| *encoding != Encoding::EXTENDED_CLIPBOARD);
    let mut viewer = Viewer::watch(&display, &encodings).await;
    copy(&display, "Grüße → x");
    let event = viewer
        .until(|event| matches!(event, ServerEvent::CutText(_)))
        .await;
    assert_eq!(
        event,
        ServerEvent::CutText(b"Gr\xfc\xdfe ? x".as_slice().into())
    );
    viewer
        .send(ClientMessage::CutText(b"na\xefve".as_slice().into()))
        .await;
    assert_eq!(wait_paste(&display, &mut viewer, "naïve").await, "naïve");
}

#[tokio::test]
async fn texts_over_the_limit_are_left_out() {
    let display = Display::start_with("320x240", &[("PORTHOLE_DISPLAY_CLIPBOARD_MAX", "100000")]);
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    copy(&display, &large());
    assert_eq!(received(&mut viewer).await, "");
    copy(&display, "small again");
    assert_eq!(received(&mut viewer).await, "small again");
    offer(&mut viewer, &large()).await;
    let output = display
        .command(
            "timeout",
            &["10", "xclip", "-selection", "clipboard", "-out"],
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = tokio::task::spawn_blocking(move || output.wait_with_output().unwrap());
    let text = loop {
        tokio::select! {
            output = &mut output => break output.unwrap().stdout,
            () = viewer.read() => {}
        }
    };
    assert!(text.len() < 100_000, "{}", text.len());
    assert!(display.status()["viewers"] == 1);
}

#[tokio::test]
async fn who_may_look_only_gets_no_text() {
    let display = Display::start("320x240");
    let mut looker = Viewer::connect(&display, "view", LOSSLESS).await;
    let mut viewer = Viewer::watch(&display, LOSSLESS).await;
    copy(&display, "secret");
    assert_eq!(received(&mut viewer).await, "secret");
    looker
        .send(ClientMessage::CutText(b"planted".as_slice().into()))
        .await;
    looker.sync().await;
    let any = looker
        .events
        .iter()
        .any(|event| matches!(event, ServerEvent::CutText(_) | ServerEvent::Clipboard(_)));
    assert!(!any, "{:?}", looker.events);
    assert_eq!(paste(&display, &mut viewer).await, "secret");
}
