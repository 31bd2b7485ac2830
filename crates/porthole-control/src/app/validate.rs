//! Checks of what people and programs send; all faults of an input are told together.

use crate::{AppError, FieldError};
use std::collections::BTreeMap;

/// Collects what is wrong with an input.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    /// Notes a fault.
    pub(crate) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// The value, or the fault noted.
    pub(crate) fn take<T>(&mut self, field: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.add(field, message)).ok()
    }

    /// Checks a text where one was given.
    pub(crate) fn text(&mut self, field: &str, value: Option<&String>, max: usize) {
        if let Some(value) = value
            && let Err(message) = text(value, max)
        {
            self.add(field, message);
        }
    }

    /// # Errors
    /// [`AppError::Invalid`] when a fault was noted.
    pub(crate) fn finish(self) -> Result<(), AppError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(AppError::Invalid(self.0))
        }
    }
}

/// At most `max` characters; no control characters but line breaks and tabs.
pub(crate) fn text(value: &str, max: usize) -> Result<(), String> {
    if value.chars().count() > max {
        Err(format!("it has more than {max} characters"))
    } else if value
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        Err("it has control characters".into())
    } else {
        Ok(())
    }
}

/// A name: not empty, one line; without spaces around.
pub(crate) fn name(value: &str, max: usize) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() {
        return Err("it is empty".into());
    }
    text(value, max)?;
    if value.contains(['\n', '\r', '\t']) {
        return Err("it has more than one line".into());
    }
    Ok(value.to_owned())
}

/// A user name in the spelling in which it is stored. It is used in paths on hosts, so it has
/// nothing in it that means something there.
pub(crate) fn username(value: &str) -> Result<String, String> {
    let value = name(value, 255)?.to_lowercase();
    if value
        .chars()
        .any(|c| c.is_whitespace() || matches!(c, '/' | '\\' | '"' | '\'' | ':' | '{' | '}'))
    {
        Err("a user name has no spaces, slashes, quotes, colons or braces".into())
    } else if value.starts_with('.') || value.starts_with('-') {
        Err("a user name starts with a letter or a digit".into())
    } else {
        Ok(value)
    }
}

/// Where a picture comes from: a path on this server, or the picture itself as a data URI.
pub(crate) fn icon(value: &str) -> Result<(), String> {
    if value.len() > 512 * 1024 {
        return Err("the picture is larger than 512 KiB".into());
    }
    let path = value.starts_with('/') && !value.starts_with("//") && value.len() <= 1024;
    let data = ["png", "jpeg", "svg+xml", "webp", "gif"]
        .iter()
        .any(|kind| value.starts_with(&format!("data:image/{kind}")));
    if value.chars().any(char::is_control) || !(value.is_empty() || path || data) {
        return Err(
            "it is neither a path such as /icons/desktop.svg nor a data:image/… URI".into(),
        );
    }
    Ok(())
}

/// Environment variables: names as POSIX has them (IEEE 1003.1, section 8.1).
pub(crate) fn environment(field: &str, values: &BTreeMap<String, String>, faults: &mut Faults) {
    /// Set for every session, to reach its display.
    const OURS: [&str; 2] = ["DISPLAY", "PULSE_SERVER"];
    if values.len() > 256 {
        faults.add(field, "there are more than 256 variables");
    }
    for (name, value) in values {
        let shown: String = name.chars().take(64).collect();
        let field = format!("{field}.{shown}");
        let mut letters = name.chars();
        let start = letters
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !start || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') || name.len() > 255 {
            faults.add(
                &field,
                "a variable's name has letters, digits and underscores, and no digit first",
            );
        } else if OURS.contains(&name.as_str()) {
            faults.add(&field, "this variable is set by Porthole for every session");
        } else if value.contains('\0') || value.len() > 32 * 1024 {
            faults.add(&field, "a value has at most 32 KiB and no NUL");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names() {
        assert_eq!(username(" Ada@Example.com "), Ok("ada@example.com".into()));
        for bad in [
            "",
            "  ",
            "a b",
            "../etc",
            "a/b",
            ".hidden",
            "a\u{0}b",
            &"x".repeat(256),
            "{user_id}",
        ] {
            assert!(username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn icons() {
        for good in ["", "/icons/desktop.svg", "data:image/png;base64,AAAA"] {
            assert_eq!(icon(good), Ok(()), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "//evil.example/x.png",
            "http://x/y.png",
            "data:text/html,x",
        ] {
            assert!(icon(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn variables() {
        let mut faults = Faults::default();
        let values = [
            ("GOOD_1", "x"),
            ("1BAD", "x"),
            ("A=B", "x"),
            ("DISPLAY", ":7"),
            ("NUL", "\0"),
        ];
        let values = values
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        environment("environment", &values, &mut faults);
        let mut fields: Vec<String> = faults.0.into_iter().map(|fault| fault.field).collect();
        fields.sort();
        assert_eq!(
            fields,
            [
                "environment.1BAD",
                "environment.A=B",
                "environment.DISPLAY",
                "environment.NUL"
            ]
        );
    }
}
