//! Pointers of the program's that lead nowhere.
//!
//! A rump kernel touches the memory of its own process without asking. Pointers among a call's arguments are looked at before the call ([`crate::call`]); what structures
//! point to is copied by the rump kernel's copy(9) functions, which the linker has go through [`rb_rump_guarded`]: if one of them runs into memory that is not
//! there, it returns EFAULT. Such a copy does not wait, so there is one at a time, or one in another, and no thread comes between.
//!
//! What touches such memory in another way cannot be made to return, since it may hold locks. It ends the program, as it would end
//! the process of a hosted rump kernel: with SIGSEGV.

use core::arch::naked_asm;
use core::sync::atomic::{AtomicUsize, Ordering};

use rump_abi::errno::EFAULT;
use rump_abi::signal::SIGSEGV;
use rump_hypercall::boot::{self, Exit};
use rump_hypercall::user::{self, Trapframe};

/// The stack pointer of the innermost copy under way; 0 if there is none.
static COPYING: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    /// A label: where a copy goes on that ran into memory that is not there.
    fn rb_rump_copy_failed();
}

/// Calls the function whose address is in `rax`, with its arguments; returns what it returns, or EFAULT.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn rb_rump_guarded() {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push qword ptr [rip + {copying}]",
        "mov [rip + {copying}], rsp",
        "call rax",
        "2:",
        "pop qword ptr [rip + {copying}]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
        ".globl rb_rump_copy_failed",
        "rb_rump_copy_failed:",
        "cld",
        "mov rsp, [rip + {copying}]",
        "mov eax, {efault}",
        "jmp 2b",
        copying = sym COPYING,
        efault = const EFAULT,
    )
}

/// The rump kernel ran into memory that is not there.
fn fault(frame: &mut Trapframe, address: usize) -> bool {
    if COPYING.load(Ordering::Relaxed) != 0 {
        frame.rip = rb_rump_copy_failed as *const () as u64;
        return true;
    }
    user::crash_report("the rump kernel ran into memory that is not there: SIGSEGV", frame);
    rump_kern::log!("at {address:#x}");
    boot::exit(Exit::Signaled(SIGSEGV as u8))
}

/// Sees to such faults from now on.
pub fn init() {
    user::on_foreign_fault(fault);
}
