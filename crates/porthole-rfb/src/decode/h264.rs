//! Open H.264.

use super::{DecodeError, Surface};
use crate::{geometry::Rect, reader::Reader, server::h264::max_len};

/// Hands a rectangle's data to the surface and tells its length; `None` when not all of it is there.
pub(super) fn paint(
    bytes: &[u8],
    area: Rect,
    surface: &mut impl Surface,
) -> Result<Option<usize>, DecodeError> {
    let mut reader = Reader(bytes);
    let (Some(len), Some(flags)) = (reader.u32(), reader.u32()) else {
        return Ok(None);
    };
    let limit = max_len(area);
    if len as usize > limit {
        return Err(DecodeError::TooLarge {
            what: "an H.264 rectangle in bytes",
            size: len.into(),
            limit: limit as u64,
        });
    }
    let Some(data) = reader.take(len as usize) else {
        return Ok(None);
    };
    if !area.is_empty() {
        surface.h264(area, flags, data);
    }
    Ok(Some(8 + data.len()))
}
