//! What is burnt into the pixels of a session before they leave its display: a watermark, and
//! areas that stay black.
//!
//! Set on a workspace, filled with the session's values at its launch ([`Protection::filled`]),
//! and carried out by the display, which nothing in the session can reach.

mod colour;
mod picture;
mod region;
mod template;

pub use colour::{Colour, InvalidColour};
pub use picture::{MAX_PICTURE_BYTES, MAX_PICTURE_SIDE, Picture, PictureError};
pub use region::{Area, Edge, InvalidEdge, Region};
pub use template::{Pace, TextError, Values};

use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use utoipa::ToSchema;

/// Characters of a watermark's text, before its values are filled in.
pub const MAX_TEXT: usize = 256;
/// Lines of a watermark's text.
pub const MAX_LINES: usize = 6;
/// Areas that may be blacked out.
pub const MAX_REGIONS: usize = 32;
/// Sizes of a watermark's letters in pixels.
pub const SIZES: RangeInclusive<u16> = 8..=256;
/// Angles of a watermark in degrees.
pub const ANGLES: RangeInclusive<i16> = -180..=180;
/// A watermark's opacity in per cent.
pub const OPACITIES: RangeInclusive<u8> = 1..=100;
/// The most pixels between two copies of a watermark.
pub const MAX_SPACING: u16 = 2000;

/// What is burnt into the pixels of a session, whoever watches it and however. Nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// A text or picture over everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Watermark>,
    /// Areas of the screen that stay black, at most 32. Clicks in them reach nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 32)]
    pub black_out: Vec<Region>,
    /// The only area of the screen that is shown; all around it stays black.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible: Option<Region>,
}

/// A text or picture that is blended over everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Watermark {
    /// What is shown.
    pub mark: Mark,
    /// Where.
    #[serde(default)]
    pub placement: Placement,
    /// Degrees by which it is turned, clockwise; negative ones make a text rise. -180 to 180.
    #[serde(default)]
    #[schema(minimum = -180, maximum = 180)]
    pub angle: i16,
    /// How much of it is seen, in per cent, 1 to 100.
    #[serde(default = "default_opacity")]
    #[schema(minimum = 1, maximum = 100, default = 25)]
    pub opacity: u8,
    /// The colour of a text, and of a picture that is only shades of grey.
    #[serde(default)]
    #[schema(value_type = String, pattern = "^#[0-9a-fA-F]{6}$")]
    pub colour: Colour,
}

/// What a watermark shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mark {
    /// A text.
    Text {
        /// The text, at most 256 characters in 6 lines. In it `{username}`, `{name}`, `{email}`,
        /// `{workspace}`, `{session}` and `{address}` stand for the session's values, and what
        /// begins with `%` for the time as strftime has it, such as `%Y-%m-%d %H:%M`. `{{`, `}}`
        /// and `%%` stand for themselves.
        #[schema(max_length = 256)]
        text: String,
        /// The letters' size in pixels, 8 to 256. A text that would not fit the screen is made
        /// smaller.
        #[serde(default = "default_size")]
        #[schema(minimum = 8, maximum = 256, default = 24)]
        size: u16,
        /// The time zone of its time, such as `Europe/Berlin`.
        #[serde(default = "default_zone")]
        #[schema(default = "UTC")]
        time_zone: String,
    },
    /// A picture.
    Picture {
        /// A PNG in base64, at most 64 KiB and 1024 by 1024 pixels. Of one in shades of grey
        /// without transparency, white is seen in the watermark's colour and black is not seen.
        png: String,
    },
}

/// Where a watermark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Placement {
    /// All over the screen.
    Tiled {
        /// Pixels between two copies, at most 2000.
        #[schema(maximum = 2000)]
        spacing: u16,
    },
    /// Once.
    Once {
        /// Where.
        position: Position,
    },
}

/// A place on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they say it themselves")]
pub enum Position {
    TopLeft,
    Top,
    TopRight,
    Left,
    Center,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

impl Default for Placement {
    fn default() -> Self {
        Self::Tiled { spacing: 120 }
    }
}

const fn default_opacity() -> u8 {
    25
}

const fn default_size() -> u16 {
    24
}

fn default_zone() -> String {
    "UTC".to_owned()
}

/// Something that is wrong with a [`Protection`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Fault {
    /// Where, such as `watermark.opacity`.
    pub field: String,
    /// What, for a person to read.
    pub message: String,
}

