//! socket(2), socketpair(2), shutdown(2), listen(2).

use rump_abi::socket::{SOCK_CLOEXEC, SOCK_CLOFORK, SOCK_FLAGS_MASK, SOCK_NONBLOCK, SOCK_NOSIGPIPE};
use rump_kern::copy::copyout;
use rump_kern::errno::Errno;
use rump_kern::file::flag::{FNONBLOCK, FNOSIGPIPE};
use rump_kern::filedesc::{FD_CLOEXEC, FD_CLOFORK};
use rump_kern::uvm::fault::memory_is_short;
use rump_kern::{curproc, syscall};

use crate::connect;
use crate::file::{SocketFile, getsock, socket_of};
use crate::socket::Socket;

/// Flags of a descriptor from those of socket(2) and its like.
pub(super) fn fd_flags(flags: i32) -> u8 {
    (if flags & SOCK_CLOEXEC != 0 { FD_CLOEXEC } else { 0 })
        | (if flags & SOCK_CLOFORK.cast_signed() != 0 { FD_CLOFORK } else { 0 })
}

/// Flags of an open file from those of socket(2) and its like.
pub(super) fn file_flags(flags: i32) -> u32 {
    (if flags & SOCK_NONBLOCK != 0 { FNONBLOCK } else { 0 })
        | (if flags & SOCK_NOSIGPIPE != 0 { FNOSIGPIPE } else { 0 })
}

fn enough_memory() -> Result<(), Errno> {
    if memory_is_short() { Err(Errno::ENOBUFS) } else { Ok(()) }
}

syscall! {
    /// socket(2).
    fn sys___socket30(family: i32, kind: i32, protocol: i32) -> Result<i32, Errno> {
        enough_memory()?;
        let so = Socket::create(family, kind & !SOCK_FLAGS_MASK.cast_signed(), protocol)?;
        curproc().fd.install(SocketFile::open(so, file_flags(kind)), fd_flags(kind))
    }
}

syscall! {
    /// socketpair(2).
    fn sys_socketpair(family: i32, kind: i32, protocol: i32, addr: usize) -> Result<(), Errno> {
        enough_memory()?;
        let plain = kind & !SOCK_FLAGS_MASK.cast_signed();
        let first = Socket::create(family, plain, protocol)?;
        let second = Socket::create(family, plain, protocol)?;
        let files = [&first, &second].map(|so| SocketFile::open(so.clone(), file_flags(kind)));
        first.proto().connect2(&first, &second)?;
        let table = &curproc().fd;
        let mut fds = [-1; 2];
        let install = || {
            for (fd, file) in fds.iter_mut().zip(files) {
                *fd = table.install(file, fd_flags(kind))?;
            }
            copyout(&fds, addr)
        };
        install().inspect_err(|_| {
            for fd in fds.into_iter().filter(|&fd| fd >= 0) {
                // It was opened a moment ago, and nobody else has run since.
                let _ = table.close(fd);
            }
        })
    }
}

syscall! {
    /// listen(2).
    fn sys_listen(fd: i32, backlog: i32) -> Result<(), Errno> {
        let file = getsock(fd)?;
        connect::listen(socket_of(&file)?, backlog)
    }
}

syscall! {
    /// shutdown(2).
    fn sys_shutdown(fd: i32, how: i32) -> Result<(), Errno> {
        let file = getsock(fd)?;
        connect::shutdown(socket_of(&file)?, how)
    }
}
