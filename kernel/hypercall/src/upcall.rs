//! What the platform asks of layer 1.

use crate::user::Trapframe;

/// How memory was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Access {
    /// A load.
    Read = 0,
    /// A store.
    Write = 1,
    /// An instruction fetch.
    Exec = 2,
}

/// A system call's outcome, as it travels in two registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Ret {
    /// The value, where `errno` is 0.
    pub value: i64,
    /// 0, or the error number; [`Ret::RESTART`] asks the caller to make the call again.
    pub errno: i32,
    /// The second value of the few calls that have two (pipe(2), fork(2)).
    pub value2: i32,
}

impl Ret {
    /// ERESTART: a signal came whose handler asked for SA_RESTART; the call is made again after the handler.
    pub const RESTART: i32 = -3;

    /// Success with one value.
    #[must_use]
    #[inline]
    pub const fn ok(value: i64) -> Self {
        Self { value, errno: 0, value2: 0 }
    }

    /// Failure.
    #[must_use]
    #[inline]
    pub const fn err(errno: i32) -> Self {
        Self { value: -1, errno, value2: 0 }
    }
}

/// A system call's entry in layer 1: symbol `sys_<name>`, six argument words; a seventh and later is read from the
/// application's stack ([`crate::user::sp`]).
pub type SysEntry = extern "C" fn(u64, u64, u64, u64, u64, u64) -> Ret;

/// The functions that the platform calls, all with the virtual CPU held.
pub struct Upcalls {
    /// Application memory at `va` was touched and no mapping allows it, by the application or by a copy on its behalf. Maps the page and returns
    /// true, or returns false: then the application gets [`Upcalls::trap`] and a copy gets `Fault`. Must not wait.
    pub fault: fn(va: usize, access: Access) -> bool,
    /// The application caused an exception (`frame.trapno`, `frame.err`; `va` is the address for a page fault, else 0).
    pub trap: fn(frame: &mut Trapframe, va: usize),
    /// The calling thread is about to run application code with `frame`, and [`crate::thread::set_ast`] was called for it: signals, exit.
    /// The request is cleared before the call. May change the frame, may wait, may not return.
    pub ast: fn(frame: &mut Trapframe),
    /// A system call by instruction: `frame.rax` is its number, the arguments are in rdi, rsi, rdx, r10, r8, r9. The platform
    /// puts what is returned where NetBSD's amd64 port has it: the value in rax and the second in rdx with carry clear, or the error
    /// number in rax with carry set; on [`Ret::RESTART`] it winds `rip` back to the instruction and leaves the registers alone.
    /// Is not called any more once the frame was replaced by [`crate::user::enter`].
    pub syscall: fn(frame: &mut Trapframe) -> Ret,
    /// Console input is there to be read. Must not wait.
    pub console_input: fn(),
    /// Whoever runs the machine wants it to end. Must not wait.
    pub shutdown: fn(),
}

unsafe extern "Rust" {
    /// Hands the upcalls over; before that, application code cannot run.
    #[link_name = "rb_register_upcalls"]
    pub safe fn register(upcalls: &'static Upcalls);

    /// Makes calls through the gate go to `entry(nr_entry, args)` first, for tracing; `None` takes it back.
    #[link_name = "rb_trace_gate"]
    pub safe fn trace_gate(hook: Option<fn(entry: SysEntry, args: &[u64; 6]) -> Ret>);
}
