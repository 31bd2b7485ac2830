//! Memory shared with the X server (MIT-SHM with a file descriptor: works in any IPC namespace).
#![allow(unsafe_code)] // Mapping memory: the only way to share pixels with another process.

use std::os::fd::OwnedFd;

use anyhow::{Context, Result};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use x11rb::connection::Connection;
use x11rb::protocol::shm::{ConnectionExt, Seg};
use x11rb::rust_connection::RustConnection;

/// A segment, attached for as long as the connection lives.
pub struct Segment {
    /// Its name at the X server.
    pub id: Seg,
    address: *mut u32,
    pixels: usize,
}

impl Segment {
    /// Makes and attaches a segment of so many 32-bit pixels.
    pub fn attach(connection: &RustConnection, pixels: usize) -> Result<Self> {
        let bytes = pixels * 4;
        let file: OwnedFd =
            memfd_create("porthole-scene", MemfdFlags::CLOEXEC).context("making a memory file")?;
        ftruncate(&file, bytes as u64).context("sizing the memory file")?;
        // SAFETY: a fresh mapping at an address of the kernel's choice; nothing else uses it.
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &file,
                0,
            )
        }
        .context("mapping the memory file")?;
        let id = connection.generate_id()?;
        connection
            .shm_attach_fd(id, file, true)?
            .check()
            .context("attaching shared memory to the X server")?;
        Ok(Self {
            id,
            address: address.cast(),
            pixels,
        })
    }

    /// The pixels, as 0xRRGGBB.
    pub fn pixels(&mut self) -> &mut [u32] {
        // SAFETY: the mapping is page-aligned, `pixels` long, and borrowed for as long as `self` is.
        // The X server only reads it.
        unsafe { std::slice::from_raw_parts_mut(self.address, self.pixels) }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: mapped in `attach` with this length; no slice outlives `self`. An error leaves
        // the mapping to the process's end.
        let _ = unsafe { munmap(self.address.cast(), self.pixels * 4) };
    }
}
