//! sessions

/// Pictures.
#[derive(Default)]
pub struct Thumbnails;
