//! What lies beside a video in the tiles that it shares: told as changed with each of its
//! pictures, though it mostly stands still.

use crate::region::Region;
use porthole_rfb::{FrameView, Rect};

/// The border of one video.
pub(super) struct Border(Vec<Piece>);

struct Piece {
    area: Rect,
    /// The pixels that the viewer got last; `None`: not known.
    sent: Option<Vec<u8>>,
}

impl Border {
    /// Between an area and the tiles around it.
    pub(super) fn new(area: Rect, outer: Rect) -> Self {
        let pieces = Region::from(outer).subtract(&area.into());
        Self(
            pieces
                .rects()
                .map(|area| Piece { area, sent: None })
                .collect(),
        )
    }

    /// All of it.
    pub(super) fn region(&self) -> Region {
        Region::from_rects(&self.0.iter().map(|piece| piece.area).collect::<Vec<_>>())
    }

    /// What the viewer has already as the frame shows it.
    pub(super) fn same(&self, frame: &FrameView) -> Region {
        let same = self.0.iter().filter(|piece| {
            piece
                .sent
                .as_ref()
                .is_some_and(|sent| frame.rows(piece.area).flatten().eq(sent))
        });
        Region::from_rects(&same.map(|piece| piece.area).collect::<Vec<_>>())
    }

    /// The viewer gets something else there.
    pub(super) fn forget(&mut self, region: &Region) {
        for piece in &mut self.0 {
            if piece.sent.is_some() && !region.intersect(&piece.area.into()).is_empty() {
                piece.sent = None;
            }
        }
    }

    /// The viewer got these pixels of the frame.
    pub(super) fn sent(&mut self, frame: &FrameView, region: &Region) {
        for piece in &mut self.0 {
            let area = Region::from(piece.area);
            if piece.sent.is_none() && region.intersect(&area) == area {
                piece.sent = Some(frame.rows(piece.area).collect::<Vec<_>>().concat());
            }
        }
    }
}
