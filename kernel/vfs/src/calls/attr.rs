//! Changing what a file is: chmod(2), chown(2), chflags(2), utimes(2), truncate(2); pathconf(2).

use rump_abi::limits::LINK_MAX;
use rump_abi::stat::{UTIME_NOW, UTIME_OMIT};
use rump_abi::unistd::*;
use rump_kern::clock::{Timespec, Timeval, nanotime};
use rump_kern::copy::copyin;
use rump_kern::errno::Errno;
use rump_kern::filedesc::getfile;
use rump_kern::pipe::PIPE_BUF;
use rump_kern::{prot, syscall};

use super::AT_FDCWD;
use super::stat::follow;
use crate::access::{self, Access};
use crate::file::vnode_of;
use crate::namei::{self, Follow, NAME_LEN_MAX, PATH_ROOM};
use crate::note::{NOTE_ATTRIB, NOTE_WRITE, note};
use crate::vnode::{Kind, SetAttr, Vnode, VnodeRef};

const ALLPERMS: u32 = 0o7777;
const S_ISUID: u32 = 0o4000;
const S_ISGID: u32 = 0o2000;

fn change(vnode: &dyn Vnode, change: &SetAttr) -> Result<(), Errno> {
    vnode.set_attr(change)?;
    note(vnode, NOTE_ATTRIB);
    Ok(())
}

fn change_mode(vnode: &dyn Vnode, mode: u32) -> Result<(), Errno> {
    access::check_owner(vnode)?;
    if mode & !ALLPERMS & !0o170_000 != 0 {
        return Err(Errno::EFTYPE);
    }
    change(vnode, &SetAttr { mode: Some(mode & ALLPERMS), ..SetAttr::default() })
}

syscall! {
    /// chmod(2).
    fn sys_chmod(path: usize, mode: u32) -> Result<(), Errno> {
        change_mode(&*namei::lookup_at(AT_FDCWD, path, Follow::Yes)?, mode)
    }
}

syscall! {
    /// lchmod(2).
    fn sys_lchmod(path: usize, mode: u32) -> Result<(), Errno> {
        change_mode(&*namei::lookup_at(AT_FDCWD, path, Follow::No)?, mode)
    }
}

syscall! {
    /// fchmod(2).
    fn sys_fchmod(fd: i32, mode: u32) -> Result<(), Errno> {
        let file = getfile(fd)?;
        change_mode(&**vnode_of(&file)?, mode)
    }
}

syscall! {
    /// fchmodat(2).
    fn sys_fchmodat(fd: i32, path: usize, mode: u32, flags: i32) -> Result<(), Errno> {
        change_mode(&*namei::lookup_at(fd, path, follow(flags, 0)?)?, mode)
    }
}

/// Changes owner and group, where they are not -1. Who is not the superuser loses the set-id bits by it.
fn change_owner(vnode: &dyn Vnode, uid: u32, gid: u32) -> Result<(), Errno> {
    let given = |id: u32| (id != u32::MAX).then_some(id);
    let attr = vnode.attr();
    let (euid, egid) = prot::effective();
    if euid != 0 {
        let keeps_owner = given(uid).is_none_or(|uid| uid == attr.uid);
        let own_group = given(gid).is_none_or(|gid| gid == attr.gid || gid == egid);
        if euid != attr.uid || !keeps_owner || !own_group {
            return Err(Errno::EPERM);
        }
    }
    let mode = (euid != 0).then_some(attr.mode & ALLPERMS & !(S_ISUID | S_ISGID));
    change(vnode, &SetAttr { uid: given(uid), gid: given(gid), mode, ..SetAttr::default() })
}

syscall! {
    /// chown(2).
    fn sys_chown(path: usize, uid: u32, gid: u32) -> Result<(), Errno> {
        change_owner(&*namei::lookup_at(AT_FDCWD, path, Follow::Yes)?, uid, gid)
    }
}

syscall! {
    /// chown(2) as POSIX.1 has it.
    fn sys___posix_chown(path: usize, uid: u32, gid: u32) -> Result<(), Errno> {
        change_owner(&*namei::lookup_at(AT_FDCWD, path, Follow::Yes)?, uid, gid)
    }
}

