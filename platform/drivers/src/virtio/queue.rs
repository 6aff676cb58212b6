//! The split virtqueue (virtio 1.2, 2.7), the driver's side.
//!
//! A descriptor table, a ring of what is available to the device, a ring of what it has used. Which descriptors follow which, and which are with
//! the device, is remembered in memory that the device does not see: what it reports is compared with that, so it cannot make the driver follow a chain that is
//! none or give back twice what it got once.
//!
//! # Invariants
//! - `chains[head]` is the number of descriptors of the chain that begins at `head` and is with the device, 0 for any other descriptor.
//! - Free descriptors are linked through `next`, `free_count` of them from `free_head` on.

use alloc::boxed::Box;
use alloc::vec;
use core::sync::atomic::{AtomicU16, Ordering, fence};

use rump_hypercall::memory::{self, PAGE_SIZE, Page};
use rump_hypercall::time;

/// The most entries of a queue: the descriptors fill a page.
pub const MAX_SIZE: u16 = 256;
/// The most entries of a legacy device's queue: all of it lies in a page.
pub const LEGACY_MAX_SIZE: u16 = 128;
/// The used ring's alignment in a legacy device's queue.
pub const LEGACY_ALIGN: usize = 64;
/// Where the used ring lies in the page that it shares with the available ring.
const USED_OFFSET: usize = 1024;

const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;
/// Flag of the available ring: no interrupts, please. Without event index only.
const NO_INTERRUPT: u16 = 1;
/// Flag of the used ring: no notifications, please. Without event index only.
const NO_NOTIFY: u16 = 1;

/// An entry of a descriptor table.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Descriptor {
    /// Machine address.
    pub addr: u64,
    /// Bytes.
    pub len: u32,
    flags: u16,
    next: u16,
}

impl Descriptor {
    /// Something that the device reads.
    #[must_use]
    #[inline]
    pub const fn readable(addr: u64, len: u32) -> Self {
        Self { addr, len, flags: 0, next: 0 }
    }

    /// Something that the device writes.
    #[must_use]
    #[inline]
    pub const fn writable(addr: u64, len: u32) -> Self {
        Self { addr, len, flags: WRITE, next: 0 }
    }

    /// A table of `count` descriptors.
    #[must_use]
    #[inline]
    pub const fn indirect(addr: u64, count: u16) -> Self {
        Self { addr, len: count as u32 * size_of::<Self>() as u32, flags: INDIRECT, next: 0 }
    }

    /// The same, followed by entry `next` of its table.
    #[must_use]
    pub const fn followed_by(self, next: u16) -> Self {
        Self { flags: self.flags | NEXT, next, ..self }
    }
}

/// Where a queue lies.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Entries.
    pub size: u16,
    /// Machine address of the descriptor table.
    pub descriptors: u64,
    /// Machine address of the ring that the driver writes.
    pub available: u64,
    /// Machine address of the ring that the device writes.
    pub used: u64,
}

/// The device has written nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It says that it has used more entries than it got.
    Index,
    /// It says that it has used a descriptor that it did not get.
    Descriptor,
    /// It says that it has written more than there is room for, or too little.
    Length,
    /// It asks to be reset.
    Asks,
}

/// What the device says that it has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The chain's first descriptor, which was with the device.
    pub head: u16,
    /// Bytes that the device has written, unchecked.
    pub len: u32,
}

/// A queue.
pub struct Queue {
    pages: [Option<Page>; 2],
    descriptors: *mut Descriptor,
    available: *mut u16,
    used: *mut u16,
    size: u16,
    event_index: bool,
    next: Box<[u16]>,
    chains: Box<[u16]>,
    free_head: u16,
    free_count: u16,
    /// The available ring's index: what was added, what the device can see, what it was told of.
    added: u16,
    published: u16,
    told: u16,
    /// The used ring's index: what was taken, what was seen of the device's.
    taken: u16,
    seen: u16,
}

// SAFETY: drivers run on the one virtual CPU.
unsafe impl Send for Queue {}

/// Stands between a store that the device looks at and a load of what the device stores.
///
/// The fence alone is none under QEMU's translator before version 8.1: on a machine with one processor it leaves fences out, and locks of instructions,
/// though the device is a thread of its own on another processor of the host; about once in a million times each side then misses what the other has just
/// written, and both wait for ever. Reading the time-stamp counter takes a lock in QEMU, which orders the accesses. On real processors it costs some 20 ns.
#[inline]
fn full_fence() {
    fence(Ordering::SeqCst);
    let _ = time::monotonic_ns();
    fence(Ordering::SeqCst);
}

/// The machine address of a page.
fn machine_addr(page: Page) -> u64 {
    page.0 * PAGE_SIZE as u64
}

