//! Areas of a screen whose size changes.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One side of a [`Region`]: pixels from the screen's left or upper edge (`120`), pixels from its
/// right or lower edge (`-120`), or a part of its length (`25%`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Edge {
    /// From the beginning.
    Pixels(u16),
    /// From the end.
    FromEnd(u16),
    /// Of the whole, 0 to 100.
    Percent(u8),
}

/// Not a side of an area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither pixels such as 120 or -120 nor a part such as 25%")]
pub struct InvalidEdge(String);

/// An area of the screen between four sides; all of the screen where they are left out.
///
/// A side is pixels from the screen's left or upper edge (`120`), from its right or lower edge
/// (`-120`), or a part of its length (`25%`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Region {
    /// The left side.
    #[schema(value_type = String, pattern = r"^(-?\d{1,5}|\d{1,3}%)$")]
    pub left: Edge,
    /// The upper side.
    #[schema(value_type = String, pattern = r"^(-?\d{1,5}|\d{1,3}%)$")]
    pub top: Edge,
    /// The right side.
    #[schema(value_type = String, pattern = r"^(-?\d{1,5}|\d{1,3}%)$")]
    pub right: Edge,
    /// The lower side.
    #[schema(value_type = String, pattern = r"^(-?\d{1,5}|\d{1,3}%)$")]
    pub bottom: Edge,
}

/// Pixels of a screen: from `left` and `top` up to, and not with, `right` and `bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said above")]
pub struct Area {
    pub left: u16,
    pub top: u16,
    pub right: u16,
    pub bottom: u16,
}

impl Default for Region {
    fn default() -> Self {
        Self {
            left: Edge::Pixels(0),
            top: Edge::Pixels(0),
            right: Edge::Percent(100),
            bottom: Edge::Percent(100),
        }
    }
}

impl Edge {
    /// Where it is on a side of this length; a part of a pixel counts to the end when `up`.
    fn on(self, length: u16, up: bool) -> u16 {
        match self {
            Self::Pixels(pixels) => pixels.min(length),
            Self::FromEnd(pixels) => length.saturating_sub(pixels),
            Self::Percent(part) => {
                let hundredths = u32::from(length) * u32::from(part);
                let whole = if up {
                    hundredths.div_ceil(100)
                } else {
                    hundredths / 100
                };
                whole.min(length.into()) as u16
            }
        }
    }

    /// Whether it lies before another whatever the length, as far as that can be told.
    fn before(self, other: Self) -> bool {
        match (self, other) {
            (Self::Pixels(one), Self::Pixels(two)) => one < two,
            (Self::FromEnd(one), Self::FromEnd(two)) => one > two,
            (Self::Percent(one), Self::Percent(two)) => one < two,
            _ => true,
        }
    }
}

impl Region {
    /// Its pixels on a screen of this size; `None` when there are none.
    pub fn on(&self, width: u16, height: u16) -> Option<Area> {
        let area = Area {
            left: self.left.on(width, false),
            top: self.top.on(height, false),
            right: self.right.on(width, true),
            bottom: self.bottom.on(height, true),
        };
        (area.left < area.right && area.top < area.bottom).then_some(area)
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !self.left.before(self.right) {
            return Err("its left side is not left of its right side");
        }
        if !self.top.before(self.bottom) {
            return Err("its upper side is not above its lower side");
        }
        Ok(())
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pixels(pixels) => write!(f, "{pixels}"),
            Self::FromEnd(pixels) => write!(f, "-{pixels}"),
            Self::Percent(part) => write!(f, "{part}%"),
        }
    }
}

impl FromStr for Edge {
    type Err = InvalidEdge;

    fn from_str(text: &str) -> Result<Self, InvalidEdge> {
        let text = text.trim();
        let bad = || InvalidEdge(text.chars().take(32).collect());
        // What the number's parser takes beside digits is not meant.
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(part) = text.strip_suffix('%').filter(|part| digits(part)) {
            let part = part.parse().ok().filter(|part| *part <= 100);
            return part.map(Self::Percent).ok_or_else(bad);
        }
        let (from_end, pixels) = match text.strip_prefix('-') {
            Some(pixels) => (true, pixels),
            None => (false, text),
        };
        let pixels = digits(pixels).then(|| pixels.parse().ok()).flatten();
        let pixels = pixels.ok_or_else(bad)?;
        Ok(if from_end {
            Self::FromEnd(pixels)
        } else {
            Self::Pixels(pixels)
        })
    }
}

impl TryFrom<String> for Edge {
    type Error = InvalidEdge;

    fn try_from(text: String) -> Result<Self, InvalidEdge> {
        text.parse()
    }
}

impl From<Edge> for String {
    fn from(edge: Edge) -> Self {
        edge.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn region(sides: [&str; 4]) -> Region {
        let [left, top, right, bottom] = sides.map(|side| side.parse().unwrap());
        Region {
            left,
            top,
            right,
            bottom,
        }
    }

    #[test]
    fn pixels_from_both_ends_and_parts() {
        let area = region(["10", "25%", "-20", "50%"]).on(801, 601).unwrap();
        assert_eq!(
            (area.left, area.top, area.right, area.bottom),
            (10, 150, 781, 301)
        );
        assert_eq!(region(["0", "0", "-900", "100%"]).on(800, 600), None);
        let whole = Region::default().on(800, 600).unwrap();
        assert_eq!((whole.right, whole.bottom), (800, 600));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "-", "%", "101%", "-5%", "1.5", "+5", "99999", "10px"] {
            assert!(bad.parse::<Edge>().is_err(), "{bad}");
        }
        assert!(region(["20", "0", "10", "100%"]).check().is_err());
        assert!(region(["0", "-5", "100%", "-5"]).check().is_err());
        assert!(region(["300", "0", "10%", "100%"]).check().is_ok());
    }

    proptest! {
        #[test]
        fn areas_lie_on_the_screen(
            edges in proptest::array::uniform4((0_u8..3, any::<u16>())),
            width in 1_u16..5000,
            height in 1_u16..5000,
        ) {
            let [left, top, right, bottom] = edges.map(|(kind, value)| match kind {
                0 => Edge::Pixels(value),
                1 => Edge::FromEnd(value),
                _ => Edge::Percent((value % 101) as u8),
            });
            for edge in [left, top, right, bottom] {
                prop_assert_eq!(edge.to_string().parse::<Edge>().unwrap(), edge);
            }
            if let Some(area) = (Region { left, top, right, bottom }).on(width, height) {
                prop_assert!(area.left < area.right && area.right <= width);
                prop_assert!(area.top < area.bottom && area.bottom <= height);
            }
        }
    }
}
