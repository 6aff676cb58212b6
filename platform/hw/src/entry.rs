//! The first instructions: PVH and multiboot 1, from 32-bit protected mode to Rust.
//!
//! PVH (Xen's public header arch-x86/hvm/start_info.h) enters with `ebx` pointing to the start info; multiboot 1 (its specification, 3.2) with
//! `eax` holding a magic number and `ebx` pointing to its information. Both enter in flat 32-bit mode with paging off. The page tables made here map
//! the first 4 GiB three times: at 0 until Rust runs, at the direct map, and the first 2 GiB at the kernel's base. The loader has zeroed .bss.
//!
//! A loader may not notice that a machine is too small for the image (QEMU does not): what lies past the end of memory is lost then. Zeroed memory comes
//! last, so the code looks whether it is there before it relies on it, and says so if not. `rb_hw_start` checks the rest.

use core::arch::global_asm;

global_asm!(
    r#"
    .set KB, 0xffffffff80000000

    .section .bss.rb_boot_tables, "aw", @nobits
    .balign 4096
    .globl rb_boot_pml4
rb_boot_pml4: .skip 4096
    .globl rb_boot_pdpt
rb_boot_pdpt: .skip 4096
rb_boot_pdpt_kernel: .skip 4096
    .globl rb_boot_pd
rb_boot_pd: .skip 4096 * 4
    .balign 16
    .skip 16384
rb_boot_stack_top:

    .section .rodata.rb_boot_gdt, "a"
    .balign 8
rb_boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
rb_boot_gdtr:
    .word 23
    .quad rb_boot_gdt - KB

    .section .text.rb_boot, "ax"
    .code32
    .globl rb_pvh_entry
rb_pvh_entry:
    xor eax, eax
    .globl rb_multiboot_entry
rb_multiboot_entry:
    cld
    mov esi, ebx
    mov ebp, eax
    mov eax, 0x5a17c3e9
    mov dword ptr [rb_boot_pml4 - KB], eax
    mov dword ptr [rb_boot_stack_top - 4 - KB], eax
    wbinvd
    cmp dword ptr [rb_boot_pml4 - KB], eax
    jne rb_boot_too_small
    cmp dword ptr [rb_boot_stack_top - 4 - KB], eax
    jne rb_boot_too_small
    mov dword ptr [rb_boot_pml4 - KB], 0
    lea esp, [rb_boot_stack_top - KB]
    lea eax, [rb_boot_pdpt - KB + 3]
    mov dword ptr [rb_boot_pml4 - KB], eax
    mov dword ptr [rb_boot_pml4 - KB + 272 * 8], eax
    lea eax, [rb_boot_pdpt_kernel - KB + 3]
    mov dword ptr [rb_boot_pml4 - KB + 511 * 8], eax
    lea eax, [rb_boot_pd - KB + 3]
    mov dword ptr [rb_boot_pdpt - KB], eax
    mov dword ptr [rb_boot_pdpt_kernel - KB + 510 * 8], eax
    add eax, 4096
    mov dword ptr [rb_boot_pdpt - KB + 8], eax
    mov dword ptr [rb_boot_pdpt_kernel - KB + 511 * 8], eax
    add eax, 4096
    mov dword ptr [rb_boot_pdpt - KB + 16], eax
    add eax, 4096
    mov dword ptr [rb_boot_pdpt - KB + 24], eax
    lea edi, [rb_boot_pd - KB]
    mov eax, 0x83
    xor ecx, ecx
2:  mov dword ptr [edi + ecx * 8], eax
    add eax, 0x200000
    inc ecx
    cmp ecx, 2048
    jne 2b
    mov eax, cr4
    or eax, 0x620
    mov cr4, eax
    lea eax, [rb_boot_pml4 - KB]
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x901
    wrmsr
    mov eax, cr0
    and eax, 0xfffffff3
    or eax, 0x80010022
    mov cr0, eax
    lgdt [rb_boot_gdtr - KB]
    push 8
    lea eax, [rb_boot_long - KB]
    push eax
    retf

rb_boot_too_small:
    lea esi, [rb_boot_message - KB]
    mov edx, 0x3fb
    mov al, 3
    out dx, al
3:  mov edx, 0x3fd
    mov ecx, 1000000
4:  in al, dx
    test al, 0x20
    loopz 4b
    mov edx, 0x3f8
    lodsb
    test al, al
    jz 5f
    out dx, al
    jmp 3b
5:  mov edx, 0xe9
6:  lodsb
    test al, al
    jz 7f
    out dx, al
    jmp 6b
7:  mov edx, 0xf4
    mov al, 127
    out dx, al
8:  cli
    hlt
    jmp 8b
rb_boot_message:
    .asciz "rumpbake: the machine has too little memory for the image\n"
    .asciz "exited 127\n"

    .code64
rb_boot_long:
    mov eax, 0x10
    mov ds, eax
    mov es, eax
    mov ss, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    mov rsp, offset rb_boot_stack_top
    mov edi, ebp
    mov esi, esi
    xor ebp, ebp
    mov rax, offset rb_hw_start
    call rax
    ud2
    "#
);
