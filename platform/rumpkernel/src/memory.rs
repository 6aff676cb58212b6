//! The rump kernel's memory: its segments, mapped for good before its first instruction.
//!
//! All of it is there from the beginning, since kernel code must not fault on its own memory: under Xen the fault's frame would lie where compiled code
//! may keep variables (the red zone). The pages are the image's where there is content, else fresh.

use rump_hypercall::boot;
use rump_hypercall::memory::{self, OutOfMemory, PAGE_SIZE, Page, Prot};
use rump_image::{LAYER_RUMP, Segment};

/// Maps all segments.
///
/// # Errors
/// No memory for what is zero at first.
pub fn map() -> Result<(), OutOfMemory> {
    let app = boot::info().app;
    let segments = app.segments.iter().take(app.segment_count as usize);
    segments.filter(|segment| segment.layer == LAYER_RUMP).try_for_each(map_segment)
}

fn map_segment(segment: &Segment) -> Result<(), OutOfMemory> {
    let prot = Prot::from_bits_truncate(segment.prot as u8);
    for offset in (0..segment.len).step_by(PAGE_SIZE) {
        let page = if offset < segment.file_len {
            Page((segment.phys + offset) / PAGE_SIZE as u64)
        } else {
            memory::page_alloc()?
        };
        memory::pmap_enter((segment.va + offset) as usize, page, prot)?;
    }
    Ok(())
}
