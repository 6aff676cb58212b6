//! From the first Rust instruction to what all machines share.

use rumpbake_platform::start::{self, Found};

use crate::{apic, boot, clock, cpuid, descriptors, guest, memory, poweroff, rtc, serial, tlb};

unsafe extern "C" {
    fn rb_syscall_entry();
}

/// Makes a PC's interrupts, clock and console ready. Returns the time of day.
fn start_pc() -> u64 {
    apic::init();
    clock::init();
    apic::init_timer();
    serial::enable_input();
    rtc::now_s().unwrap_or(0).saturating_mul(1_000_000_000)
}

/// Entered once by the boot code, interrupts masked, on the boot stack.
#[unsafe(no_mangle)]
extern "C" fn rb_hw_start(magic: u32, loader_info: u32) -> ! {
    start::start_platform();
    let guest = guest::get();
    if guest.is_none() {
        serial::init();
    }
    let image = start::image();
    let loader = boot::read_loader(magic, loader_info);
    poweroff::set_rsdp(loader.rsdp);
    // What the image covers need not count as RAM (firmware may say that the loader has it), but no machine ends inside it.
    if loader.memory.ram().all(|span| span.start + span.len < image.image_end) {
        start::too_little_memory();
    }
    start::name_functions();
    descriptors::init();
    cpuid::init(rb_syscall_entry as *const () as u64);
    tlb::init();
    let memory_bytes = memory::init(image, &loader.memory);
    let boot_wall_ns = match guest {
        Some(guest) => (guest.start)(),
        None => start_pc(),
    };
    start::run(&Found { command_line: loader.command_line, memory_bytes, boot_wall_ns })
}
