//! A session's files.
//!
//! The gateway speaks with a small static program, the helper (`porthole-files`), which the agent
//! starts inside the workspace's container as the session's user: so paths mean what they mean to
//! the session's programs, no link leads out of the container, no right is used that the user has
//! not, and files belong to the user. What both say is here: [`frame`]s over the helper's standard
//! input and output, [`message`]s in them, and [`path`]s, none of which either side trusts.

pub mod frame;
pub mod message;
pub mod path;

/// The folder below the home that takes uploads.
pub const UPLOADS: &str = "Uploads";
/// The folder below [`UPLOADS`] in which uploads lie that are not complete.
pub const PARTS: &str = ".porthole-uploads";
