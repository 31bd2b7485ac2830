//! What the X server calls.

// A driver is a table of C functions and takes C pointers. Those it is given are only compared
// with nothing or handed back, but for places that the X server asks to be written.
#![allow(unsafe_code)]

use crate::configs::{COUNT, Config, attribute};
use core::{
    ffi::{c_char, c_int, c_uint, c_ulong, c_void},
    ptr,
};

unsafe extern "C" {
    // The X server frees configurations itself.
    fn calloc(count: usize, size: usize) -> *mut c_void;
    #[cfg(all(not(test), panic = "abort"))]
    #[link_name = "abort"]
    fn c_abort() -> !;
}

/// Ends the process.
#[cfg(all(not(test), panic = "abort"))]
pub(crate) fn abort() -> ! {
    // SAFETY: C's `abort` may always be called.
    unsafe { c_abort() }
}

/// `__DRIextension`: how each table begins.
#[repr(C)]
struct Extension {
    name: *const c_char,
    version: c_int,
}

const fn extension(name: &'static core::ffi::CStr, version: c_int) -> Extension {
    Extension {
        name: name.as_ptr(),
        version,
    }
}

/// `__DRIcoreExtension`.
#[repr(C)]
struct Core {
    base: Extension,
    create_new_screen: Option<extern "C" fn()>,
    destroy_screen: extern "C" fn(*mut c_void),
    get_extensions: extern "C" fn(*mut c_void) -> *const *const Extension,
    get_config_attrib: unsafe extern "C" fn(*const Config, c_uint, *mut c_uint) -> c_int,
    index_config_attrib:
        unsafe extern "C" fn(*const Config, c_int, *mut c_uint, *mut c_uint) -> c_int,
    create_new_drawable: Option<extern "C" fn()>,
    destroy_drawable: extern "C" fn(*mut c_void),
    swap_buffers: extern "C" fn(*mut c_void),
    create_new_context:
        extern "C" fn(*mut c_void, *const Config, *mut c_void, *mut c_void) -> *mut c_void,
    copy_context: extern "C" fn(*mut c_void, *mut c_void, c_ulong) -> c_int,
    destroy_context: extern "C" fn(*mut c_void),
    bind_context: extern "C" fn(*mut c_void, *mut c_void, *mut c_void) -> c_int,
    unbind_context: extern "C" fn(*mut c_void) -> c_int,
}

type NewContext =
    extern "C" fn(*mut c_void, c_int, *const Config, *mut c_void, *mut c_void) -> *mut c_void;
type NewContextAttributes = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const Config,
    *mut c_void,
    c_uint,
    *const u32,
    *mut c_uint,
    *mut c_void,
) -> *mut c_void;

/// `__DRIswrastExtension`, up to version 3.
#[repr(C)]
struct Software {
    base: Extension,
    create_new_screen: unsafe extern "C" fn(
        c_int,
        *const *const Extension,
        *mut *mut *const Config,
        *mut c_void,
    ) -> *mut c_void,
    create_new_drawable: extern "C" fn(*mut c_void, *const Config, *mut c_void) -> *mut c_void,
    create_new_context_for_api: NewContext,
    create_context_attribs: NewContextAttributes,
}

/// A list of tables that ends with a null pointer.
#[repr(transparent)]
struct List<const N: usize>([*const Extension; N]);

// SAFETY: tables and lists are never written and hold pointers to other such only.
unsafe impl Sync for Core {}
unsafe impl Sync for Software {}
unsafe impl Sync for Extension {}
unsafe impl<const N: usize> Sync for List<N> {}

static CORE: Core = Core {
    base: extension(c"DRI_Core", 2),
    create_new_screen: None,
    destroy_screen: nothing,
    get_extensions,
    get_config_attrib,
    index_config_attrib,
    create_new_drawable: None,
    destroy_drawable: nothing,
    swap_buffers: nothing,
    create_new_context,
    copy_context,
    destroy_context: nothing,
    bind_context,
    unbind_context,
};

static SOFTWARE: Software = Software {
    base: extension(c"DRI_SWRast", 3),
    create_new_screen,
    create_new_drawable,
    create_new_context_for_api,
    create_context_attribs,
};

/// Programs may ask not to wait for what they drew when they change contexts; that is theirs.
static FLUSH_CONTROL: Extension = extension(c"DRI_FlushControl", 1);

static DRIVER: List<3> = List([&raw const CORE.base, &raw const SOFTWARE.base, ptr::null()]);
static SCREEN: List<2> = List([&raw const FLUSH_CONTROL, ptr::null()]);

/// What screens and drawables are to the X server: not null.
static THING: u8 = 0;

fn thing() -> *mut c_void {
    (&raw const THING).cast_mut().cast()
}

/// The driver's tables (`__DRI_DRIVER_GET_EXTENSIONS` with the driver's name).
#[unsafe(export_name = "__driDriverGetExtensions_swrast")]
extern "C" fn driver_extensions() -> *const *const Extension {
    DRIVER.0.as_ptr()
}

extern "C" fn get_extensions(_: *mut c_void) -> *const *const Extension {
    SCREEN.0.as_ptr()
}

extern "C" fn nothing(_: *mut c_void) {}

