//! Entry and exit of the kernel: the first instructions, traps, events, the `syscall` instruction, the gate.
//!
//! Xen (its public headers arch-x86/xen.h and arch-x86/xen-x86_64.h) enters with a frame as the processor would push it, rcx and r11 on top of
//! it: on the stack named by HYPERVISOR_stack_switch where it found the guest in user mode, on the current stack where it found it in kernel mode. The way back is
//! HYPERVISOR_iret. What interrupted application code moves its frame to the top of the LWP's kernel stack at once, and may wait there. What interrupted the
//! kernel is a fault inside a copy to or from the application, or an event while the processor is idle: it is handled on a stack of its own. The kernel's own
//! code below the frame has no red zone at either place (the copy is assembly, and idling is a call).
//!
//! # The gate
//! Application code always runs in guest-user mode. What Xen gives to guest-kernel mode alone are hypercalls: it maps kernel pages in both modes, and event
//! delivery is masked by a byte of the shared page in both modes. So the gate does not change modes: it masks events, changes stacks and calls, and the kernel goes
//! on in guest-user mode. A hypercall from there, a `syscall` instruction in the kernel's half, enters at `rb_xen_syscall` like any other; that goes back to the
//! instruction in guest-kernel mode, in which the kernel then stays until it leaves by HYPERVISOR_iret. A system call that needs no hypercall never meets Xen.
//!
//! In guest-user mode Xen's frames go to the stack that was named, wherever rsp points. So red zones are safe, a stack may be demand-zero or run into its
//! guard page, and a fault of the kernel's own stack is reported. An application in guest-kernel mode could do none of this: Xen ends a guest whose frame it cannot push.
//!
//! Kernel code that was interrupted in guest-user mode is told from application code by the mask, bit IF of the frame. Only two places of the gate are in the kernel's
//! half and not masked: its first instruction, and those between unmasking and the application (`rb_gate_left` to `rb_gate_return`).

use core::arch::global_asm;

