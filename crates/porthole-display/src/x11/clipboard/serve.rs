//! Gives a viewer's text to the session's applications, in pieces when it is large.

use super::{Atoms, PATIENCE};
use crate::x11::{XConnection, XError};
use porthole_rfb::clipboard::to_latin1;
use std::{sync::Arc, time::Instant};
use x11rb::{
    NONE,
    protocol::xproto::{
        Atom, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, PropMode,
        SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window,
    },
    wrapper::ConnectionExt as _,
};

/// A larger text goes in pieces.
const WHOLE: usize = 128 << 10;
/// Bytes of a piece.
const PIECE: usize = 64 << 10;
/// Applications that may wait or be served at once.
const MAX_APPLICATIONS: usize = 32;

/// An application that gets a text in pieces.
#[derive(Debug)]
struct Transfer {
    window: Window,
    property: Atom,
    kind: Atom,
    bytes: Vec<u8>,
    sent: usize,
    since: Instant,
}

/// The applications being served.
#[derive(Debug, Default)]
pub struct Serving {
    waiting: Vec<(SelectionRequestEvent, Instant)>,
    transfers: Vec<Transfer>,
}

impl Serving {
    /// Whether an application waits for the text.
    pub fn wants_text(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When the one that is idle longest has been so for too long.
    pub fn oldest(&self) -> Option<Instant> {
        self.transfers
            .iter()
            .map(|transfer| transfer.since + PATIENCE)
            .min()
    }

    /// Forgets applications that do not go on.
    pub fn forget_old(&mut self, now: Instant) {
        self.transfers
            .retain(|transfer| transfer.since + PATIENCE > now);
    }

    /// An application asks. Answers at once when it can; says whether the text is needed for it.
    pub fn request(
        &mut self,
        x: &XConnection,
        atoms: &Atoms,
        request: &SelectionRequestEvent,
        since: u32,
        text: Option<&Arc<str>>,
    ) -> Result<bool, XError> {
        let mode = PropMode::REPLACE;
        let (window, property) = (request.requestor, property_of(request));
        if request.target == atoms.targets {
            let targets = [
                atoms.targets,
                atoms.timestamp,
                atoms.utf8,
                atoms.plain_utf8,
                atoms.plain,
                atoms.text,
                atoms.string,
            ];
            x.conn
                .change_property32(mode, window, property, atoms.atom, &targets)?
                .check()?;
            notify(x, request, property)?;
        } else if request.target == atoms.timestamp {
            x.conn
                .change_property32(mode, window, property, atoms.integer, &[since])?
                .check()?;
            notify(x, request, property)?;
        } else if !atoms.is_text(request.target)
            || self.waiting.len() + self.transfers.len() >= MAX_APPLICATIONS
        {
            refuse(x, request)?;
        } else if let Some(text) = text {
            self.give(x, atoms, request, text)?;
        } else {
            self.waiting.push((*request, Instant::now()));
            return Ok(true);
        }
        Ok(false)
    }

    /// The text came, or does not come.
    pub fn give_text(
        &mut self,
        x: &XConnection,
        atoms: &Atoms,
        text: Option<&Arc<str>>,
    ) -> Result<(), XError> {
        for (request, _) in std::mem::take(&mut self.waiting) {
            let result = match text {
                Some(text) => self.give(x, atoms, &request, text),
                None => refuse(x, &request),
            };
            match result {
                Err(error @ XError::Connection(_)) => return Err(error),
                // One that is gone must not keep the others waiting.
                Err(error) => tracing::debug!(%error, "an application that wanted text went"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn give(
        &mut self,
        x: &XConnection,
        atoms: &Atoms,
        request: &SelectionRequestEvent,
        text: &str,
    ) -> Result<(), XError> {
        let (kind, bytes) = if request.target == atoms.string {
            (atoms.string, to_latin1(text))
        } else if request.target == atoms.text {
            (atoms.utf8, text.as_bytes().to_vec())
        } else {
            (request.target, text.as_bytes().to_vec())
        };
        let (window, property) = (request.requestor, property_of(request));
        let mode = PropMode::REPLACE;
        if bytes.len() <= WHOLE {
            x.conn
                .change_property8(mode, window, property, kind, &bytes)?
                .check()?;
        } else {
            let events = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
            x.conn.change_window_attributes(window, &events)?.check()?;
            let size = [bytes.len() as u32];
            x.conn
                .change_property32(mode, window, property, atoms.incr, &size)?
                .check()?;
            self.transfers
                .retain(|other| (other.window, other.property) != (window, property));
            let since = Instant::now();
            self.transfers.push(Transfer {
                window,
                property,
                kind,
                bytes,
                sent: 0,
                since,
            });
        }
        notify(x, request, property)
    }

    /// An application took a piece.
    pub fn next_piece(
        &mut self,
        x: &XConnection,
        window: Window,
        property: Atom,
    ) -> Result<(), XError> {
        let found = self
            .transfers
            .iter()
            .position(|transfer| (transfer.window, transfer.property) == (window, property));
        let Some(at) = found else {
            return Ok(());
        };
        let transfer = &mut self.transfers[at];
        let end = (transfer.sent + PIECE).min(transfer.bytes.len());
        let piece = &transfer.bytes[transfer.sent..end];
        let last = piece.is_empty();
        let kind = transfer.kind;
        let put = x
            .conn
            .change_property8(PropMode::REPLACE, window, property, kind, piece)?;
        transfer.sent = end;
        transfer.since = Instant::now();
        if last {
            self.transfers.swap_remove(at);
            let nothing = ChangeWindowAttributesAux::new().event_mask(EventMask::NO_EVENT);
            x.conn
                .change_window_attributes(window, &nothing)?
                .ignore_error();
        }
        put.check()?;
        Ok(())
    }
}

/// Tells an application that it gets nothing.
pub fn refuse(x: &XConnection, request: &SelectionRequestEvent) -> Result<(), XError> {
    notify(x, request, NONE)
}

/// Old clients name no property and mean the target (ICCCM section 2.2).
fn property_of(request: &SelectionRequestEvent) -> Atom {
    if request.property == NONE {
        request.target
    } else {
        request.property
    }
}

fn notify(x: &XConnection, request: &SelectionRequestEvent, property: Atom) -> Result<(), XError> {
    let event = SelectionNotifyEvent {
        response_type: SELECTION_NOTIFY_EVENT,
        sequence: 0,
        time: request.time,
        requestor: request.requestor,
        selection: request.selection,
        target: request.target,
        property,
    };
    x.conn
        .send_event(false, request.requestor, EventMask::NO_EVENT, event)?
        .check()?;
    Ok(())
}
