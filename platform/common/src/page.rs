//! Physical pages: a binary buddy allocator.
//!
//! One byte per page says what begins there; free blocks of an order form a doubly linked list whose links lie in the free pages themselves, seen
//! through the direct map. Blocks are handed out from the lowest order that has one.
//!
//! Memory joins the lists by 2 MiB, when they have nothing that is large enough. Until then nothing is written into it, since the machine below has to
//! find and to clear what is touched, and does so by 2 MiB where it can.

use core::ops::Range;

use rump_hypercall::Giant;
use rump_hypercall::memory::{OutOfMemory, PAGE_SIZE, Page, PageCounts};

/// Where all physical memory is mapped, writable and never executable: entry 272 of the top-level table and those behind it, since
/// 256 to 271 are Xen's (its public header arch-x86/xen-x86_64.h).
pub const DIRECT_MAP: usize = 0xffff_8800_0000_0000;

/// The largest block: 2^18 pages, 1 GiB.
const MAX_ORDER: usize = 18;

/// Frames by whose multiples memory joins the lists: 2 MiB.
const STEP: u64 = 1 << 9;

/// Most ranges of memory that wait to join the lists; what does not fit joins at once.
const MAX_RANGES: usize = 8;

/// Pages that only the kernel heap and page tables may take: an application that uses all memory up must
/// not take away what the kernel needs to tell it so.
const RESERVE: u64 = 96;

/// State byte of a page that does not begin a free block. Otherwise the byte is the block's order.
const NOT_FREE: u8 = 0xff;

struct Links {
    next: *mut Links,
    prev: *mut Links,
}

struct Allocator {
    /// Free blocks per order.
    heads: [*mut Links; MAX_ORDER + 1],
    /// Frames that are not in the lists yet, the first range first.
    untouched: [Range<u64>; MAX_RANGES],
    /// One byte per page frame, from frame 0 on.
    state: *mut u8,
    frames: u64,
    total: u64,
    free: u64,
}

static PAGES: Giant<Allocator> = Giant::new(Allocator {
    heads: [core::ptr::null_mut(); MAX_ORDER + 1],
    untouched: [const { 0..0 }; MAX_RANGES],
    state: core::ptr::null_mut(),
    frames: 0,
    total: 0,
    free: 0,
});

/// The direct map's view of a physical address.
#[inline]
pub const fn phys_to_virt(phys: u64) -> *mut u8 {
    core::ptr::with_exposed_provenance_mut(DIRECT_MAP + phys as usize)
}

/// The physical address of something in the direct map.
#[inline]
pub fn virt_to_phys(ptr: *const u8) -> u64 {
    (ptr.addr() - DIRECT_MAP) as u64
}

impl Allocator {
    fn state(&mut self, frame: u64) -> &mut u8 {
        debug_assert!(frame < self.frames);
        // SAFETY: `state` has a byte for every frame below `frames`, and every block lies below it.
        unsafe { &mut *self.state.add(frame as usize) }
    }

    fn push(&mut self, frame: u64, order: usize) {
        let block: *mut Links = phys_to_virt(frame * PAGE_SIZE as u64).cast();
        let head = self.heads[order];
        // SAFETY: the block is free, so its first bytes are ours; list members are free blocks likewise.
        unsafe {
            block.write(Links { next: head, prev: core::ptr::null_mut() });
            if !head.is_null() {
                (*head).prev = block;
            }
        }
        self.heads[order] = block;
        *self.state(frame) = order as u8;
    }

    fn unlink(&mut self, block: *mut Links, order: usize) {
        // SAFETY: `block` is in the list of its order, so it and its neighbours are free blocks with valid links.
        unsafe {
            let Links { next, prev } = block.read();
            if prev.is_null() {
                self.heads[order] = next;
            } else {
                (*prev).next = next;
            }
            if !next.is_null() {
                (*next).prev = prev;
            }
        }
        *self.state(virt_to_phys(block.cast()) / PAGE_SIZE as u64) = NOT_FREE;
    }

    fn alloc(&mut self, order: usize) -> Option<u64> {
        let from = loop {
            match (order..=MAX_ORDER).find(|&o| !self.heads[o].is_null()) {
                Some(from) => break from,
                None => self.join()?,
            }
        };
        let block = self.heads[from];
        self.unlink(block, from);
        let frame = virt_to_phys(block.cast()) / PAGE_SIZE as u64;
        for half in (order..from).rev() {
            self.push(frame + (1 << half), half);
        }
        self.free -= 1 << order;
        Some(frame)
    }

