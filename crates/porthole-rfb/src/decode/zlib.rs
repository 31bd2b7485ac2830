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
            // Room left in the output, or the stream's end, says that nothing is held back.
            let all = written < room || status == Status::StreamEnd || read + written == 0;
            if packed.is_empty() && all {
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

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::ZlibEncoder};
    use std::io::Write;

    /// Among these lengths are those that fill exactly what the inflater makes room for.
    #[test]
    fn a_stream_may_end_where_the_room_does() {
        for len in 4000..4400 {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&vec![7; len]).unwrap();
            let packed = encoder.finish().unwrap();
            let mut out = Vec::new();
            let result = Inflater::new().inflate_exact(&packed, len, &mut out);
            assert!(result.is_ok(), "{len} bytes: {result:?}");
            assert!(out.iter().all(|&byte| byte == 7));
        }
    }
}
