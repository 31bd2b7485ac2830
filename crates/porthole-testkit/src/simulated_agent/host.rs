//! The host itself: what it has, and what commands do to it.

use super::Behaviour;
use porthole_model::{
    ids::{DisplayId, RequestId, SessionId},
    image::ImageRef,
    resources::{Bytes, Resources},
    session::{Failure, LaunchStep, Progress},
};
use porthole_wire::agent::{
    AgentMessage, ExecSpec, HostReport, ImageReport, Outcome, Phase, Report, ServerMessage,
    SessionReport, SessionSpec,
};
use std::collections::{BTreeMap, VecDeque};

/// A picture of 16 × 9 pixels.
const PICTURE: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAJABADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAQF/8QAFhABAQEAAAAAAAAAAAAAAAAAABVi/8QAFAEBAAAAAAAAAAAAAAAAAAAABP/EABYRAAMAAAAAAAAAAAAAAAAAAAABEv/aAAwDAQACEQMRAD8Akl5JeW6F2w1M/9k=";

pub(super) struct Host {
    pub(super) behaviour: Behaviour,
    pub(super) sessions: BTreeMap<SessionId, SimulatedSession>,
    pub(super) outbox: VecDeque<AgentMessage>,
    pub(super) execs: Vec<(SessionId, ExecSpec)>,
    pub(super) starts: u64,
    pub(super) screenshots: u64,
    waiting: Vec<ServerMessage>,
    offered: Resources,
    images: Vec<ImageRef>,
}

pub(super) struct SimulatedSession {
    pub(super) spec: SessionSpec,
    pub(super) phase: Phase,
    display_id: DisplayId,
    viewers: u32,
}

fn starting(step: LaunchStep, percent: Option<u8>) -> Phase {
    Phase::Starting {
        progress: Progress {
            step,
            percent,
            detail: None,
        },
    }
}

impl Host {
    pub(super) fn new(offered: Resources, images: Vec<ImageRef>) -> Self {
        Self {
            behaviour: Behaviour::default(),
            sessions: BTreeMap::new(),
            outbox: VecDeque::new(),
            execs: Vec::new(),
            starts: 0,
            screenshots: 0,
            waiting: Vec::new(),
            offered,
            images,
        }
    }

    pub(super) fn say(&mut self, messages: Vec<AgentMessage>) {
        for message in messages {
            if self.behaviour.stutter {
                self.outbox.push_back(message.clone());
            }
            self.outbox.push_back(message);
        }
    }

    /// Takes in a command; returns what is said to it.
    pub(super) fn command(&mut self, message: ServerMessage) -> Vec<AgentMessage> {
        if self.behaviour.late {
            self.waiting.push(message);
            return Vec::new();
        }
        if self.behaviour.ignore {
            return Vec::new();
        }
        match message {
            ServerMessage::Run { spec } => self.run(*spec),
            ServerMessage::Stop { session_id } => self.stop(session_id),
            ServerMessage::Remove { session_id } => {
                self.sessions.remove(&session_id);
                vec![AgentMessage::Removed { session_id }]
            }
            ServerMessage::Exec {
                request_id,
                session_id,
                exec,
            } => self.exec(request_id, session_id, exec),
            ServerMessage::Screenshot {
                request_id,
                session_id,
                ..
            } => {
                self.screenshots += 1;
                let outcome = if self.sessions.contains_key(&session_id) {
                    Outcome::Screenshot {
                        jpeg: PICTURE.into(),
                    }
                } else {
                    Outcome::Failed {
                        failure: unknown(session_id),
                    }
                };
                vec![AgentMessage::Reply {
                    request_id,
                    outcome,
                }]
            }
            ServerMessage::Welcome { .. }
            | ServerMessage::Refused { .. }
            | ServerMessage::OpenStream { .. }
            | ServerMessage::OpenFiles { .. }
            | ServerMessage::Images { .. } => Vec::new(),
        }
    }

