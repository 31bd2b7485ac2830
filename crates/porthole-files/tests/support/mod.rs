//! A gateway whose sessions are folders of this machine.

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::{future::BoxFuture, sink, stream};
use http_body_util::BodyExt;
use porthole_gateway::{Gateway, GatewayConfig, StreamSource};
use porthole_model::{
    files::{FileRules, FileTransfer},
    ids::{AgentId, LoginId, SessionId, StreamId, UserId},
};
use porthole_wire::{
    agent::Access,
    close::CloseReason,
    socket::MessageSocket,
    ticket::{Grant, LIFETIME, Signer, Verifier},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::Semaphore,
};
use tower::ServiceExt;

pub const ID: &str = "0123456789abcdef0123456789abcdef";

/// Bytes that are no text and no known type.
pub fn content(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

pub async fn body(response: Response) -> Vec<u8> {
    let collected = response.into_body().collect();
    let bytes = tokio::time::timeout(Duration::from_secs(60), collected).await;
    bytes.unwrap().unwrap().to_bytes().to_vec()
}

/// What the helpers run on.
#[derive(Clone, Copy, PartialEq)]
enum Disk {
    Usual,
    /// 4 MB, seen by nobody else.
    Small,
    /// Takes no more than a megabyte into one file, which shows only when that is written.
    Short,
}

struct Helpers {
    home: PathBuf,
    disk: Disk,
    running: Arc<Mutex<Vec<u32>>>,
}

impl Helpers {
    fn start(&self) -> Child {
        let helper = env!("CARGO_BIN_EXE_porthole-files");
        let mut command = match self.disk {
            Disk::Usual => Command::new(helper),
            Disk::Small => {
                let mut command = Command::new("unshare");
                let script = "mount -t tmpfs -o size=4m none \"$HOME\" && exec \"$0\"";
                command.args(["-r", "-m", "sh", "-c", script, helper]);
                command
            }
            Disk::Short => {
                let mut command = Command::new("sh");
                let script = "trap '' XFSZ; ulimit -f 2000; exec \"$0\"";
                command.args(["-c", script, helper]);
                command
            }
        };
        let child = command
            .env("HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.running.lock().unwrap().extend(child.id());
        child
    }
}

impl StreamSource for Helpers {
    fn open(&self, _: &Grant) -> BoxFuture<'static, Result<MessageSocket, CloseReason>> {
        let mut child = self.start();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Box::pin(async move {
            let receive = stream::unfold((stdout, child), |(mut stdout, child)| async move {
                let mut buffer = vec![0; 50_000];
                match stdout.read(&mut buffer).await {
                    Ok(0) => None,
                    Ok(read) => {
                        buffer.truncate(read);
                        Some((Ok(Bytes::from(buffer)), (stdout, child)))
                    }
                    Err(error) => Some((Err(error), (stdout, child))),
                }
            });
            let send = sink::unfold(stdin, |mut stdin, bytes: Bytes| async move {
                stdin.write_all(&bytes).await?;
                stdin.flush().await?;
                Ok(stdin)
            });
            Ok(MessageSocket {
                receive: Box::pin(receive),
                send: Box::pin(send),
            })
        })
    }
}

pub struct Place {
    pub gateway: Gateway,
    pub session: SessionId,
    signer: Signer,
    rules: FileRules,
    audit: Arc<Mutex<Vec<FileTransfer>>>,
    /// Taken away, records wait.
    pub recording: Arc<Semaphore>,
    helpers: Arc<Mutex<Vec<u32>>>,
    home: Arc<tempfile::TempDir>,
}

impl Place {
    pub fn new(rules: FileRules) -> Self {
        Self::with(rules, Arc::new(tempfile::tempdir().unwrap()), Disk::Usual)
    }

    pub fn on_small_disk(rules: FileRules) -> Self {
        Self::with(rules, Arc::new(tempfile::tempdir().unwrap()), Disk::Small)
    }

    pub fn on_short_disk(rules: FileRules) -> Self {
        Self::with(rules, Arc::new(tempfile::tempdir().unwrap()), Disk::Short)
    }

    /// Another gateway before the same session, as after a restart.
    pub fn again(&self) -> Self {
        Self::with(self.rules.clone(), self.home.clone(), Disk::Usual)
    }

    fn with(rules: FileRules, home: Arc<tempfile::TempDir>, disk: Disk) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let audit: Arc<Mutex<Vec<FileTransfer>>> = Arc::default();
        let recording = Arc::new(Semaphore::new(1));
        let (kept, turn) = (audit.clone(), recording.clone());
        let config = GatewayConfig {
            audit: Arc::new(move |transfer| {
                let (kept, turn) = (kept.clone(), turn.clone());
                Box::pin(async move {
                    let _turn = turn.acquire().await.unwrap();
                    kept.lock().unwrap().push(transfer);
                })
            }),
            ..GatewayConfig::default()
        };
        let running: Arc<Mutex<Vec<u32>>> = Arc::default();
        let helpers = Helpers {
            home: home.path().to_owned(),
            disk,
            running: running.clone(),
        };
        let verifier = Verifier::from_public_key(key.public_key_raw());
        Self {
            gateway: Gateway::new(verifier, Arc::new(helpers), config),
            session: SessionId::new(),
            signer: Signer::from_pkcs8(&key.serialize_der()),
            rules,
            audit,
            recording,
            helpers: running,
            home,
        }
    }

    /// Ends the session's processes as its container's end does.
    pub fn kill_helpers(&self) {
        for pid in self.helpers.lock().unwrap().drain(..) {
            let mut kill = std::process::Command::new("kill");
            let killed = kill.args(["-KILL", &pid.to_string()]).status();
            assert!(killed.unwrap().success());
        }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn audited(&self) -> Vec<FileTransfer> {
        self.audit.lock().unwrap().clone()
    }

    pub async fn until_audited(&self, count: usize) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.audited().len() < count {
            assert!(Instant::now() < end, "{:?}", self.audited());
            tokio::task::yield_now().await;
        }
    }

    /// Unfinished uploads.
    pub fn hidden(&self) -> usize {
        fs::read_dir(self.home().join("Uploads/.porthole-uploads"))
            .map_or(0, |entries| 1.max(entries.count()))
    }

    /// How much there is of the unfinished upload.
    pub fn part(&self) -> u64 {
        fs::metadata(self.home().join("Uploads/.porthole-uploads").join(ID))
            .map_or(0, |metadata| metadata.len())
    }

    pub fn ticket(&self, files: Option<FileRules>) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.signer
            .sign(Grant {
                stream_id: StreamId::new(),
                exp: now.as_secs() + LIFETIME,
                session_id: self.session,
                agent_id: AgentId::new(),
                user_id: UserId::new(),
                login_id: Some(LoginId::new()),
                access: Access::Control,
                clipboard_down: true,
                clipboard_up: true,
                clipboard_down_max: 1000,
                clipboard_up_max: 1000,
                clipboard_delay: 0,
                idle_disconnect: 0,
                files,
            })
            .unwrap()
    }

    fn url(&self, rest: &str) -> String {
        format!("/gateway/v1/sessions/{}/files{rest}", self.session)
    }

    async fn respond(&self, request: Request<Body>) -> Response {
        let answer = self.gateway.router().oneshot(request);
        let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
        answer.unwrap().unwrap()
    }

    pub async fn open(&self, ticket: &str) -> (StatusCode, Option<String>) {
        let request = Request::post(self.url(""))
            .body(format!("{{\"ticket\":\"{ticket}\"}}").into())
            .unwrap();
        let response = self.respond(request).await;
        let status = response.status();
        let cookie = response
            .headers()
            .get(header::SET_COOKIE)
            .map(|cookie| cookie.to_str().unwrap().to_owned());
        (status, cookie)
    }

    pub async fn pass(&self) -> Pass<'_> {
        let (status, cookie) = self.open(&self.ticket(Some(self.rules.clone()))).await;
        assert_eq!(status, StatusCode::CREATED);
        let cookie = cookie.unwrap();
        assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        let token = cookie.split(['=', ';']).nth(1).unwrap();
        self.with_pass(token.to_owned())
    }

    pub fn with_pass(&self, token: String) -> Pass<'_> {
        Pass { place: self, token }
    }
}

