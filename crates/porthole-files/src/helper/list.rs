//! What a folder holds.

use super::{Stop, Talk, fault};
use porthole_files::{
    frame::Frame,
    message::{Entry, EntryKind, Reply},
    path::HomePath,
};
use std::{
    ffi::OsStr,
    fs::{self, Metadata},
    os::unix::ffi::OsStrExt,
    path::Path,
    time::UNIX_EPOCH,
};

/// Entries in one message: with the longest names, each byte encoded as three, they fit a frame.
const AT_ONCE: usize = 200;

/// When a file was last changed, in milliseconds since 1970.
pub fn modified_ms(metadata: &Metadata) -> u64 {
    metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |since| since.as_millis() as u64)
}

pub fn list(talk: &mut Talk, home: &Path, path: &HomePath) -> Result<(), Stop> {
    let folder = home.join(OsStr::from_bytes(path.as_bytes()));
    let what = "The folder cannot be read";
    let mut entries = Vec::new();
    for found in fs::read_dir(&folder).map_err(|error| fault(what, &error))? {
        let found = found.map_err(|error| fault(what, &error))?;
        let name = found.file_name();
        // A name that is too long for us is one that no request could name.
        let Ok(name) = HomePath::from_bytes(name.as_bytes()) else {
            continue;
        };
        if name.as_bytes() == porthole_files::PARTS.as_bytes() {
            continue;
        }
        entries.push(entry(&found.path(), name));
        if entries.len() == AT_ONCE {
            talk.credit()?;
            talk.reply(&Reply::Entries {
                entries: std::mem::take(&mut entries),
            })?;
        }
    }
    talk.credit()?;
    talk.reply(&Reply::Entries { entries })?;
    talk.send(&Frame::End)?;
    Ok(())
}

fn entry(path: &Path, name: HomePath) -> Entry {
    let link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    let metadata = fs::metadata(path).ok();
    let kind = match &metadata {
        Some(metadata) if metadata.is_file() => EntryKind::File,
        Some(metadata) if metadata.is_dir() => EntryKind::Folder,
        _ => EntryKind::Other,
    };
    Entry {
        name,
        kind,
        link,
        size: metadata
            .as_ref()
            .filter(|metadata| metadata.is_file())
            .map_or(0, Metadata::len),
        modified_ms: metadata.as_ref().map_or(0, modified_ms),
    }
}
