//! Frames: how messages and file contents go over a byte stream.
//!
//! `length: u32 (big endian) · kind: u8 · payload`, the length that of the payload alone.
//!
//! Contents flow by credit: a side that sends [`Frame::Data`] or entries of a list begins with
//! [`WINDOW`] frames and may send as many more as [`Frame::More`] grants. So whatever lies between
//! the two (an engine, an agent, a network) holds no more than a window.

/// The largest payload, in bytes.
pub const MAX_PAYLOAD: usize = 256 * 1024;
/// How much of a file goes into one frame, in bytes.
pub const DATA: usize = 128 * 1024;
/// Frames that may be under way.
pub const WINDOW: u32 = 32;
/// A frame's bytes before the payload.
pub const HEADER: usize = 5;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A message as JSON.
    Message(Vec<u8>),
    /// Contents.
    Data(Vec<u8>),
    /// The contents' end.
    End,
    /// So many more frames of contents may come.
    More(u32),
}

/// Bytes that are no frame. The stream is of no use after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// The payload is too long.
    #[error("a frame of {0} bytes is longer than the {MAX_PAYLOAD} that are allowed")]
    TooLong(u32),
    /// Nobody knows the kind, or the payload has another length than the kind's.
    #[error("a frame of the unknown kind {0}")]
    Kind(u8),
}

impl Frame {
    const fn kind(&self) -> u8 {
        match self {
            Self::Message(_) => 1,
            Self::Data(_) => 2,
            Self::End => 3,
            Self::More(_) => 4,
        }
    }

    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let number;
        let payload: &[u8] = match self {
            Self::Message(bytes) | Self::Data(bytes) => bytes,
            Self::End => &[],
            Self::More(frames) => {
                number = frames.to_be_bytes();
                &number
            }
        };
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
        bytes.push(self.kind());
        bytes.extend_from_slice(payload);
        bytes
    }

    /// The header of a frame with contents of this length, which follow it.
    pub fn data_header(len: usize) -> [u8; HEADER] {
        let [a, b, c, d] = (len as u32).to_be_bytes();
        [a, b, c, d, 2]
    }
}

/// The length of the payload that a header announces, and its kind.
///
/// # Errors
/// When no frame has such a header.
pub fn header(bytes: [u8; HEADER]) -> Result<(usize, u8), BadFrame> {
    let [a, b, c, d, kind] = bytes;
    let len = u32::from_be_bytes([a, b, c, d]);
    if len as usize > MAX_PAYLOAD {
        return Err(BadFrame::TooLong(len));
    }
    let fits = match kind {
        1 | 2 => true,
        3 => len == 0,
        4 => len == 4,
        _ => false,
    };
    if fits {
        Ok((len as usize, kind))
    } else {
        Err(BadFrame::Kind(kind))
    }
}

/// A frame from its kind and payload.
///
/// # Errors
/// When no such frame is known.
pub fn frame(kind: u8, payload: Vec<u8>) -> Result<Frame, BadFrame> {
    match kind {
        1 => Ok(Frame::Message(payload)),
        2 => Ok(Frame::Data(payload)),
        3 if payload.is_empty() => Ok(Frame::End),
        4 => <[u8; 4]>::try_from(payload.as_slice())
            .map(|number| Frame::More(u32::from_be_bytes(number)))
            .map_err(|_| BadFrame::Kind(kind)),
        _ => Err(BadFrame::Kind(kind)),
    }
}

/// Puts frames together from bytes that come in any pieces.
#[derive(Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Bytes at the front that were given out.
    taken: usize,
}

impl Frames {
    /// Takes bytes. Take the frames out before pushing more: what is held is at most a frame and
    /// what was pushed last.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, once it is whole.
    ///
    /// # Errors
    /// When the bytes are no frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BadFrame> {
        let rest = &self.bytes[self.taken..];
        let Some(head) = rest.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let (len, kind) = header(*head)?;
        let Some(payload) = rest.get(HEADER..HEADER + len) else {
            return Ok(None);
        };
        let frame = frame(kind, payload.to_vec())?;
        self.taken += HEADER + len;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_frame() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..600);
        prop_oneof![
            bytes().prop_map(Frame::Message),
            bytes().prop_map(Frame::Data),
            Just(Frame::End),
            any::<u32>().prop_map(Frame::More),
        ]
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(
            frames in prop::collection::vec(any_frame(), 0..12),
            cut in 1_usize..700,
        ) {
            let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
            let (mut reader, mut read) = (Frames::default(), Vec::new());
            for piece in bytes.chunks(cut) {
                reader.push(piece);
                while let Some(frame) = reader.next_frame().unwrap() {
                    read.push(frame);
                }
            }
            prop_assert_eq!(read, frames);
        }

        #[test]
        fn nothing_panics_or_gathers(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut reader = Frames::default();
            reader.push(&bytes);
            while let Ok(Some(_)) = reader.next_frame() {}
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_is_there() {
        let mut reader = Frames::default();
        reader.push(&[0x7f, 0, 0, 0, 2]);
        assert_eq!(reader.next_frame(), Err(BadFrame::TooLong(0x7f00_0000)));
        let mut reader = Frames::default();
        reader.push(&[0, 0, 0, 1, 3]);
        assert_eq!(reader.next_frame(), Err(BadFrame::Kind(3)));
    }
}
