//! Sessions: what is wished of each, and where it is.

mod task;

use crate::{
    displays::{self, Displays},
    engine::{EngineError, Kind, Labelled, display_name},
    state::{Change, Shared},
};
use porthole_model::ids::{DisplayId, SessionId};
use porthole_wire::agent::{Phase, SessionReport, SessionSpec};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Instant,
};
use tokio::sync::{Notify, watch};

/// What is wished of a session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wish {
    /// That it runs.
    Run(Box<SessionSpec>),
    /// That it is stopped.
    Stop,
    /// That it is gone.
    Remove,
}

struct Entry {
    report: SessionReport,
    viewers: Arc<AtomicU32>,
    wish: watch::Sender<Wish>,
    /// Something may have ended: look.
    poke: Arc<Notify>,
}

/// All sessions of the agent.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<SessionId, Entry>>);

/// Counts a viewer as long as it is held.
pub(crate) struct Viewer {
    shared: Arc<Shared>,
    session_id: SessionId,
    viewers: Arc<AtomicU32>,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.viewers.fetch_sub(1, Relaxed);
        self.shared.sessions.tell(&self.shared, self.session_id);
    }
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is anything of the session.
    pub fn has(&self, id: SessionId) -> bool {
        self.lock().contains_key(&id)
    }

    pub fn reports(&self) -> Vec<SessionReport> {
        self.lock().values().map(Entry::report).collect()
    }

    /// Sessions as far as they are known before the engine was asked: from the claims on displays.
    /// A report is the whole truth, so it must not leave them out.
    pub fn reports_from_claims(&self, displays: &Displays) -> Vec<SessionReport> {
        let mut reports = self.reports();
        for (session_id, display_id) in displays.claims() {
            if reports.iter().any(|report| report.session_id == session_id) {
                continue;
            }
            let phase = if displays.is_removing(display_id) {
                Phase::Removing
            } else if displays.is_stopped(display_id) {
                Phase::Stopped
            } else {
                task::starting(Some("waiting for the container engine"))
            };
            reports.push(SessionReport {
                session_id,
                phase,
                display_id: Some(display_id),
                container_id: None,
                viewers: 0,
            });
        }
        reports
    }

    /// A session as reports show it.
    pub fn get(&self, id: SessionId) -> Option<SessionReport> {
        self.lock().get(&id).map(Entry::report)
    }

    /// Has all sessions look at their containers.
    pub fn poke_all(&self) {
        for entry in self.lock().values() {
            entry.poke.notify_one();
        }
    }

    fn poke(&self, id: SessionId) {
        if let Some(entry) = self.lock().get(&id) {
            entry.poke.notify_one();
        }
    }

    fn tell(&self, shared: &Shared, id: SessionId) {
        if let Some(report) = self.get(id) {
            shared.tell(Change::Session(report));
        }
    }

    /// Changes what is reported of a session, and tells it if it is news.
    fn update(&self, shared: &Shared, id: SessionId, change: impl FnOnce(&mut SessionReport)) {
        let report = {
            let mut map = self.lock();
            let Some(entry) = map.get_mut(&id) else {
                return;
            };
            let before = entry.report.clone();
            change(&mut entry.report);
            if entry.report == before {
                return;
            }
            entry.report()
        };
        shared.tell(Change::Session(report));
    }

    /// Counts a viewer.
    pub fn viewer(&self, shared: &Arc<Shared>, session_id: SessionId) -> Option<Viewer> {
        let viewers = self.lock().get(&session_id)?.viewers.clone();
        viewers.fetch_add(1, Relaxed);
        self.tell(shared, session_id);
        Some(Viewer {
            shared: shared.clone(),
            session_id,
            viewers,
        })
    }
}

impl Entry {
    fn report(&self) -> SessionReport {
        SessionReport {
            viewers: self.viewers.load(Relaxed),
            ..self.report.clone()
        }
    }
}

/// Tells a session what is wished of it. The same wish again changes nothing; what is being
/// removed stays so.
pub(crate) fn wish(shared: &Arc<Shared>, session_id: SessionId, wish: Wish) {
    enter(shared, session_id, wish, None);
}

/// Whether a wish takes the place of the one before it.
fn takes_over(before: &Wish, phase: &Phase, new: &Wish) -> bool {
    let failed = matches!(phase, Phase::Failed { .. });
    match (before, new) {
        (Wish::Remove, _) => false,
        // Nothing is left of it to be stopped.
        (_, Wish::Stop) if failed => false,
        (Wish::Run(_), Wish::Run(_)) => failed,
        (Wish::Stop, Wish::Stop) => false,
        (Wish::Run(_), Wish::Stop) | (Wish::Stop, Wish::Run(_)) | (_, Wish::Remove) => true,
    }
}

/// How a session's container was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Running,
    Ended,
}

