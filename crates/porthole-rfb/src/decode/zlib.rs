//! A zlib stream that goes on from rectangle to rectangle.

use super::DecodeError;
use flate2::{Decompress, FlushDecompress, Status};

pub(super) struct Inflater(Decompress);

impl Inflater {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    /// Replaces `out` with what the piece holds.
    ///
    /// # Errors
    /// When it is broken, or holds more than `limit` bytes.
    pub(super) fn inflate(
        &mut self,
        mut packed: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        out.clear();
        loop {
            if out.len() > limit {
                return Err(DecodeError::Broken(
                    "more compressed data than its pixels need",
                ));
            }
            // One byte more than allowed, so that too much is seen; no more at once than what
            // is known to come is likely to need.
            let room = (limit + 1 - out.len()).min(packed.len() * 4 + 4096);
            let (start, read) = (out.len(), self.0.total_in());
            out.resize(start + room, 0);
            let written = self.0.total_out();
            let status = self
                .0
                .decompress(packed, &mut out[start..], FlushDecompress::Sync)
                .map_err(|_| DecodeError::Broken("compressed data that is not zlib"))?;
            let written = (self.0.total_out() - written) as usize;
            let read = (self.0.total_in() - read) as usize;
            out.truncate(start + written);
            packed = &packed[read..];
            // With room left in the output there is no more in the input.
            if packed.is_empty() && (written < room || read + written == 0) {
                return Ok(());
            }
            if status == Status::StreamEnd || read + written == 0 {
                return Err(DecodeError::Broken("compressed data that ends early"));
            }
        }
    }

    /// Replaces `out` with exactly `len` bytes.
    pub(super) fn inflate_exact(
        &mut self,
        packed: &[u8],
        len: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        self.inflate(packed, len, out)?;
        if out.len() == len {
            Ok(())
        } else {
            Err(DecodeError::Broken(
                "less compressed data than its pixels need",
            ))
        }
    }
}
