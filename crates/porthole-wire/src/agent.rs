//! The link between server and agent: one JSON message per WebSocket text message.
//!
//! The agent dials `GET /agent/v1/link` with `Authorization: Bearer <agent token>`, sends
//! [`AgentMessage::Hello`], and the server answers [`ServerMessage::Welcome`]. Commands are
//! idempotent by session id: repeating one that is done, or under way, changes nothing. What an
//! agent reports is the whole truth about its sessions: one that a [`AgentMessage::Report`] does
//! not list is not there.
//!
//! A stream: the server sends [`ServerMessage::OpenStream`]; the agent dials
//! `GET /agent/v1/streams/{stream_id}` with the same token and carries the display's messages
//! over it one to one, or answers [`AgentMessage::StreamFailed`].

use porthole_model::{
    ids::{AgentId, DisplayId, RequestId, SessionId, StreamId, UserId, WorkspaceId},
    image::ImageRef,
    protection::Protection,
    resources::{Bytes, MilliCores, Resources},
    session::{Failure, Progress},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of this protocol. Both sides must name the same.
pub const PROTOCOL: u32 = 3;

/// The largest message either side accepts, in bytes.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// What the server tells an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `Hello`: the link is up.
    Welcome {
        /// The server's protocol version.
        protocol: u32,
        /// Who the agent is to the server.
        agent_id: AgentId,
        /// The agent's name to people.
        name: String,
        /// Images to have ready, in order of importance.
        images: Vec<ImageRef>,
    },
    /// The link is refused; the agent shows the reason and tries again later.
    Refused {
        /// Why, for the agent's log.
        reason: String,
    },
    /// Make the session run: start it, or resume it where it is stopped.
    Run {
        /// What to run.
        spec: Box<SessionSpec>,
    },
    /// Stop the session's processes, keep its disk.
    Stop {
        /// Which.
        session_id: SessionId,
    },
    /// Remove all that there is of the session.
    Remove {
        /// Which.
        session_id: SessionId,
    },
    /// Run a command in the workspace's container.
    Exec {
        /// Names the reply.
        request_id: RequestId,
        /// Which session.
        session_id: SessionId,
        /// What to run.
        exec: ExecSpec,
    },
    /// Take a picture of the display.
    Screenshot {
        /// Names the reply.
        request_id: RequestId,
        /// Which session.
        session_id: SessionId,
        /// The largest width in pixels; the ratio is kept.
        width: u16,
        /// The largest height in pixels.
        height: u16,
    },
    /// Open a stream to the display and deliver it under this id.
    OpenStream {
        /// Names the stream.
        stream_id: StreamId,
        /// Which session.
        session_id: SessionId,
        /// What may be done over it.
        access: Access,
    },
    /// Open a channel to the session's files and deliver it as a stream under this id. What is
    /// said over it is between gateway and helper (`porthole-files`); its messages are pieces of a
    /// byte stream, cut anywhere.
    OpenFiles {
        /// Names the stream.
        stream_id: StreamId,
        /// Which session.
        session_id: SessionId,
    },
    /// Have these images ready, in order of importance.
    Images {
        /// The images of all enabled workspaces.
        images: Vec<ImageRef>,
    },
}

/// What an agent tells the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentMessage {
    /// The first message on a link.
    Hello {
        /// The agent's protocol version.
        protocol: u32,
        /// The agent's program version.
        version: String,
        /// The host's name.
        hostname: String,
    },
    /// Everything about the host and its sessions. Sent first after `Welcome`, then every few
    /// seconds.
    Report(Box<Report>),
    /// One session changed. Sent at once.
    Session(SessionReport),
    /// A session that was to be removed is gone.
    Removed {
        /// Which.
        session_id: SessionId,
    },
    /// The answer to a request.
    Reply {
        /// The request's id.
        request_id: RequestId,
        /// What came of it.
        outcome: Outcome,
    },
    /// A stream could not be opened.
    StreamFailed {
        /// The stream's id.
        stream_id: StreamId,
        /// Why.
        failure: Failure,
    },
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outcome {
    /// The command was started.
    Started,
    /// A JPEG picture, in base64.
    Screenshot {
        /// The picture.
        jpeg: String,
    },
    /// It failed.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// What a session runs: all that the agent needs to know, and nothing of the user's policy beyond
/// it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionSpec {
    /// The session.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The user's name, for labels and `{username}`.
    pub username: String,
    /// The workspace it is an instance of.
    pub workspace_id: WorkspaceId,
    /// The workspace's name, shown as the desktop's name.
    pub workspace_name: String,
    /// The image to run.
    pub image: ImageRef,
    /// Cores and memory: limits on the container.
    pub resources: Resources,
    /// Size of `/dev/shm`, which display and workspace share.
    pub shm_size: Bytes,
    /// Environment of the workspace's container.
    pub environment: BTreeMap<String, String>,
    /// The display's first size in pixels; a viewer changes it.
    pub width: u16,
    /// See `width`.
    pub height: u16,
    /// What the display burns into the pixels, with the session's values filled in. No pixel of
    /// the session leaves without it.
    #[serde(default, skip_serializing_if = "Protection::is_empty")]
    pub protection: Protection,
}

