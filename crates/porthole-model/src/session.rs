//! The life of a session: its states, who moves it on, and how long each may last.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// Where a session is on its way. Stored in `kasms.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Accepted and placed; the agent has not answered yet.
    Requested,
    /// The agent prepares it: display, image, container.
    Starting,
    /// The workspace runs.
    Running,
    /// Being stopped: processes end, the disk stays.
    Stopping,
    /// Stopped; can be resumed. Holds neither cores nor memory.
    Stopped,
    /// Being removed.
    Deleting,
    /// It could not start, or its container ended by itself. Holds nothing but its message.
    Failed,
}

/// What the user last asked for; the manager moves every session towards it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WantedState {
    /// It shall run.
    Running,
    /// It shall be stopped, its disk kept.
    Stopped,
    /// It shall be gone.
    Deleted,
}

/// Who must move a session out of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateOwner {
    /// The manager, by commands to the agent.
    Manager,
    /// The agent, by finishing what it was told.
    Agent,
    /// The user: the state lasts until asked otherwise or a clock runs out.
    User,
}

impl SessionState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Stopped,
        Self::Deleting,
        Self::Failed,
    ];

    /// The name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Deleting => "deleting",
            Self::Failed => "failed",
        }
    }

    /// Who moves it on from here.
    pub const fn owner(self) -> StateOwner {
        match self {
            Self::Requested => StateOwner::Manager,
            Self::Starting | Self::Stopping | Self::Deleting => StateOwner::Agent,
            Self::Running | Self::Stopped | Self::Failed => StateOwner::User,
        }
    }

    /// The longest time without news before the manager steps in; `None` where the session's own
    /// clock decides. Progress of a pull counts as news.
    pub const fn time_out(self) -> Option<Duration> {
        match self {
            Self::Requested => Some(Duration::from_secs(30)),
            Self::Starting => Some(Duration::from_mins(2)),
            Self::Stopping | Self::Deleting => Some(Duration::from_mins(1)),
            Self::Running | Self::Stopped | Self::Failed => None,
        }
    }

    /// Whether cores and memory are reserved for it.
    pub const fn holds_resources(self) -> bool {
        !matches!(self, Self::Stopped | Self::Failed)
    }

    /// Whether the life cycle has a step from here to there.
    pub const fn may_become(self, next: Self) -> bool {
        use SessionState::{Deleting, Failed, Requested, Running, Starting, Stopped, Stopping};
        match self {
            Requested => matches!(next, Starting | Running | Failed | Stopping | Deleting),
            Starting => matches!(next, Running | Failed | Stopping | Deleting),
            Running => matches!(next, Starting | Stopping | Failed | Deleting),
            Stopping => matches!(next, Stopped | Failed | Deleting),
            Stopped => matches!(next, Requested | Starting | Running | Failed | Deleting),
            Failed => matches!(next, Requested | Deleting),
            Deleting => false,
        }
    }
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SessionState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| UnknownState(text.into()))
    }
}

impl WantedState {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Deleted => "deleted",
        }
    }
}

impl FromStr for WantedState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::Running, Self::Stopped, Self::Deleted]
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| UnknownState(text.into()))
    }
}

/// A name of a state or a reason that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown state or reason of a session {0:?}")]
pub struct UnknownState(pub String);

/// The steps of a launch that a person sees, in their order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LaunchStep {
    /// An agent was chosen.
    Placed,
    /// The display is being made, or a warm one taken.
    Display,
    /// The image is being pulled.
    Pull,
    /// The workspace's container starts.
    Start,
    /// The first window is awaited.
    Window,
    /// Done.
    Ready,
}

/// How far a launch is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// The step under way.
    pub step: LaunchStep,
    /// How much of this step is done, 0 to 100, where that is known.
    pub percent: Option<u8>,
    /// More for a person to read, such as `1.2 of 2.8 GB`.
    pub detail: Option<String>,
}

/// A failure as a person should read it.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, utoipa::ToSchema,
)]
#[error("{what} ({part}). {advice}")]
pub struct Failure {
    /// What failed, as a sentence without the full stop.
    pub what: String,
    /// On which part, such as `agent a1` or `image porthole/terminal:1.0`.
    pub part: String,
    /// What to do.
    pub advice: String,
}

/// Why a session ended; kept in its history row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its user deleted it.
    User,
    /// An administrator, or an API key, deleted it.
    Administrator,
    /// Its keep-alive ran out.
    Expired,
    /// It had lasted as long as its user's groups allow.
    TimeLimit,
    /// Its user, or their group, had used up their hours.
    UsageLimit,
    /// It failed and was dismissed.
    Failed,
    /// Its user was deleted.
    UserDeleted,
    /// Its agent was removed.
    AgentRemoved,
}

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::Administrator,
        Self::Expired,
        Self::TimeLimit,
        Self::UsageLimit,
        Self::Failed,
        Self::UserDeleted,
        Self::AgentRemoved,
    ];

    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Administrator => "administrator",
            Self::Expired => "expired",
            Self::TimeLimit => "time_limit",
            Self::UsageLimit => "usage_limit",
            Self::Failed => "failed",
            Self::UserDeleted => "user_deleted",
            Self::AgentRemoved => "agent_removed",
        }
    }
}

impl FromStr for EndReason {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|r| r.as_str() == text)
            .ok_or_else(|| UnknownState(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for state in SessionState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        for reason in EndReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
    }

    #[test]
    fn every_state_the_user_does_not_own_times_out() {
        for state in SessionState::ALL {
            assert_eq!(
                state.time_out().is_none(),
                state.owner() == StateOwner::User,
                "{state}"
            );
        }
    }

    #[test]
    fn every_state_leads_to_deleting() {
        for state in SessionState::ALL {
            assert!(state == SessionState::Deleting || state.may_become(SessionState::Deleting));
        }
    }
}
