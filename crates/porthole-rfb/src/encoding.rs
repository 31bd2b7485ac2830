//! The numbers of encodings and pseudo-encodings, and what a viewer's list of them means.

/// An encoding's or pseudo-encoding's number (section 7.7 and the community's registry).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Encoding(pub i32);

impl Encoding {
    /// Pixels as they are.
    pub const RAW: Self = Self(0);
    /// Pixels that are on the screen already.
    pub const COPY_RECT: Self = Self(1);
    /// Fill, palette, zlib and JPEG.
    pub const TIGHT: Self = Self(7);
    /// Zlib run-length encoding in tiles of 64.
    pub const ZRLE: Self = Self(16);
    /// H.264 of an area, in a context of its own (community's registry, *Open H.264*).
    pub const OPEN_H264: Self = Self(50);
    /// The framebuffer's size changed.
    pub const DESKTOP_SIZE: Self = Self(-223);
    /// The end of an update whose number of rectangles was not known.
    pub const LAST_RECT: Self = Self(-224);
    /// The cursor's picture with a mask.
    pub const CURSOR: Self = Self(-239);
    /// QEMU's change between pointer places and pointer motion.
    pub const POINTER_MOTION: Self = Self(-257);
    /// QEMU's key events with key codes.
    pub const QEMU_KEY: Self = Self(-258);
    /// QEMU's state of the keyboard's locks.
    pub const LED_STATE: Self = Self(-261);
    /// The desktop's name.
    pub const DESKTOP_NAME: Self = Self(-307);
    /// Size and screens, which the client may set.
    pub const EXTENDED_DESKTOP_SIZE: Self = Self(-308);
    /// Fences.
    pub const FENCE: Self = Self(-312);
    /// Updates without requests.
    pub const CONTINUOUS_UPDATES: Self = Self(-313);
    /// The cursor's picture with alpha.
    pub const CURSOR_WITH_ALPHA: Self = Self(-314);
    /// Buttons 8 and 9 of the pointer.
    pub const EXTENDED_MOUSE_BUTTONS: Self = Self(-316);
    /// VMware's cursor, the one with alpha that noVNC knows.
    pub const VMWARE_CURSOR: Self = Self(0x574d_5664);
    /// Clipboard in Unicode and on demand.
    pub const EXTENDED_CLIPBOARD: Self = Self(0xc0a1_e5ce_u32 as i32);

    /// Porthole's own: pixels predicted from their neighbours, exactly.
    pub const PREDICTED: Self = Self(0x5048_0001);

    /// Porthole's own: the viewer wants [`POINTER_MOTION`](Self::POINTER_MOTION) from now on, as
    /// long as it lists this. QEMU's extension leaves the choice to the server, which cannot know
    /// when a viewer holds the pointer.
    pub const RELATIVE_POINTER: Self = Self(0x5048_0002);

    const QUALITY_0: i32 = -32;
    const COMPRESSION_0: i32 = -256;
    const FINE_QUALITY_0: i32 = -512;
    const SUBSAMPLING_0: i32 = -768;

    /// JPEG quality 0 (least) to 9 of Tight.
    pub const fn quality(level: u8) -> Self {
        Self(Self::QUALITY_0 + if level > 9 { 9 } else { level as i32 })
    }

    /// Compression level 0 (fastest) to 9.
    pub const fn compression(level: u8) -> Self {
        Self(Self::COMPRESSION_0 + if level > 9 { 9 } else { level as i32 })
    }

    /// Whether it is one of pixels that this crate writes and reads.
    pub const fn is_pixels(self) -> bool {
        matches!(
            self,
            Self::RAW
                | Self::COPY_RECT
                | Self::TIGHT
                | Self::ZRLE
                | Self::OPEN_H264
                | Self::PREDICTED
        )
    }
}

/// How a JPEG's colours are sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subsampling {
    /// Each pixel's colour (4:4:4).
    Full,
    /// One colour for two pixels side by side (4:2:2).
    Half,
    /// One colour for four pixels (4:2:0).
    Quarter,
    /// No colour.
    Grey,
}

/// What a viewer's last `SetEncodings` said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewerEncodings {
    pixels: Vec<Encoding>,
    pseudo: Vec<Encoding>,
    quality: Option<u8>,
    compression: Option<u8>,
    fine_quality: Option<u8>,
    subsampling: Option<Subsampling>,
}

impl ViewerEncodings {
    /// Reads a list; what this crate does not know is left out. Of a level given twice the first
    /// counts.
    pub fn new(list: &[Encoding]) -> Self {
        let mut known = Self::default();
        for &encoding in list {
            let level = |from: i32, last: i32| {
                let level = encoding.0.checked_sub(from)?;
                (0..=last).contains(&level).then_some(level as u8)
            };
            if encoding.is_pixels() {
                if !known.pixels.contains(&encoding) {
                    known.pixels.push(encoding);
                }
            } else if let Some(level) = level(Encoding::QUALITY_0, 9) {
                known.quality.get_or_insert(level);
            } else if let Some(level) = level(Encoding::COMPRESSION_0, 9) {
                known.compression.get_or_insert(level);
            } else if let Some(level) = level(Encoding::FINE_QUALITY_0, 100) {
                known.fine_quality.get_or_insert(level);
            } else if let Some(level) = level(Encoding::SUBSAMPLING_0, 5) {
                known.subsampling.get_or_insert(match level {
                    0 => Subsampling::Full,
                    2 => Subsampling::Half,
                    3 => Subsampling::Grey,
                    _ => Subsampling::Quarter,
                });
            } else if Self::is_pseudo(encoding) && !known.pseudo.contains(&encoding) {
                known.pseudo.push(encoding);
            }
        }
        known
    }

    const fn is_pseudo(encoding: Encoding) -> bool {
        matches!(
            encoding,
            Encoding::DESKTOP_SIZE
                | Encoding::LAST_RECT
                | Encoding::CURSOR
                | Encoding::POINTER_MOTION
                | Encoding::RELATIVE_POINTER
                | Encoding::QEMU_KEY
                | Encoding::LED_STATE
                | Encoding::DESKTOP_NAME
                | Encoding::EXTENDED_DESKTOP_SIZE
                | Encoding::FENCE
                | Encoding::CONTINUOUS_UPDATES
                | Encoding::CURSOR_WITH_ALPHA
                | Encoding::EXTENDED_MOUSE_BUTTONS
                | Encoding::VMWARE_CURSOR
                | Encoding::EXTENDED_CLIPBOARD
        )
    }

    /// Whether the viewer listed it. Raw counts only where listed, though every viewer must take it.
    pub fn has(&self, encoding: Encoding) -> bool {
        self.pixels.contains(&encoding) || self.pseudo.contains(&encoding)
    }

    /// The encodings of pixels that the viewer takes, the one it likes best first.
    pub fn pixels(&self) -> &[Encoding] {
        &self.pixels
    }

    /// The JPEG quality it asks for, 0 to 9. Without one it wants no JPEG, unless there is a
    /// [`fine_quality`](Self::fine_quality).
    pub const fn quality(&self) -> Option<u8> {
        self.quality
    }

    /// The JPEG quality it asks for on JPEG's own scale, 0 to 100.
    pub const fn fine_quality(&self) -> Option<u8> {
        self.fine_quality
    }

    /// The compression level it asks for, 0 to 9.
    pub const fn compression(&self) -> Option<u8> {
        self.compression
    }

    /// The sampling of JPEG that it asks for.
    pub const fn subsampling(&self) -> Option<Subsampling> {
        self.subsampling
    }
}
