//! One session's task: moves it to where it is wished, whatever state it finds it in.
//!
//! Calls that change something in the engine are never abandoned half-way for a new wish; waiting
//! is. So what exists is what the task thinks exists, and a kill leaves nothing but what the next
//! agent finds by labels and marks.

use super::Wish;
use crate::{
    display_client,
    displays::{self, DisplayError},
    engine::{ContainerState, EngineError, WorkspaceSpec, display_name, workspace_name},
    failures::{self, failure},
    images,
    state::{Change, Shared},
};
use porthole_model::{
    ids::{DisplayId, SessionId},
    session::{Failure, LaunchStep, Progress},
};
use porthole_wire::agent::{Phase, SessionSpec};
use std::{
    collections::VecDeque,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

/// How long a program has to show a window before the session counts as running without one.
const WINDOW: Duration = Duration::from_secs(15);
/// How long programs have to end when their session is stopped, and then the display.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3));
/// The pause before a call is tried again that the engine did not answer.
const RETRY: Duration = Duration::from_secs(1);
/// How often a call is tried that the engine does not finish in time.
const ATTEMPTS: u32 = 3;
/// So many restarts in so long: a display that keeps ending is no accident.
const RESTARTS: (usize, Duration) = (3, Duration::from_mins(10));
/// How long after its programs a display may be seen to end, when its end was why they ended.
const DISPLAY_END: Duration = Duration::from_millis(500);

/// Why a step did not get where it was to.
enum Trouble {
    /// Something else is wished now.
    Wish,
    /// The agent stops.
    Shutdown,
    /// The engine is away, or too slow: to be tried again.
    Engine(EngineError),
    /// It cannot be done.
    Failed(Failure),
    /// It was found, and is gone: somebody finished removing it.
    Gone,
}

/// What became of a workspace that was looked at.
enum Seen {
    Alive,
    /// To be started again, with the reason for the user.
    Restart(&'static str),
}

struct Task {
    shared: Arc<Shared>,
    id: SessionId,
    wish: watch::Receiver<Wish>,
    poke: Arc<Notify>,
    display: Option<DisplayId>,
    /// Whether there may be a container from an earlier try.
    exists: bool,
    /// Whether the task began with a container that was found, and has not looked at it yet.
    found: bool,
    /// The engine's epoch in which the workspace was last seen alive.
    alive_in: Option<u64>,
    attempts: u32,
    restarts: VecDeque<Instant>,
}

pub(super) fn starting(detail: Option<&str>) -> Phase {
    at(LaunchStep::Display, detail)
}

fn at(step: LaunchStep, detail: Option<&str>) -> Phase {
    let detail = detail.map(str::to_owned);
    Phase::Starting {
        progress: Progress {
            step,
            percent: None,
            detail,
        },
    }
}

pub(super) async fn run(
    shared: Arc<Shared>,
    id: SessionId,
    wish: watch::Receiver<Wish>,
    poke: Arc<Notify>,
    exists: bool,
) {
    let display = shared.displays.of(id).filter(|_| exists);
    let mut task = Task {
        shared,
        id,
        wish,
        poke,
        display,
        exists,
        found: exists,
        alive_in: None,
        attempts: 0,
        restarts: VecDeque::new(),
    };
    while let Ok(()) | Err(Trouble::Wish) = task.round().await {}
}

impl Task {
    /// Serves one wish until there is another. An error other than [`Trouble::Wish`] ends the task.
    async fn round(&mut self) -> Result<(), Trouble> {
        let wish = self.wish.borrow_and_update().clone();
        loop {
            let shared = self.shared.clone();
            self.unless_wished(shared.engine_up()).await?;
            let done = match &wish {
                Wish::Run(spec) => self.keep_running(spec).await,
                Wish::Stop => self.stop().await,
                Wish::Remove => {
                    self.phase(Phase::Removing);
                    self.clear().await
                }
            };
            match done {
                Ok(()) if wish == Wish::Remove => return Err(self.leave()),
                Ok(()) => {
                    self.attempts = 0;
                    return self.unless_wished(std::future::pending()).await;
                }
                Err(Trouble::Engine(EngineError::TimedOut(call))) if self.attempts >= ATTEMPTS => {
                    self.attempts = 0;
                    let error = EngineError::TimedOut(call);
                    let what = "The session cannot be brought on";
                    let failure = failures::engine(what, "container engine", &error);
                    if matches!(wish, Wish::Run(_)) {
                        return self.fail(failure).await;
                    }
                    self.unless_wished(sleep(RETRY * 10)).await?;
                }
                Err(Trouble::Engine(error)) => {
                    tracing::warn!(session_id = %self.id, %error, "to be tried again");
                    if matches!(error, EngineError::TimedOut(_)) {
                        self.attempts += 1;
                    }
                    if matches!(wish, Wish::Run(_)) {
                        self.exists = true;
                        let detail = "the container engine does not answer; waiting for it";
                        self.phase(starting(Some(detail)));
                    }
                    self.unless_wished(sleep(RETRY)).await?;
                }
                // A session that cannot be stopped is not lost for it.
                Err(Trouble::Failed(failure)) if !matches!(wish, Wish::Run(_)) => {
                    tracing::error!(session_id = %self.id, %failure, "to be tried again");
                    self.unless_wished(sleep(RETRY * 10)).await?;
                }
                Err(Trouble::Failed(failure)) => return self.fail(failure).await,
                Err(Trouble::Gone) => {
                    // Half-removed things of it may be left.
                    let _ = self.clear().await;
                    return Err(self.leave());
                }
                Err(trouble @ (Trouble::Wish | Trouble::Shutdown)) => return Err(trouble),
            }
        }
    }

    /// Nothing is left of the session.
    fn leave(&self) -> Trouble {
        self.shared.sessions.lock().remove(&self.id);
        self.shared.tell(Change::Removed(self.id));
        tracing::info!(session_id = %self.id, "session removed");
        Trouble::Gone
    }

    /// Removes what there is of the session and keeps the message.
    async fn fail(&mut self, failure: Failure) -> Result<(), Trouble> {
        tracing::warn!(session_id = %self.id, %failure, "session failed");
        let mut cleared = self.clear().await;
        self.phase(Phase::Failed { failure });
        while cleared.is_err() {
            self.unless_wished(sleep(RETRY)).await?;
            let shared = self.shared.clone();
            self.unless_wished(shared.engine_up()).await?;
            cleared = self.clear().await;
        }
        self.unless_wished(std::future::pending()).await
    }

    fn phase(&self, phase: Phase) {
        self.shared
            .sessions
            .update(&self.shared, self.id, |report| report.phase = phase);
    }

    /// Waits for something, unless the wish changes or the agent stops.
    async fn unless_wished<T>(&mut self, wait: impl Future<Output = T>) -> Result<T, Trouble> {
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => Err(Trouble::Shutdown),
            changed = self.wish.changed() => {
                Err(if changed.is_ok() { Trouble::Wish } else { Trouble::Shutdown })
            }
            value = wait => Ok(value),
        }
    }

    fn name(&self) -> String {
        workspace_name(self.id)
    }

    async fn keep_running(&mut self, spec: &SessionSpec) -> Result<(), Trouble> {
        let mut why = None;
        loop {
            let seen = if self.runs_already().await? {
                Seen::Alive
            } else {
                self.start(spec, why).await?;
                self.first_window(spec).await?
            };
            let reason = match seen {
                Seen::Alive => {
                    self.phase(Phase::Running);
                    tracing::info!(session_id = %self.id, "session runs");
                    self.watch(spec).await?
                }
                Seen::Restart(reason) => reason,
            };
            why = Some(reason);
            tracing::warn!(session_id = %self.id, reason, "session is started again");
            let now = Instant::now();
            self.restarts
                .retain(|at| now.duration_since(*at) < RESTARTS.1);
            self.restarts.push_back(now);
            if self.restarts.len() > RESTARTS.0 {
                return Err(Trouble::Failed(failure(
                    format!(
                        "The session ended {} times in a row: {reason}",
                        self.restarts.len()
                    ),
                    "display",
                    "Look at the agent's log on the host; then try again",
                )));
            }
        }
    }

    /// Whether a session that was found runs: nothing is to be done then.
    async fn runs_already(&mut self) -> Result<bool, Trouble> {
        let (true, Some(display_id)) = (self.found, self.display) else {
            return Ok(false);
        };
        let state = self
            .shared
            .engine
            .inspect(&self.name())
            .await
            .map_err(trouble)?;
        let Some(state) = state.filter(|state| state.running) else {
            return Ok(false);
        };
        if !self.display_runs(display_id).await? {
            return Ok(false);
        }
        self.found = false;
        self.alive_in = Some(self.shared.engine_state.borrow().epoch);
        self.shared
            .sessions
            .update(&self.shared, self.id, |report| {
                report.container_id = Some(state.id);
            });
        Ok(true)
    }

    /// Has display and workspace container run.
    async fn start(&mut self, spec: &SessionSpec, why: Option<&str>) -> Result<(), Trouble> {
        let (shared, name) = (self.shared.clone(), self.name());
        let state = if self.exists || why.is_some() {
            let state = shared.engine.inspect(&name).await.map_err(trouble)?;
            if let Some(state) = &state {
                self.resumable(spec, state).await?;
            }
            state
        } else {
            None
        };
        if self.found && state.is_none() {
            return Err(Trouble::Gone);
        }
        self.found = false;
        let mut state = state;
        if let (Some(there), Some(display_id)) = (&mut state, self.display) {
            let display = shared.engine.inspect(&display_name(display_id)).await;
            let Some(display) = display.map_err(trouble)? else {
                return Err(display_removed(display_id));
            };
            if there.running && !display.running {
                // It holds on to a display that is no more.
                let patience = Duration::from_secs(1);
                shared.engine.stop(&name, patience).await.map_err(trouble)?;
                there.running = false;
            }
        }
        let display_id = self.display(spec, why).await?;
        shared.sessions.update(&shared, self.id, |report| {
            report.display_id = Some(display_id);
            report.phase = at(LaunchStep::Start, why);
        });
        let image_missing = if spec.protection.is_empty() {
            let (handed, started) = tokio::join!(
                self.hand_over(spec, display_id),
                self.start_workspace(spec, display_id, state)
            );
            handed?;
            started?
        } else {
            // Nothing may be drawn before what protects it is there.
            self.protect(spec, display_id).await?;
            self.start_workspace(spec, display_id, state).await?
        };
        if image_missing {
            self.pull(spec).await?;
            self.phase(at(LaunchStep::Start, why));
            if self.start_workspace(spec, display_id, None).await? {
                return Err(Trouble::Failed(failures::pull(
                    &spec.image,
                    "it went away again",
                )));
            }
        }
        self.exists = true;
        if let Err(error) = shared.displays.mark_stopped(display_id, false) {
            tracing::warn!(session_id = %self.id, %error, "its mark stays");
        }
        Ok(())
    }

    /// Whether a container that is there may be started: one that ended by itself may not.
    async fn resumable(&self, spec: &SessionSpec, state: &ContainerState) -> Result<(), Trouble> {
        let stopped = self
            .display
            .is_some_and(|id| self.shared.displays.is_stopped(id));
        if state.running || !state.started || stopped || self.alive_in.is_some() {
            return Ok(());
        }
        if killed(state) {
            Ok(())
        } else {
            Err(self.exited(spec, state).await)
        }
    }

    /// The session's display, ready: the one it has, a warm one, or a new one.
    async fn display(
        &mut self,
        spec: &SessionSpec,
        why: Option<&str>,
    ) -> Result<DisplayId, Trouble> {
        let shared = self.shared.clone();
        let had = self.display.or_else(|| shared.displays.of(self.id));
        if had.is_none()
            && let Some(id) = shared.displays.take(self.id, spec.shm_size)
        {
            self.display = Some(id);
            shared.tell(Change::Report);
            return Ok(id);
        }
        self.phase(starting(why));
        let image = &shared.config.display_image;
        let pull = shared
            .images
            .start(&shared, image)
            .await
            .map_err(Trouble::Failed)?;
        if let Some(mut pull) = pull {
            let (id, shared) = (self.id, shared.clone());
            let hear = move |progress| {
                let phase = Phase::Starting { progress };
                shared
                    .sessions
                    .update(&shared, id, |report| report.phase = phase);
            };
            self.unless_wished(images::finished(&mut pull, image, hear))
                .await?
                .map_err(Trouble::Failed)?;
        }
        let shm_size = spec.shm_size.max(shared.config.shm_size);
        let id = match had {
            Some(id) => id,
            None => shared
                .displays
                .make_claimed(self.id, shm_size)
                .map_err(|error| self.display_trouble(DisplayError::Directory(error)))?,
        };
        self.display = Some(id);
        let up = displays::bring_up(&shared, id, shm_size).await;
        up.map_err(|error| self.display_trouble(error))?;
        Ok(id)
    }

    fn display_trouble(&self, error: DisplayError) -> Trouble {
        match (error, self.display) {
            (DisplayError::Engine(error), _) if error.transient() => Trouble::Engine(error),
            (DisplayError::Engine(error), Some(id)) if error.being_removed() => display_removed(id),
            (error, _) => Trouble::Failed(error.failure(self.shared.config.display_image.as_str())),
        }
    }

    /// Hands the display over. A session whose pixels are to be protected does not start without.
    async fn hand_over(&self, spec: &SessionSpec, display_id: DisplayId) -> Result<(), Trouble> {
        let dir = self.shared.displays.dir(display_id);
        match display_client::hand_over(&dir, spec).await {
            Ok(()) => Ok(()),
            Err(error) if spec.protection.is_empty() => {
                tracing::warn!(session_id = %self.id, %error, "the display was not handed over");
                Ok(())
            }
            Err(error) => Err(Trouble::Failed(failure(
                format!("The session's watermark and black areas cannot be put in place: {error}"),
                format!("image {}", self.shared.config.display_image),
                "Check the workspace's data protection, and that the display image is of this \
                 release; then try again",
            ))),
        }
    }

    /// Hands the display over, started anew where it is gone.
    async fn protect(&self, spec: &SessionSpec, display_id: DisplayId) -> Result<(), Trouble> {
        if !self.display_runs(display_id).await? {
            self.revive(spec, display_id).await?;
        }
        self.hand_over(spec, display_id).await
    }

    /// Starts a display again that ended.
    async fn revive(&self, spec: &SessionSpec, display_id: DisplayId) -> Result<(), Trouble> {
        let shm_size = spec.shm_size.max(self.shared.config.shm_size);
        let up = displays::bring_up(&self.shared, display_id, shm_size).await;
        up.map_err(|error| self.display_trouble(error))
    }

    /// Makes and starts the workspace's container. `true` when its image is missing.
    async fn start_workspace(
        &self,
        spec: &SessionSpec,
        display_id: DisplayId,
        state: Option<ContainerState>,
    ) -> Result<bool, Trouble> {
        let (shared, name) = (&self.shared, self.name());
        if state.as_ref().is_some_and(|state| state.running) {
            return Ok(false);
        }
        let mut there = state.is_some();
        let (mut network, mut display, mut vanished) = (false, false, false);
        loop {
            let error = match self.try_workspace(spec, display_id, there).await {
                Ok(container_id) => {
                    shared.sessions.update(shared, self.id, |report| {
                        report.container_id = Some(container_id);
                    });
                    return Ok(false);
                }
                Err(error) if error.transient() => return Err(Trouble::Engine(error)),
                Err(error) => error,
            };
            let text = error.to_string();
            let lower = text.to_ascii_lowercase();
            let no_image = ["no such image", "image not known"]
                .iter()
                .any(|t| lower.contains(t));
            if !there && no_image {
                shared.images.missing(&spec.image);
                return Ok(true);
            } else if !network && lower.contains("network") && lower.contains("not found") {
                network = true;
                shared.ensure_network().await.map_err(trouble)?;
            } else if !there && shared.degrade(&error) {
                // Limits are part of the container: it is made anew without.
            } else if there && lower.contains("ipc") && lower.contains("no such container") {
                return Err(display_removed(display_id));
            } else if !vanished
                && lower.contains("no such container")
                && lower.contains(&name)
                && state.as_ref().is_none_or(|state| !state.started)
            {
                // An agent that was killed while it made the container: the engine takes such a
                // one back when nobody waits for it any more. Nothing was in it yet.
                vanished = true;
                there = false;
                continue;
            } else if !display && !self.display_runs(display_id).await? {
                display = true;
                self.revive(spec, display_id).await?;
                self.hand_over(spec, display_id).await?;
            } else {
                let part = format!("image {}", spec.image);
                let what = "The session's container cannot be started";
                return Err(Trouble::Failed(failures::engine(what, &part, &error)));
            }
            if state.is_none() {
                shared.engine.remove(&name).await.map_err(trouble)?;
                there = false;
            }
        }
    }

    async fn try_workspace(
        &self,
        spec: &SessionSpec,
        display_id: DisplayId,
        there: bool,
    ) -> Result<String, EngineError> {
        let (shared, name) = (&self.shared, self.name());
        let mut made = None;
        if !there {
            let workspace = WorkspaceSpec {
                agent_id: shared.config.agent_id,
                display_id,
                dir: shared.displays.dir(display_id),
                session: spec,
                network: shared.config.network.clone(),
                cpus: shared.cores(),
                pids_limit: shared.config.pids_limit,
                limits: shared.limits(),
            };
            made = shared.engine.create_workspace(&workspace).await?;
        }
        shared.engine.start(&name).await?;
        if let Some(id) = made {
            return Ok(id);
        }
        Ok(shared
            .engine
            .inspect(&name)
            .await?
            .map(|state| state.id)
            .unwrap_or_default())
    }

    async fn display_runs(&self, id: DisplayId) -> Result<bool, Trouble> {
        let state = self
            .shared
            .engine
            .inspect(&display_name(id))
            .await
            .map_err(trouble)?;
        Ok(state.is_some_and(|state| state.running))
    }

    async fn pull(&mut self, spec: &SessionSpec) -> Result<(), Trouble> {
        let shared = self.shared.clone();
        let pull = shared
            .images
            .start(&shared, &spec.image)
            .await
            .map_err(Trouble::Failed)?;
        let Some(mut pull) = pull else { return Ok(()) };
        let id = self.id;
        let hear = |progress| {
            let phase = Phase::Starting { progress };
            shared
                .sessions
                .update(&shared, id, |report| report.phase = phase);
        };
        self.unless_wished(images::finished(&mut pull, &spec.image, hear))
            .await?
            .map_err(Trouble::Failed)
    }

    /// Waits for the first window, or for a program without one to have been alive for a while.
    async fn first_window(&mut self, spec: &SessionSpec) -> Result<Seen, Trouble> {
        let Some(display_id) = self.display else {
            return Ok(Seen::Alive);
        };
        let dir = self.shared.displays.dir(display_id);
        self.phase(at(LaunchStep::Window, None));
        let window = display_client::first_window(&dir, WINDOW);
        tokio::pin!(window);
        loop {
            let poke = self.poke.clone();
            let window = async {
                tokio::select! {
                    status = &mut window => Some(status),
                    () = poke.notified() => None,
                }
            };
            let status = self.unless_wished(window).await?;
            if let Some(Ok(status)) = &status
                && status.windows > 0
            {
                self.alive_in = Some(self.shared.engine_state.borrow().epoch);
                return Ok(Seen::Alive);
            }
            // Something ended, or no window came: what counts is whether it lives.
            match self.look(spec, display_id).await? {
                Seen::Alive if status.is_none() => {}
                seen => return Ok(seen),
            }
        }
    }

    /// Watches a running session until it must be started again.
    async fn watch(&mut self, spec: &SessionSpec) -> Result<&'static str, Trouble> {
        let Some(display_id) = self.display else {
            return Ok("it has no display");
        };
        loop {
            let (shared, poke) = (self.shared.clone(), self.poke.clone());
            self.unless_wished(poke.notified()).await?;
            self.unless_wished(shared.engine_up()).await?;
            match self.look(spec, display_id).await {
                Ok(Seen::Alive) => {}
                Ok(Seen::Restart(reason)) => return Ok(reason),
                // It runs as far as is known; a later look tells.
                Err(Trouble::Engine(error)) => {
                    tracing::warn!(session_id = %self.id, %error, "cannot be looked at");
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// Looks whether display and workspace live.
    async fn look(&mut self, spec: &SessionSpec, display_id: DisplayId) -> Result<Seen, Trouble> {
        let (shared, name) = (self.shared.clone(), self.name());
        let epoch = shared.engine_state.borrow().epoch;
        let state = shared.engine.inspect(&name).await.map_err(trouble)?;
        let Some(state) = state else {
            return Err(Trouble::Failed(failure(
                "The session's container was removed from outside",
                format!("container {name}"),
                "Start the session again; end sessions in Porthole, not in the container engine",
            )));
        };
        let display = self.display_runs(display_id).await?;
        if state.running && display {
            self.alive_in = Some(epoch);
            return Ok(Seen::Alive);
        }
        if state.running {
            // Programs without a display are of no use to anybody.
            shared
                .engine
                .stop(&name, Duration::from_secs(1))
                .await
                .map_err(trouble)?;
            return Ok(Seen::Restart("its display ended unexpectedly"));
        }
        let memory = state.oom_killed;
        let interrupted = self.alive_in.is_some_and(|seen| seen != epoch);
        if interrupted && !memory {
            return Ok(Seen::Restart("the container engine was restarted"));
        }
        // A display's end ends its programs, too; it may be seen a little later.
        let ended = !display
            || timeout(DISPLAY_END, shared.displays.end_of(display_id))
                .await
                .is_ok();
        if ended && !memory {
            return Ok(Seen::Restart("its display ended unexpectedly"));
        }
        Err(self.exited(spec, &state).await)
    }

    async fn exited(&self, spec: &SessionSpec, state: &ContainerState) -> Trouble {
        let log = self.shared.engine.log_tail(&self.name()).await;
        let log = if state.error.is_empty() {
            log
        } else {
            format!("{log}\n{}", state.error)
        };
        let memory = spec.resources.memory;
        Trouble::Failed(failures::exited(
            &spec.image,
            state.exit_code,
            state.oom_killed && state.exit_code != 0,
            memory,
            &log,
        ))
    }

    /// Ends the programs and keeps the disk.
    async fn stop(&mut self) -> Result<(), Trouble> {
        let shared = self.shared.clone();
        self.phase(Phase::Stopping);
        self.display = self.display.or_else(|| shared.displays.of(self.id));
        if let Some(display_id) = self.display {
            shared
                .displays
                .mark_stopped(display_id, true)
                .map_err(|error| {
                    Trouble::Failed(failure(
                        format!("The session cannot be marked as stopped: {error}"),
                        "runtime directory",
                        "Check that the host's disk is not full",
                    ))
                })?;
        }
        shared
            .engine
            .stop(&self.name(), PATIENCE.0)
            .await
            .map_err(trouble)?;
        if let Some(display_id) = self.display {
            let name = display_name(display_id);
            shared
                .engine
                .stop(&name, PATIENCE.1)
                .await
                .map_err(trouble)?;
        }
        self.exists = true;
        self.alive_in = None;
        self.phase(Phase::Stopped);
        tracing::info!(session_id = %self.id, "session stopped");
        Ok(())
    }

    /// Removes all there is of the session but its entry.
    async fn clear(&mut self) -> Result<(), Trouble> {
        let shared = self.shared.clone();
        self.display = self.display.or_else(|| shared.displays.of(self.id));
        if let Some(display_id) = self.display
            && let Err(error) = shared.displays.mark_removing(display_id)
        {
            tracing::warn!(session_id = %self.id, %error, "not marked as being removed");
        }
        shared.engine.remove(&self.name()).await.map_err(trouble)?;
        while let Some(display_id) = self.display.take().or_else(|| shared.displays.of(self.id)) {
            displays::remove(&shared, display_id)
                .await
                .map_err(|error| {
                    self.display = Some(display_id);
                    trouble(error)
                })?;
        }
        self.exists = false;
        self.alive_in = None;
        shared.sessions.update(&shared, self.id, |report| {
            report.display_id = None;
            report.container_id = None;
        });
        Ok(())
    }
}

/// Whether a container that ended was killed from outside, such as by the engine's or the host's
/// restart: it may be started again.
fn killed(state: &ContainerState) -> bool {
    matches!(state.exit_code, 137 | 143 | 255) && !state.oom_killed
}

/// The engine bound the workspace to that very container, so it cannot be started again.
fn display_removed(id: DisplayId) -> Trouble {
    Trouble::Failed(failure(
        "The session's display was removed from outside",
        format!("container {}", display_name(id)),
        "Start the session again; end sessions in Porthole, not in the container engine",
    ))
}

/// An error of the engine that no step knows better about.
fn trouble(error: EngineError) -> Trouble {
    if error.transient() {
        return Trouble::Engine(error);
    }
    let what = "The container engine refuses";
    Trouble::Failed(failures::engine(what, "container engine", &error))
}
