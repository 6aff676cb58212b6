//! From the machine's start-up code to layer 1's `main`.
//!
//! A machine looks at [`image`], finds the command line and the memory, makes the direct map and the page allocator ready, and ends
//! with [`run`].

use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt::Write;

use rump_hypercall::boot::{BootInfo, Exit};
use rump_hypercall::thread::OutOfMemory;
use rump_hypercall::upcall::SysEntry;
use rump_image::{AppInfo, ImageInfo, LAYER_RUMP, Span};
use rump_kern::component::Component;

use crate::cpu::Local;
use crate::page::phys_to_virt;
use crate::{backtrace, boot, machine, sched};

#[expect(improper_ctypes, reason = "the linker only stores their addresses; both sides are Rust")]
unsafe extern "C" {
    /// The image's table of contents, written by the linker.
    static rb_image: ImageInfo;
    /// System call entries by number, written by the linker.
    static rb_sysent: [SysEntry; SYSENT_LEN];
    /// Descriptors of the components in the image, in the order of their initialisation, ended by null.
    static rb_components: [*const Component; MAX_COMPONENTS];
}

/// Entries in the system call table: NetBSD's SYS_NSYSENT.
const SYSENT_LEN: usize = 512;
/// An upper bound; the linker's table is as long as it is and ends with null.
const MAX_COMPONENTS: usize = 64;

static BOOT_WALL_NS: Local<u64> = Local::new(0);

/// The image's table of contents.
pub fn image() -> &'static ImageInfo {
    // SAFETY: the linker defines it, and nobody writes it.
    let image = unsafe { &rb_image };
    assert!(image.magic == ImageInfo::MAGIC, "the image's table of contents is damaged");
    image
}

/// Whether a rump kernel from elsewhere is in the image.
pub fn has_rump_kernel() -> bool {
    let app = &image().app;
    app.segments.iter().take(app.segment_count as usize).any(|segment| segment.layer == LAYER_RUMP)
}

fn bytes(span: Span) -> &'static [u8] {
    // SAFETY: the span is a part of the image, in the direct map, and not given to the page allocator.
    unsafe { core::slice::from_raw_parts(phys_to_virt(span.start), span.len as usize) }
}

/// What a machine found at boot.
pub struct Found {
    /// The kernel command line.
    pub command_line: &'static str,
    /// RAM, bytes.
    pub memory_bytes: u64,
    /// The time of day when the monotonic clock was 0.
    pub boot_wall_ns: u64,
}

/// Makes crash reports name functions. The direct map covers the image.
pub fn name_functions() {
    backtrace::set_symbols(bytes(image().symbols));
}

/// Ends a boot for which the machine is too small.
pub fn too_little_memory() -> ! {
    let _ = writeln!(
        backtrace::Console,
        "rumpbake: the machine has too little memory: the image reaches up to {} KiB",
        image().image_end / 1024
    );
    rump_hypercall::boot::exit(Exit::Exited(127))
}

/// Runs layer 1 in the first thread; leaves boot's stack for good.
pub fn run(found: &Found) -> ! {
    let image = image();
    // SAFETY: boot, one processor.
    unsafe { *BOOT_WALL_NS.get() = found.boot_wall_ns };
    boot::set_info(BootInfo {
        cmdline: found.command_line,
        config: bytes(image.config),
        root: bytes(image.root),
        app: &image.app,
        memory_bytes: found.memory_bytes,
    });
    let result: Result<Infallible, OutOfMemory> = sched::run(first_thread, 0);
    match result {
        Err(_) => panic!("no memory for the first thread"),
    }
}

/// The components in the image, in the order of their initialisation.
fn components() -> impl Iterator<Item = &'static Component> {
    let table = (&raw const rb_components).cast::<*const Component>();
    // SAFETY: the linker's table ends with null, and holds descriptors that live as long as the image.
    (0..MAX_COMPONENTS).map_while(move |index| unsafe { (*table.add(index)).as_ref() })
}

/// Whether a component is the platform's own. Layer 1 does not know of such.
fn is_platforms(component: &Component) -> bool {
    component.faction == "platform"
}

/// Starts the platform's own components: before anything else, and before there is memory.
pub fn start_platform() {
    components().filter(|component| is_platforms(component)).for_each(|component| (component.init)());
}

fn first_thread(_: usize) -> ! {
    let mut above = Vec::new();
    for component in components() {
        if !is_platforms(component) {
            above.push(component);
        }
    }
    // SAFETY: the linker makes the table, and nobody writes it.
    rump_kern::init_main::main(&above, unsafe { &rb_sysent })
}

#[unsafe(export_name = "rb_boot_wall_ns")]
fn boot_wall_ns() -> u64 {
    // SAFETY: written at boot only.
    unsafe { *BOOT_WALL_NS.get() }
}

/// Routes the gate through the tracing hook, or straight again.
pub(crate) fn set_gate_traced(traced: bool) {
    let AppInfo { gate_word, segments, .. } = &image().app;
    let home = segments.iter().find(|s| (s.va..s.va + s.file_len).contains(gate_word));
    if let Some(segment) = home {
        // SAFETY: the word lies in the content of a segment, whose pages are the image's own.
        unsafe {
            phys_to_virt(segment.phys + (gate_word - segment.va)).cast::<usize>().write(machine::gate(traced))
        };
    }
}
