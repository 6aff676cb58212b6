//! memcpy(3), memmove(3), memset(3) and their relatives, in assembly so that no compiler pass can turn them into calls of themselves.
//!
//! Up to 128 bytes everything is loaded before anything is stored, so overlap needs no thought there. Above that the destination is
//! aligned and moved in steps of 64 bytes; head and tail are kept in registers and stored last, which makes the same loop right for
//! both directions of overlap. `rep movsb` is the best choice for large blocks on a processor with fast string operations and by far the worst
//! one under an emulator, whatever CPUID says; so the first large call measures it. Where it is slow, blocks above 128 bytes go through
//! general registers: QEMU's TCG moves 16 bytes that way in a third of the time of a vector move.
//! Follows ISO C 7.26.2, memcpy(3), bcopy(3), explicit_memset(3).

use core::arch::{asm, naked_asm};
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicUsize, Ordering};

/// Blocks of at least this many bytes are tried with string instructions first.
const STRING_OPS_BYTES: usize = 2048;

/// The size from which string instructions are used; [`STRING_OPS_BYTES`] until measured.
static STRING_OPS_MIN: AtomicUsize = AtomicUsize::new(STRING_OPS_BYTES);

/// Whether [`STRING_OPS_MIN`] was measured.
static STRING_OPS_KNOWN: AtomicUsize = AtomicUsize::new(0);

/// Measures `rep movsb` on 512 bytes and sets [`STRING_OPS_MIN`].
///
/// Two bytes per clock tick is the line: processors with fast strings do far more, emulators and old processors far less.
#[cold]
extern "C" fn measure_string_ops() {
    const BLOCK_BYTES: usize = 512;
    let mut area = core::mem::MaybeUninit::<[u64; 2 * BLOCK_BYTES / 8]>::uninit();
    let mut best_ticks = u64::MAX;
    for _ in 0..4 {
        let base = area.as_mut_ptr().cast::<u8>();
        let (start_low, start_high, end_low, end_high): (u32, u32, u32, u32);
        // SAFETY: source and destination are the two halves of `area`; their contents do not matter.
        unsafe {
            asm!(
                "rdtsc",
                "mov {sl:e}, eax",
                "mov {sh:e}, edx",
                "mov ecx, 512",
                "rep movsb",
                "rdtsc",
                sl = out(reg) start_low,
                sh = out(reg) start_high,
                inout("rsi") base => _,
                inout("rdi") base.add(BLOCK_BYTES) => _,
                out("ecx") _,
                out("eax") end_low,
                out("edx") end_high,
                options(nostack, preserves_flags),
            );
        }
        let start = u64::from(start_high) << 32 | u64::from(start_low);
        let end = u64::from(end_high) << 32 | u64::from(end_low);
        best_ticks = best_ticks.min(end.wrapping_sub(start));
    }
    let fast = best_ticks <= BLOCK_BYTES as u64 / 2;
    STRING_OPS_MIN.store(if fast { STRING_OPS_BYTES } else { usize::MAX }, Ordering::Relaxed);
    STRING_OPS_KNOWN.store(1, Ordering::Relaxed);
}

