//! Unfinished uploads: where they lie, and when they go.
//!
//! Each is a file in a folder of its own below the folder for uploads, on the same file system, so
//! that it gets its name in one step. One that nobody goes on with is removed after [`KEEP`]: by
//! the next helper, or by the one that stays when its gateway is gone just for that.

use rustix::{
    fs::{AtFlags, FlockOperation, Mode, OFlags},
    io::Errno,
};
use std::{
    fs::{self, File},
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

/// How long an unfinished upload stays after the last byte of it came.
pub const KEEP: Duration = Duration::from_hours(24);

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Opens a folder in another one, no link; makes it where it is not.
pub fn folder(within: BorrowedFd<'_>, name: &[u8], mode: Mode) -> io::Result<OwnedFd> {
    match rustix::fs::mkdirat(within, name, mode) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(enter(within, name)?)
}

/// Opens a folder in another one, no link.
pub fn enter(within: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = folder_flags() | OFlags::NOFOLLOW;
    rustix::fs::openat(within, name, flags, Mode::empty())
}

/// Opens the folder for uploads; makes it where it is not. The user may have put a link to
/// another disk in its place: that is followed.
pub fn uploads(path: &Path) -> io::Result<OwnedFd> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    Ok(rustix::fs::open(path, folder_flags(), Mode::empty())?)
}

/// Opens the folder of unfinished uploads; makes it where it is not.
pub fn parts(uploads: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    folder(uploads, porthole_files::PARTS.as_bytes(), Mode::RWXU)
}

/// Opens the folder of unfinished uploads where there is one.
pub fn existing(uploads: &Path) -> Option<OwnedFd> {
    let uploads = rustix::fs::open(uploads, folder_flags(), Mode::empty()).ok()?;
    enter(uploads.as_fd(), porthole_files::PARTS.as_bytes()).ok()
}

/// Removes the folder of unfinished uploads when it is empty.
pub fn tidy(uploads: BorrowedFd<'_>) {
    let _ = rustix::fs::unlinkat(uploads, porthole_files::PARTS, AtFlags::REMOVEDIR);
}

/// Removes what nobody goes on with; gives the time until the next one's end.
pub fn sweep(uploads: &Path) -> Option<Duration> {
    let within = existing(uploads)?;
    let now = SystemTime::now();
    let mut next: Option<Duration> = None;
    let entries = rustix::fs::Dir::read_from(&within).ok()?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Ok(stat) = rustix::fs::statat(&within, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
        let until = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) + KEEP;
        match until.duration_since(now) {
            Ok(left) => next = Some(next.map_or(left, |next| next.min(left))),
            Err(_) => {
                let _ = rustix::fs::unlinkat(&within, name, AtFlags::empty());
            }
        }
    }
    if next.is_none()
        && let Ok(uploads) = rustix::fs::open(uploads, folder_flags(), Mode::empty())
    {
        tidy(uploads.as_fd());
    }
    next
}

/// Stays until there is no unfinished upload any more; one process does that for all.
#[expect(
    clippy::disallowed_methods,
    reason = "that a day has passed is the event"
)]
pub fn watch(uploads: &Path) {
    let Some(within) = existing(uploads).map(File::from) else {
        return;
    };
    if rustix::fs::flock(&within, FlockOperation::NonBlockingLockExclusive).is_err() {
        return;
    }
    while let Some(left) = sweep(uploads) {
        // A minute more than asked for would only be a minute late.
        thread::sleep(left.clamp(Duration::from_secs(1), Duration::from_mins(1)));
    }
}
