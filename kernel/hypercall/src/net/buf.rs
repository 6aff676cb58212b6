//! Clusters of memory that hold packets and the data of sockets, and counted views of them.
//!
//! A [`Buf`] is a whole page or half a page, so it has one machine address on every platform; it begins with a header that counts its references (one virtual
//! CPU: plain numbers). A [`Slice`] is a view of a part of one.
//!
//! # Who may write what
//! The header knows which bytes of the cluster any view has ever claimed: one range that only grows. A view may claim bytes that nobody has
//! ([`Slice::extend`] behind it, [`Slice::prepend`] before it) where it touches the range's end, and may write what it has claimed at that moment. Other
//! bytes are written by a view that is the only one ([`Slice::bytes_mut`]). So data can be appended to a cluster whose first bytes are on their way
//! through a device.
//!
//! # The pool
//! Clusters come from pages, at most half of the machine's. A limited number of free ones is kept; beyond that a page goes back to the page
//! allocator as soon as no part of it is in use. Where there is none, callers get `None`: ENOBUFS.

use core::ptr::{NonNull, null_mut};

use crate::Giant;
use crate::memory::{self, PAGE_SIZE, Page};

/// Bytes of a cluster's header: a cache line, so that data begins at one.
const HEADER: usize = 64;
/// Free pages that the pool keeps at most, counting two halves as one.
const KEEP: usize = 128;

/// How large a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Size {
    /// Half a page: room for 1984 bytes, an Ethernet frame.
    Half = 0,
    /// A page: room for 4032 bytes.
    Page = 1,
}

impl Size {
    /// Bytes that a cluster of this size has room for.
    #[must_use]
    pub const fn capacity(self) -> usize {
        match self {
            Self::Half => PAGE_SIZE / 2 - HEADER,
            Self::Page => PAGE_SIZE - HEADER,
        }
    }
}

#[repr(C, align(64))]
struct Header {
    refs: u32,
    size: Size,
    free: bool,
    /// The claimed range, offsets in the data.
    low: u16,
    high: u16,
    page: Page,
    /// Neighbours among the free clusters of this size.
    next: *mut Header,
    prev: *mut Header,
}

const _: () = assert!(size_of::<Header>() == HEADER);

struct Pool {
    /// Free clusters by size.
    free: [*mut Header; 2],
    free_count: [usize; 2],
    /// Pages that the pool has.
    pages: usize,
    /// Pages that it may have; 0 until it was first asked for one.
    pages_max: usize,
    /// Free pages that it keeps.
    keep: usize,
}

static POOL: Giant<Pool> =
    Giant::new(Pool { free: [null_mut(); 2], free_count: [0; 2], pages: 0, pages_max: 0, keep: 0 });

/// What the pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolCounts {
    /// Pages in the pool, in use and free.
    pub pages: usize,
    /// Pages that it may have.
    pub pages_max: usize,
    /// Free half pages.
    pub free_halves: usize,
    /// Free whole pages.
    pub free_pages: usize,
}

/// The pool's state, for reports and tests.
#[must_use]
pub fn pool_counts() -> PoolCounts {
    let pool = POOL.borrow();
    PoolCounts {
        pages: pool.pages,
        pages_max: pool.pages_max,
        free_halves: pool.free_count[Size::Half as usize],
        free_pages: pool.free_count[Size::Page as usize],
    }
}

/// The other half of a half page.
fn sibling(half: *mut Header) -> *mut Header {
    half.map_addr(|addr| addr ^ (PAGE_SIZE / 2))
}

impl Pool {
    /// Puts a cluster among the free ones.
    ///
    /// # Safety
    /// Its header is initialised, and nobody refers to it.
    unsafe fn put(&mut self, cluster: *mut Header) {
        // SAFETY: the caller's promise; the list's members are free clusters with valid headers.
        unsafe {
            let class = (*cluster).size as usize;
            let head = self.free[class];
            ((*cluster).next, (*cluster).prev, (*cluster).free) = (head, null_mut(), true);
            if !head.is_null() {
                (*head).prev = cluster;
            }
            self.free[class] = cluster;
            self.free_count[class] += 1;
        }
    }

    /// Takes a cluster out of the free ones.
    ///
    /// # Safety
    /// It is one of them.
    unsafe fn unlink(&mut self, cluster: *mut Header) {
        // SAFETY: the caller's promise; neighbours are free clusters with valid headers.
        unsafe {
            let class = (*cluster).size as usize;
            let (next, prev) = ((*cluster).next, (*cluster).prev);
            if prev.is_null() {
                self.free[class] = next;
            } else {
                (*prev).next = next;
            }
            if !next.is_null() {
                (*next).prev = prev;
            }
            (*cluster).free = false;
            self.free_count[class] -= 1;
        }
    }

