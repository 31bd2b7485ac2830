//! What may go into a session and out of it as files, and the record of what went.

mod pattern;

pub use pattern::{Pattern, PatternError};

use crate::{
    ids::{SessionId, UserId},
    resources::Bytes,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The largest file where nothing else is said: 10 GB.
pub const DEFAULT_MAX_SIZE: Bytes = Bytes(10_000_000_000);
/// The most patterns in one list.
pub const MAX_PATTERNS: usize = 256;

/// Which way a file goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the session.
    Upload,
    /// Out of the session.
    Download,
}

impl Direction {
    /// The name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
        }
    }
}

/// What may go, both ways.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRules {
    /// Into the session.
    pub upload: DirectionRules,
    /// Out of the session.
    pub download: DirectionRules,
}

impl FileRules {
    /// The rules of one direction.
    pub const fn of(&self, direction: Direction) -> &DirectionRules {
        match direction {
            Direction::Upload => &self.upload,
            Direction::Download => &self.download,
        }
    }
}

/// What may go one way. A list of allowed ones that is empty allows all; what is denied is denied
/// whatever is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectionRules {
    /// Whether anything may.
    pub allowed: bool,
    /// The largest file.
    pub max_size: Bytes,
    /// Names that may go, such as `*.pdf`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names_allowed: Vec<Pattern>,
    /// Names that may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names_denied: Vec<Pattern>,
    /// Types that may go, as the contents tell them, such as `image/*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types_allowed: Vec<Pattern>,
    /// Types that may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types_denied: Vec<Pattern>,
}

impl Default for DirectionRules {
    fn default() -> Self {
        Self {
            allowed: true,
            max_size: DEFAULT_MAX_SIZE,
            names_allowed: Vec::new(),
            names_denied: Vec::new(),
            types_allowed: Vec::new(),
            types_denied: Vec::new(),
        }
    }
}

/// What an installation denies both ways, whatever groups allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeniedFiles {
    /// Names that may not go.
    pub names: Vec<Pattern>,
    /// Types that may not go.
    pub types: Vec<Pattern>,
}

/// The rule that refuses a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Refusal {
    /// Nothing may go this way.
    Direction {
        /// Which.
        direction: Direction,
    },
    /// It is too large.
    Size {
        /// The largest that may go.
        max: Bytes,
    },
    /// Its name is denied.
    NameDenied {
        /// By which pattern.
        pattern: Pattern,
    },
    /// Its name is not among those allowed.
    NameNotAllowed,
    /// Its type is denied.
    TypeDenied {
        /// The type.
        media_type: String,
        /// By which pattern.
        pattern: Pattern,
    },
    /// Its type is not among those allowed.
    TypeNotAllowed {
        /// The type.
        media_type: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direction {
                direction: Direction::Upload,
            } => f.write_str("uploads are off"),
            Self::Direction {
                direction: Direction::Download,
            } => f.write_str("downloads are off"),
            Self::Size { max } => write!(f, "files larger than {} may not go", decimal(*max)),
            Self::NameDenied { pattern } => write!(f, "names like {pattern} may not go"),
            Self::NameNotAllowed => f.write_str("names like this are not among those allowed"),
            Self::TypeDenied {
                media_type,
                pattern,
            } => write!(f, "its contents are {media_type}, and {pattern} may not go"),
            Self::TypeNotAllowed { media_type } => write!(
                f,
                "its contents are {media_type}, which is not among the types allowed"
            ),
        }
    }
}

/// Sizes of files in decimal units, as file managers give them.
fn decimal(size: Bytes) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match UNITS.iter().find(|(unit, _)| size.0 >= *unit) {
        Some((unit, name)) => {
            let (whole, tenth) = (size.0 / unit, size.0 % unit * 10 / unit);
            if tenth == 0 {
                format!("{whole} {name}")
            } else {
                format!("{whole}.{tenth} {name}")
            }
        }
        None => format!("{} bytes", size.0),
    }
}

