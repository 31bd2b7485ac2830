//! A control plane on a database file with simulated agents, and a clock that tests turn.

use porthole_control::{
    Control, ControlConfig,
    links::LinkConfig,
    manager::{Launch, ManagerConfig, ManualClock, Refused},
};
use porthole_model::{
    ids::{AgentId, SessionId, UserId, WorkspaceId},
    policy::EffectivePolicy,
    protection::Protection,
    resources::{Bytes, MilliCores, Resources},
    session::{Failure, SessionState},
};
use porthole_store::{
    Store,
    sessions::{Session, SessionFilter},
};
use porthole_testkit::SimulatedAgent;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Far longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Stack {
    dir: TempDir,
    pub clock: Arc<ManualClock>,
    pub control: Control,
    config: ControlConfig,
    running: Option<(DropGuard, JoinHandle<()>)>,
    pub agents: Vec<(AgentId, SimulatedAgent)>,
}

pub fn resources(cores: u32, mib: u64) -> Resources {
    Resources {
        cores: MilliCores(cores),
        memory: Bytes::mib(mib),
    }
}

pub fn failure(what: &str) -> Failure {
    Failure {
        what: what.into(),
        part: "container".into(),
        advice: "Look".into(),
    }
}

impl Stack {
    /// One agent, a1, with 4 cores.
    pub async fn start() -> Self {
        Self::with(ManagerConfig::default(), &[4000]).await
    }

    /// Agents a1, a2, … with so many thousandths of cores.
    pub async fn with(sessions: ManagerConfig, agents: &[u32]) -> Self {
        let sessions = ManagerConfig {
            round: Duration::from_millis(20),
            ..sessions
        };
        let links = LinkConfig {
            request_timeout: Duration::from_millis(300),
            stream_timeout: Duration::from_millis(300),
            ..LinkConfig::default()
        };
        let config = ControlConfig {
            sessions,
            links,
            ..ControlConfig::default()
        };
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let control = open_in(&dir, &config, &clock).await;
        let mut stack = Self {
            dir,
            clock,
            control,
            config,
            running: None,
            agents: Vec::new(),
        };
        stack.run();
        for (index, cores) in agents.iter().enumerate() {
            let name = format!("a{}", index + 1);
            let id = AgentId::new();
            stack
                .control
                .store()
                .agents()
                .create(id, &name, "hash")
                .await
                .unwrap();
            let image = "porthole/terminal:1.0".parse().unwrap();
            let agent = SimulatedAgent::new(
                resources(*cores, 8192),
                vec![image],
                Duration::from_millis(20),
            );
            stack.agents.push((id, agent));
            stack.connect(index).await;
        }
        stack
    }

    fn run(&mut self) {
        let (manager, stop) = (self.control.manager().clone(), CancellationToken::new());
        let guard = stop.clone().drop_guard();
        self.running = Some((guard, tokio::spawn(async move { manager.run(stop).await })));
    }

    /// The server dies and starts again on the same database. Agents are not connected yet.
    pub async fn restart_server(&mut self) {
        self.kill_server();
        self.control = open_in(&self.dir, &self.config, &self.clock).await;
        self.run();
    }

    pub fn kill_server(&mut self) {
        if let Some((_, task)) = self.running.take() {
            task.abort();
        }
        self.control.links().close();
        for (_, agent) in &self.agents {
            agent.disconnect();
        }
    }

    pub fn agent(&self) -> &SimulatedAgent {
        &self.agents[0].1
    }

    pub fn agent_id(&self) -> AgentId {
        self.agents[0].0
    }

    /// Connects an agent and waits for its first report.
    pub async fn connect(&self, index: usize) {
        let (id, agent) = self.agents[index].clone();
        let link = self
            .control
            .links()
            .attach_local(id, &format!("a{}", index + 1));
        let streams = link.streams;
        tokio::spawn(async move {
            let deliver = move |stream_id, socket| {
                let _ = streams.deliver(stream_id, socket);
            };
            agent
                .serve(link.receive, link.send, Arc::new(deliver))
                .await;
        });
        self.wait("the agent's first report", async || {
            self.control
                .links()
                .view(id)
                .is_some_and(|view| view.connected && view.reported)
        })
        .await;
    }

    pub async fn reconnect(&self) {
        for index in 0..self.agents.len() {
            self.connect(index).await;
        }
    }

    /// Breaks the first agent's link and waits until the server knows.
    pub async fn cut(&self) {
        self.agent().disconnect();
        self.wait("the link's end", async || {
            !self.control.links().connected(self.agent_id())
        })
        .await;
    }

