//! The cursor's picture (XFIXES).

use super::{XConnection, XError};
use porthole_rfb::server::CursorImage;
use x11rb::{
    errors::ReplyError,
    protocol::xfixes::{self, ConnectionExt as _},
};

/// The side over which a cursor is not sent (nothing of the field draws larger ones).
const MAX_SIDE: u16 = 256;

/// Asks to be told when the cursor changes.
///
/// # Errors
/// When the connection breaks.
pub fn watch(x: &XConnection) -> Result<(), XError> {
    x.conn.xfixes_query_version(5, 0)?.reply()?;
    let mask = xfixes::CursorNotifyMask::DISPLAY_CURSOR;
    x.conn.xfixes_select_cursor_input(x.root, mask)?.check()?;
    Ok(())
}

/// The picture now: an empty one for a hidden cursor, nothing when the X server does not tell it.
///
/// # Errors
/// When the connection breaks.
pub fn fetch(x: &XConnection) -> Result<Option<CursorImage>, XError> {
    let image = match x.conn.xfixes_get_cursor_image()?.reply() {
        Ok(image) => image,
        Err(ReplyError::X11Error(error)) => {
            tracing::debug!(?error, "the cursor's picture cannot be had");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let pixels = usize::from(image.width) * usize::from(image.height);
    let hidden = image.cursor_image.iter().all(|pixel| pixel >> 24 == 0);
    if hidden || image.width.max(image.height) > MAX_SIDE || image.cursor_image.len() != pixels {
        return Ok(Some(CursorImage::default()));
    }
    let bgra = image
        .cursor_image
        .iter()
        .flat_map(|pixel| pixel.to_le_bytes())
        .collect();
    Ok(Some(CursorImage::new(
        image.width,
        image.height,
        image.xhot,
        image.yhot,
        bgra,
    )))
}
