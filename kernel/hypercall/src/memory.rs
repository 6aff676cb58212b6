//! Physical pages and the page tables of the application's half of the address space (pmap(9)).

use bitflags::bitflags;

pub use crate::thread::OutOfMemory;

/// Bytes in a page.
pub const PAGE_SIZE: usize = 4096;

/// The lowest address that an application may map: page zero is never mapped.
pub const USER_MIN: usize = PAGE_SIZE;

/// The end of the application's half of the address space.
pub const USER_MAX: usize = 0x0000_7fff_ffff_f000;

/// A physical page, by its frame number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Page(pub u64);

bitflags! {
    /// What may be done with a mapping; `WRITE` and `EXEC` together are refused by the platform's W^X unless the
    /// application asked for them (mmap(2) with both).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Prot: u8 {
        /// Loads.
        const READ = 1;
        /// Stores.
        const WRITE = 2;
        /// Instruction fetches.
        const EXEC = 4;
    }
}

/// Pages of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCounts {
    /// All that the allocator ever had.
    pub total: u64,
    /// Those that are free now.
    pub free: u64,
}

unsafe extern "Rust" {
    /// A page full of zeros.
    #[link_name = "rb_page_alloc"]
    pub safe fn page_alloc() -> Result<Page, OutOfMemory>;

    /// A page whose content is whatever it was; for callers that overwrite it whole.
    #[link_name = "rb_page_alloc_uninit"]
    pub safe fn page_alloc_uninit() -> Result<Page, OutOfMemory>;

    /// Gives a page back.
    ///
    /// # Safety
    /// The page came from this allocator (or is one of the image's own pages that the application owned), is mapped nowhere, and is not used again.
    #[link_name = "rb_page_free"]
    pub fn page_free(page: Page);

    /// Where the kernel sees the page: [`PAGE_SIZE`] bytes, readable and writable, valid until the page is freed.
    #[link_name = "rb_page_ptr"]
    pub safe fn page_ptr(page: Page) -> *mut u8;

    /// How many pages there are.
    #[link_name = "rb_page_counts"]
    pub safe fn page_counts() -> PageCounts;

    /// pmap_enter(9): maps `page` at `va` (page-aligned, in the application's half), replacing what was there.
    #[link_name = "rb_pmap_enter"]
    pub safe fn pmap_enter(va: usize, page: Page, prot: Prot) -> Result<(), OutOfMemory>;

    /// pmap_remove(9): unmaps `start..end`; frees no page.
    #[link_name = "rb_pmap_remove"]
    pub safe fn pmap_remove(start: usize, end: usize);

    /// pmap_protect(9): changes what is mapped in `start..end` to `prot`.
    #[link_name = "rb_pmap_protect"]
    pub safe fn pmap_protect(start: usize, end: usize, prot: Prot);

    /// pmap_extract(9): the page mapped at `va`.
    #[link_name = "rb_pmap_extract"]
    pub safe fn pmap_extract(va: usize) -> Option<Page>;
}
