//! The committed description of the API is the one that the code makes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::{fs, path::Path};

#[test]
fn the_committed_document_is_up_to_date() {
    let path = Path::new("../../openapi/porthole.json");
    let made = porthole_control::http::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, made).unwrap();
        return;
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == made,
        "openapi/porthole.json is not what the code makes; write it anew with: \
         UPDATE=1 cargo test -p porthole-control --test openapi"
    );
}
