//! One copy of a watermark.

/// A picture: red, green, blue, each times the opacity, and the opacity.
#[derive(Debug, Clone)]
pub(super) struct Bitmap {
    pub(super) width: usize,
    pub(super) height: usize,
    pixels: Vec<[u8; 4]>,
}

/// `value` parts of 255 of a byte, rounded.
const fn part(byte: u8, value: u8) -> u8 {
    let product = byte as u32 * value as u32 + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// How large a picture is after it was turned.
pub(super) fn turned_size(width: f32, height: f32, angle: f32) -> (f32, f32) {
    let (sin, cos) = (angle.sin().abs(), angle.cos().abs());
    (width * cos + height * sin, width * sin + height * cos)
}

impl Bitmap {
    /// From red, green, blue and opacity of each pixel.
    pub(super) fn new(width: usize, height: usize, rgba: impl Iterator<Item = [u8; 4]>) -> Self {
        let mut pixels: Vec<[u8; 4]> = rgba
            .map(|[red, green, blue, alpha]| {
                [
                    part(red, alpha),
                    part(green, alpha),
                    part(blue, alpha),
                    alpha,
                ]
            })
            .collect();
        pixels.resize(width * height, [0; 4]);
        Self {
            width,
            height,
            pixels,
        }
    }

    fn at(&self, x: i64, y: i64) -> [u8; 4] {
        let inside = |at: i64, length: usize| usize::try_from(at).ok().filter(|at| *at < length);
        match (inside(x, self.width), inside(y, self.height)) {
            (Some(x), Some(y)) => self.pixels[y * self.width + x],
            _ => [0; 4],
        }
    }

    /// The mean of the four pixels around a point, by their nearness.
    fn sample(&self, x: f32, y: f32) -> [f32; 4] {
        let (left, top) = (x.floor(), y.floor());
        let (right, down) = (x - left, y - top);
        let mut sum = [0.0; 4];
        for (dx, dy, weight) in [
            (0, 0, (1.0 - right) * (1.0 - down)),
            (1, 0, right * (1.0 - down)),
            (0, 1, (1.0 - right) * down),
            (1, 1, right * down),
        ] {
            let pixel = self.at(left as i64 + dx, top as i64 + dy);
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += f32::from(value) * weight;
            }
        }
        sum
    }

    /// The same, turned clockwise and scaled.
    pub(super) fn turned(&self, angle: f32, scale: f32) -> Self {
        // As it is: sampling would only blur it.
        if angle == 0.0 && scale >= 1.0 {
            return self.clone();
        }
        let (width, height) = (self.width as f32 * scale, self.height as f32 * scale);
        let (wide, high) = turned_size(width, height, angle);
        // What a rounding error adds is no pixel.
        let side = |length: f32| ((length - 0.01).ceil().max(1.0)) as usize;
        let (wide, high) = (side(wide), side(high));
        let (sin, cos) = angle.sin_cos();
        // A smaller picture takes the mean of all that falls into a pixel.
        let samples = (1.0 / scale).ceil().clamp(1.0, 8.0) as usize;
        let mut pixels = Vec::with_capacity(wide * high);
        for y in 0..high {
            for x in 0..wide {
                let mut sum = [0.0; 4];
                for sample in 0..samples * samples {
                    let within = |at: usize| (at as f32 + 0.5) / samples as f32;
                    let dx = x as f32 + within(sample % samples) - wide as f32 / 2.0;
                    let dy = y as f32 + within(sample / samples) - high as f32 / 2.0;
                    let from_x = (dx * cos + dy * sin) / scale + self.width as f32 / 2.0 - 0.5;
                    let from_y = (dy * cos - dx * sin) / scale + self.height as f32 / 2.0 - 0.5;
                    for (sum, value) in sum.iter_mut().zip(self.sample(from_x, from_y)) {
                        *sum += value;
                    }
                }
                let count = (samples * samples) as f32;
                pixels.push(sum.map(|sum| (sum / count).round() as u8));
            }
        }
        Self {
            width: wide,
            height: high,
            pixels,
        }
    }
}

/// A pixel of a stamp: what is added to the screen's after that was made weaker.
#[derive(Debug, Clone, Copy)]
pub(super) struct MarkPixel {
    bgr: [u8; 3],
    keep: u8,
}

impl MarkPixel {
    /// Blends it into a pixel of the screen: blue, green, red and a byte that stays.
    pub(super) fn blend(self, pixel: &mut [u8; 4]) {
        for (value, add) in pixel.iter_mut().zip(self.bgr) {
            *value = part(*value, self.keep).saturating_add(add);
        }
    }
}

/// Pixels side by side that something is seen of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// The first one's column.
    pub(super) x: u16,
    start: u32,
    length: u16,
}

/// A copy of a watermark: only what is seen of it, line by line.
#[derive(Debug)]
pub(super) struct Stamp {
    width: usize,
    lines: Vec<Vec<Run>>,
    marks: Vec<MarkPixel>,
}

impl Stamp {
    /// Of a picture, so many per cent of it.
    pub(super) fn new(picture: &Bitmap, opacity: u8) -> Self {
        let opacity = (u32::from(opacity.min(100)) * 255 + 50) / 100;
        let mut marks = Vec::new();
        let lines = picture.pixels.chunks(picture.width.max(1)).map(|line| {
            let mut runs: Vec<Run> = Vec::new();
            for (x, pixel) in line.iter().enumerate() {
                let [red, green, blue, alpha] = pixel.map(|value| part(value, opacity as u8));
                if alpha == 0 {
                    continue;
                }
                match runs.last_mut() {
                    Some(run) if usize::from(run.x) + usize::from(run.length) == x => {
                        run.length += 1;
                    }
                    _ => runs.push(Run {
                        x: x as u16,
                        start: marks.len() as u32,
                        length: 1,
                    }),
                }
                marks.push(MarkPixel {
                    bgr: [blue, green, red],
                    keep: 255 - alpha,
                });
            }
            runs
        });
        let lines = lines.collect();
        Self {
            width: picture.width,
            lines,
            marks,
        }
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) const fn height(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing is seen of it.
    pub(super) const fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// What is seen of a line; nothing below the last.
    pub(super) fn line(&self, y: usize) -> &[Run] {
        self.lines.get(y).map_or(&[], Vec::as_slice)
    }

    pub(super) fn marks(&self, run: Run) -> &[MarkPixel] {
        &self.marks[run.start as usize..][..usize::from(run.length)]
    }
}
