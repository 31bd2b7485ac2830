//! A stream of messages to a display, whatever carries it: a unix socket on this machine or an
//! agent's WebSocket.

use bytes::Bytes;
use futures_util::{Sink, Stream};
use std::{io, pin::Pin};

/// The receiving half: one item per RFB message of the display.
pub type MessageStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;
/// The sending half.
pub type MessageSink = Pin<Box<dyn Sink<Bytes, Error = io::Error> + Send>>;

/// Both halves of a stream to a display. Dropping it closes the stream.
pub struct MessageSocket {
    /// From the display.
    pub receive: MessageStream,
    /// To the display.
    pub send: MessageSink,
}
