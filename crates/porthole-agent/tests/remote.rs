//! The link over `wss`: whom the agent believes, what it says, and that it comes back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by them"
)]

use futures_util::{SinkExt, StreamExt};
use porthole_agent::{
    Agent, AgentConfig,
    remote::{self, RemoteConfig},
};
use porthole_model::ids::{AgentId, SessionId, StreamId};
use porthole_wire::agent::{Access, AgentMessage, PROTOCOL, ServerMessage, decode, encode};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use std::{fmt::Write, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
    },
};

const WITHIN: Duration = Duration::from_secs(20);
type Link = WebSocketStream<TlsStream<TcpStream>>;

struct Server {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    certificate: rcgen::Certificate,
}

impl Server {
    async fn start() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned()];
        let certificate = rcgen::CertificateParams::new(names)
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
        }
    }

    fn fingerprint(&self) -> String {
        Sha256::digest(self.certificate.der())
            .iter()
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    /// The next link, with the header that names the agent.
    async fn accept(&self) -> (Link, String) {
        let accept = async {
            let (tcp, _) = self.listener.accept().await.unwrap();
            let tls = self.acceptor.accept(tcp).await.unwrap();
            let mut bearer = String::new();
            #[expect(clippy::result_large_err, reason = "the callback's type is given")]
            let look = |request: &Request, response: Response| {
                assert_eq!(request.uri().path(), "/agent/v1/link");
                let header = request.headers()["authorization"].to_str();
                bearer.push_str(header.unwrap());
                Ok(response)
            };
            let link = accept_hdr_async(tls, look).await.unwrap();
            (link, bearer)
        };
        timeout(WITHIN, accept).await.unwrap()
    }
}

async fn hear(link: &mut Link) -> AgentMessage {
    loop {
        match timeout(WITHIN, link.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
        {
            Message::Text(text) => return decode(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn tell(link: &mut Link, message: &ServerMessage) {
    link.send(Message::text(encode(message).unwrap()))
        .await
        .unwrap();
}

fn agent(dir: &tempfile::TempDir, id: AgentId) -> Agent {
    let mut config = AgentConfig::new(id, "porthole/display:0.1.0".parse().unwrap());
    config.runtime_dir = dir.path().join("run");
    // An engine that is down is reported, not fatal.
    config.engine = dir.path().join("engine.sock").display().to_string();
    Agent::start(config).unwrap()
}

#[tokio::test]
async fn the_agent_greets_reports_answers_and_comes_back() {
    let (server, dir, id) = (
        Server::start().await,
        tempfile::tempdir().unwrap(),
        AgentId::new(),
    );
    let agent = agent(&dir, id);
    let secret = "s".repeat(43);
    let token = format!("pha.{}.{secret}.{}", id.simple(), server.fingerprint());
    // The address need not be in the certificate: the token names the very one.
    let server_url = format!("https://{}", server.listener.local_addr().unwrap());
    let config = RemoteConfig {
        server_url,
        token: token.parse().unwrap(),
        ca_pem: None,
    };
    let running = tokio::spawn(remote::run(config, agent.clone()));
    for _ in 0..2 {
        let (mut link, bearer) = server.accept().await;
        assert_eq!(bearer, format!("Bearer pha.{}.{secret}", id.simple()));
        let hello = hear(&mut link).await;
        assert!(
            matches!(
                hello,
                AgentMessage::Hello {
                    protocol: PROTOCOL,
                    ..
                }
            ),
            "{hello:?}"
        );
        let welcome = ServerMessage::Welcome {
            protocol: PROTOCOL,
            agent_id: id,
            name: "a1".into(),
            images: Vec::new(),
        };
        tell(&mut link, &welcome).await;
        match hear(&mut link).await {
            AgentMessage::Report(report) => {
                assert!(
                    report.problems[0].what.contains("does not answer"),
                    "{report:?}"
                );
            }
            other => panic!("{other:?}"),
        }
        let stream_id = StreamId::new();
        let session_id = SessionId::new();
        let access = Access::View;
        tell(
            &mut link,
            &ServerMessage::OpenStream {
                stream_id,
                session_id,
                access,
            },
        )
        .await;
        let failed = loop {
            match hear(&mut link).await {
                AgentMessage::Report(_) => {}
                other => break other,
            }
        };
        match failed {
            AgentMessage::StreamFailed { stream_id: id, .. } => assert_eq!(id, stream_id),
            other => panic!("{other:?}"),
        }
        // The connection breaks without a word; the agent dials again.
        drop(link);
    }
    agent.shut_down().await;
    timeout(WITHIN, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn another_certificate_is_not_believed() {
    let (server, dir, id) = (
        Server::start().await,
        tempfile::tempdir().unwrap(),
        AgentId::new(),
    );
    let agent = agent(&dir, id);
    let token = format!("pha.{}.{}.{}", id.simple(), "s".repeat(43), "0".repeat(64));
    let server_url = format!("https://{}", server.listener.local_addr().unwrap());
    let config = RemoteConfig {
        server_url,
        token: token.parse().unwrap(),
        ca_pem: None,
    };
    let running = tokio::spawn(remote::run(config, agent.clone()));
    let (tcp, _) = timeout(WITHIN, server.listener.accept())
        .await
        .unwrap()
        .unwrap();
    let handshake = timeout(WITHIN, server.acceptor.accept(tcp)).await.unwrap();
    let read = match handshake {
        Err(_) => 0,
        Ok(mut tls) => {
            let mut byte = [0; 1];
            tokio::io::AsyncReadExt::read(&mut tls, &mut byte)
                .await
                .unwrap_or(0)
        }
    };
    assert_eq!(
        read, 0,
        "the token is not told to a server that is not the one"
    );
    agent.shut_down().await;
    timeout(WITHIN, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_given_authority_is_believed_for_its_names() {
    let (server, dir, id) = (
        Server::start().await,
        tempfile::tempdir().unwrap(),
        AgentId::new(),
    );
    let agent = agent(&dir, id);
    let token = format!("pha.{}.{}", id.simple(), "s".repeat(43));
    let port = server.listener.local_addr().unwrap().port();
    let config = RemoteConfig {
        server_url: format!("https://localhost:{port}"),
        token: token.parse().unwrap(),
        ca_pem: Some(server.certificate.pem().into_bytes()),
    };
    let running = tokio::spawn(remote::run(config, agent.clone()));
    let (mut link, _) = server.accept().await;
    assert!(matches!(hear(&mut link).await, AgentMessage::Hello { .. }));
    tell(
        &mut link,
        &ServerMessage::Refused {
            reason: "disabled".into(),
        },
    )
    .await;
    agent.shut_down().await;
    timeout(WITHIN, running).await.unwrap().unwrap().unwrap();
}
