//! The processor under Xen: features that the guest may use, vector state, the `%fs` base, idling.

use core::arch::asm;
use core::sync::atomic::Ordering::SeqCst;

use rumpbake_platform::cpu::Local;
use rumpbake_platform::{fpu, random};
use rumpbake_xenguest::shared;

use crate::hypercall::{self, Number};

/// CPUID as Xen wants the guest to see it (its public header arch-x86/xen.h, XEN_EMULATE_PREFIX): eax, ebx, ecx, edx.
fn cpuid(leaf: u32, subleaf: u32) -> [u32; 4] {
    let (eax, ebx, ecx, edx): (u32, u64, u32, u32);
    // SAFETY: Xen emulates the marked instruction; rbx is put back.
    unsafe {
        asm!(
            "mov {saved}, rbx",
            ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e",
            "cpuid",
            "xchg {saved}, rbx",
            saved = out(reg) ebx,
            inout("eax") leaf => eax,
            inout("ecx") subleaf => ecx,
            out("edx") edx,
            options(nostack),
        );
    }
    [eax, ebx as u32, ecx, edx]
}

/// WRFSBASE may be used.
static HAS_FSGSBASE: Local<bool> = Local::new(false);

/// Sets bits in CR4.
///
/// # Safety
/// Xen offers their features.
unsafe fn set_cr4(bits: u64) {
    // SAFETY: Xen emulates the instructions, and takes bits whose features it offers (the caller's promise).
    unsafe {
        asm!("mov {t}, cr4", "or {t}, {set}", "mov cr4, {t}", t = out(reg) _, set = in(reg) bits, options(nostack));
    }
}

/// Reads the features and switches FSGSBASE and XSAVE on, where Xen offers them.
pub fn init() {
    const FSGSBASE: u64 = 1 << 16;
    const OSXSAVE: u64 = 1 << 18;
    let max = cpuid(0, 0)[0];
    let [_, _, one_ecx, _] = cpuid(1, 0);
    let seven_ebx = if max >= 7 { cpuid(7, 0)[1] } else { 0 };
    random::init(random::Source { rdrand: one_ecx >> 30 & 1 != 0, rdseed: seven_ebx >> 18 & 1 != 0 });
    if seven_ebx & 1 != 0 {
        // SAFETY: CPUID lists FSGSBASE; boot, one processor.
        unsafe {
            set_cr4(FSGSBASE);
            *HAS_FSGSBASE.get() = true;
        }
    }
    let has_xsave = one_ecx >> 26 & 1 != 0;
    if has_xsave {
        // x87, SSE, AVX, AVX-512 (three components): what a program's code uses (SDM 1, 13.1).
        let wanted = u64::from(cpuid(0xd, 0)[0]) & 0xe7;
        // SAFETY: CPUID lists XSAVE, and XCR0 gets components that it lists; Xen emulates the instruction.
        unsafe {
            set_cr4(OSXSAVE);
            asm!("xsetbv", in("ecx") 0, in("eax") wanted as u32, in("edx") 0, options(nostack));
        }
    }
    fpu::init(has_xsave);
}

#[unsafe(export_name = "rbm_set_fsbase")]
fn set_fsbase(base: usize) {
    /// SEGBASE_FS
    const SEGBASE_FS: u64 = 0;
    // Xen refuses a base that is not canonical. The kernel's half has some: a rump kernel's threads have their storage on the heap.
    let base = if (base << 16).cast_signed() >> 16 == base.cast_signed() { base as u64 } else { 0 };
    // SAFETY: written once at boot; the base affects application code only, and is canonical.
    unsafe {
        if *HAS_FSGSBASE.get() {
            asm!("wrfsbase {}", in(reg) base, options(nostack, preserves_flags));
        } else {
            hypercall::call(Number::SetSegmentBase, [SEGBASE_FS, base, 0, 0]);
        }
    }
}

#[unsafe(export_name = "rbm_idle")]
fn idle() {
    /// SCHEDOP_block
    const BLOCK: u64 = 1;
    // SAFETY: blocks until an event is pending, which is delivered in the kernel before this returns; no argument.
    unsafe { hypercall::call(Number::SchedOp, [BLOCK, 0, 0, 0]) };
    shared::vcpu().upcall_mask.store(1, SeqCst);
}
