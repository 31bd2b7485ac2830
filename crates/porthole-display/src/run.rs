//! From start to end.

use crate::{
    config::Config,
    desktop::Desktop,
    http,
    viewer::Services,
    x11::{
        XError,
        capture::Capture,
        clipboard::ClipboardThread,
        input::{self, InputThread},
        xserver::{XServer, XServerError},
    },
};
use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    thread,
};
use tokio::{
    net::UnixListener,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// Why the display ended other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The X server did not start.
    #[error(transparent)]
    XServer(#[from] XServerError),
    /// The X server ended.
    #[error("the X server ended by itself: {0}")]
    XServerEnded(String),
    /// A part that talks to the X server failed.
    #[error("{part}: {source}")]
    Part {
        /// Which.
        part: &'static str,
        /// Why.
        source: XError,
    },
    /// A part ended without a reason.
    #[error("{0} ended by itself")]
    PartEnded(&'static str),
    /// The socket.
    #[error("the socket {path} cannot be used: {source}")]
    Socket {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Signals, threads, descriptors.
    #[error("the system refused something: {0}")]
    System(#[from] io::Error),
}

/// Runs the display until it is told to end (SIGTERM, SIGINT).
///
/// # Errors
/// When it cannot start, or a part of it ends by itself.
pub async fn run(config: Config) -> Result<(), RunError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // A socket of a run before would say that this one is ready.
    remove(&config.socket)?;
    let mut x_server = XServer::start(&config).await?;
    let served = tokio::select! {
        ended = serve(&config, x_server.number) => ended,
        status = x_server.wait() => Err(RunError::XServerEnded(status)),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    let _ = remove(&config.socket);
    // When the X server goes, its clients see that first.
    let ended = match served {
        Err(error @ (RunError::Part { .. } | RunError::PartEnded(_))) => {
            let grace = std::time::Duration::from_millis(500);
            match tokio::time::timeout(grace, x_server.wait()).await {
                Ok(status) => Err(RunError::XServerEnded(status)),
                _ => Err(error),
            }
        }
        other => other,
    };
    x_server.stop().await;
    ended
}

async fn serve(config: &Config, number: u16) -> Result<(), RunError> {
    let (desktop, commands) = Desktop::new(config.max, number, &config.name)?;
    let failed = |part| move |source| RunError::Part { part, source };
    let capture = Capture::start(
        desktop.clone(),
        commands,
        &config.framebuffer_dir,
        config.size,
    )
    .map_err(failed("capture"))?;
    let input = InputThread::start(number, desktop.clone()).map_err(failed("input"))?;
    let (clipboard, handle) = ClipboardThread::start(desktop.clone(), config.clipboard_max)
        .map_err(failed("clipboard"))?;
    let (inputs, receiver) = mpsc::channel(input::QUEUE);
    let (ends, mut ended) = mpsc::channel(3);
    spawn("capture", &ends, move || capture.run())?;
    spawn("input", &ends, move || input.run(receiver))?;
    spawn("clipboard", &ends, move || clipboard.run())?;
    drop(ends);
    let services = Services {
        desktop,
        input: inputs,
        clipboard: handle,
        clipboard_max: config.clipboard_max,
    };
    let listener = listen(&config.socket)?;
    tracing::info!(
        display = number,
        width = config.size.width,
        height = config.size.height,
        socket = %config.socket.display(),
        "ready"
    );
    let server = axum::serve(listener, http::router(services));
    tokio::select! {
        result = server.into_future() => result.map_err(RunError::System),
        end = ended.recv() => Err(match end {
            Some((part, Err(source))) => RunError::Part { part, source },
            Some((part, Ok(()))) => RunError::PartEnded(part),
            None => RunError::PartEnded("every part"),
        }),
    }
}

type End = (&'static str, Result<(), XError>);

fn spawn(
    name: &'static str,
    ends: &mpsc::Sender<End>,
    work: impl FnOnce() -> Result<(), XError> + Send + 'static,
) -> io::Result<()> {
    /// Tells the end of the thread, a panic's too.
    struct Tell(&'static str, mpsc::Sender<End>, Option<Result<(), XError>>);
    impl Drop for Tell {
        fn drop(&mut self) {
            let result = self
                .2
                .take()
                .unwrap_or(Err(XError::Missing("a thread that panicked")));
            let _ = self.1.try_send((self.0, result));
        }
    }
    let tell = Tell(name, ends.clone(), None);
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let mut tell = tell;
            tell.2 = Some(work());
        })?;
    Ok(())
}

/// Listens so that the socket's name appears only when connections are taken.
fn listen(path: &Path) -> Result<UnixListener, RunError> {
    let failed = |source| RunError::Socket {
        path: path.to_owned(),
        source,
    };
    let mut hidden = path.as_os_str().to_owned();
    hidden.push(".new");
    let hidden = PathBuf::from(hidden);
    remove(&hidden)?;
    let listener = UnixListener::bind(&hidden).map_err(failed)?;
    // The agent is another user; nobody else gets into the directory.
    fs::set_permissions(&hidden, fs::Permissions::from_mode(0o777)).map_err(failed)?;
    fs::rename(&hidden, path).map_err(failed)?;
    Ok(listener)
}

fn remove(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RunError::Socket {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
