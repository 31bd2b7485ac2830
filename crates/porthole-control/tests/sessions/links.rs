//! Agents' links, in-process and over the WebSocket: who may, what breaks, and streams.

use crate::stack::{Stack, open_in, resources};
use futures_util::{SinkExt, StreamExt};
use porthole_control::{
    Control, ControlConfig, RequestContext,
    links::{Broken, LinkConfig},
    manager::ManualClock,
};
use porthole_model::{
    ids::{AgentId, SessionId},
    session::SessionState,
};
use porthole_testkit::SimulatedAgent;
use porthole_wire::{
    agent::{Access, AgentMessage, ExecSpec, MAX_MESSAGE, PROTOCOL, ServerMessage},
    close::CloseReason,
    socket::MessageSocket,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest};

const SOON: Duration = Duration::from_secs(10);

/// The control plane behind a real port.
struct Served {
    control: Control,
    url: String,
    task: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.control.links().close();
        self.task.abort();
    }
}

async fn serve() -> Served {
    let dir = tempfile::tempdir().unwrap();
    let config = ControlConfig::default();
    let control = open_in(&dir, &config, &Arc::new(ManualClock::default())).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let service = control
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    Served {
        control,
        url,
        task,
        _dir: dir,
    }
}

fn host() -> SimulatedAgent {
    SimulatedAgent::new(resources(2000, 4096), Vec::new(), Duration::from_millis(20))
}

async fn registered(served: &Served) -> (AgentId, String) {
    let context = RequestContext::system("test");
    let (agent, token) = served.control.create_agent(&context, "a1").await.unwrap();
    (agent.load.agent.id, token.text)
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(SOON, wait).await.is_ok(), "{what} never came");
}

