//! Who the process is (getpid(2), getuid(2) …). It is root, alone in its group and session.
//!
//! Changing to the identity that one has works. Another identity would change nothing real, as there is nobody else; it is
//! remembered, since programs check that they got it.

use rump_hypercall::Giant;

use crate::copy::{copyin_slice, copyout_bytes, copyout_slice};
use crate::errno::Errno;
use crate::lwp::curlwp;
use crate::proc::curproc;
use crate::syscall;

/// NGROUPS_MAX.
pub const NGROUPS_MAX: usize = 16;

/// LOGIN_NAME_MAX of the kernel (MAXLOGNAME).
const LOGIN_MAX_BYTES: usize = 24;

/// Whose identity the process has.
#[derive(Clone, Copy)]
struct Cred {
    ruid: u32,
    euid: u32,
    svuid: u32,
    rgid: u32,
    egid: u32,
    svgid: u32,
    groups: [u32; NGROUPS_MAX],
    group_count: usize,
    login: [u8; LOGIN_MAX_BYTES],
}

static CRED: Giant<Cred> = Giant::new(Cred {
    ruid: 0,
    euid: 0,
    svuid: 0,
    rgid: 0,
    egid: 0,
    svgid: 0,
    groups: [0; NGROUPS_MAX],
    group_count: 1,
    login: *b"root\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
});

/// Effective user and group.
#[must_use]
pub fn effective() -> (u32, u32) {
    let cred = CRED.borrow();
    (cred.euid, cred.egid)
}

/// Real user and group.
#[must_use]
pub fn real() -> (u32, u32) {
    let cred = CRED.borrow();
    (cred.ruid, cred.rgid)
}

/// The groups besides: all that there can be, and how many of them there are.
#[must_use]
pub fn groups() -> ([u32; NGROUPS_MAX], usize) {
    let cred = CRED.borrow();
    (cred.groups, cred.group_count)
}

syscall! {
    /// getpid(2); the second value is the parent's number.
    fn sys_getpid() -> Result<(i32, i32), Errno> {
        let proc = curproc();
        Ok((proc.pid, proc.ppid))
    }
}

syscall! {
    /// getppid(2).
    fn sys_getppid() -> Result<i32, Errno> {
        Ok(curproc().ppid)
    }
}

fn word(id: u32) -> i32 {
    id.cast_signed()
}

syscall! {
    /// getuid(2); the second value is the effective one.
    fn sys_getuid() -> Result<(i32, i32), Errno> {
        let cred = CRED.borrow();
        Ok((word(cred.ruid), word(cred.euid)))
    }
}

syscall! {
    /// geteuid(2).
    fn sys_geteuid() -> Result<i32, Errno> {
        Ok(word(CRED.borrow().euid))
    }
}

syscall! {
    /// getgid(2); the second value is the effective one.
    fn sys_getgid() -> Result<(i32, i32), Errno> {
        let cred = CRED.borrow();
        Ok((word(cred.rgid), word(cred.egid)))
    }
}

syscall! {
    /// getegid(2).
    fn sys_getegid() -> Result<i32, Errno> {
        Ok(word(CRED.borrow().egid))
    }
}

/// Whether somebody who is not root may take this identity.
fn permit(cred: &Cred, allowed: bool) -> Result<(), Errno> {
    if cred.euid == 0 || allowed { Ok(()) } else { Err(Errno::EPERM) }
}

syscall! {
    /// setuid(2).
    fn sys_setuid(uid: u32) -> Result<(), Errno> {
        let mut cred = CRED.borrow_mut();
        permit(&cred, uid == cred.ruid)?;
        (cred.ruid, cred.euid, cred.svuid) = (uid, uid, uid);
        Ok(())
    }
}

syscall! {
    /// seteuid(2).
    fn sys_seteuid(uid: u32) -> Result<(), Errno> {
        let mut cred = CRED.borrow_mut();
        permit(&cred, uid == cred.ruid || uid == cred.svuid)?;
        cred.euid = uid;
        Ok(())
    }
}

syscall! {
    /// setreuid(2).
    fn sys_setreuid(ruid: u32, euid: u32) -> Result<(), Errno> {
        let mut cred = CRED.borrow_mut();
        let known = |id: u32| id == u32::MAX || id == cred.ruid || id == cred.euid || id == cred.svuid;
        permit(&cred, known(ruid) && known(euid))?;
        if ruid != u32::MAX {
            cred.ruid = ruid;
        }
        if euid != u32::MAX {
            cred.euid = euid;
            cred.svuid = euid;
        }
        Ok(())
    }
}

syscall! {
    /// setgid(2).
    fn sys_setgid(gid: u32) -> Result<(), Errno> {
        let mut cred = CRED.borrow_mut();
        permit(&cred, gid == cred.rgid)?;
        (cred.rgid, cred.egid, cred.svgid) = (gid, gid, gid);
        Ok(())
    }
}

