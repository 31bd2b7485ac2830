//! Sessions from request to gone, with agents that break down at every step.

mod api;
mod compat;
mod faults;
mod http;
mod life;
mod links;
mod property;
mod stack;
