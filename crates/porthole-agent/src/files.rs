//! Channels to the files of a session.
//!
//! The agent touches no file itself. It starts the helper (`porthole-files`) in the workspace's
//! container, as the container's user, and carries bytes between it and the gateway: paths, links
//! and rights are then the container's, whatever is in it. The helper is static, so it needs
//! nothing of the image; it comes from the display's image, whose version is the agent's, and is
//! copied into the container when the session's files are first asked for.

use crate::{
    engine::{EngineError, Talk, display_name, workspace_name},
    failures::{self, failure},
    link::no_session,
    state::Shared,
};
use bytes::Bytes;
use futures_util::sink;
use porthole_model::{
    ids::{DisplayId, SessionId},
    session::Failure,
};
use porthole_wire::{agent::Phase, socket::MessageSocket};
use std::{collections::HashMap, io, sync::Arc};
use tokio::{io::AsyncWriteExt, sync::Mutex};

/// Where the helper is in the display's image.
const SOURCE: &str = "/usr/bin/porthole-files";
/// Where it is put in a workspace's container: a folder that every image has, and that no disk is
/// mounted on.
const FOLDER: &str = "/";
const HELPER: &str = "/porthole-files";

/// The containers that have the helper.
#[derive(Default)]
pub(crate) struct Helpers(Mutex<HashMap<SessionId, String>>);

/// Opens a channel to a session's files.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    session_id: SessionId,
) -> Result<MessageSocket, Failure> {
    let part = format!("session {session_id}");
    let report = shared
        .sessions
        .get(session_id)
        .ok_or_else(|| no_session(session_id))?;
    let (Phase::Running, Some(container), Some(display)) =
        (&report.phase, report.container_id, report.display_id)
    else {
        return Err(failure(
            "The session does not run, so its files cannot be reached",
            part,
            "Start or resume the session first",
        ));
    };
    let cannot = |error: EngineError| {
        failures::engine("The session's files cannot be reached", &part, &error)
    };
    ensure_helper(shared, session_id, container, display)
        .await
        .map_err(cannot)?;
    let talk = shared
        .engine
        .talk(&workspace_name(session_id), vec![HELPER.to_owned()])
        .await
        .map_err(cannot)?;
    Ok(socket(talk))
}

/// Puts the helper into a container that is not known to have it. One after the other: a program
/// that is being written cannot be started.
async fn ensure_helper(
    shared: &Shared,
    session_id: SessionId,
    container: String,
    display: DisplayId,
) -> Result<(), EngineError> {
    let mut having = shared.helpers.0.lock().await;
    if having.get(&session_id) == Some(&container) {
        return Ok(());
    }
    let (from, to) = (display_name(display), workspace_name(session_id));
    shared.engine.copy(&from, SOURCE, &to, FOLDER).await?;
    having.retain(|id, _| shared.sessions.has(*id));
    having.insert(session_id, container);
    Ok(())
}

fn socket(talk: Talk) -> MessageSocket {
    let send = sink::unfold(talk.input, |mut input, bytes: Bytes| async move {
        input.write_all(&bytes).await?;
        input.flush().await?;
        Ok::<_, io::Error>(input)
    });
    MessageSocket {
        receive: talk.output,
        send: Box::pin(send),
    }
}
