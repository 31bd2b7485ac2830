//! A file's contents.

use super::{Stop, Talk, fault, list::modified_ms};
use porthole_files::{
    frame::{DATA, Frame},
    message::{Fault, FaultKind, Reply},
    path::HomePath,
};
use rustix::fs::OFlags;
use std::{
    ffi::OsStr,
    fs::OpenOptions,
    io::{Read, Seek, SeekFrom},
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::Path,
};

pub fn read(
    talk: &mut Talk,
    home: &Path,
    path: &HomePath,
    offset: u64,
    limit: u64,
) -> Result<(), Stop> {
    let what = "The file cannot be read";
    // A pipe or a device must not hold us up before we have seen what it is.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(home.join(OsStr::from_bytes(path.as_bytes())))
        .map_err(|error| fault(what, &error))?;
    let metadata = file.metadata().map_err(|error| fault(what, &error))?;
    if !metadata.is_file() {
        let detail = "Only files can be read".to_owned();
        return Err(Fault {
            kind: FaultKind::WrongKind,
            detail,
            offset: None,
        }
        .into());
    }
    let size = metadata.len();
    file.seek(SeekFrom::Start(offset.min(size)))
        .map_err(|error| fault(what, &error))?;
    talk.reply(&Reply::File {
        size,
        modified_ms: modified_ms(&metadata),
    })?;
    let mut left = size.saturating_sub(offset).min(limit);
    let mut buffer = vec![0; DATA];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(DATA).min(DATA);
        let read = match file.read(&mut buffer[..most]) {
            Ok(0) => {
                let detail = "The file became shorter while it was read".to_owned();
                return Err(Fault {
                    kind: FaultKind::Failed,
                    detail,
                    offset: None,
                }
                .into());
            }
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(fault(what, &error).into()),
        };
        talk.data(&buffer[..read])?;
        left -= read as u64;
    }
    talk.send(&Frame::End)?;
    Ok(())
}
