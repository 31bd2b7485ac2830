//! The agent against a real container engine.
//!
//! Needs an engine (`DOCKER_HOST`, or Docker's usual socket), the display image
//! (`PORTHOLE_TEST_DISPLAY_IMAGE`, or the one of this version) and `porthole/core-debian:1.0`.
//! Each test has an agent id, a network and a runtime directory of its own and leaves nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by them"
)]

mod engine_away;
mod engine_killed;
mod faults;
mod files;
mod harness;
mod life;
mod protection;
mod pulls;
mod speed;
