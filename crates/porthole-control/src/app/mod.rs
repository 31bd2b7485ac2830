//! The rules: what may be done, by whom, and what follows. Every call takes a
//! [`RequestContext`](crate::RequestContext), asks it first, and is a method of
//! [`Control`](crate::Control).

pub mod agents;
pub mod api_keys;
pub mod auth;
pub mod first_start;
pub mod groups;
pub mod passwords;
pub mod policy;
pub mod sessions;
pub mod users;
pub(crate) mod validate;
pub mod workspaces;
