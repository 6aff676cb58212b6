//! The content of a file in memory: pages with holes, over bytes of the image that are used where they lie.
//!
//! A [`PageStore`] is what tmpfs keeps a regular file's content in, and what mmap(2) maps: both see the same pages. Bytes are copied once,
//! between the application and the page. A file that came with the image has no pages of its own: reads copy from the image, and a page is
//! made when it is first written or mapped.
//!
//! # Faults during a transfer
//! Copying from or to the application may fault, and the fault may be on a mapping of this very file: then [`UvmObject::get_page`] runs in the
//! middle of a transfer. So nothing is borrowed while bytes are copied, and `get_page` adds pages but never frees or replaces
//! one; only [`PageStore::set_size`] and [`PageStore::discard`] do, which no fault calls.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::cell::{Cell, RefCell};
use core::ops::Range;

use rump_hypercall::memory::{self, OutOfMemory, PAGE_SIZE, Page};
use rump_hypercall::upcall::Access;

use crate::errno::Errno;
use crate::uio::Uio;
use crate::uvm::fault::memory_is_short;
use crate::uvm::page::OwnedPage;
use crate::uvm::{PagerError, UvmObject};

const PAGE: u64 = PAGE_SIZE as u64;

/// Pages of one leaf.
const LEAF_PAGES: u64 = 64;

/// Most bytes of a file.
pub const SIZE_MAX: u64 = i64::MAX as u64 & !(PAGE - 1);

/// Neighbouring pages.
type Leaf = [Option<OwnedPage>; LEAF_PAGES as usize];

struct Pages {
    /// Bytes of the image at the file's beginning, where there is no page.
    image: &'static [u8],
    leaves: BTreeMap<u64, Box<Leaf>>,
    count: u64,
}

/// Where the content of a page is.
enum Place {
    /// In a page of the file's.
    Page(Page),
    /// In the image: at least one byte, which zeros follow up to the end of the page.
    Image(&'static [u8]),
    /// Nowhere: zeros.
    Hole,
}

impl Pages {
    fn get(&self, index: u64) -> Option<&OwnedPage> {
        self.leaves.get(&(index / LEAF_PAGES))?[(index % LEAF_PAGES) as usize].as_ref()
    }

    fn put(&mut self, index: u64, page: OwnedPage) {
        let leaf = self
            .leaves
            .entry(index / LEAF_PAGES)
            .or_insert_with(|| Box::new([const { None }; LEAF_PAGES as usize]));
        if leaf[(index % LEAF_PAGES) as usize].replace(page).is_none() {
            self.count += 1;
        }
    }

    /// The image's bytes of this page, if it has any.
    fn image(&self, index: u64) -> Option<&'static [u8]> {
        let start = usize::try_from(index.checked_mul(PAGE)?).ok()?;
        let image: &'static [u8] = self.image;
        let bytes = image.get(start..image.len().min(start.checked_add(PAGE_SIZE)?))?;
        (!bytes.is_empty()).then_some(bytes)
    }

    fn place(&self, index: u64) -> Place {
        match (self.get(index), self.image(index)) {
            (Some(page), _) => Place::Page(page.page()),
            (None, Some(bytes)) => Place::Image(bytes),
            (None, None) => Place::Hole,
        }
    }

    /// The page, made if there is none.
    fn make(&mut self, index: u64) -> Result<Page, OutOfMemory> {
        if let Some(page) = self.get(index) {
            return Ok(page.page());
        }
        let new = OwnedPage::zeroed()?;
        let page = new.page();
        if let Some(bytes) = self.image(index) {
            page_mut(page)[..bytes.len()].copy_from_slice(bytes);
        }
        self.put(index, new);
        Ok(page)
    }

    /// Frees the pages in `range`.
    fn free(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let mut next = range.start / LEAF_PAGES;
        let last = (range.end - 1) / LEAF_PAGES;
        while next <= last {
            let Some((&at, leaf)) = self.leaves.range_mut(next..=last).next() else { return };
            for (slot, page) in leaf.iter_mut().enumerate() {
                if range.contains(&(at * LEAF_PAGES + slot as u64)) && page.take().is_some() {
                    self.count -= 1;
                }
            }
            if leaf.iter().all(Option::is_none) {
                self.leaves.remove(&at);
            }
            next = at + 1;
        }
    }
}

