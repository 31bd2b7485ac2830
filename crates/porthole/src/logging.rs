//! Structured logs on standard error, so that standard output stays for people.

use crate::config::{Log, LogFormat};
use anyhow::{Context, Result};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process.
///
/// # Errors
/// When the level is not one, or logging was started before.
pub fn start(log: &Log) -> Result<()> {
    // These two tell of every query and connection at `info`.
    let directives = format!("sqlx=warn,sea_orm_migration=warn,{}", log.level);
    let filter = EnvFilter::try_new(&directives)
        .with_context(|| format!("log.level = {:?} is not a log level", log.level))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}
