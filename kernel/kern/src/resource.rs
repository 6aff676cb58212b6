//! What the program has used (getrusage(2)), and on which processors it runs (_sched_setaffinity(2) …).

use crate::clock::{Timeval, proc_cpu_ns};
use crate::copy::{copyin, copyout, copyout_bytes, copyout_opt};
use crate::errno::Errno;
use crate::lwp::{Lwp, curlwp};
use crate::pod;
use crate::syscall;

/// `struct rusage`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Rusage {
    utime: Timeval,
    stime: Timeval,
    maxrss_kib: i64,
    ixrss: i64,
    idrss: i64,
    isrss: i64,
    minflt: i64,
    majflt: i64,
    nswap: i64,
    inblock: i64,
    oublock: i64,
    msgsnd: i64,
    msgrcv: i64,
    nsignals: i64,
    nvcsw: i64,
    nivcsw: i64,
}

pod!(Rusage);

syscall! {
    /// getrusage(2). All processor time is given as the user's: the kernel does not account for its own.
    fn sys___getrusage50(who: i32, usage: usize) -> Result<(), Errno> {
        let proc = crate::curproc();
        let rusage = match who {
            0 => Rusage {
                utime: Timeval::from_ns(proc_cpu_ns(proc)),
                maxrss_kib: (proc.vm.borrow().resident_bytes() / 1024) as i64,
                ..Rusage::default()
            },
            -1 => Rusage::default(),
            _ => return Err(Errno::EINVAL),
        };
        copyout(&rusage, usage)
    }
}

/// SCHED_OTHER.
const SCHED_OTHER: i32 = 0;
/// SCHED_RR, the highest policy.
const SCHED_RR: i32 = 2;
/// SCHED_NONE: leave the policy as it is.
const SCHED_NONE: i32 = -1;

/// Checks process and LWP numbers, of which 0 is one's own.
fn find(pid: i32, lid: i32) -> Result<&'static Lwp, Errno> {
    let me = curlwp();
    if pid != 0 && pid != me.proc.pid {
        return Err(Errno::ESRCH);
    }
    if lid == 0 { Ok(me) } else { me.proc.lwps.find_live(lid).ok_or(Errno::ESRCH) }
}

syscall! {
    /// _sched_getparam(2): LWPs take turns, all with the same priority.
    fn sys__sched_getparam(pid: i32, lid: i32, policy: usize, param: usize) -> Result<(), Errno> {
        find(pid, lid)?;
        copyout_opt(&SCHED_OTHER, policy)?;
        copyout_opt(&0_i32, param)
    }
}

syscall! {
    /// _sched_setparam(2): only what is so already can be asked for.
    fn sys__sched_setparam(pid: i32, lid: i32, policy: i32, param: usize) -> Result<(), Errno> {
        find(pid, lid)?;
        let priority: i32 = copyin(param)?;
        match policy {
            SCHED_NONE | SCHED_OTHER if matches!(priority, -1 | 0) => Ok(()),
            SCHED_NONE..=SCHED_RR => Err(Errno::EPERM),
            _ => Err(Errno::EINVAL),
        }
    }
}

syscall! {
    /// _sched_getaffinity(2): no LWP is bound, which NetBSD says with an empty set.
    fn sys__sched_getaffinity(pid: i32, lid: i32, size: usize, set: usize) -> Result<(), Errno> {
        find(pid, lid)?;
        let bytes = [0; 32];
        if size == 0 {
            return Err(Errno::EINVAL);
        }
        copyout_bytes(&bytes[..size.min(bytes.len())], set)
    }
}

syscall! {
    /// _sched_setaffinity(2): to processor 0, or to none in particular.
    fn sys__sched_setaffinity(pid: i32, lid: i32, size: usize, set: usize) -> Result<(), Errno> {
        find(pid, lid)?;
        if size == 0 {
            return Err(Errno::EINVAL);
        }
        let mut bytes = [0; 32];
        let len = size.min(bytes.len());
        crate::copy::copyin_bytes(set, &mut bytes[..len])?;
        if bytes[0] & !1 != 0 || bytes[1..].iter().any(|&byte| byte != 0) {
            return Err(Errno::EINVAL);
        }
        Ok(())
    }
}
