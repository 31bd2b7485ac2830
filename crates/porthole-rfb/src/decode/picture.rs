//! A surface in memory.

use super::Surface;
use crate::{
    frame::{FrameView, PIXEL},
    geometry::Rect,
};

/// A framebuffer in memory: bytes blue, green, red and 0. JPEGs and H.264 are kept for whoever can
/// decode them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    width: u16,
    height: u16,
    bgrx: Vec<u8>,
    jpegs: Vec<(Rect, Vec<u8>)>,
    h264: Vec<(Rect, u32, Vec<u8>)>,
}

impl Picture {
    /// Black.
    pub fn new(width: u16, height: u16) -> Self {
        let mut picture = Self::default();
        picture.resize(width, height);
        picture
    }

    /// Width in pixels.
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> u16 {
        self.height
    }

    /// All pixels.
    pub fn bgrx(&self) -> &[u8] {
        &self.bgrx
    }

    /// The pixels as a frame; `None` never, since size and bytes agree.
    pub fn view(&self) -> Option<FrameView<'_>> {
        FrameView::new(&self.bgrx, self.stride(), self.width, self.height).ok()
    }

    /// Takes the JPEGs that came, in order.
    pub fn take_jpegs(&mut self) -> Vec<(Rect, Vec<u8>)> {
        std::mem::take(&mut self.jpegs)
    }

    /// Takes the H.264 that came, in order: area, flags and data.
    pub fn take_h264(&mut self) -> Vec<(Rect, u32, Vec<u8>)> {
        std::mem::take(&mut self.h264)
    }

    fn stride(&self) -> usize {
        usize::from(self.width) * PIXEL
    }

    /// The bytes of a rectangle's rows, which must lie in the picture.
    fn rows(&mut self, area: Rect) -> impl Iterator<Item = &mut [u8]> {
        let left = usize::from(area.x) * PIXEL;
        let len = usize::from(area.width) * PIXEL;
        let stride = self.stride();
        self.bgrx
            .chunks_exact_mut(stride.max(1))
            .skip(area.y.into())
            .take(area.height.into())
            .map(move |row| &mut row[left..left + len])
    }
}

impl Surface for Picture {
    fn resize(&mut self, width: u16, height: u16) {
        let mut bgrx = vec![0; usize::from(width) * usize::from(height) * PIXEL];
        let kept = usize::from(width.min(self.width)) * PIXEL;
        if kept > 0 {
            let new = bgrx.chunks_exact_mut(usize::from(width) * PIXEL);
            let old = self.bgrx.chunks_exact(self.stride());
            for (new, old) in new.zip(old) {
                new[..kept].copy_from_slice(&old[..kept]);
            }
        }
        *self = Self {
            width,
            height,
            bgrx,
            jpegs: std::mem::take(&mut self.jpegs),
            h264: std::mem::take(&mut self.h264),
        };
    }

    fn pixels(&mut self, area: Rect, bgrx: &[u8]) {
        let len = usize::from(area.width) * PIXEL;
        for (row, new) in self.rows(area).zip(bgrx.chunks_exact(len.max(1))) {
            row.copy_from_slice(new);
        }
    }

    fn fill(&mut self, area: Rect, colour: u32) {
        for row in self.rows(area) {
            row.as_chunks_mut::<PIXEL>().0.fill(colour.to_le_bytes());
        }
    }

    fn copy(&mut self, area: Rect, from_x: u16, from_y: u16) {
        let len = usize::from(area.width) * PIXEL;
        let stride = self.stride();
        let move_row = |row: usize, bgrx: &mut [u8]| {
            let from = (usize::from(from_y) + row) * stride + usize::from(from_x) * PIXEL;
            let to = (usize::from(area.y) + row) * stride + usize::from(area.x) * PIXEL;
            bgrx.copy_within(from..from + len, to);
        };
        let rows = 0..usize::from(area.height);
        // Rows that overlap are moved before they are painted over.
        if from_y < area.y {
            rows.rev().for_each(|row| move_row(row, &mut self.bgrx));
        } else {
            rows.for_each(|row| move_row(row, &mut self.bgrx));
        }
    }

    fn jpeg(&mut self, area: Rect, jpeg: &[u8]) {
        self.jpegs.push((area, jpeg.to_vec()));
    }

    fn h264(&mut self, area: Rect, flags: u32, data: &[u8]) {
        self.h264.push((area, flags, data.to_vec()));
    }
}