    pub(super) fn catch_up(&mut self) -> Vec<AgentMessage> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting
            .into_iter()
            .flat_map(|message| self.command(message))
            .collect()
    }

    /// What was on its way when the last link ended is lost.
    pub(super) fn forget_link(&mut self) {
        self.outbox.clear();
        self.waiting.clear();
    }

    fn run(&mut self, spec: SessionSpec) -> Vec<AgentMessage> {
        let id = spec.session_id;
        let fresh = |phase: Option<&Phase>| {
            matches!(phase, None | Some(Phase::Stopped | Phase::Failed { .. }))
        };
        if !fresh(self.sessions.get(&id).map(|session| &session.phase)) {
            return self.tell(id);
        }
        self.starts += 1;
        let session = self.sessions.entry(id).or_insert_with(|| SimulatedSession {
            spec,
            phase: Phase::Stopped,
            display_id: DisplayId::new(),
            viewers: 0,
        });
        session.phase = starting(LaunchStep::Start, None);
        let mut said = self.tell(id);
        if let Some(failure) = self.behaviour.fail_starts.clone() {
            said.extend(self.fail(id, failure));
        } else if !self.behaviour.hold_starts {
            said.extend(self.become_phase(id, Phase::Running));
        }
        said
    }

    fn stop(&mut self, id: SessionId) -> Vec<AgentMessage> {
        match self.sessions.get(&id).map(|session| &session.phase) {
            Some(Phase::Running | Phase::Starting { .. }) => {
                let mut said = self.become_phase(id, Phase::Stopping);
                said.extend(self.become_phase(id, Phase::Stopped));
                said
            }
            Some(_) => self.tell(id),
            None => Vec::new(),
        }
    }

    fn exec(
        &mut self,
        request_id: RequestId,
        session_id: SessionId,
        exec: ExecSpec,
    ) -> Vec<AgentMessage> {
        let running = self
            .sessions
            .get(&session_id)
            .is_some_and(|session| session.phase == Phase::Running);
        let outcome = if running {
            self.execs.push((session_id, exec));
            Outcome::Started
        } else {
            Outcome::Failed {
                failure: unknown(session_id),
            }
        };
        vec![AgentMessage::Reply {
            request_id,
            outcome,
        }]
    }

    pub(super) fn finish_starts(&mut self) -> Vec<AgentMessage> {
        let starting: Vec<_> = self.starting();
        starting
            .into_iter()
            .flat_map(|id| self.become_phase(id, Phase::Running))
            .collect()
    }

    pub(super) fn progress(&mut self, percent: u8) -> Vec<AgentMessage> {
        let ids: Vec<_> = self.starting();
        let phase = starting(LaunchStep::Pull, Some(percent));
        ids.into_iter()
            .flat_map(|id| self.become_phase(id, phase.clone()))
            .collect()
    }

    fn starting(&self) -> Vec<SessionId> {
        let is = |phase: &Phase| matches!(phase, Phase::Starting { .. });
        self.sessions
            .iter()
            .filter(|(_, s)| is(&s.phase))
            .map(|(id, _)| *id)
            .collect()
    }

    pub(super) fn reboot(&mut self) {
        self.waiting.clear();
        for session in self.sessions.values_mut() {
            session.viewers = 0;
            session.phase = match std::mem::replace(&mut session.phase, Phase::Stopped) {
                failed @ Phase::Failed { .. } => failed,
                _ => Phase::Stopped,
            };
        }
    }

    pub(super) fn fail(&mut self, id: SessionId, failure: Failure) -> Vec<AgentMessage> {
        self.become_phase(id, Phase::Failed { failure })
    }

    pub(super) fn viewers(&mut self, id: SessionId, viewers: u32) -> Vec<AgentMessage> {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.viewers = viewers;
        }
        self.tell(id)
    }

    fn become_phase(&mut self, id: SessionId, phase: Phase) -> Vec<AgentMessage> {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.phase = phase;
        }
        self.tell(id)
    }

    fn tell(&self, id: SessionId) -> Vec<AgentMessage> {
        let session = self.sessions.get(&id);
        session
            .map(|session| AgentMessage::Session(describe(id, session)))
            .into_iter()
            .collect()
    }

    pub(super) fn report(&self) -> AgentMessage {
        let size = Bytes::mib(500);
        AgentMessage::Report(Box::new(Report {
            host: HostReport {
                offered: self.offered,
                cores: self.offered.cores,
                memory: self.offered.memory,
                containers: 2 * self.sessions.len() as u32,
                engine: "Simulated 1.0".into(),
                ..HostReport::default()
            },
            sessions: self
                .sessions
                .iter()
                .map(|(id, s)| describe(*id, s))
                .collect(),
            images: self
                .images
                .iter()
                .map(|image| ImageReport {
                    image: image.clone(),
                    size,
                })
                .collect(),
            pulls: Vec::new(),
            warm_displays: 2,
            problems: Vec::new(),
        }))
    }
}

fn describe(id: SessionId, session: &SimulatedSession) -> SessionReport {
    let gone = matches!(session.phase, Phase::Failed { .. });
    SessionReport {
        session_id: id,
        phase: session.phase.clone(),
        display_id: (!gone).then_some(session.display_id),
        container_id: (!gone).then(|| format!("container-{}", id.simple())),
        viewers: session.viewers,
    }
}

fn unknown(id: SessionId) -> Failure {
    Failure {
        what: "There is no such session".into(),
        part: format!("session {id}"),
        advice: "Start it first".into(),
    }
}