async fn hear(socket: &mut MessageSocket) -> Vec<u8> {
    let message = timeout(SOON, socket.receive.next())
        .await
        .expect("a message in time");
    message.expect("the stream is open").unwrap().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_dials_in_and_carries_streams() {
    let served = serve().await;
    let (id, token) = registered(&served).await;
    let agent = host();
    // A fingerprint behind the secret is the agent's own affair.
    let (dialed, url, long) = (
        agent.clone(),
        served.url.clone(),
        format!("{token}.{}", "0".repeat(64)),
    );
    let link = tokio::spawn(async move { dialed.dial(&url, &long).await });
    let links = served.control.links();
    until("the report", || {
        links.view(id).is_some_and(|view| view.reported)
    })
    .await;
    assert_eq!(links.view(id).unwrap().hostname, "simulated");

    let mut socket = links
        .open_stream(id, SessionId::new(), Access::Control)
        .await
        .ok()
        .unwrap();
    assert_eq!(hear(&mut socket).await, b"RFB 003.008\n");
    socket.send.send(b"hello"[..].into()).await.unwrap();
    assert_eq!(hear(&mut socket).await, b"hello");
    drop(socket);

    served.control.links().close();
    assert!(
        timeout(SOON, link).await.unwrap().unwrap().is_ok(),
        "the server's end is no error"
    );
    until("the end", || !links.connected(id)).await;
}

/// The display says back what it is told. Nobody reads that here, so soon nothing more is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_nobody_reads_takes_no_more() {
    let served = serve().await;
    let (id, token) = registered(&served).await;
    let (agent, url) = (host(), served.url.clone());
    tokio::spawn(async move { agent.dial(&url, &token).await });
    let links = served.control.links();
    until("the report", || {
        links.view(id).is_some_and(|view| view.reported)
    })
    .await;
    let mut socket = links
        .open_stream(id, SessionId::new(), Access::Control)
        .await
        .ok()
        .unwrap();
    let chunk = bytes::Bytes::from(vec![7; 1024 * 1024]);
    let mut taken = 0;
    while timeout(Duration::from_millis(500), socket.send.send(chunk.clone()))
        .await
        .is_ok()
    {
        taken += 1;
        assert!(taken < 64, "{taken} MiB are waiting somewhere");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_registered_agent_with_its_token_is_let_in() {
    let served = serve().await;
    let (id, token) = registered(&served).await;
    let (head, _) = token.rsplit_once('.').unwrap();
    let stranger = format!("pha.{}.{}", AgentId::new().simple(), "A".repeat(43));
    for bad in [
        format!("{head}.{}", "A".repeat(43)),
        stranger,
        "pha".into(),
        "x".into(),
    ] {
        let refused = host().dial(&served.url, &bad).await.unwrap_err();
        assert!(refused.to_string().contains("401"), "{bad}: {refused}");
    }
    // A stream that nobody asked for.
    let url = format!("{}/agent/v1/streams/{}", served.url, SessionId::new());
    let mut request = url.into_client_request().unwrap();
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    let refused = tokio_tungstenite::connect_async(request).await.unwrap_err();
    assert!(refused.to_string().contains("404"), "{refused}");

    // Removed, it is cut and not let in again.
    let agent = host();
    let (dialed, url, shown) = (agent.clone(), served.url.clone(), token.clone());
    let link = tokio::spawn(async move { dialed.dial(&url, &shown).await });
    let links = served.control.links();
    until("the report", || {
        links.view(id).is_some_and(|view| view.reported)
    })
    .await;
    served
        .control
        .delete_agent(&RequestContext::system("test"), id, false)
        .await
        .unwrap();
    timeout(SOON, link).await.unwrap().unwrap().unwrap();
    assert!(agent.dial(&served.url, &token).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_link_takes_the_place_of_the_older() {
    let served = serve().await;
    let (id, token) = registered(&served).await;
    let links = served.control.links();
    let dial = |agent: SimulatedAgent| {
        let (url, token) = (served.url.clone(), token.clone());
        tokio::spawn(async move { agent.dial(&url, &token).await })
    };
    let first = dial(host());
    until("the first", || {
        links.view(id).is_some_and(|view| view.reported)
    })
    .await;
    let second = dial(host());
    timeout(SOON, first)
        .await
        .expect("the first is cut")
        .unwrap()
        .unwrap();
    until("the second", || {
        links
            .view(id)
            .is_some_and(|view| view.link == 2 && view.reported)
    })
    .await;
    assert!(links.connected(id) && !second.is_finished());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_message_ends_the_link_and_nothing_else() {
    let served = serve().await;
    let (id, token) = registered(&served).await;
    let links = served.control.links();
    let hello = porthole_wire::agent::encode(&hello(PROTOCOL)).unwrap();
    let long = " ".repeat(MAX_MESSAGE + 1);
    let bad: [tungstenite::Message; 4] = [
        "nonsense".into(),
        r#"{"type":"session","phase":"dancing"}"#.into(),
        long.as_str().into(),
        tungstenite::Message::Binary(vec![0; 4].into()),
    ];
    for message in bad {
        let mut request = format!("{}/agent/v1/link", served.url)
            .into_client_request()
            .unwrap();
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        socket.send(hello.as_str().into()).await.unwrap();
        until("the link", || links.connected(id)).await;
        // The server may cut before it has taken all of it.
        let _ = socket.send(message).await;
        until("the end", || !links.connected(id)).await;
    }
}

fn hello(protocol: u32) -> AgentMessage {
    AgentMessage::Hello {
        protocol,
        version: "0.0.0".into(),
        hostname: "h".into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_protocol_is_refused_with_a_reason() {
    let stack = Stack::start().await;
    let id = AgentId::new();
    let mut link = stack.control.links().attach_local(id, "old");
    link.send.send(hello(PROTOCOL + 1)).await.unwrap();
    let answer = timeout(SOON, link.receive.next()).await.unwrap();
    let Some(ServerMessage::Refused { reason }) = answer else {
        panic!("{answer:?}")
    };
    assert!(
        reason.contains("old") && reason.contains("same version"),
        "{reason}"
    );
    assert_eq!(timeout(SOON, link.receive.next()).await.unwrap(), None);
    assert!(!stack.control.links().connected(id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_reads_nothing_or_says_nothing_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let links = LinkConfig {
        report_timeout: Duration::from_millis(200),
        ..LinkConfig::default()
    };
    let config = ControlConfig {
        links,
        ..ControlConfig::default()
    };
    let control = open_in(&dir, &config, &Arc::new(ManualClock::default())).await;
    let links = control.links();

    let silent = AgentId::new();
    let mut link = links.attach_local(silent, "silent");
    link.send.send(hello(PROTOCOL)).await.unwrap();
    until("the link", || links.connected(silent)).await;
    until("the end", || !links.connected(silent)).await;

    let deaf = AgentId::new();
    let mut link = links.attach_local(deaf, "deaf");
    link.send.send(hello(PROTOCOL)).await.unwrap();
    until("the link", || links.connected(deaf)).await;
    let told = (0..10_000)
        .take_while(|_| {
            let session_id = SessionId::new();
            links.send(deaf, ServerMessage::Stop { session_id })
        })
        .count();
    assert!(
        told < 1000,
        "{told} messages wait for an agent that reads nothing"
    );
    until("the end", || !links.connected(deaf)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_end_in_time_whatever_the_agent_does() {
    let stack = Stack::start().await;
    let (id, session) = (stack.agent_id(), stack.running().await);
    let links = stack.control.links();
    let exec = ExecSpec {
        cmd: vec!["touch".into(), "/tmp/x".into()],
        environment: std::collections::BTreeMap::new(),
        workdir: None,
        user: Some("root".into()),
        privileged: false,
    };
    links.exec(id, session, exec.clone()).await.unwrap();
    assert_eq!(stack.agent().execs(), [(session, exec.clone())]);
    assert!(links.screenshot(id, session, 320, 180).await.is_ok());
    let unknown = links.exec(id, SessionId::new(), exec.clone()).await;
    assert!(matches!(unknown, Err(Broken::Failed(_))), "{unknown:?}");

    stack.agent().behave(|b| b.late = true);
    let late = links.screenshot(id, session, 320, 180).await;
    assert!(matches!(late, Err(Broken::TimedOut(_))), "{late:?}");
    // Its answer comes when nobody waits any more.
    stack.agent().catch_up();
    assert!(links.screenshot(id, session, 320, 180).await.is_ok());

    stack.agent().behave(|b| b.late = true);
    let (cut, ()) = tokio::join!(links.exec(id, session, exec.clone()), stack.cut());
    assert_eq!(cut, Err(Broken::Disconnected));
    assert_eq!(
        links.exec(id, session, exec).await,
        Err(Broken::Disconnected)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_open_or_tell_why_not() {
    let stack = Stack::start().await;
    let (id, session) = (stack.agent_id(), stack.running().await);
    let links = stack.control.links();
    let mut socket = links
        .open_stream(id, session, Access::View)
        .await
        .ok()
        .unwrap();
    assert_eq!(hear(&mut socket).await, b"RFB 003.008\n");

    stack.agent().behave(|b| b.no_streams = true);
    let none = links.open_stream(id, session, Access::Control).await.err();
    assert_eq!(none, Some(CloseReason::DisplayLost));
    stack.cut().await;
    let none = links.open_stream(id, session, Access::Control).await.err();
    assert_eq!(none, Some(CloseReason::AgentLost));
    stack.connect(0).await;
    stack.until(session, SessionState::Running).await;
}