    #[expect(clippy::unused_self, reason = "reads as what it is for")]
    pub fn launch(&self, user_id: UserId, cores: u32) -> Launch {
        Launch {
            id: SessionId::new(),
            user_id,
            username: "user@kasm.local".into(),
            workspace_id: WorkspaceId::new(),
            workspace_name: "Terminal".into(),
            image: "porthole/terminal:1.0".parse().unwrap(),
            resources: resources(cores, 512),
            shm_size: Bytes::mib(512),
            environment: BTreeMap::new(),
            width: 1280,
            height: 720,
            protection: Protection::default(),
            policy: EffectivePolicy::default(),
            actor: Some("user@kasm.local".into()),
        }
    }

    pub async fn request(&self) -> Result<Session, Refused> {
        self.control
            .manager()
            .request(self.launch(UserId::new(), 1000))
            .await
    }

    pub async fn running(&self) -> SessionId {
        let id = self.request().await.unwrap().id;
        self.until(id, SessionState::Running).await;
        id
    }

    pub async fn find(&self, id: SessionId) -> Option<Session> {
        self.control.store().sessions().find(id).await.ok()
    }

    pub async fn all(&self) -> Vec<Session> {
        self.control
            .store()
            .sessions()
            .all(SessionFilter::default())
            .await
            .unwrap()
    }

    pub async fn until(&self, id: SessionId, state: SessionState) {
        self.wait(&format!("session {state}"), async || {
            self.find(id)
                .await
                .is_some_and(|session| session.state == state)
        })
        .await;
    }

    pub async fn until_gone(&self, id: SessionId) {
        self.wait("the session's end", async || self.find(id).await.is_none())
            .await;
    }

    /// What is held on all agents.
    pub async fn reserved(&self) -> u32 {
        let loads = self.control.store().agents().loads().await.unwrap();
        loads.iter().map(|load| load.reserved.cores.0).sum()
    }

    pub async fn events(&self, id: SessionId) -> Vec<String> {
        let history = self.control.store().sessions().history(id).await.unwrap();
        history.into_iter().map(|entry| entry.event).collect()
    }

    /// Waits until something holds; looks again after each event, and each round.
    pub async fn wait(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        let mut events = self.control.events().subscribe();
        let done = tokio::time::timeout(PATIENCE, async {
            while !holds().await {
                let next = events.recv();
                let _ = tokio::time::timeout(Duration::from_millis(10), next).await;
            }
        })
        .await;
        assert!(done.is_ok(), "{what} never came: {:#?}", self.story().await);
    }

    async fn story(&self) -> Vec<String> {
        let sessions = self.all().await;
        let stored = sessions
            .iter()
            .map(|s| format!("{} {} wanted {:?} {:?}", s.id, s.state, s.wanted, s.failure));
        let seen = self.agents.iter().map(|(id, agent)| {
            format!(
                "{id} connected {} {:?}",
                self.control.links().connected(*id),
                agent.sessions()
            )
        });
        stored.chain(seen).collect()
    }

    /// Waits until the store and the agents agree and nothing is on its way.
    pub async fn settle(&self) {
        self.wait("agreement", async || {
            let sessions = self.all().await;
            let at_rest = sessions.iter().all(|session| {
                use SessionState::{Failed, Running, Stopped};
                matches!(session.state, Running | Stopped | Failed)
            });
            let mut there = 0;
            for session in &sessions {
                use porthole_wire::agent::Phase;
                let agent = self
                    .agents
                    .iter()
                    .find(|(id, _)| Some(*id) == session.agent_id);
                let phase = agent.and_then(|(_, agent)| agent.sessions().remove(&session.id));
                there += usize::from(phase.is_some());
                let same = match session.state {
                    SessionState::Running => phase == Some(Phase::Running),
                    SessionState::Stopped => phase == Some(Phase::Stopped),
                    SessionState::Failed => phase.is_none(),
                    _ => false,
                };
                if !same {
                    return false;
                }
            }
            // Nobody has a session that the store has not.
            let everywhere: usize = self
                .agents
                .iter()
                .map(|(_, agent)| agent.sessions().len())
                .sum();
            at_rest && everywhere == there
        })
        .await;
    }

    /// Deletes everything and checks that nothing is left anywhere.
    pub async fn clean(&self) {
        use porthole_model::session::EndReason;
        for session in self.all().await {
            self.control
                .manager()
                .delete(session.id, EndReason::User, None)
                .await
                .unwrap();
        }
        self.wait("nothing left", async || {
            self.all().await.is_empty()
                && self
                    .agents
                    .iter()
                    .all(|(_, agent)| agent.sessions().is_empty())
        })
        .await;
        assert_eq!(self.reserved().await, 0);
    }
}

pub async fn open_in(dir: &TempDir, config: &ControlConfig, clock: &Arc<ManualClock>) -> Control {
    let url = format!("sqlite://{}", dir.path().join("porthole.db").display());
    let store = Store::open(&url).await.unwrap();
    Control::with_clock(config.clone(), store, clock.clone())
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.kill_server();
    }
}
