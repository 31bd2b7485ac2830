//! Channels to a session's helper, and the few that a pass keeps.

use futures_util::{FutureExt, SinkExt, StreamExt};
use porthole_files::{
    frame::{BadFrame, DATA, Frame, Frames, WINDOW},
    message::{self, Entry, Fault, Reply, Request},
};
use porthole_wire::{close::CloseReason, socket::MessageSocket};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Channels of one pass, at most.
const MOST: usize = 8;
/// How long a request waits for one of them.
const TURN: Duration = Duration::from_secs(30);
/// How long the session's end may take for an answer, or to take a frame.
const ANSWER: Duration = Duration::from_mins(1);
/// How long a whole file may take to be written to a slow disk.
const STORE: Duration = Duration::from_mins(10);
/// Credit is given back in portions.
const PORTION: u32 = WINDOW / 4;

/// Why a channel brings nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    /// It could not be opened.
    #[error("the session's files cannot be reached: {0}")]
    Unopened(CloseReason),
    /// All are taken.
    #[error("too many transfers of this session are under way")]
    TooMany,
    /// It ended.
    #[error("the session's end of the transfer is gone")]
    Gone,
    /// It broke.
    #[error("the session's end of the transfer broke: {0}")]
    Broken(#[from] io::Error),
    /// Nothing came in time.
    #[error("the session's end of the transfer does not answer")]
    Silent,
    /// What came is not the language.
    #[error("the session's end of the transfer cannot be understood: {0}")]
    Language(String),
    /// The helper says why it does not work; the channel is good for the next request.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<BadFrame> for ChannelError {
    fn from(error: BadFrame) -> Self {
        Self::Language(error.to_string())
    }
}

impl From<serde_json::Error> for ChannelError {
    fn from(error: serde_json::Error) -> Self {
        Self::Language(error.to_string())
    }
}

fn unexpected() -> ChannelError {
    ChannelError::Language("an answer to something else".into())
}

/// One helper.
pub(crate) struct Channel {
    socket: MessageSocket,
    frames: Frames,
    taken: u32,
}

impl Channel {
    fn new(socket: MessageSocket) -> Self {
        Self {
            socket,
            frames: Frames::default(),
            taken: 0,
        }
    }

    async fn send(&mut self, frame: &Frame) -> Result<(), ChannelError> {
        let bytes = frame.encode().into();
        timeout(ANSWER, self.socket.send.send(bytes))
            .await
            .map_err(|_| ChannelError::Silent)??;
        Ok(())
    }

    async fn frame(&mut self) -> Result<Frame, ChannelError> {
        loop {
            if let Some(frame) = self.frames.next_frame()? {
                return Ok(frame);
            }
            match self.socket.receive.next().await {
                Some(bytes) => self.frames.push(&bytes?),
                None => return Err(ChannelError::Gone),
            }
        }
    }

    async fn frame_within(&mut self, within: Duration) -> Result<Frame, ChannelError> {
        timeout(within, self.frame())
            .await
            .unwrap_or(Err(ChannelError::Silent))
    }

    fn reply(frame: Frame) -> Result<Reply, ChannelError> {
        let Frame::Message(bytes) = frame else {
            return Err(unexpected());
        };
        match serde_json::from_slice(&bytes)? {
            Reply::Failed(fault) => Err(fault.into()),
            reply => Ok(reply),
        }
    }

    /// Asks and gives the answer.
    pub async fn ask(&mut self, request: &Request) -> Result<Reply, ChannelError> {
        self.taken = 0;
        self.send(&message::frame(request)?).await?;
        Self::reply(self.frame_within(ANSWER).await?)
    }

    /// Begins to read a file: its size and time.
    pub async fn read(&mut self, request: &Request) -> Result<(u64, u64), ChannelError> {
        match self.ask(request).await? {
            Reply::File { size, modified_ms } => Ok((size, modified_ms)),
            _ => Err(unexpected()),
        }
    }

    async fn granted(&mut self) -> Result<(), ChannelError> {
        self.taken += 1;
        if self.taken == PORTION {
            self.taken = 0;
            self.send(&Frame::More(PORTION)).await?;
        }
        Ok(())
    }