syscall! {
    /// lchown(2).
    fn sys_lchown(path: usize, uid: u32, gid: u32) -> Result<(), Errno> {
        change_owner(&*namei::lookup_at(AT_FDCWD, path, Follow::No)?, uid, gid)
    }
}

syscall! {
    /// lchown(2) as POSIX.1 has it.
    fn sys___posix_lchown(path: usize, uid: u32, gid: u32) -> Result<(), Errno> {
        change_owner(&*namei::lookup_at(AT_FDCWD, path, Follow::No)?, uid, gid)
    }
}

syscall! {
    /// fchown(2).
    fn sys_fchown(fd: i32, uid: u32, gid: u32) -> Result<(), Errno> {
        let file = getfile(fd)?;
        change_owner(&**vnode_of(&file)?, uid, gid)
    }
}

syscall! {
    /// fchown(2) as POSIX.1 has it.
    fn sys___posix_fchown(fd: i32, uid: u32, gid: u32) -> Result<(), Errno> {
        let file = getfile(fd)?;
        change_owner(&**vnode_of(&file)?, uid, gid)
    }
}

syscall! {
    /// fchownat(2).
    fn sys_fchownat(fd: i32, path: usize, uid: u32, gid: u32, flags: i32) -> Result<(), Errno> {
        change_owner(&*namei::lookup_at(fd, path, follow(flags, 0)?)?, uid, gid)
    }
}

fn change_flags(vnode: &dyn Vnode, flags: u64) -> Result<(), Errno> {
    access::check_owner(vnode)?;
    let flags = u32::try_from(flags).map_err(|_| Errno::EINVAL)?;
    change(vnode, &SetAttr { flags: Some(flags), ..SetAttr::default() })
}

syscall! {
    /// chflags(2).
    fn sys_chflags(path: usize, flags: u64) -> Result<(), Errno> {
        change_flags(&*namei::lookup_at(AT_FDCWD, path, Follow::Yes)?, flags)
    }
}

syscall! {
    /// lchflags(2).
    fn sys_lchflags(path: usize, flags: u64) -> Result<(), Errno> {
        change_flags(&*namei::lookup_at(AT_FDCWD, path, Follow::No)?, flags)
    }
}

syscall! {
    /// fchflags(2).
    fn sys_fchflags(fd: i32, flags: u64) -> Result<(), Errno> {
        let file = getfile(fd)?;
        change_flags(&**vnode_of(&file)?, flags)
    }
}

/// Two times, each of them to be set to something, to now, or not at all.
struct Times {
    access: Option<Timespec>,
    modification: Option<Timespec>,
    /// No time but now is asked for: whoever may write the file may do that.
    only_now: bool,
}

/// What `struct timespec` says of a time.
fn one_time(time: Timespec, now: Timespec) -> Result<Option<Timespec>, Errno> {
    match time.nsec {
        nsec if nsec == i64::from(UTIME_NOW) => Ok(Some(now)),
        nsec if nsec == i64::from(UTIME_OMIT) => Ok(None),
        0..1_000_000_000 => Ok(Some(time)),
        _ => Err(Errno::EINVAL),
    }
}

fn timespecs(addr: usize) -> Result<Times, Errno> {
    let now = nanotime();
    if addr == 0 {
        return Ok(Times { access: Some(now), modification: Some(now), only_now: true });
    }
    let [access, modification]: [Timespec; 2] = copyin(addr)?;
    let only_now = access.nsec == i64::from(UTIME_NOW) && modification.nsec == i64::from(UTIME_NOW);
    Ok(Times { access: one_time(access, now)?, modification: one_time(modification, now)?, only_now })
}

fn timevals(addr: usize) -> Result<Times, Errno> {
    if addr == 0 {
        return timespecs(0);
    }
    let values: [Timeval; 2] = copyin(addr)?;
    if values.iter().any(|value| !(0..1_000_000).contains(&value.usec)) {
        return Err(Errno::EINVAL);
    }
    let [access, modification] =
        values.map(|value| Timespec { sec: value.sec, nsec: i64::from(value.usec) * 1000 });
    Ok(Times { access: Some(access), modification: Some(modification), only_now: false })
}

