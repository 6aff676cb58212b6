//! Model-specific registers (Intel SDM volumes 2 and 4).

use core::arch::asm;

/// Reads a model-specific register.
pub fn rdmsr(register: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: callers name registers that the processor has.
    unsafe {
        asm!("rdmsr", in("ecx") register, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags))
    };
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a model-specific register.
pub fn wrmsr(register: u32, value: u64) {
    // SAFETY: callers name registers that the processor has, and values that keep the kernel running.
    unsafe {
        asm!("wrmsr", in("ecx") register, in("eax") value as u32, in("edx") (value >> 32) as u32, options(nostack, preserves_flags));
    };
}
