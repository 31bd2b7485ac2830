//! The X server's keyboard map (XKB protocol, sections 7 and 15), read from its symbol's side.

use super::symbols::{
    ISO_LEVEL3_SHIFT, NO_SYMBOL, NUM_LOCK, SHIFT_L, is_extra, is_number_pad, normalise, other_case,
};

use porthole_rfb::client::lock;

/// Real modifiers as bits.
pub type Modifiers = u8;

const SHIFT: Modifiers = 1;
const LOCK: Modifiers = 1 << 1;
const CONTROL: Modifiers = 1 << 2;
const MOD1: Modifiers = 1 << 3;
const MOD4: Modifiers = 1 << 6;
/// Those that make a key a shortcut.
const SHORTCUT: Modifiers = CONTROL | MOD1 | MOD4;

/// How modifiers choose a level.
#[derive(Debug, Clone, Default)]
pub struct KeyType {
    /// Those that matter.
    pub mask: Modifiers,
    /// Which combination gives which level; any other gives the first.
    pub levels: Vec<Level>,
}

/// A combination of modifiers and the level it gives.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    /// Exactly these of the type's.
    pub modifiers: Modifiers,
    /// From 0.
    pub level: u8,
}

impl KeyType {
    fn level(&self, modifiers: Modifiers) -> u8 {
        let wanted = modifiers & self.mask;
        self.levels
            .iter()
            .find(|entry| entry.modifiers == wanted)
            .map_or(0, |entry| entry.level)
    }

    /// The combinations that give a level.
    fn combinations(&self, level: u8) -> impl Iterator<Item = Modifiers> {
        let listed = self.levels.iter().filter(move |entry| entry.level == level);
        // Nothing held gives the first level unless the list says something else.
        let bare = (level == 0 && self.level(0) == 0).then_some(0);
        listed.map(|entry| entry.modifiers).chain(bare)
    }
}

/// A key's symbols.
#[derive(Debug, Clone, Default)]
pub struct Key {
    /// The type of each group, an index into the map's types.
    pub types: Vec<u8>,
    /// What becomes of a group that the key lacks: 0 wraps, 1 stays at the last, 2 is `redirect`.
    pub out_of_range: u8,
    /// See `out_of_range`.
    pub redirect: u8,
    /// Levels of a group.
    pub width: u8,
    /// Group after group.
    pub symbols: Vec<u32>,
    /// The modifiers it sets while held.
    pub modifiers: Modifiers,
}

impl Key {
    fn group(&self, group: u8) -> Option<u8> {
        let count = u8::try_from(self.types.len())
            .ok()
            .filter(|count| *count > 0)?;
        Some(match self.out_of_range {
            _ if group < count => group,
            1 => count - 1,
            2 if self.redirect < count => self.redirect,
            2 => 0,
            _ => group % count,
        })
    }

    fn symbol(&self, group: u8, level: u8) -> u32 {
        if level >= self.width {
            return NO_SYMBOL;
        }
        let at = usize::from(group) * usize::from(self.width) + usize::from(level);
        self.symbols.get(at).copied().map_or(NO_SYMBOL, normalise)
    }

    /// Whether it is only for starting programs and the like, which few keyboards have.
    fn is_extra(&self) -> bool {
        let mut symbols = self
            .symbols
            .iter()
            .filter(|symbol| **symbol != NO_SYMBOL)
            .peekable();
        self.modifiers == 0 && symbols.peek().is_some() && symbols.all(|symbol| is_extra(*symbol))
    }

    fn is_empty(&self) -> bool {
        self.modifiers == 0 && self.symbols.iter().all(|symbol| *symbol == NO_SYMBOL)
    }
}

/// What is held and locked now.
#[derive(Debug, Clone, Copy, Default)]
pub struct State {
    /// All modifiers in effect.
    pub modifiers: Modifiers,
    /// Those of them that are locked.
    pub locked: Modifiers,
    /// The group in effect.
    pub group: u8,
}

/// How to type a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The key.
    pub keycode: u8,
    /// Modifiers to hold meanwhile.
    pub press: Modifiers,
    /// Modifiers to let go of meanwhile.
    pub release: Modifiers,
    /// Locks to turn on, for good.
    pub lock: Modifiers,
    /// Locks to turn off, for good.
    pub unlock: Modifiers,
}

