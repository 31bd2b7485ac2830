//! How a session's stream was doing, as its viewer measured it.

use serde::{Deserialize, Serialize};

/// What a viewer saw of its stream over the last half minute or so: rates, means, and parts of the
/// pixels by how they came. Whole numbers, so that none is without bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamStatistics {
    /// Pictures a second that the screen showed.
    pub frame_rate: u16,
    /// Pictures a second that came and were not shown.
    pub dropped: u16,
    /// Bits a second.
    pub bit_rate: u32,
    /// A round trip through network and server, in microseconds; left out when not measured.
    #[serde(default)]
    pub network: Option<u32>,
    /// Encoding a picture at the server, in microseconds.
    #[serde(default)]
    pub encode: Option<u32>,
    /// Decoding it in the browser, in microseconds.
    #[serde(default)]
    pub decode: Option<u32>,
    /// Drawing it, in microseconds.
    #[serde(default)]
    pub draw: Option<u32>,
    /// The desktop's width in pixels.
    pub width: u16,
    /// The desktop's height in pixels.
    pub height: u16,
    /// How its pixels came.
    pub codecs: CodecShares,
}

/// Parts of the pixels that came, in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodecShares {
    /// Exact.
    pub lossless: u8,
    /// One colour.
    pub fill: u8,
    /// Moved from elsewhere on the screen.
    pub copy: u8,
    /// JPEG.
    pub jpeg: u8,
    /// H.264.
    pub video: u8,
}