impl Protection {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// All that is wrong with what an administrator gave.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut add = |field: &str, message: String| {
            faults.push(Fault {
                field: field.to_owned(),
                message,
            });
        };
        if let Some(watermark) = &self.watermark {
            watermark.check(&mut add);
        }
        if self.black_out.len() > MAX_REGIONS {
            add("black_out", format!("there are more than {MAX_REGIONS}"));
        }
        let areas = self.black_out.iter().enumerate();
        let areas = areas.map(|(index, region)| (format!("black_out[{index}]"), region));
        for (field, region) in areas.chain(self.visible.iter().map(|r| ("visible".to_owned(), r))) {
            if let Err(message) = region.check() {
                add(&field, message.to_owned());
            }
        }
        faults
    }

    /// The same with the session's values in its text.
    #[must_use]
    pub fn filled(mut self, values: &Values) -> Self {
        if let Some(Watermark {
            mark: Mark::Text { text, .. },
            ..
        }) = &mut self.watermark
        {
            *text = template::fill(text, values);
        }
        self
    }
}

impl Watermark {
    fn check(&self, add: &mut impl FnMut(&str, String)) {
        match &self.mark {
            Mark::Text {
                text,
                size,
                time_zone,
            } => {
                if let Err(error) = template::check(text) {
                    add("watermark.mark.text", error.to_string());
                }
                if !SIZES.contains(size) {
                    let (least, most) = (SIZES.start(), SIZES.end());
                    add(
                        "watermark.mark.size",
                        format!("it is not from {least} to {most}"),
                    );
                }
                if let Err(error) = template::zone(time_zone) {
                    add("watermark.mark.time_zone", error.to_string());
                }
            }
            Mark::Picture { png } => {
                if let Err(error) = Picture::decode(png) {
                    add("watermark.mark.png", error.to_string());
                }
            }
        }
        if let Placement::Tiled { spacing } = self.placement
            && spacing > MAX_SPACING
        {
            add(
                "watermark.placement.spacing",
                format!("it is more than {MAX_SPACING}"),
            );
        }
        if !ANGLES.contains(&self.angle) {
            add(
                "watermark.angle",
                format!("it is not from {} to {}", ANGLES.start(), ANGLES.end()),
            );
        }
        if !OPACITIES.contains(&self.opacity) {
            add(
                "watermark.opacity",
                format!(
                    "it is not from {} to {}",
                    OPACITIES.start(),
                    OPACITIES.end()
                ),
            );
        }
    }

    /// Its text at a time (seconds since 1970), and how often that changes; nothing for a picture.
    ///
    /// # Errors
    /// When the text or its time zone cannot be used.
    pub fn text_at(&self, unix: i64) -> Result<Option<(String, Pace)>, TextError> {
        match &self.mark {
            Mark::Text {
                text, time_zone, ..
            } => template::at(text, time_zone, unix).map(Some),
            Mark::Picture { .. } => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(
        clippy::needless_pass_by_value,
        reason = "reads better where it is called"
    )]
    fn watermark(json: serde_json::Value) -> Protection {
        serde_json::from_value(serde_json::json!({ "watermark": json })).unwrap()
    }

    #[test]
    fn little_is_needed() {
        let protection = watermark(serde_json::json!({
            "mark": { "kind": "text", "text": "{username} %H:%M" }
        }));
        assert_eq!(protection.faults(), []);
        let mark = protection.watermark.as_ref().unwrap();
        assert_eq!((mark.opacity, mark.angle), (25, 0));
        assert_eq!(mark.placement, Placement::Tiled { spacing: 120 });
        assert!(!protection.is_empty());
        assert_eq!(serde_json::to_string(&Protection::default()).unwrap(), "{}");
        let again: Protection =
            serde_json::from_value(serde_json::to_value(&protection).unwrap()).unwrap();
        assert_eq!(again, protection);
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let mut protection = watermark(serde_json::json!({
            "mark": { "kind": "text", "text": "{who}", "size": 4, "time_zone": "Mars/Olympus" },
            "placement": { "kind": "tiled", "spacing": 9999 },
            "angle": 200,
            "opacity": 0,
        }));
        protection.visible = Some(Region {
            left: Edge::Percent(60),
            right: Edge::Percent(40),
            ..Region::default()
        });
        protection.black_out = vec![Region::default(); MAX_REGIONS + 1];
        let faults = protection.faults();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "watermark.mark.text",
                "watermark.mark.size",
                "watermark.mark.time_zone",
                "watermark.placement.spacing",
                "watermark.angle",
                "watermark.opacity",
                "black_out",
                "visible",
            ]
        );
        assert!(faults[0].message.contains("{who}"), "{}", faults[0]);
        let no_png = watermark(serde_json::json!({ "mark": { "kind": "picture", "png": "AAAA" } }));
        assert_eq!(no_png.faults()[0].field, "watermark.mark.png");
    }

    #[test]
    fn values_are_filled_in() {
        let protection = watermark(serde_json::json!({
            "mark": { "kind": "text", "text": "{username} {address} %Y" }
        }));
        let filled = protection.filled(&Values {
            username: "100%@example.com",
            address: "192.0.2.7",
            ..Values::default()
        });
        let (text, pace) = filled.watermark.unwrap().text_at(0).unwrap().unwrap();
        assert_eq!(
            (text.as_str(), pace),
            ("100%@example.com 192.0.2.7 1970", Pace::Minutes)
        );
    }
}
