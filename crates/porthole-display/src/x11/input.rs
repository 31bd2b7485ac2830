//! Types and points for the viewers (XTEST).
//!
//! Runs on a thread of its own, on its own connection, so that neither capture nor a viewer waits
//! for it.

use super::{XConnection, XError};
use crate::{
    desktop::{Desktop, ViewerId},
    keyboard::{
        Key, KeyType, Keymap, Level, Modifiers, State, is_modifier, is_small, keycode_of_scancode,
        other_case,
    },
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use x11rb::{
    CURRENT_TIME,
    connection::Connection as _,
    protocol::{
        Event,
        xkb::{self, ConnectionExt as _},
        xproto::{
            BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, KEY_PRESS_EVENT,
            KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT, ModMask,
        },
        xtest::ConnectionExt as _,
    },
};

/// Commands that may wait; a viewer that sends more is held up.
pub const QUEUE: usize = 256;
/// The pointer's buttons.
const BUTTONS: u8 = 9;
/// How long a symbol stays with a key after its last use.
const REUSE: Duration = Duration::from_millis(300);
/// XKB's name of the keyboard that applications see.
const CORE_KEYBOARD: u16 = 0x100;

/// What a viewer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key {
        /// Whose.
        viewer: ViewerId,
        /// Pressed (or repeated), or released.
        down: bool,
        /// The symbol; 0 when not known.
        symbol: u32,
        /// The XT scan code of its place, when known.
        scancode: Option<u32>,
    },
    /// The pointer.
    Pointer {
        /// Whose.
        viewer: ViewerId,
        /// Column.
        x: u16,
        /// Row.
        y: u16,
        /// Buttons held, the first in bit 0.
        buttons: u16,
    },
    /// The pointer, from where it is.
    Motion {
        /// Whose.
        viewer: ViewerId,
        /// Columns to the right.
        x: i16,
        /// Rows down.
        y: i16,
        /// Buttons held, the first in bit 0.
        buttons: u16,
    },
    /// The viewer went: what it holds is let go.
    Leave(ViewerId),
}

/// Names a key of a viewer's keyboard: by its place when that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ViewerKey {
    Place(u32),
    Symbol(u32),
}

#[derive(Debug, Default)]
struct Held {
    /// The viewer's keys that are down, the X server's key for each, and the symbol.
    keys: HashMap<ViewerKey, (u8, u32)>,
    buttons: u16,
    /// Buttons that were pressed where the viewer sees nothing: nobody hears of them.
    unheard: u16,
}

/// A symbol that was given to a key without one.
#[derive(Debug, Clone, Copy)]
struct Lent {
    keycode: u8,
    symbol: u32,
    used: Instant,
}

/// The input thread's state.
pub struct InputThread {
    x: XConnection,
    desktop: Arc<Desktop>,
    keymap: Keymap,
    stale: bool,
    viewers: HashMap<ViewerId, Held>,
    lent: Vec<Lent>,
    spare: Vec<u8>,
}

impl InputThread {
    /// Connects.
    ///
    /// # Errors
    /// When the X server lacks something or cannot be reached.
    pub fn start(desktop: Arc<Desktop>) -> Result<Self, XError> {
        let x = XConnection::open(desktop.number)?;
        x.conn.xtest_get_version(2, 2)?.reply()?;
        if !x.conn.xkb_use_extension(1, 0)?.reply()?.supported {
            return Err(XError::Missing("XKB"));
        }
        let events = xkb::EventType::NEW_KEYBOARD_NOTIFY | xkb::EventType::MAP_NOTIFY;
        let all = xkb::MapPart::from(0xff_u16);
        let nothing = xkb::EventType::from(0_u16);
        let details = xkb::SelectEventsAux::new();
        x.conn
            .xkb_select_events(CORE_KEYBOARD, nothing, events, all, all, &details)?
            .check()?;
        let mut input = Self {
            x,
            desktop,
            keymap: Keymap::default(),
            stale: true,
            viewers: HashMap::new(),
            lent: Vec::new(),
            spare: Vec::new(),
        };
        input.reload()?;
        input.tell_locks()?;
        Ok(input)
    }

