//! What is asked is done one after the other; contents flow by credit.

mod list;
mod parts;
mod read;
mod upload;

use porthole_files::{
    frame::{self, Frame, HEADER, WINDOW},
    message::{self, Fault, FaultKind, Reply, Request},
};
use std::{
    io::{self, Read, StdinLock, StdoutLock, Write},
    path::Path,
};

/// The conversation with the gateway.
pub struct Talk {
    input: StdinLock<'static>,
    output: StdoutLock<'static>,
    credit: u32,
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl Talk {
    /// The next frame; `None` when the gateway is gone.
    fn frame(&mut self) -> io::Result<Option<Frame>> {
        let mut head = [0; HEADER];
        match self.input.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let (len, kind) = frame::header(head).map_err(invalid)?;
        let mut payload = vec![0; len];
        self.input.read_exact(&mut payload)?;
        frame::frame(kind, payload).map(Some).map_err(invalid)
    }

    fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.output.write_all(&frame.encode())?;
        self.output.flush()
    }

    fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        self.send(&message::frame(reply)?)
    }

    /// Waits until one more frame of contents may go.
    fn credit(&mut self) -> io::Result<()> {
        while self.credit == 0 {
            match self.frame()? {
                Some(Frame::More(frames)) => self.credit = frames.min(WINDOW),
                Some(_) => return Err(io::Error::other("the gateway asks before it was answered")),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        self.credit -= 1;
        Ok(())
    }

    /// Sends contents as they lie in memory.
    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.credit()?;
        self.output.write_all(&Frame::data_header(bytes.len()))?;
        self.output.write_all(bytes)?;
        self.output.flush()
    }
}

/// A fault with the system's reason in it.
pub fn fault(what: &str, error: &io::Error) -> Fault {
    use io::ErrorKind as Kind;
    let kind = match error.kind() {
        Kind::NotFound => FaultKind::NotFound,
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => FaultKind::Denied,
        Kind::NotADirectory | Kind::IsADirectory => FaultKind::WrongKind,
        Kind::StorageFull | Kind::QuotaExceeded => FaultKind::NoSpace,
        // A link where none may be (ELOOP).
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            FaultKind::WrongKind
        }
        _ => FaultKind::Failed,
    };
    Fault {
        kind,
        detail: format!("{what}: {error}"),
        offset: None,
    }
}

/// Why a request did not come to its end.
pub enum Stop {
    /// The gateway is told, and may ask for something else.
    Fault(Fault),
    /// The gateway is gone, or speaks another language.
    Talk(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Talk(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Serves until the gateway is gone, then sees to it that no unfinished upload stays for ever.
pub fn run(home: &Path) -> io::Result<()> {
    let uploads = home.join(porthole_files::UPLOADS);
    parts::sweep(&uploads);
    let mut talk = Talk {
        input: io::stdin().lock(),
        output: io::stdout().lock(),
        credit: WINDOW,
    };
    let served = serve(&mut talk, home);
    parts::watch(&uploads);
    served
}

fn serve(talk: &mut Talk, home: &Path) -> io::Result<()> {
    loop {
        let request = match talk.frame()? {
            None => return Ok(()),
            // Credit for contents that ended before it came.
            Some(Frame::More(_)) => continue,
            Some(Frame::Message(bytes)) => serde_json::from_slice::<Request>(&bytes)?,
            Some(Frame::Data(_) | Frame::End) => {
                return Err(io::Error::other("contents that nobody asked for"));
            }
        };
        talk.credit = WINDOW;
        let done = match request {
            Request::List { path } => list::list(talk, home, &path),
            Request::Read {
                path,
                offset,
                limit,
            } => read::read(talk, home, &path, offset, limit),
            Request::Upload { id } => upload::offset(talk, home, &id),
            Request::Append {
                id,
                path,
                size,
                offset,
                modified_ms,
            } => upload::append(
                talk,
                home,
                &upload::Append {
                    id,
                    path,
                    size,
                    offset,
                    modified_ms,
                },
            ),
            Request::Discard { id } => upload::discard(talk, home, &id),
        };
        match done {
            Ok(()) => {}
            Err(Stop::Fault(fault)) => talk.reply(&Reply::Failed(fault))?,
            Err(Stop::Talk(error)) => return Err(error),
        }
    }
}
