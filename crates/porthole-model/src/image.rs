//! Container image references.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A container image reference that names its version: `name:tag` or `name@sha256:…`.
///
/// The grammar is the one of the distribution specification
/// (<https://github.com/distribution/reference>, `reference.go`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageRef(String);

/// Why a text is not an image reference that can be launched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageRefError {
    /// The text is empty.
    #[error("the image name is empty; give one such as porthole/terminal:1.0")]
    Empty,
    /// Neither tag nor digest.
    #[error(
        "the image {0:?} has no tag; add one, such as {0}:1.0, so that every agent runs the same version"
    )]
    NoTag(String),
    /// Not an image reference at all.
    #[error("{0:?} is not an image name: {1}")]
    Malformed(String, &'static str),
}

impl ImageRef {
    /// The whole reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> Self {
        image.0
    }
}

impl TryFrom<String> for ImageRef {
    type Error = ImageRefError;

    fn try_from(text: String) -> Result<Self, ImageRefError> {
        text.parse()
    }
}

impl FromStr for ImageRef {
    type Err = ImageRefError;

    fn from_str(text: &str) -> Result<Self, ImageRefError> {
        let text = text.trim();
        let malformed = |why| {
            Err(ImageRefError::Malformed(
                text.chars().take(128).collect(),
                why,
            ))
        };
        if text.is_empty() {
            return Err(ImageRefError::Empty);
        }
        if text.len() > 384 {
            return malformed("it is longer than 384 characters");
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            if hex.len() != 64 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                return malformed("a digest is sha256: and 64 lower-case hexadecimal digits");
            }
        }
        if let Some(tag) = tag {
            let start = tag
                .bytes()
                .next()
                .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
            let rest = tag
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
            if !start || !rest || tag.len() > 128 {
                return malformed(
                    "a tag has up to 128 letters, digits, underscores, dots and hyphens",
                );
            }
        }
        let mut parts = name.split('/').peekable();
        let mut first = true;
        while let Some(part) = parts.next() {
            let host = first && parts.peek().is_some() && is_host(part);
            first = false;
            if !host && !is_component(part) {
                return malformed(
                    "a name has lower-case letters and digits, with single dots, underscores or hyphens between them",
                );
            }
        }
        if tag.is_none() && digest.is_none() {
            return Err(ImageRefError::NoTag(name.to_owned()));
        }
        Ok(Self(familiar(text).to_owned()))
    }
}

/// The name without the registry that is meant when none is given, so that one image has one name:
/// engines disagree on which of them they report.
fn familiar(text: &str) -> &str {
    let path = ["docker.io/", "index.docker.io/"]
        .iter()
        .find_map(|registry| text.strip_prefix(registry));
    let short = path.map_or(text, |path| path.strip_prefix("library/").unwrap_or(path));
    // A folder of that registry that looks like a registry would be taken for one.
    match short.split_once('/') {
        Some((first, _)) if is_host(first) => text,
        _ => short,
    }
}

fn is_host(part: &str) -> bool {
    let (host, port) = part
        .split_once(':')
        .map_or((part, None), |(h, p)| (h, Some(p)));
    let named = host.contains('.') || port.is_some() || host == "localhost";
    named
        && host.split('.').all(is_label)
        && port
            .is_none_or(|p| !p.is_empty() && p.len() <= 5 && p.bytes().all(|b| b.is_ascii_digit()))
}

/// A part of a host's name: letters and digits, with hyphens between them.
fn is_label(label: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    edge(label.bytes().next())
        && edge(label.bytes().last())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A part of a name: letters and digits, with one dot, one or two underscores, or any number of
/// hyphens between them.
fn is_component(part: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(letter)
        && part.ends_with(letter)
        && part
            .split(letter)
            .all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_tags_and_digests() {
        for good in [
            "porthole/terminal:1.0",
            "debian:bookworm",
            "registry.example.com:5000/kasm-custom:1.0",
            "localhost/x:1",
            &format!("debian@sha256:{}", "a".repeat(64)),
        ] {
            assert_eq!(
                good.parse::<ImageRef>().map(String::from).as_deref(),
                Ok(good)
            );
        }
    }

    #[test]
    fn an_image_of_docker_hub_has_one_name() {
        for (long, short) in [
            ("docker.io/porthole/terminal:1.0", "porthole/terminal:1.0"),
            ("docker.io/library/debian:bookworm", "debian:bookworm"),
            ("index.docker.io/library/debian:bookworm", "debian:bookworm"),
            (
                "localhost/library/debian:bookworm",
                "localhost/library/debian:bookworm",
            ),
            // Without the first part these would be another registry's.
            (
                "index.docker.io/docker.io/ose:54",
                "index.docker.io/docker.io/ose:54",
            ),
            ("docker.io/localhost/a:1", "docker.io/localhost/a:1"),
            (
                "docker.io/library/quay.io/a:1",
                "docker.io/library/quay.io/a:1",
            ),
        ] {
            let image = long.parse::<ImageRef>().unwrap();
            assert_eq!(image.as_str(), short);
            assert_eq!(short.parse(), Ok(image));
        }
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!("".parse::<ImageRef>(), Err(ImageRefError::Empty));
        for untagged in ["debian", "registry.example.com:5000/debian"] {
            assert_eq!(
                untagged.parse::<ImageRef>(),
                Err(ImageRefError::NoTag(untagged.into()))
            );
        }
        for bad in [
            "Debian:1",
            "a b:1",
            "a//b:1",
            "a:",
            "a:-x",
            "a@sha256:12",
            "-a:1",
            "a..b:1",
            "a.-b:1",
            "a___b:1",
            "local..st:5000/a:1",
            "-h.example/a:1",
            "$(x):1",
        ] {
            assert!(
                matches!(bad.parse::<ImageRef>(), Err(ImageRefError::Malformed(..))),
                "{bad}"
            );
        }
    }
}