    /// Does what viewers do until nobody can send any more.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn run(mut self, mut inputs: mpsc::Receiver<Input>) -> Result<(), XError> {
        while let Some(input) = inputs.blocking_recv() {
            match self.act(input) {
                Ok(()) => {}
                Err(error @ XError::Connection(_)) => return Err(error),
                Err(error) => tracing::warn!(?input, %error, "input was lost"),
            }
            self.x.conn.flush()?;
        }
        Ok(())
    }

    fn act(&mut self, input: Input) -> Result<(), XError> {
        while let Some(event) = self.x.conn.poll_for_event()? {
            match event {
                Event::MappingNotify(_)
                | Event::XkbMapNotify(_)
                | Event::XkbNewKeyboardNotify(_) => self.stale = true,
                _ => {}
            }
        }
        match input {
            Input::Key {
                viewer,
                down,
                symbol,
                scancode,
            } => {
                self.key(viewer, down, symbol, scancode)?;
                self.tell_locks()
            }
            Input::Pointer {
                viewer,
                x,
                y,
                buttons,
            } => {
                self.fake(MOTION_NOTIFY_EVENT, 0, x, y)?;
                self.buttons(viewer, buttons)
            }
            Input::Motion {
                viewer,
                x,
                y,
                buttons,
            } => {
                self.move_by(x, y)?;
                self.buttons(viewer, buttons)
            }
            Input::Leave(viewer) => self.leave(viewer),
        }
    }

    /// Presses and releases buttons where the pointer is, unless viewers see nothing there.
    fn buttons(&mut self, viewer: ViewerId, buttons: u16) -> Result<(), XError> {
        let held = self.viewers.entry(viewer).or_default();
        held.unheard &= buttons;
        let pressed = buttons & !held.buttons & !held.unheard;
        if pressed != 0 && self.desktop.hides() {
            let at = self.x.conn.query_pointer(self.x.root)?.reply()?;
            let (x, y) = (at.root_x.max(0), at.root_y.max(0));
            if self.desktop.is_hidden(x.cast_unsigned(), y.cast_unsigned()) {
                held.unheard |= pressed;
            }
        }
        let buttons = buttons & !held.unheard;
        let before = std::mem::replace(&mut held.buttons, buttons);
        for button in 1..=BUTTONS {
            let bit = 1 << (button - 1);
            if (before ^ buttons) & bit != 0 {
                let kind = if buttons & bit != 0 {
                    BUTTON_PRESS_EVENT
                } else {
                    BUTTON_RELEASE_EVENT
                };
                self.fake(kind, button, 0, 0)?;
            }
        }
        Ok(())
    }

    fn leave(&mut self, viewer: ViewerId) -> Result<(), XError> {
        let Some(held) = self.viewers.remove(&viewer) else {
            return Ok(());
        };
        for (keycode, _) in held.keys.values() {
            self.fake(KEY_RELEASE_EVENT, *keycode, 0, 0)?;
        }
        for button in (1..=BUTTONS).filter(|button| held.buttons & 1 << (button - 1) != 0) {
            self.fake(BUTTON_RELEASE_EVENT, button, 0, 0)?;
        }
        Ok(())
    }

    fn key(
        &mut self,
        viewer: ViewerId,
        down: bool,
        symbol: u32,
        scancode: Option<u32>,
    ) -> Result<(), XError> {
        let name = match scancode {
            Some(code) if code != 0 => ViewerKey::Place(code),
            _ => ViewerKey::Symbol(symbol),
        };
        let held = self.viewers.entry(viewer).or_default();
        if !down {
            // Without a place the symbol may have changed meanwhile, with Shift let go first.
            let other = other_case(symbol);
            let found = held.keys.remove(&name).or_else(|| {
                let other = other.filter(|_| matches!(name, ViewerKey::Symbol(_)))?;
                held.keys.remove(&ViewerKey::Symbol(other))
            });
            return match found {
                Some((keycode, _)) => self.fake(KEY_RELEASE_EVENT, keycode, 0, 0),
                None => Ok(()),
            };
        }
        if let Some((keycode, was)) = held.keys.get(&name).copied() {
            if was == symbol || symbol == 0 {
                // A repeat: as the X server's own, a release and a press. Modifiers have none.
                if is_modifier(symbol) {
                    return Ok(());
                }
                self.fake(KEY_RELEASE_EVENT, keycode, 0, 0)?;
                return self.fake(KEY_PRESS_EVENT, keycode, 0, 0);
            }
            held.keys.remove(&name);
            self.fake(KEY_RELEASE_EVENT, keycode, 0, 0)?;
        }
        let Some(keycode) = self.press(symbol, scancode)? else {
            tracing::debug!(symbol, scancode, "no key for this symbol");
            return Ok(());
        };
        self.viewers
            .entry(viewer)
            .or_default()
            .keys
            .insert(name, (keycode, symbol));
        Ok(())
    }

    /// Presses the key that gives the symbol, with what it needs; says which it was.
    fn press(&mut self, symbol: u32, scancode: Option<u32>) -> Result<Option<u8>, XError> {
        if self.stale {
            self.reload()?;
        }
        let place = scancode
            .and_then(keycode_of_scancode)
            .filter(|keycode| self.keymap.means_something(*keycode));
        if symbol == 0 {
            if let Some(keycode) = place {
                self.fake(KEY_PRESS_EVENT, keycode, 0, 0)?;
            }
            return Ok(place);
        }
        let state = self.state()?;
        if is_modifier(symbol)
            && let Some(keycode) = place.filter(|code| self.keymap.gives(*code, symbol, 0))
        {
            self.fake(KEY_PRESS_EVENT, keycode, 0, 0)?;
            return Ok(Some(keycode));
        }
        let mut plan = self.keymap.plan(symbol, state, place);
        if plan.is_none() {
            // A shortcut on a keyboard of another script: the place says which one is meant.
            let shortcut = ModMask::CONTROL | ModMask::M1 | ModMask::M4;
            let held = u16::from(state.modifiers) & u16::from(shortcut) != 0;
            if !(held && place.is_some()) && self.lend(symbol)? {
                plan = self.keymap.plan(symbol, state, place);
            }
        }
        let Some(plan) = plan else {
            if let Some(keycode) = place {
                self.fake(KEY_PRESS_EVENT, keycode, 0, 0)?;
            }
            return Ok(place);
        };
        let locks = plan.lock | plan.unlock;
        if locks != 0 {
            self.x.conn.xkb_latch_lock_state(
                CORE_KEYBOARD,
                ModMask::from(u16::from(locks)),
                ModMask::from(u16::from(plan.lock)),
                false,
                xkb::Group::M1,
                ModMask::from(0_u16),
                false,
                0,
            )?;
        }
        let pressed = self.modifier_keys(plan.press);
        let released = self.held_keys(plan.release);
        self.fake_all(KEY_RELEASE_EVENT, &released)?;
        self.fake_all(KEY_PRESS_EVENT, &pressed)?;
        self.fake(KEY_PRESS_EVENT, plan.keycode, 0, 0)?;
        self.fake_all(KEY_RELEASE_EVENT, &pressed)?;
        self.fake_all(KEY_PRESS_EVENT, &released)?;
        self.touch(plan.keycode);
        Ok(Some(plan.keycode))
    }

    /// Gives the symbol to a key that has none, or whose lent symbol was used longest ago; whether
    /// there was such a key.
    fn lend(&mut self, symbol: u32) -> Result<bool, XError> {
        let keycode = if let Some(keycode) = self.spare.pop() {
            keycode
        } else {
            let down: Vec<u8> = self.down().collect();
            let oldest = (0..self.lent.len())
                .filter(|at| !down.contains(&self.lent[*at].keycode))
                .min_by_key(|at| self.lent[*at].used);
            let Some(at) = oldest else {
                return Ok(false);
            };
            let lent = self.lent.swap_remove(at);
            // Applications look a key's symbol up when they come to the event, not when it is
            // sent; nothing tells when they have.
            #[expect(clippy::disallowed_methods, reason = "no event tells; bounded")]
            std::thread::sleep(REUSE.saturating_sub(lent.used.elapsed()));
            lent.keycode
        };
        // Letters with both their cases. Else the same on both levels, so that a held Shift
        // changes nothing.
        let pair = match (other_case(symbol), is_small(symbol)) {
            (Some(other), true) => [symbol, other],
            (Some(other), false) => [other, symbol],
            (None, _) => [symbol, symbol],
        };
        self.x
            .conn
            .change_keyboard_mapping(1, keycode, 2, &pair)?
            .check()?;
        self.lent.push(Lent {
            keycode,
            symbol,
            used: Instant::now(),
        });
        // Applications are told of the new map before they are told of the key: the X server keeps
        // the order.
        self.reload()?;
        Ok(true)
    }

    fn touch(&mut self, keycode: u8) {
        if let Some(lent) = self.lent.iter_mut().find(|lent| lent.keycode == keycode) {
            lent.used = Instant::now();
        }
    }

    fn down(&self) -> impl Iterator<Item = u8> {
        self.viewers
            .values()
            .flat_map(|held| held.keys.values().map(|(keycode, _)| *keycode))
    }

    fn modifier_keys(&self, modifiers: Modifiers) -> Vec<u8> {
        (0..8)
            .map(|bit| 1 << bit)
            .filter(|bit| modifiers & bit != 0)
            .filter_map(|bit| self.keymap.modifier_key(bit))
            .collect()
    }

    /// The keys that viewers hold which set any of these modifiers.
    fn held_keys(&self, modifiers: Modifiers) -> Vec<u8> {
        let mut keys: Vec<u8> = self
            .down()
            .filter(|keycode| self.keymap.modifiers(*keycode) & modifiers != 0)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn state(&self) -> Result<State, XError> {
        let state = self.x.conn.xkb_get_state(CORE_KEYBOARD)?.reply()?;
        Ok(State {
            modifiers: u16::from(state.mods) as Modifiers,
            locked: u16::from(state.locked_mods) as Modifiers,
            group: u8::from(state.group),
        })
    }

    fn reload(&mut self) -> Result<(), XError> {
        while self.x.conn.poll_for_event()?.is_some() {}
        self.keymap = fetch(&self.x)?;
        self.stale = false;
        // Somebody may have loaded another map over the symbols that were lent.
        let keymap = &self.keymap;
        self.lent
            .retain(|lent| keymap.gives(lent.keycode, lent.symbol, 0));
        self.spare = keymap.spare();
        Ok(())
    }

    fn tell_locks(&self) -> Result<(), XError> {
        let locks = self.keymap.locks(self.state()?.locked);
        self.desktop.set_locks(locks);
        Ok(())
    }

    /// Motion itself, for programs that hold the pointer: a place would be wherever they put it.
    fn move_by(&self, x: i16, y: i16) -> Result<(), XError> {
        const RELATIVE: u8 = 1;
        if (x, y) != (0, 0) {
            let (kind, root) = (MOTION_NOTIFY_EVENT, self.x.root);
            self.x
                .conn
                .xtest_fake_input(kind, RELATIVE, CURRENT_TIME, root, x, y, 0)?;
        }
        Ok(())
    }

    fn fake_all(&self, kind: u8, keycodes: &[u8]) -> Result<(), XError> {
        keycodes
            .iter()
            .try_for_each(|keycode| self.fake(kind, *keycode, 0, 0))
    }

    fn fake(&self, kind: u8, detail: u8, x: u16, y: u16) -> Result<(), XError> {
        let clamp = |value: u16| i16::try_from(value).unwrap_or(i16::MAX);
        self.x.conn.xtest_fake_input(
            kind,
            detail,
            CURRENT_TIME,
            self.x.root,
            clamp(x),
            clamp(y),
            0,
        )?;
        Ok(())
    }
}

