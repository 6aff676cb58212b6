//! What the entry code of all machines shares: how registers are saved, and which flags an application may choose.
//!
//! Offsets in entry code: `rb_cpu` is [`crate::cpu::Cpu`], a frame is [`rump_hypercall::user::Trapframe`] (176 bytes).

use core::mem::offset_of;

use rump_hypercall::user::Trapframe;

use crate::cpu::Cpu;

const _: () = assert!(
    size_of::<Trapframe>() == 176 && offset_of!(Trapframe, rip) == 136 && offset_of!(Trapframe, rax) == 64
);
const _: () = assert!(offset_of!(Cpu, kstack_top) == 8 && offset_of!(Cpu, user_sp) == 16);
const _: () = assert!(offset_of!(Cpu, pending) == 24 && offset_of!(Cpu, by_instruction) == 28);

/// A frame's flags word for application code: those flags that it may choose, and interrupts enabled.
pub fn choosable_flags(rflags: u64) -> u64 {
    /// The arithmetic ones, direction, trap, alignment check, identification.
    const CHOOSABLE: u64 = 0x0024_0dd5;
    rflags & CHOOSABLE | 0x202
}

/// Assembler macros, for the beginning of a `global_asm!`: `PUSH_REGISTERS` makes a frame's general registers below its trap number,
/// `SAVE_XMM` puts xmm0–15 below that, `LOAD_XMM` and `POP_REGISTERS` take them back. `TRAP_FROM_USER` moves the frame of what has interrupted the
/// application, its trap number on top of the stack, to the LWP's kernel stack, calls the handler, and makes ready for the return: whoever jumps to `rb_return_to_user`
/// has the frame and the xmm registers on the stack already.
#[macro_export]
macro_rules! entry_macros {
    () => {
        r#"
    .macro SAVE_XMM
    sub rsp, 256
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movaps [rsp + 16 * \n], xmm\n
    .endr
    .endm

    .macro LOAD_XMM
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movaps xmm\n, [rsp + 16 * \n]
    .endr
    add rsp, 256
    .endm

    .macro PUSH_REGISTERS
    push r15
    push r14
    push r13
    push r12
    push rbp
    push rbx
    push rax
    push r11
    push rcx
    push r9
    push r8
    push r10
    push rdx
    push rsi
    push rdi
    .endm

    .macro POP_REGISTERS
    pop rdi
    pop rsi
    pop rdx
    pop r10
    pop r8
    pop r9
    pop rcx
    pop r11
    pop rax
    pop rbx
    pop rbp
    pop r12
    pop r13
    pop r14
    pop r15
    .endm

    .macro TRAP_FROM_USER handler, before_return
    push rax
    push rcx
    mov rax, [rip + rb_cpu + 8]
    mov rcx, [rsp + 64]
    mov [rax - 8], rcx
    mov rcx, [rsp + 56]
    mov [rax - 16], rcx
    mov rcx, [rsp + 48]
    mov [rax - 24], rcx
    mov ecx, [rsp + 40]
    mov [rax - 32], rcx
    mov rcx, [rsp + 32]
    mov [rax - 40], rcx
    mov rcx, [rsp + 24]
    mov [rax - 48], rcx
    mov rcx, [rsp + 16]
    mov [rax - 56], rcx
    sub rax, 56
    mov rcx, rsp
    mov rsp, rax
    mov rax, [rcx + 8]
    mov rcx, [rcx]
    PUSH_REGISTERS
    SAVE_XMM
    cld
    mov dword ptr [rip + rb_cpu + 28], 1
    lea rdi, [rsp + 256]
    call \handler

    .globl rb_return_to_user
rb_return_to_user:
    cmp dword ptr [rip + rb_cpu + 24], 0
    je 9001f
    lea rdi, [rsp + 256]
    call \before_return
9001: mov dword ptr [rip + rb_cpu + 28], 0
    LOAD_XMM
    POP_REGISTERS
    .endm
    "#
    };
}