fn enter(shared: &Arc<Shared>, session_id: SessionId, wish: Wish, found: Option<Found>) {
    let exists = found.is_some();
    if shared.stop.is_cancelled() {
        return;
    }
    let mut map = shared.sessions.lock();
    if let Some(entry) = map.get(&session_id) {
        // What exists tells its wish only to an agent that knows of none.
        if !exists && takes_over(&entry.wish.borrow(), &entry.report.phase, &wish) {
            entry.wish.send_replace(wish);
        }
        return;
    }
    // Only what exists can be stopped. Removing goes by names: it needs no knowledge.
    if wish == Wish::Stop && !exists {
        return;
    }
    let phase = match &wish {
        Wish::Run(_) if found == Some(Found::Running) => Phase::Running,
        Wish::Run(_) => task::starting(None),
        Wish::Stop if found == Some(Found::Ended) => Phase::Stopped,
        Wish::Stop => Phase::Stopping,
        Wish::Remove => Phase::Removing,
    };
    let display_id = shared.displays.of(session_id).filter(|_| exists);
    let report = SessionReport {
        session_id,
        phase,
        display_id,
        container_id: None,
        viewers: 0,
    };
    let (sender, receiver) = watch::channel(wish);
    let poke = Arc::new(Notify::new());
    let viewers = Arc::new(AtomicU32::new(0));
    let entry = Entry {
        report: report.clone(),
        viewers,
        wish: sender,
        poke: poke.clone(),
    };
    map.insert(session_id, entry);
    drop(map);
    shared.tell(Change::Session(report));
    shared.tasks.spawn(task::run(
        shared.clone(),
        session_id,
        receiver,
        poke,
        exists,
    ));
}

/// A container of ours ended or went away.
pub(crate) fn ended(shared: &Shared, name: &str) {
    if let Some(id) = name
        .strip_prefix("porthole-session-")
        .and_then(|id| id.parse().ok())
    {
        shared.sessions.poke(id);
    }
    if let Some(id) = name
        .strip_prefix("porthole-display-")
        .and_then(|id| id.parse().ok())
    {
        shared.displays.note_end(id);
        if let Some(session) = shared.displays.session(id) {
            shared.sessions.poke(session);
        }
    }
}

/// Looks at what exists and takes on what is not known: at the start, after the engine was away,
/// and now and then. What is half-made, or broken, is removed.
pub(crate) async fn adopt(shared: &Arc<Shared>) -> Result<(), EngineError> {
    let listed = Instant::now();
    let containers = shared.engine.labelled(shared.config.agent_id).await?;
    let remove = displays::survey(shared, &containers, listed);
    for Labelled {
        name,
        kind,
        running,
        ..
    } in &containers
    {
        match kind {
            Kind::Workspace(spec, display_id) => take_on(shared, spec, *display_id, *running),
            Kind::Broken => {
                tracing::warn!(container = name, "removed: its labels are broken");
                shared.engine.remove(name).await?;
            }
            Kind::Display(_) => {}
        }
    }
    for id in remove {
        tracing::info!(container = display_name(id), "removed: nobody uses it");
        displays::remove(shared, id).await?;
    }
    Ok(())
}

fn take_on(shared: &Arc<Shared>, spec: &SessionSpec, display_id: DisplayId, running: bool) {
    if shared.sessions.has(spec.session_id) {
        return;
    }
    let wish = if shared.displays.is_removing(display_id) {
        Wish::Remove
    } else if shared.displays.is_stopped(display_id) {
        Wish::Stop
    } else {
        Wish::Run(Box::new(spec.clone()))
    };
    tracing::info!(session_id = %spec.session_id, ?display_id, "found a session");
    let found = if running {
        Found::Running
    } else {
        Found::Ended
    };
    enter(shared, spec.session_id, wish, Some(found));
}

#[cfg(test)]
mod tests {
    use super::*;
    use porthole_model::session::Failure;

    fn run() -> Wish {
        use porthole_model::{
            ids::{UserId, WorkspaceId},
            resources::{Bytes, Resources},
        };
        Wish::Run(Box::new(SessionSpec {
            session_id: SessionId::new(),
            user_id: UserId::new(),
            username: String::new(),
            workspace_id: WorkspaceId::new(),
            workspace_name: String::new(),
            image: "x:1".parse().unwrap(),
            resources: Resources::default(),
            shm_size: Bytes(0),
            environment: [].into(),
            width: 1,
            height: 1,
            protection: porthole_model::protection::Protection::default(),
        }))
    }

    #[test]
    fn wishes_repeat_without_effect_and_removal_is_final() {
        let failed = Phase::Failed {
            failure: Failure {
                what: String::new(),
                part: String::new(),
                advice: String::new(),
            },
        };
        let running = Phase::Running;
        assert!(!takes_over(&run(), &running, &run()));
        assert!(
            takes_over(&run(), &failed, &run()),
            "a failed session can be tried again"
        );
        assert!(takes_over(&run(), &running, &Wish::Stop));
        assert!(!takes_over(&run(), &failed, &Wish::Stop));
        assert!(takes_over(&Wish::Stop, &Phase::Stopped, &run()));
        assert!(!takes_over(&Wish::Stop, &Phase::Stopping, &Wish::Stop));
        for wish in [run(), Wish::Stop] {
            assert!(takes_over(&wish, &running, &Wish::Remove));
            assert!(!takes_over(&Wish::Remove, &Phase::Removing, &wish));
        }
    }
}
