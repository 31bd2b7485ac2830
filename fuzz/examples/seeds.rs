//! Writes `seeds/`: small inputs that reach every message and encoding.

use porthole_files::{
    frame::Frame,
    message::{Entry, EntryKind, Fault, FaultKind, Reply, Request, frame},
    path::HomePath,
};
use porthole_rfb::{
    Converter, Encoding, FrameView, PixelFormat, Rect, Screen,
    client::ClientMessage,
    clipboard::{Caps, Clipboard},
    handshake::{SERVER_VERSION, ServerInit, Version},
    server::{self, CursorImage, ResizeReason, ResizeStatus, TightWriter, Update, ZrleWriter},
};
use porthole_wire::agent::{AgentMessage, ServerMessage, decode};
use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    client(&seeds.join("rfb_client_parser"))?;
    display(&seeds.join("rfb_server_decoder"))?;
    for text in AGENT_LINK {
        let read = decode::<AgentMessage>(text).is_ok() || decode::<ServerMessage>(text).is_ok();
        assert!(read, "not a message of the link any more: {text}");
    }
    files(&seeds.join("files_channel"))?;
    texts(&seeds.join("agent_link"), &AGENT_LINK)?;
    texts(&seeds.join("image_ref"), &IMAGES)
}

/// Mode and length of pieces go first; see the targets.
fn write(folder: &Path, name: &str, mode: u8, stream: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(name), [&[mode, 7], stream].concat())
}

fn client(folder: &Path) -> io::Result<()> {
    let area = Rect::new(1, 2, 300, 200);
    let messages = [
        ClientMessage::SetPixelFormat(PixelFormat::BGRX),
        ClientMessage::SetEncodings(vec![
            Encoding::TIGHT,
            Encoding::quality(6),
            Encoding::EXTENDED_MOUSE_BUTTONS,
        ]),
        ClientMessage::FramebufferUpdateRequest {
            incremental: true,
            area,
        },
        ClientMessage::Key {
            down: true,
            keysym: 0x61,
        },
        ClientMessage::Pointer {
            buttons: 0x101,
            x: 5,
            y: 6,
        },
        ClientMessage::CutText(b"text".as_slice().into()),
        ClientMessage::Clipboard(Clipboard::Caps(Caps::ours(1000))),
        ClientMessage::Clipboard(Clipboard::provide("text\nin lines")),
        ClientMessage::Clipboard(Clipboard::Notify { formats: 1 }),
        ClientMessage::EnableContinuousUpdates { enable: true, area },
        ClientMessage::Fence {
            flags: 0x8000_0001,
            payload: b"abc".as_slice().into(),
        },
        ClientMessage::SetDesktopSize {
            width: 640,
            height: 480,
            screens: vec![Screen {
                id: 1,
                area,
                flags: 0,
            }],
        },
        ClientMessage::QemuKey {
            down: true,
            keysym: 0x61,
            keycode: 30,
        },
    ];
    let mut all = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let mut one = Vec::new();
        message.write(true, &mut one);
        write(folder, &format!("message-{index:02}"), 1, &one)?;
        all.extend(one);
    }
    for version in [Version::V3, Version::V7, Version::V8] {
        let mut stream = version.message().to_vec();
        if version != Version::V3 {
            stream.push(1);
        }
        stream.push(1);
        stream.extend(&all);
        write(folder, &format!("connection-{version:?}"), 0, &stream)?;
    }
    Ok(())
}