/// Copies `count` bytes; the blocks may overlap.
///
/// # Safety
/// C's contract: both blocks are valid for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memmove(dst: *mut c_void, src: *const c_void, count: usize) -> *mut c_void {
    naked_asm!(
        "mov rax, rdi",
        "cmp rdx, 16",
        "jb 3f",
        "cmp rdx, 32",
        "ja 4f",
        "movups xmm0, [rsi]",
        "movups xmm1, [rsi + rdx - 16]",
        "movups [rdi], xmm0",
        "movups [rdi + rdx - 16], xmm1",
        "ret",
        // Below 16: two overlapping moves of the largest power of two that fits.
        "3:",
        "cmp edx, 8",
        "jae 32f",
        "cmp edx, 4",
        "jae 33f",
        "cmp edx, 1",
        "jb 31f",
        "movzx ecx, byte ptr [rsi]",
        "je 30f",
        "movzx r8d, word ptr [rsi + rdx - 2]",
        "mov word ptr [rdi + rdx - 2], r8w",
        "30:",
        "mov byte ptr [rdi], cl",
        "31:",
        "ret",
        "32:",
        "mov rcx, [rsi]",
        "mov r8, [rsi + rdx - 8]",
        "mov [rdi], rcx",
        "mov [rdi + rdx - 8], r8",
        "ret",
        "33:",
        "mov ecx, [rsi]",
        "mov r8d, [rsi + rdx - 4]",
        "mov [rdi], ecx",
        "mov [rdi + rdx - 4], r8d",
        "ret",
        // 33 to 64 bytes.
        "4:",
        "cmp rdx, 64",
        "ja 5f",
        "movups xmm0, [rsi]",
        "movups xmm1, [rsi + 16]",
        "movups xmm2, [rsi + rdx - 32]",
        "movups xmm3, [rsi + rdx - 16]",
        "movups [rdi], xmm0",
        "movups [rdi + 16], xmm1",
        "movups [rdi + rdx - 32], xmm2",
        "movups [rdi + rdx - 16], xmm3",
        "ret",
        // 65 to 128 bytes.
        "5:",
        "cmp rdx, 128",
        "ja 6f",
        "movups xmm0, [rsi]",
        "movups xmm1, [rsi + 16]",
        "movups xmm2, [rsi + 32]",
        "movups xmm3, [rsi + 48]",
        "movups xmm4, [rsi + rdx - 64]",
        "movups xmm5, [rsi + rdx - 48]",
        "movups xmm6, [rsi + rdx - 32]",
        "movups xmm7, [rsi + rdx - 16]",
        "movups [rdi], xmm0",
        "movups [rdi + 16], xmm1",
        "movups [rdi + 32], xmm2",
        "movups [rdi + 48], xmm3",
        "movups [rdi + rdx - 64], xmm4",
        "movups [rdi + rdx - 48], xmm5",
        "movups [rdi + rdx - 32], xmm6",
        "movups [rdi + rdx - 16], xmm7",
        "ret",
        // More: string instructions where they are fast and nothing overlaps.
        "6:",
        "mov rcx, rdi",
        "sub rcx, rsi",
        "cmp rdx, [rip + {min}]",
        "jae 9f",
        "60:",
        "cmp rcx, rdx",
        "jb 8f",
        // Forward. Tail (xmm4-7) and head (xmm8) are loaded before the first store.
        "movups xmm8, [rsi]",
        "movups xmm4, [rsi + rdx - 64]",
        "movups xmm5, [rsi + rdx - 48]",
        "movups xmm6, [rsi + rdx - 32]",
        "movups xmm7, [rsi + rdx - 16]",
        "lea r8, [rdi + rdx - 64]",
        "add rdi, 16",
        "and rdi, -16",
        "mov rsi, rdi",
        "sub rsi, rcx",
        "cmp qword ptr [rip + {min}], -1",
        "je 76f",
        "7:",
        "movups xmm0, [rsi]",
        "movups xmm1, [rsi + 16]",
        "movups xmm2, [rsi + 32]",
        "movups xmm3, [rsi + 48]",
        "add rsi, 64",
        "movaps [rdi], xmm0",
        "movaps [rdi + 16], xmm1",
        "movaps [rdi + 32], xmm2",
        "movaps [rdi + 48], xmm3",
        "add rdi, 64",
        "cmp rdi, r8",
        "jb 7b",
        "75:",
        "movups [r8], xmm4",
        "movups [r8 + 16], xmm5",
        "movups [r8 + 32], xmm6",
        "movups [r8 + 48], xmm7",
        "movups [rax], xmm8",
        "ret",
        // The same loop with general registers.
        "76:",
        "mov rcx, [rsi]",
        "mov rdx, [rsi + 8]",
        "mov r9, [rsi + 16]",
        "mov r10, [rsi + 24]",
        "mov [rdi], rcx",
        "mov [rdi + 8], rdx",
        "mov [rdi + 16], r9",
        "mov [rdi + 24], r10",
        "mov rcx, [rsi + 32]",
        "mov rdx, [rsi + 40]",
        "mov r9, [rsi + 48]",
        "mov r10, [rsi + 56]",
        "mov [rdi + 32], rcx",
        "mov [rdi + 40], rdx",
        "mov [rdi + 48], r9",
        "mov [rdi + 56], r10",
        "add rsi, 64",
        "add rdi, 64",
        "cmp rdi, r8",
        "jb 76b",
        "jmp 75b",
        // Backward: the destination starts inside the source.
        "8:",
        "movups xmm8, [rsi + rdx - 16]",
        "movups xmm4, [rsi]",
        "movups xmm5, [rsi + 16]",
        "movups xmm6, [rsi + 32]",
        "movups xmm7, [rsi + 48]",
        "lea r9, [rdi + rdx - 16]",
        "lea r8, [rdi + 64]",
        "lea rdi, [rdi + rdx - 1]",
        "and rdi, -16",
        "mov rsi, rdi",
        "sub rsi, rcx",
        "cmp qword ptr [rip + {min}], -1",
        "je 86f",
        "80:",
        "movups xmm0, [rsi - 16]",
        "movups xmm1, [rsi - 32]",
        "movups xmm2, [rsi - 48]",
        "movups xmm3, [rsi - 64]",
        "sub rsi, 64",
        "movaps [rdi - 16], xmm0",
        "movaps [rdi - 32], xmm1",
        "movaps [rdi - 48], xmm2",
        "movaps [rdi - 64], xmm3",
        "sub rdi, 64",
        "cmp rdi, r8",
        "ja 80b",
        "85:",
        "movups [rax], xmm4",
        "movups [rax + 16], xmm5",
        "movups [rax + 32], xmm6",
        "movups [rax + 48], xmm7",
        "movups [r9], xmm8",
        "ret",
        "86:",
        "mov rcx, [rsi - 8]",
        "mov rdx, [rsi - 16]",
        "mov r10, [rsi - 24]",
        "mov r11, [rsi - 32]",
        "mov [rdi - 8], rcx",
        "mov [rdi - 16], rdx",
        "mov [rdi - 24], r10",
        "mov [rdi - 32], r11",
        "mov rcx, [rsi - 40]",
        "mov rdx, [rsi - 48]",
        "mov r10, [rsi - 56]",
        "mov r11, [rsi - 64]",
        "mov [rdi - 40], rcx",
        "mov [rdi - 48], rdx",
        "mov [rdi - 56], r10",
        "mov [rdi - 64], r11",
        "sub rsi, 64",
        "sub rdi, 64",
        "cmp rdi, r8",
        "ja 86b",
        "jmp 85b",
        "9:",
        "cmp qword ptr [rip + {known}], 0",
        "je 92f",
        "cmp rcx, rdx",
        "jb 60b",
        "mov r8, rcx",
        "neg r8",
        "cmp r8, rdx",
        "jb 60b",
        "mov rcx, rdx",
        "rep movsb",
        "ret",
        "92:",
        "push rdi",
        "push rsi",
        "push rdx",
        "call {measure}",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "mov rax, rdi",
        "jmp 6b",
        min = sym STRING_OPS_MIN,
        known = sym STRING_OPS_KNOWN,
        measure = sym measure_string_ops,
    )
}

