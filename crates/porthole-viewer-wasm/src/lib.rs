//! The viewer's decoder, compiled to WebAssembly for `web/viewer`.
//!
//! Bytes from the display go in; out come drawing operations, in order, for whoever has a canvas,
//! and events. The canvas is the only picture: pixels wait here only until they are drawn.
//!
//! - [`Machine`]: feeds the decoder of `porthole-rfb` and says what is to be done next.
//! - [`ops`]: the operations as numbers.
//! - [`event`]: the events as bytes.
//! - [`exports`]: what JavaScript calls.

pub mod event;
pub mod exports;
mod machine;
pub mod ops;

pub use machine::{Machine, Next};
