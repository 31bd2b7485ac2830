//! Fetches the text of the session's owner, in pieces when it is large (ICCCM section 2.7.2).

use super::{Atoms, Fetched};
use crate::x11::{XConnection, XError};
use porthole_rfb::clipboard::from_latin1;
use x11rb::{
    CURRENT_TIME, NONE,
    protocol::xproto::{
        Atom, AtomEnum, ConnectionExt as _, GetPropertyReply, SelectionNotifyEvent, Window,
    },
};

/// What came of an event.
#[derive(Debug)]
pub enum News {
    /// Nothing yet.
    Nothing,
    /// The owner has text.
    HasText,
    /// The text; nothing when it cannot be had.
    Text(Fetched),
}

#[derive(Debug, Default)]
enum Step {
    #[default]
    Idle,
    Targets,
    Text(Atom),
    /// Pieces so far; nothing once they are too large, and the rest is thrown away.
    Pieces(Option<Vec<u8>>),
}

/// The fetching.
#[derive(Debug, Default)]
pub struct Receiving {
    step: Step,
    /// The best target that the owner has.
    target: Option<Atom>,
}

impl Receiving {
    /// Forgets the owner.
    pub fn stop(&mut self) {
        *self = Self::default();
    }

    /// Whether pieces are coming.
    pub fn busy(&self) -> bool {
        matches!(self.step, Step::Pieces(..))
    }

    /// Asks what the owner has.
    pub fn ask_targets(
        &mut self,
        x: &XConnection,
        window: Window,
        atoms: &Atoms,
    ) -> Result<(), XError> {
        self.step = Step::Targets;
        convert(x, window, atoms, atoms.targets)
    }

    /// Asks for the text, unless that is being done.
    pub fn ask_text(
        &mut self,
        x: &XConnection,
        window: Window,
        atoms: &Atoms,
    ) -> Result<(), XError> {
        if let Step::Idle | Step::Targets = self.step {
            let target = self.target.unwrap_or(atoms.utf8);
            self.step = Step::Text(target);
            return convert(x, window, atoms, target);
        }
        Ok(())
    }

    /// The owner answered.
    pub fn notified(
        &mut self,
        x: &XConnection,
        atoms: &Atoms,
        event: &SelectionNotifyEvent,
        max: usize,
    ) -> Result<News, XError> {
        if event.selection != atoms.clipboard {
            return Ok(News::Nothing);
        }
        match self.step {
            Step::Targets if event.target == atoms.targets => {
                self.step = Step::Idle;
                if event.property == NONE {
                    // Owners that know no targets are old and have text.
                    return Ok(News::HasText);
                }
                let reply = read(x, event.requestor, atoms, 4096)?;
                let offered: Vec<Atom> = reply.value32().into_iter().flatten().collect();
                let wanted = [
                    atoms.utf8,
                    atoms.plain_utf8,
                    atoms.plain,
                    atoms.text,
                    atoms.string,
                ];
                self.target = wanted.into_iter().find(|target| offered.contains(target));
                Ok(if self.target.is_some() {
                    News::HasText
                } else {
                    News::Text(None)
                })
            }
            Step::Text(target) if event.target == target => {
                self.step = Step::Idle;
                if event.property == NONE {
                    return Ok(News::Text(None));
                }
                let reply = read(x, event.requestor, atoms, max)?;
                if reply.type_ == atoms.incr {
                    self.step = Step::Pieces(Some(Vec::new()));
                    return Ok(News::Nothing);
                }
                let whole = reply.bytes_after == 0 && reply.value.len() <= max;
                Ok(News::Text(
                    whole
                        .then(|| decode(&reply.value, reply.type_, atoms))
                        .flatten(),
                ))
            }
            _ => Ok(News::Nothing),
        }
    }

    /// The owner put a piece into our property.
    pub fn piece(
        &mut self,
        x: &XConnection,
        window: Window,
        atoms: &Atoms,
        max: usize,
    ) -> Result<News, XError> {
        let Step::Pieces(pieces) = &mut self.step else {
            return Ok(News::Nothing);
        };
        let reply = read(x, window, atoms, max)?;
        if reply.value.is_empty() {
            let pieces = pieces.take();
            self.step = Step::Idle;
            return Ok(News::Text(
                pieces.and_then(|pieces| decode(&pieces, reply.type_, atoms)),
            ));
        }
        if pieces
            .as_ref()
            .is_some_and(|pieces| reply.bytes_after > 0 || pieces.len() + reply.value.len() > max)
        {
            *pieces = None;
        }
        if let Some(pieces) = pieces {
            pieces.extend(reply.value);
        }
        Ok(News::Nothing)
    }
}

fn convert(x: &XConnection, window: Window, atoms: &Atoms, target: Atom) -> Result<(), XError> {
    x.conn.delete_property(window, atoms.transfer)?;
    x.conn.convert_selection(
        window,
        atoms.clipboard,
        target,
        atoms.transfer,
        CURRENT_TIME,
    )?;
    Ok(())
}

/// Reads our property, which tells the owner to go on.
fn read(
    x: &XConnection,
    window: Window,
    atoms: &Atoms,
    max: usize,
) -> Result<GetPropertyReply, XError> {
    let words = (max / 4 + 1).min(u32::MAX as usize) as u32;
    let any = AtomEnum::ANY;
    let reply = x
        .conn
        .get_property(true, window, atoms.transfer, any, 0, words)?
        .reply()?;
    if reply.bytes_after > 0 {
        // The X server deletes only what was read to the end.
        x.conn.delete_property(window, atoms.transfer)?;
    }
    Ok(reply)
}

fn decode(bytes: &[u8], kind: Atom, atoms: &Atoms) -> Fetched {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        // Many say STRING and mean UTF-8; what is valid UTF-8 by chance is rare.
        Ok(text) => Some(text.into()),
        Err(_) if kind == atoms.string || kind == atoms.text || kind == atoms.plain => {
            Some(from_latin1(bytes).into())
        }
        Err(_) => None,
    }
}
