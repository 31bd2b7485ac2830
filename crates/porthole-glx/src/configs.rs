//! The configurations: those that Mesa's software renderer has (llvmpipe; Mesa 22 and 25), in its
//! order, so that programs find what they find with it.

/// Attributes of a configuration: `__DRI_ATTRIB_*`.
pub mod attribute {
    /// Bits of a pixel.
    pub const BUFFER_SIZE: u32 = 1;
    /// Bits of red; green, blue follow.
    pub const RED_SIZE: u32 = 3;
    /// Bits of green.
    pub const GREEN_SIZE: u32 = 4;
    /// Bits of blue.
    pub const BLUE_SIZE: u32 = 5;
    /// Bits of alpha.
    pub const ALPHA_SIZE: u32 = 7;
    /// Bits of the depth buffer.
    pub const DEPTH_SIZE: u32 = 9;
    /// Bits of the stencil buffer.
    pub const STENCIL_SIZE: u32 = 10;
    /// Bits of each of the accumulation buffer's four parts, red first.
    pub const ACCUM_SIZE: core::ops::RangeInclusive<u32> = 11..=14;
    /// 1 with multisampling.
    pub const SAMPLE_BUFFERS: u32 = 15;
    /// Samples of a pixel.
    pub const SAMPLES: u32 = 16;
    /// What it draws: colours, as bits.
    pub const RENDER_TYPE: u32 = 17;
    /// Whether it is slow.
    pub const CONFIG_CAVEAT: u32 = 18;
    /// 1 with two buffers.
    pub const DOUBLE_BUFFER: u32 = 20;
    /// Whether a colour is transparent, and (as the X server reads it) its index.
    pub const TRANSPARENT_TYPES: core::ops::RangeInclusive<u32> = 23..=24;
    /// That colour's parts.
    pub const TRANSPARENT_VALUES: core::ops::RangeInclusive<u32> = 25..=28;
    /// Where red is in a pixel; green, blue, alpha follow.
    pub const RED_MASK: u32 = 30;
    /// Where green is.
    pub const GREEN_MASK: u32 = 31;
    /// Where blue is.
    pub const BLUE_MASK: u32 = 32;
    /// Where alpha is.
    pub const ALPHA_MASK: u32 = 33;
    /// What the back buffer holds after a swap.
    pub const SWAP_METHOD: u32 = 40;
    /// Whether a pixmap can be a texture.
    pub const BIND_TO_TEXTURE_RGB: u32 = 43;
    /// Whether a pixmap with alpha can be a texture.
    pub const BIND_TO_TEXTURE_RGBA: u32 = 44;
    /// As which kinds of texture.
    pub const BIND_TO_TEXTURE_TARGETS: u32 = 46;
    /// Whether rows go upwards.
    pub const Y_INVERTED: u32 = 47;
    /// Whether colours can be stored as sRGB.
    pub const SRGB_CAPABLE: u32 = 48;
    /// One more than the last attribute there is.
    pub const END: u32 = 54;
}

const RGBA_BIT: u32 = 1;
const SLOW_BIT: u32 = 1;
/// `GLX_NONE` and `GLX_DONT_CARE`.
const NONE: u32 = 0x8000;
const DONT_CARE: u32 = u32::MAX;
const SWAP_COPY: u32 = 0x8062;
const SWAP_UNDEFINED: u32 = 0x8063;
/// One and two dimensions, rectangle.
const ALL_TEXTURES: u32 = 7;

/// How a pixel holds its colours.
#[derive(Clone, Copy)]
struct Format {
    /// Masks of red, green, blue, alpha.
    masks: [u32; 4],
    srgb: bool,
}

const fn format(masks: [u32; 4], srgb: bool) -> Format {
    Format { masks, srgb }
}

const FORMATS: [Format; 9] = [
    format([0x3ff0_0000, 0x000f_fc00, 0x0000_03ff, 0xc000_0000], false),
    format([0x3ff0_0000, 0x000f_fc00, 0x0000_03ff, 0], false),
    format([0x0000_03ff, 0x000f_fc00, 0x3ff0_0000, 0xc000_0000], false),
    format([0x0000_03ff, 0x000f_fc00, 0x3ff0_0000, 0], false),
    format([0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0xff00_0000], false),
    format([0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0], false),
    format([0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0xff00_0000], true),
    format([0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0], true),
    format([0x0000_f800, 0x0000_07e0, 0x0000_001f, 0], false),
];

/// Bits of depth and stencil.
const DEPTHS: [(u32, u32); 5] = [(0, 0), (16, 0), (24, 0), (24, 8), (32, 0)];

/// Number of buffers beyond one, and what a swap leaves.
const SWAPS: [(u32, u32); 3] = [(0, SWAP_UNDEFINED), (1, SWAP_UNDEFINED), (1, SWAP_COPY)];

/// Bits of accumulation and samples: an accumulation buffer goes without samples.
const EXTRAS: [(u32, u32); 3] = [(0, 0), (16, 0), (0, 4)];

/// How many without samples a format has: each of depth, swap, accumulation or none.
const PLAIN: usize = DEPTHS.len() * SWAPS.len() * 2;
const PER_FORMAT: usize = DEPTHS.len() * SWAPS.len() * EXTRAS.len();

