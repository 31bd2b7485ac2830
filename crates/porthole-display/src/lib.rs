//! Runs in the display container: starts the X server, follows what is drawn, and serves it as RFB
//! over WebSockets on a unix socket; types, points and copies for the viewers.
//!
//! ```text
//!  X server ── damage ──► capture thread ──► frame ──► viewer ──► WebSocket ──► agent
//!     ▲  ▲                                              │ each: a task, drawing on a thread; what
//!     │  │                                              │ is the same for several is made once
//!     │  └── selections ◄── clipboard thread ◄──────────┤
//!     └───── XTEST ◄─────── input thread ◄──────────────┘
//! ```
//!
//! Each thread has its own connection to the X server, and none waits for a viewer. What a viewer
//! has not seen is kept as a set of tiles, so a viewer that does not read costs a fixed amount of
//! memory.

pub mod config;
pub mod desktop;
pub mod frame;
pub mod geometry;
pub mod http;
pub mod keyboard;
pub mod motion;
pub mod overlay;
pub mod run;
pub mod screenshot;
pub mod viewer;
pub mod x11;
