//! What the agent's tasks share, and the tasks that watch over the host.

use crate::{
    AgentConfig, StartError,
    displays::Displays,
    engine::{Engine, EngineError, EngineInfo, Event, Limits},
    failures::{self, failure},
    files::Helpers,
    host::Host,
    images::Images,
    sessions::Sessions,
};
use futures_util::StreamExt;
use porthole_model::{
    ids::SessionId,
    resources::{Bytes, MilliCores},
    session::Failure,
};
use porthole_wire::agent::{HostReport, Report, SessionReport};
use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::Path,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{broadcast, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often everything is looked at though no event said so.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// How often the host's load is sampled.
const SAMPLE: Duration = Duration::from_secs(5);
/// The shortest and longest wait before the engine is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Something a link must tell the server.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A session changed.
    Session(SessionReport),
    /// A session that was to be removed is gone.
    Removed(SessionId),
    /// Something else in the report changed.
    Report,
}

/// What does not work, by what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Problem {
    Engine,
    Network,
    NetworkSeparation,
    DisplayImage,
    Displays,
    Limits,
    Disk,
}

/// How the engine is. Every time it comes back is a new epoch: containers may have died unseen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct EngineState {
    pub up: bool,
    pub epoch: u64,
}

pub(crate) struct Shared {
    pub config: AgentConfig,
    pub engine: Engine,
    pub host: Host,
    pub images: Images,
    pub helpers: Helpers,
    pub displays: Displays,
    pub sessions: Sessions,
    pub changes: broadcast::Sender<Change>,
    pub engine_state: watch::Sender<EngineState>,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    info: Mutex<EngineInfo>,
    problems: Mutex<BTreeMap<Problem, Failure>>,
    limits: Mutex<Limits>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(config: AgentConfig) -> Result<Arc<Self>, StartError> {
        let dir = config.runtime_dir.join("displays");
        private_dir(&dir).map_err(|error| StartError::RuntimeDir {
            path: config.runtime_dir.clone(),
            error,
        })?;
        Ok(Arc::new(Self {
            engine: Engine::new(&config.engine)?,
            displays: Displays::new(dir),
            config,
            host: Host::default(),
            images: Images::default(),
            helpers: Helpers::default(),
            sessions: Sessions::default(),
            changes: broadcast::Sender::new(256),
            engine_state: watch::Sender::new(EngineState::default()),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            info: Mutex::default(),
            problems: Mutex::default(),
            limits: Mutex::new(Limits::ALL),
        }))
    }

    /// Tells links; that nobody listens is no matter.
    pub fn tell(&self, change: Change) {
        let _ = self.changes.send(change);
    }

    /// Reports a problem until it is solved.
    pub fn problem(&self, about: Problem, failure: Failure) {
        let mut problems = lock(&self.problems);
        if problems.get(&about) != Some(&failure) {
            tracing::warn!(%failure, "problem");
            problems.insert(about, failure);
            self.tell(Change::Report);
        }
    }

    /// A problem is no more.
    pub fn solved(&self, about: Problem) {
        if let Some(failure) = lock(&self.problems).remove(&about) {
            tracing::info!(%failure, "problem solved");
            self.tell(Change::Report);
        }
    }

    /// The limits that the engine is known to set.
    pub fn limits(&self) -> Limits {
        *lock(&self.limits)
    }

    /// Goes on without the limit that the engine refused, if the error speaks of one.
    pub fn degrade(&self, error: &EngineError) -> bool {
        let EngineError::Refused(message) = error else {
            return false;
        };
        let mut limits = lock(&self.limits);
        let Some((without, what)) = limits.without_refused(message) else {
            return false;
        };
        *limits = without;
        drop(limits);
        self.problem(
            Problem::Limits,
            failure(
                format!(
                    "The engine cannot limit {what}: {}",
                    failures::quote(message)
                ),
                "container engine",
                "Sessions run without this limit; check the host's cgroup settings",
            ),
        );
        true
    }

    /// The processors of the engine's host.
    pub fn cores(&self) -> MilliCores {
        MilliCores(lock(&self.info).cpus.saturating_mul(1000))
    }

    /// Waits until the engine answers and what exists is known.
    pub async fn engine_up(&self) -> EngineState {
        let mut state = self.engine_state.subscribe();
        let up = state.wait_for(|state| state.up).await.map(|state| *state);
        match up {
            Ok(state) => state,
            // The sender lives in `self`.
            Err(_) => std::future::pending().await,
        }
    }

