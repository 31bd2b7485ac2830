//! Sessions from request to gone, with agents that break down at every step.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod api;
mod compat;
mod faults;
mod http;
mod life;
mod links;
mod policy;
mod property;
mod stack;