fn display(folder: &Path) -> io::Result<()> {
    let pixels: Vec<u8> = (0..100_u32 * 80)
        .flat_map(|index| {
            let (x, y) = (index % 100, index / 100);
            let colour = match (x / 25, y / 40) {
                (0, _) => 0x12_3456,
                (1, _) => x & 1,
                (2, 0) => x * y % 17,
                (_, 0) => x * y % 200,
                _ => index.wrapping_mul(0x9e37_79b1) >> 20,
            };
            colour.to_le_bytes()
        })
        .collect();
    let Ok(frame) = FrameView::new(&pixels, 400, 100, 80) else {
        return Ok(());
    };
    let converter = Converter::bgrx();
    let mut tight = TightWriter::new(6);
    let mut rects: Vec<(&str, Update)> = Vec::new();
    let mut rect = |name, paint: &mut dyn FnMut(&mut Update)| {
        let mut update = Update::new();
        paint(&mut update);
        rects.push((name, update));
    };
    let small = Rect::new(20, 30, 20, 20);
    rect("raw", &mut |update| {
        update.raw(&frame, Rect::new(3, 4, 5, 6), &converter)
    });
    rect("copy", &mut |update| update.copy_rect(small, 0, 0));
    rect("tight-fill", &mut |update| {
        tight.fill(update, small, 0x01_0203, &converter)
    });
    rect("tight-full", &mut |update| {
        tight.full_colour(update, &frame, small, &converter)
    });
    rect("tight-mono", &mut |update| {
        tight.indexed(update, small, &[0, 1], &[1; 400], &converter);
    });
    rect("tight-few", &mut |update| {
        tight.indexed(update, small, &[0, 1, 2], &[2; 400], &converter);
    });
    rect("tight-jpeg", &mut |update| {
        tight.jpeg(update, small, &[0xff; 200])
    });
    rect("h264", &mut |update| {
        update.h264(small, 1, &[0, 0, 0, 1, 0x67, 0x42]);
        update.h264(small, 2, &[]);
    });
    rect("zrle", &mut |update| {
        ZrleWriter::new(6).write(update, &frame, frame.bounds(), &converter);
    });
    let cursor = CursorImage::new(9, 5, 1, 2, vec![200; 180]);
    rect("cursor", &mut |update| {
        update.cursor(&cursor, &converter);
        update.cursor_with_alpha(&cursor);
        update.vmware_cursor(&cursor);
    });
    let screens = [Screen {
        id: 1,
        area: Rect::new(0, 0, 90, 90),
        flags: 0,
    }];
    rect("size", &mut |update| {
        let (reason, status) = (ResizeReason::Client, ResizeStatus::Done);
        update.extended_desktop_size(reason, status, 90, 90, &screens);
        update.desktop_name("name");
        update.qemu_key();
        update.desktop_size(50, 60);
    });
    for (name, update) in rects {
        write(folder, name, 1, &update.finish())?;
    }
    let mut stream = SERVER_VERSION.to_vec();
    stream.extend([1, 1, 0, 0, 0, 0]);
    let (format, name) = (PixelFormat::BGRX, "desktop".into());
    ServerInit {
        width: 100,
        height: 80,
        format,
        name,
    }
    .write(&mut stream);
    server::write_bell(&mut stream);
    server::write_cut_text(b"text", &mut stream);
    server::write_clipboard(&Clipboard::provide("text"), &mut stream);
    server::write_fence(1, b"abc", &mut stream);
    server::write_end_of_continuous_updates(&mut stream);
    let mut update = Update::after(stream);
    update.copy_rect(small, 0, 0);
    write(folder, "connection", 0, &update.finish_with_last_rect())
}

fn files(folder: &Path) -> io::Result<()> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let path = HomePath::from_bytes(b"Uploads/caf\xe9 (1).txt").map_err(invalid)?;
    let name = HomePath::from_bytes("ä\n".as_bytes()).map_err(invalid)?;
    let entry = Entry {
        name,
        kind: EntryKind::Folder,
        link: true,
        size: 4096,
        modified_ms: 1_700_000_000_000,
    };
    let fault = Fault {
        kind: FaultKind::Offset,
        detail: "There are 5 bytes of this upload".into(),
        offset: Some(5),
    };
    let list = Request::List { path: path.clone() };
    let messages = [
        frame(&Reply::Entries {
            entries: vec![entry],
        }),
        frame(&Reply::File {
            size: 3,
            modified_ms: 0,
        }),
        frame(&Reply::Offset { offset: 5 }),
        frame(&Reply::Ready),
        frame(&Reply::Stored { path }),
        frame(&Reply::Failed(fault)),
        frame(&list),
    ];
    let mut frames = messages.into_iter().collect::<Result<Vec<_>, _>>()?;
    frames.extend([Frame::Data(vec![0, 1, 2]), Frame::More(8), Frame::End]);
    fs::create_dir_all(folder)?;
    let mut all = Vec::new();
    for (index, frame) in frames.iter().enumerate() {
        fs::write(folder.join(format!("{index:02}")), frame.encode())?;
        all.extend(frame.encode());
    }
    fs::write(folder.join("all"), all)
}

fn texts(folder: &Path, texts: &[&str]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (index, text) in texts.iter().enumerate() {
        fs::write(folder.join(format!("{index:02}")), text)?;
    }
    Ok(())
}

const AGENT_LINK: [&str; 6] = [
    r#"{"type":"hello","protocol":1,"version":"0.1.0","hostname":"h"}"#,
    r#"{"type":"removed","session_id":"00000000-0000-0000-0000-000000000001"}"#,
    r#"{"type":"session","session_id":"00000000-0000-0000-0000-000000000001","phase":{"phase":"running"},"display_id":null,"container_id":"c","viewers":1}"#,
    r#"{"type":"reply","request_id":"00000000-0000-0000-0000-000000000001","outcome":{"type":"screenshot","jpeg":"/9j/"}}"#,
    r#"{"type":"run","spec":{"session_id":"00000000-0000-0000-0000-000000000001","user_id":"00000000-0000-0000-0000-000000000002","username":"user","workspace_id":"00000000-0000-0000-0000-000000000003","workspace_name":"Terminal","image":"porthole/terminal:1.0","resources":{"cores":1000,"memory":1},"shm_size":1,"environment":{"A":"b"},"width":1,"height":2}}"#,
    r#"{"type":"open_stream","stream_id":"00000000-0000-0000-0000-000000000001","session_id":"00000000-0000-0000-0000-000000000001","access":"view"}"#,
];

const IMAGES: [&str; 6] = [
    "porthole/terminal:1.0",
    "localhost:5000/a/b.c:tag",
    "registry.example.com:443/x__y-z:1.0@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    "name@sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "no-tag",
    "Upper:1",
];
