//! The program in the display container.

use porthole_display::{config::Config, run::run};
use std::{io::IsTerminal as _, process::ExitCode};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter =
        EnvFilter::try_from_env("PORTHOLE_DISPLAY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let result = Config::from_env()
        .map_err(|error| error.to_string())
        .and_then(|config| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| format!("the runtime could not be started: {error}"))?;
            runtime
                .block_on(run(config))
                .map_err(|error| error.to_string())
        });
    match result {
        // Threads of the parts end with the process.
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("porthole-display: {error}");
            ExitCode::FAILURE
        }
    }
}
