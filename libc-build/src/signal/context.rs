//! Contexts: getcontext(3), makecontext(3), swapcontext(3).
//!
//! A `ucontext_t` has flags at 0, the link at 8, the signal mask at 16, the stack at 32 and 26 registers at 56 (sys/ucontext.h,
//! machine/mcontext.h). A context taken here is one of a function call: it holds what a called function keeps. The thread pointer and the vector state are
//! not part of it (their flags are clear), so they stay the running thread's.

use crate::sys;
use crate::va::VaList;
use core::arch::{global_asm, naked_asm};
use core::ffi::{c_int, c_void};

/// `ucontext_t` up to the registers.
#[repr(C)]
struct Context {
    flags: u32,
    link: *mut Context,
    mask: [u32; 4],
    /// `stack_t`: address, length, flags.
    stack: (*mut u8, usize, c_int),
    registers: [u64; 26],
}

const _: () = {
    assert!(core::mem::offset_of!(Context, mask) == 16);
    assert!(core::mem::offset_of!(Context, stack) == 32);
    assert!(core::mem::offset_of!(Context, registers) == 56);
};

const UC_SIGMASK: u32 = 0x01;
const UC_CPU: u32 = 0x04;
const UC_TLSBASE: u32 = 0x0008_0000;
const REG_RDI: usize = 0;
const REG_RIP: usize = 21;
const REG_RSP: usize = 24;
const REG_RBX: usize = 13;

// Fills the context at rdi in with the caller of the function that was called with the return address at [rsp + 8]: it will find 0 in rax.
// Registers are at 56 plus 8 times their index (machine/frame_regs.h).
global_asm!(
    ".pushsection .text.rb_context_save,\"ax\",@progbits",
    ".globl rb_context_save",
    ".hidden rb_context_save",
    ".type rb_context_save,@function",
    "rb_context_save:",
    "mov dword ptr [rdi], 5",
    "mov qword ptr [rdi + 8], 0",
    "mov [rdi + 56 + 8*8], r12",
    "mov [rdi + 56 + 9*8], r13",
    "mov [rdi + 56 + 10*8], r14",
    "mov [rdi + 56 + 11*8], r15",
    "mov [rdi + 56 + 12*8], rbp",
    "mov [rdi + 56 + 13*8], rbx",
    "mov qword ptr [rdi + 56 + 14*8], 0",
    "mov rax, [rsp + 8]",
    "mov [rdi + 56 + 21*8], rax",
    "mov qword ptr [rdi + 56 + 22*8], 0x47",
    "mov qword ptr [rdi + 56 + 23*8], 0x202",
    "lea rax, [rsp + 16]",
    "mov [rdi + 56 + 24*8], rax",
    "mov qword ptr [rdi + 56 + 25*8], 0x3f",
    "ret",
    ".size rb_context_save, . - rb_context_save",
    ".popsection",
);

/// getcontext(3).
///
/// # Safety
/// The context points to memory for one; its caller does not return before it is gone back to.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn getcontext(_context: *mut c_void) -> c_int {
    naked_asm!(
        "call rb_context_save",
        "lea rdx, [rdi + 16]",
        "xor esi, esi",
        "mov edi, 1",
        "jmp __sigprocmask14",
    )
}

/// swapcontext(3).
///
/// # Safety
/// As [`getcontext`] for the first and setcontext(3) for the second.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn swapcontext(_save: *mut c_void, _go: *const c_void) -> c_int {
    naked_asm!(
        "call rb_context_save",
        "push rsi",
        "lea rdx, [rdi + 16]",
        "xor esi, esi",
        "mov edi, 1",
        "call __sigprocmask14",
        "pop rdi",
        "jmp setcontext",
    )
}

/// Where the function of a made context returns to: rbx holds the address of the context to resume, or 0.
#[unsafe(naked)]
unsafe extern "C" fn resume() -> ! {
    naked_asm!(
        "and rsp, -16",
        "mov rdi, rbx",
        "test rdi, rdi",
        "je 2f",
        "call setcontext",
        "2:",
        "call {exit}",
        "ud2",
        exit = sym sys::_lwp_exit,
    )
}

unsafe extern "C" fn make(context: *mut Context, function: usize, count: c_int, arguments: *mut VaList) {
    // SAFETY: makecontext's contract: the context has a stack, and there are `count` arguments.
    unsafe {
        let (context, arguments) = (&mut *context, &mut *arguments);
        let count = usize::try_from(count).unwrap_or(0);
        let on_stack = count.saturating_sub(6);
        // The return address, and above it the seventh and later arguments; aligned as after a call.
        let top = context.stack.0.wrapping_add(context.stack.1);
        let top = top.wrapping_sub(top.addr() & 15).wrapping_sub(on_stack.div_ceil(2) * 16);
        let stack = top.wrapping_sub(8).cast::<u64>();
        *stack = resume as *const () as usize as u64;
        let registers = (&raw mut context.registers).cast::<u64>();
        for i in 0..count {
            let value = arguments.arg::<u64>();
            match i {
                // rdi, rsi, rdx are 0 to 2, then rcx is 3, r8 and r9 are 4 and 5.
                0..=5 => *registers.add(REG_RDI + i) = value,
                _ => *stack.add(i - 5) = value,
            }
        }
        *registers.add(REG_RIP) = function as u64;
        *registers.add(REG_RSP) = stack.addr() as u64;
        *registers.add(REG_RBX) = context.link.addr() as u64;
    }
}

variadic! {
    /// makecontext(3).
    makecontext(3) => make;
}

/// _lwp_makecontext(3): a context for _lwp_create(2).
///
/// # Safety
/// `context` points to memory for one, the stack is the new LWP's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _lwp_makecontext(
    context: *mut c_void,
    start: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
    tls_base: *mut c_void,
    stack: *mut c_void,
    stack_len: usize,
) {
    // SAFETY: this function's contract; the TLS base lies at 264 behind the registers.
    unsafe {
        getcontext(context);
        let uc = &mut *context.cast::<Context>();
        uc.flags = UC_CPU | UC_SIGMASK | UC_TLSBASE;
        uc.link = core::ptr::null_mut();
        uc.stack = (stack.cast(), stack_len, 0);
        let top = stack.cast::<u8>().wrapping_add(stack_len);
        let top = top.wrapping_sub(top.addr() & 15).wrapping_sub(8).cast::<u64>();
        *top = resume as *const () as usize as u64;
        let registers = (&raw mut uc.registers).cast::<u64>();
        *registers.add(REG_RDI) = argument.addr() as u64;
        *registers.add(REG_RIP) = start as *const () as usize as u64;
        *registers.add(REG_RSP) = top.addr() as u64;
        *registers.add(REG_RBX) = 0;
        *context.cast::<u8>().add(264).cast::<usize>() = tls_base.expose_provenance();
    }
}
