//! Copying between the kernel and the application.
//!
//! The copy itself is one routine of assembly. If it touches memory that is not there, the page-fault handler asks layer 1 to map it, and if layer 1
//! refuses, makes the routine return early ([`recover`]). That handler runs on the fault's own stack and does not wait.

use core::arch::naked_asm;

use rump_hypercall::memory::{USER_MAX, USER_MIN};
use rump_hypercall::user::Fault;

/// Whether `addr..addr+len` lies in the application's half, or is empty.
fn in_user(addr: usize, len: usize) -> Result<(), Fault> {
    match addr.checked_add(len) {
        Some(end) if addr >= USER_MIN && end <= USER_MAX => Ok(()),
        // Nothing is copied: null pointers, which come with no bytes, are as good as others.
        _ if len == 0 => Ok(()),
        _ => Err(Fault),
    }
}

unsafe extern "C" {
    /// Labels: where [`copy`], [`zero`] and [`compare_swap`] end.
    fn rb_user_copy_end();
    fn rb_user_zero_end();
    fn rb_user_swap_end();
}

/// Copies `len` bytes; returns 0, or anything else if it ran into memory that is not there.
///
/// A loop of words: string instructions take twice as long per word and ten times as long per byte where an emulator carries them out.
/// The last word is copied on its own, and may overlap the one before.
#[unsafe(naked)]
unsafe extern "C" fn copy(dst: *mut u8, src: *const u8, len: usize) -> usize {
    naked_asm!(
        "cmp rdx, 8",
        "jb 6f",
        "lea r10, [rdi + rdx - 8]",
        "mov r11, [rsi + rdx - 8]",
        "sub rdx, 64",
        "jb 3f",
        "2:",
        "mov rcx, [rsi]",
        "mov r8, [rsi + 8]",
        "mov r9, [rsi + 16]",
        "mov rax, [rsi + 24]",
        "mov [rdi], rcx",
        "mov [rdi + 8], r8",
        "mov [rdi + 16], r9",
        "mov [rdi + 24], rax",
        "mov rcx, [rsi + 32]",
        "mov r8, [rsi + 40]",
        "mov r9, [rsi + 48]",
        "mov rax, [rsi + 56]",
        "mov [rdi + 32], rcx",
        "mov [rdi + 40], r8",
        "mov [rdi + 48], r9",
        "mov [rdi + 56], rax",
        "add rsi, 64",
        "add rdi, 64",
        "sub rdx, 64",
        "jae 2b",
        "3:",
        "add rdx, 64",
        "4:",
        "sub rdx, 8",
        "jb 5f",
        "mov rcx, [rsi]",
        "mov [rdi], rcx",
        "add rsi, 8",
        "add rdi, 8",
        "jmp 4b",
        "5:",
        "mov [r10], r11",
        "xor eax, eax",
        "ret",
        "6:",
        "sub rdx, 1",
        "jb 7f",
        "movzx ecx, byte ptr [rsi + rdx]",
        "mov [rdi + rdx], cl",
        "jmp 6b",
        "7:",
        "xor eax, eax",
        "ret",
        ".globl rb_user_copy_end",
        "rb_user_copy_end:",
    )
}

/// Zeroes `len` bytes at `dst`; returns as [`copy`].
#[unsafe(naked)]
unsafe extern "C" fn zero(dst: *mut u8, len: usize) -> usize {
    naked_asm!(
        "xor eax, eax",
        "sub rsi, 64",
        "jb 3f",
        "2:",
        "mov [rdi], rax",
        "mov [rdi + 8], rax",
        "mov [rdi + 16], rax",
        "mov [rdi + 24], rax",
        "mov [rdi + 32], rax",
        "mov [rdi + 40], rax",
        "mov [rdi + 48], rax",
        "mov [rdi + 56], rax",
        "add rdi, 64",
        "sub rsi, 64",
        "jae 2b",
        "3:",
        "add rsi, 64",
        "4:",
        "sub rsi, 1",
        "jb 5f",
        "mov [rdi + rsi], al",
        "jmp 4b",
        "5:",
        "ret",
        ".globl rb_user_zero_end",
        "rb_user_zero_end:",
    )
}

/// Compares and swaps `*addr`; `rax` returns what was there; `*faulted` stays 1 if the memory is not there.
#[unsafe(naked)]
unsafe extern "C" fn compare_swap(addr: *mut u32, expected: u32, new: u32, faulted: *mut usize) -> usize {
    naked_asm!(
        "mov eax, esi",
        "lock cmpxchg [rdi], edx",
        "mov qword ptr [rcx], 0",
        "ret",
        ".globl rb_user_swap_end",
        "rb_user_swap_end:",
    )
}

/// Where the routines above continue when the memory is not there: they fail.
#[unsafe(naked)]
unsafe extern "C" fn failed() -> usize {
    naked_asm!("mov eax, 1", "ret")
}

/// If `rip` is in one of this file's routines: where it is to go on after a fault that cannot be mended.
pub fn recover(rip: u64) -> Option<u64> {
    let routines = [
        (copy as *const () as u64, rb_user_copy_end as *const () as u64),
        (zero as *const () as u64, rb_user_zero_end as *const () as u64),
        (compare_swap as *const () as u64, rb_user_swap_end as *const () as u64),
    ];
    let inside = routines.iter().any(|&(start, end)| (start..end).contains(&rip));
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
