//! From the entry to what all machines share: the start info (Xen's public header xen.h, `struct start_info`).

use rump_image::KERNEL_BASE;
use rumpbake_platform::page::phys_to_virt;
use rumpbake_platform::pmap::{NX, PRESENT, WRITE};
use rumpbake_platform::start::{self, Found};
use rumpbake_xenguest::{console, events, shared, store};

use crate::{clock, cpu, memory, mmu, poweroff, traps};

/// `struct start_info`.
#[repr(C)]
pub struct StartInfo {
    magic: [u8; 32],
    /// Pages of the guest.
    pub nr_pages: u64,
    /// Machine address of the shared page.
    pub shared_info: u64,
    flags: u32,
    /// Machine frame of the rings to the store; 0 if there are none.
    pub store_mfn: u64,
    /// Event channel of the store.
    pub store_evtchn: u32,
    /// Machine frame of the console's ring; of a privileged guest's, something else.
    console: [u64; 2],
    /// Address of the top-level page table.
    pub pt_base: u64,
    /// Pages of page tables from there on.
    pub nr_pt_frames: u64,
    /// Address of the table of machine frames.
    pub mfn_list: u64,
    mod_start: u64,
    mod_len: u64,
    command_line: [u8; 1024],
}

const _: () = assert!(core::mem::offset_of!(StartInfo, command_line) == 128);

impl StartInfo {
    /// Whether the guest is the one that holds the machine.
    pub fn is_privileged(&self) -> bool {
        const SIF_INITDOMAIN: u32 = 2;
        self.flags & SIF_INITDOMAIN != 0
    }

    /// Machine frame of the console's ring, of a guest that has one.
    pub fn console_mfn(&self) -> u64 {
        self.console[0]
    }

    /// Event channel of the console's ring, of a guest that has one.
    pub fn console_port(&self) -> u32 {
        self.console[1] as u32
    }

    /// The command line. Text that is not UTF-8 ends where it stops being so.
    fn command_line(&self) -> &str {
        let bytes = self.command_line.split(|&byte| byte == 0).next().unwrap_or_default();
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        }
    }
}

/// Makes events, console and store ready, as far as the guest has them.
fn connect(info: &StartInfo) {
    if info.is_privileged() {
        return events::init(events::bind_virq(events::VIRQ_CONSOLE).unwrap_or(0), 0);
    }
    let page = |frame: u64| phys_to_virt(mmu::physical_address(frame * 4096));
    events::init(info.console_port(), info.store_evtchn);
    // SAFETY: the pages are in the direct map for good, and kept from the page allocator.
    unsafe {
        if info.console_mfn() != 0 {
            console::init(page(info.console_mfn()), info.console_port());
        }
        if info.store_mfn != 0 && info.store_evtchn != 0 {
            store::init(page(info.store_mfn), info.store_evtchn);
        }
    }
}

/// Entered once by the boot code, event delivery masked, on the boot stack.
///
/// # Safety
/// `info` is the address of the start info.
#[unsafe(no_mangle)]
unsafe extern "C" fn rb_xen_start(info: *const StartInfo) -> ! {
    // SAFETY: the caller's promise; Xen has mapped it, for as long as the first mapping is whole.
    let early = unsafe { &*info };
    let image = start::image();
    poweroff::init(early.is_privileged());
    if !early.is_privileged() && early.console_mfn() != 0 {
        let page = KERNEL_BASE + mmu::physical_address(early.console_mfn() * 4096);
        // SAFETY: the page is the console's, in Xen's first mapping, which lasts until `connect` names the page in the direct map.
        unsafe { console::init(core::ptr::with_exposed_provenance_mut(page as usize), early.console_port()) };
    }
    if early.nr_pages * 4096 <= image.image_end {
        start::too_little_memory();
    }
    traps::init();
    let memory_bytes = memory::init(image, early);
    // SAFETY: its page is not given to the allocator, and the direct map has it for good.
    let info: &'static StartInfo = unsafe { &*phys_to_virt(info as u64 - KERNEL_BASE).cast() };
    start::name_functions();
    mmu::map_now(shared::window(), info.shared_info | PRESENT | WRITE | NX);
    cpu::init();
    let boot_wall_ns = clock::init();
    connect(info);
    start::run(&Found { command_line: info.command_line(), memory_bytes, boot_wall_ns })
}
