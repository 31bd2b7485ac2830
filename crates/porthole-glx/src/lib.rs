//! The software driver that the display's X server loads for GLX, without a renderer.
//!
//! Programs draw OpenGL themselves, with the Mesa of their own container, and give the X server
//! finished pictures (direct rendering). All they ask of its driver is which configurations of
//! colours, depth and samples there are. Debian's driver answers that with Mesa and LLVM: 54 MB in
//! every X server, for a renderer that would draw only for indirect contexts, which the X server
//! refuses by itself (it is not started with `+iglx`). This one answers with a table.
//!
//! The interface is that of `GL/internal/dri_interface.h` (Mesa), as the X server's `glx/` uses it:
//! `DRI_Core` and `DRI_SWRast`.

#![cfg_attr(not(test), no_std)]

pub mod configs;
mod driver;

/// Nothing here panics; a shared library without Rust's runtime has to say what would be done.
#[cfg(all(not(test), panic = "abort"))]
#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    driver::abort()
}
