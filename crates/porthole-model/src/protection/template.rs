//! A watermark's text: values of the session in braces, the time as strftime has it.

use super::{MAX_LINES, MAX_TEXT};
use jiff::{Timestamp, Zoned, fmt::strtime, tz::TimeZone};

/// The most characters of a value that is filled in.
const MAX_VALUE: usize = 128;

/// What a session fills into a text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// `{username}`: what the user signs in with.
    pub username: &'a str,
    /// `{name}`: the user's first and last name.
    pub name: &'a str,
    /// `{email}`: the user's mail address.
    pub email: &'a str,
    /// `{workspace}`: the workspace's name.
    pub workspace: &'a str,
    /// `{session}`: the session's id.
    pub session: &'a str,
    /// `{address}`: the address that the session was launched from.
    pub address: &'a str,
}

/// How often a text changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Never.
    Still,
    /// With the minutes at most.
    Minutes,
    /// With the seconds.
    Seconds,
}

impl Pace {
    /// Seconds from a time (since 1970) until the text may be another.
    pub const fn wait(self, unix: i64) -> Option<u64> {
        match self {
            Self::Still => None,
            Self::Minutes => Some(60 - unix.rem_euclid(60) as u64),
            Self::Seconds => Some(1),
        }
    }
}

/// A text that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing would be seen.
    #[error("it is empty")]
    Empty,
    /// Too many characters.
    #[error("it has more than {MAX_TEXT} characters")]
    TooLong,
    /// Too many lines.
    #[error("it has more than {MAX_LINES} lines")]
    TooManyLines,
    /// Characters that are no text.
    #[error("it has control characters")]
    Control,
    /// A value that there is not.
    #[error(
        "{{{0}}} is not known; there are {{username}}, {{name}}, {{email}}, {{workspace}}, \
         {{session}} and {{address}}, and a brace itself is written twice"
    )]
    Unknown(String),
    /// A brace alone.
    #[error("a brace is not closed, or not opened; a brace itself is written twice")]
    Brace,
    /// Not a time.
    #[error("its time cannot be written: {0}; a per cent sign itself is written %%")]
    Time(String),
    /// Not a time zone.
    #[error("{0:?} is not a time zone such as Europe/Berlin or UTC")]
    Zone(String),
}

fn value<'a>(values: &Values<'a>, name: &str) -> Option<&'a str> {
    Some(match name {
        "username" => values.username,
        "name" => values.name,
        "email" => values.email,
        "workspace" => values.workspace,
        "session" => values.session,
        "address" => values.address,
        _ => return None,
    })
}

