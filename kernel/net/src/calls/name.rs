//! bind(2), connect(2), getsockname(2), getpeername(2).

use rump_kern::errno::Errno;
use rump_kern::syscall;

use crate::connect;
use crate::file::{getsock, socket_of};
use crate::sockaddr::{SockAddr, copyout_name_and_len};
use crate::socket::State;

syscall! {
    /// bind(2).
    fn sys_bind(fd: i32, addr: usize, len: u32) -> Result<(), Errno> {
        let file = getsock(fd)?;
        let so = socket_of(&file)?;
        so.proto().bind(so, &SockAddr::copyin(addr, len)?)
    }
}

syscall! {
    /// connect(2).
    fn sys_connect(fd: i32, addr: usize, len: u32) -> Result<(), Errno> {
        let file = getsock(fd)?;
        connect::connect(socket_of(&file)?, &SockAddr::copyin(addr, len)?, file.head.wait())
    }
}

syscall! {
    /// getsockname(2).
    fn sys_getsockname(fd: i32, addr: usize, len: usize) -> Result<(), Errno> {
        let file = getsock(fd)?;
        let so = socket_of(&file)?;
        copyout_name_and_len(Some(&so.proto().sock_name(so)?), addr, len)
    }
}

syscall! {
    /// getpeername(2).
    fn sys_getpeername(fd: i32, addr: usize, len: usize) -> Result<(), Errno> {
        let file = getsock(fd)?;
        let so = socket_of(&file)?;
        if !so.has(State::CONNECTED) {
            return Err(Errno::ENOTCONN);
        }
        copyout_name_and_len(Some(&so.proto().peer_name(so)?), addr, len)
    }
}