impl Queue {
    /// A queue for a device that takes `max` entries at most; `None` without memory, or if the device takes no entries.
    #[must_use]
    pub fn new(max: u16, legacy: bool, event_index: bool) -> Option<Self> {
        let limit = if legacy { LEGACY_MAX_SIZE } else { MAX_SIZE };
        let size = if max >= limit { limit } else { 1_u16.checked_shl(max.checked_ilog2()?)? };
        let first = memory::page_alloc().ok()?;
        let mut pages = [Some(first), None];
        let (available_at, used_at) = if legacy {
            let available = size_of::<Descriptor>() * usize::from(size);
            (available, (available + 6 + 2 * usize::from(size)).next_multiple_of(LEGACY_ALIGN))
        } else {
            let Ok(second) = memory::page_alloc() else {
                // SAFETY: just allocated, known to nobody.
                unsafe { memory::page_free(first) };
                return None;
            };
            pages[1] = Some(second);
            (0, USED_OFFSET)
        };
        let rings = memory::page_ptr(pages[1].unwrap_or(first));
        let count = usize::from(size);
        Some(Self {
            pages,
            descriptors: memory::page_ptr(first).cast(),
            // SAFETY: both offsets lie in the page, whose rings fit behind them: at most 2048 + 262 + 58 + 1030 bytes in one, 1024 + 2054 in the other.
            available: unsafe { rings.add(available_at).cast() },
            // SAFETY: as above.
            used: unsafe { rings.add(used_at).cast() },
            size,
            event_index,
            next: (1..=size).collect(),
            chains: vec![0; count].into_boxed_slice(),
            free_head: 0,
            free_count: size,
            added: 0,
            published: 0,
            told: 0,
            taken: 0,
            seen: 0,
        })
    }

