//! The console's files, embedded in the program.

use bytes::Bytes;
use porthole_control::ConsoleFile;
use rust_embed::RustEmbed;
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "../../web/console/dist"]
#[allow_missing = true]
struct Embedded;

/// A file by its path below the console's root; `None` also when the program was built without the
/// console.
pub fn file(path: &str) -> Option<ConsoleFile> {
    let file = Embedded::get(path)?;
    Some(ConsoleFile {
        hash: file.metadata.sha256_hash(),
        data: match file.data {
            Cow::Borrowed(data) => Bytes::from_static(data),
            Cow::Owned(data) => data.into(),
        },
    })
}