global_asm!(
    rumpbake_platform::entry_macros!(),
    r#"
    .set HYPERVISOR_iret, 23
    .set USER_CS, 0xe033
    .set USER_SS, 0xe02b
    .set IN_SYSCALL, 0x100
    .set EVENT, 0x20
    .set EVENT_PENDING, rb_xen_shared
    .set EVENTS_MASKED, rb_xen_shared + 1

    .macro IRET
    mov eax, HYPERVISOR_iret
    syscall
    ud2
    .endm

    // From a frame at its trap number, all registers loaded: rcx and r11 come back as they are.
    .macro IRET_FRAME
    mov qword ptr [rsp + 8], 0
    mov [rsp], rcx
    push r11
    push rax
    IRET
    .endm

    .macro ENTER_GATE
    mov byte ptr [rip + EVENTS_MASKED], 1
    mov [rip + rb_cpu + 16], rsp
    mov rsp, [rip + rb_cpu + 8]
    mov dword ptr [rip + rb_xen_in_user_mode], 1
    .endm

    .section .bss.rb_xen_stacks, "aw", @nobits
    .balign 64
    .skip 512
    .globl rb_xen_entry_stack_top
rb_xen_entry_stack_top:
    .skip 16384
rb_xen_fault_stack_top:
    .skip 16384
rb_xen_event_stack_top:
    // 1 while the gate has brought the kernel in and no hypercall was needed since: the guest is in user mode.
    .balign 4
rb_xen_in_user_mode:
    .skip 4

    .section .text.rb_xen_entry, "ax"
    .globl rb_xen_entry
rb_xen_entry:
    cld
    lea rsp, [rip + rb_xen_event_stack_top]
    mov rdi, rsi
    xor ebp, ebp
    call rb_xen_start
    ud2

    .section .text.rb_xen_traps, "ax"
    .balign 16
    .globl rb_xen_traps
rb_xen_traps:
    .set vector, 0
    .rept 32
    .balign 16
    pop rcx
    pop r11
    .if vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 && vector != 14 && vector != 17 && vector != 21
    push 0
    .endif
    push vector
    jmp rb_xen_trap
    .set vector, vector + 1
    .endr

    .balign 16
    .globl rb_xen_event
rb_xen_event:
    pop rcx
    pop r11
    push 0
    push EVENT
rb_xen_trap:
    test byte ptr [rsp + 24], 3
    jz 3f
    test byte ptr [rsp + 33], 2
    jz 3f
    mov dword ptr [rip + rb_xen_in_user_mode], 0
    TRAP_FROM_USER rb_xen_user_trap, rb_xen_user_return
    IRET_FRAME

3:  PUSH_REGISTERS
    mov rbx, rsp
    cmp qword ptr [rsp + 120], EVENT
    lea rsp, [rip + rb_xen_fault_stack_top]
    jne 4f
    lea rsp, [rip + rb_xen_event_stack_top]
4:  SAVE_XMM
    cld
    mov rdi, rbx
    call rb_xen_kernel_trap
    LOAD_XMM
    mov rsp, rbx
    POP_REGISTERS
    IRET_FRAME

    .balign 16
    .globl rb_xen_failsafe
rb_xen_failsafe:
    lea rsp, [rip + rb_xen_fault_stack_top]
    call rb_xen_failed_return
    ud2

    .section .text.rb_xen_syscall, "ax"
    .balign 16
    .globl rb_xen_syscall
rb_xen_syscall:
    mov rcx, [rsp + 16]
    test rcx, rcx
    js rb_xen_syscall_of_kernel
    mov dword ptr [rip + rb_xen_in_user_mode], 0
    mov r11, [rsp + 40]
    mov [rip + rb_cpu + 16], r11
    mov r11, [rsp + 32]
    mov rsp, [rip + rb_cpu + 8]
    push USER_SS
    push [rip + rb_cpu + 16]
    push r11
    push USER_CS
    push rcx
    push 0
    push 0x100
    PUSH_REGISTERS
    SAVE_XMM
    mov dword ptr [rip + rb_cpu + 28], 1
    lea rdi, [rsp + 256]
    call rb_syscall_by_number
    cmp dword ptr [rip + rb_cpu + 24], 0
    jne rb_return_to_user
    mov dword ptr [rip + rb_cpu + 28], 0
    LOAD_XMM
    POP_REGISTERS
    mov qword ptr [rsp + 8], IN_SYSCALL
    mov [rsp], rcx
    push r11
    push rax
    IRET

rb_xen_syscall_of_kernel:
    lea r11, [rip + rb_gate_return]
    cmp rcx, r11
    mov dword ptr [rip + rb_xen_in_user_mode], 0
    je 4f
    mov rsp, [rsp + 40]
    sub rcx, 2
    jmp rcx
    // The gate has unmasked events and found one: going back makes Xen deliver it.
4:  mov qword ptr [rsp + 8], IN_SYSCALL
    push r11
    push rax
    IRET

    .section .text.rb_gate, "ax"
    .balign 16
    .globl rb_gate
rb_gate:
    ENTER_GATE
    call rax
5:  cmp dword ptr [rip + rb_cpu + 24], 0
    jne 6f
    cmp dword ptr [rip + rb_xen_in_user_mode], 0
    je 8f
    mov rsp, [rip + rb_cpu + 16]
    mov byte ptr [rip + EVENTS_MASKED], 0
    .globl rb_gate_left
rb_gate_left:
    cmp byte ptr [rip + EVENT_PENDING], 0
    je rb_gate_return
    syscall
    .globl rb_gate_return
rb_gate_return:
    ret

8:  lea rcx, [rip + rb_gate_return]
    push USER_SS
    push [rip + rb_cpu + 16]
    push 0x202
    push USER_CS
    push rcx
    push IN_SYSCALL
    push rcx
    push r11
    push rax
    IRET
6:  mov rcx, [rip + rb_cpu + 16]
    mov rsp, [rip + rb_cpu + 8]
    lea r8, [rcx + 8]
    push USER_SS
    push r8
    push 0x202
    push USER_CS
    .globl rb_gate_load
rb_gate_load:
    mov rcx, [rcx]
7:  push rcx
    push 0
    push 0x101
    PUSH_REGISTERS
    sub rsp, 256
    mov dword ptr [rip + rb_cpu + 28], 1
    jmp rb_return_to_user
    .globl rb_gate_load_failed
rb_gate_load_failed:
    xor ecx, ecx
    jmp 7b

    .balign 16
    .globl rb_gate_traced
rb_gate_traced:
    ENTER_GATE
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    mov rdi, rax
    mov rsi, rsp
    call rb_traced_call
    jmp 5b
    "#
);
