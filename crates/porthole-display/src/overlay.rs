//! What is burnt into the picture between the X server and everybody who sees it: a watermark and
//! areas that stay black.
//!
//! It is laid over each row of pixels as that is read, before it is compared with the picture so
//! far. So an area that did not change costs nothing, what moved is compared as it will be seen,
//! and every viewer, encoding and screenshot has it without knowing of it.

mod layer;
mod lettering;
mod stamp;

pub use layer::Layer;
pub use lettering::FontError;

use crate::geometry::Size;
use layer::Tiling;
use porthole_model::protection::{
    Colour, Mark, Picture, PictureError, Placement, Position, Protection, TextError, Watermark,
};
use porthole_rfb::Rect;
use stamp::{Bitmap, Stamp};
use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Pixels between the screen's edge and a watermark that is there once.
const MARGIN: i32 = 24;

/// A protection that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The text.
    #[error("the watermark's text cannot be used: {0}")]
    Text(#[from] TextError),
    /// The picture.
    #[error("the watermark's picture cannot be used: {0}")]
    Picture(#[from] PictureError),
    /// Nothing to draw the text with.
    #[error("the watermark's text cannot be drawn: {0}")]
    Font(#[from] FontError),
    /// What would be drawn is nothing.
    #[error("nothing would be seen of the watermark")]
    Nothing,
}

/// What a watermark shows now.
#[derive(Debug)]
enum Shown {
    Nothing,
    Picture(Bitmap),
    /// A text, and when it may be another.
    Text(String, Option<Instant>),
}

/// What is burnt in, as it is now.
#[derive(Debug)]
pub struct Overlay {
    protection: Protection,
    fonts: Vec<PathBuf>,
    shown: Shown,
    layer: Layer,
}

impl Overlay {
    /// Nothing yet. `fonts` are the files that texts are drawn with, the first that has a letter
    /// draws it.
    pub fn new(fonts: Vec<PathBuf>) -> Self {
        Self {
            protection: Protection::default(),
            fonts,
            shown: Shown::Nothing,
            layer: Layer::default(),
        }
    }

    /// From now on this is burnt in.
    ///
    /// # Errors
    /// When it cannot be; then all stays as it was.
    pub fn set(&mut self, protection: Protection, size: Size) -> Result<(), OverlayError> {
        let shown = match &protection.watermark {
            None => Shown::Nothing,
            Some(mark) => shown(mark)?,
        };
        self.layer = layer(&protection, &shown, &self.fonts, size)?;
        self.protection = protection;
        self.shown = shown;
        Ok(())
    }

    /// The screen has another size.
    pub fn resize(&mut self, size: Size) {
        if !self.protection.is_empty() {
            self.rebuild(size);
        }
    }

    fn rebuild(&mut self, size: Size) {
        self.layer =
            layer(&self.protection, &self.shown, &self.fonts, size).unwrap_or_else(|error| {
                // Rather nothing than pixels without what protects them.
                tracing::error!(%error, "the screen stays black");
                Layer::black(size)
            });
    }

    /// How long until the text may be another.
    pub fn due_in(&self, now: Instant) -> Option<Duration> {
        match &self.shown {
            Shown::Text(_, due) => due.map(|due| due.saturating_duration_since(now)),
            _ => None,
        }
    }

    /// Lets time pass: what the watermark covered and covers, if its text is another now.
    pub fn renew(&mut self, now: Instant, size: Size) -> Option<Vec<Rect>> {
        if self.due_in(now) != Some(Duration::ZERO) {
            return None;
        }
        let mark = self.protection.watermark.as_ref()?;
        let next = match shown(mark) {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the watermark keeps its time");
                if let Shown::Text(_, due) = &mut self.shown {
                    *due = Some(now + Duration::from_mins(1));
                }
                return None;
            }
        };
        let same = match (&self.shown, &next) {
            (Shown::Text(old, _), Shown::Text(new, _)) => old == new,
            _ => false,
        };
        self.shown = next;
        if same {
            return None;
        }
        let mut areas = self.layer.marked(size);
        self.rebuild(size);
        areas.extend(self.layer.marked(size));
        Some(areas)
    }

    /// What is laid over the screen's pixels.
    pub const fn layer(&self) -> &Layer {
        &self.layer
    }
}

fn shown(mark: &Watermark) -> Result<Shown, OverlayError> {
    if let Mark::Picture { png } = &mark.mark {
        let picture = Picture::decode(png)?;
        return Ok(Shown::Picture(painted(&picture, mark.colour)));
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    let unix = since.as_secs() as i64;
    Ok(match mark.text_at(unix)? {
        None => Shown::Nothing,
        Some((text, pace)) => {
            let part = Duration::from_nanos(since.subsec_nanos().into());
            let due = pace
                .wait(unix)
                .map(|seconds| Instant::now() + Duration::from_secs(seconds).saturating_sub(part));
            Shown::Text(text, due)
        }
    })
}

fn painted(picture: &Picture, colour: Colour) -> Bitmap {
    let pixels = picture.rgba.iter().map(|&[red, green, blue, alpha]| {
        if picture.tinted {
            [colour.red, colour.green, colour.blue, alpha]
        } else {
            [red, green, blue, alpha]
        }
    });
    Bitmap::new(picture.width as usize, picture.height as usize, pixels)
}

/// The layer of a protection for a screen of this size.
fn layer(
    protection: &Protection,
    shown: &Shown,
    fonts: &[PathBuf],
    size: Size,
) -> Result<Layer, OverlayError> {
    let mut black: Vec<Rect> = protection
        .black_out
        .iter()
        .filter_map(|region| region.on(size.width, size.height))
        .map(|area| between(area.left, area.top, area.right, area.bottom))
        .collect();
    if let Some(region) = &protection.visible {
        let seen = region.on(size.width, size.height);
        black.extend(seen.map_or_else(
            || vec![size.bounds()],
            |area| around(size, between(area.left, area.top, area.right, area.bottom)),
        ));
    }
    let mark = match &protection.watermark {
        None => None,
        Some(mark) => stamp(mark, shown, fonts, size)?.map(|stamp| tiling(mark, stamp, size)),
    };
    Ok(Layer::new(mark, black))
}

const fn between(left: u16, top: u16, right: u16, bottom: u16) -> Rect {
    Rect::new(left, top, right - left, bottom - top)
}

/// What lies around an area.
fn around(size: Size, area: Rect) -> Vec<Rect> {
    let (right, bottom) = (area.right() as u16, area.bottom() as u16);
    let parts = [
        between(0, 0, size.width, area.y),
        between(0, bottom, size.width, size.height),
        between(0, area.y, area.x, bottom),
        between(right, area.y, size.width, bottom),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

/// One copy of the watermark, no larger than the screen.
fn stamp(
    mark: &Watermark,
    shown: &Shown,
    fonts: &[PathBuf],
    size: Size,
) -> Result<Option<Stamp>, OverlayError> {
    let angle = f32::from(mark.angle).to_radians();
    let fits = |width: f32, height: f32| {
        let (wide, high) = stamp::turned_size(width, height, angle);
        (f32::from(size.width) / wide)
            .min(f32::from(size.height) / high)
            .min(1.0)
    };
    let turned = match shown {
        Shown::Nothing => return Ok(None),
        Shown::Picture(picture) => {
            let scale = fits(picture.width as f32, picture.height as f32);
            picture.turned(angle, scale)
        }
        Shown::Text(text, _) => {
            let Mark::Text { size: letters, .. } = &mark.mark else {
                return Ok(None);
            };
            let colour = [mark.colour.red, mark.colour.green, mark.colour.blue];
            let mut lettering = lettering::Lettering::new(fonts, text, f32::from(*letters))?;
            let (width, height) = lettering.size();
            lettering.shrink(fits(width, height));
            lettering.draw(colour).turned(angle, 1.0)
        }
    };
    let stamp = Stamp::new(&turned, mark.opacity);
    // A watermark that nobody sees protects nothing; an administrator is told.
    if stamp.is_empty() {
        return Err(OverlayError::Nothing);
    }
    Ok(Some(stamp))
}

fn tiling(mark: &Watermark, stamp: Stamp, size: Size) -> Tiling {
    let (width, height) = (stamp.width() as i32, stamp.height() as i32);
    let free = (
        i32::from(size.width) - width,
        i32::from(size.height) - height,
    );
    match mark.placement {
        // One copy is in the middle, so that a small screen has a whole one.
        Placement::Tiled { spacing } => {
            let spacing = i32::from(spacing);
            Tiling::new(
                stamp,
                (free.0 / 2, free.1 / 2),
                (width + spacing, height + spacing),
            )
        }
        Placement::Once { position } => {
            let (column, row) = match position {
                Position::TopLeft => (0, 0),
                Position::Top => (1, 0),
                Position::TopRight => (2, 0),
                Position::Left => (0, 1),
                Position::Center => (1, 1),
                Position::Right => (2, 1),
                Position::BottomLeft => (0, 2),
                Position::Bottom => (1, 2),
                Position::BottomRight => (2, 2),
            };
            let place = |free: i32, third: i32| {
                let margin = MARGIN.min(free / 2).max(0);
                match third {
                    0 => margin,
                    1 => free / 2,
                    _ => free - margin,
                }
            };
            // The next copy lies beyond the screen.
            let step = (
                i32::from(size.width) + width + 1,
                i32::from(size.height) + height + 1,
            );
            Tiling::new(stamp, (place(free.0, column), place(free.1, row)), step)
        }
    }
}

#[cfg(test)]
mod tests;
