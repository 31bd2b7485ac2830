//! Patterns of names and types: `*` stands for any characters, `?` for one; letters match in
//! either case.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest pattern in bytes.
const MAX: usize = 255;

/// A pattern, such as `*.exe` or `image/*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

/// A text that is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pattern has 1 to {MAX} bytes, such as *.exe or image/*")]
pub struct PatternError;

impl Pattern {
    /// Whether it stands for this text.
    pub fn matches(&self, text: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().flat_map(char::to_lowercase).collect();
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let (mut p, mut t) = (0, 0);
        // Where the last star stood, and how far it reaches: only the last can need another try.
        let mut star: Option<(usize, usize)> = None;
        while t < text.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(c) if *c == '?' || *c == text[t] => {
                    p += 1;
                    t += 1;
                }
                _ => match star {
                    Some((at, reach)) => {
                        star = Some((at, reach + 1));
                        p = at + 1;
                        t = reach + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|c| *c == '*')
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX {
            return Err(PatternError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(text)
    }

    #[test]
    fn stars_marks_and_case() {
        for (pattern, text) in [
            ("*.exe", "Setup.EXE"),
            ("*", ""),
            ("a*b*c", "a.b.b.c"),
            ("?.txt", "ä.txt"),
            ("image/*", "image/png"),
            ("*.tar.*", "x.tar.gz"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("*.exe", "exe"), ("a?", "a"), ("image/*", "x/image/png")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        assert!(" ".parse::<Pattern>().is_err());
    }

    proptest! {
        #[test]
        fn a_text_matches_itself_and_what_stands_for_it(text in "[a-z.]{1,20}", at in 0_usize..20) {
            prop_assert!(matches(&text, &text));
            let at = at.min(text.len() - 1);
            let marked = format!("{}?{}", &text[..at], &text[at + 1..]);
            prop_assert!(matches(&marked, &text));
            let starred = format!("{}*", &text[..=at]);
            prop_assert!(matches(&starred, &text));
            let longer = format!("{text}x");
            prop_assert!(!matches(&text, &longer));
        }

        #[test]
        fn many_stars_take_no_time(stars in 1_usize..200) {
            let _ = matches(&"*a".repeat(stars.min(120)), &"a".repeat(2000));
        }
    }
}
