//! What is to be done next with what was received.

use crate::{
    event::{self, MAX_TEXT},
    ops::Ops,
};
use porthole_rfb::{
    PixelFormat,
    decode::{Decoder, DecoderLimits, ServerEvent},
    handshake::Version,
};

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Next {
    /// Wait for more bytes. Operations of an update that is not whole yet stay.
    Wait = 0,
    /// Draw the operations; the update goes on.
    Draw = 1,
    /// Draw the operations; the update is whole.
    Finish = 2,
    /// Read the event.
    Event = 3,
    /// Read the event, which says why the connection cannot go on.
    Broken = 4,
}

/// A connection's decoder, from its first byte on.
pub struct Machine {
    decoder: Decoder,
    ops: Ops,
    drawn: bool,
    event: Vec<u8>,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// At the start.
    pub fn new() -> Self {
        Self {
            decoder: Decoder::new(DecoderLimits {
                cut_text: MAX_TEXT,
                ..DecoderLimits::default()
            }),
            ops: Ops::default(),
            drawn: false,
            event: Vec::new(),
        }
    }

    /// Adds received bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
    }

    /// Goes on to whatever is next. Operations that were to be drawn are gone then.
    pub fn proceed(&mut self) -> Next {
        if std::mem::take(&mut self.drawn) {
            self.ops.clear();
        }
        loop {
            let next = match self.decoder.next_event(&mut self.ops) {
                Ok(None) => return Next::Wait,
                Ok(Some(ServerEvent::UpdateEnd)) => Next::Finish,
                Ok(Some(ServerEvent::Paused)) => Next::Draw,
                Ok(Some(ServerEvent::ProtocolVersion(version))) if version != Version::V8 => {
                    event::broken("the display does not speak RFB 3.8", &mut self.event);
                    return Next::Broken;
                }
                Ok(Some(event)) => {
                    if matches!(event, ServerEvent::Init(_)) {
                        // The viewer asks for this format before it asks for any pixels. One that
                        // the decoder itself has it can always read.
                        let _ = self.decoder.set_format(PixelFormat::BGRX);
                    }
                    if !event::write(&event, &mut self.event) {
                        continue;
                    }
                    if self.event[0] == event::kind::BROKEN {
                        return Next::Broken;
                    }
                    return Next::Event;
                }
                Err(error) => {
                    event::broken(&error.to_string(), &mut self.event);
                    return Next::Broken;
                }
            };
            self.drawn = true;
            return next;
        }
    }

    /// The operations to be drawn.
    pub const fn ops(&self) -> &Ops {
        &self.ops
    }

    /// The last event.
    pub fn event(&self) -> &[u8] {
        &self.event
    }
}