    /// The next piece of the file that is read; `None` at its end.
    pub async fn data(&mut self) -> Result<Option<Vec<u8>>, ChannelError> {
        match self.frame_within(ANSWER).await? {
            Frame::Data(bytes) => {
                self.granted().await?;
                Ok(Some(bytes))
            }
            Frame::End => Ok(None),
            frame => {
                Self::reply(frame)?;
                Err(unexpected())
            }
        }
    }

    /// What a folder holds, at most so many entries; tells whether there are more. With more, the
    /// channel is of no use for another request.
    pub async fn list(
        &mut self,
        path: &porthole_files::path::HomePath,
        most: usize,
    ) -> Result<(Vec<Entry>, bool), ChannelError> {
        self.taken = 0;
        let request = Request::List { path: path.clone() };
        self.send(&message::frame(&request)?).await?;
        let mut all = Vec::new();
        loop {
            match self.frame_within(ANSWER).await? {
                Frame::End => return Ok((all, false)),
                frame => match Self::reply(frame)? {
                    Reply::Entries { entries } => {
                        self.granted().await?;
                        // A name with a slash in it is none of a folder's entries.
                        all.extend(
                            entries
                                .into_iter()
                                .filter(|entry| entry.name.names().count() == 1),
                        );
                    }
                    _ => return Err(unexpected()),
                },
            }
            if all.len() > most {
                all.truncate(most);
                return Ok((all, true));
            }
        }
    }

    /// Sends contents of an upload. An answer that came before the end is an error's.
    pub async fn put(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        for piece in bytes.chunks(DATA) {
            if let Some(frame) = self.frame().now_or_never() {
                let early = Self::reply(frame?);
                // The helper takes what is under way until it is told the end.
                self.send(&Frame::End).await?;
                early?;
                return Err(unexpected());
            }
            self.send(&Frame::Data(piece.to_vec())).await?;
        }
        Ok(())
    }

    /// Ends the contents of an upload and gives the answer.
    pub async fn finish(&mut self) -> Result<Reply, ChannelError> {
        self.send(&Frame::End).await?;
        Self::reply(self.frame_within(STORE).await?)
    }

    /// Whether the other end is there, as far as can be told without asking.
    fn alive(&mut self) -> bool {
        self.socket.receive.next().now_or_never().is_none()
    }
}

/// The channels of one pass.
pub(crate) struct Channels {
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Channel>>,
}

impl Default for Channels {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(MOST)),
            idle: Mutex::default(),
        }
    }
}

/// A channel for one request, or several in a row. Kept for the next by [`Lease::keep`]; dropped,
/// it is closed, which ends whatever it was at.
pub(crate) struct Lease {
    pub channel: Channel,
    _turn: OwnedSemaphorePermit,
}

impl Channels {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A channel; opened where none waits.
    pub async fn lease(
        &self,
        open: impl Future<Output = Result<MessageSocket, CloseReason>>,
    ) -> Result<Lease, ChannelError> {
        let turn = timeout(TURN, self.turns.clone().acquire_owned())
            .await
            .map_err(|_| ChannelError::TooMany)?
            .map_err(|_| ChannelError::Gone)?;
        let waiting = {
            let mut idle = self.idle();
            std::iter::from_fn(|| idle.pop()).find_map(|mut channel| {
                let alive = channel.alive();
                alive.then_some(channel)
            })
        };
        let channel = match waiting {
            Some(channel) => channel,
            None => Channel::new(open.await.map_err(ChannelError::Unopened)?),
        };
        Ok(Lease {
            channel,
            _turn: turn,
        })
    }

    /// Keeps a channel whose request was answered.
    pub fn keep(&self, lease: Lease) {
        self.idle().push(lease.channel);
    }

    /// Keeps it where the error, if there was one, was the helper's own.
    pub fn keep_after<T>(&self, lease: Lease, outcome: &Result<T, ChannelError>) {
        if matches!(outcome, Ok(_) | Err(ChannelError::Fault(_))) {
            self.keep(lease);
        }
    }

    /// Closes those that wait, and opens no more.
    pub fn close(&self) {
        self.turns.close();
        self.idle().clear();
    }
}
