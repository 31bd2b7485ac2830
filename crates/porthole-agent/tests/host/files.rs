//! Channels to the files of a session, with the helper in a real container.

use crate::harness::{CORE, TestHost, docker, name, spec};
use futures_util::{SinkExt, StreamExt};
use porthole_files::{
    frame::{Frame, Frames},
    message::{self, FaultKind, Reply, Request, UploadId},
    path::HomePath,
};
use porthole_model::ids::SessionId;
use porthole_wire::socket::MessageSocket;
use std::time::Duration;
use tokio::time::timeout;

const WITHIN: Duration = Duration::from_secs(20);

struct Channel {
    socket: MessageSocket,
    frames: Frames,
}

impl Channel {
    fn new(socket: MessageSocket) -> Self {
        Self {
            socket,
            frames: Frames::default(),
        }
    }

    async fn send(&mut self, frame: Frame) {
        let sent = self.socket.send.send(frame.encode().into());
        timeout(WITHIN, sent).await.unwrap().unwrap();
    }

    /// The next frame; `None` when the channel has ended.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.next_frame().unwrap() {
                return Some(frame);
            }
            let bytes = timeout(WITHIN, self.socket.receive.next()).await.unwrap();
            self.frames.push(&bytes?.ok()?);
        }
    }

    async fn reply(&mut self) -> Reply {
        match self.next().await {
            Some(Frame::Message(bytes)) => serde_json::from_slice(&bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn ask(&mut self, request: Request) -> Reply {
        self.send(message::frame(&request).unwrap()).await;
        self.reply().await
    }

    async fn upload(&mut self, path: &[u8], content: &[u8]) -> Reply {
        let request = append(path, content.len() as u64, 0);
        match self.ask(request).await {
            Reply::Ready => {}
            other => return other,
        }
        for piece in content.chunks(100_000) {
            self.send(Frame::Data(piece.to_vec())).await;
        }
        self.send(Frame::End).await;
        self.reply().await
    }
}

fn id() -> UploadId {
    "0123456789abcdef0123456789abcdef".parse().unwrap()
}

fn append(path: &[u8], size: u64, offset: u64) -> Request {
    Request::Append {
        id: id(),
        path: HomePath::from_bytes(path).unwrap(),
        size,
        offset,
        modified_ms: Some(1_000_000_000_000),
    }
}

fn inside(session: SessionId, script: &str) -> String {
    docker(&["exec", &name(session), "sh", "-c", script])
}

#[test]
fn files_go_in_as_the_users_own_and_stay_inside() {
    let host = TestHost::start(1);
    let session = spec(CORE);
    let session_id = session.session_id;
    host.tell_run(&session);
    host.wait_running(session_id);
    // A link that leads out of the folder, and would on the host lead to the host's files.
    inside(session_id, "mkdir -p ~/Uploads && ln -s / ~/Uploads/root");
    let content: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n * 7 + n / 251) as u8)
        .collect();
    host.files(session_id, async |socket| {
        let mut channel = Channel::new(socket);
        for name in ["ä ö\n€.bin", "-rf", "folder/in it/.hidden"] {
            let stored = channel.upload(name.as_bytes(), &content).await;
            let path = HomePath::from_bytes(format!("Uploads/{name}").as_bytes()).unwrap();
            assert_eq!(stored, Reply::Stored { path });
        }
        let refused = channel.upload(b"root/tmp/x", b"outside").await;
        assert!(
            matches!(&refused, Reply::Failed(fault) if fault.kind == FaultKind::WrongKind),
            "{refused:?}"
        );

        // Back again, byte for byte.
        let path = HomePath::from_bytes("Uploads/ä ö\n€.bin".as_bytes()).unwrap();
        let request = Request::Read {
            path,
            offset: 0,
            limit: u64::MAX,
        };
        assert!(matches!(
            channel.ask(request).await,
            Reply::File {
                size: 3_000_000,
                modified_ms: 1_000_000_000_000
            }
        ));
        let mut read = Vec::new();
        while let Some(Frame::Data(bytes)) = channel.next().await {
            read.extend(bytes);
            channel.send(Frame::More(1)).await;
        }
        assert!(read == content);
    });
    assert_eq!(inside(session_id, "ls /tmp/x 2>/dev/null; true"), "");
    let owner = "cd ~/Uploads && stat -c '%u:%g %a %s' -- -rf folder/*/.hidden";
    assert_eq!(
        inside(session_id, owner),
        "1000:1000 644 3000000\n1000:1000 644 3000000"
    );
    assert_eq!(
        inside(session_id, "ls -A ~/Uploads | grep -c porthole; true"),
        "0"
    );

    // Cut in the middle: what came is there for the next channel, and goes when it is given up.
    host.files(session_id, async |socket| {
        let mut channel = Channel::new(socket);
        assert_eq!(channel.ask(append(b"cut", 10, 0)).await, Reply::Ready);
        channel.send(Frame::Data(b"01234".to_vec())).await;
        channel.send(Frame::End).await;
        assert_eq!(channel.reply().await, Reply::Offset { offset: 5 });
    });
    host.files(session_id, async |socket| {
        let mut channel = Channel::new(socket);
        let there = channel.ask(Request::Upload { id: id() }).await;
        assert_eq!(there, Reply::Offset { offset: 5 });
        channel.ask(Request::Discard { id: id() }).await;
    });
    assert_eq!(
        inside(session_id, "ls -A ~/Uploads | grep -c porthole; true"),
        "0"
    );

    // A session that is deleted meanwhile ends its channels, and nothing is left.
    host.files(session_id, async |socket| {
        let mut channel = Channel::new(socket);
        assert_eq!(channel.ask(append(b"late", 10, 0)).await, Reply::Ready);
        channel.send(Frame::Data(b"01234".to_vec())).await;
        docker(&["rm", "-f", &name(session_id)]);
        assert_eq!(channel.next().await, None);
    });
    host.remove(session_id);
}
