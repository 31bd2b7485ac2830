//! An agent without containers that keeps the link's contract, and breaks down on command.
//!
//! It stands behind the same messages as a real one, in-process or over the WebSocket. What it has
//! of its sessions outlives its links, as containers do.

mod host;
mod link;

pub use link::DialError;

use host::Host;
use porthole_model::{ids::SessionId, image::ImageRef, resources::Resources, session::Failure};
use porthole_wire::agent::{AgentMessage, ExecSpec, Phase, SessionSpec};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// A simulated container host. Cheap to clone; clones are the same host.
#[derive(Clone)]
pub struct SimulatedAgent(Arc<Shared>);

struct Shared {
    host: Mutex<Host>,
    /// Something waits in the outbox.
    outbox: Notify,
    /// Ends the current link.
    link: Mutex<CancellationToken>,
    /// Counts commands that were taken in.
    taken: watch::Sender<u64>,
    report_every: Duration,
}

/// How the host behaves.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Starts stay at their first step until [`SimulatedAgent::finish_starts`].
    pub hold_starts: bool,
    /// Every start fails with this.
    pub fail_starts: Option<Failure>,
    /// Commands are not taken in until [`SimulatedAgent::catch_up`].
    pub late: bool,
    /// Every message is sent twice.
    pub stutter: bool,
    /// Commands are taken in but have no effect, and nothing is said of it.
    pub ignore: bool,
    /// No stream is brought, and nothing is said of it.
    pub no_streams: bool,
}

impl SimulatedAgent {
    /// A host that offers this, with these images, and reports this often.
    pub fn new(offered: Resources, images: Vec<ImageRef>, report_every: Duration) -> Self {
        Self(Arc::new(Shared {
            host: Mutex::new(Host::new(offered, images)),
            outbox: Notify::new(),
            link: Mutex::default(),
            taken: watch::Sender::new(0),
            report_every,
        }))
    }

    fn host(&self) -> MutexGuard<'_, Host> {
        self.0.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, messages: Vec<AgentMessage>) {
        self.host().say(messages);
        self.0.outbox.notify_one();
    }

    /// Behaves differently from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.host().behaviour);
    }

    /// Reports everything now.
    pub fn report(&self) {
        let report = self.host().report();
        self.say(vec![report]);
    }

    /// What there is of each session.
    pub fn sessions(&self) -> BTreeMap<SessionId, Phase> {
        let host = self.host();
        host.sessions
            .iter()
            .map(|(id, session)| (*id, session.phase.clone()))
            .collect()
    }

    /// What a session was told to run.
    pub fn spec(&self, id: SessionId) -> Option<SessionSpec> {
        self.host()
            .sessions
            .get(&id)
            .map(|session| session.spec.clone())
    }

    /// Every command that was run inside sessions.
    pub fn execs(&self) -> Vec<(SessionId, ExecSpec)> {
        self.host().execs.clone()
    }

    /// How often the host was told to run a session that it did not have.
    pub fn starts(&self) -> u64 {
        self.host().starts
    }

    /// How many pictures were taken.
    pub fn screenshots(&self) -> u64 {
        self.host().screenshots
    }

    /// Lets held starts become running.
    pub fn finish_starts(&self) {
        let said = self.host().finish_starts();
        self.say(said);
    }

    /// Reports this progress for every session that starts.
    pub fn progress(&self, percent: u8) {
        let said = self.host().progress(percent);
        self.say(said);
    }

    /// Takes in the commands that came while it was late.
    pub fn catch_up(&self) {
        let said = {
            let mut host = self.host();
            host.behaviour.late = false;
            host.catch_up()
        };
        self.say(said);
    }

    /// All containers are gone, as when somebody removed them; nothing is said of it but in the
    /// next report.
    pub fn lose_containers(&self) {
        self.host().sessions.clear();
    }

    /// The host reboots: the link ends, and containers that ran are stopped.
    pub fn reboot(&self) {
        self.disconnect();
        self.host().reboot();
    }

    /// The session's container ends by itself.
    pub fn crash(&self, id: SessionId, failure: Failure) {
        let said = self.host().fail(id, failure);
        self.say(said);
    }

    /// So many viewers look at a session.
    pub fn viewers(&self, id: SessionId, viewers: u32) {
        let said = self.host().viewers(id, viewers);
        self.say(said);
    }

    /// Ends the link; messages on their way are lost.
    pub fn disconnect(&self) {
        self.0
            .link
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cancel();
        self.host().outbox.clear();
    }

    /// Counts the commands that were taken in; changes with each.
    pub fn taken(&self) -> watch::Receiver<u64> {
        self.0.taken.subscribe()
    }
}
