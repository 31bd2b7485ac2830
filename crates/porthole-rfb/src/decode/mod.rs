//! The viewer's side.