    /// A page's worth of fresh clusters.
    fn grow(&mut self, size: Size) -> Option<*mut Header> {
        if self.pages_max == 0 {
            let total = usize::try_from(memory::page_counts().total).unwrap_or(usize::MAX);
            self.pages_max = total / 2;
            self.keep = KEEP.min(total / 64);
        }
        if self.pages >= self.pages_max {
            return None;
        }
        let page = memory::page_alloc_uninit().ok()?;
        self.pages += 1;
        let first: *mut Header = memory::page_ptr(page).cast();
        let fresh =
            Header { refs: 0, size, free: false, low: 0, high: 0, page, next: null_mut(), prev: null_mut() };
        // SAFETY: the page is the pool's own from now on; both halves lie in it and are aligned for a header.
        unsafe {
            if size == Size::Half {
                let second = sibling(first);
                second.write(Header { ..fresh });
                self.put(second);
            }
            first.write(fresh);
        }
        Some(first)
    }

    fn take(&mut self, size: Size) -> Option<*mut Header> {
        let head = self.free[size as usize];
        if head.is_null() {
            return self.grow(size);
        }
        // SAFETY: the list's members are free clusters.
        unsafe { self.unlink(head) };
        Some(head)
    }

    /// Takes a cluster back, and gives its page back if enough are free.
    ///
    /// # Safety
    /// Nobody refers to it any more.
    unsafe fn release(&mut self, cluster: *mut Header) {
        // SAFETY: the caller's promise: the header is valid, and so is that of the other half of a half page, which lives as long as the page.
        unsafe {
            let page = (*cluster).page;
            let surplus = match (*cluster).size {
                Size::Page => self.free_count[Size::Page as usize] >= self.keep,
                Size::Half => {
                    (*sibling(cluster)).free && self.free_count[Size::Half as usize] >= 2 * self.keep
                }
            };
            if !surplus {
                return self.put(cluster);
            }
            if (*cluster).size == Size::Half {
                self.unlink(sibling(cluster));
            }
            self.pages -= 1;
            memory::page_free(page);
        }
    }
}

/// A cluster, counted: cloning adds a reference, and with the last one it returns to the pool.
#[repr(transparent)]
pub struct Buf(NonNull<Header>);

// SAFETY: clusters are touched by component code and drivers only, which hold the one virtual CPU.
unsafe impl Send for Buf {}
// SAFETY: as above.
unsafe impl Sync for Buf {}

impl Buf {
    /// A cluster whose content is whatever it was.
    #[must_use]
    pub fn alloc(size: Size) -> Option<Self> {
        let cluster = POOL.borrow_mut().take(size)?;
        // SAFETY: the cluster is this reference's alone, and its header is valid.
        unsafe { ((*cluster).refs, (*cluster).low, (*cluster).high) = (1, 0, 0) };
        NonNull::new(cluster).map(Self)
    }

    fn header(&self) -> *mut Header {
        self.0.as_ptr()
    }

    /// Bytes that there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        // SAFETY: the header is valid as long as there is a reference.
        unsafe { (*self.header()).size }.capacity()
    }

    /// Whether this is the only reference.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.header()).refs == 1 }
    }

    /// Where the data begins; for drivers. [`Buf::capacity`] bytes.
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        // SAFETY: the header is followed by the data in the same cluster.
        unsafe { self.header().cast::<u8>().add(HEADER) }
    }

    /// The machine's address of the data; for devices.
    #[must_use]
    #[inline]
    pub fn machine_addr(&self) -> u64 {
        // SAFETY: as above.
        let page = unsafe { (*self.header()).page };
        page.0 * PAGE_SIZE as u64 + (self.data().addr() % PAGE_SIZE) as u64
    }

    /// A view of `len` bytes from `offset`, which a device has written. `None` if they do not lie in the cluster or others have a view of it.
    #[must_use]
    pub fn filled(self, offset: usize, len: usize) -> Option<Slice> {
        let end = offset.checked_add(len).filter(|&end| end <= self.capacity() && self.is_unique())?;
        // SAFETY: as above.
        unsafe { ((*self.header()).low, (*self.header()).high) = (offset as u16, end as u16) };
        Some(Slice { buf: self, offset: offset as u16, len: len as u16 })
    }
}

impl Clone for Buf {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: as above. The count cannot overflow: memory for 2^32 references is not there.
        unsafe { (*self.header()).refs += 1 };
        Self(self.0)
    }
}

impl Drop for Buf {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: as above; with the last reference nobody refers to the cluster.
        unsafe {
            (*self.header()).refs -= 1;
            if (*self.header()).refs == 0 {
                POOL.borrow_mut().release(self.header());
            }
        }
    }
}

/// A counted view of a part of a [`Buf`].
#[derive(Clone)]
pub struct Slice {
    buf: Buf,
    offset: u16,
    len: u16,
}

impl Slice {
    /// An empty view of a fresh cluster, with room for `headroom` bytes before it (at most the cluster's capacity).
    #[must_use]
    pub fn alloc(size: Size, headroom: usize) -> Option<Self> {
        Buf::alloc(size)?.filled(headroom, 0)
    }

