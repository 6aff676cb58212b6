//! How a program starts.
//!
//! The kernel starts the first LWP at `rb_libc_start` exactly as NetBSD's starts a process: rsp points to argc, argv, envp and the auxiliary
//! vector (elf(5)), rbx holds the address of `struct ps_strings`, rdx the cleanup function (0). What ld.elf_so(1) would still have to do at
//! run time is done here: thread-local storage and indirect functions. Then the program's own `_start` runs with the registers and
//! the stack as they were. Constructors and destructors are run by the program's crt0.

mod auxv;
#[cfg(not(test))]
mod entry;
pub mod tls;

pub use auxv::{Auxv, auxv, auxv_value, stack_end};

/// Ends the program where nothing else is possible any more.
pub fn trap() -> ! {
    loop {
        // SAFETY: `ud2` raises an exception (SIGILL) and touches nothing.
        unsafe { core::arch::asm!("ud2", options(nomem, nostack)) }
    }
}
