//! What the server and its agents say to each other, how a stream is named and allowed, and how it
//! ends. Pure: no I/O of its own.

pub mod agent;
pub mod close;
pub mod socket;
pub mod ticket;
