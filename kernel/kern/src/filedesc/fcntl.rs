//! fcntl(2).
//!
//! Record locks belong to the process, and there is one process: its own locks never stand in its way. So setting one checks what can be wrong
//! with the request and needs no book-keeping, and asking for one that blocks finds none. (flock(2) is another matter: its locks
//! belong to open files, see [`crate::file::FileOps::lock`].)

use rump_abi::fcntl::{
    F_CLOSEM, F_DUPFD, F_DUPFD_CLOBOTH, F_DUPFD_CLOEXEC, F_DUPFD_CLOFORK, F_GETFD, F_GETFL, F_GETLK,
    F_GETNOSIGPIPE, F_GETOWN, F_GETPATH, F_MAXFD, F_RDLCK, F_SETFD, F_SETFL, F_SETLK, F_SETLKW,
    F_SETNOSIGPIPE, F_SETOWN, F_UNLCK, F_WRLCK,
};
use rump_abi::ioctl::{FIOGETOWN, FIOSETOWN};
use rump_abi::limits::PATH_MAX;

use crate::copy::{copyin, copyout, copyout_bytes};
use crate::curproc;
use crate::errno::Errno;
use crate::file::{File, FileOps, flag};
use crate::filedesc::{FD_CLOEXEC, FD_CLOFORK, FD_MAX, getfile};
use crate::rlimit;
use crate::{pod, syscall};

/// The types of a lock, as `struct flock` has them.
const RDLCK: i16 = F_RDLCK as i16;
const UNLCK: i16 = F_UNLCK as i16;
const WRLCK: i16 = F_WRLCK as i16;

/// The room that F_GETPATH's argument has.
const PATH_ROOM: usize = PATH_MAX as usize;

/// `struct flock`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Flock {
    start: i64,
    len: i64,
    pid: i32,
    kind: i16,
    whence: i16,
}

pod!(Flock);

fn dupfd(fd: i32, from: usize, flags: u8) -> Result<i32, Errno> {
    let limit = rlimit::nofile();
    // The argument is an int: a negative one is a large number here.
    if from >= limit.min(FD_MAX) {
        return Err(Errno::EINVAL);
    }
    curproc().fd.install_from(getfile(fd)?, flags, from, limit)
}

fn set_fd_flags(fd: i32, flags: usize) -> Result<i32, Errno> {
    let keep = if flags & usize::from(FD_CLOEXEC) != 0 { FD_CLOEXEC } else { 0 }
        | if flags & usize::from(FD_CLOFORK) != 0 { FD_CLOFORK } else { 0 };
    curproc().fd.set_flags(fd, keep)?;
    Ok(0)
}

/// Changes those of [`flag::FCNTLFLAGS`].
pub(crate) fn set_status_flags(file: &File<dyn FileOps>, flags: u32) -> Result<(), Errno> {
    let new = file.head.flags.get() & !flag::FCNTLFLAGS | flags & flag::FCNTLFLAGS;
    file.ops.set_flags(&file.head, new)?;
    file.head.flags.set(new);
    Ok(())
}

fn check_lock(file: &File<dyn FileOps>, lock: &Flock) -> Result<(), Errno> {
    if !file.ops.is_vnode() {
        return Err(Errno::EINVAL);
    }
    let base = match lock.whence {
        0 => 0,
        1 => file.head.offset.get(),
        2 => file.ops.stat(&file.head)?.size,
        _ => return Err(Errno::EINVAL),
    };
    let start = base.checked_add(lock.start).ok_or(Errno::EOVERFLOW)?;
    let start = if lock.len < 0 { start.checked_add(lock.len).ok_or(Errno::EINVAL)? } else { start };
    if start < 0 || start.checked_add(lock.len.max(0)).is_none() {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

fn set_lock(file: &File<dyn FileOps>, addr: usize) -> Result<i32, Errno> {
    let lock: Flock = copyin(addr)?;
    check_lock(file, &lock)?;
    let access = match lock.kind {
        RDLCK => flag::FREAD,
        WRLCK => flag::FWRITE,
        UNLCK => 0,
        _ => return Err(Errno::EINVAL),
    };
    if file.head.has(access) { Ok(0) } else { Err(Errno::EBADF) }
}

fn get_lock(file: &File<dyn FileOps>, addr: usize) -> Result<i32, Errno> {
    let mut lock: Flock = copyin(addr)?;
    if !matches!(lock.kind, RDLCK | WRLCK | UNLCK) {
        return Err(Errno::EINVAL);
    }
    check_lock(file, &lock)?;
    lock.kind = UNLCK;
    copyout(&lock, addr)?;
    Ok(0)
}

fn get_path(file: &File<dyn FileOps>, addr: usize) -> Result<i32, Errno> {
    let mut path = file.ops.path(&file.head)?;
    if path.len() >= PATH_ROOM {
        return Err(Errno::ERANGE);
    }
    path.push(0);
    copyout_bytes(&path, addr)?;
    Ok(0)
}

fn owner(file: &File<dyn FileOps>) -> Result<i32, Errno> {
    let mut data = [0; 4];
    file.ops.ioctl(&file.head, FIOGETOWN, &mut data)?;
    Ok(i32::from_le_bytes(data))
}

/// Closes every descriptor from `from` on.
fn closem(from: i32) -> Result<i32, Errno> {
    if from < 0 {
        return Err(Errno::EBADF);
    }
    let table = &curproc().fd;
    loop {
        let highest = table.highest();
        if highest < from {
            return Ok(0);
        }
        table.close(highest)?;
    }
}

syscall! {
    /// fcntl(2).
    fn sys_fcntl(fd: i32, cmd: i32, arg: usize) -> Result<i32, Errno> {
        // Arguments that are an int come as a word whose upper half means nothing.
        let int = arg as i32;
        let from = arg as u32 as usize;
        match cmd {
            F_CLOSEM => return closem(fd),
            F_MAXFD => return Ok(curproc().fd.highest()),
            _ => {}
        }
        let file = getfile(fd)?;
        match cmd {
            F_DUPFD => dupfd(fd, from, 0),
            F_DUPFD_CLOEXEC => dupfd(fd, from, FD_CLOEXEC),
            F_DUPFD_CLOFORK => dupfd(fd, from, FD_CLOFORK),
            F_DUPFD_CLOBOTH => dupfd(fd, from, FD_CLOEXEC | FD_CLOFORK),
            F_GETFD => curproc().fd.flags(fd).map(i32::from),
            F_SETFD => set_fd_flags(fd, arg),
            // The access mode of open(2) is one less than FREAD and FWRITE.
            F_GETFL => Ok(file.head.flags.get().wrapping_sub(1).cast_signed()),
            F_SETFL => set_status_flags(&file, int.cast_unsigned()).map(|()| 0),
            F_GETOWN => owner(&file),
            F_SETOWN => file.ops.ioctl(&file.head, FIOSETOWN, &mut int.to_le_bytes()),
            F_GETLK => get_lock(&file, arg),
            F_SETLK | F_SETLKW => set_lock(&file, arg),
            F_GETNOSIGPIPE => Ok(i32::from(file.head.has(flag::FNOSIGPIPE))),
            F_SETNOSIGPIPE => {
                let rest = file.head.flags.get() & !flag::FNOSIGPIPE;
                file.head.flags.set(if int == 0 { rest } else { rest | flag::FNOSIGPIPE });
                Ok(0)
            }
            F_GETPATH => get_path(&file, arg),
            _ => Err(Errno::EINVAL),
        }
    }
}
