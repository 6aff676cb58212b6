//! The signal system calls that do not wait (sigaction(2), sigprocmask(2), kill(2), sigaltstack(2), getcontext(2) …).

use rump_hypercall::user;

use super::action::{Disposition, SaFlags, SigAction};
use super::info::code::{SI_QUEUE, SI_USER};
use super::info::{KsigInfo, SIGINFO_SIZE};
use super::number::{SIGKILL, SIGSTOP};
use super::post::{discard, kpsignal};
use super::set::SigSet;
use super::state::{AltStack, set_mask};
use super::ucontext::{
    FpuArea, SS_DISABLE, SS_ONSTACK, Stack, UC_CPU, UC_STACK, copyin_ucontext, frame_of, getucontext,
    put_fpregs, setucontext,
};
use super::{NSIG, is_signal};
use crate::copy::{copyin, copyout, copyout_opt};
use crate::errno::Errno;
use crate::lwp::{Lwp, curlwp};
use crate::pod;
use crate::proc::curproc;
use crate::syscall;

/// The trampoline's version whose handler gets a siginfo.
const SIGTRAMP_SIGINFO_VERSION: i32 = 2;

/// The smallest alternate stack.
const MINSIGSTKSZ: u64 = rump_abi::signal::MINSIGSTKSZ as u64;

/// `struct sigaction`, with its hole.
#[derive(Clone, Copy)]
#[repr(C)]
struct UserSigAction {
    handler: u64,
    mask: [u32; 4],
    flags: i32,
    pad: i32,
}

pod!(UserSigAction);

syscall! {
    /// sigaction(2), with the trampoline to which handlers return.
    fn sys___sigaction_sigtramp(signo: i32, new: usize, old: usize, trampoline: usize, version: i32) -> Result<(), Errno> {
        if !is_signal(signo) {
            return Err(Errno::EINVAL);
        }
        let proc = curproc();
        let before = proc.sig.action(signo);
        let action = if new == 0 {
            None
        } else {
            let wanted: UserSigAction = copyin(new)?;
            let flags = SaFlags::from_bits(wanted.flags).ok_or(Errno::EINVAL)?;
            let action = SigAction {
                disposition: Disposition::from_word(wanted.handler),
                mask: SigSet::from_words(wanted.mask).as_mask(),
                flags,
                trampoline,
            };
            if matches!(signo, SIGKILL | SIGSTOP) && action.disposition != Disposition::Default {
                return Err(Errno::EINVAL);
            }
            if matches!(action.disposition, Disposition::Handler(_)) && version != SIGTRAMP_SIGINFO_VERSION {
                return Err(Errno::EINVAL);
            }
            Some(action)
        };
        if old != 0 {
            let words = UserSigAction {
                handler: before.disposition.to_word(),
                mask: before.mask.to_words(),
                flags: before.flags.bits(),
                pad: 0,
            };
            copyout(&words, old)?;
        }
        if let Some(action) = action {
            proc.sig.actions.borrow_mut()[signo as usize % NSIG as usize] = action;
            if action.ignores(signo) {
                discard(proc, SigSet::of(signo));
            }
        }
        Ok(())
    }
}

syscall! {
    /// sigprocmask(2).
    fn sys___sigprocmask14(how: i32, set: usize, old: usize) -> Result<(), Errno> {
        let lwp = curlwp();
        let before = lwp.sig.mask.get();
        let after = if set == 0 {
            None
        } else {
            let set = SigSet::copyin(set)?;
            Some(match how {
                1 => before.union(set),
                2 => before.minus(set),
                3 => set,
                _ => return Err(Errno::EINVAL),
            })
        };
        if old != 0 {
            before.copyout(old)?;
        }
        if let Some(mask) = after {
            set_mask(lwp, mask);
        }
        Ok(())
    }
}

syscall! {
    /// sigpending(2).
    fn sys___sigpending14(set: usize) -> Result<(), Errno> {
        let lwp = curlwp();
        let own = lwp.sig.pending.borrow().set();
        let all = own.union(lwp.proc.sig.pending.borrow().set());
        all.copyout(set)
    }
}

