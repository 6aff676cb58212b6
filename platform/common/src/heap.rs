//! The kernel heap: size classes carved from pages, larger requests in blocks of pages.
//!
//! A page of small objects begins with a header that counts those in use; it is found from an object by rounding its address down. So a
//! page whose last object is released goes back to the page allocator: what a program made the kernel remember does not stay lost for
//! it. Each class lists the pages that have room. Rust's allocator interface hands the size back on release, so an object needs no header of its own.
//!
//! One virtual CPU means no lock. Own code rather than a crate's: with these facts it is a push and a pop.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::null_mut;

use rump_hypercall::Giant;
use rump_hypercall::memory::PAGE_SIZE;

use crate::page;

/// Object sizes, bytes: each a multiple of 16, and as large as its number of objects in a page lets it be.
const CLASSES: [usize; 15] = [16, 32, 48, 64, 96, 128, 192, 256, 336, 448, 576, 800, 1008, 1344, 2032];

/// Bytes of a page's header. Objects follow it, so this is the largest alignment that they can have.
const HEADER: usize = 32;

/// What a page of objects begins with.
#[repr(C)]
struct Slab {
    /// Neighbours in the list of the pages that have room.
    next: *mut Slab,
    prev: *mut Slab,
    /// The first free object; each one's first word is the next.
    free: *mut u8,
    /// Objects in use.
    used: usize,
}

const _: () = assert!(size_of::<Slab>() == HEADER);

/// The heap; a static for the image's `#[global_allocator]`.
pub struct Heap {
    /// Pages with room, per class.
    partial: Giant<[*mut Slab; CLASSES.len()]>,
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}

/// Puts a page at the front of the list.
///
/// # Safety
/// `slab` is a page of objects in no list, and the list's members are pages of objects.
unsafe fn link(head: &mut *mut Slab, slab: *mut Slab) {
    // SAFETY: the caller's promise.
    unsafe {
        ((*slab).next, (*slab).prev) = (*head, null_mut());
        if !head.is_null() {
            (**head).prev = slab;
        }
    }
    *head = slab;
}

/// Takes a page out of the list.
///
/// # Safety
/// `slab` is in this list.
unsafe fn unlink(head: &mut *mut Slab, slab: *mut Slab) {
    // SAFETY: the caller's promise; neighbours in a list are pages of objects.
    unsafe {
        let Slab { next, prev, .. } = slab.read();
        if prev.is_null() {
            *head = next;
        } else {
            (*prev).next = next;
        }
        if !next.is_null() {
            (*next).prev = prev;
        }
    }
}

/// Carves a fresh page into free objects of a class.
fn new_slab(class: usize) -> Option<*mut Slab> {
    let page = page::alloc_block(0)?;
    let size = CLASSES[class];
    let mut free: *mut u8 = null_mut();
    for index in (0..(PAGE_SIZE - HEADER) / size).rev() {
        // SAFETY: the object lies in the page just taken, and is large enough for a link.
        unsafe {
            let object = page.add(HEADER + index * size);
            object.cast::<*mut u8>().write(free);
            free = object;
        }
    }
    let slab: *mut Slab = page.cast();
    // SAFETY: the page is ours, and objects begin after the header.
    unsafe { slab.write(Slab { next: null_mut(), prev: null_mut(), free, used: 0 }) };
    Some(slab)
}

impl Heap {
    /// An empty heap.
    pub const fn new() -> Self {
        Self { partial: Giant::new([null_mut(); CLASSES.len()]) }
    }

    /// The class for a layout; `None` if it wants pages.
    fn class(layout: &Layout) -> Option<usize> {
        if layout.align() > HEADER {
            return None;
        }
        CLASSES.iter().position(|&size| size >= layout.size() && size % layout.align() == 0)
    }

    fn order(layout: &Layout) -> usize {
        layout.size().max(layout.align()).div_ceil(PAGE_SIZE).next_power_of_two().ilog2() as usize
    }
}

// SAFETY: objects of a class never overlap (a page is carved once, in steps of the class size, after its header); header and class size are multiples of
// the alignment; blocks of pages are aligned to their size.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = Self::class(&layout) else {
            return page::alloc_block(Self::order(&layout)).unwrap_or(null_mut());
        };
        let mut partial = self.partial.borrow_mut();
        let head = &mut partial[class];
        if head.is_null() {
            let Some(slab) = new_slab(class) else { return null_mut() };
            // SAFETY: the page is fresh.
            unsafe { link(head, slab) };
        }
        let slab = *head;
        // SAFETY: pages in the list have a free object, whose first word is the link that `dealloc` or the carving put there.
        unsafe {
            let object = (*slab).free;
            (*slab).free = object.cast::<*mut u8>().read();
            (*slab).used += 1;
            if (*slab).free.is_null() {
                unlink(head, slab);
            }
            object
        }
    }

    unsafe fn dealloc(&self, object: *mut u8, layout: Layout) {
        let Some(class) = Self::class(&layout) else {
            // SAFETY: the layout is the one of the allocation, so the order is the same.
            return unsafe { page::free_block(object, Self::order(&layout)) };
        };
        let mut partial = self.partial.borrow_mut();
        let head = &mut partial[class];
        let slab: *mut Slab = object.map_addr(|address| address & !(PAGE_SIZE - 1)).cast();
        // SAFETY: the object is free now and at least 16 bytes long; it lies in a page of its class, which begins with the header.
        unsafe {
            let was_full = (*slab).free.is_null();
            object.cast::<*mut u8>().write((*slab).free);
            (*slab).free = object;
            (*slab).used -= 1;
            if was_full {
                link(head, slab);
            }
            // The last page with room stays, lest an object that comes and goes takes a page each time.
            let alone = *head == slab && (*slab).next.is_null();
            if (*slab).used == 0 && !alone {
                unlink(head, slab);
                page::free_block(slab.cast(), 0);
            }
        }
    }

    unsafe fn realloc(&self, object: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(new_size, layout.align()) else {
            return null_mut();
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
