//! The v1 API: routes, bodies and their description. No rules here; they are in `app/`.

mod client;
mod console;
mod csrf;
mod error;
mod extract;
mod headers;
mod health;
mod list;
mod openapi;
mod router;

pub mod agents;
pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod events;
pub mod groups;
pub mod policy;
pub mod sessions;
pub mod users;
pub mod workspaces;

pub(crate) use auth::user_agent;
pub use client::Client;
pub use console::{ConsoleFile, ConsoleFiles};
pub use error::Problem;
pub use extract::{Anonymous, Context, Json, Path, Query};
pub(crate) use extract::{authenticate, body, client, nobody, read_json};
pub use list::{List, ListQuery};
pub use openapi::document;
pub(crate) use router::router;
