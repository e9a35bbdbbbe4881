//! The `zpy` program: only calls the command line of the library.

use std::alloc::{GlobalAlloc, Layout};

/// mimalloc: scripts make and drop small objects all the time, and it halves the price of that.
///
/// The crate `mimalloc` asks for aligned memory whatever the alignment is, which costs a check each time; nearly
/// all objects need no more than every block has.
struct Allocator;

/// Every block of mimalloc has this alignment.
const USUAL: usize = align_of::<usize>();

// SAFETY: mimalloc gives blocks of the size and alignment asked for, or null; `mi_free` and `mi_realloc` take
// blocks of all its functions.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = if layout.align() <= USUAL {
            unsafe { libmimalloc_sys::mi_malloc(layout.size()) }
        } else {
            unsafe { libmimalloc_sys::mi_malloc_aligned(layout.size(), layout.align()) }
        };
        block.cast()
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = if layout.align() <= USUAL {
            unsafe { libmimalloc_sys::mi_zalloc(layout.size()) }
        } else {
            unsafe { libmimalloc_sys::mi_zalloc_aligned(layout.size(), layout.align()) }
        };
        block.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        unsafe { libmimalloc_sys::mi_free(block.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let block = if layout.align() <= USUAL {
            unsafe { libmimalloc_sys::mi_realloc(block.cast(), size) }
        } else {
            unsafe { libmimalloc_sys::mi_realloc_aligned(block.cast(), size, layout.align()) }
        };
        block.cast()
    }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() {
    std::process::exit(zpy::cli::main());
}
