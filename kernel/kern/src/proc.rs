//! The process (proc(9)): what its LWPs share.
//!
//! There is one, the program, for as long as the image runs. Its number is 1, and its parent is the kernel, process 0. A process is
//! never freed, so references to it are `'static`.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use rump_hypercall::Giant;

use crate::filedesc::FileDescTable;
use crate::lwp::LwpTable;
use crate::signal::state::ProcSignals;
use crate::uvm::VmSpace;

/// The program's process number.
pub const PID: i32 = 1;

/// A process.
pub struct Proc {
    /// Process number.
    pub pid: i32,
    /// The parent's number.
    pub ppid: i32,
    /// Descriptors.
    pub fd: FileDescTable,
    /// The address space.
    pub vm: Giant<VmSpace>,
    /// Signals.
    pub sig: ProcSignals,
    /// The LWPs.
    pub lwps: LwpTable,
    /// Its name: the last component of `argv[0]`.
    pub comm: Giant<String>,
    /// The arguments with which it was started.
    pub args: Giant<Vec<Vec<u8>>>,
    /// The environment with which it was started.
    pub env: Giant<Vec<Vec<u8>>>,
}

static PROC0: Giant<Option<&'static Proc>> = Giant::new(None);

impl Proc {
    fn new() -> Self {
        Self {
            pid: PID,
            ppid: 0,
            fd: FileDescTable::new(),
            vm: Giant::new(VmSpace::new()),
            sig: ProcSignals::new(),
            lwps: LwpTable::new(),
            comm: Giant::new(String::new()),
            args: Giant::new(Vec::new()),
            env: Giant::new(Vec::new()),
        }
    }
}

/// The process; `None` before it is made.
#[inline]
#[must_use]
pub fn proc0() -> Option<&'static Proc> {
    PROC0.get()
}

/// The process, made at the first call; the clock is set then, too.
pub fn init() -> &'static Proc {
    if let Some(proc) = PROC0.get() {
        return proc;
    }
    let proc: &'static Proc = Box::leak(Box::new(Proc::new()));
    PROC0.set(Some(proc));
    crate::clock::init();
    proc
}

/// The process of the calling LWP.
#[inline]
#[must_use]
pub fn curproc() -> &'static Proc {
    crate::lwp::curlwp().proc
}
