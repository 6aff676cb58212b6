//! What a Rust image without an operating system under it must bring along: panic handler, allocator, the memory functions.

use core::arch::global_asm;
use core::fmt::Write;
use core::panic::PanicInfo;

use rumpbake_platform::backtrace::{self, Console};
use rumpbake_platform::heap::Heap;

use crate::poweroff;

#[global_allocator]
static HEAP: Heap = Heap::new();

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let (rsp, rbp): (usize, usize);
    // SAFETY: reads two registers.
    unsafe {
        core::arch::asm!("mov {}, rsp", "mov {}, rbp", out(reg) rsp, out(reg) rbp, options(nomem, nostack, preserves_flags))
    };
    let _ =
        writeln!(Console, "\nrumpbake: the kernel {info}\nThis is a defect of rumpbake, please report it.");
    backtrace::print(panic as *const () as usize, rsp, rbp);
    poweroff::panicked()
}

// The prebuilt `core` calls these. In assembly, so that the compiler cannot turn a loop back into a call of the function it is in.
// `rust_eh_personality` and `_Unwind_Resume` are named by its unwind tables, which are not in the image.
global_asm!(
    r#"
    .macro FUNCTION name
    .section .text.\name, "ax"
    .balign 16
    .globl \name
    .type \name, @function
\name:
    .endm

    FUNCTION memcpy
    mov rax, rdi
    mov rcx, rdx
    shr rcx, 3
    and edx, 7
    rep movsq
    mov ecx, edx
    rep movsb
    ret

    FUNCTION memmove
    mov rax, rdi
    mov r8, rdi
    sub r8, rsi
    mov rcx, rdx
    cmp r8, rdx
    jb 2f
    shr rcx, 3
    and edx, 7
    rep movsq
    mov ecx, edx
    rep movsb
    ret
2:  lea rsi, [rsi + rdx - 1]
    lea rdi, [rdi + rdx - 1]
    std
    rep movsb
    cld
    ret

    FUNCTION memset
    mov r8, rdi
    movzx eax, sil
    mov r9, 0x0101010101010101
    imul rax, r9
    mov rcx, rdx
    shr rcx, 3
    and edx, 7
    rep stosq
    mov ecx, edx
    rep stosb
    mov rax, r8
    ret

    FUNCTION memcmp
    xor eax, eax
    xor ecx, ecx
2:  cmp rcx, rdx
    je 3f
    movzx eax, byte ptr [rdi + rcx]
    movzx r8d, byte ptr [rsi + rcx]
    inc rcx
    sub eax, r8d
    je 2b
3:  ret

    FUNCTION bcmp
    jmp memcmp

    FUNCTION strlen
    xor eax, eax
2:  cmp byte ptr [rdi + rax], 0
    je 3f
    inc rax
    jmp 2b
3:  ret

    FUNCTION _Unwind_Resume
    ud2

    FUNCTION rust_eh_personality
    ud2
    "#
);
