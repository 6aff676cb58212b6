//! Component `xen`: the image as a guest of Xen of type "pvh" (Xen's docs/misc/pvh.pandoc and its public headers, named by file).
//!
//! Such a guest has neither serial port nor timers of a PC's, but the console, clock, events and store that paravirtual guests have. It runs on nested
//! page tables otherwise, so everything else is as on bare metal. Its local APIC is emulated at a high price, and is left alone: events come by a vector
//! that Xen raises without it.
//!
//! Where the same image finds a serial port, or another hypervisor, none of this is used.

use core::arch::asm;
use core::arch::x86_64::__cpuid;
use core::sync::atomic::Ordering::SeqCst;

use rump_image::KERNEL_BASE;
use rumpbake_platform::cpu::Local;
use rumpbake_platform::page::phys_to_virt;
use rumpbake_xenguest::hypercall::{self, DOMID_SELF, Number};
use rumpbake_xenguest::{clock, console, events, poweroff, shared, store};

use crate::guest::{self, Guest};
use crate::{apic, cpuid, device, irq, serial};

rump_kern::component! {
    name: "xen",
    faction: "platform",
    needs: "",
    when: "",
    about: "console, clock, events and store of Xen, for guests of type pvh",
    init: init
}

/// HVMOP_set_param
const SET_PARAM: u64 = 0;
/// HVMOP_get_param
const GET_PARAM: u64 = 1;
/// HVM_PARAM_CALLBACK_IRQ
const CALLBACK_IRQ: u32 = 0;
/// HVM_PARAM_STORE_PFN
const STORE_FRAME: u32 = 1;
/// HVM_PARAM_STORE_EVTCHN
const STORE_PORT: u32 = 2;
/// HVM_PARAM_CONSOLE_PFN
const CONSOLE_FRAME: u32 = 17;
/// HVM_PARAM_CONSOLE_EVTCHN
const CONSOLE_PORT: u32 = 18;
/// HVM_PARAM_CALLBACK_TYPE_VECTOR: the events' interrupt is a vector.
const BY_VECTOR: u64 = 2 << 56;
/// XENMEM_add_to_physmap
const ADD_TO_PHYSMAP: u64 = 7;
/// XENMAPSPACE_shared_info
const SHARED_INFO: u32 = 0;
const PAGE: u64 = 4096;
/// What the boot code has mapped.
const MAPPED: u64 = 1 << 32;

static GUEST: Guest = Guest {
    start,
    set_timer: clock::set_timer,
    write: console::write,
    read: console::read,
    end: poweroff::end,
};

/// The processor is AMD's, whose instruction for hypercalls is another than Intel's.
static IS_AMD: Local<bool> = Local::new(false);

/// In the place of the local APIC's registers.
static NO_APIC: Local<[u32; apic::WORDS]> = Local::new([0; apic::WORDS]);

#[unsafe(export_name = "rbx_hypercall")]
unsafe fn trap(number: Number, args: [u64; 4]) -> i64 {
    let result;
    macro_rules! by {
        ($instruction:literal) => {
            asm!(
                $instruction,
                inout("rax") number as u64 => result,
                inout("rdi") args[0] => _,
                inout("rsi") args[1] => _,
                inout("rdx") args[2] => _,
                inout("r10") args[3] => _,
                options(nostack),
            )
        };
    }
    // SAFETY: the caller's promise; the registers are those that the interface names. Xen may read and write memory. The word is written once at boot.
    unsafe {
        if *IS_AMD.get() {
            by!("vmmcall");
        } else {
            by!("vmcall");
        }
    }
    result
}

/// `struct xen_hvm_param` (hvm/hvm_op.h).
#[repr(C)]
struct Param {
    domain: u16,
    index: u32,
    value: u64,
}

/// A parameter of the guest's; 0 if it has none.
fn param(index: u32) -> u64 {
    let mut param = Param { domain: DOMID_SELF as u16, index, value: 0 };
    // SAFETY: the command takes this structure.
    if unsafe { hypercall::command(Number::HvmOp, GET_PARAM, &mut param) } == 0 { param.value } else { 0 }
}

fn set_param(index: u32, value: u64) -> bool {
    let mut param = Param { domain: DOMID_SELF as u16, index, value };
    // SAFETY: the command takes this structure; the parameters set here are the events' vector, which has its handler.
    unsafe { hypercall::command(Number::HvmOp, SET_PARAM, &mut param) == 0 }
}

/// `struct xen_add_to_physmap` (memory.h).
#[repr(C)]
struct AddToPhysmap {
    domain: u16,
    size: u16,
    space: u32,
    index: u64,
    frame: u64,
}

/// Puts a page of Xen's where the kernel's image has a page for it. False if Xen does not allow it.
///
/// # Safety
/// What is in the image's own page is not used any more.
pub unsafe fn place(space: u32, index: u64, va: usize) -> bool {
    let frame = (va as u64 - KERNEL_BASE) / PAGE;
    let mut place = AddToPhysmap { domain: DOMID_SELF as u16, size: 0, space, index, frame };
    // SAFETY: the command takes this structure; the caller's promise.
    unsafe { hypercall::command(Number::MemoryOp, ADD_TO_PHYSMAP, &mut place) == 0 }
}

/// Looks for Xen. The first that runs of the kernel's Rust code: it can say what goes wrong from then on.
fn init() {
    // arch-x86/cpuid.h
    if cpuid::hypervisor_name().as_ref() != Some(b"XenVMMXenVMM") || serial::is_there() {
        return;
    }
    let vendor = __cpuid(0).ebx.to_le_bytes();
    // AuthenticAMD, and HygonGenuine, whose processors are AMD's design.
    // SAFETY: boot, one processor.
    unsafe { *IS_AMD.get() = matches!(&vendor, b"Auth" | b"Hygo") };
    // The first parameter also tells Xen that the guest has 64 bits, and so how the shared page is laid out.
    let Some(vector) = irq::vector(|_| events::deliver(), 0) else { return };
    // SAFETY: the window is for this page.
    let shared = || unsafe { place(SHARED_INFO, 0, shared::window()) };
    if !set_param(CALLBACK_IRQ, BY_VECTOR | u64::from(vector)) || !shared() {
        return;
    }
    shared::vcpu().upcall_mask.store(0, SeqCst);
    let console = param(CONSOLE_FRAME).saturating_mul(PAGE);
    if (1..MAPPED).contains(&console) {
        // SAFETY: the page is the console's, and mapped.
        unsafe { console::init(phys_to_virt(console), param(CONSOLE_PORT) as u32) };
    }
    guest::set(&GUEST);
}

/// Maps a page that the tool stack has put among device registers, where the direct map is not cached any more.
fn shared_page(frame: u32) -> Option<*mut u8> {
    let phys = param(frame).checked_mul(PAGE).filter(|&phys| phys != 0)?;
    device::map(phys, PAGE as usize, device::Caching::On)
}

fn start() -> u64 {
    apic::set_registers(NO_APIC.get().cast());
    crate::clock::start(clock::ticks_per_second());
    let [console_port, store_port] = [CONSOLE_PORT, STORE_PORT].map(|port| param(port) as u32);
    events::init(console_port, store_port);
    // SAFETY: the pages are mapped for good, and are what they are named for.
    unsafe {
        if let Some(page) = shared_page(CONSOLE_FRAME) {
            console::init(page, console_port);
        }
        if let Some(page) = shared_page(STORE_FRAME) {
            store::init(page, store_port);
        }
    }
    clock::init()
}
