//! The gateway's route with a display that is played and browsers that are WebSocket clients.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by them"
)]

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future::BoxFuture};
use porthole_gateway::{Gateway, GatewayConfig, Revocation, StreamSource};
use porthole_model::ids::{AgentId, LoginId, SessionId, StreamId, UserId};
use porthole_wire::{
    agent::Access,
    close::CloseReason,
    socket::MessageSocket,
    ticket::{Grant, LIFETIME, Signer, Verifier},
};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, protocol::CloseFrame},
};

type Browser = WebSocketStream<MaybeTlsStream<TcpStream>>;
const WITHIN: Duration = Duration::from_secs(10);
const KEY: &[u8] = &[4, 1, 0, 0, 0, 0, 0, 97];
const REQUEST: &[u8] = &[3, 1, 0, 0, 0, 0, 1, 0, 1, 0];

/// The display's end of one stream, held by the test.
struct Display {
    send: mpsc::Sender<Bytes>,
    receive: mpsc::Receiver<Bytes>,
}

impl Display {
    async fn send(&self, message: impl Into<Bytes>) {
        timeout(WITHIN, self.send.send(message.into()))
            .await
            .unwrap()
            .unwrap();
    }

    async fn next(&mut self) -> Bytes {
        timeout(WITHIN, self.receive.recv()).await.unwrap().unwrap()
    }
}

type Open = Box<dyn Fn(&Grant) -> Result<MessageSocket, CloseReason> + Send + Sync>;
struct Source(Open);

impl StreamSource for Source {
    fn open(&self, grant: &Grant) -> BoxFuture<'static, Result<MessageSocket, CloseReason>> {
        let opened = (self.0)(grant);
        Box::pin(async move { opened })
    }
}

fn pair() -> (MessageSocket, Display) {
    let (to_browser, mut from_display) = mpsc::channel::<Bytes>(1);
    let (to_display, from_browser) = mpsc::channel::<Bytes>(1);
    let receive = futures_util::stream::poll_fn(move |cx| from_display.poll_recv(cx)).map(Ok);
    let send = futures_util::sink::unfold(to_display, |to_display, bytes| async move {
        to_display
            .send(bytes)
            .await
            .map_err(|_| io::Error::other("closed"))?;
        Ok(to_display)
    });
    let socket = MessageSocket {
        receive: Box::pin(receive),
        send: Box::pin(send),
    };
    (
        socket,
        Display {
            send: to_browser,
            receive: from_browser,
        },
    )
}

struct Server {
    gateway: Gateway,
    address: SocketAddr,
    signer: Signer,
    displays: Arc<Mutex<Vec<Display>>>,
    opened: Arc<AtomicUsize>,
}

impl Server {
    async fn start(config: GatewayConfig) -> Self {
        let displays = Arc::new(Mutex::new(Vec::new()));
        let given = displays.clone();
        Self::with(config, displays, move |_| {
            let (socket, display) = pair();
            given.lock().unwrap().push(display);
            Ok(socket)
        })
        .await
    }