    /// Everything about the host and its sessions.
    pub fn report(&self) -> Report {
        let info = lock(&self.info).clone();
        let load = self.host.load();
        let (cores, memory) = (self.cores(), Bytes(info.memory));
        let sessions = if self.engine_state.borrow().epoch == 0 {
            self.sessions.reports_from_claims(&self.displays)
        } else {
            self.sessions.reports()
        };
        let displays = self.displays.count();
        let workspaces = sessions.iter().filter(|s| s.container_id.is_some()).count() as u32;
        Report {
            host: HostReport {
                offered: self.config.offered(cores, memory),
                cores,
                cores_used: load.cores_used,
                memory,
                memory_used: load.memory_used,
                disk: load.disk,
                disk_used: load.disk_used,
                containers: displays.all + workspaces,
                engine: info.name,
            },
            sessions,
            images: self.images.list(),
            pulls: self.images.pulls(),
            warm_displays: displays.warm,
            problems: lock(&self.problems).values().cloned().collect(),
        }
    }

    /// Makes the sessions' network if it is not there.
    pub async fn ensure_network(&self) -> Result<(), EngineError> {
        let name = &self.config.network;
        match self.engine.ensure_network(name).await {
            Ok(notice) => {
                self.solved(Problem::Network);
                if let Some(notice) = notice {
                    let advice = "Set the separation in the engine's own network settings";
                    let problem = failure(notice, format!("network {name}"), advice);
                    self.problem(Problem::NetworkSeparation, problem);
                }
                Ok(())
            }
            Err(error) => {
                if !error.transient() {
                    let part = format!("network {name}");
                    let what = "The sessions' network cannot be made";
                    self.problem(Problem::Network, failures::engine(what, &part, &error));
                }
                Err(error)
            }
        }
    }
}

/// Makes a directory that only its owner may enter.
fn private_dir(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
}

/// Starts the tasks that go on as long as the agent.
pub(crate) fn spawn_tasks(shared: &Arc<Shared>) {
    let spawn = |task: futures_util::future::BoxFuture<'static, ()>| {
        let stop = shared.stop.clone();
        shared.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    };
    spawn(Box::pin(watch_engine(shared.clone())));
    spawn(Box::pin(sample_host(shared.clone())));
    spawn(Box::pin(crate::images::prepare(shared.clone())));
    spawn(Box::pin(crate::displays::keep_warm(shared.clone())));
}

async fn sample_host(shared: Arc<Shared>) {
    let mut tick = interval(SAMPLE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let root = lock(&shared.info).root.clone();
        // A remote engine's root is not on this host.
        let root = if Path::new(&root).is_dir() {
            root
        } else {
            "/".to_owned()
        };
        shared.host.sample(root.into()).await;
        let load = shared.host.load();
        if load.disk.0 > 0 && load.disk_used.0 > load.disk.0 / 100 * 95 {
            let free = Bytes(load.disk.0 - load.disk_used.0);
            let problem = failure(
                format!("The disk is nearly full: {free} of {} are free", load.disk),
                "the engine's disk",
                "Remove unused images with `docker image prune`, or give the host more space",
            );
            shared.problem(Problem::Disk, problem);
        } else {
            shared.solved(Problem::Disk);
        }
    }
}

/// Connects to the engine, looks at what exists, follows its events; again whenever it was away.
async fn watch_engine(shared: Arc<Shared>) {
    let mut wait = RETRY.0;
    loop {
        match follow_engine(&shared, &mut wait).await {
            Ok(()) => tracing::warn!("the container engine closed its event stream"),
            Err(error) => {
                let what = "Sessions cannot be started or stopped";
                shared.problem(
                    Problem::Engine,
                    failures::engine(what, "container engine", &error),
                );
            }
        }
        shared.engine_state.send_modify(|state| state.up = false);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RETRY.1);
    }
}

async fn follow_engine(shared: &Arc<Shared>, wait: &mut Duration) -> Result<(), EngineError> {
    let info = shared.engine.info().await?;
    let changed = {
        let mut known = lock(&shared.info);
        let changed = *known != info;
        *known = info;
        changed
    };
    // Events first: what ends while the first look goes on is seen too.
    let mut events = pin!(shared.engine.events(shared.config.agent_id).await?);
    shared.images.refresh(&shared.engine).await?;
    // A network that cannot be made stops no session that runs.
    let _ = shared.ensure_network().await;
    crate::sessions::adopt(shared).await?;
    shared.engine_state.send_modify(|state| {
        *state = EngineState {
            up: true,
            epoch: state.epoch + 1,
        }
    });
    shared.solved(Problem::Engine);
    if changed {
        shared.tell(Change::Report);
    }
    shared.sessions.poke_all();
    *wait = RETRY.0;
    let mut tick = interval(LOOK_AGAIN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick.tick().await;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Ended(name)) => crate::sessions::ended(shared, &name),
                Some(Event::Images) => shared.images.look_again(),
                None => return Ok(()),
            },
            () = shared.images.asked() => {
                shared.images.refresh(&shared.engine).await?;
                shared.tell(Change::Report);
            }
            _ = tick.tick() => {
                shared.images.refresh(&shared.engine).await?;
                crate::sessions::adopt(shared).await?;
                shared.sessions.poke_all();
            }
        }
    }
}
