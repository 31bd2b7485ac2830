//! The record of each transfer: a line in the log, and one with whoever keeps the audit log.

use super::pass::Pass;
use porthole_model::files::{Direction, FileTransfer, TransferOutcome};
use std::time::Duration;
use tokio::time::timeout;

/// How long an answer waits for its record, which is made all the same.
const WAIT: Duration = Duration::from_secs(30);

/// What is known of a transfer while it goes on.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    pub direction: Direction,
    pub path: String,
    pub size: u64,
    pub bytes: u64,
    pub media_type: Option<String>,
}

impl Transfer {
    pub fn new(direction: Direction, path: String, size: u64) -> Self {
        Self {
            direction,
            path,
            size,
            bytes: 0,
            media_type: None,
        }
    }
}

/// Records the end of a transfer. That begins at once, and goes on when nobody waits for it any more:
/// a request that is given up does not go unrecorded.
pub(crate) fn record(
    pass: &Pass,
    transfer: Transfer,
    outcome: TransferOutcome,
    detail: Option<String>,
) -> impl Future<Output = ()> + Send + use<> {
    let grant = &pass.live.grant;
    let record = FileTransfer {
        session_id: grant.session_id,
        user_id: grant.user_id,
        direction: transfer.direction,
        path: transfer.path,
        size: transfer.size,
        bytes: transfer.bytes,
        media_type: transfer.media_type,
        outcome,
        detail,
    };
    tracing::info!(
        session_id = %record.session_id,
        user_id = %record.user_id,
        direction = record.direction.as_str(),
        path = ?record.path,
        size = record.size,
        bytes = record.bytes,
        media_type = record.media_type,
        outcome = record.outcome.as_str(),
        detail = record.detail,
        "file transfer"
    );
    let gateway = &pass.gateway;
    let kept = gateway.tasks.spawn((gateway.config.audit)(record));
    async move {
        if timeout(WAIT, kept).await.is_err() {
            tracing::error!("the record of a file transfer is not kept yet");
        }
    }
}
