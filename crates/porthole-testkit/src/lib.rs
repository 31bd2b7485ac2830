//! What tests stand on.

pub mod simulated_agent;

pub use simulated_agent::SimulatedAgent;
