//! The memory functions that the prebuilt `core` wants, and the names that its unwind tables mention.

use core::arch::global_asm;

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

    // Loops of words, and not the string instructions: those take ten times as long per byte, and twice as long per word, where an emulator
    // carries them out one by one, and are no faster in a processor for the sizes that a kernel copies. The registers are those that a call may change.
    .macro COPY_WORDS
    sub rdx, 64
    jb 3f
2:  mov rcx, [rsi]
    mov r8, [rsi + 8]
    mov [rdi], rcx
    mov [rdi + 8], r8
    mov rcx, [rsi + 16]
    mov r8, [rsi + 24]
    mov [rdi + 16], rcx
    mov [rdi + 24], r8
    mov rcx, [rsi + 32]
    mov r8, [rsi + 40]
    mov [rdi + 32], rcx
    mov [rdi + 40], r8
    mov rcx, [rsi + 48]
    mov r8, [rsi + 56]
    mov [rdi + 48], rcx
    mov [rdi + 56], r8
    add rsi, 64
    add rdi, 64
    sub rdx, 64
    jae 2b
3:  add rdx, 64
9:  sub rdx, 8
    jb 9f
    mov rcx, [rsi]
    mov [rdi], rcx
    add rsi, 8
    add rdi, 8
    jmp 9b
9:
    .endm

    .macro COPY_BYTES
5:  sub rdx, 1
    jb 5f
    movzx ecx, byte ptr [rsi + rdx]
    mov [rdi + rdx], cl
    jmp 5b
5:
    .endm

    FUNCTION memcpy
    mov rax, rdi
    cmp rdx, 8
    jb 4f
    lea r10, [rdi + rdx - 8]
    mov r11, [rsi + rdx - 8]
    COPY_WORDS
    mov [r10], r11
    ret
4:  COPY_BYTES
    ret

    FUNCTION memmove
    mov rax, rdi
    mov r8, rdi
    sub r8, rsi
    cmp r8, rdx
    jb 6f
    cmp rdx, 8
    jb 4f
    lea r10, [rdi + rdx - 8]
    mov r11, [rsi + rdx - 8]
    COPY_WORDS
    mov [r10], r11
    ret
4:  COPY_BYTES
    ret
6:  cmp rdx, 8
    jb 7f
    mov rcx, [rsi + rdx - 8]
    mov [rdi + rdx - 8], rcx
    sub rdx, 8
    jmp 6b
7:  sub rdx, 1
    jb 8f
    movzx ecx, byte ptr [rsi + rdx]
    mov [rdi + rdx], cl
    jmp 7b
8:  ret

    FUNCTION memset
    mov r8, rdi
    movzx eax, sil
    mov r9, 0x0101010101010101
    imul rax, r9
    sub rdx, 64
    jb 3f
2:  mov [rdi], rax
    mov [rdi + 8], rax
    mov [rdi + 16], rax
    mov [rdi + 24], rax
    mov [rdi + 32], rax
    mov [rdi + 40], rax
    mov [rdi + 48], rax
    mov [rdi + 56], rax
    add rdi, 64
    sub rdx, 64
    jae 2b
3:  add rdx, 64
4:  sub rdx, 8
    jb 5f
    mov [rdi], rax
    add rdi, 8
    jmp 4b
5:  add rdx, 8
6:  sub rdx, 1
    jb 7f
    mov [rdi + rdx], al
    jmp 6b
7:  mov rax, r8
    ret

    // The last word overlaps the one before it. Of two words that differ the first byte decides, which is the lowest.
    FUNCTION memcmp
    sub rdx, 8
    jb 4f
    xor ecx, ecx
2:  cmp rcx, rdx
    jae 3f
    mov rax, [rdi + rcx]
    mov r8, [rsi + rcx]
    add rcx, 8
    cmp rax, r8
    je 2b
    jmp 6f
3:  mov rax, [rdi + rdx]
    mov r8, [rsi + rdx]
    cmp rax, r8
    je 7f
6:  bswap rax
    bswap r8
    cmp rax, r8
    sbb eax, eax
    or eax, 1
    ret
7:  xor eax, eax
    ret
4:  add rdx, 8
    xor eax, eax
    xor ecx, ecx
5:  cmp rcx, rdx
    je 8f
    movzx eax, byte ptr [rdi + rcx]
    movzx r8d, byte ptr [rsi + rcx]
    inc rcx
    sub eax, r8d
    je 5b
8:  ret

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
