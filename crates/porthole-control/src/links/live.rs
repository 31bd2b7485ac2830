//! What is known of a connected agent.

use crate::manager::decide::{MISSING_REPORTS, Sight};
use porthole_model::{ids::SessionId, session::Failure};
use porthole_wire::agent::{
    HostReport, ImageReport, PullReport, Report, ServerMessage, SessionReport,
};
use std::{collections::HashMap, sync::Arc};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Sessions that an agent may list, at most; far above what a host can run.
const MOST_SESSIONS: usize = 10_000;

/// One session as its agent last reported it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The report.
    pub report: SessionReport,
    /// When what it says last changed.
    pub news_at: OffsetDateTime,
}

/// A host as its agent last reported it.
#[derive(Debug, Clone, PartialEq)]
pub struct HostView {
    /// Size and load.
    pub host: HostReport,
    /// Images that are there.
    pub images: Vec<ImageReport>,
    /// Pulls under way.
    pub pulls: Vec<PullReport>,
    /// Displays that are ready and untaken.
    pub warm_displays: u16,
    /// What does not work.
    pub problems: Vec<Failure>,
}

/// An agent as the rest of the server sees it.
#[derive(Debug, Clone)]
pub struct AgentView {
    /// Whether its link is up.
    pub connected: bool,
    /// Whether it has reported since its link came up; only then can sessions be placed on it.
    pub reported: bool,
    /// Counts its links.
    pub link: u64,
    /// The host's name.
    pub hostname: String,
    /// The agent's program version.
    pub version: String,
    /// The last report; kept when the link goes down.
    pub host: Option<Arc<HostView>>,
    /// When something was last heard.
    pub heard_at: OffsetDateTime,
}

pub(super) struct Handle {
    pub(super) number: u64,
    pub(super) send: mpsc::Sender<ServerMessage>,
    pub(super) close: CancellationToken,
}

pub(super) struct Live {
    pub(super) link: Option<Handle>,
    links: u64,
    hostname: String,
    version: String,
    host: Option<Arc<HostView>>,
    heard_at: OffsetDateTime,
    /// Whole reports on this link.
    reports: u32,
    pub(super) sessions: HashMap<SessionId, Observed>,
    /// For sessions that were listed on this link and are not any more: whole reports since.
    absent: HashMap<SessionId, u32>,
}

impl Live {
    pub(super) fn new(now: OffsetDateTime) -> Self {
        Self {
            link: None,
            links: 0,
            hostname: String::new(),
            version: String::new(),
            host: None,
            heard_at: now,
            reports: 0,
            sessions: HashMap::new(),
            absent: HashMap::new(),
        }
    }

    /// A link came up; an older one is cut. Returns the new one's number.
    pub(super) fn up(
        &mut self,
        send: mpsc::Sender<ServerMessage>,
        close: CancellationToken,
        (hostname, version): (String, String),
        now: OffsetDateTime,
    ) -> u64 {
        self.down();
        self.links += 1;
        self.hostname = hostname;
        self.version = version;
        self.heard_at = now;
        self.link = Some(Handle {
            number: self.links,
            send,
            close,
        });
        self.links
    }

    /// The link is down: what it said of sessions is not the present any more. Returns the
    /// sessions that this touches.
    pub(super) fn down(&mut self) -> Vec<SessionId> {
        if let Some(handle) = self.link.take() {
            handle.close.cancel();
        }
        self.reports = 0;
        self.absent.clear();
        self.sessions.drain().map(|(id, _)| id).collect()
    }

    pub(super) fn is(&self, number: u64) -> bool {
        self.link
            .as_ref()
            .is_some_and(|handle| handle.number == number)
    }

    /// A whole report. Returns the sessions that it says something new about.
    pub(super) fn report(&mut self, report: Report, now: OffsetDateTime) -> Vec<SessionId> {
        let Report {
            host,
            mut sessions,
            images,
            pulls,
            warm_displays,
            problems,
        } = report;
        if sessions.len() > MOST_SESSIONS {
            tracing::error!(
                sessions = sessions.len(),
                "an agent lists too many sessions"
            );
            sessions.truncate(MOST_SESSIONS);
        }
        self.heard_at = now;
        self.reports = self.reports.saturating_add(1);
        self.host = Some(Arc::new(HostView {
            host,
            images,
            pulls,
            warm_displays,
            problems,
        }));

        let mut touched = Vec::new();
        let mut before = std::mem::take(&mut self.sessions);
        for session in sessions {
            let (id, old) = (session.session_id, before.remove(&session.session_id));
            if self.put(old, session, now) {
                touched.push(id);
            }
        }
        self.absent.retain(|id, reports| {
            *reports = reports.saturating_add(1);
            touched.push(*id);
            // From here on the count of the whole link gives the same answer.
            *reports <= MISSING_REPORTS
        });
        for id in before.into_keys() {
            self.absent.insert(id, 1);
            touched.push(id);
        }
        touched
    }

    /// News of one session.
    pub(super) fn session(&mut self, report: SessionReport, now: OffsetDateTime) {
        self.heard_at = now;
        let old = self.sessions.remove(&report.session_id);
        if old.is_none() && self.sessions.len() >= MOST_SESSIONS {
            return;
        }
        self.put(old, report, now);
    }

    fn put(&mut self, old: Option<Observed>, report: SessionReport, now: OffsetDateTime) -> bool {
        let same = old.as_ref().is_some_and(|old| old.report == report);
        let news_at = match old {
            Some(old) if same || old.report.phase == report.phase => old.news_at,
            _ => now,
        };
        self.absent.remove(&report.session_id);
        self.sessions
            .insert(report.session_id, Observed { report, news_at });
        !same
    }

    /// The agent's word that a session is gone.
    pub(super) fn removed(&mut self, id: SessionId) {
        self.sessions.remove(&id);
        self.absent.insert(id, MISSING_REPORTS);
    }

    pub(super) fn sight(&self, id: SessionId) -> Sight {
        if self.link.is_none() || self.reports == 0 {
            return Sight::Unseen {
                connected: self.link.is_some(),
            };
        }
        match self.sessions.get(&id) {
            Some(observed) => Sight::Present(observed.report.phase.clone()),
            None => Sight::Absent {
                reports: *self.absent.get(&id).unwrap_or(&self.reports),
            },
        }
    }

    pub(super) fn view(&self) -> AgentView {
        AgentView {
            connected: self.link.is_some(),
            reported: self.reports > 0,
            link: self.links,
            hostname: self.hostname.clone(),
            version: self.version.clone(),
            host: self.host.clone(),
            heard_at: self.heard_at,
        }
    }
}
