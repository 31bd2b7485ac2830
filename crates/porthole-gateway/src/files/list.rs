//! What a folder holds.

use super::{Visitor, problem::Problem};
use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use porthole_files::{
    message::{Entry, EntryKind},
    path::HomePath,
};
use porthole_model::files::{Direction, Refusal};
use serde::Serialize;

/// The most entries that a page is told.
const MOST: usize = 5000;

#[derive(Serialize)]
struct Listing {
    path: HomePath,
    entries: Vec<Listed>,
    /// Whether there are more than these.
    truncated: bool,
}

#[derive(Serialize)]
struct Listed {
    /// For people; what is no UTF-8 in it is replaced.
    name: String,
    /// For requests.
    path: HomePath,
    kind: EntryKind,
    link: bool,
    size: u64,
    modified_ms: u64,
}

/// `GET …/list?path=`
pub(super) async fn list(visitor: Visitor) -> Result<Response, Problem> {
    let (pass, path) = (&visitor.pass, visitor.path()?);
    let _using = &visitor.using;
    if !pass.rules.download.allowed {
        // What files are called is said to nobody who may have none.
        return Err(Problem::refused(Refusal::Direction {
            direction: Direction::Download,
        }));
    }
    let (entries, truncated) = pass
        .unless_ended(async {
            let mut lease = pass.channel().await?;
            let listed = lease.channel.list(&path, MOST).await;
            if !matches!(listed, Ok((_, true))) {
                pass.channels.keep_after(lease, &listed);
            }
            Ok(listed?)
        })
        .await?;
    let entries = entries
        .into_iter()
        .filter_map(|entry| listed(&path, &entry))
        .collect();
    let listing = Listing {
        path,
        entries,
        truncated,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(listing)).into_response())
}

fn listed(folder: &HomePath, entry: &Entry) -> Option<Listed> {
    Some(Listed {
        name: entry.name.display_name(),
        // One that no request could name is left out.
        path: folder.join(entry.name.as_bytes()).ok()?,
        kind: entry.kind,
        link: entry.link,
        size: entry.size,
        modified_ms: entry.modified_ms,
    })
}
