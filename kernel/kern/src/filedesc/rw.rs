//! read(2), write(2) and their relatives, lseek(2).

use crate::errno::{ERESTART, Errno};
use crate::file::flag::{FREAD, FWRITE};
use crate::file::{File, FileOps};
use crate::filedesc::{getfile, getfile_for};
use crate::syscall;
use crate::uio::{IoVecs, Uio};

/// What a transfer returns: a sleep that was interrupted after some bytes went is a short transfer.
#[inline]
fn outcome(result: Result<(), Errno>, asked: usize, uio: &Uio<'_>) -> Result<usize, Errno> {
    let done = asked - uio.resid();
    match result {
        Ok(()) => Ok(done),
        Err(Errno::EINTR | Errno::EWOULDBLOCK | ERESTART) if done > 0 => Ok(done),
        Err(errno) => Err(errno),
    }
}

fn read_file(file: &File<dyn FileOps>, uio: &mut Uio<'_>) -> Result<usize, Errno> {
    let asked = uio.resid();
    let result = file.ops.read(&file.head, uio);
    outcome(result, asked, uio)
}

fn write_file(file: &File<dyn FileOps>, uio: &mut Uio<'_>) -> Result<usize, Errno> {
    let asked = uio.resid();
    let result = file.ops.write(&file.head, uio);
    if result == Err(Errno::EPIPE) {
        sigpipe(file);
    }
    outcome(result, asked, uio)
}

/// Sends SIGPIPE to the calling LWP, unless the file does without.
pub fn sigpipe(file: &File<dyn FileOps>) {
    if !file.head.has(crate::file::flag::FNOSIGPIPE) {
        crate::signal::psignal(crate::curproc(), crate::signal::number::SIGPIPE);
    }
}

/// An offset of pread(2) and its like.
fn position(offset: i64) -> Result<u64, Errno> {
    u64::try_from(offset).map_err(|_| Errno::EINVAL)
}

syscall! {
    /// read(2).
    fn sys_read(fd: i32, buf: usize, len: usize) -> Result<usize, Errno> {
        let file = getfile_for(fd, FREAD)?;
        read_file(&file, &mut Uio::new(buf, len)?)
    }
}

syscall! {
    /// write(2).
    fn sys_write(fd: i32, buf: usize, len: usize) -> Result<usize, Errno> {
        let file = getfile_for(fd, FWRITE)?;
        write_file(&file, &mut Uio::new(buf, len)?)
    }
}

syscall! {
    /// readv(2).
    fn sys_readv(fd: i32, iov: usize, count: i32) -> Result<usize, Errno> {
        let file = getfile_for(fd, FREAD)?;
        let vecs = IoVecs::copyin(iov, count)?;
        read_file(&file, &mut vecs.uio())
    }
}

syscall! {
    /// writev(2).
    fn sys_writev(fd: i32, iov: usize, count: i32) -> Result<usize, Errno> {
        let file = getfile_for(fd, FWRITE)?;
        let vecs = IoVecs::copyin(iov, count)?;
        write_file(&file, &mut vecs.uio())
    }
}

fn pread_file(fd: i32, offset: i64, uio: &mut Uio<'_>) -> Result<usize, Errno> {
    let file = getfile_for(fd, FREAD)?;
    let asked = uio.resid();
    let result = file.ops.pread(&file.head, uio, position(offset)?);
    outcome(result, asked, uio)
}

fn pwrite_file(fd: i32, offset: i64, uio: &mut Uio<'_>) -> Result<usize, Errno> {
    let file = getfile_for(fd, FWRITE)?;
    let asked = uio.resid();
    let result = file.ops.pwrite(&file.head, uio, position(offset)?);
    outcome(result, asked, uio)
}

syscall! {
    /// pread(2).
    fn sys_pread(fd: i32, buf: usize, len: usize, _pad: i32, offset: i64) -> Result<usize, Errno> {
        pread_file(fd, offset, &mut Uio::new(buf, len)?)
    }
}

syscall! {
    /// pwrite(2).
    fn sys_pwrite(fd: i32, buf: usize, len: usize, _pad: i32, offset: i64) -> Result<usize, Errno> {
        pwrite_file(fd, offset, &mut Uio::new(buf, len)?)
    }
}

syscall! {
    /// preadv(2).
    fn sys_preadv(fd: i32, iov: usize, count: i32, _pad: i32, offset: i64) -> Result<usize, Errno> {
        let vecs = IoVecs::copyin(iov, count)?;
        pread_file(fd, offset, &mut vecs.uio())
    }
}

syscall! {
    /// pwritev(2).
    fn sys_pwritev(fd: i32, iov: usize, count: i32, _pad: i32, offset: i64) -> Result<usize, Errno> {
        let vecs = IoVecs::copyin(iov, count)?;
        pwrite_file(fd, offset, &mut vecs.uio())
    }
}

syscall! {
    /// lseek(2).
    fn sys_lseek(fd: i32, _pad: i32, offset: i64, whence: i32) -> Result<i64, Errno> {
        let file = getfile(fd)?;
        file.ops.seek(&file.head, offset, whence)
    }
}
