//! The final page tables: W^X for the kernel's image, the direct map without execution, nothing at address zero.

use core::arch::asm;

use rump_image::{ImageInfo, KERNEL_BASE, Span};
use rumpbake_platform::page::{self, DIRECT_MAP, phys_to_virt};
use rumpbake_platform::pmap::{self, GLOBAL, LARGE, NX, PRESENT, UNCACHED, WRITE};

use crate::boot::MemoryMap;
use crate::cpuid;

/// 2 MiB.
const LARGE_PAGE: u64 = 1 << 21;
/// 1 GiB.
const HUGE_PAGE: u64 = 1 << 30;
/// What the boot code has mapped.
const BOOT_MAPPED: u64 = 4 * HUGE_PAGE;

unsafe extern "C" {
    static mut rb_boot_pml4: [u64; 512];
    static mut rb_boot_pdpt: [u64; 512];
    static mut rb_boot_pd: [[u64; 512]; 4];
}

/// Takes zeroed pages off the start of a range of free memory, before there is an allocator.
struct Bump {
    start: u64,
    next: u64,
    end: u64,
}

impl Bump {
    /// On the largest range that the boot code has mapped. It need not follow the image: firmware may keep what lies there.
    fn on_largest(free: impl Iterator<Item = Span>) -> Self {
        let mapped = |span: &Span| (span.start + span.len).min(BOOT_MAPPED).saturating_sub(span.start);
        let Some(home) = free.max_by_key(mapped) else { panic!("the loader's memory map has no RAM") };
        Self { start: home.start, next: home.start, end: home.start + mapped(&home) }
    }

    fn take(&mut self, bytes: u64) -> u64 {
        let start = self.next;
        self.next = (start + bytes).next_multiple_of(4096);
        assert!(self.next <= self.end, "not enough memory for the page tables; give the machine more");
        // SAFETY: free memory (the map says so) inside what the boot code mapped.
        unsafe { phys_to_virt(start).write_bytes(0, (self.next - start) as usize) };
        start
    }
}

/// The RAM outside the image.
fn free<'a>(map: &'a MemoryMap, image: &ImageInfo) -> impl Iterator<Item = Span> + 'a {
    let (image_start, image_end) = (image.image_start, image.image_end.next_multiple_of(4096));
    let parts = move |span: &Span| {
        let end = span.start + span.len;
        [(span.start, end.min(image_start)), (span.start.max(image_end), end)]
    };
    map.ram()
        .flat_map(parts)
        .filter(|(start, end)| start < end)
        .map(|(start, end)| Span { start, len: end - start })
}

/// Physical address of a kernel static.
fn phys_of<T>(item: *const T) -> u64 {
    item as u64 - KERNEL_BASE
}

/// Maps one span of the kernel's image by pages of 4 KiB.
fn map_kernel(pdpt: *mut u64, span: Span, flags: u64, bump: &mut Bump) {
    let mut phys = span.start & !4095;
    while phys < span.start + span.len {
        let va = KERNEL_BASE + phys;
        let mut table = pdpt;
        for level in [2, 1] {
            // SAFETY: `table` is a page-table page from `bump` or the caller, 512 entries.
            let entry = unsafe { &mut *table.add((va >> (12 + 9 * level) & 511) as usize) };
            if *entry == 0 {
                *entry = bump.take(4096) | PRESENT | WRITE;
            }
            table = phys_to_virt(*entry & 0x000f_ffff_ffff_f000).cast();
        }
        // SAFETY: as above.
        unsafe { table.add((va >> 12 & 511) as usize).write(phys | flags | PRESENT | GLOBAL) };
        phys += 4096;
    }
}

/// Builds the page tables and hands the free memory of `map` to the page allocator. Returns the bytes of RAM.
pub fn init(image: &ImageInfo, map: &MemoryMap) -> u64 {
    let ram = || map.ram();
    let top = ram().map(|span| span.start + span.len).max().unwrap_or(0);
    let total = ram().map(|span| span.len).sum();
    let mut bump = Bump::on_largest(free(map, image));

    // SAFETY: boot, one processor: nobody else looks at the boot tables, which stay in use as the top of the final ones.
    unsafe {
        let pdpt = &raw mut rb_boot_pdpt;
        // Device registers lie below 4 GiB; QEMU's and real chipsets' from 0xfe000000 on.
        let pd = &raw mut rb_boot_pd;
        for entry in &mut (&mut (*pd)[3])[0x1f0..] {
            *entry |= UNCACHED;
        }
        let mut base = BOOT_MAPPED;
        while base < top {
            let slot = &mut (*pdpt)[(base / HUGE_PAGE) as usize];
            if cpuid::features().gib_pages {
                *slot = base | PRESENT | WRITE | LARGE;
            } else {
                let table = bump.take(4096);
                for index in 0..512 {
                    phys_to_virt(table)
                        .cast::<u64>()
                        .add(index)
                        .write((base + index as u64 * LARGE_PAGE) | PRESENT | WRITE | LARGE);
                }
                *slot = table | PRESENT | WRITE;
            }
            base += HUGE_PAGE;
        }
        let kernel = bump.take(4096);
        let kernel_pdpt = phys_to_virt(kernel).cast();
        map_kernel(kernel_pdpt, image.kernel_text, 0, &mut bump);
        map_kernel(kernel_pdpt, image.kernel_rodata, NX, &mut bump);
        map_kernel(kernel_pdpt, image.kernel_data, WRITE | NX, &mut bump);
        let pml4 = &raw mut rb_boot_pml4;
        (*pml4)[511] = kernel | PRESENT | WRITE;
        (*pml4)[(DIRECT_MAP >> 39) & 511] |= NX;
        (*pml4)[0] = 0;
        let root = phys_of(pml4);
        asm!("mov cr3, {}", in(reg) root);
        pmap::set_root(phys_to_virt(root).cast());
    }

    let frames = top / 4096;
    let state = bump.take(frames);
    // SAFETY: the state bytes were just taken; what is added is RAM, outside the image and what was taken, mapped by now, and each range once.
    unsafe {
        page::init(phys_to_virt(state), frames);
        for span in free(map, image) {
            let start = if span.start == bump.start { bump.next } else { span.start };
            page::add(start, span.start + span.len);
        }
    }
    total
}

/// The direct map's view of device registers at a physical address below 4 GiB.
pub fn device(phys: u64) -> *mut u32 {
    assert!(phys < BOOT_MAPPED, "device registers above 4 GiB");
    core::ptr::with_exposed_provenance_mut(DIRECT_MAP + phys as usize)
}