pub struct Pass<'a> {
    place: &'a Place,
    token: String,
}

impl Pass<'_> {
    fn request(&self, method: Method, rest: &str, body: Body) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(self.place.url(rest))
            .header(
                header::COOKIE,
                format!("a=b; porthole-files={}", self.token),
            )
            .body(body)
            .unwrap()
    }

    pub async fn send(&self, method: Method, rest: &str, with: Body) -> (StatusCode, String) {
        let response = self.place.respond(self.request(method, rest, with)).await;
        let status = response.status();
        (status, String::from_utf8(body(response).await).unwrap())
    }

    pub async fn put(
        &self,
        path: &str,
        size: usize,
        offset: usize,
        bytes: &[u8],
    ) -> (StatusCode, String) {
        let rest = format!("/uploads/{ID}?path={path}&size={size}&offset={offset}&modified=5000");
        self.send(Method::PUT, &rest, bytes.to_vec().into()).await
    }

    pub async fn offset(&self) -> u64 {
        let (status, text) = self
            .send(Method::GET, &format!("/uploads/{ID}"), Body::empty())
            .await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    }

    pub async fn get(&self, rest: &str, range: Option<(&str, &HeaderValue)>) -> Response {
        let mut request = self.request(Method::GET, rest, Body::empty());
        if let Some((range, tag)) = range {
            let headers = request.headers_mut();
            headers.insert(header::RANGE, range.parse().unwrap());
            headers.insert(header::IF_RANGE, tag.clone());
        }
        self.place.respond(request).await
    }

    pub async fn asked_from(&self, origin: &str, rest: &str) -> StatusCode {
        let mut request = self.request(Method::GET, rest, Body::empty());
        let headers = request.headers_mut();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers.insert(header::HOST, "desk.example".parse().unwrap());
        self.place.respond(request).await.status()
    }
}