/// A command to run in a workspace's container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// Program and arguments.
    pub cmd: Vec<String>,
    /// More environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The working directory; the image's where absent.
    #[serde(default)]
    pub workdir: Option<String>,
    /// The user inside the container; the image's where absent.
    #[serde(default)]
    pub user: Option<String>,
    /// With all capabilities.
    #[serde(default)]
    pub privileged: bool,
}

/// What a viewer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// See, control, resize.
    Control,
    /// Only see.
    View,
}

/// The state of a host and everything on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The host.
    pub host: HostReport,
    /// Every session there is, whatever its phase.
    pub sessions: Vec<SessionReport>,
    /// Every image there is, with a tag.
    pub images: Vec<ImageReport>,
    /// Pulls under way.
    pub pulls: Vec<PullReport>,
    /// Displays that are ready and untaken.
    pub warm_displays: u16,
    /// What does not work on this host though it answers, such as an engine that is down.
    pub problems: Vec<Failure>,
}

/// A host's size and load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostReport {
    /// What it offers to sessions, overcommitment included.
    pub offered: Resources,
    /// Its processor cores.
    pub cores: MilliCores,
    /// Cores in use, 0 to `cores`.
    pub cores_used: MilliCores,
    /// Its memory.
    pub memory: Bytes,
    /// Memory in use.
    pub memory_used: Bytes,
    /// The disk that holds images and containers.
    pub disk: Bytes,
    /// Disk space in use.
    pub disk_used: Bytes,
    /// Containers of Porthole on it.
    pub containers: u32,
    /// The container engine and its version, such as `Docker 20.10.24`.
    pub engine: String,
}

/// An image that is on a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageReport {
    /// Its reference.
    pub image: ImageRef,
    /// Its size on disk.
    pub size: Bytes,
}

/// A pull under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PullReport {
    /// What is pulled.
    pub image: ImageRef,
    /// Bytes there.
    pub done: Bytes,
    /// Bytes in all, as far as known.
    pub total: Bytes,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
}

/// Where one session is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionReport {
    /// The session.
    pub session_id: SessionId,
    /// What the agent has of it.
    pub phase: Phase,
    /// Its display, once it has one.
    pub display_id: Option<DisplayId>,
    /// The workspace's container in the engine, once there is one.
    pub container_id: Option<String>,
    /// Viewers connected to the display.
    pub viewers: u32,
}

/// What an agent has of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Being started. From step [`Start`](porthole_model::session::LaunchStep::Start) on, and as
    /// soon as `display_id` is there, streams can be opened.
    Starting {
        /// How far.
        progress: Progress,
    },
    /// The workspace runs.
    Running,
    /// Being stopped.
    Stopping,
    /// Stopped; the disk is there.
    Stopped,
    /// Could not be started, or ended by itself. Nothing of it is left but this message, until the
    /// server sends `Remove`.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// Being removed.
    Removing,
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_MESSAGE`].
    #[error("a message of {0} bytes is longer than the {MAX_MESSAGE} that are allowed")]
    TooLong(usize),
    /// Not JSON, or not of the shape.
    #[error("not a message of the agent link: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// Reads a message.
///
/// # Errors
/// When it is too long or not one.
pub fn decode<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, DecodeError> {
    if text.len() > MAX_MESSAGE {
        return Err(DecodeError::TooLong(text.len()));
    }
    Ok(serde_json::from_str(text)?)
}

/// Writes a message.
///
/// # Errors
/// Only when a map has keys that JSON has not; none of ours has.
pub fn encode<T: Serialize>(message: &T) -> Result<String, DecodeError> {
    Ok(serde_json::to_string(message)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_round_trip() {
        let run = ServerMessage::Run {
            spec: Box::new(SessionSpec {
                session_id: SessionId::new(),
                user_id: UserId::new(),
                username: "user@kasm.local".into(),
                workspace_id: WorkspaceId::new(),
                workspace_name: "Terminal".into(),
                image: "porthole/terminal:1.0".parse().unwrap(),
                resources: Resources {
                    cores: MilliCores(500),
                    memory: Bytes::mib(512),
                },
                shm_size: Bytes::mib(512),
                environment: BTreeMap::from([("TZ".into(), "Europe/Berlin".into())]),
                width: 1920,
                height: 1080,
                protection: Protection {
                    visible: Some(porthole_model::protection::Region::default()),
                    ..Protection::default()
                },
            }),
        };
        assert_eq!(
            decode::<ServerMessage>(&encode(&run).unwrap()).unwrap(),
            run
        );
        let report = AgentMessage::Session(SessionReport {
            session_id: SessionId::new(),
            phase: Phase::Running,
            display_id: Some(DisplayId::new()),
            container_id: None,
            viewers: 0,
        });
        assert_eq!(
            decode::<AgentMessage>(&encode(&report).unwrap()).unwrap(),
            report
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,300}") {
            let _ = decode::<AgentMessage>(&text);
            let _ = decode::<ServerMessage>(&text);
        }
    }
}
