//! Paths below the session's home.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest name of a file or folder in bytes (`NAME_MAX`).
pub const MAX_NAME: usize = 255;
/// The longest path in bytes.
pub const MAX_PATH: usize = 3072;
/// The deepest path, in names.
pub const MAX_DEPTH: usize = 64;

/// All but what URLs and JSON take as it is.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// A path below the home: names that are neither empty nor `.` nor `..`, any bytes but `/` and NUL
/// in them. The empty path is the home itself.
///
/// As text, in URLs and JSON, its bytes are percent-encoded (RFC 3986): a Linux file's name need
/// not be UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HomePath(Vec<u8>);

/// A path that names nothing below the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// It begins with a slash.
    #[error("a path must not begin with a slash")]
    Absolute,
    /// A name in it is empty, `.` or `..`.
    #[error("a path must not have empty names, \".\" or \"..\" in it")]
    Name,
    /// It holds a NUL byte.
    #[error("a path must not have a NUL byte in it")]
    Nul,
    /// A name in it is too long.
    #[error("a name must not be longer than {MAX_NAME} bytes")]
    LongName,
    /// It is too long, or too deep.
    #[error("a path must not be longer than {MAX_PATH} bytes or deeper than {MAX_DEPTH} folders")]
    TooLong,
}

impl HomePath {
    /// Reads a path's bytes.
    ///
    /// # Errors
    /// See [`InvalidPath`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidPath> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        if bytes[0] == b'/' {
            return Err(InvalidPath::Absolute);
        }
        if bytes.contains(&0) {
            return Err(InvalidPath::Nul);
        }
        let names = || bytes.split(|b| *b == b'/');
        if bytes.len() > MAX_PATH || names().count() > MAX_DEPTH {
            return Err(InvalidPath::TooLong);
        }
        if names().any(|name| matches!(name, b"" | b"." | b"..")) {
            return Err(InvalidPath::Name);
        }
        if names().any(|name| name.len() > MAX_NAME) {
            return Err(InvalidPath::LongName);
        }
        Ok(Self(bytes.to_vec()))
    }

    /// Whether it is the home itself.
    pub fn is_home(&self) -> bool {
        self.0.is_empty()
    }

    /// The path's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The names in it, from the home downwards.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|name| !name.is_empty())
    }

    /// The last name; empty for the home.
    pub fn name(&self) -> &[u8] {
        self.names().next_back().unwrap_or_default()
    }

    /// The last name for people: what is no UTF-8 is replaced.
    pub fn display_name(&self) -> String {
        String::from_utf8_lossy(self.name()).into_owned()
    }

    /// The path for people: what is no UTF-8 is replaced.
    pub fn display(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// A path below this one.
    ///
    /// # Errors
    /// See [`InvalidPath`].
    pub fn join(&self, below: &[u8]) -> Result<Self, InvalidPath> {
        if self.is_home() {
            return Self::from_bytes(below);
        }
        Self::from_bytes(&[&self.0, b"/".as_slice(), below].concat())
    }
}

impl fmt::Display for HomePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&percent_encode(&self.0, ENCODED), f)
    }
}

impl FromStr for HomePath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        Self::from_bytes(&percent_decode_str(text).collect::<Vec<_>>())
    }
}

impl TryFrom<String> for HomePath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, InvalidPath> {
        text.parse()
    }
}

impl From<HomePath> for String {
    fn from(path: HomePath) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for (text, error) in [
            ("/etc/passwd", InvalidPath::Absolute),
            ("%2fetc", InvalidPath::Absolute),
            ("..", InvalidPath::Name),
            ("a/../../b", InvalidPath::Name),
            ("a/%2e%2e/b", InvalidPath::Name),
            ("a//b", InvalidPath::Name),
            ("a/", InvalidPath::Name),
            (".", InvalidPath::Name),
            ("a%00b", InvalidPath::Nul),
        ] {
            assert_eq!(text.parse::<HomePath>(), Err(error), "{text}");
        }
        assert_eq!(
            "x".repeat(256).parse::<HomePath>(),
            Err(InvalidPath::LongName)
        );
        assert_eq!(
            vec!["x"; 65].join("/").parse::<HomePath>(),
            Err(InvalidPath::TooLong)
        );
    }

    #[test]
    fn odd_names_are_names() {
        for name in [" ", "-rf", "a\nb", "…", "ä ö", "%", "a\\b", "..."] {
            let path = HomePath::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(path.name(), name.as_bytes());
            assert_eq!(path.to_string().parse(), Ok(path.clone()), "{name}");
        }
        let latin = HomePath::from_bytes(b"caf\xe9").unwrap();
        assert_eq!(latin.to_string(), "caf%E9");
        assert_eq!(latin.display_name(), "caf\u{fffd}");
    }

    proptest! {
        #[test]
        fn a_path_survives_its_text_and_stays_below(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(path) = HomePath::from_bytes(&bytes) {
                prop_assert_eq!(path.to_string().parse(), Ok(path.clone()));
                prop_assert!(path.to_string().is_ascii());
                prop_assert!(path.names().all(|name| name != b".." && name != b"." && !name.contains(&0)));
                prop_assert!(!path.as_bytes().starts_with(b"/"));
            }
        }

        #[test]
        fn nothing_panics(text in ".{0,300}") {
            let _ = text.parse::<HomePath>();
        }
    }
}
