//! Which key of the X server gives a symbol, and what else must be held for it. Pure: the X
//! server's map comes in, plans come out.

mod keymap;
mod scancodes;
mod symbols;

pub use keymap::{Key, KeyType, Keymap, Level, Modifiers, Plan, State};
pub use scancodes::keycode_of_scancode;
pub use symbols::{is_modifier, is_small, normalise, other_case};
