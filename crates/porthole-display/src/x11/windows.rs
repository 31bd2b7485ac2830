//! How many windows are on the screen.

use super::{XConnection, XError};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, MapState, WindowClass,
};

/// A window with a shorter side is a helper of a program, not something to see.
const LEAST_SIDE: u16 = 16;

/// Asks to be told when windows appear and go.
///
/// # Errors
/// When the connection breaks.
pub fn watch(x: &XConnection) -> Result<(), XError> {
    let events = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
    x.conn.change_window_attributes(x.root, &events)?.check()?;
    Ok(())
}

/// Counts the windows that can be seen: children of the root (window managers' frames among them)
/// that are shown, have something to draw on, and lie on the screen.
///
/// # Errors
/// When the connection breaks.
pub fn count(x: &XConnection) -> Result<usize, XError> {
    let children = x.conn.query_tree(x.root)?.reply()?.children;
    let mut asked = Vec::with_capacity(children.len());
    for window in children {
        asked.push((
            x.conn.get_window_attributes(window)?,
            x.conn.get_geometry(window)?,
        ));
    }
    let mut count = 0;
    for (attributes, geometry) in asked {
        // A window may be gone by now.
        let (Ok(attributes), Ok(geometry)) = (attributes.reply(), geometry.reply()) else {
            continue;
        };
        let right = i32::from(geometry.x) + i32::from(geometry.width);
        let bottom = i32::from(geometry.y) + i32::from(geometry.height);
        let seen = attributes.class == WindowClass::INPUT_OUTPUT
            && attributes.map_state == MapState::VIEWABLE
            && geometry.width.min(geometry.height) >= LEAST_SIDE
            && right > 0
            && bottom > 0;
        count += usize::from(seen);
    }
    Ok(count)
}
