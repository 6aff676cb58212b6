//! System calls on their way to the rump kernel.
//!
//! The linker puts an entry of its own in the place of every call that layer 1 does not keep; all of them come to [`rb_rump_call`]. NetBSD's arguments are
//! the registers in their order, each a word, whatever their types: that is also how its kernel finds them (sys/syscallargs.h). Error
//! numbers are NetBSD's on both sides.

use core::arch::naked_asm;
use core::ffi::{c_int, c_long, c_void};

use rump_abi::errno::{EFAULT, EIO, ENOENT, ENOMEM, ENOSYS};
use rump_abi::syscall::SYS___sysctl;
use rump_hypercall::user::{self, Fault};
use rump_kern::Ret;

use crate::{console, lwp, older};

unsafe extern "C" {
    /// A system call of the thread's lwp: number, arguments and their length, the two values; 0 or an error number.
    fn rump_syscall(number: c_int, arguments: *mut c_void, len: usize, values: *mut c_long) -> c_int;
}

/// The words of a call's arguments.
pub type Args = [u64; 6];

/// ERESTART, which only kernels know.
const ERESTART: c_int = -3;
/// EJUSTRETURN: the values are where they belong.
const EJUSTRETURN: c_int = -2;

/// Where the linker's entries go: the call's number is in `eax`, with what the linker knows of its arguments, the arguments are where C has them.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn rb_rump_call() {
    naked_asm!("push rax", "call {}", "add rsp, 8", "ret", sym call)
}

extern "C" fn call(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64, entry: u64) -> Ret {
    let args = [a0, a1, a2, a3, a4, a5];
    let number = (entry & 0xfff) as usize;
    if check(&args, entry).is_err() {
        return Ret::err(EFAULT);
    }
    let lwp = rump_kern::curlwp();
    // Nothing in rumpuser(3) ends a sleep of the rump kernel's for a signal's sake; so one that ends the program does that at once.
    lwp.elsewhere.set(true);
    let ret = lwp::inside(|| serve(number, args));
    lwp.elsewhere.set(false);
    match ret {
        Ok(ret) if number == SYS___sysctl && [ENOSYS, ENOENT].contains(&ret.errno) => {
            // The host's own nodes, where the rump kernel has none.
            rump_kern::sysctl::sys___sysctl(a0, a1, a2, a3, a4, a5)
        }
        Ok(ret) => ret,
        Err(lwp::NoMemory) => Ret::err(ENOMEM),
    }
}

/// A call of the program's, as the thread's lwp.
fn serve(number: usize, args: Args) -> Ret {
    if let Some(ret) = console::call(number, args) {
        return ret;
    }
    match rump(number, args) {
        Ret { errno: ENOSYS, .. } => older::call(number, args),
        ret => ret,
    }
}

/// Whether the pointers among the arguments lead somewhere, as far as the linker could tell from the call's types (bits of `entry`): a rump kernel touches the
/// memory of its own processes without asking, and a fault that nobody can mend ends the image. What pointers in memory lead to is not
/// looked at.
fn check(args: &Args, entry: u64) -> Result<(), Fault> {
    for (nth, &arg) in args.iter().enumerate() {
        let bit = |first: u64| entry >> (first + nth as u64) & 1 != 0;
        if arg == 0 || !bit(12) {
            continue;
        }
        let len = if bit(18) { args.get(nth + 1).copied().unwrap_or(1) } else { 1 };
        if len == 0 {
            continue;
        }
        for at in [arg, arg.checked_add(len - 1).ok_or(Fault)?] {
            let mut byte = [0];
            user::copyin(at as usize, &mut byte)?;
            if bit(24) {
                user::copyout(&byte, at as usize)?;
            }
        }
    }
    Ok(())
}

/// Makes a call of the platform's own, with pointers that are good, as the thread's lwp; the value, or an error number.
pub fn own(number: usize, args: Args) -> Result<u64, c_int> {
    match lwp::inside(|| rump(number, args)) {
        Ok(Ret { value, errno: 0, .. }) => Ok(value.cast_unsigned()),
        Ok(Ret { errno, .. }) => Err(errno),
        Err(lwp::NoMemory) => Err(ENOMEM),
    }
}

/// Makes a call of the rump kernel, as the thread's lwp.
pub fn rump(number: usize, args: Args) -> Ret {
    // No call that it serves has more arguments than registers; room for words that padding may add.
    let mut words = [0; 8];
    for (word, arg) in words.iter_mut().zip(args) {
        *word = arg;
    }
    let mut values: [c_long; 2] = [0, 0];
    let number = c_int::try_from(number).unwrap_or(-1);
    // SAFETY: the words are at least as many as the call's arguments, and both arrays are the rump kernel's for the time of the call.
    let error =
        unsafe { rump_syscall(number, words.as_mut_ptr().cast(), size_of_val(&words), values.as_mut_ptr()) };
    match error {
        0 | EJUSTRETURN => Ret { value: values[0], errno: 0, value2: values[1] as i32 },
        ERESTART => Ret::err(Ret::RESTART),
        error if error < 0 => Ret::err(EIO),
        error => Ret::err(error),
    }
}
