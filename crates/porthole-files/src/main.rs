//! The helper: runs inside a session's container as the session's user, and does with files what
//! the gateway asks over standard input and output. It ends with its input.

mod helper;

use std::{env, os::unix::ffi::OsStrExt, path::PathBuf, process::ExitCode};

/// The home where the environment names none.
const HOME: &str = "/home/kasm-user";

fn main() -> ExitCode {
    let home = env::var_os("HOME")
        .filter(|home| home.as_bytes().starts_with(b"/") && home.len() > 1)
        .unwrap_or_else(|| HOME.into());
    match helper::run(&PathBuf::from(home)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("porthole-files: {error}");
            ExitCode::FAILURE
        }
    }
}