/// Copies `count` bytes. It is memmove(3): programs that rely on either direction of copying stay right.
///
/// # Safety
/// C's contract: both blocks are valid for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memcpy(dst: *mut c_void, src: *const c_void, count: usize) -> *mut c_void {
    naked_asm!("jmp {}", sym memmove)
}

/// Fills `count` bytes with the low byte of `value`.
///
/// # Safety
/// C's contract: the block is valid for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memset(dst: *mut c_void, value: c_int, count: usize) -> *mut c_void {
    naked_asm!(
        "mov rax, rdi",
        "movzx esi, sil",
        "imul esi, esi, 0x01010101",
        "movd xmm0, esi",
        "pshufd xmm0, xmm0, 0",
        "cmp rdx, 16",
        "jb 3f",
        "cmp rdx, 64",
        "ja 5f",
        "movups [rdi], xmm0",
        "movups [rdi + rdx - 16], xmm0",
        "cmp edx, 32",
        "jbe 2f",
        "movups [rdi + 16], xmm0",
        "movups [rdi + rdx - 32], xmm0",
        "2:",
        "ret",
        "3:",
        "cmp edx, 4",
        "jae 32f",
        "cmp edx, 1",
        "jb 31f",
        "mov byte ptr [rdi], sil",
        "je 31f",
        "mov word ptr [rdi + rdx - 2], si",
        "31:",
        "ret",
        "32:",
        "cmp edx, 8",
        "jae 33f",
        "mov [rdi], esi",
        "mov [rdi + rdx - 4], esi",
        "ret",
        "33:",
        "movq [rdi], xmm0",
        "movq [rdi + rdx - 8], xmm0",
        "ret",
        "5:",
        "cmp rdx, [rip + {min}]",
        "jae 9f",
        "50:",
        "lea r8, [rdi + rdx - 64]",
        "movups [rdi], xmm0",
        "add rdi, 16",
        "and rdi, -16",
        "cmp rdi, r8",
        "jae 7f",
        "cmp qword ptr [rip + {min}], -1",
        "je 8f",
        "6:",
        "movaps [rdi], xmm0",
        "movaps [rdi + 16], xmm0",
        "movaps [rdi + 32], xmm0",
        "movaps [rdi + 48], xmm0",
        "add rdi, 64",
        "cmp rdi, r8",
        "jb 6b",
        "7:",
        "movups [r8], xmm0",
        "movups [r8 + 16], xmm0",
        "movups [r8 + 32], xmm0",
        "movups [r8 + 48], xmm0",
        "ret",
        // The same loop with a general register.
        "8:",
        "movq rcx, xmm0",
        "80:",
        "mov [rdi], rcx",
        "mov [rdi + 8], rcx",
        "mov [rdi + 16], rcx",
        "mov [rdi + 24], rcx",
        "mov [rdi + 32], rcx",
        "mov [rdi + 40], rcx",
        "mov [rdi + 48], rcx",
        "mov [rdi + 56], rcx",
        "add rdi, 64",
        "cmp rdi, r8",
        "jb 80b",
        "jmp 7b",
        "9:",
        "cmp qword ptr [rip + {known}], 0",
        "je 92f",
        "mov r8, rdi",
        "mov rcx, rdx",
        "mov eax, esi",
        "rep stosb",
        "mov rax, r8",
        "ret",
        "92:",
        "push rdi",
        "push rsi",
        "push rdx",
        "call {measure}",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "mov rax, rdi",
        "movd xmm0, esi",
        "pshufd xmm0, xmm0, 0",
        "jmp 5b",
        min = sym STRING_OPS_MIN,
        known = sym STRING_OPS_KNOWN,
        measure = sym measure_string_ops,
    )
}

