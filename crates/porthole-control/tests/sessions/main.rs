//! Sessions from request to gone, with agents that break down at every step.

mod faults;
mod life;
mod links;
mod property;
mod stack;
