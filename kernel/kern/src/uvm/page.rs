//! Physical pages that have an owner.

use core::num::NonZeroU64;

use rump_hypercall::memory::{self, OutOfMemory, PAGE_SIZE, Page};

/// A physical page of the application's; freed when dropped. Who drops one has unmapped it before.
///
/// An `Option` of it takes eight bytes: there is one per resident page. Frame 0 is never handed out.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnedPage(NonZeroU64);

impl OwnedPage {
    fn adopt(page: Page) -> Option<Self> {
        NonZeroU64::new(page.0).map(Self)
    }

    /// A page full of zeros.
    ///
    /// # Errors
    /// If there is none.
    pub fn zeroed() -> Result<Self, OutOfMemory> {
        Self::adopt(memory::page_alloc()?).ok_or(OutOfMemory)
    }

    /// A page with whatever was in it: the caller overwrites all of it before anybody else sees it.
    ///
    /// # Errors
    /// If there is none.
    pub fn uninit() -> Result<Self, OutOfMemory> {
        Self::adopt(memory::page_alloc_uninit()?).ok_or(OutOfMemory)
    }

    /// A page with a copy of another page's content.
    ///
    /// # Errors
    /// If there is none.
    pub fn copy_of(source: Page) -> Result<Self, OutOfMemory> {
        let copy = Self::adopt(memory::page_alloc_uninit()?).ok_or(OutOfMemory)?;
        // SAFETY: both pointers are to whole pages (contract of page_ptr), different ones since one was just allocated.
        unsafe {
            core::ptr::copy_nonoverlapping(
                memory::page_ptr(source),
                memory::page_ptr(copy.page()),
                PAGE_SIZE,
            );
        }
        Ok(copy)
    }

    /// Takes over a page of the image that belongs to the application; `None` if there cannot be such a page.
    ///
    /// # Safety
    /// Nobody else owns the page.
    pub unsafe fn from_image(physical: u64) -> Option<Self> {
        Self::adopt(Page(physical / PAGE_SIZE as u64))
    }

    /// The page.
    #[inline]
    #[must_use]
    pub fn page(&self) -> Page {
        Page(self.0.get())
    }
}

impl Drop for OwnedPage {
    fn drop(&mut self) {
        // SAFETY: the page came from the allocator or was handed over by `from_image`; nobody else owns it, and the owner
        // has unmapped it (documentation of the type).
        unsafe { memory::page_free(self.page()) }
    }
}