/// The bytes of a page that a store owns. The slice must not outlive the page: it is used for one copy, in which no page is freed.
fn page_mut<'a>(page: Page) -> &'a mut [u8] {
    // SAFETY: 1. the page belongs to the store whose method runs, which frees pages only in methods that no copy can reach
    // (documentation of the module); 2. page_ptr gives PAGE_SIZE readable and writable bytes; 3. the slice lives for one copy, and the
    // application, which may have the page mapped, does not run meanwhile. That the other side of the copy may be the
    // application's mapping of the same page is the platform's business: it copies there without references.
    unsafe { core::slice::from_raw_parts_mut(memory::page_ptr(page), PAGE_SIZE) }
}

/// The content of a file.
pub struct PageStore {
    pages: RefCell<Pages>,
    size: Cell<u64>,
    /// Pages may be in page tables.
    mapped: Cell<bool>,
}

impl PageStore {
    /// An empty file.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::of_image(&[])
    }

    /// A file with this content.
    #[must_use]
    #[expect(
        clippy::arc_with_non_send_sync,
        reason = "mappings share it, and component code never runs at the same time"
    )]
    pub fn of_image(image: &'static [u8]) -> Arc<Self> {
        Arc::new(Self {
            pages: RefCell::new(Pages { image, leaves: BTreeMap::new(), count: 0 }),
            size: Cell::new(image.len() as u64),
            mapped: Cell::new(false),
        })
    }

    /// Gives a file that is empty, and has been since it was made, this content.
    pub fn set_image(&self, image: &'static [u8]) {
        let mut pages = self.pages.borrow_mut();
        if self.size.get() == 0 && pages.leaves.is_empty() {
            pages.image = image;
            self.size.set(image.len() as u64);
        }
    }

    /// Length, bytes.
    #[inline]
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size.get()
    }

    /// Pages in use, those of the image included.
    #[must_use]
    pub fn resident_pages(&self) -> u64 {
        let pages = self.pages.borrow();
        pages.count + (pages.image.len() as u64).div_ceil(PAGE)
    }

    /// Copies from `offset` on to the application, up to the end of the file.
    ///
    /// # Errors
    /// EFAULT.
    pub fn read(&self, uio: &mut Uio<'_>, offset: u64) -> Result<(), Errno> {
        let size = self.size.get();
        if offset >= size {
            return Ok(());
        }
        let end = offset.saturating_add(uio.resid() as u64).min(size);
        if let Some(bytes) = self.whole_image(offset, end) {
            return uio.copy_out(bytes).map(|_| ());
        }
        let mut at = offset;
        while at < end {
            let within = (at % PAGE) as usize;
            // At most a page.
            let len = (end - at).min(PAGE - at % PAGE) as usize;
            let place = self.pages.borrow().place(at / PAGE);
            match place {
                Place::Page(page) => {
                    uio.copy_out(&page_mut(page)[within..within + len])?;
                }
                Place::Image(bytes) => {
                    let stored = bytes.get(within..).unwrap_or_default();
                    let stored = &stored[..stored.len().min(len)];
                    uio.copy_out(stored)?;
                    uio.zero_out(len - stored.len())?;
                }
                Place::Hole => {
                    uio.zero_out(len)?;
                }
            }
            at += len as u64;
        }
        Ok(())
    }

    /// The range, if all of it lies in the image as it is.
    fn whole_image(&self, start: u64, end: u64) -> Option<&'static [u8]> {
        let pages = self.pages.borrow();
        let image: &'static [u8] = pages.image;
        if !pages.leaves.is_empty() {
            return None;
        }
        image.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }

    /// Copies from the application to `offset` and on; the file grows as far as that needs.
    ///
    /// # Errors
    /// EFAULT, EFBIG, ENOSPC if there is no memory.
    pub fn write(&self, uio: &mut Uio<'_>, offset: u64) -> Result<(), Errno> {
        if uio.resid() > 0 && offset >= SIZE_MAX {
            return Err(Errno::EFBIG);
        }
        let old = self.size.get();
        if offset > old && self.mapped.get() {
            self.zero_part(old, old.next_multiple_of(PAGE))?;
        }
        let end = offset.saturating_add(uio.resid() as u64).min(SIZE_MAX);
        let mut at = offset;
        while at < end {
            let within = (at % PAGE) as usize;
            // At most a page.
            let len = (end - at).min(PAGE - at % PAGE) as usize;
            if len == PAGE_SIZE {
                self.write_whole(uio, at / PAGE)?;
            } else {
                let page = self.make(at / PAGE)?;
                uio.copy_in(&mut page_mut(page)[within..within + len])?;
            }
            at += len as u64;
            self.size.set(self.size.get().max(at));
        }
        if uio.resid() > 0 { Err(Errno::EFBIG) } else { Ok(()) }
    }

    /// Writes a whole page: one that is not there yet need not be zeroed first.
    fn write_whole(&self, uio: &mut Uio<'_>, index: u64) -> Result<(), Errno> {
        let existing = self.pages.borrow().get(index).map(OwnedPage::page);
        if let Some(page) = existing {
            uio.copy_in(page_mut(page))?;
            return Ok(());
        }
        if memory_is_short() {
            return Err(Errno::ENOSPC);
        }
        let new = OwnedPage::uninit().map_err(|_| Errno::ENOSPC)?;
        // Nobody sees the page before it is whole.
        uio.copy_in(page_mut(new.page()))?;
        let mut pages = self.pages.borrow_mut();
        if let Some(page) = pages.get(index) {
            // A fault on a mapping of this file made it meanwhile, and it may be mapped.
            page_mut(page.page()).copy_from_slice(page_mut(new.page()));
        } else {
            pages.put(index, new);
        }
        Ok(())
    }

    fn make(&self, index: u64) -> Result<Page, Errno> {
        let mut pages = self.pages.borrow_mut();
        if pages.get(index).is_none() && memory_is_short() {
            return Err(Errno::ENOSPC);
        }
        pages.make(index).map_err(|_| Errno::ENOSPC)
    }

    /// Makes the file longer, by zeros, or shorter.
    ///
    /// # Errors
    /// EFBIG; ENOSPC if there is no memory for cutting a page of the image.
    pub fn set_size(self: &Arc<Self>, size: u64) -> Result<(), Errno> {
        if size > SIZE_MAX {
            return Err(Errno::EFBIG);
        }
        let old = self.size.get();
        if size < old {
            {
                let mut pages = self.pages.borrow_mut();
                let kept =
                    usize::try_from(size).map_or(pages.image.len(), |size| size.min(pages.image.len()));
                pages.image = &pages.image[..kept];
            }
            self.cut(size..old)?;
        } else if self.mapped.get() {
            // What an application wrote into the last page past the end of the file.
            self.zero_part(old, old.next_multiple_of(PAGE))?;
        }
        self.size.set(size);
        Ok(())
    }

    /// Makes a range read as zeros, and frees the pages that are all in it.
    ///
    /// # Errors
    /// ENOSPC if there is no memory for what has to become zeros in the image.
    pub fn discard(self: &Arc<Self>, offset: u64, len: u64) -> Result<(), Errno> {
        let end = offset.saturating_add(len).min(self.size.get());
        if offset >= end {
            return Ok(());
        }
        // Pages of the image cannot be taken out of its middle: they become pages of zeros.
        let image_pages = (self.pages.borrow().image.len() as u64).div_ceil(PAGE);
        for index in offset.div_ceil(PAGE)..(end / PAGE).min(image_pages) {
            let page = self.make(index)?;
            page_mut(page).fill(0);
        }
        let after_image = offset.max(image_pages * PAGE);
        self.zero_part(offset, end)?;
        if after_image < end {
            self.cut(after_image..end)?;
        }
        Ok(())
    }

    /// Zeroes what `start..end` covers of the pages at its two ends, where those are not covered as a whole.
    fn zero_part(&self, start: u64, end: u64) -> Result<(), Errno> {
        for index in [start / PAGE, end / PAGE] {
            let first = start.max(index * PAGE);
            let last = end.min((index + 1) * PAGE);
            let whole = first == index * PAGE && last == (index + 1) * PAGE;
            let is_zero = match self.pages.borrow().place(index) {
                Place::Page(_) => false,
                Place::Image(bytes) => bytes.len() as u64 <= first.saturating_sub(index * PAGE),
                Place::Hole => true,
            };
            if first >= last || whole || is_zero {
                continue;
            }
            let page = self.make(index)?;
            page_mut(page)[(first - index * PAGE) as usize..(last - index * PAGE) as usize].fill(0);
        }
        Ok(())
    }

    /// Frees the pages in the range, and zeroes the rest of one at its beginning or end. Pages past the end of the file may be cut
    /// as a whole, since nobody can see what is in them.
    fn cut(self: &Arc<Self>, range: Range<u64>) -> Result<(), Errno> {
        let end = if range.end == self.size.get() { range.end.next_multiple_of(PAGE) } else { range.end };
        self.zero_part(range.start, end)?;
        let (first, last) = (range.start.div_ceil(PAGE), end / PAGE);
        if first >= last {
            return Ok(());
        }
        if self.mapped.get() {
            let object: Arc<dyn UvmObject> = Arc::<Self>::clone(self);
            crate::uvm::unmap_object(&object, first * PAGE..last * PAGE);
        }
        self.pages.borrow_mut().free(first..last);
        Ok(())
    }

    /// Makes sure that the range has memory; the file grows if it ends before.
    ///
    /// # Errors
    /// EFBIG; ENOSPC, with a part of the pages made.
    pub fn allocate(&self, offset: u64, len: u64) -> Result<(), Errno> {
        let end = offset.checked_add(len).filter(|&end| end <= SIZE_MAX).ok_or(Errno::EFBIG)?;
        let counts = memory::page_counts();
        if len / PAGE > counts.free {
            return Err(Errno::ENOSPC);
        }
        for index in offset / PAGE..end.div_ceil(PAGE) {
            if matches!(self.pages.borrow().place(index), Place::Hole) {
                self.make(index)?;
            }
        }
        self.size.set(self.size.get().max(end));
        Ok(())
    }

    /// The first offset at or after `offset` that holds data, or that is in a hole (lseek(2), SEEK_DATA and SEEK_HOLE). The end of the file is
    /// in a hole.
    #[must_use]
    pub fn seek_data(&self, offset: u64, data: bool) -> Option<u64> {
        let size = self.size.get();
        let pages = self.pages.borrow();
        let image_pages = (pages.image.len() as u64).div_ceil(PAGE);
        let mut index = offset / PAGE;
        while index * PAGE < size {
            if matches!(pages.place(index), Place::Hole) != data {
                return Some(offset.max(index * PAGE));
            }
            // Leaves that are not there are skipped as a whole.
            let next_leaf = pages.leaves.range(index / LEAF_PAGES..).next().map(|(&at, _)| at * LEAF_PAGES);
            index = match next_leaf {
                Some(at) if data && at > index + 1 && index >= image_pages => at,
                None if data && index >= image_pages => break,
                _ => index + 1,
            };
        }
        if data { None } else { Some(size) }
    }
}

impl UvmObject for PageStore {
    fn get_page(&self, offset: u64, _access: Access) -> Result<Page, PagerError> {
        if offset >= self.size.get() {
            return Err(PagerError::Bad);
        }
        self.mapped.set(true);
        self.pages.borrow_mut().make(offset / PAGE).map_err(|_| PagerError::OutOfMemory)
    }

    fn resident(&self, offset: u64) -> Option<Page> {
        if offset >= self.size.get() {
            return None;
        }
        let page = self.pages.borrow().get(offset / PAGE)?.page();
        self.mapped.set(true);
        Some(page)
    }

    fn notices_writes(&self) -> bool {
        false
    }

    fn flush(&self, _range: Range<u64>) -> Result<(), Errno> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
