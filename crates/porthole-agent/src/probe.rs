//! A look at a host without running anything: for `porthole doctor`.

use crate::{engine::Engine, failures};
use porthole_model::{resources::Bytes, session::Failure};
use std::{io, path::Path};

/// What an engine said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its name and version, such as `Docker 20.10.24`.
    pub engine: String,
    /// Every image on it.
    pub images: Vec<String>,
}

/// Asks an engine who it is and what it has.
///
/// # Errors
/// In a person's words: nobody answers at the address, or not to this user.
pub async fn look(address: &str) -> Result<Facts, Failure> {
    let engine = Engine::new(address).map_err(|error| Failure {
        what: error.to_string(),
        part: "agent.engine".to_owned(),
        advice: "Correct the setting.".to_owned(),
    })?;
    let failed = |error| failures::engine("the container engine does not work", address, &error);
    let info = engine.info().await.map_err(failed)?;
    let images = engine.images().await.map_err(failed)?;
    Ok(Facts {
        engine: info.name,
        images: images
            .into_iter()
            .map(|report| report.image.to_string())
            .collect(),
    })
}

/// Space left on the disk that holds a folder.
///
/// # Errors
/// When the folder is not there or the system does not say.
pub fn free_space(folder: &Path) -> io::Result<Bytes> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(Bytes(stat.f_bavail.saturating_mul(stat.f_frsize)))
}