/// Copies `count` bytes, with the arguments in the order of 4.2BSD.
///
/// # Safety
/// C's contract: both blocks are valid for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn bcopy(src: *const c_void, dst: *mut c_void, count: usize) {
    naked_asm!("xchg rdi, rsi", "jmp {}", sym memmove)
}

/// Fills `count` bytes with zeros.
///
/// # Safety
/// C's contract: the block is valid for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn bzero(dst: *mut c_void, count: usize) {
    naked_asm!("mov rdx, rsi", "xor esi, esi", "jmp {}", sym memset)
}

/// memset(3) that no compiler may leave out.
///
/// # Safety
/// C's contract: the block is valid for `count` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn explicit_memset(dst: *mut c_void, value: c_int, count: usize) -> *mut c_void {
    naked_asm!("jmp {}", sym memset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 131 + i / 7) as u8).collect()
    }

    #[test]
    fn memmove_equals_copy_within_for_every_small_size_and_overlap() {
        let sizes = (0..=300).chain([511, 1024, 2047, 2048, 2049, 4096, 5000]);
        for size in sizes {
            for (src, dst) in [
                (100, 100),
                (100, 101),
                (101, 100),
                (100, 117),
                (117, 100),
                (100, 163),
                (170, 100),
                (0, 6000),
                (6000, 3),
            ] {
                let mut have = pattern(12_000);
                let mut want = have.clone();
                want.copy_within(src..src + size, dst);
                // SAFETY: both ranges lie inside `have`.
                let result = unsafe {
                    let base = have.as_mut_ptr();
                    memmove(base.add(dst).cast(), base.add(src).cast_const().cast(), size)
                };
                assert_eq!(result, have[dst..].as_mut_ptr().cast());
                assert!(have == want, "size {size} from {src} to {dst}");
            }
        }
    }

    #[test]
    fn memset_fills_exactly_the_block() {
        for size in (0..=300).chain([2047, 2048, 3000]) {
            for offset in 0..17 {
                let mut have = pattern(4000);
                let mut want = have.clone();
                want[offset..offset + size].fill(0xa5);
                // SAFETY: the range lies inside `have`.
                unsafe { memset(have.as_mut_ptr().add(offset).cast(), 0x1a5, size) };
                assert!(have == want, "size {size} at {offset}");
            }
        }
    }

    #[test]
    fn both_ways_of_moving_large_blocks_agree() {
        for minimum in [STRING_OPS_BYTES, usize::MAX] {
            STRING_OPS_KNOWN.store(1, Ordering::Relaxed);
            STRING_OPS_MIN.store(minimum, Ordering::Relaxed);
            for size in [129, 200, 1000, 2100] {
                for (src, dst) in [
                    (100, 101),
                    (101, 100),
                    (100, 117),
                    (117, 100),
                    (100, 163),
                    (170, 100),
                    (0, 6000),
                    (6000, 3),
                ] {
                    let mut have = pattern(12_000);
                    let mut want = have.clone();
                    want.copy_within(src..src + size, dst);
                    // SAFETY: both ranges lie inside `have`.
                    unsafe {
                        memmove(have.as_mut_ptr().add(dst).cast(), have.as_ptr().add(src).cast(), size)
                    };
                    assert!(have == want, "size {size} from {src} to {dst}");
                }
            }
            let source = pattern(70_001);
            let mut target = vec![0; 70_001];
            // SAFETY: both vectors have that many bytes.
            unsafe { memcpy(target.as_mut_ptr().cast(), source.as_ptr().cast(), source.len()) };
            assert!(source == target);
            // SAFETY: as above.
            unsafe { memset(target.as_mut_ptr().cast(), 7, target.len()) };
            assert!(target.iter().all(|&byte| byte == 7));
        }
        measure_string_ops();
    }
}
