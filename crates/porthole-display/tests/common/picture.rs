//! The X server's own picture of the screen.

use super::Display;
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, ImageFormat},
};

/// A picture: rows of blue, green, red and one byte without meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPicture {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// The pixels.
    pub bgrx: Vec<u8>,
}

impl Display {
    /// What the X server says is on the screen.
    pub fn picture(&self) -> XPicture {
        let (conn, screen) = x11rb::connect(Some(&self.name)).unwrap();
        let root = conn.setup().roots[screen].root;
        let size = conn.get_geometry(root).unwrap().reply().unwrap();
        let (width, height) = (size.width, size.height);
        let image = conn
            .get_image(ImageFormat::Z_PIXMAP, root, 0, 0, width, height, u32::MAX)
            .unwrap()
            .reply()
            .unwrap();
        XPicture {
            width: width.into(),
            height: height.into(),
            bgrx: image.data,
        }
    }
}

/// Where two pictures differ in colour: nothing, or how much and the first place.
pub fn difference(one: &[u8], two: &[u8], width: usize) -> Option<String> {
    if one.len() != two.len() {
        return Some(format!("{} and {} bytes", one.len(), two.len()));
    }
    let pairs = one.chunks_exact(4).zip(two.chunks_exact(4)).enumerate();
    let differing: Vec<_> = pairs
        .filter(|(_, (one, two))| one[..3] != two[..3])
        .collect();
    let (at, (one, two)) = differing.first()?;
    Some(format!(
        "{} pixels, the first at {},{}: {:?} and {:?}",
        differing.len(),
        at % width,
        at / width,
        &one[..3],
        &two[..3]
    ))
}
