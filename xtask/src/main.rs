//! Rules of the repository that the compiler cannot check. `cargo xtask tidy` tells which are
//! broken, where, and why the rule exists.

mod dependencies;
mod sizes;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

fn main() -> ExitCode {
    let task = env::args().nth(1).unwrap_or_default();
    if task != "tidy" {
        eprintln!("usage: cargo xtask tidy");
        return ExitCode::from(2);
    }
    match tidy() {
        Ok(broken) if broken.is_empty() => {
            println!("tidy: all rules hold");
            ExitCode::SUCCESS
        }
        Ok(broken) => {
            for message in &broken {
                eprintln!("tidy: {message}");
            }
            eprintln!("tidy: {} broken", broken.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One message per broken rule.
fn tidy() -> Result<Vec<String>> {
    // Asked when it runs: clones may share what is built.
    let package = env::var("CARGO_MANIFEST_DIR").context("run it as 'cargo xtask tidy'")?;
    let root = Path::new(&package)
        .parent()
        .context("xtask lies in the workspace's root")?;
    let mut broken = dependencies::check(&dependencies::workspace(root)?);
    broken.extend(sizes::check(root)?);
    Ok(broken)
}
