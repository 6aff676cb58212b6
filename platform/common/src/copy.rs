//! Copying between the kernel and the application.
//!
//! The copy itself is one routine of assembly. If it touches memory that is not there, the page-fault handler asks layer 1 to map it, and if layer 1
//! refuses, makes the routine return early ([`recover`]). That handler runs on the fault's own stack and does not wait.

use core::arch::naked_asm;

use rump_hypercall::memory::{USER_MAX, USER_MIN};
use rump_hypercall::user::Fault;

/// Whether `addr..addr+len` lies in the application's half.
fn in_user(addr: usize, len: usize) -> Result<(), Fault> {
    match addr.checked_add(len) {
        Some(end) if addr >= USER_MIN && end <= USER_MAX => Ok(()),
        _ => Err(Fault),
    }
}

/// Copies `len` bytes; returns 0, or anything else if it ran into memory that is not there.
#[unsafe(naked)]
unsafe extern "C" fn copy(dst: *mut u8, src: *const u8, len: usize) -> usize {
    naked_asm!(
        "mov rcx, rdx",
        "shr rcx, 3",
        "and edx, 7",
        "rep movsq",
        "mov ecx, edx",
        "rep movsb",
        "xor eax, eax",
        "ret",
    )
}

/// Zeroes `len` bytes at `dst`; returns as [`copy`].
#[unsafe(naked)]
unsafe extern "C" fn zero(dst: *mut u8, len: usize) -> usize {
    naked_asm!(
        "mov rcx, rsi",
        "shr rcx, 3",
        "and esi, 7",
        "xor eax, eax",
        "rep stosq",
        "mov ecx, esi",
        "rep stosb",
        "ret",
    )
}

/// Compares and swaps `*addr`; `rax` returns what was there; `*faulted` stays 1 if the memory is not there.
#[unsafe(naked)]
unsafe extern "C" fn compare_swap(addr: *mut u32, expected: u32, new: u32, faulted: *mut usize) -> usize {
    naked_asm!("mov eax, esi", "lock cmpxchg [rdi], edx", "mov qword ptr [rcx], 0", "ret",)
}

/// Where the routines above continue when the memory is not there: they fail.
#[unsafe(naked)]
unsafe extern "C" fn failed() -> usize {
    naked_asm!("mov eax, 1", "ret")
}

/// If `rip` is in one of this file's routines: where it is to go on after a fault that cannot be mended.
pub fn recover(rip: u64) -> Option<u64> {
    // The routines' addresses, and how many bytes of code each has at most.
    let routines = [
        (copy as *const () as u64, 20),
        (zero as *const () as u64, 20),
        (compare_swap as *const () as u64, 14),
    ];
    let inside = routines.iter().any(|&(start, len)| rip >= start && rip - start < len);
    inside.then_some(failed as *const () as u64)
}

#[unsafe(export_name = "rb_copyin")]
fn copyin(src: usize, dst: &mut [u8]) -> Result<(), Fault> {
    in_user(src, dst.len())?;
    // SAFETY: `dst` is the caller's; the source is the application's memory, any fault on which `recover` handles.
    match unsafe { copy(dst.as_mut_ptr(), core::ptr::with_exposed_provenance(src), dst.len()) } {
        0 => Ok(()),
        _ => Err(Fault),
    }
}

#[unsafe(export_name = "rb_copyout")]
fn copyout(src: &[u8], dst: usize) -> Result<(), Fault> {
    in_user(dst, src.len())?;
    // SAFETY: as above, the other way round; kernel memory is not in the application's half.
    match unsafe { copy(core::ptr::with_exposed_provenance_mut(dst), src.as_ptr(), src.len()) } {
        0 => Ok(()),
        _ => Err(Fault),
    }
}

#[unsafe(export_name = "rb_zeroout")]
fn zeroout(dst: usize, len: usize) -> Result<(), Fault> {
    in_user(dst, len)?;
    // SAFETY: as for copyout.
    match unsafe { zero(core::ptr::with_exposed_provenance_mut(dst), len) } {
        0 => Ok(()),
        _ => Err(Fault),
    }
}

#[unsafe(export_name = "rb_ucas32")]
fn ucas32(addr: usize, expected: u32, new: u32) -> Result<u32, Fault> {
    in_user(addr, 4)?;
    if !addr.is_multiple_of(4) {
        return Err(Fault);
    }
    let mut faulted = 1;
    // SAFETY: as for copyout; `faulted` is ours.
    let old = unsafe {
        compare_swap(core::ptr::with_exposed_provenance_mut(addr), expected, new, &raw mut faulted)
    };
    if faulted == 0 { Ok(old as u32) } else { Err(Fault) }
}