    /// A fresh cluster, as small as can be, with a copy of `bytes` after `headroom` bytes of room. `None` also if a page is too small.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], headroom: usize) -> Option<Self> {
        let fits_half = headroom.checked_add(bytes.len())? <= Size::Half.capacity();
        let mut slice = Self::alloc(if fits_half { Size::Half } else { Size::Page }, headroom)?;
        slice.extend(bytes.len())?.copy_from_slice(bytes);
        Some(slice)
    }

    /// Its length in bytes.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len.into()
    }

    /// Whether it has no bytes.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn end(&self) -> u16 {
        self.offset + self.len
    }

    /// The cluster that it is a view of.
    #[must_use]
    pub fn buf(&self) -> &Buf {
        &self.buf
    }

    /// The machine's address of its first byte; for devices.
    #[must_use]
    #[inline]
    pub fn machine_addr(&self) -> u64 {
        self.buf.machine_addr() + u64::from(self.offset)
    }

    /// The bytes.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: 1. a view never leaves its cluster; 2. its bytes are claimed, and claimed bytes are written only through a `&mut` of the only
        // view (`bytes_mut`), or right when they are claimed (`extend`, `prepend`), when no other view has them.
        unsafe { core::slice::from_raw_parts(self.buf.data().add(self.offset.into()), self.len.into()) }
    }

    /// The bytes to be changed; `None` if there is another view of the cluster.
    #[must_use]
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        // SAFETY: as for `bytes`; being the only view, nobody else looks at them.
        self.buf.is_unique().then(|| unsafe { self.range_mut(self.offset, self.end()) })
    }

    /// # Safety
    /// The range lies in the cluster and no other view has any of it.
    unsafe fn range_mut(&mut self, from: u16, to: u16) -> &mut [u8] {
        // SAFETY: the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(self.buf.data().add(from.into()), (to - from).into()) }
    }

    /// The only view of a cluster has claimed nothing but its own bytes, whatever was before.
    fn settle(&self) {
        if self.buf.is_unique() {
            // SAFETY: the header is valid as long as there is a reference.
            unsafe { ((*self.buf.header()).low, (*self.buf.header()).high) = (self.offset, self.end()) };
        }
    }

    /// Bytes that can be claimed behind it.
    #[must_use]
    pub fn room_after(&self) -> usize {
        self.settle();
        // SAFETY: as above.
        let touches = unsafe { (*self.buf.header()).high } == self.end();
        if touches { self.buf.capacity() - usize::from(self.end()) } else { 0 }
    }

    /// Bytes that can be claimed before it.
    #[must_use]
    pub fn room_before(&self) -> usize {
        self.settle();
        // SAFETY: as above.
        let touches = unsafe { (*self.buf.header()).low } == self.offset;
        if touches { self.offset.into() } else { 0 }
    }

    /// Makes it longer by `count` bytes and returns those, whose content is whatever it was. `None` if there is no room.
    #[must_use]
    pub fn extend(&mut self, count: usize) -> Option<&mut [u8]> {
        if count == 0 {
            // Claims nothing, wherever it ends.
            return Some(&mut []);
        }
        if count > self.room_after() {
            return None;
        }
        let from = self.end();
        self.len += count as u16;
        // SAFETY: the bytes from `from` lie in the cluster, and nobody had claimed them.
        unsafe {
            (*self.buf.header()).high = self.end();
            Some(self.range_mut(from, self.end()))
        }
    }

    /// Appends as many of `bytes` as there is room for; returns how many.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.room_after());
        match self.extend(count) {
            Some(room) => {
                room.copy_from_slice(&bytes[..count]);
                count
            }
            None => 0,
        }
    }

    /// Makes it begin `count` bytes earlier and returns those, whose content is whatever it was. `None` if there is no room.
    #[must_use]
    pub fn prepend(&mut self, count: usize) -> Option<&mut [u8]> {
        if count == 0 {
            // Claims nothing, wherever it ends.
            return Some(&mut []);
        }
        if count > self.room_before() {
            return None;
        }
        let to = self.offset;
        self.offset -= count as u16;
        self.len += count as u16;
        // SAFETY: the bytes up to `to` lie in the cluster, and nobody had claimed them.
        unsafe {
            (*self.buf.header()).low = self.offset;
            Some(self.range_mut(self.offset, to))
        }
    }

    /// Drops bytes from its front, at most all.
    pub fn advance(&mut self, count: usize) {
        let count = count.min(self.len()) as u16;
        self.offset += count;
        self.len -= count;
    }

    /// Keeps its first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len().min(len) as u16;
    }

    /// Another view: `len` bytes from `from`, as far as this one has them.
    #[must_use]
    pub fn part(&self, from: usize, len: usize) -> Self {
        let mut part = self.clone();
        part.advance(from);
        part.truncate(len);
        part
    }

    /// Keeps the bytes from `at` on and returns those before.
    #[must_use]
    pub fn split_to(&mut self, at: usize) -> Self {
        let front = self.part(0, at);
        self.advance(at);
        front
    }
}

impl core::fmt::Debug for Slice {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Slice({} bytes at {:#x})", self.len, self.machine_addr())
    }
}