/// What sigaltstack(2) tells of an LWP's alternate stack.
fn altstack_of(lwp: &Lwp) -> Stack {
    let altstack = lwp.sig.altstack.get();
    let flags = if !altstack.enabled {
        SS_DISABLE
    } else if altstack.contains(user::sp()) {
        SS_ONSTACK
    } else {
        0
    };
    Stack { sp: altstack.base as u64, size: altstack.size_bytes as u64, flags, pad: 0 }
}

syscall! {
    /// sigaltstack(2).
    fn sys___sigaltstack14(new: usize, old: usize) -> Result<(), Errno> {
        let lwp = curlwp();
        let before = altstack_of(lwp);
        let wanted: Option<Stack> = if new == 0 { None } else { Some(copyin(new)?) };
        copyout_opt(&before, old)?;
        let Some(wanted) = wanted else { return Ok(()) };
        if wanted.flags & !(SS_ONSTACK | SS_DISABLE) != 0 {
            return Err(Errno::EINVAL);
        }
        if before.flags & SS_ONSTACK != 0 {
            return Err(Errno::EINVAL);
        }
        if wanted.flags & SS_DISABLE != 0 {
            lwp.sig.altstack.set(AltStack::NONE);
            return Ok(());
        }
        if wanted.size < MINSIGSTKSZ {
            return Err(Errno::ENOMEM);
        }
        lwp.sig.altstack.set(AltStack { base: wanted.sp as usize, size_bytes: wanted.size as usize, enabled: true });
        Ok(())
    }
}

/// Checks whom kill(2) means: the process, its group, or everybody, which are all the one process.
fn check_target(pid: i32) -> Result<(), Errno> {
    let proc = curproc();
    match pid {
        0 | -1 => Ok(()),
        _ if pid == proc.pid || pid == -proc.pid => Ok(()),
        _ => Err(Errno::ESRCH),
    }
}

syscall! {
    /// kill(2).
    fn sys_kill(pid: i32, signo: i32) -> Result<(), Errno> {
        if signo != 0 && !is_signal(signo) {
            return Err(Errno::EINVAL);
        }
        check_target(pid)?;
        if signo == 0 {
            return Ok(());
        }
        kpsignal(curproc(), KsigInfo::sent(signo, SI_USER, 0))
    }
}

syscall! {
    /// sigqueueinfo(2).
    fn sys_sigqueueinfo(pid: i32, info: usize) -> Result<(), Errno> {
        let bytes: [u8; SIGINFO_SIZE] = copyin(info)?;
        let mut info = KsigInfo::from_bytes(&bytes);
        if pid <= 0 || !is_signal(info.signo) {
            return Err(Errno::EINVAL);
        }
        check_target(pid)?;
        info.code = SI_QUEUE;
        kpsignal(curproc(), info)
    }
}

syscall! {
    /// getcontext(2).
    fn sys_getcontext(context: usize) -> Result<(), Errno> {
        let lwp = curlwp();
        // Through the gate there are no registers to be had: layer 2 has a getcontext of its own.
        let frame = user::frame().ok_or(Errno::ENOSYS)?;
        let mut uc = getucontext(lwp, frame);
        let mut area = FpuArea::new();
        user::fpu_save(&mut area.0);
        put_fpregs(&mut uc, &area);
        uc.stack = altstack_of(lwp);
        uc.flags |= UC_STACK;
        copyout(&uc, context)
    }
}

/// Goes on with a context of the application's.
///
/// # Errors
/// EFAULT or EINVAL if it is none.
pub fn setcontext(context: usize) -> Result<(), Errno> {
    let lwp = curlwp();
    if context == 0 {
        crate::exit::exit1(0);
    }
    let uc = copyin_ucontext(context)?;
    if uc.flags & UC_CPU == 0 {
        return Err(Errno::EINVAL);
    }
    setucontext(lwp, &uc)?;
    let frame = frame_of(&uc.gregs);
    user::enter(&frame)
}

syscall! {
    /// setcontext(2): does not come back.
    fn sys_setcontext(context: usize) -> Result<(), Errno> {
        setcontext(context)
    }
}
