//! System calls by number (syscall of amd64, syscall(2)).

use rump_hypercall::Giant;
use rump_hypercall::upcall::{Ret, SysEntry};
use rump_hypercall::user::{self, Trapframe};

use crate::copy::{Pod, copyin};
use crate::errno::Errno;
use crate::lwp::curlwp_opt;

/// syscall(2), the indirect call.
const SYS_SYSCALL: usize = 0;
/// __syscall(2), the indirect call whose first argument is 64 bits wide.
const SYS_UNDERSCORE_SYSCALL: usize = 198;

static SYSENT: Giant<&'static [SysEntry]> = Giant::new(&[]);

/// Called instead of an entry, for tracing.
pub type TraceHook = fn(SysEntry, &[u64; 6]) -> Ret;

static TRACE: Giant<Option<TraceHook>> = Giant::new(None);

/// Hands over the table: entry `n` is system call `n`.
pub fn init(sysent: &'static [SysEntry]) {
    SYSENT.set(sysent);
}

/// The table.
#[must_use]
pub fn sysent() -> &'static [SysEntry] {
    SYSENT.get()
}

/// Has every call go through `hook`, those through the gate too.
pub fn set_trace(hook: Option<TraceHook>) {
    TRACE.set(hook);
    rump_hypercall::upcall::trace_gate(hook);
}

/// What the table has for calls that no component in the image defines.
#[unsafe(no_mangle)]
pub extern "C" fn sys_nosys(_: u64, _: u64, _: u64, _: u64, _: u64, _: u64) -> Ret {
    Ret::err(Errno::ENOSYS.0)
}

/// An argument after the sixth, `index` counted from 0 for the seventh.
///
/// # Errors
/// EFAULT if the application's stack cannot be read.
pub fn stack_arg<T: Pod>(index: usize) -> Result<T, Errno> {
    let shift = curlwp_opt().map_or(0, |lwp| lwp.arg_shift.get());
    let offset = 8 * (1 + index + shift);
    copyin(user::sp().checked_add(offset).ok_or(Errno::EFAULT)?)
}

#[inline]
fn call(number: usize, args: &[u64; 6]) -> Ret {
    let Some(&entry) = SYSENT.get().get(number) else { return Ret::err(Errno::ENOSYS.0) };
    match TRACE.get() {
        None => entry(args[0], args[1], args[2], args[3], args[4], args[5]),
        Some(hook) => hook(entry, args),
    }
}

/// The upcall: a system call by instruction.
pub fn syscall(frame: &mut Trapframe) -> Ret {
    let number = frame.rax as usize;
    let args = [frame.rdi, frame.rsi, frame.rdx, frame.r10, frame.r8, frame.r9];
    if number == SYS_SYSCALL || number == SYS_UNDERSCORE_SYSCALL {
        return indirect(args);
    }
    call(number, &args)
}

/// The number is the first argument, the others follow.
fn indirect(args: [u64; 6]) -> Ret {
    let number = args[0] as usize;
    if number == SYS_SYSCALL || number == SYS_UNDERSCORE_SYSCALL {
        return Ret::err(Errno::ENOSYS.0);
    }
    // Most calls have no sixth argument, and a stack may end there.
    let sixth = stack_arg(0).unwrap_or(0);
    let lwp = curlwp_opt();
    if let Some(lwp) = lwp {
        lwp.arg_shift.set(1);
    }
    let ret = call(number, &[args[1], args[2], args[3], args[4], args[5], sixth]);
    if let Some(lwp) = lwp {
        lwp.arg_shift.set(0);
    }
    ret
}
