//! The final page tables: the direct map, and W^X for the kernel's image in the mapping that Xen made.
//!
//! Xen (its public header xen.h, "Start-of-day memory layout") maps the guest's first pages, image and tables among them, from the kernel's base on; the tables
//! in it are read-only. Here the direct map is added, beginning with tables in that mapping and going on with tables in what is already
//! direct-mapped, and the first mapping is cut down to the kernel's own code and variables.

use rump_image::{ImageInfo, KERNEL_BASE, Span};
use rumpbake_platform::page::{self, DIRECT_MAP, phys_to_virt};
use rumpbake_platform::pmap::{self, NX, PRESENT, WRITE};
use rumpbake_platform::start::too_little_memory;

use crate::mmu::{self, TOUCHED, USER};
use crate::start::StartInfo;

const PAGE: u64 = 4096;
/// Entries of a table.
const ENTRIES: u64 = 512;
/// The kernel's base has room for so much.
const KERNEL_ROOM: u64 = 0x8000_0000;
/// MMUEXT_NEW_USER_BASEPTR
const NEW_USER_BASEPTR: u32 = 15;
/// Most ranges that are taken from the start.
const RESERVED: usize = 6;

/// What must not be given away: the image and what Xen put behind it.
struct Reserved([Span; RESERVED]);

impl Reserved {
    fn of(image: &ImageInfo, start: &StartInfo) -> Self {
        let physical = |va: u64| va - KERNEL_BASE;
        let page = |machine: u64| Span { start: mmu::physical_address(machine), len: PAGE };
        let frame = |frame: u64| if frame == 0 { Span::default() } else { page(frame * PAGE) };
        let mut spans = [
            Span { start: image.image_start, len: image.image_end - image.image_start },
            Span { start: physical(start.mfn_list), len: start.nr_pages * 8 },
            Span { start: physical(start.pt_base), len: start.nr_pt_frames * PAGE },
            Span { start: physical(&raw const *start as u64), len: PAGE },
            frame(start.store_mfn),
            if start.is_privileged() { Span::default() } else { frame(start.console_mfn()) },
        ];
        for span in &mut spans {
            let end = (span.start + span.len).next_multiple_of(PAGE);
            span.start &= !(PAGE - 1);
            span.len = end - span.start;
        }
        spans.sort_unstable_by_key(|span| span.start);
        Self(spans)
    }

    /// The first page from `phys` on that is not taken.
    fn skip(&self, mut phys: u64) -> u64 {
        for span in &self.0 {
            if (span.start..span.start + span.len).contains(&phys) {
                phys = span.start + span.len;
            }
        }
        phys
    }

    /// The ranges between those that are taken, in `start..end`.
    fn free(&self, start: u64, end: u64) -> impl Iterator<Item = Span> + '_ {
        let starts = core::iter::once(start).chain(self.0.iter().map(|span| span.start + span.len));
        let ends = self.0.iter().map(|span| span.start).chain(core::iter::once(end));
        let clipped = starts.zip(ends).map(move |(from, to)| (from.max(start), to.min(end)));
        clipped.filter(|(from, to)| from < to).map(|(start, end)| Span { start, len: end - start })
    }
}

/// Makes the direct map, from the first page on.
struct Builder<'a> {
    reserved: &'a Reserved,
    /// Tables are taken from here on.
    next: u64,
    end: u64,
    /// What lies below is in the direct map.
    mapped: u64,
}

