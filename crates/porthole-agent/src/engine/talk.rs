//! Programs in containers that are spoken with, and files that are copied between containers.

use super::{CHANGE, Engine, EngineError, Result};
use bollard::{
    container::LogOutput,
    exec::{StartExecOptions, StartExecResults},
    models::ExecConfig,
    query_parameters::{DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::{io, pin::Pin};
use tokio::io::AsyncWrite;

/// The most that the engine's client holds of what a program says, in bytes.
const BUFFER: usize = 64 * 1024;

/// A program in a container: its standard output and input. Dropping both closes its input.
pub(crate) struct Talk {
    /// What it writes, in any pieces; ends when it does.
    pub output: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
    /// What it reads.
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Engine {
    /// Starts a program in a container, as the user that the container runs as.
    pub async fn talk(&self, name: &str, cmd: Vec<String>) -> Result<Talk> {
        let owned = name.to_owned();
        let config = ExecConfig {
            cmd: Some(cmd),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let options = StartExecOptions {
            output_capacity: Some(BUFFER),
            ..Default::default()
        };
        let started = self
            .call(
                "starting a program in a container",
                CHANGE,
                |c| async move {
                    let made = c.create_exec(&owned, config).await?;
                    c.start_exec(&made.id, Some(options)).await
                },
            )
            .await?;
        let StartExecResults::Attached { output, input } = started else {
            let text = "the engine did not connect to the program it started".to_owned();
            return Err(EngineError::Refused(text));
        };
        let name = name.to_owned();
        let output = output.filter_map(move |said| {
            let bytes = match said {
                Ok(LogOutput::StdOut { message } | LogOutput::Console { message }) => {
                    Some(Ok(message))
                }
                Ok(LogOutput::StdErr { message }) => {
                    let text = String::from_utf8_lossy(&message);
                    tracing::warn!(container = name, text = text.trim_end(), "files' helper");
                    None
                }
                Ok(LogOutput::StdIn { .. }) => None,
                Err(error) => Some(Err(io::Error::other(error))),
            };
            async move { bytes }
        });
        Ok(Talk {
            output: Box::pin(output),
            input,
        })
    }

    /// Copies a file from one container into a folder of another, with owner and mode.
    pub async fn copy(&self, from: &str, path: &str, to: &str, folder: &str) -> Result<()> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let source = DownloadFromContainerOptionsBuilder::new()
            .path(path)
            .build();
        let target = UploadToContainerOptionsBuilder::new().path(folder).build();
        self.call(
            "copying a file between containers",
            CHANGE,
            |c| async move {
                let mut tar = Box::pin(c.download_from_container(&from, Some(source)));
                // Looked at before the other request begins: an error is the source's own.
                let Some(first) = tar.next().await.transpose()? else {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                };
                let rest = tar.map(|bytes| bytes.map_err(io::Error::other));
                let tar = futures_util::stream::once(async move { Ok(first) }).chain(rest);
                c.upload_to_container(&to, Some(target), bollard::body_try_stream(tar))
                    .await
            },
        )
        .await
    }
}
