//! Boot information that a test chooses, and the image's end.

use std::sync::OnceLock;

use rump_hypercall::boot::{BootInfo, Exit};
use rump_hypercall::memory::PAGE_SIZE;
use rump_image::{AppInfo, MAX_SEGMENTS, Segment};

use crate::run::{Outcome, stop};

/// What a test may put into the boot information.
#[derive(Default)]
pub struct BootFiles {
    /// Kernel command line.
    pub cmdline: String,
    /// JSON configuration.
    pub config: Vec<u8>,
    /// cpio archive of the root file system.
    pub root: Vec<u8>,
}

static INFO: OnceLock<BootInfo> = OnceLock::new();

static APP: AppInfo = AppInfo {
    entry: 0,
    elf_entry: 0,
    phdr: 0,
    phnum: 0,
    segment_count: 0,
    brk_start: 0,
    stack_size: 0,
    gate_word: 0,
    segments: [Segment { va: 0, len: 0, phys: 0, file_len: 0, prot: 0, layer: 0 }; MAX_SEGMENTS],
};

fn make(files: BootFiles) -> BootInfo {
    BootInfo {
        cmdline: Box::leak(files.cmdline.into_boxed_str()),
        config: Box::leak(files.config.into_boxed_slice()),
        root: Box::leak(files.root.into_boxed_slice()),
        app: &APP,
        memory_bytes: (crate::memory::TOTAL_PAGES * PAGE_SIZE) as u64,
    }
}

/// Sets the boot information. False if it was asked for, or set, before: there is one per process.
pub fn set_boot(files: BootFiles) -> bool {
    INFO.set(make(files)).is_ok()
}

#[unsafe(export_name = "rb_boot_info")]
fn info() -> &'static BootInfo {
    INFO.get_or_init(|| make(BootFiles::default()))
}

#[unsafe(export_name = "rb_exit")]
fn exit(how: Exit) -> ! {
    stop(Outcome::Ended(how))
}