impl Builder<'_> {
    /// A page for a table, zeroed, and where to write it.
    fn take(&mut self) -> (u64, *mut u64) {
        let phys = self.reserved.skip(self.next);
        if phys >= self.end {
            too_little_memory();
        }
        self.next = phys + PAGE;
        let at = if phys < self.mapped { phys_to_virt(phys).addr() } else { (KERNEL_BASE + phys) as usize };
        let table: *mut u64 = core::ptr::with_exposed_provenance_mut(at);
        // SAFETY: a page that nobody uses, mapped there: the first pages by Xen, those below `mapped` by this.
        unsafe { table.write_bytes(0, ENTRIES as usize) };
        (phys, table)
    }

    /// Takes the writable mappings of a page away, so that it can be a table.
    fn seal(&self, phys: u64) {
        if phys < self.mapped {
            mmu::map_now(phys_to_virt(phys).addr(), mmu::direct_entry(phys, 0));
        }
        if phys < KERNEL_ROOM {
            // Where Xen's mapping has ended there is nothing to take away.
            mmu::try_map_now((KERNEL_BASE + phys) as usize, 0);
        }
    }

    /// Puts a sealed table into an entry of another, both by their physical addresses.
    fn link(&self, table: u64, index: u64, child: u64) {
        mmu::store_now(table + index * 8, mmu::machine_address(child) | PRESENT | WRITE | USER | TOUCHED);
    }

    fn build(&mut self, root: u64, tables: Span) {
        let (top, _) = self.take();
        self.seal(top);
        self.link(root, (DIRECT_MAP as u64 >> 39) % ENTRIES, top);
        let mut middle = 0;
        let mut base = 0;
        while base < self.end {
            let chunk = base / PAGE / ENTRIES;
            if chunk.is_multiple_of(ENTRIES) {
                (middle, _) = self.take();
                self.seal(middle);
                self.link(top, chunk / ENTRIES, middle);
            }
            let (last, entries) = self.take();
            for index in 0..ENTRIES {
                let phys = base + index * PAGE;
                if phys >= self.end {
                    break;
                }
                let is_table = (tables.start..tables.start + tables.len).contains(&phys)
                    || self.mapped == 0 && (phys == top || phys == middle || phys == last);
                let write = if is_table { 0 } else { WRITE };
                // SAFETY: an entry of the table that was just taken.
                unsafe { entries.add(index as usize).write(mmu::direct_entry(phys, write)) };
            }
            self.seal(last);
            self.link(middle, chunk % ENTRIES, last);
            base += ENTRIES * PAGE;
            self.mapped = base.min(self.end);
        }
    }
}

/// Which flags the kernel's mapping of a page of the image has; `None` if the kernel does not use it there.
fn kernel_flags(image: &ImageInfo, phys: u64) -> Option<u64> {
    let parts = [(image.kernel_text, 0), (image.kernel_rodata, NX), (image.kernel_data, WRITE | NX)];
    let part = parts.iter().find(|(span, _)| (span.start..span.start + span.len).contains(&phys));
    part.map(|&(_, flags)| flags | PRESENT)
}

/// Builds the page tables and hands the free memory to the page allocator. Returns the bytes of RAM.
pub fn init(image: &ImageInfo, start: &StartInfo) -> u64 {
    let total = start.nr_pages * PAGE;
    let reserved = Reserved::of(image, start);
    let frames = start.mfn_list - KERNEL_BASE;
    // SAFETY: the start info says so.
    unsafe {
        mmu::set_machine_frames(core::ptr::with_exposed_provenance(start.mfn_list as usize), start.nr_pages);
    }
    let root = start.pt_base - KERNEL_BASE;
    let tables = Span { start: root, len: start.nr_pt_frames * PAGE };
    let mut builder = Builder { reserved: &reserved, next: PAGE, end: total, mapped: 0 };
    builder.build(root, tables);
    // SAFETY: the same table in the direct map; and the root that is in use.
    unsafe {
        mmu::set_machine_frames(phys_to_virt(frames).cast(), start.nr_pages);
        pmap::set_root(phys_to_virt(root).cast());
    }
    let free = || reserved.free(builder.next, total);
    let state_len = start.nr_pages.next_multiple_of(PAGE);
    let Some(home) = free().max_by_key(|span| span.len).filter(|home| home.len > state_len) else {
        too_little_memory()
    };
    mmu::extended(NEW_USER_BASEPTR, mmu::machine_address(root) / PAGE);
    // SAFETY: what the kernel uses stays as it is, less what it must not do.
    unsafe {
        pmap::kernel_update(
            KERNEL_BASE as usize,
            (KERNEL_BASE + total.min(KERNEL_ROOM - PAGE)) as usize,
            |va, _| {
                let phys = va as u64 - KERNEL_BASE;
                kernel_flags(image, phys).map_or(0, |flags| phys | flags)
            },
        );
    }
    // SAFETY: the state bytes are free memory; what is added is RAM that nobody uses, mapped by now, and each range once.
    unsafe {
        page::init(phys_to_virt(home.start), start.nr_pages);
        for span in free() {
            let from = if span.start == home.start { home.start + state_len } else { span.start };
            page::add(from, span.start + span.len);
        }
    }
    total
}
