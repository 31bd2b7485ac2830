//! XT scan codes (set 1) as QEMU's key events carry them, and the X server's key codes for the same
//! places (those of evdev, which are the kernel's and 8).

/// Extended codes (after `0xe0`) and the kernel's codes.
const EXTENDED: &[(u8, u8)] = &[
    (0x10, 165),
    (0x19, 163),
    (0x1c, 96),
    (0x1d, 97),
    (0x20, 113),
    (0x21, 140),
    (0x22, 164),
    (0x24, 166),
    (0x2e, 114),
    (0x30, 115),
    (0x32, 172),
    (0x35, 98),
    (0x37, 99),
    (0x38, 100),
    (0x46, 119),
    (0x47, 102),
    (0x48, 103),
    (0x49, 104),
    (0x4b, 105),
    (0x4d, 106),
    (0x4f, 107),
    (0x50, 108),
    (0x51, 109),
    (0x52, 110),
    (0x53, 111),
    (0x5b, 125),
    (0x5c, 126),
    (0x5d, 127),
    (0x5e, 116),
    (0x5f, 142),
    (0x63, 143),
    (0x65, 217),
    (0x66, 156),
    (0x67, 173),
    (0x68, 128),
    (0x69, 159),
    (0x6a, 158),
    (0x6b, 157),
    (0x6c, 155),
];

/// Plain codes over 88, which differ from the kernel's.
const PLAIN: &[(u8, u8)] = &[
    (0x59, 117),
    (0x70, 93),
    (0x73, 89),
    (0x79, 92),
    (0x7b, 94),
    (0x7d, 124),
    (0x7e, 121),
];

/// The X server's key code of the place with this scan code; bit 7 stands for `0xe0`.
pub fn keycode_of_scancode(scancode: u32) -> Option<u8> {
    let find = |table: &[(u8, u8)], code: u8| {
        table
            .iter()
            .find(|(from, _)| *from == code)
            .map(|(_, kernel)| *kernel)
    };
    let kernel = match u8::try_from(scancode).ok()? {
        code @ 1..=88 => code,
        code @ 0x80.. => find(EXTENDED, code & 0x7f)?,
        code => find(PLAIN, code)?,
    };
    Some(kernel + 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(keycode_of_scancode(0x1e), Some(38)); // A
        assert_eq!(keycode_of_scancode(0x1c), Some(36)); // Return
        assert_eq!(keycode_of_scancode(0x9c), Some(104)); // Enter of the number pad
        assert_eq!(keycode_of_scancode(0xb8), Some(108)); // AltGr
        assert_eq!(keycode_of_scancode(0), None);
        assert_eq!(keycode_of_scancode(0xe01c), None);
    }
}
