//! What people did that is kept for administrators to look up: the audit log.

use crate::{
    files::{Direction, FileTransfer, TransferOutcome},
    ids::{SessionId, UserId},
};
use serde::{Deserialize, Serialize};

/// Something to keep, before the names that belong to its ids are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Who did it.
    pub user_id: UserId,
    /// In which session.
    pub session_id: Option<SessionId>,
    /// To what, such as a file's path.
    pub target: String,
    /// What it was.
    pub details: AuditDetails,
}

/// What happened, with what is particular to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuditDetails {
    /// A file went into a session or out of it, or was refused.
    FileTransfer {
        /// Which way.
        direction: Direction,
        /// The file's size in bytes.
        size: u64,
        /// How many bytes went.
        bytes: u64,
        /// The type that the contents told, where they were seen.
        #[schema(required)]
        media_type: Option<String>,
        /// What came of it.
        outcome: TransferOutcome,
        /// The rule that refused it, or what failed.
        #[schema(required)]
        reason: Option<String>,
    },
}

impl AuditDetails {
    /// The kind's name in the database and the API.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::FileTransfer { .. } => "file_transfer",
        }
    }
}

impl From<FileTransfer> for AuditRecord {
    fn from(transfer: FileTransfer) -> Self {
        Self {
            user_id: transfer.user_id,
            session_id: Some(transfer.session_id),
            target: transfer.path,
            details: AuditDetails::FileTransfer {
                direction: transfer.direction,
                size: transfer.size,
                bytes: transfer.bytes,
                media_type: transfer.media_type,
                outcome: transfer.outcome,
                reason: transfer.detail,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_the_one_in_the_json() {
        let record = AuditRecord::from(FileTransfer {
            session_id: SessionId::new(),
            user_id: UserId::new(),
            direction: Direction::Upload,
            path: "Uploads/a".into(),
            size: 3,
            bytes: 0,
            media_type: None,
            outcome: TransferOutcome::Refused,
            detail: Some("uploads are off".into()),
        });
        let json = serde_json::to_value(&record.details).unwrap();
        assert_eq!(json["kind"], record.details.kind());
        assert_eq!(json["reason"], "uploads are off");
        assert_eq!(
            serde_json::from_value::<AuditDetails>(json).unwrap(),
            record.details
        );
    }
}
