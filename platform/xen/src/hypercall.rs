//! How hypercalls are made here: by the `syscall` instruction with a number in rax (Xen's public header arch-x86/xen-x86_64.h).
//!
//! Arguments go in rdi, rsi, rdx, r10, where Xen may leave others if it interrupts the call and goes on later; rcx and r11 are lost.

use core::arch::asm;

pub use rumpbake_xenguest::hypercall::{DOMID_SELF, Number, call, command};

/// In guest-user mode, in which the kernel is while no hypercall was needed since the gate, the instruction first leads to
/// [`crate::entry`], which lets it be made again in guest-kernel mode.
#[unsafe(export_name = "rbx_hypercall")]
unsafe fn trap(number: Number, args: [u64; 4]) -> i64 {
    let result;
    // SAFETY: the caller's promise; the registers are those that the interface names. Xen may read and write memory.
    unsafe {
        asm!(
            "syscall",
            inout("rax") number as u64 => result,
            inout("rdi") args[0] => _,
            inout("rsi") args[1] => _,
            inout("rdx") args[2] => _,
            inout("r10") args[3] => _,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Makes sure of guest-kernel mode until the kernel is left: for instructions that Xen carries out in that mode only.
pub fn use_kernel_mode() {
    // SAFETY: asks for Xen's version (version.h, XENVER_version).
    unsafe { call(Number::XenVersion, [0; 4]) };
}
