//! End to end, through the public surfaces only: the real binary, a real container engine, the
//! real images.

mod engine;
mod faults;
mod launch;
mod operations;
mod stack;
