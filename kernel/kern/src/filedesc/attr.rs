//! What a file is, by descriptor: fstat(2), ftruncate(2), fsync(2) and their relatives, flock(2), fpathconf(2).

use rump_abi::fcntl::{LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, POSIX_FADV_NOREUSE};
use rump_abi::types::{self, Stat};
use rump_abi::unistd::{FDATASYNC, FDISKSYNC, FFILESYNC};

use crate::clock::Timespec;
use crate::copy::copyout;
use crate::errno::Errno;
use crate::file::flag::FWRITE;
use crate::file::{Attr, LockKind, Wait};
use crate::filedesc::{getfile, getfile_for};
use crate::syscall;

/// `struct stat` from what a file says of itself.
fn stat(attr: &Attr) -> Stat {
    let time = |time: Timespec| types::Timespec { tv_sec: time.sec, tv_nsec: time.nsec };
    Stat {
        st_dev: attr.dev,
        st_mode: attr.mode,
        st_ino: attr.ino,
        st_nlink: attr.nlink,
        st_uid: attr.uid,
        st_gid: attr.gid,
        st_rdev: attr.rdev,
        st_atim: time(attr.atime),
        st_mtim: time(attr.mtime),
        st_ctim: time(attr.ctime),
        st_birthtim: time(attr.birthtime),
        st_size: attr.size,
        st_blocks: attr.blocks,
        st_blksize: attr.blksize.cast_signed(),
        st_flags: attr.flags,
        st_gen: attr.generation,
        ..Stat::ZERO
    }
}

/// Writes a `struct stat` to the application.
///
/// # Errors
/// EFAULT.
pub fn copyout_stat(attr: &Attr, addr: usize) -> Result<(), Errno> {
    copyout(&stat(attr), addr)
}

syscall! {
    /// fstat(2).
    fn sys___fstat50(fd: i32, addr: usize) -> Result<(), Errno> {
        let file = getfile(fd)?;
        copyout_stat(&file.ops.stat(&file.head)?, addr)
    }
}

syscall! {
    /// ftruncate(2).
    fn sys_ftruncate(fd: i32, _pad: i32, length: i64) -> Result<(), Errno> {
        let file = getfile(fd)?;
        let length = u64::try_from(length).map_err(|_| Errno::EINVAL)?;
        if !file.head.has(FWRITE) {
            return Err(Errno::EINVAL);
        }
        file.ops.truncate(&file.head, length)
    }
}

/// A range of posix_fallocate(2), fdiscard(2), fsync_range(2): its offset and its length.
fn range(offset: i64, len: i64) -> Result<(u64, u64), Errno> {
    let start = u64::try_from(offset).map_err(|_| Errno::EINVAL)?;
    let len = u64::try_from(len).map_err(|_| Errno::EINVAL)?;
    Ok((start, len))
}

syscall! {
    /// posix_fallocate(2): returns the error instead of setting it.
    fn sys_posix_fallocate(fd: i32, _pad: i32, offset: i64, len: i64) -> Result<i32, Errno> {
        let allocate = || {
            let (start, len) = range(offset, len)?;
            if len == 0 {
                return Err(Errno::EINVAL);
            }
            if start.checked_add(len).is_none_or(|end| end > i64::MAX as u64) {
                return Err(Errno::EFBIG);
            }
            let file = getfile_for(fd, FWRITE)?;
            file.ops.allocate(&file.head, start, len)
        };
        Ok(allocate().err().map_or(0, |errno| errno.0))
    }
}

syscall! {
    /// fdiscard(2).
    fn sys_fdiscard(fd: i32, _pad: i32, offset: i64, len: i64) -> Result<(), Errno> {
        let (start, len) = range(offset, len)?;
        let file = getfile_for(fd, FWRITE)?;
        file.ops.discard(&file.head, start, len)
    }
}

syscall! {
    /// posix_fadvise(2): there is no disk to read ahead from; the arguments are checked. Returns the error instead of setting it.
    fn sys___posix_fadvise50(fd: i32, _pad: i32, offset: i64, len: i64, advice: i32) -> Result<i32, Errno> {
        let check = || {
            let file = getfile(fd)?;
            if !file.ops.is_vnode() {
                return Err(if file.ops.seek(&file.head, 0, 1).is_err() { Errno::ESPIPE } else { Errno::EBADF });
            }
            let (start, len) = range(offset, len)?;
            if start.checked_add(len).is_none() || !(0..=POSIX_FADV_NOREUSE).contains(&advice) {
                return Err(Errno::EINVAL);
            }
            Ok(())
        };
        Ok(check().err().map_or(0, |errno| errno.0))
    }
}

syscall! {
    /// fsync(2).
    fn sys_fsync(fd: i32) -> Result<(), Errno> {
        let file = getfile(fd)?;
        file.ops.sync(&file.head)
    }
}

syscall! {
    /// fdatasync(2).
    fn sys_fdatasync(fd: i32) -> Result<(), Errno> {
        let file = getfile_for(fd, FWRITE)?;
        file.ops.sync(&file.head)
    }
}

syscall! {
    /// fsync_range(2).
    fn sys_fsync_range(fd: i32, how: i32, offset: i64, len: i64) -> Result<(), Errno> {
        if how & !(FDATASYNC | FFILESYNC | FDISKSYNC) != 0 || how & (FDATASYNC | FFILESYNC) == (FDATASYNC | FFILESYNC)
            || how & (FDATASYNC | FFILESYNC) == 0
        {
            return Err(Errno::EINVAL);
        }
        let (start, len) = range(offset, len)?;
        start.checked_add(len).ok_or(Errno::EINVAL)?;
        let file = getfile_for(fd, FWRITE)?;
        file.ops.sync(&file.head)
    }
}

syscall! {
    /// flock(2).
    fn sys_flock(fd: i32, how: i32) -> Result<(), Errno> {
        let file = getfile(fd)?;
        if !file.ops.is_vnode() {
            return Err(Errno::EOPNOTSUPP);
        }
        let wait = if how & LOCK_NB != 0 { Wait::No } else { Wait::Yes };
        let kind = match how & !LOCK_NB {
            LOCK_UN => {
                file.head.has_lock.set(false);
                file.ops.unlock(&file.head, file.head.id());
                return Ok(());
            }
            LOCK_SH => LockKind::Shared,
            LOCK_EX => LockKind::Exclusive,
            _ => return Err(Errno::EINVAL),
        };
        file.ops.lock(&file.head, file.head.id(), kind, wait)?;
        file.head.has_lock.set(true);
        Ok(())
    }
}

syscall! {
    /// fpathconf(2).
    fn sys_fpathconf(fd: i32, name: i32) -> Result<i64, Errno> {
        let file = getfile(fd)?;
        file.ops.pathconf(&file.head, name)
    }
}