fn change_times(vnode: &dyn Vnode, times: &Times) -> Result<(), Errno> {
    if access::check_owner(vnode).is_err() {
        if !times.only_now {
            return Err(Errno::EPERM);
        }
        access::check(vnode, Access::WRITE)?;
    }
    if times.access.is_none() && times.modification.is_none() {
        return Ok(());
    }
    change(vnode, &SetAttr { atime: times.access, mtime: times.modification, ..SetAttr::default() })
}

syscall! {
    /// utimes(2).
    fn sys___utimes50(path: usize, addr: usize) -> Result<(), Errno> {
        change_times(&*namei::lookup_at(AT_FDCWD, path, Follow::Yes)?, &timevals(addr)?)
    }
}

syscall! {
    /// lutimes(2).
    fn sys___lutimes50(path: usize, addr: usize) -> Result<(), Errno> {
        change_times(&*namei::lookup_at(AT_FDCWD, path, Follow::No)?, &timevals(addr)?)
    }
}

syscall! {
    /// futimes(2).
    fn sys___futimes50(fd: i32, addr: usize) -> Result<(), Errno> {
        let file = getfile(fd)?;
        change_times(&**vnode_of(&file)?, &timevals(addr)?)
    }
}

syscall! {
    /// utimensat(2).
    fn sys_utimensat(fd: i32, path: usize, addr: usize, flags: i32) -> Result<(), Errno> {
        change_times(&*namei::lookup_at(fd, path, follow(flags, 0)?)?, &timespecs(addr)?)
    }
}

syscall! {
    /// futimens(2).
    fn sys_futimens(fd: i32, addr: usize) -> Result<(), Errno> {
        let file = getfile(fd)?;
        change_times(&**vnode_of(&file)?, &timespecs(addr)?)
    }
}

syscall! {
    /// truncate(2).
    fn sys_truncate(path: usize, _pad: i32, length: i64) -> Result<(), Errno> {
        let length = u64::try_from(length).map_err(|_| Errno::EINVAL)?;
        let vnode = namei::lookup_at(AT_FDCWD, path, Follow::Yes)?;
        if vnode.kind() == Kind::Directory {
            return Err(Errno::EISDIR);
        }
        access::check(&*vnode, Access::WRITE)?;
        vnode.truncate(length)?;
        note(&*vnode, NOTE_WRITE);
        Ok(())
    }
}

/// pathconf(2) of a file.
///
/// # Errors
/// EINVAL if the name means nothing here.
pub fn pathconf(vnode: &VnodeRef, name: i32) -> Result<i64, Errno> {
    match name {
        _PC_LINK_MAX => Ok(i64::from(LINK_MAX)),
        _PC_NAME_MAX => Ok(NAME_LEN_MAX as i64),
        _PC_PATH_MAX | _PC_SYMLINK_MAX => Ok(PATH_ROOM as i64),
        _PC_PIPE_BUF if matches!(vnode.kind(), Kind::Fifo | Kind::Directory) => Ok(PIPE_BUF as i64),
        _PC_CHOWN_RESTRICTED | _PC_NO_TRUNC | _PC_SYNC_IO | _PC_2_SYMLINKS => Ok(1),
        _PC_FILESIZEBITS => Ok(64),
        _PC_MIN_HOLE_SIZE => Ok(4096),
        _PC_ACL_EXTENDED | _PC_ACL_NFS4 => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}

syscall! {
    /// pathconf(2).
    fn sys_pathconf(path: usize, name: i32) -> Result<i64, Errno> {
        pathconf(&namei::lookup_at(AT_FDCWD, path, Follow::Yes)?, name)
    }
}

syscall! {
    /// lpathconf(2).
    fn sys_lpathconf(path: usize, name: i32) -> Result<i64, Errno> {
        pathconf(&namei::lookup_at(AT_FDCWD, path, Follow::No)?, name)
    }
}
