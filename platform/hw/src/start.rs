//! From the first Rust instruction to layer 1's `main`.

use core::fmt::Write;

use rump_hypercall::boot::{BootInfo, Exit};
use rump_hypercall::upcall::SysEntry;
use rump_image::{AppInfo, ImageInfo, Span};
use rump_kern::component::Component;
use rumpbake_platform::cpu::Local;
use rumpbake_platform::page::phys_to_virt;
use rumpbake_platform::{backtrace, boot as info, sched};

use crate::{apic, boot, clock, cpuid, descriptors, memory, poweroff, rtc, serial};

#[expect(improper_ctypes, reason = "the linker only stores their addresses; both sides are Rust")]
unsafe extern "C" {
    /// The image's table of contents, written by the linker.
    static rb_image: ImageInfo;
    /// System call entries by number, written by the linker.
    static rb_sysent: [SysEntry; SYSENT_LEN];
    /// Descriptors of the components in the image, in the order of their initialisation, ended by null.
    static rb_components: [*const Component; MAX_COMPONENTS];
    fn rb_syscall_entry();
    fn rb_gate();
    fn rb_gate_traced();
}

/// Entries in the system call table: NetBSD's SYS_NSYSENT.
const SYSENT_LEN: usize = 512;
/// An upper bound; the linker's table is as long as it is and ends with null.
const MAX_COMPONENTS: usize = 64;

static BOOT_WALL_NS: Local<u64> = Local::new(0);

fn image() -> &'static ImageInfo {
    // SAFETY: the linker defines it, and nobody writes it.
    unsafe { &rb_image }
}

fn bytes(span: Span) -> &'static [u8] {
    // SAFETY: the span is a part of the image, in the direct map, and not given to the page allocator.
    unsafe { core::slice::from_raw_parts(phys_to_virt(span.start), span.len as usize) }
}

/// Entered once by the boot code, interrupts masked, on the boot stack.
#[unsafe(no_mangle)]
extern "C" fn rb_hw_start(magic: u32, loader_info: u32) -> ! {
    serial::init();
    let image = image();
    assert!(image.magic == ImageInfo::MAGIC, "the image's table of contents is damaged");
    let loader = boot::read_loader(magic, loader_info);
    poweroff::set_rsdp(loader.rsdp);
    // What the image covers need not count as RAM (firmware may say that the loader has it), but no machine ends inside it.
    if loader.memory.ram().all(|span| span.start + span.len < image.image_end) {
        let _ = writeln!(
            backtrace::Console,
            "rumpbake: the machine has too little memory: the image reaches up to {} KiB",
            image.image_end / 1024
        );
        rump_hypercall::boot::exit(Exit::Exited(127));
    }
    backtrace::set_symbols(bytes(image.symbols));
    descriptors::init();
    cpuid::init(rb_syscall_entry as *const () as u64);
    let memory_bytes = memory::init(image, &loader.memory);
    apic::init();
    clock::init();
    apic::init_timer();
    serial::enable_input();
    // SAFETY: boot, one processor.
    unsafe { *BOOT_WALL_NS.get() = rtc::now_s().unwrap_or(0).saturating_mul(1_000_000_000) };
    info::set_info(BootInfo {
        cmdline: loader.command_line,
        config: bytes(image.config),
        root: bytes(image.root),
        app: &image.app,
        memory_bytes,
    });
    match sched::run(first_thread, 0) {
        Err(_) => panic!("no memory for the first thread"),
    }
}

fn first_thread(_: usize) -> ! {
    let mut list = [const { None }; MAX_COMPONENTS];
    let mut count = 0;
    // SAFETY: the linker's table ends with null, and holds descriptors that live as long as the image.
    unsafe {
        let table = (&raw const rb_components).cast::<*const Component>();
        while count < MAX_COMPONENTS && !(*table.add(count)).is_null() {
            list[count] = (*table.add(count)).as_ref();
            count += 1;
        }
        let components: alloc::vec::Vec<&'static Component> = list.into_iter().flatten().collect();
        rump_kern::init_main::main(&components, &rb_sysent)
    }
}

#[unsafe(export_name = "rb_boot_wall_ns")]
fn boot_wall_ns() -> u64 {
    // SAFETY: written at boot only.
    unsafe { *BOOT_WALL_NS.get() }
}

#[unsafe(export_name = "rbm_set_gate_traced")]
fn set_gate_traced(traced: bool) {
    let AppInfo { gate_word, segments, .. } = &image().app;
    let gate = if traced { rb_gate_traced as *const () } else { rb_gate as *const () } as usize;
    let home = segments.iter().find(|s| (s.va..s.va + s.file_len).contains(gate_word));
    if let Some(segment) = home {
        // SAFETY: the word lies in the content of a segment, whose pages are the image's own.
        unsafe { phys_to_virt(segment.phys + (gate_word - segment.va)).cast::<usize>().write(gate) };
    }
}