    /// Has the next untouched memory join the lists, if there is any.
    fn join(&mut self) -> Option<()> {
        let range = self.untouched.iter_mut().find(|range| !range.is_empty())?;
        let end = (range.start + 1).next_multiple_of(STEP).min(range.end);
        let joining = range.start..end;
        range.start = end;
        self.put_range(joining);
        Some(())
    }

    /// Puts frames into the lists, in blocks that are as large as can be.
    fn put_range(&mut self, Range { mut start, end }: Range<u64>) {
        while start < end {
            let order = (start.trailing_zeros() as usize).min((end - start).ilog2() as usize).min(MAX_ORDER);
            self.put(start, order);
            start += 1 << order;
        }
    }

    fn free(&mut self, frame: u64, order: usize) {
        self.free += 1 << order;
        self.put(frame, order);
    }

    /// Puts a block into the lists, together with the other halves of blocks that are there.
    fn put(&mut self, mut frame: u64, mut order: usize) {
        while order < MAX_ORDER {
            let buddy = frame ^ (1 << order);
            if buddy >= self.frames || *self.state(buddy) != order as u8 {
                break;
            }
            self.unlink(phys_to_virt(buddy * PAGE_SIZE as u64).cast(), order);
            frame &= !(1 << order);
            order += 1;
        }
        self.push(frame, order);
    }
}

/// Sets the allocator up for frames below `frames`, with its state bytes at `state`.
///
/// # Safety
/// `state` points to `frames` bytes that nobody else uses, now or later.
pub unsafe fn init(state: *mut u8, frames: u64) {
    // SAFETY: the caller's promise.
    unsafe { state.write_bytes(NOT_FREE, frames as usize) };
    let mut pages = PAGES.borrow_mut();
    pages.state = state;
    pages.frames = frames;
}

/// Gives the allocator the pages that lie wholly in `start..end` (physical addresses).
///
/// # Safety
/// The memory is RAM that nobody uses, mapped in the direct map, below the frames given to [`init`], and not added before.
pub unsafe fn add(start: u64, end: u64) {
    // Page zero is nobody's.
    let frames = start.div_ceil(PAGE_SIZE as u64).max(1)..end / PAGE_SIZE as u64;
    let count = frames.end.saturating_sub(frames.start);
    let mut pages = PAGES.borrow_mut();
    pages.total += count;
    pages.free += count;
    match pages.untouched.iter().position(Range::is_empty) {
        Some(place) => pages.untouched[place] = frames,
        None => pages.put_range(frames),
    }
}

/// A block of 2^`order` pages, aligned to its size, content undefined.
pub fn alloc_block(order: usize) -> Option<*mut u8> {
    if order > MAX_ORDER {
        return None;
    }
    PAGES.borrow_mut().alloc(order).map(|frame| phys_to_virt(frame * PAGE_SIZE as u64))
}

/// Gives a block back.
///
/// # Safety
/// `block` came from [`alloc_block`] with the same order and is not used any more.
pub unsafe fn free_block(block: *mut u8, order: usize) {
    PAGES.borrow_mut().free(virt_to_phys(block) / PAGE_SIZE as u64, order);
}

#[unsafe(export_name = "rb_page_alloc")]
fn page_alloc() -> Result<Page, OutOfMemory> {
    let page = page_alloc_uninit()?;
    let words: *mut u64 = page_ptr(page).cast();
    // SAFETY: the page is ours, mapped in the direct map and 4096 bytes long.
    unsafe { core::ptr::write_bytes(words, 0, PAGE_SIZE / 8) };
    Ok(page)
}

#[unsafe(export_name = "rb_page_alloc_uninit")]
fn page_alloc_uninit() -> Result<Page, OutOfMemory> {
    let mut pages = PAGES.borrow_mut();
    if pages.free <= RESERVE {
        return Err(OutOfMemory);
    }
    pages.alloc(0).map(Page).ok_or(OutOfMemory)
}

#[unsafe(export_name = "rb_page_free")]
unsafe fn page_free(page: Page) {
    PAGES.borrow_mut().free(page.0, 0);
}

#[unsafe(export_name = "rb_page_ptr")]
fn page_ptr(page: Page) -> *mut u8 {
    phys_to_virt(page.0 * PAGE_SIZE as u64)
}

#[unsafe(export_name = "rb_page_counts")]
fn page_counts() -> PageCounts {
    let pages = PAGES.borrow();
    PageCounts { total: pages.total, free: pages.free }
}
