//! What the tests of this crate share: a kernel in the test process (platform/posix).

extern crate std;

use rump_hypercall::upcall::{self, Access, Upcalls};
use rump_hypercall::user::Trapframe;
use rumpbake_posix::Outcome;

use crate::lwp::Lwp;
use crate::uvm::VmSpace;

static UPCALLS: Upcalls = Upcalls {
    fault: crate::uvm::fault::fault,
    trap: crate::signal::trap::trap,
    ast: crate::signal::deliver::ast,
    syscall: crate::syscall::syscall,
    console_input: || {},
    shutdown: || {},
};

/// One test at a time: they share the process, its address space and its signals.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// An address at which a test may map memory.
pub const SCRATCH: usize = 0x1000_0000;

/// Runs `body` as an LWP of the process, in an empty address space but for 64 KiB at [`SCRATCH`].
pub fn kernel(body: impl FnOnce(&'static Lwp) + Send) {
    assert_eq!(outcome(body), Outcome::Returned);
}

/// The same; says how the LWP's thread ended.
pub fn outcome(body: impl FnOnce(&'static Lwp) + Send) -> Outcome {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    rumpbake_posix::run_to_end(|| {
        upcall::register(&UPCALLS);
        let proc = crate::proc::init();
        // What a test before this one has left behind.
        while let Some(old) = proc.lwps.find_by(|_| true) {
            proc.lwps.free(old);
        }
        let lwp = proc.lwps.alloc(proc).unwrap();
        lwp.attach();
        crate::timer::clear();
        let bounds = proc.vm.borrow().map.bounds();
        let old = proc.vm.borrow_mut().unmap(bounds);
        drop(old);
        *proc.vm.borrow_mut() = VmSpace::new();
        let anon_private_fixed = 0x1012;
        crate::uvm::mmap::mmap(SCRATCH, 0x1_0000, 3, anon_private_fixed, None).unwrap();
        *proc.sig.actions.borrow_mut() = [crate::signal::action::SigAction::default(); 64];
        crate::signal::post::discard(proc, crate::signal::SigSet(u64::MAX));
        rumpbake_posix::set_frame(Trapframe { rsp: SCRATCH as u64 + 0x8000, ..Trapframe::default() });
        body(lwp);
    })
}

/// Whether an access of the application's succeeds.
pub fn touch(va: usize, access: Access) -> bool {
    crate::uvm::fault::fault(va, access)
}
