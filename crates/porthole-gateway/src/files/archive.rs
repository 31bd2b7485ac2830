//! A folder as zip, made while it is sent.

use super::{
    Visitor,
    audit::Transfer,
    channel::{ChannelError, Lease},
    download::{self, Out, Rest, attachment, look},
    problem::Problem,
    zip::Zip,
};
use axum::response::{IntoResponse, Response};
use porthole_files::{
    message::{Entry, EntryKind},
    path::HomePath,
};
use porthole_model::files::{Direction, Refusal, TransferOutcome};
use std::fmt::Write as _;

/// The most entries of one folder, and files in one archive.
const MOST: usize = 100_000;
/// The longest list of what was left out, in bytes.
const MAX_NOTES: usize = 256 * 1024;
/// Where that list is in the archive.
const NOTES: &str = "NOT DOWNLOADED.txt";

/// `GET …/archive?path=`
pub(super) async fn archive(visitor: Visitor) -> Result<Response, Problem> {
    let path = visitor.path()?;
    let pass = visitor.pass.clone();
    if !pass.rules.download.allowed {
        let refusal = Refusal::Direction {
            direction: Direction::Download,
        };
        return Err(download::refuse(&pass, &path, 0, None, refusal).await);
    }
    // The first folder is read before the answer begins: that there is none can still be said.
    let (lease, first) = pass
        .unless_ended(async {
            let mut lease = pass.channel().await?;
            match lease.channel.list(&path, MOST).await {
                Ok((entries, _)) => Ok((lease, entries)),
                failed => {
                    pass.channels.keep_after(lease, &failed);
                    Err(failed.err().unwrap_or(ChannelError::Gone).into())
                }
            }
        })
        .await?;
    if visitor.parameter("check").is_some() {
        let told = serde_json::json!({ "entries": first.len() });
        return Ok(axum::Json(told).into_response());
    }
    let name = if path.is_home() {
        "home".to_owned()
    } else {
        path.display_name()
    };
    let mut response = attachment(&format!("{name}.zip"));
    let (out, body) = download::body(&visitor);
    *response.body_mut() = body;
    pass.gateway.tasks.spawn(async move {
        let mut making = Making {
            out: &out,
            root: path.clone(),
            name,
            zip: Zip::default(),
            notes: String::new(),
            current: None,
        };
        let pass = &out.pass;
        if let Err(problem) = pass.unless_ended(making.run(lease, first)).await {
            let current = making.current.take();
            let detail = out.fail(problem).await;
            if let Some(transfer) = current {
                pass.record(transfer, TransferOutcome::Interrupted, Some(detail))
                    .await;
            }
        }
    });
    Ok(response)
}

struct Making<'a> {
    out: &'a Out,
    root: HomePath,
    /// The archive's topmost folder.
    name: String,
    zip: Zip,
    notes: String,
    /// The file that is under way.
    current: Option<Transfer>,
}

