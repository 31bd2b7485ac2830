//! What the environment tells the display: read once, checked at start.

use crate::geometry::Size;
use std::{env, path::PathBuf};

/// Latin, Greek, Cyrillic and more; Chinese, Japanese, Korean. Where Debian has them.
const FONTS: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:\
                     /usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf";

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{variable}={value:?} cannot be used: {reason}")]
pub struct ConfigError {
    variable: &'static str,
    value: String,
    reason: &'static str,
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen (`PORTHOLE_DISPLAY_SOCKET`).
    pub socket: PathBuf,
    /// The largest size of the screen (`PORTHOLE_DISPLAY_MAX`).
    pub max: Size,
    /// The size at the start (`PORTHOLE_DISPLAY_SIZE`).
    pub size: Size,
    /// The desktop's name (`PORTHOLE_DISPLAY_NAME`).
    pub name: String,
    /// The X display's number (`PORTHOLE_DISPLAY_NUMBER`, `1` unless told; `auto`: the first free
    /// one, shown at `/status`).
    pub number: Option<u16>,
    /// The X server (`PORTHOLE_DISPLAY_XSERVER`).
    pub x_server: PathBuf,
    /// Where the X server keeps its framebuffer, a tmpfs where there is one
    /// (`PORTHOLE_DISPLAY_FRAMEBUFFER_DIR`).
    pub framebuffer_dir: PathBuf,
    /// The fonts that watermarks are written with, by their files with colons between: the first
    /// that has a letter draws it (`PORTHOLE_DISPLAY_FONTS`).
    pub fonts: Vec<PathBuf>,
    /// The most bytes of clipboard text either way (`PORTHOLE_DISPLAY_CLIPBOARD_MAX`).
    pub clipboard_max: usize,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// When a variable's value cannot be used; says which and why.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| env::var(name).ok())
    }

    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let bad = |variable, value: String, reason| ConfigError {
            variable,
            value,
            reason,
        };
        let size = |variable, default: Size| match get(variable) {
            None => Ok(default),
            Some(value) => Size::parse(&value).ok_or_else(|| {
                bad(
                    variable,
                    value,
                    "a size looks like 1280x720, each side from 64 to 16384",
                )
            }),
        };
        let max = size("PORTHOLE_DISPLAY_MAX", Size::new(5120, 2880))?;
        let wanted = size("PORTHOLE_DISPLAY_SIZE", Size::new(1280, 720))?;
        let number = match get("PORTHOLE_DISPLAY_NUMBER").as_deref() {
            None => Some(1),
            Some("auto") => None,
            Some(value) => Some(value.parse().map_err(|_| {
                bad(
                    "PORTHOLE_DISPLAY_NUMBER",
                    value.to_owned(),
                    "wants a number or auto",
                )
            })?),
        };
        let clipboard_max = match get("PORTHOLE_DISPLAY_CLIPBOARD_MAX") {
            None => 1 << 20,
            Some(value) => value
                .parse()
                .ok()
                .filter(|max| *max <= 64 << 20)
                .ok_or_else(|| {
                    bad(
                        "PORTHOLE_DISPLAY_CLIPBOARD_MAX",
                        value,
                        "wants bytes, up to 67108864",
                    )
                })?,
        };
        let path = |variable, default: &str| {
            get(variable).map_or_else(|| PathBuf::from(default), PathBuf::from)
        };
        Ok(Self {
            socket: path("PORTHOLE_DISPLAY_SOCKET", "/run/porthole/display.sock"),
            max,
            size: wanted.min(max),
            name: get("PORTHOLE_DISPLAY_NAME").unwrap_or_else(|| "Porthole".to_owned()),
            number,
            x_server: path("PORTHOLE_DISPLAY_XSERVER", "Xvfb"),
            framebuffer_dir: path("PORTHOLE_DISPLAY_FRAMEBUFFER_DIR", "/tmp"),
            fonts: env::split_paths(&path("PORTHOLE_DISPLAY_FONTS", FONTS)).collect(),
            clipboard_max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| {
            set.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn defaults_and_limits() {
        let config = read(&[]).unwrap();
        assert_eq!(
            (config.size, config.number),
            (Size::new(1280, 720), Some(1))
        );
        let config = read(&[
            ("PORTHOLE_DISPLAY_MAX", "800x600"),
            ("PORTHOLE_DISPLAY_NUMBER", "auto"),
        ])
        .unwrap();
        assert_eq!((config.size, config.number), (Size::new(800, 600), None));
    }

    #[test]
    fn says_which_variable_is_wrong() {
        let error = read(&[("PORTHOLE_DISPLAY_SIZE", "wide")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("PORTHOLE_DISPLAY_SIZE") && error.contains("wide"),
            "{error}"
        );
        assert!(read(&[("PORTHOLE_DISPLAY_SIZE", "20x20")]).is_err());
        assert!(read(&[("PORTHOLE_DISPLAY_CLIPBOARD_MAX", "lots")]).is_err());
    }
}
