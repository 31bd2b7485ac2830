//! One viewer: RFB over a WebSocket, each message of the display in a message of its own.

mod clipboard;
mod pacing;
mod picture;
mod refresh;
mod session;

pub use session::{Access, Services, serve};
