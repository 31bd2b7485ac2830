//! The control plane: who may do what, the v1 API, the Kasm-compatible calls, and the manager. It
//! serves the console's files, which the program brings along.
//!
//! A noun has a file of its name in each layer: `app/` holds the rules and asks who may, `http/` is
//! the v1 API, `compat/` the Kasm-compatible calls, and the last two hold no rules. Every call into
//! `app/` takes a [`RequestContext`]; every failure is an [`AppError`] and becomes HTTP in
//! `http/error.rs` alone.

// The Kasm-compatible objects have many members.
#![recursion_limit = "512"]

pub mod app;
pub mod compat;
mod context;
mod error;
mod events;
pub mod http;
pub mod links;
pub mod manager;
mod state;
pub mod tickets;

pub use context::{Actor, RequestContext};
pub use error::{AppError, FieldError};
pub use events::{Audience, Event, Events, Revocation};
pub use http::{ConsoleFile, ConsoleFiles};
pub use state::{CertificatePin, Control, ControlConfig};
