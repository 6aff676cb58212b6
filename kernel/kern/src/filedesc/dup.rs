//! Making and unmaking descriptors: dup(2), dup2(2), dup3(2), close(2).

use crate::curproc;
use crate::errno::Errno;
use crate::file::flag;
use crate::filedesc::{fd_flags, getfile};
use crate::rlimit;
use crate::syscall;

syscall! {
    /// dup(2).
    fn sys_dup(fd: i32) -> Result<i32, Errno> {
        curproc().fd.install(getfile(fd)?, 0)
    }
}

syscall! {
    /// dup2(2): nothing happens if both are the same.
    fn sys_dup2(from: i32, to: i32) -> Result<i32, Errno> {
        let file = getfile(from)?;
        if from != to {
            curproc().fd.install_at(file, 0, to, rlimit::nofile())?;
        }
        Ok(to)
    }
}

/// The O_ flags that dup3(2) takes.
const DUP3_FLAGS: i32 = 0x0040_0000 | 0x0800_0000 | flag::FNONBLOCK as i32 | flag::FNOSIGPIPE as i32;

fn dup3(from: i32, to: i32, oflags: i32) -> Result<i32, Errno> {
    if oflags & !DUP3_FLAGS != 0 {
        return Err(Errno::EINVAL);
    }
    let file = getfile(from)?;
    let set = oflags.cast_unsigned() & (flag::FNONBLOCK | flag::FNOSIGPIPE);
    if set != 0 {
        file.head.flags.set(file.head.flags.get() | set);
    }
    if from == to {
        curproc().fd.set_flags(to, fd_flags(oflags))?;
    } else {
        curproc().fd.install_at(file, fd_flags(oflags), to, rlimit::nofile())?;
    }
    Ok(to)
}

syscall! {
    /// dup3(2) of NetBSD before 10.1: equal descriptors are no error.
    fn sys_compat_100_dup3(from: i32, to: i32, oflags: i32) -> Result<i32, Errno> {
        dup3(from, to, oflags)
    }
}

syscall! {
    /// dup3(2): equal descriptors are an error, as POSIX.1-2024 has it.
    fn sys___dup3100(from: i32, to: i32, oflags: i32) -> Result<i32, Errno> {
        if from == to {
            return Err(Errno::EINVAL);
        }
        dup3(from, to, oflags)
    }
}

syscall! {
    /// close(2).
    fn sys_close(fd: i32) -> Result<(), Errno> {
        curproc().fd.close(fd)
    }
}
