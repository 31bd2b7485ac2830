//! Key symbols ("keysymdef.h", X11 protocol appendix A).

/// No symbol.
pub const NO_SYMBOL: u32 = 0;
/// Shift, left.
pub const SHIFT_L: u32 = 0xffe1;
/// The third level, as a held key.
pub const ISO_LEVEL3_SHIFT: u32 = 0xfe03;
/// Num Lock.
pub const NUM_LOCK: u32 = 0xff7f;
/// Symbols of Unicode are this and the character's number.
const UNICODE: u32 = 0x0100_0000;

/// One number for each symbol: characters of Latin-1 have two.
pub const fn normalise(symbol: u32) -> u32 {
    match symbol {
        0x0100_0020..=0x0100_007e | 0x0100_00a0..=0x0100_00ff => symbol - UNICODE,
        symbol => symbol,
    }
}

/// The character of a symbol, for those whose number says it.
pub fn character(symbol: u32) -> Option<char> {
    match normalise(symbol) {
        symbol @ (0x20..=0x7e | 0xa0..=0xff) => char::from_u32(symbol),
        symbol @ UNICODE..=0x0110_ffff => char::from_u32(symbol - UNICODE),
        _ => None,
    }
}

/// The symbol of the same letter in the other case: nothing for what is no letter, or has none.
pub fn other_case(symbol: u32) -> Option<u32> {
    // Legacy Cyrillic: small letters, then capital ones.
    match symbol {
        0x6c0..=0x6df => return Some(symbol + 0x20),
        0x6e0..=0x6ff => return Some(symbol - 0x20),
        _ => {}
    }
    let letter = character(symbol)?;
    let single = |mut chars: &mut dyn Iterator<Item = char>| {
        let first = (&mut chars).next()?;
        chars.next().is_none().then_some(first)
    };
    let other = if letter.is_lowercase() {
        single(&mut letter.to_uppercase())?
    } else if letter.is_uppercase() {
        single(&mut letter.to_lowercase())?
    } else {
        return None;
    };
    (other != letter).then(|| normalise(UNICODE + u32::from(other)))
}

/// Whether it is a small letter that has a capital one.
pub fn is_small(symbol: u32) -> bool {
    match symbol {
        0x6c0..=0x6df => true,
        symbol => other_case(symbol).is_some() && character(symbol).is_some_and(char::is_lowercase),
    }
}

/// Whether it is one of a key that only changes what others mean.
pub const fn is_modifier(symbol: u32) -> bool {
    matches!(symbol, 0xffe1..=0xffee | 0xfe01..=0xfe13 | 0xff7e | NUM_LOCK)
}

/// Whether it is one of the vendors' symbols that start programs and the like, but for those that
/// keyboards and mice commonly have: sound, playing, brightness, browsing.
pub const fn is_extra(symbol: u32) -> bool {
    match symbol {
        0x1008_fe01..=0x1008_fe0c
        | 0x1008_ff02
        | 0x1008_ff03
        | 0x1008_ff11..=0x1008_ff1d
        | 0x1008_ff26..=0x1008_ff2a => false,
        _ => symbol >= 0x1008_fe00 && symbol <= 0x1008_ffff,
    }
}

/// Whether it is one that the number pad has on two levels: digits and the keys under them.
pub const fn is_number_pad(symbol: u32) -> bool {
    matches!(symbol, 0xff95..=0xff9f | 0xffac | 0xffae | 0xffb0..=0xffb9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_two_cases() {
        assert_eq!(other_case(u32::from('a')), Some(u32::from('A')));
        assert_eq!(other_case(0xe4), Some(0xc4));
        assert_eq!(other_case(0x0100_0430), Some(0x0100_0410));
        assert_eq!(other_case(0x6c1), Some(0x6e1));
        for none in ['1', 'ß', ' '] {
            assert_eq!(other_case(u32::from(none)), None, "{none}");
        }
        assert_eq!(other_case(SHIFT_L), None);
    }

    #[test]
    fn latin_1_has_one_number() {
        assert_eq!(normalise(0x0100_00e4), 0xe4);
        assert_eq!(normalise(0x0100_20ac), 0x0100_20ac);
        assert_eq!(normalise(0x20ac), 0x20ac);
    }
}
