//! End to end, through the public surfaces only: the real binary, a real container engine, the
//! real images.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why and ends"
)]

mod engine;
mod faults;
mod launch;
mod operations;
mod stack;
