//! Uploads: a part that grows, and gets its name when it is whole.

use super::{Stop, Talk, fault, parts};
use porthole_files::{
    UPLOADS,
    frame::Frame,
    message::{Fault, FaultKind, Reply, UploadId},
    path::HomePath,
};
use rustix::{
    fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags, Timespec, Timestamps},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

/// What an upload may leave of a disk: this, or a twentieth of it where that is less.
const RESERVE: u64 = 256 << 20;
/// Names that are tried for one that is taken.
const NUMBERS: u32 = 1000;

/// What is asked of [`append`]; see [`porthole_files::message::Request::Append`].
pub struct Append {
    pub id: UploadId,
    pub path: HomePath,
    pub size: u64,
    pub offset: u64,
    pub modified_ms: Option<u64>,
}

fn failed(kind: FaultKind, detail: impl Into<String>, offset: Option<u64>) -> Stop {
    Stop::Fault(Fault {
        kind,
        detail: detail.into(),
        offset,
    })
}

pub fn offset(talk: &mut Talk, home: &Path, id: &UploadId) -> Result<(), Stop> {
    let offset = parts::existing(&home.join(UPLOADS))
        .and_then(|parts| rustix::fs::statat(&parts, id.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok())
        .map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
    Ok(talk.reply(&Reply::Offset { offset })?)
}

pub fn discard(talk: &mut Talk, home: &Path, id: &UploadId) -> Result<(), Stop> {
    let uploads = home.join(UPLOADS);
    if let Some(parts) = parts::existing(&uploads) {
        match rustix::fs::unlinkat(&parts, id.as_str(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => {
                return Err(fault("The upload cannot be removed", &error.into()).into());
            }
        }
        if let Ok(uploads) = parts::uploads(&uploads) {
            parts::tidy(uploads.as_fd());
        }
    }
    Ok(talk.reply(&Reply::Offset { offset: 0 })?)
}

pub fn append(talk: &mut Talk, home: &Path, ask: &Append) -> Result<(), Stop> {
    let what = "The folder for uploads cannot be used";
    if ask.path.is_home() || ask.path.names().next() == Some(porthole_files::PARTS.as_bytes()) {
        return Err(failed(FaultKind::Denied, "This name is taken", None));
    }
    let uploads = parts::uploads(&home.join(UPLOADS)).map_err(|error| fault(what, &error))?;
    reachable(uploads.as_fd(), &ask.path).map_err(|error| fault(what, &error))?;
    let (parts, mut part) = open_part(uploads.as_fd(), &ask.id)?;
    let there = part
        .seek(SeekFrom::End(0))
        .map_err(|error| fault("The upload cannot be gone on with", &error))?;
    if there != ask.offset || there > ask.size {
        let detail = format!("There are {there} bytes of this upload, not {}", ask.offset);
        return Err(failed(FaultKind::Offset, detail, Some(there)));
    }
    let more = ask.size - there;
    if let Err(fault) = room(&part, more) {
        abandon(uploads.as_fd(), parts.as_fd(), &ask.id);
        return Err(fault);
    }
    talk.reply(&Reply::Ready)?;
    let Some(written) = receive(talk, &mut part, more)? else {
        // Half a file would only keep the disk full.
        abandon(uploads.as_fd(), parts.as_fd(), &ask.id);
        return Ok(());
    };
    let there = there + written;
    if there < ask.size {
        return Ok(talk.reply(&Reply::Offset { offset: there })?);
    }
    let stored = finish(&part, ask).and_then(|()| place(uploads.as_fd(), parts.as_fd(), ask));
    let path = match stored {
        Ok(path) => path,
        Err(error) => {
            abandon(uploads.as_fd(), parts.as_fd(), &ask.id);
            return Err(fault("The file cannot be stored", &error).into());
        }
    };
    drop(part);
    parts::tidy(uploads.as_fd());
    Ok(talk.reply(&Reply::Stored { path })?)
}

/// Whether those of the path's folders that are there are folders, and no links.
fn reachable(uploads: BorrowedFd<'_>, path: &HomePath) -> io::Result<()> {
    let mut names: Vec<&[u8]> = path.names().collect();
    names.pop();
    let mut folder = uploads.try_clone_to_owned()?;
    for name in names {
        match parts::enter(folder.as_fd(), name) {
            Ok(next) => folder = next,
            Err(Errno::NOENT) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn open_part(uploads: BorrowedFd<'_>, id: &UploadId) -> Result<(OwnedFd, File), Stop> {
    let what = "The upload cannot be begun";
    let open = || -> io::Result<(OwnedFd, File)> {
        let parts = parts::parts(uploads)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let part = rustix::fs::openat(&parts, id.as_str(), flags, mode)?;
        Ok((parts, part.into()))
    };
    let (parts, part) = match open() {
        // Another upload's end removed the empty folder in between.
        Err(error) if error.kind() == io::ErrorKind::NotFound => open(),
        opened => opened,
    }
    .map_err(|error| fault(what, &error))?;
    if rustix::fs::flock(&part, FlockOperation::NonBlockingLockExclusive).is_err() {
        let detail = "This upload is under way in another window";
        return Err(failed(FaultKind::Busy, detail, None));
    }
    let stat = part.metadata().map_err(|error| fault(what, &error))?;
    if !stat.is_file() {
        return Err(failed(FaultKind::WrongKind, "The upload is no file", None));
    }
    Ok((parts, part))
}

/// Whether so much more fits onto the disk and leaves something.
fn room(part: &File, more: u64) -> Result<(), Stop> {
    let Ok(disk) = rustix::fs::fstatvfs(part) else {
        return Ok(());
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let whole = disk.f_blocks.saturating_mul(disk.f_frsize);
    let reserve = RESERVE.min(whole / 20);
    if more.saturating_add(reserve) <= free {
        return Ok(());
    }
    let detail = format!("The session's disk is full: {more} bytes are needed, {free} are free");
    Err(failed(FaultKind::NoSpace, detail, None))
}

/// Writes what comes until its end; `None` when that failed, which is told at once, so that the
/// gateway can stop. What it still sends is taken: the next thing heard is a request again.
fn receive(talk: &mut Talk, part: &mut File, most: u64) -> io::Result<Option<u64>> {
    let mut written = Some(0);
    loop {
        match (talk.frame()?, written) {
            (Some(Frame::Data(bytes)), Some(before)) => {
                let now = before + bytes.len() as u64;
                let outcome = if now > most {
                    Err(io::Error::other("more came than the file's size"))
                } else {
                    part.write_all(&bytes)
                };
                written = match outcome {
                    Ok(()) => Some(now),
                    Err(error) => {
                        let fault = fault("The file cannot be written", &error);
                        talk.reply(&Reply::Failed(fault))?;
                        None
                    }
                };
            }
            (Some(Frame::Data(_)), None) | (Some(Frame::More(_)), _) => {}
            (Some(Frame::End), written) => return Ok(written),
            (Some(Frame::Message(_)), _) => {
                return Err(io::Error::other("a request among contents"));
            }
            (None, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn finish(part: &File, ask: &Append) -> io::Result<()> {
    part.sync_data()?;
    if let Some(ms) = ask.modified_ms {
        let at = Timespec {
            tv_sec: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
            tv_nsec: i64::from((ms % 1000) as u32) * 1_000_000,
        };
        let times = Timestamps {
            last_access: at,
            last_modification: at,
        };
        // A file system that cannot keep such a time keeps the file all the same.
        let _ = rustix::fs::futimens(part, &times);
    }
    Ok(())
}

/// Gives the whole part its name, or a numbered one where that is taken.
fn place(uploads: BorrowedFd<'_>, parts: BorrowedFd<'_>, ask: &Append) -> io::Result<HomePath> {
    let mut names: Vec<&[u8]> = ask.path.names().collect();
    let name = names.pop().unwrap_or_default();
    let mut folder = uploads.try_clone_to_owned()?;
    for name in &names {
        folder = parts::folder(folder.as_fd(), name, Mode::from_raw_mode(0o777))?;
    }
    for number in 0..NUMBERS {
        let numbered = numbered(name, number);
        match rename(parts, ask.id.as_str(), folder.as_fd(), &numbered) {
            Ok(()) => {
                let mut path = names.join(b"/".as_slice());
                if !path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(&numbered);
                return HomePath::from_bytes(UPLOADS.as_bytes())
                    .and_then(|uploads| uploads.join(&path))
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error));
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Renames, but never over something that is there.
fn rename(from: BorrowedFd<'_>, part: &str, to: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, part, to, name, RenameFlags::NOREPLACE) {
        // Some file systems cannot; there a second name is given and the first taken.
        Err(Errno::INVAL | Errno::NOSYS | Errno::PERM) => {
            rustix::fs::linkat(from, part, to, name, AtFlags::empty())?;
            rustix::fs::unlinkat(from, part, AtFlags::empty())
        }
        renamed => renamed,
    }
}

/// `photo.jpg` with the number 2 is `photo (2).jpg`; cut so that it stays a name.
fn numbered(name: &[u8], number: u32) -> Vec<u8> {
    if number == 0 {
        return name.to_vec();
    }
    let dot = name.iter().rposition(|b| *b == b'.').filter(|at| *at > 0);
    let (stem, end) = name.split_at(dot.unwrap_or(name.len()));
    let number = format!(" ({number})").into_bytes();
    let most = porthole_files::path::MAX_NAME.saturating_sub(number.len() + end.len());
    let mut cut = stem.len().min(most);
    // Not within a character.
    while cut > 0 && cut < stem.len() && stem[cut] & 0b1100_0000 == 0b1000_0000 {
        cut -= 1;
    }
    [&stem[..cut], &number, end].concat()
}

fn abandon(uploads: BorrowedFd<'_>, parts: BorrowedFd<'_>, id: &UploadId) {
    let _ = rustix::fs::unlinkat(parts, id.as_str(), AtFlags::empty());
    parts::tidy(uploads);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_gets_a_number_before_its_ending() {
        assert_eq!(numbered(b"photo.jpg", 0), b"photo.jpg");
        assert_eq!(numbered(b"photo.jpg", 2), b"photo (2).jpg");
        assert_eq!(numbered(b".bashrc", 1), b".bashrc (1)");
        let long = "ä".repeat(127);
        let name = numbered(long.as_bytes(), 12);
        assert!(name.len() <= 255);
        assert!(String::from_utf8(name).unwrap().ends_with("ä (12)"));
    }
}
