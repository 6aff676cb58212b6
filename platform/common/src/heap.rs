//! The kernel heap: size classes carved from pages, larger requests in blocks of pages.
//!
//! Rust's allocator interface hands the size back on release, so an object needs no header and its class follows from the size. One
//! virtual CPU means no lock. Own code rather than a crate's: with these two facts it is a push and a pop.

use core::alloc::{GlobalAlloc, Layout};

use rump_hypercall::Giant;
use rump_hypercall::memory::PAGE_SIZE;

use crate::page;

/// Object sizes, bytes; each a multiple of 16, so every object is aligned to 16.
const CLASSES: [usize; 14] = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1360, 2048];

/// The heap; a static for the image's `#[global_allocator]`.
pub struct Heap {
    /// Free objects per class, linked through their first word.
    free: Giant<[*mut u8; CLASSES.len()]>,
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}

impl Heap {
    /// An empty heap.
    pub const fn new() -> Self {
        Self { free: Giant::new([core::ptr::null_mut(); CLASSES.len()]) }
    }

    /// The class for a layout; `None` if it wants pages. Power-of-two classes are aligned to their size.
    fn class(layout: &Layout) -> Option<usize> {
        let wanted = if layout.align() > 16 {
            layout.size().max(layout.align()).next_power_of_two()
        } else {
            layout.size()
        };
        CLASSES.iter().position(|&size| size >= wanted && (layout.align() <= 16 || size.is_power_of_two()))
    }

    fn order(layout: &Layout) -> usize {
        layout.size().max(layout.align()).div_ceil(PAGE_SIZE).next_power_of_two().ilog2() as usize
    }
}

// SAFETY: objects of a class never overlap (a page is carved once, in steps of the class size), are aligned to 16, or to their size where it is a power
// of two (pages are aligned and such a size divides them); blocks of pages are aligned to their size.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = Self::class(&layout) else {
            return page::alloc_block(Self::order(&layout)).unwrap_or(core::ptr::null_mut());
        };
        let mut free = self.free.borrow_mut();
        let head = free[class];
        if !head.is_null() {
            // SAFETY: a free object's first word is the link that `dealloc` or the carving below put there.
            free[class] = unsafe { head.cast::<*mut u8>().read() };
            return head;
        }
        let Some(block) = page::alloc_block(0) else {
            return core::ptr::null_mut();
        };
        let size = CLASSES[class];
        let mut list = core::ptr::null_mut();
        for index in (1..PAGE_SIZE / size).rev() {
            // SAFETY: the object lies in the page just taken, and is large enough for a link.
            unsafe {
                let object = block.add(index * size);
                object.cast::<*mut u8>().write(list);
                list = object;
            }
        }
        free[class] = list;
        block
    }

    unsafe fn dealloc(&self, object: *mut u8, layout: Layout) {
        match Self::class(&layout) {
            Some(class) => {
                let mut free = self.free.borrow_mut();
                // SAFETY: the object is free now and at least 16 bytes long.
                unsafe { object.cast::<*mut u8>().write(free[class]) };
                free[class] = object;
            }
            // SAFETY: the layout is the one of the allocation, so the order is the same.
            None => unsafe { page::free_block(object, Self::order(&layout)) },
        }
    }

    unsafe fn realloc(&self, object: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(new_size, layout.align()) else {
            return core::ptr::null_mut();
        };
        let stays = match (Self::class(&layout), Self::class(&new)) {
            (Some(old), Some(new)) => old == new,
            (None, None) => Self::order(&layout) == Self::order(&new),
            _ => false,
        };
        if stays {
            return object;
        }
        // SAFETY: the caller's promises for `realloc` include those for `alloc` and `dealloc`; the two objects are distinct.
        unsafe {
            let moved = self.alloc(new);
            if !moved.is_null() {
                core::ptr::copy_nonoverlapping(object, moved, layout.size().min(new_size));
                self.dealloc(object, layout);
            }
            moved
        }
    }
}