impl Making<'_> {
    async fn run(&mut self, mut lease: Lease, first: Vec<Entry>) -> Result<(), Problem> {
        let mut folders = vec![];
        self.folder(&mut lease, &self.root.clone(), first, &mut folders)
            .await?;
        while let Some(folder) = folders.pop() {
            match lease.channel.list(&folder, MOST).await {
                Ok((entries, false)) => {
                    self.folder(&mut lease, &folder, entries, &mut folders)
                        .await?;
                }
                Ok((_, true)) => {
                    return Err(Problem::unavailable("a folder has too many entries"));
                }
                Err(ChannelError::Fault(fault)) => self.note(&folder, &fault.detail),
                Err(error) => return Err(error.into()),
            }
        }
        self.out.pass.channels.keep(lease);
        if !self.notes.is_empty() {
            let notes = std::mem::take(&mut self.notes);
            let mut bytes = self.zip.begin(NOTES, 0, notes.len() as u64);
            bytes.extend(self.zip.data(notes.as_bytes()));
            bytes.extend(self.zip.end());
            self.out.send(bytes.into()).await?;
        }
        let end = std::mem::take(&mut self.zip).finish();
        self.out.send(end.into()).await
    }

    fn note(&mut self, path: &HomePath, why: &str) {
        if self.notes.len() < MAX_NOTES {
            // Writing to a String can not fail.
            let _ = writeln!(self.notes, "{}: {why}", path.display());
        }
    }

    /// A path's name in the archive: below the topmost folder, with no character that leads
    /// elsewhere on any system.
    fn entry_name(&self, path: &HomePath) -> String {
        let below = &path.as_bytes()[self.root.as_bytes().len()..];
        let below = String::from_utf8_lossy(below).replace(['\\', '\0'], "_");
        let top = self.name.replace(['\\', '/', '\0'], "_");
        format!("{top}/{}", below.trim_start_matches('/'))
    }

    async fn folder(
        &mut self,
        lease: &mut Lease,
        folder: &HomePath,
        entries: Vec<Entry>,
        folders: &mut Vec<HomePath>,
    ) -> Result<(), Problem> {
        if entries.is_empty() {
            let name = format!("{}/", self.entry_name(folder).trim_end_matches('/'));
            let mut bytes = self.zip.begin(&name, 0, 0);
            bytes.extend(self.zip.end());
            self.out.send(bytes.into()).await?;
        }
        for entry in entries {
            let Ok(path) = folder.join(entry.name.as_bytes()) else {
                self.note(folder, "has entries whose paths are too long");
                continue;
            };
            match entry.kind {
                // A link may lead back up.
                _ if entry.link => self.note(&path, "a link, which is not followed"),
                EntryKind::Folder => folders.push(path),
                EntryKind::File => self.file(lease, &path, &entry).await?,
                EntryKind::Other => self.note(&path, "neither a file nor a folder"),
            }
            if self.zip.len() > MOST || folders.len() > MOST {
                return Err(Problem::unavailable("the folder has too many files"));
            }
        }
        Ok(())
    }

    async fn file(
        &mut self,
        lease: &mut Lease,
        path: &HomePath,
        entry: &Entry,
    ) -> Result<(), Problem> {
        let mut transfer = Transfer::new(Direction::Download, path.display(), entry.size);
        let judged = download::judge(&self.out.pass, path, entry.size, None);
        if let Err(refusal) = judged {
            self.refused(path, transfer, &refusal).await;
            return Ok(());
        }
        let seen = match look(&mut lease.channel, path).await {
            Ok(seen) => seen,
            Err(ChannelError::Fault(fault)) => {
                self.note(path, &fault.detail);
                let detail = Some(fault.detail);
                let pass = &self.out.pass;
                pass.record(transfer, TransferOutcome::Failed, detail).await;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        transfer.size = seen.size;
        transfer.media_type = Some(seen.media_type.to_owned());
        let judged = download::judge(&self.out.pass, path, seen.size, Some(seen.media_type));
        if let Err(refusal) = judged {
            self.refused(path, transfer, &refusal).await;
            return Ok(());
        }
        self.current = Some(transfer);
        let name = self.entry_name(path);
        let mut bytes = self.zip.begin(&name, seen.modified_ms, seen.size);
        bytes.extend(self.zip.data(&seen.head));
        self.out.send(bytes.into()).await?;
        let head = seen.head.len() as u64;
        if head < seen.size {
            let channel = &mut lease.channel;
            let mut rest = Rest::read(channel, path, &seen, head, seen.size).await?;
            while let Some(bytes) = rest.next().await? {
                let bytes = self.zip.data(&bytes);
                // What compresses well may give nothing yet.
                if !bytes.is_empty() {
                    self.out.send(bytes.into()).await?;
                }
            }
        }
        self.out.send(self.zip.end().into()).await?;
        if let Some(mut transfer) = self.current.take() {
            transfer.bytes = transfer.size;
            let pass = &self.out.pass;
            pass.record(transfer, TransferOutcome::Completed, None)
                .await;
        }
        Ok(())
    }

    async fn refused(&mut self, path: &HomePath, transfer: Transfer, refusal: &Refusal) {
        let rule = refusal.to_string();
        self.note(path, &rule);
        let pass = &self.out.pass;
        pass.record(transfer, TransferOutcome::Refused, Some(rule))
            .await;
    }
}
