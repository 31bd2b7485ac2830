//! The words of Porthole as types, and the rules that need nothing but them.
//!
//! Pure: no I/O, no async, no database or HTTP types, so that every rule can be tested alone and
//! the server, the agent and the gateway give the same answer.

pub mod ids;
pub mod image;
pub mod permission;
pub mod placement;
pub mod policy;
pub mod protection;
pub mod resources;
pub mod session;
pub mod statistics;
