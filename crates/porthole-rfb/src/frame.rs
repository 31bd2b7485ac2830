//! Pixels in memory.

use crate::geometry::Rect;

/// Bytes of one pixel of a [`FrameView`].
pub const PIXEL: usize = 4;

/// A frame whose size and bytes do not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are not a frame of {width}×{height} pixels with rows {stride} bytes apart")]
pub struct BadFrame {
    bytes: usize,
    width: u16,
    height: u16,
    stride: usize,
}

/// A picture somebody else owns: rows of pixels of four bytes, blue, green, red, and one without
/// meaning (what an X server of depth 24 has).
#[derive(Debug, Clone, Copy)]
pub struct FrameView<'a> {
    data: &'a [u8],
    stride: usize,
    width: u16,
    height: u16,
}

impl<'a> FrameView<'a> {
    /// Looks at `height` rows that start `stride` bytes apart. The last row may end with its last
    /// pixel.
    ///
    /// # Errors
    /// When there are too few bytes, or rows overlap.
    pub fn new(data: &'a [u8], stride: usize, width: u16, height: u16) -> Result<Self, BadFrame> {
        let row = usize::from(width) * PIXEL;
        let needed = match usize::from(height).checked_sub(1) {
            Some(before) => before
                .checked_mul(stride)
                .and_then(|bytes| bytes.checked_add(row)),
            None => Some(0),
        };
        match needed {
            Some(needed) if row <= stride && needed <= data.len() => Ok(Self {
                data,
                stride,
                width,
                height,
            }),
            _ => Err(BadFrame {
                bytes: data.len(),
                width,
                height,
                stride,
            }),
        }
    }

    /// Width in pixels.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> u16 {
        self.height
    }

    /// Bytes from the start of a row to that of the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// The bytes of a rectangle from its first pixel to its last, with what lies between its rows.
    /// Empty where the rectangle is, or does not fit into the frame.
    pub fn part(&self, area: &Rect) -> &'a [u8] {
        if area.is_empty() || !area.fits(self.width, self.height) {
            return &[];
        }
        let start = usize::from(area.y) * self.stride + usize::from(area.x) * PIXEL;
        let rows = (usize::from(area.height) - 1) * self.stride;
        &self.data[start..start + rows + usize::from(area.width) * PIXEL]
    }

    /// All of it.
    pub const fn bounds(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// The bytes of one row of a rectangle, which is cut to the frame: empty outside it.
    pub fn row(&self, area: &Rect, row: u16) -> &'a [u8] {
        let y = usize::from(area.y) + usize::from(row);
        let right = usize::from(self.width).min(area.right() as usize);
        let left = usize::from(area.x).min(right);
        if y >= usize::from(self.height) {
            return &[];
        }
        let start = y * self.stride;
        &self.data[start + left * PIXEL..start + right * PIXEL]
    }

    /// The rows of a rectangle, which is cut to the frame.
    pub fn rows(&self, area: Rect) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let frame = *self;
        let area = area.intersect(&frame.bounds());
        (0..area.height).map(move |row| frame.row(&area, row))
    }
}
