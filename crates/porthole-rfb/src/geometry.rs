//! Places on the framebuffer, in pixels from its top left corner.

/// A rectangle. Its far edges may lie past 65535, which no framebuffer reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rect {
    /// Left edge.
    pub x: u16,
    /// Top edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

impl Rect {
    /// From its corner and size.
    pub const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// The first column right of it.
    pub const fn right(&self) -> u32 {
        self.x as u32 + self.width as u32
    }

    /// The first row below it.
    pub const fn bottom(&self) -> u32 {
        self.y as u32 + self.height as u32
    }

    /// Whether it holds no pixel.
    pub const fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The number of its pixels.
    pub const fn area(&self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Whether all of it lies in a framebuffer of this size.
    pub const fn fits(&self, width: u16, height: u16) -> bool {
        self.right() <= width as u32 && self.bottom() <= height as u32
    }

    /// The smallest that holds it and another.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() { *other } else { *self };
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self {
            x,
            y,
            width: (self.right().max(other.right()) - u32::from(x)).min(u16::MAX.into()) as u16,
            height: (self.bottom().max(other.bottom()) - u32::from(y)).min(u16::MAX.into()) as u16,
        }
    }

    /// What it has in common with another; empty where nothing.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let x = self.x.max(other.x);
        let y = self.y.max(other.y);
        let width = self.right().min(other.right()).saturating_sub(u32::from(x));
        let height = self
            .bottom()
            .min(other.bottom())
            .saturating_sub(u32::from(y));
        if width == 0 || height == 0 {
            return Self::default();
        }
        Self {
            x,
            y,
            width: width as u16,
            height: height as u16,
        }
    }
}

/// One screen of an extended desktop size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Screen {
    /// The screen's id, chosen by the server, kept by the client.
    pub id: u32,
    /// Where it lies on the framebuffer.
    pub area: Rect,
    /// Reserved; kept as received.
    pub flags: u32,
}
