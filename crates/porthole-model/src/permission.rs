//! What groups and API keys may do. The names are those of the Kasm-compatible API.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One thing that may be allowed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Launch workspaces and use one's own sessions.
    User,
    /// Everything, on everybody's behalf.
    GlobalAdmin,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 2] = [Self::User, Self::GlobalAdmin];

    /// The name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::GlobalAdmin => "global_admin",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A permission's name that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown permission {0:?}")]
pub struct UnknownPermission(pub String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .into_iter()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| UnknownPermission(text.into()))
    }
}
