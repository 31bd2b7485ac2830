//! Porthole's one binary: the server with all its roles, an agent of its own, and the
//! administrator's commands.

mod agent;
mod cli;
mod config;
mod console;
mod doctor;
mod greeting;
mod group_settings;
mod listener;
mod logging;
mod serve;
mod tls;
mod user;

use clap::Parser as _;
use std::process::ExitCode;

/// Gives the 19 MiB of each password check back to the system; the C library keeps them, one per
/// thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Several cryptography libraries may be linked in; name ours before anything uses one.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("porthole: a cryptography provider was installed before main");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("porthole: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli::run(cli::Arguments::parse())) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("porthole: {error:#}");
            ExitCode::FAILURE
        }
    }
}