/// Fills in values; per cent signs in them stand for themselves.
fn expand(text: &str, values: &Values) -> Result<String, TextError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push_str(brace);
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(TextError::Brace);
        }
        let (name, after) = rest.split_once('}').ok_or(TextError::Brace)?;
        let found = value(values, name)
            .ok_or_else(|| TextError::Unknown(name.chars().take(32).collect()))?;
        for letter in found.chars().take(MAX_VALUE) {
            match letter {
                '%' => out.push_str("%%"),
                letter if letter.is_control() => out.push(' '),
                letter => out.push(letter),
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// A text that was checked, with its values. Braces that stand alone, as after a filling, stay.
pub(super) fn fill(text: &str, values: &Values) -> String {
    expand(text, values).unwrap_or_else(|_| text.to_owned())
}

/// Whether a text can be used as an administrator wrote it.
pub(super) fn check(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    if text.chars().count() > MAX_TEXT {
        return Err(TextError::TooLong);
    }
    if text.lines().count() > MAX_LINES {
        return Err(TextError::TooManyLines);
    }
    if text.contains(|letter: char| letter.is_control() && letter != '\n') {
        return Err(TextError::Control);
    }
    let filled = expand(text, &Values::default())?;
    at(&filled, "UTC", 0).map(|_| ())
}

pub(super) fn zone(name: &str) -> Result<TimeZone, TextError> {
    let bad = || TextError::Zone(name.chars().take(64).collect());
    match name {
        "UTC" => Ok(TimeZone::UTC),
        // Names in the database, and not what else may stand for one.
        name if name.is_ascii() && name.len() <= 64 => TimeZone::get(name).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// A filled text at a time, and how often it changes.
pub(super) fn at(text: &str, time_zone: &str, unix: i64) -> Result<(String, Pace), TextError> {
    let pace = pace(text);
    let time = Timestamp::from_second(unix).map_err(|e| TextError::Time(e.to_string()))?;
    let time = Zoned::new(time, zone(time_zone)?);
    let shown = strtime::format(text, &time).map_err(|e| TextError::Time(e.to_string()))?;
    Ok((shown, pace))
}

/// How often the time in a text changes.
fn pace(text: &str) -> Pace {
    let mut pace = Pace::Still;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            continue;
        }
        // Flags and widths stand between the sign and what it asks for.
        let asked = letters
            .find(|c| !matches!(c, '-' | '_' | '^' | '#' | ':' | '.') && !c.is_ascii_digit());
        match asked {
            Some('%' | 'n' | 't') | None => {}
            Some(
                'a' | 'A' | 'b' | 'B' | 'C' | 'd' | 'D' | 'e' | 'F' | 'g' | 'G' | 'h' | 'H' | 'I'
                | 'j' | 'k' | 'l' | 'm' | 'M' | 'p' | 'P' | 'q' | 'Q' | 'R' | 'u' | 'U' | 'V' | 'w'
                | 'W' | 'x' | 'y' | 'Y' | 'z' | 'Z',
            ) => pace = Pace::Minutes,
            Some(_) => return Pace::Seconds,
        }
    }
    pace
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_written_in_their_zone() {
        let noon = 1_750_000_000; // 2025-06-15 15:06:40 UTC
        let (text, pace) = at("%Y-%m-%d %H:%M", "Europe/Berlin", noon).unwrap();
        assert_eq!((text.as_str(), pace), ("2025-06-15 17:06", Pace::Minutes));
        assert_eq!(pace.wait(noon), Some(20));
        let (text, pace) = at("%H:%M:%S 100%%", "UTC", noon).unwrap();
        assert_eq!((text.as_str(), pace), ("15:06:40 100%", Pace::Seconds));
        assert_eq!(pace.wait(noon), Some(1));
        let (text, pace) = at("secret 5%%", "UTC", noon).unwrap();
        assert_eq!(
            (text.as_str(), pace, pace.wait(noon)),
            ("secret 5%", Pace::Still, None)
        );
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let told = |text: &str| check(text).unwrap_err();
        assert_eq!(told(" \n"), TextError::Empty);
        assert_eq!(told(&"x".repeat(257)), TextError::TooLong);
        assert_eq!(told(&"x\n".repeat(7)), TextError::TooManyLines);
        assert_eq!(told("a\tb"), TextError::Control);
        assert_eq!(told("{user}"), TextError::Unknown("user".into()));
        assert_eq!(told("{username"), TextError::Brace);
        assert_eq!(told("username}"), TextError::Brace);
        assert!(matches!(told("%!"), TextError::Time(_)));
        assert!(matches!(told("100%"), TextError::Time(_)));
        assert_eq!(check("{{%H}} {username}"), Ok(()));
        assert!(zone("Europe/Berlin").is_ok());
        assert!(zone("../../etc/passwd").is_err());
    }

    #[test]
    fn a_users_name_is_no_template() {
        let values = Values {
            username: "%Y{email}\n%",
            ..Values::default()
        };
        let filled = fill("{{{username}}}", &values);
        let (text, pace) = at(&filled, "UTC", 0).unwrap();
        assert_eq!((text.as_str(), pace), ("{%Y{email} %}", Pace::Still));
    }

    proptest! {
        #[test]
        fn whatever_was_checked_can_be_shown(text in "[%{}a-zA-Z:\\n -]{0,24}", name in "\\PC{0,12}") {
            if check(&text).is_ok() {
                let values = Values { username: &name, name: &name, ..Values::default() };
                let filled = fill(&text, &values);
                prop_assert!(at(&filled, "Asia/Tokyo", 1_000_000_000).is_ok(), "{filled:?}");
            }
        }
    }
}