impl DirectionRules {
    /// Judges what is known before the contents: direction, size and name (without folders).
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn judge(&self, direction: Direction, name: &str, size: Bytes) -> Result<(), Refusal> {
        if !self.allowed {
            return Err(Refusal::Direction { direction });
        }
        if size > self.max_size {
            return Err(Refusal::Size { max: self.max_size });
        }
        if let Some(pattern) = self.names_denied.iter().find(|one| one.matches(name)) {
            return Err(Refusal::NameDenied {
                pattern: pattern.clone(),
            });
        }
        let allowed = &self.names_allowed;
        if !allowed.is_empty() && !allowed.iter().any(|one| one.matches(name)) {
            return Err(Refusal::NameNotAllowed);
        }
        Ok(())
    }

    /// Judges the type that the contents tell.
    ///
    /// # Errors
    /// The first rule that refuses it.
    pub fn judge_type(&self, media_type: &str) -> Result<(), Refusal> {
        if let Some(pattern) = self.types_denied.iter().find(|one| one.matches(media_type)) {
            return Err(Refusal::TypeDenied {
                media_type: media_type.to_owned(),
                pattern: pattern.clone(),
            });
        }
        let allowed = &self.types_allowed;
        if !allowed.is_empty() && !allowed.iter().any(|one| one.matches(media_type)) {
            return Err(Refusal::TypeNotAllowed {
                media_type: media_type.to_owned(),
            });
        }
        Ok(())
    }
}

/// What came of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// All of it arrived.
    Completed,
    /// A rule refused it.
    Refused,
    /// The user gave it up.
    Cancelled,
    /// It ended in the middle: connection, session or right were gone.
    Interrupted,
    /// It could not be done.
    Failed,
}

impl TransferOutcome {
    /// The name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// The record of one transfer, made when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTransfer {
    /// The session.
    pub session_id: SessionId,
    /// Who.
    pub user_id: UserId,
    /// Which way.
    pub direction: Direction,
    /// The path below the home, for people.
    pub path: String,
    /// The file's size in bytes.
    pub size: u64,
    /// How many bytes went.
    pub bytes: u64,
    /// The type that the contents told, where they were seen.
    pub media_type: Option<String>,
    /// What came of it.
    pub outcome: TransferOutcome,
    /// The rule that refused it, or what failed.
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_defaults_allow_what_is_not_too_large() {
        let rules = DirectionRules::default();
        let judge = |size| rules.judge(Direction::Upload, "a.bin", Bytes(size));
        assert_eq!(judge(10_000_000_000), Ok(()));
        assert_eq!(
            judge(10_000_000_001),
            Err(Refusal::Size {
                max: DEFAULT_MAX_SIZE
            })
        );
        assert_eq!(rules.judge_type("application/x-executable"), Ok(()));
    }

    #[test]
    fn each_rule_refuses_by_name() {
        let rules = DirectionRules {
            names_allowed: patterns(&["*.pdf", "*.exe"]),
            names_denied: patterns(&["*.EXE"]),
            types_allowed: patterns(&["application/*"]),
            types_denied: patterns(&["application/x-*"]),
            ..DirectionRules::default()
        };
        let judge = |name| rules.judge(Direction::Download, name, Bytes(1));
        assert_eq!(judge("a.pdf"), Ok(()));
        assert_eq!(judge("a.txt"), Err(Refusal::NameNotAllowed));
        assert_eq!(
            judge("Setup.exe").unwrap_err().to_string(),
            "names like *.EXE may not go"
        );
        assert_eq!(rules.judge_type("application/pdf"), Ok(()));
        assert!(matches!(
            rules.judge_type("application/x-executable"),
            Err(Refusal::TypeDenied { .. })
        ));
        assert!(matches!(
            rules.judge_type("image/png"),
            Err(Refusal::TypeNotAllowed { .. })
        ));
        let off = DirectionRules {
            allowed: false,
            ..rules
        };
        assert_eq!(
            off.judge(Direction::Download, "a.pdf", Bytes(1)),
            Err(Refusal::Direction {
                direction: Direction::Download
            })
        );
    }
}