/// Fetches the X server's keyboard map.
fn fetch(x: &XConnection) -> Result<Keymap, XError> {
    let nothing = xkb::MapPart::from(0_u16);
    let parts = xkb::MapPart::KEY_TYPES | xkb::MapPart::KEY_SYMS | xkb::MapPart::MODIFIER_MAP;
    let vmods = xkb::VMod::from(0_u16);
    let reply = x
        .conn
        .xkb_get_map(
            CORE_KEYBOARD,
            parts,
            nothing,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            vmods,
            0,
            0,
            0,
            0,
            0,
            0,
        )?
        .reply()?;
    let types = reply
        .map
        .types_rtrn
        .unwrap_or_default()
        .into_iter()
        .map(|kind| KeyType {
            mask: u16::from(kind.mods_mask) as Modifiers,
            levels: kind
                .map
                .into_iter()
                .filter(|entry| entry.active)
                .map(|entry| Level {
                    modifiers: u16::from(entry.mods_mask) as Modifiers,
                    level: entry.level,
                })
                .collect(),
        });
    let mut keys: Vec<Key> = reply
        .map
        .syms_rtrn
        .unwrap_or_default()
        .into_iter()
        .map(|key| {
            let groups = usize::from(key.group_info & 0xf).min(key.kt_index.len());
            Key {
                types: key.kt_index[..groups].to_vec(),
                out_of_range: match key.group_info & 0xc0 {
                    0x40 => 1,
                    0x80 => 2,
                    _ => 0,
                },
                redirect: key.group_info >> 4 & 3,
                width: key.width,
                symbols: key.syms,
                modifiers: 0,
            }
        })
        .collect();
    let first = reply.first_key_sym;
    for entry in reply.map.modmap_rtrn.unwrap_or_default() {
        let key = entry
            .keycode
            .checked_sub(first)
            .and_then(|at| keys.get_mut(usize::from(at)));
        if let Some(key) = key {
            key.modifiers = u16::from(entry.mods) as Modifiers;
        }
    }
    Ok(Keymap::new(first, keys, types.collect()))
}
