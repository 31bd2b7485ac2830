//! Everything that speaks to the X server.

pub mod capture;
pub mod clipboard;
pub mod cursor;
pub mod input;
pub mod nudge;
pub mod screen;
pub mod screen_file;
pub mod window_moves;
pub mod windows;
pub mod xserver;

use x11rb::{
    connection::Connection as _,
    errors::{ConnectError, ConnectionError, ReplyError, ReplyOrIdError},
    protocol::xproto::{Atom, ConnectionExt as _},
    rust_connection::RustConnection,
};

/// A conversation with the X server failed.
#[derive(Debug, thiserror::Error)]
pub enum XError {
    /// No connection.
    #[error("the X server :{number} cannot be reached: {source}")]
    Connect {
        /// The display's number.
        number: u16,
        /// Why not.
        source: ConnectError,
    },
    /// The connection broke.
    #[error("the connection to the X server broke: {0}")]
    Connection(#[from] ConnectionError),
    /// A request was refused, or the connection broke.
    #[error("the X server refused a request: {0}")]
    Reply(#[from] ReplyError),
    /// Out of ids, or one of the others.
    #[error("the X server refused a request: {0}")]
    Id(#[from] ReplyOrIdError),
    /// Something that every X server of ours has is missing.
    #[error("the X server lacks {0}")]
    Missing(&'static str),
    /// The framebuffer's file.
    #[error(transparent)]
    ScreenFile(#[from] screen_file::ScreenFileError),
    /// Waiting failed.
    #[error("waiting for the X server failed: {0}")]
    Wait(#[from] std::io::Error),
}

/// A connection with the root window's id.
pub struct XConnection {
    /// The connection.
    pub conn: RustConnection,
    /// The root window.
    pub root: u32,
    /// The root's visual.
    pub visual: u32,
}

impl XConnection {
    /// Connects to the display of this number on this machine.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn open(number: u16) -> Result<Self, XError> {
        let (conn, screen) = RustConnection::connect(Some(&format!(":{number}")))
            .map_err(|source| XError::Connect { number, source })?;
        let screen = conn
            .setup()
            .roots
            .get(screen)
            .ok_or(XError::Missing("a screen"))?;
        let (root, visual) = (screen.root, screen.root_visual);
        Ok(Self { conn, root, visual })
    }

    /// The atom of a name.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn atom(&self, name: &str) -> Result<Atom, XError> {
        Ok(self.conn.intern_atom(false, name.as_bytes())?.reply()?.atom)
    }
}
