//! The API through its router, as browsers and programs meet it.

mod compat;
mod console;
mod identity;
mod input;
mod routes;
mod support;
mod users;
mod workspaces;