/// How many configurations there are.
pub const COUNT: usize = FORMATS.len() * PER_FORMAT;

/// A configuration, by its place in the list.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    place: usize,
}

impl Config {
    /// The one at a place below [`COUNT`].
    pub const fn at(place: usize) -> Option<Self> {
        if place < COUNT {
            Some(Self { place })
        } else {
            None
        }
    }

    /// What it has of an attribute; 0 where nothing is to be said.
    pub fn value(self, attribute: u32) -> u32 {
        let format = FORMATS[self.place / PER_FORMAT];
        let place = self.place % PER_FORMAT;
        // Those without samples come first, with and without accumulation in turns.
        let (step, extra) = if place < PLAIN {
            (place / 2, EXTRAS[place % 2])
        } else {
            (place - PLAIN, EXTRAS[2])
        };
        let (depth, stencil) = DEPTHS[step / SWAPS.len()];
        let (double, swap) = SWAPS[step % SWAPS.len()];
        let (accumulation, samples) = extra;
        let [red, green, blue, alpha] = format.masks;
        match attribute {
            attribute::BUFFER_SIZE => (red | green | blue | alpha).count_ones(),
            attribute::RED_SIZE => red.count_ones(),
            attribute::GREEN_SIZE => green.count_ones(),
            attribute::BLUE_SIZE => blue.count_ones(),
            attribute::ALPHA_SIZE => alpha.count_ones(),
            attribute::DEPTH_SIZE => depth,
            attribute::STENCIL_SIZE => stencil,
            part if attribute::ACCUM_SIZE.contains(&part) => accumulation,
            attribute::SAMPLE_BUFFERS => u32::from(samples > 0),
            attribute::SAMPLES => samples,
            attribute::RENDER_TYPE => RGBA_BIT,
            attribute::CONFIG_CAVEAT if accumulation > 0 => SLOW_BIT,
            attribute::DOUBLE_BUFFER => double,
            part if attribute::TRANSPARENT_TYPES.contains(&part) => NONE,
            part if attribute::TRANSPARENT_VALUES.contains(&part) => DONT_CARE,
            attribute::RED_MASK => red,
            attribute::GREEN_MASK => green,
            attribute::BLUE_MASK => blue,
            attribute::ALPHA_MASK => alpha,
            attribute::SWAP_METHOD => swap,
            attribute::BIND_TO_TEXTURE_RGB
            | attribute::BIND_TO_TEXTURE_RGBA
            | attribute::Y_INVERTED => 1,
            attribute::BIND_TO_TEXTURE_TARGETS => ALL_TEXTURES,
            attribute::SRGB_CAPABLE => u32::from(format.srgb),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{COUNT, Config, attribute as a};
    use std::collections::HashSet;

    fn all() -> impl Iterator<Item = Config> {
        (0..).map_while(Config::at)
    }

    #[test]
    fn every_configuration_is_there_once() {
        let described: HashSet<Vec<u32>> = all()
            .map(|config| (1..a::END).map(|of| config.value(of)).collect())
            .collect();
        assert_eq!(described.len(), COUNT);
        assert_eq!(COUNT, 405);
    }

    #[test]
    fn what_programs_ask_for_is_there() {
        let has = |wanted: &[(u32, u32)]| {
            all().any(|config| wanted.iter().all(|(of, value)| config.value(*of) == *value))
        };
        let colours = [(a::RED_SIZE, 8), (a::GREEN_SIZE, 8), (a::BLUE_SIZE, 8)];
        let with = |more: &[(u32, u32)]| has(&[&colours[..], more].concat());
        assert!(with(&[
            (a::DEPTH_SIZE, 24),
            (a::STENCIL_SIZE, 8),
            (a::DOUBLE_BUFFER, 1)
        ]));
        assert!(with(&[
            (a::ALPHA_SIZE, 8),
            (a::SAMPLES, 4),
            (a::SAMPLE_BUFFERS, 1)
        ]));
        assert!(with(&[(a::SRGB_CAPABLE, 1), (a::DEPTH_SIZE, 32)]));
        assert!(has(&[
            (a::RED_SIZE, 10),
            (a::ALPHA_SIZE, 2),
            (a::BUFFER_SIZE, 32)
        ]));
        assert!(has(&[(a::GREEN_SIZE, 6), (a::BUFFER_SIZE, 16)]));
    }

    #[test]
    fn parts_agree() {
        for config in all() {
            let masks = (a::RED_MASK..=a::ALPHA_MASK).map(|of| config.value(of));
            assert_eq!(
                masks.clone().sum::<u32>(),
                masks.fold(0, |all, mask| all | mask)
            );
            assert_eq!(
                config.value(a::SAMPLES) > 0,
                config.value(a::SAMPLE_BUFFERS) == 1
            );
            assert!(config.value(a::SAMPLES) == 0 || config.value(11) == 0);
            assert!(
                a::ACCUM_SIZE
                    .into_iter()
                    .all(|of| config.value(of) == config.value(11))
            );
        }
    }

    #[test]
    fn beyond_the_last_there_is_none() {
        assert!(Config::at(COUNT).is_none());
        assert_eq!(all().next().map(|config| config.value(a::END)), Some(0));
    }
}
