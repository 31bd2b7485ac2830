//! What JavaScript calls. One connection in each instance; memory is read and written by the
//! other side at the addresses told here, which hold until the next call.
//!
//! `unsafe` is allowed for the exported names alone: they exist once in the module that pages load
//! and clash with nothing. No pointer is ever followed here.
#![allow(unsafe_code)]

use crate::Machine;
use std::cell::RefCell;

thread_local! {
    static MACHINE: RefCell<Machine> = RefCell::new(Machine::new());
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Room for so many bytes of input. Where they go.
#[unsafe(no_mangle)]
pub extern "C" fn viewer_input(len: usize) -> *mut u8 {
    INPUT.with_borrow_mut(|input| {
        // Grown or cut, not cleared: what is there is written over.
        input.resize(len, 0);
        input.as_mut_ptr()
    })
}

/// The input is received bytes.
#[unsafe(no_mangle)]
pub extern "C" fn viewer_feed() {
    INPUT.with_borrow(|input| MACHINE.with_borrow_mut(|machine| machine.feed(input)));
}

/// Goes on; a number of [`Next`](crate::Next).
#[unsafe(no_mangle)]
pub extern "C" fn viewer_next() -> u32 {
    MACHINE.with_borrow_mut(|machine| machine.proceed() as u32)
}

/// Where the operations' numbers are.
#[unsafe(no_mangle)]
pub extern "C" fn viewer_ops() -> *const u32 {
    MACHINE.with_borrow(|machine| machine.ops().words().as_ptr())
}

/// How many numbers there are.
#[unsafe(no_mangle)]
pub extern "C" fn viewer_ops_len() -> usize {
    MACHINE.with_borrow(|machine| machine.ops().words().len())
}

/// Where the operations' bytes are.
#[unsafe(no_mangle)]
pub extern "C" fn viewer_bytes() -> *const u8 {
    MACHINE.with_borrow(|machine| machine.ops().bytes().as_ptr())
}

/// Where the event is.
#[unsafe(no_mangle)]
pub extern "C" fn viewer_event() -> *const u8 {
    MACHINE.with_borrow(|machine| machine.event().as_ptr())
}

/// The event's length.
#[unsafe(no_mangle)]
pub extern "C" fn viewer_event_len() -> usize {
    MACHINE.with_borrow(|machine| machine.event().len())
}
