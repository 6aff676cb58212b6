//! Entry and exit of the kernel: exceptions and interrupts on IST stacks, the `syscall` instruction, the gate.
//!
//! Application code runs in ring 0 like the kernel, so the processor switches stacks on its own account only through the interrupt stack table. What interrupts
//! application code (an address in the lower half, interrupts enabled: a rump kernel from elsewhere also lies there) moves its frame to the top of the LWP's kernel stack at once, and may wait there like a
//! system call. What interrupts the kernel is a fault inside a copy to or from the application, or a device while the processor is idle: it is handled on
//! the IST stack and goes on where it was. xmm0–15 are saved beside the frame because kernel code uses them; see `rumpbake_platform::fpu`.
//!
//! Offsets: `rb_cpu` is `rumpbake_platform::cpu::Cpu`, a frame is `rump_hypercall::user::Trapframe` (176 bytes).

use core::arch::global_asm;

use rump_hypercall::user::Trapframe;
use rumpbake_platform::{entry, sched, trap};

use crate::apic;

/// Vectors with an entry: 32 exceptions, 16 for devices, the timer and some to spare.
pub const VECTORS: usize = 64;
/// The first device vector.
pub const IRQ_BASE: u8 = 0x20;
/// The timer's vector.
pub const TIMER_VECTOR: u8 = 0x30;
/// Bytes between two entries.
pub const ENTRY_SIZE: usize = 16;

global_asm!(
    rumpbake_platform::entry_macros!(),
    r#"
    .section .text.rb_vectors, "ax"
    .balign 16
    .globl rb_vectors
rb_vectors:
    .set vector, 0
    .rept 64
    .balign 16
    .if vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 && vector != 14 && vector != 17 && vector != 21 && vector != 29 && vector != 30
    push 0
    .endif
    push vector
    jmp rb_interrupt
    .set vector, vector + 1
    .endr

    .balign 16
rb_interrupt:
    test byte ptr [rsp + 23], 0x80
    jnz 3f
    test byte ptr [rsp + 33], 2
    jz 3f
    TRAP_FROM_USER rb_hw_user_trap, rb_hw_user_return
    add rsp, 16
    iretq

3:  PUSH_REGISTERS
    SAVE_XMM
    cld
    lea rdi, [rsp + 256]
    call rb_hw_kernel_trap
    LOAD_XMM
    POP_REGISTERS
    add rsp, 16
    iretq

    .balign 16
    .globl rb_spurious
rb_spurious:
    iretq

    .section .text.rb_syscall_entry, "ax"
    .balign 16
    .globl rb_syscall_entry
rb_syscall_entry:
    mov [rip + rb_cpu + 16], rsp
    mov rsp, [rip + rb_cpu + 8]
    push 0x10
    push [rip + rb_cpu + 16]
    push r11
    push 8
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
    mov rcx, [rsp + 16]
    mov r11, [rsp + 32]
    bt dword ptr [rsp + 32], 0
    mov rsp, [rsp + 40]
    sti
    jmp rcx

    .section .text.rb_gate, "ax"
    .balign 16
    .globl rb_gate
rb_gate:
    cli
    mov [rip + rb_cpu + 16], rsp
    mov rsp, [rip + rb_cpu + 8]
    call rax
4:  cmp dword ptr [rip + rb_cpu + 24], 0
    jne 5f
    mov rsp, [rip + rb_cpu + 16]
    sti
    ret
5:  mov rcx, [rip + rb_cpu + 16]
    mov rsp, [rip + rb_cpu + 8]
    lea r8, [rcx + 8]
    push 0x10
    push r8
    push 0x202
    push 8
    .globl rb_gate_load
rb_gate_load:
    mov rcx, [rcx]
6:  push rcx
    push 0
    push 0x101
    PUSH_REGISTERS
    sub rsp, 256
    mov dword ptr [rip + rb_cpu + 28], 1
    jmp rb_return_to_user
    .globl rb_gate_load_failed
rb_gate_load_failed:
    xor ecx, ecx
    jmp 6b

    .globl rb_gate_traced
rb_gate_traced:
    cli
    mov [rip + rb_cpu + 16], rsp
    mov rsp, [rip + rb_cpu + 8]
    push r9
    push r8
    push rcx
    push rdx
    push rsi
    push rdi
    mov rdi, rax
    mov rsi, rsp
    call rb_traced_call
    jmp 4b
    "#
);

unsafe extern "C" {
    fn rb_gate_load();
    fn rb_gate_load_failed();
    fn rb_return_to_user();
    fn rb_gate();
    fn rb_gate_traced();
}

/// Reads the address of the last page fault.
fn fault_address() -> usize {
    let address;
    // SAFETY: reads a control register.
    unsafe { core::arch::asm!("mov {}, cr2", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

#[unsafe(no_mangle)]
extern "C" fn rb_hw_user_trap(frame: &mut Trapframe) {
    if frame.trapno >= u64::from(IRQ_BASE) {
        apic::interrupt(frame.trapno as u8);
    } else {
        trap::exception(frame, fault_address());
    }
}

#[unsafe(no_mangle)]
extern "C" fn rb_hw_user_return(frame: *mut Trapframe) {
    // SAFETY: entry code passes the running thread's own frame.
    unsafe { sched::user_return(frame) };
}

#[unsafe(no_mangle)]
extern "C" fn rb_hw_kernel_trap(frame: &mut Trapframe) {
    if frame.trapno >= u64::from(IRQ_BASE) {
        apic::interrupt(frame.trapno as u8);
    } else {
        let gate_load = [rb_gate_load, rb_gate_load_failed].map(|at| at as *const () as u64);
        trap::kernel_exception(frame, fault_address(), gate_load);
    }
}

#[unsafe(export_name = "rbm_return_to_user")]
unsafe fn return_to_user(frame: *mut Trapframe) -> ! {
    // SAFETY: the frame and the xmm registers below it are the running thread's own (caller's promise), and `rb_return_to_user` expects
    // the stack pointer at the latter.
    unsafe {
        core::arch::asm!("mov rsp, {}", "jmp {}", in(reg) frame.addr() - 256, sym rb_return_to_user, options(noreturn));
    }
}

#[unsafe(export_name = "rbm_gate")]
fn gate(traced: bool) -> usize {
    if traced { rb_gate_traced as *const () as usize } else { rb_gate as *const () as usize }
}

#[unsafe(export_name = "rbm_sanitize")]
fn sanitize(frame: &mut Trapframe) {
    frame.cs = 8;
    frame.ss = 0x10;
    frame.rflags = entry::choosable_flags(frame.rflags);
    // `iretq` and `jmp` fault inside the kernel on a non-canonical address; page zero faults in the application.
    if frame.rip >= 1 << 47 {
        frame.rip = 0;
    }
}
