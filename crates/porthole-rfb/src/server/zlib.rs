//! A zlib stream that lives as long as a connection.

use flate2::{Compress, Compression, FlushCompress, Status};

/// Compresses piece after piece; each ends at a byte, and later ones use what came before.
#[derive(Debug)]
pub(super) struct ZlibStream {
    state: Compress,
    level: u8,
}

impl ZlibStream {
    pub(super) fn new(level: u8) -> Self {
        Self {
            state: Compress::new(Compression::new(level.into()), true),
            level,
        }
    }

    pub(super) const fn level(&self) -> u8 {
        self.level
    }

    /// Begins anew: the next piece uses nothing of those before.
    pub(super) fn restart(&mut self) {
        self.state.reset();
    }

    /// Appends the compressed piece.
    pub(super) fn write(&mut self, mut plain: &[u8], out: &mut Vec<u8>) {
        // More than deflate ever needs for a piece, so that one call is enough nearly always.
        out.reserve(plain.len() + plain.len() / 256 + 64);
        loop {
            let before = self.state.total_in();
            let status = self.state.compress_vec(plain, out, FlushCompress::Sync);
            plain = &plain[(self.state.total_in() - before) as usize..];
            // With room left in the output a sync flush is complete.
            let done = plain.is_empty() && out.len() < out.capacity();
            // An error would be a stream used wrongly, which cannot be: it is never finished.
            if done || !matches!(status, Ok(Status::Ok | Status::BufError)) {
                return;
            }
            out.reserve(4096);
        }
    }
}
