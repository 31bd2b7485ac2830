//! The X server's framebuffer, which it keeps in a file that other processes may map
//! (`Xvfb -fbdir`). Reading it costs the X server nothing.
//!
//! What is read while the X server draws may be half drawn; such drawing is reported as damage
//! afterwards, so a later reading puts it right.
#![allow(unsafe_code)] // Maps a file that another process writes: no slice of it may exist.

use crate::geometry::Size;
use rustix::{
    fs::FallocateFlags,
    mm::{MapFlags, ProtFlags},
};
use std::{
    ffi::c_void,
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Words of the file's header, which are big-endian ("XWDFile.h" of the X server).
const HEADER_WORDS: usize = 25;
/// Bytes of a colour of the colour map between header and pixels.
const COLOUR_BYTES: usize = 12;
const PAGE: u64 = 4096;

/// The framebuffer file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScreenFileError {
    /// It could not be opened, read or mapped.
    #[error("the X server's framebuffer {path} could not be mapped: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not what an X server of depth 24 on this machine writes.
    #[error("the X server's framebuffer {0} is not of 32-bit pixels, low byte first")]
    Format(PathBuf),
}

/// The mapped framebuffer.
#[derive(Debug)]
pub struct ScreenFile {
    file: File,
    map: *const u8,
    bytes: usize,
    pixels: usize,
    stride: usize,
    max: Size,
}

// SAFETY: the map is only read, through raw pointers, within bounds fixed at its making.
unsafe impl Send for ScreenFile {}

impl ScreenFile {
    /// Maps the file of the X server's first screen in `dir`.
    ///
    /// # Errors
    /// When it is absent or of another format.
    pub fn open(dir: &Path) -> Result<Self, ScreenFileError> {
        let path = dir.join("Xvfb_screen0");
        let failed = |source: io::Error| ScreenFileError::Io {
            path: path.clone(),
            source,
        };
        let file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len() as usize;
        let mut header = [0; HEADER_WORDS * 4];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut header, 0).map_err(failed)?;
        let word = |index: usize| {
            let at = index * 4;
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (width, height) = (word(4), word(5));
        let (byte_order, bits_per_pixel, stride) = (word(7), word(11), word(12) as usize);
        let (red, green, blue) = (word(14), word(15), word(16));
        let pixels = word(0) as usize + word(19) as usize * COLOUR_BYTES;
        let sides = (u16::try_from(width), u16::try_from(height));
        let (Ok(max_width), Ok(max_height)) = sides else {
            return Err(ScreenFileError::Format(path));
        };
        let fits = width > 0
            && height > 0
            && stride >= width as usize * 4
            && bytes >= pixels + stride * height as usize;
        if byte_order != 0
            || bits_per_pixel != 32
            || (red, green, blue) != (0x00ff_0000, 0xff00, 0xff)
            || !fits
        {
            return Err(ScreenFileError::Format(path));
        }
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let map = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                bytes,
                ProtFlags::READ,
                MapFlags::SHARED,
                &file,
                0,
            )
        }
        .map_err(|error| failed(error.into()))?;
        let max = Size::new(max_width, max_height);
        Ok(Self {
            file,
            map: map.cast(),
            bytes,
            pixels,
            stride,
            max,
        })
    }

    /// The largest size of the screen.
    pub const fn max(&self) -> Size {
        self.max
    }

    /// Copies pixels (four bytes each: blue, green, red, nothing) of row `y` from column `x` on.
    /// What lies outside the framebuffer is not copied.
    pub fn read(&self, x: u16, y: u16, into: &mut [u8]) {
        if x >= self.max.width || y >= self.max.height {
            return;
        }
        let length = into.len().min(usize::from(self.max.width - x) * 4);
        let start = self.pixels + usize::from(y) * self.stride + usize::from(x) * 4;
        // SAFETY: `start + length` lies in the map: x, y and length were cut to the framebuffer,
        // which was checked to fit when it was mapped. `into` is memory of ours.
        unsafe {
            std::ptr::copy_nonoverlapping(self.map.add(start), into.as_mut_ptr(), length);
        }
    }

    /// Gives back the memory of the pixels outside a screen of this size, which an X server never
    /// reads: they are cleared and drawn anew when the screen grows.
    ///
    /// # Errors
    /// When the file system cannot; nothing is lost but memory.
    pub fn release_outside(&self, size: Size) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let punch = |from: usize, to: usize| {
            let from = (from as u64).next_multiple_of(PAGE);
            let to = to as u64 / PAGE * PAGE;
            if from < to {
                rustix::fs::fallocate(&self.file, flags, from, to - from)?;
            }
            Ok::<(), io::Error>(())
        };
        let (width, height) = (usize::from(size.width), usize::from(size.height));
        for row in 0..height.min(usize::from(self.max.height)) {
            let start = self.pixels + row * self.stride;
            punch(start + width * 4, start + self.stride)?;
        }
        punch(
            self.pixels + height * self.stride,
            self.pixels + usize::from(self.max.height) * self.stride,
        )
    }
}

impl Drop for ScreenFile {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `open` with this length, and nothing else refers to it.
        let _ = unsafe { rustix::mm::munmap(self.map.cast_mut().cast::<c_void>(), self.bytes) };
    }
}
