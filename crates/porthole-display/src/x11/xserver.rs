//! Starts and watches the X server.

use crate::config::Config;
use rustix::{
    pipe::{PipeFlags, pipe_with},
    process::{Pid, Signal, WaitOptions, WaitStatus},
};
use std::{
    io::Read as _,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How long the X server may take to say that it is ready.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to end when told to.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// The X server could not be started, or ended.
#[derive(Debug, thiserror::Error)]
pub enum XServerError {
    /// The program could not be run.
    #[error("the X server {program} could not be started: {source}; install the package xvfb")]
    Spawn {
        /// What was to be run.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It ended before it was ready.
    #[error("the X server {program} ended before it was ready; its own message is above")]
    NotReady {
        /// What was run.
        program: PathBuf,
    },
    /// It said nothing.
    #[error("the X server {program} was not ready within {} s", START_TIMEOUT.as_secs())]
    Timeout {
        /// What was run.
        program: PathBuf,
    },
    /// Pipes or tasks failed.
    #[error("the X server's readiness could not be read: {0}")]
    Io(#[from] std::io::Error),
}

/// A running X server.
#[derive(Debug)]
pub struct XServer {
    pid: Pid,
    ended: watch::Receiver<Option<String>>,
    /// The display's number.
    pub number: u16,
}

impl XServer {
    /// Starts it and waits until it takes connections.
    ///
    /// # Errors
    /// When it cannot be started or does not become ready.
    pub async fn start(config: &Config) -> Result<Self, XServerError> {
        let program = config.x_server.clone();
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(std::io::Error::from)?;
        let mut command = Command::new(&program);
        if let Some(number) = config.number {
            command.arg(format!(":{number}"));
        }
        // The pipe's end is given as the standard output, which the X server does not use itself.
        command
            .args(["-displayfd", "1"])
            .args(["-screen", "0", &format!("{}x{}x24", config.max.width, config.max.height)])
            .arg("-fbdir")
            .arg(&config.framebuffer_dir)
            .args(["-nolisten", "tcp", "-ac", "-noreset", "-background", "none", "-dpi", "96"])
            // Viewers draw the cursor; drawn into the picture it would be there twice. Without the
            // extension SECURITY the picture of a cursor whose maker is gone can be had.
            .args(["-nocursor", "-extension", "SECURITY"])
            // A held key is repeated by the viewer; the X server's own repeat would double it.
            .args(["-ardelay", "65535", "-arinterval", "65535"])
            .args(["+extension", "RANDR", "+extension", "DAMAGE", "+extension", "XTEST"])
            .args(["+extension", "MIT-SHM", "+extension", "XFIXES", "-s", "0", "-dpms"])
            .stdin(Stdio::null())
            .stdout(Stdio::from(write));
        let mut signals = signal(SignalKind::child())?;
        let child = command.spawn().map_err(|source| XServerError::Spawn {
            program: program.clone(),
            source,
        })?;
        // Without this the pipe would stay open in this process and never end.
        drop(command);
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| std::io::Error::other("the X server has no process id"))?;
        let (tell, ended) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                reap(pid, &tell);
                if signals.recv().await.is_none() {
                    return;
                }
            }
        });
        let ready = tokio::task::spawn_blocking(move || read_number(read));
        let mut server = Self {
            pid,
            ended,
            number: 0,
        };
        let number = tokio::select! {
            number = ready => number.map_err(std::io::Error::other)??,
            _ = server.wait() => None,
            () = tokio::time::sleep(START_TIMEOUT) => {
                server.stop().await;
                return Err(XServerError::Timeout { program });
            }
        };
        server.number = number.ok_or(XServerError::NotReady { program })?;
        Ok(server)
    }

    /// Waits until it ends; says how it ended.
    pub async fn wait(&mut self) -> String {
        let ended = self.ended.wait_for(Option::is_some).await;
        ended
            .ok()
            .and_then(|status| status.clone())
            .unwrap_or_else(|| "nobody knows how".to_owned())
    }

    /// Ends it: politely, then not.
    pub async fn stop(mut self) {
        for signal in [Signal::TERM, Signal::KILL] {
            if self.ended.borrow().is_some() {
                return;
            }
            let _ = rustix::process::kill_process(self.pid, signal);
            let _ = tokio::time::timeout(STOP_TIMEOUT, self.wait()).await;
        }
    }
}

/// Takes the ends of all processes there are: the X server's, and of those left to us (we are
/// process 1 of the container).
fn reap(x_server: Pid, tell: &watch::Sender<Option<String>>) {
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == x_server {
            tell.send_replace(Some(describe(status)));
        }
    }
}

fn describe(status: WaitStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// Reads the display's number up to the line's end; nothing when the X server closed the pipe.
fn read_number(pipe: OwnedFd) -> std::io::Result<Option<u16>> {
    let mut pipe = std::fs::File::from(pipe);
    let mut text = Vec::new();
    let mut byte = [0];
    while text.len() < 16 && pipe.read(&mut byte)? == 1 {
        if byte[0] == b'\n' {
            return Ok(std::str::from_utf8(&text)
                .ok()
                .and_then(|text| text.trim().parse().ok()));
        }
        text.push(byte[0]);
    }
    Ok(None)
}
