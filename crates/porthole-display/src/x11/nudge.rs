//! Wakes window managers that sleep over their first window.
//!
//! Some (Openbox 3.6 among them) read events ahead while they start, and then wait for the next one
//! before they look at those. When an application is as quick as that, its first window is asked
//! for and never shown, until anything else happens. A change of a property of the root window is
//! such a thing, and means nothing to anybody.

use super::{XConnection, XError};
use std::time::{Duration, Instant};
use x11rb::{
    protocol::xproto::{Atom, AtomEnum, PropMode},
    wrapper::ConnectionExt as _,
};

/// The first nudge comes so long after the last window was made; each other after twice as long.
const FIRST: Duration = Duration::from_millis(40);
/// The longest wait for another one.
const LAST: Duration = Duration::from_secs(5);

/// When to nudge.
#[derive(Debug)]
pub struct Nudge {
    property: Atom,
    next: Option<(Instant, Duration)>,
}

impl Nudge {
    /// Nothing to be done yet.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn new(x: &XConnection) -> Result<Self, XError> {
        Ok(Self {
            property: x.atom("_PORTHOLE_NUDGE")?,
            next: None,
        })
    }

    /// A window was made while none can be seen.
    pub fn window_made(&mut self) {
        self.next = Some((Instant::now() + FIRST, FIRST));
    }

    /// A window can be seen.
    pub fn stop(&mut self) {
        self.next = None;
    }

    /// Nudges if it is time; says how long to wait for the next.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn when_due(&mut self, x: &XConnection) -> Result<Option<Duration>, XError> {
        let Some((due, wait)) = self.next else {
            return Ok(None);
        };
        let now = Instant::now();
        if now < due {
            return Ok(Some(due - now));
        }
        let (mode, kind) = (PropMode::REPLACE, AtomEnum::STRING);
        x.conn
            .change_property8(mode, x.root, self.property, kind, b"")?;
        let wait = wait * 2;
        self.next = (wait <= LAST).then(|| (now + wait, wait));
        Ok(self.next.map(|_| wait))
    }
}