impl Plan {
    const fn just(keycode: u8) -> Self {
        Self {
            keycode,
            press: 0,
            release: 0,
            lock: 0,
            unlock: 0,
        }
    }
}

/// The map.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    first: u8,
    keys: Vec<Key>,
    types: Vec<KeyType>,
    num_lock: Modifiers,
    level3: Modifiers,
    shift_key: Option<u8>,
    level3_key: Option<u8>,
}

impl Keymap {
    /// From the keys, whose codes start at `first`, and their types.
    pub fn new(first: u8, keys: Vec<Key>, types: Vec<KeyType>) -> Self {
        let mut map = Self {
            first,
            keys,
            types,
            ..Self::default()
        };
        let find = |symbol: u32| {
            map.iter()
                .find(|(_, key)| key.modifiers != 0 && key.symbol(0, 0) == symbol)
        };
        let shift = find(SHIFT_L).map(|(keycode, _)| keycode);
        let level3 = find(ISO_LEVEL3_SHIFT).map(|(keycode, key)| (keycode, key.modifiers));
        let num_lock = find(NUM_LOCK).map_or(0, |(_, key)| key.modifiers);
        map.shift_key = shift;
        map.level3_key = level3.map(|(keycode, _)| keycode);
        map.level3 = level3.map_or(0, |(_, modifiers)| modifiers);
        map.num_lock = num_lock;
        map
    }

    fn iter(&self) -> impl Iterator<Item = (u8, &Key)> {
        (self.first..=u8::MAX).zip(&self.keys)
    }

    fn key(&self, keycode: u8) -> Option<&Key> {
        self.keys.get(usize::from(keycode.checked_sub(self.first)?))
    }

    /// The modifiers a key sets while held.
    pub fn modifiers(&self, keycode: u8) -> Modifiers {
        self.key(keycode).map_or(0, |key| key.modifiers)
    }

    /// Keys that may be given another meaning, the one to take first at the end: those that mean
    /// nothing, then those that nobody misses; of either the high codes first, which no keyboard
    /// has.
    pub fn spare(&self) -> Vec<u8> {
        let codes = |wanted: fn(&Key) -> bool| {
            self.iter()
                .filter(move |(_, key)| wanted(key))
                .map(|(keycode, _)| keycode)
        };
        codes(Key::is_extra).chain(codes(Key::is_empty)).collect()
    }

    /// The key that sets a modifier which plans may ask for.
    pub fn modifier_key(&self, modifier: Modifiers) -> Option<u8> {
        match modifier {
            SHIFT => self.shift_key,
            modifier if modifier == self.level3 => self.level3_key,
            _ => None,
        }
    }

    /// Which of a viewer's locks are on, as flags of [`lock`].
    pub fn locks(&self, locked: Modifiers) -> u8 {
        let on = |modifier: Modifiers, flag: u8| if locked & modifier != 0 { flag } else { 0 };
        on(LOCK, lock::CAPS) | on(self.num_lock, lock::NUM)
    }

    /// Whether a key has a symbol at all.
    pub fn means_something(&self, keycode: u8) -> bool {
        self.key(keycode).is_some_and(|key| !key.is_empty())
    }

    /// Whether a key gives the symbol on some level of the group in effect.
    pub fn gives(&self, keycode: u8, symbol: u32, group: u8) -> bool {
        let symbol = normalise(symbol);
        self.key(keycode).is_some_and(|key| {
            key.group(group)
                .is_some_and(|group| (0..key.width).any(|level| key.symbol(group, level) == symbol))
        })
    }

