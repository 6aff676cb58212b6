//! The virtual CPU's own words, at fixed offsets for the machine's entry code.

use core::cell::UnsafeCell;

use crate::sched::Tcb;

/// What entry code reads and writes; the offsets are part of the contract with its assembly.
#[repr(C)]
pub struct Cpu {
    /// Offset 0: the running thread.
    pub current: *mut Tcb,
    /// Offset 8: the end of its kernel stack, where its [`rump_hypercall::user::Trapframe`] ends.
    pub kstack_top: usize,
    /// Offset 16: the application's stack pointer at the last system call.
    pub user_sp: usize,
    /// Offset 24: why application code may not simply go on: [`PENDING_AST`], [`PENDING_RESCHED`].
    pub pending: u32,
    /// Offset 28: 1 while the running thread is in the kernel by an instruction, its frame complete; 0 if by the gate.
    pub by_instruction: u32,
}

/// The running thread asked for an AST.
pub const PENDING_AST: u32 = 1;
/// Another thread should run.
pub const PENDING_RESCHED: u32 = 2;

/// A cell that only the virtual CPU touches, for state that assembly shares.
#[repr(transparent)]
pub struct Local<T>(UnsafeCell<T>);

// SAFETY: there is one virtual CPU, and all code of this crate runs on it with interrupts masked.
unsafe impl<T> Sync for Local<T> {}

impl<T> Local<T> {
    /// A cell.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value's address.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }
}

/// The one virtual CPU.
#[unsafe(export_name = "rb_cpu")]
pub static CPU: Local<Cpu> = Local::new(Cpu {
    current: core::ptr::null_mut(),
    kstack_top: 0,
    user_sp: 0,
    pending: 0,
    by_instruction: 0,
});

/// The virtual CPU's words.
#[inline]
pub(crate) fn cpu() -> &'static mut Cpu {
    // SAFETY: one virtual CPU, interrupts masked; callers keep the reference within a statement, so that no two
    // are in use at once.
    unsafe { &mut *CPU.get() }
}