    async fn with(
        config: GatewayConfig,
        displays: Arc<Mutex<Vec<Display>>>,
        open: impl Fn(&Grant) -> Result<MessageSocket, CloseReason> + Send + Sync + 'static,
    ) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let signer = Signer::from_pkcs8(&key.serialize_der());
        let verifier = Verifier::from_public_key(key.public_key_raw());
        let opened = Arc::new(AtomicUsize::new(0));
        let count = opened.clone();
        let source = Source(Box::new(move |grant| {
            count.fetch_add(1, SeqCst);
            open(grant)
        }));
        let gateway = Gateway::new(verifier, Arc::new(source), config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = gateway
            .router()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            gateway,
            address,
            signer,
            displays,
            opened,
        }
    }

    fn url(&self, session: SessionId, ticket: &str) -> String {
        format!(
            "ws://{}/gateway/v1/sessions/{session}/display?ticket={ticket}",
            self.address
        )
    }

    async fn connect(&self, grant: &Grant) -> Browser {
        let ticket = self.signer.sign(grant.clone()).unwrap();
        self.dial(grant.session_id, &ticket).await
    }

    async fn dial(&self, session: SessionId, ticket: &str) -> Browser {
        let mut request = self.url(session, ticket).into_client_request().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "binary".parse().unwrap());
        let origin = format!("http://{}", self.address).parse().unwrap();
        request.headers_mut().insert("origin", origin);
        let (browser, response) = connect_async(request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "binary");
        browser
    }

    /// A browser and its display, with the handshake over.
    async fn stream(&self, grant: &Grant) -> (Browser, Display) {
        let mut browser = self.connect(grant).await;
        let mut display = loop {
            if let Some(display) = self.displays.lock().unwrap().pop() {
                break display;
            }
            tokio::task::yield_now().await;
        };
        for (down, up) in [
            (b"RFB 003.008\n".as_slice(), b"RFB 003.008\n".as_slice()),
            (&[1, 1], &[1]),
            (&[0, 0, 0, 0], &[0]),
        ] {
            display.send(Bytes::from_static(down)).await;
            assert_eq!(next(&mut browser).await, down);
            browser.send(Message::binary(up)).await.unwrap();
            // Others may always look, whatever a viewer says.
            let expected = if up == [0] { &[1] } else { up };
            assert_eq!(display.next().await, expected);
        }
        // A desktop 800 pixels wide: its first byte is that of a cut text.
        display.send([&[3, 32, 2, 88][..], &[0; 20]].concat()).await;
        assert_eq!(next(&mut browser).await.len(), 24);
        (browser, display)
    }
}

fn grant(access: Access) -> Grant {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    Grant {
        stream_id: StreamId::new(),
        exp: now + LIFETIME,
        session_id: SessionId::new(),
        agent_id: AgentId::new(),
        user_id: UserId::new(),
        login_id: Some(LoginId::new()),
        access,
        clipboard_down: true,
        clipboard_up: true,
        clipboard_down_max: 1000,
        clipboard_up_max: 1000,
        clipboard_delay: 0,
        idle_disconnect: 0,
    }
}