    /// Where it lies, for the device.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        let machine = |ptr: *mut u8| {
            let page = self.pages.iter().flatten().find(|&&page| {
                let start = memory::page_ptr(page).addr();
                (start..start + PAGE_SIZE).contains(&ptr.addr())
            });
            page.map_or(0, |&page| machine_addr(page) + (ptr.addr() % PAGE_SIZE) as u64)
        };
        Addresses {
            size: self.size,
            descriptors: machine(self.descriptors.cast()),
            available: machine(self.available.cast()),
            used: machine(self.used.cast()),
        }
    }

    /// Its number of entries.
    #[must_use]
    pub fn size(&self) -> u16 {
        self.size
    }

    /// Descriptors that are free.
    #[must_use]
    #[inline]
    pub fn free(&self) -> u16 {
        self.free_count
    }

    /// A word of a ring: index 0 is the flags, 1 the index, then the entries.
    #[inline]
    fn word(&self, ring: *mut u16, index: usize) -> &AtomicU16 {
        // SAFETY: callers name words of the ring, which live as long as the queue, are aligned, and are accessed by nobody here but through atomics.
        unsafe { AtomicU16::from_ptr(ring.add(index)) }
    }

    #[inline]
    fn write(&mut self, index: u16, descriptor: Descriptor) {
        debug_assert!(index < self.size);
        // SAFETY: the index is one of the table's, and the device does not read a descriptor that it was not given.
        unsafe { self.descriptors.add(index.into()).write_volatile(descriptor) };
    }

    #[inline]
    fn make_available(&mut self, head: u16, count: u16) {
        self.chains[usize::from(head)] = count;
        let slot = usize::from(self.added & (self.size - 1));
        self.word(self.available, 2 + slot).store(head, Ordering::Relaxed);
        self.added = self.added.wrapping_add(1);
    }

    /// Adds one descriptor; returns its number, or `None` if none is free.
    #[inline]
    pub fn add(&mut self, descriptor: Descriptor) -> Option<u16> {
        if self.free_count == 0 {
            return None;
        }
        let head = self.free_head;
        self.free_head = self.next[usize::from(head)];
        self.free_count -= 1;
        self.write(head, descriptor);
        self.make_available(head, 1);
        Some(head)
    }

    /// Adds a chain of `count` descriptors; returns the first one's number, or `None` if not enough are free.
    pub fn add_chain(&mut self, count: u16, descriptors: impl Iterator<Item = Descriptor>) -> Option<u16> {
        if count == 0 || self.free_count < count {
            return None;
        }
        let head = self.free_head;
        let mut at = head;
        let mut left = count;
        for descriptor in descriptors.take(count.into()) {
            let next = self.next[usize::from(at)];
            left -= 1;
            self.write(at, if left > 0 { descriptor.followed_by(next) } else { descriptor });
            if left == 0 {
                self.free_head = next;
            } else {
                at = next;
            }
        }
        assert!(left == 0, "a chain has fewer descriptors than it was said to have");
        self.free_count -= count;
        self.make_available(head, count);
        Some(head)
    }

    /// Lets the device see what was added; true if it wants to be told.
    #[must_use]
    pub fn publish(&mut self) -> bool {
        if self.added == self.told {
            return false;
        }
        if self.added != self.published {
            self.word(self.available, 1).store(self.added, Ordering::Release);
            self.published = self.added;
        }
        // The index must be visible before the device's wish is read: it looks the other way round (2.7.10.1). A wish that is there already is one.
        let wanted = self.is_wanted() || {
            full_fence();
            self.is_wanted()
        };
        self.told = self.added;
        wanted
    }

    /// Whether the device wants to be told of what was published since it was told last.
    #[inline]
    fn is_wanted(&self) -> bool {
        if self.event_index {
            let event = self.word(self.used, 2 + 4 * usize::from(self.size)).load(Ordering::Relaxed);
            self.added.wrapping_sub(event).wrapping_sub(1) < self.added.wrapping_sub(self.told)
        } else {
            self.word(self.used, 0).load(Ordering::Relaxed) & NO_NOTIFY == 0
        }
    }

    /// Whether the device has used something that was not taken yet.
    #[must_use]
    #[inline]
    pub fn has_used(&self) -> bool {
        self.seen != self.taken || self.word(self.used, 1).load(Ordering::Acquire) != self.taken
    }

    /// How many used chains are there to be taken.
    ///
    /// # Errors
    /// There cannot be so many.
    #[inline]
    pub fn count_used(&mut self) -> Result<u16, Broken> {
        self.seen = self.word(self.used, 1).load(Ordering::Acquire);
        let count = self.seen.wrapping_sub(self.taken);
        // What the device has is at most what it could see; it has at most one chain per descriptor.
        if count > self.size || count > self.published.wrapping_sub(self.taken) {
            return Err(Broken::Index);
        }
        Ok(count)
    }

    /// Takes the next used chain; its descriptors are free afterwards.
    ///
    /// # Errors
    /// The device has written nonsense; the queue is of no use any more.
    #[inline]
    pub fn take_used(&mut self) -> Result<Option<Used>, Broken> {
        if self.seen == self.taken && self.count_used()? == 0 {
            return Ok(None);
        }
        let slot = usize::from(self.taken & (self.size - 1));
        // SAFETY: the entry lies in the ring; the device does not write it again before it was given something new.
        let (id, len) = unsafe {
            let entry: *mut u32 = self.used.add(2 + 4 * slot).cast();
            (entry.read_volatile(), entry.add(1).read_volatile())
        };
        let head = u16::try_from(id).map_err(|_| Broken::Descriptor)?;
        let count = match self.chains.get_mut(usize::from(head)) {
            None | Some(0) => return Err(Broken::Descriptor),
            Some(count) => core::mem::take(count),
        };
        self.taken = self.taken.wrapping_add(1);
        // The chain's descriptors are linked already; the last one is followed by those that are free.
        let mut last = head;
        for _ in 1..count {
            last = self.next[usize::from(last)];
        }
        self.next[usize::from(last)] = self.free_head;
        self.free_head = head;
        self.free_count += count;
        Ok(Some(Used { head, len }))
    }

    /// Asks for an interrupt once `more` further chains are used (at least 1). True if so many are used already.
    #[must_use]
    pub fn ask(&mut self, more: u16) -> bool {
        let event = self.taken.wrapping_add(more - 1);
        if self.event_index {
            self.word(self.available, 2 + usize::from(self.size)).store(event, Ordering::Relaxed);
        } else {
            self.word(self.available, 0).store(0, Ordering::Relaxed);
        }
        full_fence();
        self.word(self.used, 1).load(Ordering::Acquire).wrapping_sub(self.taken) >= more
    }

    /// Takes back what [`Queue::ask`] asked for; an interrupt may come all the same.
    pub fn put_off(&mut self) {
        if self.event_index {
            let event = self.taken.wrapping_sub(1);
            self.word(self.available, 2 + usize::from(self.size)).store(event, Ordering::Relaxed);
        } else {
            self.silence();
        }
    }

    /// Asks for no interrupts. With event index there is nothing to do: the entry asked for last has been passed.
    pub fn silence(&mut self) {
        if !self.event_index {
            self.word(self.available, 0).store(NO_INTERRUPT, Ordering::Relaxed);
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        for page in self.pages.iter().flatten() {
            // SAFETY: the queue's own pages; whoever drops it has reset the device.
            unsafe { memory::page_free(*page) };
        }
    }
}
