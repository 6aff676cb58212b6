//! What the processor and the hypervisor say of themselves (Intel SDM volume 2, CPUID; hypervisor leaves from 0x40000000).

use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};

use crate::msr::{rdmsr, wrmsr};
use rumpbake_platform::cpu::Local;
use rumpbake_platform::random;

/// Who runs the machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hypervisor {
    /// Nobody, or nobody known.
    Unknown,
    /// QEMU without virtualisation.
    Tcg,
    /// KVM.
    Kvm,
}

/// The processor's features that the kit uses where they exist.
#[derive(Clone, Copy)]
pub struct Features {
    /// WRFSBASE.
    pub fsgsbase: bool,
    /// The timer's TSC-deadline mode.
    pub tsc_deadline: bool,
    /// Pages of 1 GiB.
    pub gib_pages: bool,
    /// The hypervisor.
    pub hypervisor: Hypervisor,
}

static FEATURES: Local<Features> = Local::new(Features {
    fsgsbase: false,
    tsc_deadline: false,
    gib_pages: false,
    hypervisor: Hypervisor::Unknown,
});

/// The features; after [`init`].
pub fn features() -> Features {
    // SAFETY: written once at boot.
    unsafe { *FEATURES.get() }
}

/// The hypervisor's name for itself, if there is one.
pub fn hypervisor_name() -> Option<[u8; 12]> {
    if __cpuid(1).ecx >> 31 == 0 {
        return None;
    }
    let leaf = __cpuid(0x4000_0000);
    let mut name = [0; 12];
    for (bytes, word) in name.chunks_exact_mut(4).zip([leaf.ebx, leaf.ecx, leaf.edx]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    Some(name)
}

fn hypervisor() -> Hypervisor {
    match hypervisor_name().as_ref() {
        Some(b"TCGTCGTCGTCG") => Hypervisor::Tcg,
        Some(b"KVMKVMKVM\0\0\0") => Hypervisor::Kvm,
        _ => Hypervisor::Unknown,
    }
}

/// Reads the features and switches on what the kit uses: FSGSBASE, XSAVE with every component that fits, global pages, the `syscall` instruction.
pub fn init(syscall_entry: u64) {
    let max = __cpuid(0).eax;
    let one = __cpuid(1);
    let seven = if max >= 7 { __cpuid_count(7, 0).ebx } else { 0 };
    let extended = if __cpuid(0x8000_0000).eax >= 0x8000_0001 { __cpuid(0x8000_0001).edx } else { 0 };
    let found = Features {
        fsgsbase: seven & 1 != 0,
        tsc_deadline: one.ecx >> 24 & 1 != 0,
        gib_pages: extended >> 26 & 1 != 0,
        hypervisor: hypervisor(),
    };
    // SAFETY: boot, one processor.
    unsafe { *FEATURES.get() = found };
    random::init(random::Source { rdrand: one.ecx >> 30 & 1 != 0, rdseed: seven >> 18 & 1 != 0 });

    const CR4_PGE: u64 = 1 << 7;
    const CR4_FSGSBASE: u64 = 1 << 16;
    const CR4_OSXSAVE: u64 = 1 << 18;
    let has_xsave = one.ecx >> 26 & 1 != 0;
    let mut set = CR4_PGE;
    if found.fsgsbase {
        set |= CR4_FSGSBASE;
    }
    if has_xsave {
        set |= CR4_OSXSAVE;
    }
    // SAFETY: only bits of features that CPUID has.
    unsafe { asm!("mov {t}, cr4", "or {t}, {set}", "mov cr4, {t}", t = out(reg) _, set = in(reg) set) };
    if has_xsave {
        // x87, SSE, AVX, AVX-512 (three components): what a program's code uses (SDM 1, 13.1).
        let wanted = u64::from(__cpuid_count(0xd, 0).eax) & 0xe7;
        // SAFETY: XCR0 gets components that CPUID lists.
        unsafe { asm!("xsetbv", in("ecx") 0, in("eax") wanted as u32, in("edx") 0) };
    }
    rumpbake_platform::fpu::init(has_xsave);

    const STAR: u32 = 0xc000_0081;
    const LSTAR: u32 = 0xc000_0082;
    const SFMASK: u32 = 0xc000_0084;
    /// Interrupt, direction, trap and alignment-check flags are clear in the kernel.
    const MASKED: u64 = 0x4_0700;
    wrmsr(STAR, 8 << 32);
    wrmsr(LSTAR, syscall_entry);
    wrmsr(SFMASK, MASKED);
}

const FS_BASE: u32 = 0xc000_0100;

#[unsafe(export_name = "rbm_set_fsbase")]
fn set_fsbase(base: usize) {
    // A base that is not canonical would fault. The kernel's half has some: a rump kernel's threads have their storage on the heap.
    let base = if (base << 16).cast_signed() >> 16 == base.cast_signed() { base } else { 0 };
    if features().fsgsbase {
        // SAFETY: the base affects application code only, and is canonical.
        unsafe { asm!("wrfsbase {}", in(reg) base, options(nostack, preserves_flags)) };
    } else {
        wrmsr(FS_BASE, base as u64);
    }
}

/// The local APIC's physical address (SDM volume 3A, 11.4.4).
pub fn apic_base() -> u64 {
    const APIC_BASE: u32 = 0x1b;
    rdmsr(APIC_BASE) & 0xf_ffff_f000
}
