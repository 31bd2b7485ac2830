//! Content that compresses like the real thing: photo-like texture, source text. All of it follows
//! from fixed seeds, so that every target shows the same.

/// A small generator (xorshift64*); the same numbers on every machine.
pub struct Random(u64);

impl Random {
    /// Starts from a seed other than 0.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// The next number below `limit`.
    pub fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit.max(1)
    }
}

const WORDS: [&str; 24] = [
    "let",
    "window",
    "=",
    "connection.open(",
    "&mut",
    "frame",
    ");",
    "if",
    "damage.is_empty()",
    "{",
    "return",
    "}",
    "for",
    "tile",
    "in",
    "region.tiles()",
    "match",
    "encode(tile,",
    "quality)",
    "// unchanged since the last update",
    "\"socket\"",
    "0x7f",
    "=>",
    "Result<()>",
];
const COLORS: [u32; 6] = [
    0x00d0_d0d0,
    0x0060_a0ff,
    0x0080_d080,
    0x00ff_8060,
    0x00ff_d060,
    0x00c0_80ff,
];

/// One line of source text: colour and word; the first is blank as an indent.
pub fn source_line(random: &mut Random) -> Vec<(u32, String)> {
    let mut line = vec![(COLORS[0], " ".repeat((random.below(5) * 4) as usize))];
    for _ in 0..4 + random.below(12) {
        line.push((
            COLORS[random.below(6) as usize],
            WORDS[random.below(24) as usize].to_owned(),
        ));
    }
    line
}

/// An even hash of a place, 0 to 1.
fn lattice(x: i32, y: i32, seed: u32) -> f32 {
    let mut value = (x as u32).wrapping_mul(0x8da6_b343)
        ^ (y as u32).wrapping_mul(0xd816_3841)
        ^ seed.wrapping_mul(0xcb1a_b31f);
    value = (value ^ (value >> 15)).wrapping_mul(0x2c1b_3c6d);
    value = (value ^ (value >> 12)).wrapping_mul(0x297a_2d39);
    (value ^ (value >> 15)) as f32 / u32::MAX as f32
}

/// Smooth noise of one wavelength.
fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let smooth = |part: f32| part * part * (3.0 - 2.0 * part);
    let (u, v) = (smooth(x - left), smooth(y - top));
    let (column, row) = (left as i32, top as i32);
    let mix = |from: f32, to: f32, part: f32| from + (to - from) * part;
    mix(
        mix(
            lattice(column, row, seed),
            lattice(column + 1, row, seed),
            u,
        ),
        mix(
            lattice(column, row + 1, seed),
            lattice(column + 1, row + 1, seed),
            u,
        ),
        v,
    )
}

/// A photo-like picture as 0xRRGGBB: soft shapes of all sizes, edges, a light falling from above.
pub fn photo(width: usize, height: usize) -> Vec<u32> {
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (px, py) = (x as f32, y as f32);
            let mut detail = 0.0;
            for (octave, share) in [
                (180.0, 0.5),
                (70.0, 0.26),
                (26.0, 0.13),
                (9.0, 0.07),
                (4.0, 0.04),
            ] {
                detail += noise(px / octave, py / octave, octave as u32) * share;
            }
            let warmth = noise(px / 260.0, py / 260.0, 91);
            // A threshold in the noise gives the outlines that photos have.
            let edge = if noise(px / 120.0, py / 90.0, 17) > 0.58 {
                0.72
            } else {
                1.0
            };
            let light = (0.35 + detail * 0.9) * edge * (1.1 - 0.4 * py / height as f32);
            let channel = |tint: f32| (light * tint * 230.0).clamp(0.0, 255.0) as u32;
            pixels.push(
                channel(0.75 + 0.4 * warmth) << 16
                    | channel(0.85 + 0.15 * detail) << 8
                    | channel(1.1 - 0.45 * warmth),
            );
        }
    }
    pixels
}

/// A picture's pixel between four of its own; outside it repeats its edge.
pub fn sample(picture: &[u32], width: usize, height: usize, x: f32, y: f32) -> u32 {
    let (x, y) = (
        x.clamp(0.0, width as f32 - 2.0),
        y.clamp(0.0, height as f32 - 2.0),
    );
    let (left, top) = (x as usize, y as usize);
    let (u, v) = (
        ((x - left as f32) * 256.0) as u32,
        ((y - top as f32) * 256.0) as u32,
    );
    let at = top * width + left;
    let corners = [
        picture[at],
        picture[at + 1],
        picture[at + width],
        picture[at + width + 1],
    ];
    let weights = [(256 - u) * (256 - v), u * (256 - v), (256 - u) * v, u * v];
    let mut color = 0;
    for shift in [0, 8, 16] {
        let sum: u32 = corners
            .iter()
            .zip(weights)
            .map(|(corner, weight)| (corner >> shift & 0xff) * weight)
            .sum();
        color |= (sum >> 16) << shift;
    }
    color
}

/// Adds the same amount to each channel.
pub fn shade(color: u32, by: i32) -> u32 {
    [0, 8, 16].into_iter().fold(0, |sum, shift| {
        sum | ((((color >> shift & 0xff) as i32 + by).clamp(0, 255)) as u32) << shift
    })
}