    /// How to type a symbol; nothing when no key has it. Of several keys the one that changes least
    /// of what is held wins, then `prefer`.
    pub fn plan(&self, symbol: u32, state: State, prefer: Option<u8>) -> Option<Plan> {
        let symbol = normalise(symbol);
        if state.modifiers & SHORTCUT != 0
            && let Some(plan) = self.shortcut(symbol, state, prefer)
        {
            return Some(plan);
        }
        let mut best: Option<(u32, Plan)> = None;
        for (keycode, key) in self.iter() {
            let Some(group) = key.group(state.group) else {
                continue;
            };
            let Some(kind) = self.types.get(usize::from(key.types[usize::from(group)])) else {
                continue;
            };
            for level in (0..key.width).filter(|level| key.symbol(group, *level) == symbol) {
                let plan = if kind.level(state.modifiers) == level {
                    Some((0, Plan::just(keycode)))
                } else {
                    kind.combinations(level)
                        .filter_map(|wanted| self.change(symbol, keycode, kind, wanted, state))
                        .min_by_key(|(cost, _)| *cost)
                };
                let Some((cost, plan)) = plan else {
                    continue;
                };
                let cost = cost * 2 + u32::from(prefer != Some(keycode));
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, plan));
                }
            }
        }
        best.map(|(_, plan)| plan)
    }

    /// A letter of a shortcut: its key as it is, whatever its case, so that the application sees
    /// the modifiers that are really held.
    fn shortcut(&self, symbol: u32, state: State, prefer: Option<u8>) -> Option<Plan> {
        let other = other_case(symbol)?;
        let has = |keycode: u8, key: &Key| {
            key.group(state.group).is_some_and(|group| {
                let first = key.symbol(group, 0);
                self.means_something(keycode) && (first == symbol || first == other)
            })
        };
        let preferred =
            prefer.filter(|keycode| self.key(*keycode).is_some_and(|key| has(*keycode, key)));
        preferred
            .or_else(|| {
                self.iter()
                    .find(|(code, key)| has(*code, key))
                    .map(|(code, _)| code)
            })
            .map(Plan::just)
    }

    /// What must change so that a combination is held, and how bad that is; nothing where it cannot
    /// be.
    fn change(
        &self,
        symbol: u32,
        keycode: u8,
        kind: &KeyType,
        wanted: Modifiers,
        state: State,
    ) -> Option<(u32, Plan)> {
        let now = state.modifiers & kind.mask;
        // A held Control or Alt is meant; what it makes of the key is the application's matter.
        let missing = wanted & !now;
        let extra = now & !wanted & !SHORTCUT;
        if missing & SHORTCUT != 0 {
            return None;
        }
        let mut plan = Plan::just(keycode);
        let mut cost = 0;
        for bit in (0..8).map(|bit| 1 << bit) {
            if missing & bit != 0 {
                if bit == self.num_lock && is_number_pad(symbol) {
                    // The viewer's Num Lock is on, so is ours from now on.
                    plan.lock |= bit;
                    cost += 1;
                } else if self.modifier_key(bit).is_some() {
                    plan.press |= bit;
                    cost += if is_number_pad(symbol) { 8 } else { 2 };
                } else {
                    return None;
                }
            }
            if extra & bit != 0 {
                if state.locked & bit != 0 {
                    plan.unlock |= bit;
                    cost += if bit == LOCK || bit == self.num_lock {
                        1
                    } else {
                        4
                    };
                } else {
                    plan.release |= bit;
                    cost += 3;
                }
            }
        }
        Some((cost, plan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOD2: Modifiers = 1 << 4;
    const MOD5: Modifiers = 1 << 7;

    fn types() -> Vec<KeyType> {
        let level = |modifiers, level| Level { modifiers, level };
        vec![
            KeyType::default(),
            KeyType {
                mask: SHIFT,
                levels: vec![level(SHIFT, 1)],
            },
            KeyType {
                mask: SHIFT | LOCK,
                levels: vec![level(SHIFT, 1), level(LOCK, 1)],
            },
            KeyType {
                mask: SHIFT | MOD2,
                levels: vec![level(SHIFT, 1), level(MOD2, 1)],
            },
            KeyType {
                mask: SHIFT | MOD5,
                levels: vec![level(SHIFT, 1), level(MOD5, 2), level(SHIFT | MOD5, 3)],
            },
            KeyType {
                mask: SHIFT | CONTROL | MOD1,
                levels: vec![level(SHIFT, 1), level(CONTROL | MOD1, 4)],
            },
        ]
    }

    fn key(kind: u8, symbols: &[u32], modifiers: Modifiers) -> Key {
        Key {
            types: vec![kind],
            width: symbols.len() as u8,
            symbols: symbols.to_vec(),
            modifiers,
            ..Key::default()
        }
    }

    const fn of(char: char) -> u32 {
        char as u32
    }

    /// Key codes from 8 on.
    fn map() -> Keymap {
        let keys = vec![
            key(0, &[SHIFT_L], SHIFT),                        // 8
            key(0, &[ISO_LEVEL3_SHIFT], MOD5),                // 9
            key(0, &[NUM_LOCK], MOD2),                        // 10
            key(2, &[of('a'), of('A')], 0),                   // 11
            key(1, &[of('1'), of('!')], 0),                   // 12
            key(4, &[of('q'), of('Q'), of('@'), of('$')], 0), // 13
            key(3, &[0xff9c, 0xffb1], 0),                     // 14 KP_End, KP_1
            key(5, &[0xffbe, 0xffbe, 0, 0, 0x1008_fe01], 0),  // 15 F1
            Key::default(),                                   // 16
            key(1, &[of('<'), of('>')], 0),                   // 17
            key(1, &[of(','), of('<')], 0),                   // 18
            key(0, &[0x1008_ff41], 0),                        // 19, which starts a program
            key(0, &[0x1008_ff13], 0),                        // 20, louder
        ];
        Keymap::new(8, keys, types())
    }

    fn held(modifiers: Modifiers) -> State {
        State {
            modifiers,
            ..State::default()
        }
    }

    #[test]
    fn shift_is_added_and_taken_away() {
        let map = map();
        assert_eq!(map.plan(of('a'), held(0), None), Some(Plan::just(11)));
        assert_eq!(
            map.plan(of('A'), held(0), None),
            Some(Plan {
                press: SHIFT,
                ..Plan::just(11)
            })
        );
        assert_eq!(map.plan(of('A'), held(SHIFT), None), Some(Plan::just(11)));
        assert_eq!(
            map.plan(of('1'), held(SHIFT), None),
            Some(Plan {
                release: SHIFT,
                ..Plan::just(12)
            })
        );
        assert_eq!(
            map.plan(of('@'), held(0), None),
            Some(Plan {
                press: MOD5,
                ..Plan::just(13)
            })
        );
        assert_eq!(
            map.plan(of('$'), held(MOD5), None),
            Some(Plan {
                press: SHIFT,
                ..Plan::just(13)
            })
        );
        assert_eq!(map.plan(of('ж'), held(0), None), None);
    }

    #[test]
    fn locks_follow_the_viewer() {
        let map = map();
        let caps = State {
            modifiers: LOCK,
            locked: LOCK,
            group: 0,
        };
        assert_eq!(map.plan(of('A'), caps, None), Some(Plan::just(11)));
        assert_eq!(
            map.plan(of('a'), caps, None),
            Some(Plan {
                unlock: LOCK,
                ..Plan::just(11)
            })
        );
        assert_eq!(
            map.plan(0xffb1, held(0), None),
            Some(Plan {
                lock: MOD2,
                ..Plan::just(14)
            })
        );
        let numbers = State {
            modifiers: MOD2,
            locked: MOD2,
            group: 0,
        };
        assert_eq!(
            map.plan(0xff9c, numbers, None),
            Some(Plan {
                unlock: MOD2,
                ..Plan::just(14)
            })
        );
    }

    #[test]
    fn shortcuts_keep_what_is_held() {
        let map = map();
        assert_eq!(
            map.plan(of('a'), held(CONTROL | SHIFT), None),
            Some(Plan::just(11))
        );
        assert_eq!(map.plan(of('A'), held(CONTROL), None), Some(Plan::just(11)));
        assert_eq!(
            map.plan(0xffbe, held(CONTROL | MOD1), None),
            Some(Plan::just(15))
        );
    }

    #[test]
    fn the_place_decides_between_equals() {
        let map = map();
        assert_eq!(map.plan(of('<'), held(0), None), Some(Plan::just(17)));
        // The least change counts more than the place.
        assert_eq!(map.plan(of('<'), held(0), Some(18)), Some(Plan::just(17)));
        assert_eq!(
            map.plan(of('<'), held(SHIFT), Some(18)),
            Some(Plan::just(18))
        );
    }

    #[test]
    fn spare_keys_mean_nothing() {
        let map = map();
        assert_eq!(map.spare(), [19, 16]);
        assert!(map.gives(18, of('<'), 3) && !map.gives(18, of('a'), 0));
    }
}
