//! An agent on the real engine, and the server's end of its link.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use porthole_agent::{Agent, AgentConfig, StreamCarrier};
use porthole_model::{
    ids::{AgentId, RequestId, SessionId, StreamId, UserId, WorkspaceId},
    protection::Protection,
    resources::{Bytes, MilliCores, Resources},
    session::Failure,
};
use porthole_wire::{
    agent::{
        Access, AgentMessage, ExecSpec, Outcome, PROTOCOL, Phase, Report, ServerMessage,
        SessionReport, SessionSpec,
    },
    socket::MessageSocket,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, watch},
};

pub const CORE: &str = "porthole/core-debian:1.0";

/// What the server's end has heard.
#[derive(Default, Clone)]
pub struct World {
    pub sessions: HashMap<SessionId, SessionReport>,
    pub removed: HashSet<SessionId>,
    pub replies: HashMap<RequestId, Outcome>,
    pub stream_failures: HashMap<StreamId, Failure>,
    pub report: Option<Report>,
    pub phases: Vec<(SessionId, Phase)>,
    greeted: bool,
}

#[derive(Default)]
struct Carrier(Mutex<HashMap<StreamId, MessageSocket>>);

impl StreamCarrier for Carrier {
    fn carry(&self, id: StreamId, socket: MessageSocket) -> BoxFuture<'static, io::Result<()>> {
        lock(&self.0).insert(id, socket);
        Box::pin(async { Ok(()) })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An agent in a runtime of its own, so that it can be killed as a process would be.
struct Running {
    runtime: Runtime,
    send: mpsc::UnboundedSender<ServerMessage>,
    world: watch::Receiver<World>,
    carrier: Arc<Carrier>,
}

pub struct TestHost {
    pub config: AgentConfig,
    running: Option<Running>,
    images: Vec<String>,
    dir: tempfile::TempDir,
    _turn: File,
}

pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker")
        .args(args)
        .output()
        .expect("docker is installed");
    assert!(
        output.status.success(),
        "docker {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl TestHost {
    /// With `warm` displays kept ready.
    pub fn start(warm: u16) -> Self {
        Self::start_with(warm, |_| {})
    }

    pub fn start_with(warm: u16, change: impl FnOnce(&mut AgentConfig)) -> Self {
        // One engine and few cores: tests that start containers take turns, whatever runs them.
        let turn = std::env::temp_dir().join("porthole-host-tests.lock");
        let turn = File::create(turn).unwrap();
        turn.lock().unwrap();
        let display = std::env::var("PORTHOLE_TEST_DISPLAY_IMAGE")
            .unwrap_or_else(|_| concat!("porthole/display:", env!("CARGO_PKG_VERSION")).to_owned());
        let dir = tempfile::tempdir().unwrap();
        let mut config = AgentConfig::new(AgentId::new(), display.parse().unwrap());
        config.runtime_dir = dir.path().join("run");
        config.warm_displays = warm;
        config.network = format!("porthole-test-{}", config.agent_id.simple());
        if let Ok(engine) = std::env::var("DOCKER_HOST") {
            config.engine = engine;
        }
        change(&mut config);
        let mut host = Self {
            config,
            running: None,
            images: Vec::new(),
            dir,
            _turn: turn,
        };
        host.run();
        host
    }

    pub fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Starts the agent, on whatever an earlier one left, and its link.
    pub fn run(&mut self) {
        let runtime = Runtime::new().unwrap();
        let (send, mut receive) = mpsc::unbounded_channel();
        let (world_tx, world) = watch::channel(World::default());
        let carrier = Arc::new(Carrier::default());
        let (config, to_agent) = (self.config.clone(), send.clone());
        let carrier2 = carrier.clone();
        runtime.spawn(async move {
            let agent = Agent::start(config.clone()).unwrap();
            let receive = Box::pin(futures_util::stream::poll_fn(move |cx| {
                receive.poll_recv(cx)
            }));
            let hear = futures_util::sink::unfold(world_tx, move |world, message| {
                world.send_modify(|world| world.hear(message, &to_agent, &config));
                async move { Ok::<_, io::Error>(world) }
            });
            let end = agent.serve_link(receive, Box::pin(hear), carrier2).await;
            eprintln!("link ended: {end}");
        });
        self.running = Some(Running {
            runtime,
            send,
            world,
            carrier,
        });
        // Nothing may be said before the greeting.
        self.wait(20, "the greeting", |world| world.greeted);
    }

    /// Ends the agent as `kill -9` would: at whatever it is.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.runtime.shutdown_background();
        }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the agent runs")
    }

    pub fn tell(&self, message: ServerMessage) {
        self.running().send.send(message).unwrap();
    }

    pub fn tell_run(&self, spec: &SessionSpec) {
        self.tell(ServerMessage::Run {
            spec: Box::new(spec.clone()),
        });
    }

    pub fn world(&self) -> World {
        self.running().world.borrow().clone()
    }

    /// Waits until what was heard satisfies the condition.
    #[track_caller]
    pub fn wait(&self, seconds: u64, what: &str, done: impl Fn(&World) -> bool) -> World {
        let running = self.running();
        let mut world = running.world.clone();
        let wait = async {
            let within = Duration::from_secs(seconds);
            tokio::time::timeout(within, world.wait_for(&done))
                .await
                .map(|w| w.unwrap().clone())
        };
        let waited = running.runtime.block_on(wait);
        waited.unwrap_or_else(|_| {
            let world = self.world();
            let problems = world.report.map(|report| report.problems);
            panic!("{what} did not come: {:?} {problems:?}", world.sessions);
        })
    }

    #[track_caller]
    pub fn wait_running(&self, id: SessionId) {
        self.wait(60, "running", |world| {
            world.sessions.get(&id).is_some_and(|report| {
                assert!(
                    !matches!(report.phase, Phase::Failed { .. }),
                    "{:?}",
                    report.phase
                );
                report.phase == Phase::Running
            })
        });
    }

    #[track_caller]
    pub fn wait_failed(&self, id: SessionId) -> Failure {
        let world = self.wait(60, "a failure", |world| {
            world
                .sessions
                .get(&id)
                .is_some_and(|r| matches!(r.phase, Phase::Failed { .. }))
        });
        match world.sessions[&id].phase.clone() {
            Phase::Failed { failure } => failure,
            phase => panic!("{phase:?}"),
        }
    }

    #[track_caller]
    pub fn wait_warm(&self, count: u16) {
        self.wait(60, "warm displays", |world| {
            world
                .report
                .as_ref()
                .is_some_and(|report| report.warm_displays == count)
        });
    }

    #[track_caller]
    pub fn remove(&self, id: SessionId) {
        self.tell(ServerMessage::Remove { session_id: id });
        self.wait(60, "removed", |world| world.removed.contains(&id));
    }

    #[track_caller]
    pub fn exec(&self, id: SessionId, cmd: &[&str]) {
        let request_id = RequestId::new();
        let exec = ExecSpec {
            cmd: cmd.iter().map(|&arg| arg.to_owned()).collect(),
            environment: BTreeMap::new(),
            workdir: None,
            user: None,
            privileged: false,
        };
        self.tell(ServerMessage::Exec {
            request_id,
            session_id: id,
            exec,
        });
        let world = self.wait(20, "a reply", |world| {
            world.replies.contains_key(&request_id)
        });
        assert_eq!(world.replies[&request_id], Outcome::Started);
    }

    #[track_caller]
    pub fn screenshot(&self, id: SessionId) -> Vec<u8> {
        let request_id = RequestId::new();
        self.tell(ServerMessage::Screenshot {
            request_id,
            session_id: id,
            width: 320,
            height: 200,
        });
        let world = self.wait(20, "a reply", |world| {
            world.replies.contains_key(&request_id)
        });
        match &world.replies[&request_id] {
            Outcome::Screenshot { jpeg } => STANDARD.decode(jpeg).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Opens a stream and does something with it.
    pub fn stream<T>(
        &self,
        id: SessionId,
        access: Access,
        with: impl AsyncFnOnce(MessageSocket) -> T,
    ) -> T {
        let stream_id = StreamId::new();
        self.tell(ServerMessage::OpenStream {
            stream_id,
            session_id: id,
            access,
        });
        let running = self.running();
        let socket = until(10, "a stream", || {
            lock(&running.carrier.0).remove(&stream_id)
        });
        running.runtime.block_on(with(socket))
    }

    /// Opens a channel to a session's files and does something with it.
    pub fn files<T>(&self, id: SessionId, with: impl AsyncFnOnce(MessageSocket) -> T) -> T {
        let stream_id = StreamId::new();
        self.tell(ServerMessage::OpenFiles {
            stream_id,
            session_id: id,
        });
        let running = self.running();
        let socket = until(20, "a channel", || {
            let failed = self.world().stream_failures.get(&stream_id).cloned();
            assert_eq!(failed, None);
            lock(&running.carrier.0).remove(&stream_id)
        });
        running.runtime.block_on(with(socket))
    }

    /// Containers of this agent with a role, as names.
    pub fn containers(&self, role: &str) -> Vec<String> {
        let agent = format!("label=porthole.agent={}", self.config.agent_id);
        let role = format!("label=porthole.role={role}");
        let list = docker(&[
            "ps",
            "-a",
            "--filter",
            &agent,
            "--filter",
            &role,
            "--format",
            "{{.Names}}",
        ]);
        list.lines().map(str::to_owned).collect()
    }

    /// Directories of displays.
    pub fn directories(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.config.runtime_dir.join("displays")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// Waits until nothing is left but so many warm displays.
    #[track_caller]
    pub fn wait_clean(&self, warm: usize) {
        until(60, "a clean host", || {
            let displays = self.containers("display");
            let clean = self.containers("workspace").is_empty()
                && displays.len() == warm
                && self.directories().len() == warm;
            clean.then_some(())
        });
    }

    /// An image that only differs from another in what it starts.
    pub fn image(&mut self, entrypoint: &str) -> String {
        let tag = format!(
            "porthole-test-{}:{}",
            self.config.agent_id.simple(),
            self.images.len()
        );
        let mut build = Command::new("docker")
            .args(["build", "-q", "-t", &tag, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let command = serde_json::to_string(&["sh", "-c", entrypoint]).unwrap();
        let file = format!("FROM {CORE}\nENTRYPOINT {command}\nCMD []\n");
        io::Write::write_all(&mut build.stdin.take().unwrap(), file.as_bytes()).unwrap();
        assert!(build.wait().unwrap().success());
        self.images.push(tag.clone());
        tag
    }

    /// An image whose program shows a window and stays.
    pub fn window_image(&mut self) -> String {
        self.image("exec xmessage -geometry 300x200 porthole")
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.kill();
        let agent = format!("label=porthole.agent={}", self.config.agent_id);
        for _ in 0..3 {
            // A call that was under way when the agent was killed is done by the engine all the same.
            pause(300);
            let list = docker(&["ps", "-aq", "--filter", &agent]);
            for id in list.lines() {
                let _ = Command::new("docker").args(["rm", "-fv", id]).output();
            }
        }
        for image in &self.images {
            let _ = Command::new("docker").args(["rmi", "-f", image]).output();
        }
        let _ = Command::new("docker")
            .args(["network", "rm", &self.config.network])
            .output();
    }
}

impl World {
    /// Whether a session is in a phase.
    pub fn is(&self, id: SessionId, phase: &Phase) -> bool {
        self.sessions
            .get(&id)
            .is_some_and(|report| report.phase == *phase)
    }

    fn hear(
        &mut self,
        message: AgentMessage,
        to_agent: &mpsc::UnboundedSender<ServerMessage>,
        config: &AgentConfig,
    ) {
        match message {
            AgentMessage::Hello { protocol, .. } => {
                assert_eq!(protocol, PROTOCOL);
                let _ = to_agent.send(ServerMessage::Welcome {
                    protocol: PROTOCOL,
                    agent_id: config.agent_id,
                    name: "test".into(),
                    images: Vec::new(),
                });
                self.greeted = true;
            }
            AgentMessage::Report(report) => {
                let sessions = report.sessions.iter();
                self.sessions = sessions.map(|s| (s.session_id, s.clone())).collect();
                self.report = Some(*report);
            }
            AgentMessage::Session(report) => {
                self.phases.push((report.session_id, report.phase.clone()));
                self.sessions.insert(report.session_id, report);
            }
            AgentMessage::Removed { session_id } => {
                self.sessions.remove(&session_id);
                self.removed.insert(session_id);
            }
            AgentMessage::Reply {
                request_id,
                outcome,
            } => {
                self.replies.insert(request_id, outcome);
            }
            AgentMessage::StreamFailed { stream_id, failure } => {
                self.stream_failures.insert(stream_id, failure);
            }
        }
    }
}

pub fn spec(image: &str) -> SessionSpec {
    SessionSpec {
        session_id: SessionId::new(),
        user_id: UserId::new(),
        username: "user@kasm.local".into(),
        workspace_id: WorkspaceId::new(),
        workspace_name: "Test".into(),
        image: image.parse().unwrap(),
        resources: Resources {
            cores: MilliCores(1000),
            memory: Bytes::mib(512),
        },
        shm_size: Bytes::mib(256),
        environment: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]),
        width: 1024,
        height: 640,
        protection: Protection::default(),
    }
}

pub fn name(id: SessionId) -> String {
    format!("porthole-session-{}", id.simple())
}

/// Asks again and again until there is an answer: for what has no event to wait for.
#[track_caller]
pub fn until<T>(seconds: u64, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what} did not come");
        pause(50);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment is the point of the test"
)]
pub fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