async fn next(browser: &mut Browser) -> Vec<u8> {
    loop {
        match timeout(WITHIN, browser.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
        {
            Message::Binary(bytes) => return bytes.to_vec(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The reason with which the gateway closes.
async fn closed(browser: &mut Browser) -> CloseFrame {
    loop {
        match timeout(WITHIN, browser.next()).await.unwrap() {
            Some(Ok(Message::Close(Some(frame)))) => return frame,
            Some(Ok(Message::Binary(_) | Message::Ping(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn assert_closed(browser: &mut Browser, reason: CloseReason) {
    let frame = closed(browser).await;
    assert_eq!(u16::from(frame.code), reason.code());
    assert_eq!(frame.reason.as_str(), reason.to_string());
}

fn cut_text(kind: u8, text: &[u8]) -> Vec<u8> {
    [
        &[kind, 0, 0, 0],
        &(text.len() as u32).to_be_bytes()[..],
        text,
    ]
    .concat()
}

async fn emptied(gateway: &Gateway) {
    timeout(WITHIN, async {
        while !gateway.streams().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn messages_pass_one_to_one_and_are_counted() {
    let server = Server::start(GatewayConfig::default()).await;
    let grant = grant(Access::Control);
    let (mut browser, mut display) = server.stream(&grant).await;
    let update = vec![0; 3_000_000];
    display.send(update.clone()).await;
    assert_eq!(next(&mut browser).await, update);
    browser
        .send(Message::binary([KEY, REQUEST].concat()))
        .await
        .unwrap();
    assert_eq!(display.next().await, [KEY, REQUEST].concat());
    let info = server.gateway.streams().remove(0);
    assert_eq!(
        (info.session_id, info.user_id),
        (grant.session_id, grant.user_id)
    );
    assert_eq!(info.bytes_down, 12 + 2 + 4 + 24 + 3_000_000);
    assert_eq!((info.bytes_up, info.withheld), (12 + 1 + 1 + 18, 0));
    browser.close(None).await.unwrap();
    // The display's end closes with the browser's.
    assert_eq!(timeout(WITHIN, display.receive.recv()).await.unwrap(), None);
    emptied(&server.gateway).await;
}

#[tokio::test]
async fn only_good_tickets_open() {
    let server = Server::start(GatewayConfig::default()).await;
    let good = grant(Access::Control);
    let ticket = server.signer.sign(good.clone()).unwrap();

    // For another session's path; this does not use it up.
    let mut browser = server.dial(SessionId::new(), &ticket).await;
    assert_closed(&mut browser, CloseReason::BadTicket).await;
    let mut first = server.dial(good.session_id, &ticket).await;
    server.displays.lock().unwrap().clear();
    drop(first.close(None).await);
    // Again.
    let mut browser = server.dial(good.session_id, &ticket).await;
    assert_closed(&mut browser, CloseReason::BadTicket).await;
    // Expired.
    let mut old = grant(Access::Control);
    old.exp -= LIFETIME + 1;
    let mut browser = server.connect(&old).await;
    assert_closed(&mut browser, CloseReason::BadTicket).await;
    // Signed by somebody else.
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let forged = Signer::from_pkcs8(&key.serialize_der())
        .sign(good.clone())
        .unwrap();
    let mut browser = server.dial(good.session_id, &forged).await;
    assert_closed(&mut browser, CloseReason::BadTicket).await;
    // Changed; without a signature; none at all.
    let mut parts: Vec<&str> = ticket.split('.').collect();
    let none = format!("{}.{}.", "eyJhbGciOiJub25lIn0", parts[1]);
    parts.swap(0, 1);
    for bad in [parts.join("."), none, String::new(), "x".repeat(3000)] {
        let mut browser = server.dial(good.session_id, &bad).await;
        assert_closed(&mut browser, CloseReason::BadTicket).await;
    }
    assert_eq!(
        server.opened.load(SeqCst),
        1,
        "displays are opened for good tickets only"
    );
}

#[tokio::test]
async fn pages_of_others_are_refused() {
    let server = Server::start(GatewayConfig::default()).await;
    let grant = grant(Access::Control);
    let ticket = server.signer.sign(grant.clone()).unwrap();
    let mut request = server
        .url(grant.session_id, &ticket)
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("origin", "https://evil.example".parse().unwrap());
    match connect_async(request).await {
        Err(tungstenite::Error::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.opened.load(SeqCst), 0);
}

#[tokio::test]
async fn a_viewer_has_no_hands() {
    let server = Server::start(GatewayConfig::default()).await;
    let (mut browser, mut display) = server.stream(&grant(Access::View)).await;
    let pointer = [5, 1, 0, 1, 0, 1].as_slice();
    let resize = [&[251, 0, 4, 0, 3, 0, 1, 0][..], &[0; 16]].concat();
    let qemu = [255, 0, 0, 1, 0, 0, 0, 97, 0, 0, 0, 30].as_slice();
    for hands in [KEY, pointer, &resize, qemu, &cut_text(6, b"x")] {
        browser.send(Message::binary(hands.to_vec())).await.unwrap();
    }
    browser.send(Message::binary(REQUEST)).await.unwrap();
    assert_eq!(
        display.next().await,
        REQUEST,
        "the first that comes through"
    );
    assert_eq!(server.gateway.streams()[0].withheld, 5);
}

#[tokio::test]
async fn the_clipboard_passes_by_right_and_size() {
    let server = Server::start(GatewayConfig::default()).await;
    let mut closed = grant(Access::Control);
    (closed.clipboard_up, closed.clipboard_down) = (false, false);
    let (mut browser, mut display) = server.stream(&closed).await;
    browser
        .send(Message::binary(cut_text(6, b"up")))
        .await
        .unwrap();
    browser.send(Message::binary(REQUEST)).await.unwrap();
    assert_eq!(display.next().await, REQUEST);
    display.send(cut_text(3, b"down")).await;
    display.send(vec![2]).await;
    assert_eq!(next(&mut browser).await, [2]);

    let (mut browser, mut display) = server.stream(&grant(Access::Control)).await;
    let (fits, large) = (
        cut_text(6, &[b'x'; 1000]),
        cut_text(6, &vec![b'x'; 900_000]),
    );
    browser.send(Message::binary(large)).await.unwrap();
    browser.send(Message::binary(fits.clone())).await.unwrap();
    assert_eq!(
        display.next().await,
        fits,
        "the large one is left out, the stream goes on"
    );
    display.send(cut_text(3, &[b'x'; 1001])).await;
    display.send(cut_text(3, &[b'x'; 1000])).await;
    assert_eq!(next(&mut browser).await.len(), 1008);
}

#[tokio::test]
async fn what_is_not_rfb_ends_the_stream() {
    let server = Server::start(GatewayConfig::default()).await;
    for garbage in [
        Message::text("hello"),
        Message::binary([99, 1, 2, 3].as_slice()),
        Message::binary(vec![0; 5_000_000]),
    ] {
        let (mut browser, _display) = server.stream(&grant(Access::Control)).await;
        // The gateway may close before all of a large message is sent.
        let _ = browser.send(garbage).await;
        match timeout(WITHIN, browser.next()).await.unwrap() {
            Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1002),
            Some(Err(_)) | None => {}
            other => panic!("{other:?}"),
        }
        emptied(&server.gateway).await;
    }
}

#[tokio::test]
async fn a_display_that_ends_says_so() {
    let server = Server::start(GatewayConfig::default()).await;
    let (mut browser, display) = server.stream(&grant(Access::Control)).await;
    drop(display);
    assert_closed(&mut browser, CloseReason::DisplayLost).await;

    // A session that was stopped loses its display and is revoked, in whatever order.
    let grant = grant(Access::Control);
    let (mut browser, display) = server.stream(&grant).await;
    drop(display);
    tokio::time::sleep(Duration::from_millis(100)).await;
    server
        .gateway
        .revoke(Revocation::Session(grant.session_id, CloseReason::Stopped));
    assert_closed(&mut browser, CloseReason::Stopped).await;
}

#[tokio::test]
async fn a_source_that_refuses_gives_the_reason() {
    let refuse = |_: &Grant| Err(CloseReason::AgentLost);
    let server = Server::with(GatewayConfig::default(), Arc::default(), refuse).await;
    let mut browser = server.connect(&grant(Access::Control)).await;
    assert_closed(&mut browser, CloseReason::AgentLost).await;
    emptied(&server.gateway).await;
}

#[tokio::test]
async fn what_is_revoked_ends_and_nothing_else() {
    let server = Server::start(GatewayConfig::default()).await;
    let (one, mut two) = (grant(Access::Control), grant(Access::View));
    two.user_id = one.user_id;
    let (mut first, _d1) = server.stream(&one).await;
    let (mut second, d2) = server.stream(&two).await;
    server
        .gateway
        .revoke(Revocation::Login(one.login_id.unwrap()));
    assert_closed(&mut first, CloseReason::Revoked).await;
    d2.send(vec![2]).await;
    assert_eq!(next(&mut second).await, [2]);
    server.gateway.revoke(Revocation::User(two.user_id));
    assert_closed(&mut second, CloseReason::Revoked).await;
    // A ticket that was given before and not used yet is of no use either.
    let mut late = grant(Access::Control);
    late.user_id = one.user_id;
    let mut browser = server.connect(&late).await;
    assert_closed(&mut browser, CloseReason::BadTicket).await;
}

#[tokio::test]
async fn shutting_down_closes_all_and_refuses_new_ones() {
    let server = Server::start(GatewayConfig::default()).await;
    let (mut browser, _display) = server.stream(&grant(Access::Control)).await;
    let gateway = server.gateway.clone();
    let down = tokio::spawn(async move { gateway.shut_down(WITHIN).await });
    assert_closed(&mut browser, CloseReason::GoingAway).await;
    timeout(WITHIN, down).await.unwrap().unwrap();
    let mut browser = server.connect(&grant(Access::Control)).await;
    assert_closed(&mut browser, CloseReason::GoingAway).await;
}

#[tokio::test]
async fn no_more_streams_than_allowed() {
    let config = GatewayConfig {
        max_streams: 1,
        ..GatewayConfig::default()
    };
    let server = Server::start(config).await;
    let (_browser, _display) = server.stream(&grant(Access::Control)).await;
    let mut second = server.connect(&grant(Access::Control)).await;
    assert_closed(&mut second, CloseReason::GoingAway).await;
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// A display that sends as fast as it is asked, and how many messages it gave.
fn flood(given: Arc<AtomicUsize>) -> impl Fn(&Grant) -> Result<MessageSocket, CloseReason> {
    move |_| {
        let given = given.clone();
        let receive = futures_util::stream::repeat_with(move || {
            given.fetch_add(1, SeqCst);
            // Made anew each time, as a display's are: kept ones would be seen in memory.
            Ok(Bytes::from(vec![2_u8; 256 * 1024]))
        });
        let send = futures_util::sink::drain().sink_map_err(|never| match never {});
        Ok(MessageSocket {
            receive: Box::pin(receive),
            send: Box::pin(send),
        })
    }
}

#[tokio::test]
async fn a_browser_that_reads_nothing_takes_no_memory_and_is_closed() {
    let given = Arc::new(AtomicUsize::new(0));
    let config = GatewayConfig {
        stall: Duration::from_secs(3),
        ..GatewayConfig::default()
    };
    let server = Server::with(config, Arc::default(), flood(given.clone())).await;
    // The first reads and shows that the flood is one.
    let mut reader = server.connect(&grant(Access::View)).await;
    let start = Instant::now();
    for _ in 0..400 {
        next(&mut reader).await;
    }
    let rate = 100.0 / start.elapsed().as_secs_f64();
    assert!(rate > 20.0, "{rate} MB/s");
    drop(reader);
    emptied(&server.gateway).await;

    let before = resident();
    let mut sleepers = Vec::new();
    for _ in 0..8 {
        sleepers.push(server.connect(&grant(Access::View)).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stuck = given.load(SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        given.load(SeqCst),
        stuck,
        "nothing is taken that cannot be sent"
    );
    let growth = resident().saturating_sub(before);
    assert!(growth < 32 << 20, "{} MB for 8 streams", growth >> 20);
    assert_eq!(server.gateway.streams().len(), 8);
    emptied(&server.gateway).await;
}

#[tokio::test]
async fn revoking_cuts_within_two_seconds_what_is_blocked() {
    let server = Server::with(
        GatewayConfig::default(),
        Arc::default(),
        flood(Arc::default()),
    )
    .await;
    let grant = grant(Access::View);
    let mut browser = server.connect(&grant).await;
    next(&mut browser).await;
    // It stops reading; the gateway is blocked in a send before long.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    server.gateway.revoke(Revocation::User(grant.user_id));
    emptied(&server.gateway).await;
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    // What was under way may still come, then the end.
    let end = async { while let Some(Ok(_)) = browser.next().await {} };
    timeout(WITHIN, end).await.unwrap();
}

#[tokio::test]
async fn a_silent_browser_is_pinged_and_given_up() {
    let config = GatewayConfig {
        ping: Duration::from_millis(100),
        ..GatewayConfig::default()
    };
    let server = Server::start(config).await;
    let (mut browser, _display) = server.stream(&grant(Access::View)).await;
    let ping = timeout(WITHIN, browser.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(matches!(ping, Message::Ping(_)), "{ping:?}");
    // It answers no more: a client answers while it reads.
    emptied(&server.gateway).await;
}

#[tokio::test]
async fn a_viewer_that_nobody_uses_is_disconnected() {
    let server = Server::start(GatewayConfig::default()).await;
    let mut grant = grant(Access::Control);
    grant.idle_disconnect = 1;
    let begun = std::time::Instant::now();
    let (mut browser, mut display) = server.stream(&grant).await;
    // Half of the time, then a key: it starts anew. What the viewer asks by itself does not count.
    tokio::time::sleep(Duration::from_millis(500)).await;
    browser.send(Message::binary(KEY)).await.unwrap();
    assert_eq!(display.next().await, KEY);
    tokio::time::sleep(Duration::from_millis(500)).await;
    browser.send(Message::binary(REQUEST)).await.unwrap();
    assert_eq!(display.next().await, REQUEST);
    assert_closed(&mut browser, CloseReason::Idle).await;
    assert!(begun.elapsed() >= Duration::from_millis(1500));
}