syscall! {
    /// setegid(2).
    fn sys_setegid(gid: u32) -> Result<(), Errno> {
        let mut cred = CRED.borrow_mut();
        permit(&cred, gid == cred.rgid || gid == cred.svgid)?;
        cred.egid = gid;
        Ok(())
    }
}

syscall! {
    /// setregid(2).
    fn sys_setregid(rgid: u32, egid: u32) -> Result<(), Errno> {
        let mut cred = CRED.borrow_mut();
        let known = |id: u32| id == u32::MAX || id == cred.rgid || id == cred.egid || id == cred.svgid;
        permit(&cred, known(rgid) && known(egid))?;
        if rgid != u32::MAX {
            cred.rgid = rgid;
        }
        if egid != u32::MAX {
            cred.egid = egid;
            cred.svgid = egid;
        }
        Ok(())
    }
}

syscall! {
    /// issetugid(2).
    fn sys_issetugid() -> Result<i32, Errno> {
        Ok(0)
    }
}

syscall! {
    /// getgroups(2).
    fn sys_getgroups(count: i32, list: usize) -> Result<usize, Errno> {
        let (groups, have) = groups();
        let room = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
        if room == 0 {
            return Ok(have);
        }
        if room < have {
            return Err(Errno::EINVAL);
        }
        copyout_slice(&groups[..have], list)?;
        Ok(have)
    }
}

syscall! {
    /// setgroups(2).
    fn sys_setgroups(count: i32, list: usize) -> Result<(), Errno> {
        let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
        let groups = copyin_slice::<u32>(list, count, NGROUPS_MAX)?;
        let mut cred = CRED.borrow_mut();
        permit(&cred, false)?;
        cred.groups[..count].copy_from_slice(&groups);
        cred.group_count = count;
        Ok(())
    }
}

/// Checks that a process number means the one process.
fn check_pid(pid: i32) -> Result<i32, Errno> {
    let own = curproc().pid;
    if pid == 0 || pid == own { Ok(own) } else { Err(Errno::ESRCH) }
}

syscall! {
    /// getpgrp(2).
    fn sys_getpgrp() -> Result<i32, Errno> {
        Ok(curproc().pid)
    }
}

syscall! {
    /// getpgid(2).
    fn sys_getpgid(pid: i32) -> Result<i32, Errno> {
        check_pid(pid)
    }
}

syscall! {
    /// setpgid(2): a session's leader stays in its group.
    fn sys_setpgid(pid: i32, pgid: i32) -> Result<(), Errno> {
        if pgid < 0 {
            return Err(Errno::EINVAL);
        }
        check_pid(pid)?;
        Err(Errno::EPERM)
    }
}

syscall! {
    /// getsid(2).
    fn sys_getsid(pid: i32) -> Result<i32, Errno> {
        check_pid(pid)
    }
}

syscall! {
    /// setsid(2): the process leads its group already.
    fn sys_setsid() -> Result<i32, Errno> {
        Err(Errno::EPERM)
    }
}

syscall! {
    /// getlogin(2).
    fn sys___getlogin(buf: usize, len: usize) -> Result<(), Errno> {
        let login = CRED.borrow().login;
        copyout_bytes(&login[..len.min(LOGIN_MAX_BYTES)], buf)
    }
}

syscall! {
    /// setlogin(2).
    fn sys___setlogin(name: usize) -> Result<(), Errno> {
        let name = crate::copy::copyinstr(name, LOGIN_MAX_BYTES)?;
        let mut cred = CRED.borrow_mut();
        permit(&cred, false)?;
        cred.login = [0; LOGIN_MAX_BYTES];
        cred.login[..name.len()].copy_from_slice(&name);
        Ok(())
    }
}

/// `which` of getpriority(2).
fn check_whom(which: i32, who: i32) -> Result<(), Errno> {
    match which {
        0 | 1 => check_pid(who).map(|_| ()),
        2 if who == 0 || who.cast_unsigned() == real().0 => Ok(()),
        2 => Err(Errno::ESRCH),
        _ => Err(Errno::EINVAL),
    }
}

static NICE: Giant<i32> = Giant::new(0);

syscall! {
    /// getpriority(2).
    fn sys_getpriority(which: i32, who: i32) -> Result<i32, Errno> {
        check_whom(which, who)?;
        Ok(NICE.get())
    }
}

syscall! {
    /// setpriority(2): there is no other process to be nice to.
    fn sys_setpriority(which: i32, who: i32, priority: i32) -> Result<(), Errno> {
        check_whom(which, who)?;
        NICE.set(priority.clamp(-20, 20));
        Ok(())
    }
}

syscall! {
    /// sched_yield(2).
    fn sys_sched_yield() -> Result<(), Errno> {
        let _ = curlwp();
        rump_hypercall::thread::yield_now();
        Ok(())
    }
}
