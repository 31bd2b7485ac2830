//! The API through its router, as browsers and programs meet it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod compat;
mod console;
mod groups;
mod identity;
mod input;
mod routes;
mod support;
mod users;
mod workspaces;