/// Gives the list of configurations; each entry and the list are the X server's to free.
unsafe extern "C" fn create_new_screen(
    _: c_int,
    _: *const *const Extension,
    configs: *mut *mut *const Config,
    _: *mut c_void,
) -> *mut c_void {
    // SAFETY: C's `calloc`; a list of pointers with a null pointer at its end.
    let list: *mut *mut Config = unsafe { calloc(COUNT + 1, size_of::<*mut Config>()) }.cast();
    if list.is_null() || configs.is_null() {
        return ptr::null_mut();
    }
    for (place, config) in (0..).map_while(Config::at).enumerate() {
        // SAFETY: the list has room for as many as there are; what `calloc` gave is written.
        unsafe {
            let entry: *mut Config = calloc(1, size_of::<Config>()).cast();
            if entry.is_null() {
                break;
            }
            entry.write(config);
            list.add(place).write(entry);
        }
    }
    // SAFETY: the X server gives the address of a variable of its own.
    unsafe { configs.write(list.cast()) };
    thing()
}

extern "C" fn create_new_drawable(_: *mut c_void, _: *const Config, _: *mut c_void) -> *mut c_void {
    thing()
}

unsafe extern "C" fn get_config_attrib(
    config: *const Config,
    attribute: c_uint,
    value: *mut c_uint,
) -> c_int {
    if config.is_null() || value.is_null() || !(1..attribute::END).contains(&attribute) {
        return 0;
    }
    // SAFETY: one of the entries made above, and a variable of the X server.
    unsafe { value.write((*config).value(attribute)) };
    1
}

unsafe extern "C" fn index_config_attrib(
    config: *const Config,
    index: c_int,
    attribute: *mut c_uint,
    value: *mut c_uint,
) -> c_int {
    let Some(which) = u32::try_from(index).ok().and_then(|i| i.checked_add(1)) else {
        return 0;
    };
    // SAFETY: as above.
    let there = unsafe { get_config_attrib(config, which, value) };
    if there == 1 && !attribute.is_null() {
        // SAFETY: a variable of the X server.
        unsafe { attribute.write(which) };
    }
    there
}

// Contexts are indirect rendering: there is none.

extern "C" fn create_new_context(
    _: *mut c_void,
    _: *const Config,
    _: *mut c_void,
    _: *mut c_void,
) -> *mut c_void {
    ptr::null_mut()
}

extern "C" fn create_new_context_for_api(
    _: *mut c_void,
    _: c_int,
    _: *const Config,
    _: *mut c_void,
    _: *mut c_void,
) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn create_context_attribs(
    _: *mut c_void,
    _: c_int,
    _: *const Config,
    _: *mut c_void,
    _: c_uint,
    _: *const u32,
    error: *mut c_uint,
    _: *mut c_void,
) -> *mut c_void {
    /// `__DRI_CTX_ERROR_BAD_API`.
    const BAD_API: c_uint = 2;
    if !error.is_null() {
        // SAFETY: a variable of the X server.
        unsafe { error.write(BAD_API) };
    }
    ptr::null_mut()
}

extern "C" fn copy_context(_: *mut c_void, _: *mut c_void, _: c_ulong) -> c_int {
    0
}

extern "C" fn bind_context(_: *mut c_void, _: *mut c_void, _: *mut c_void) -> c_int {
    0
}

extern "C" fn unbind_context(_: *mut c_void) -> c_int {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" {
        fn free(memory: *mut c_void);
    }

    /// As the X server reads it.
    #[test]
    fn the_list_is_read_and_freed() {
        let mut list: *mut *const Config = ptr::null_mut();
        // SAFETY: the driver's own functions, with variables of this test.
        let read = unsafe {
            let screen = (SOFTWARE.create_new_screen)(0, ptr::null(), &raw mut list, thing());
            assert!(!screen.is_null() && !list.is_null());
            let mut read = Vec::new();
            for place in 0.. {
                let entry = *list.add(place);
                if entry.is_null() {
                    break;
                }
                let (mut attribute, mut value, mut index) = (0, 0, 0);
                while (CORE.index_config_attrib)(entry, index, &raw mut attribute, &raw mut value)
                    == 1
                {
                    index += 1;
                    let mut again = 0;
                    let there = (CORE.get_config_attrib)(entry, attribute, &raw mut again);
                    assert_eq!((there, again), (1, value));
                }
                read.push(index);
                free(entry.cast_mut().cast());
            }
            free(list.cast());
            read
        };
        assert_eq!(read, vec![53; COUNT]);
    }

    #[test]
    fn what_is_not_there_is_said_so() {
        let first = Config::at(0);
        let config = first.as_ref().map_or(ptr::null(), ptr::from_ref);
        let mut value = 7;
        for (attribute, index) in [(0, -1), (attribute::END, 53), (u32::MAX, c_int::MAX)] {
            // SAFETY: as above; none is written.
            unsafe {
                let unnamed = (CORE.get_config_attrib)(config, attribute, &raw mut value);
                let beyond =
                    (CORE.index_config_attrib)(config, index, ptr::null_mut(), &raw mut value);
                assert_eq!((unnamed, beyond, value), (0, 0, 7));
            }
        }
    }
}
