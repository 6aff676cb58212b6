//! sendmmsg(2), recvmmsg(2): several messages in one call.

use rump_abi::socket::MSG_WAITFORONE;
use rump_abi::types::Mmsghdr;
use rump_hypercall::time;
use rump_kern::clock::Timespec;
use rump_kern::copy::{copyin, copyout};
use rump_kern::errno::{ERESTART, Errno};
use rump_kern::file::Wait;
use rump_kern::syscall;

use super::message::{receive_message, send_message};
use crate::file::{getsock, socket_of};

/// Most messages in one call; more are not an error, they are left over.
const MESSAGES_MAX: u32 = 1024;

/// Address of the header at `index`.
fn at(addr: usize, index: u32) -> usize {
    // Headers that are outside the address space fault.
    addr.wrapping_add(index as usize * size_of::<Mmsghdr>())
}

syscall! {
    /// sendmmsg(2): how many messages were sent; an error is told only if none was.
    fn sys_sendmmsg(fd: i32, addr: usize, count: u32, flags: i32) -> Result<u32, Errno> {
        let file = getsock(fd)?;
        for index in 0..count.min(MESSAGES_MAX) {
            let send = || {
                let mut header: Mmsghdr = copyin(at(addr, index))?;
                // At most what fits a buffer.
                header.msg_len = send_message(&file, &header.msg_hdr, flags)? as u32;
                copyout(&header, at(addr, index))
            };
            match send() {
                Ok(()) => {}
                Err(errno) if index == 0 => return Err(errno),
                Err(_) => return Ok(index),
            }
        }
        Ok(count.min(MESSAGES_MAX))
    }
}

syscall! {
    /// recvmmsg(2): how many messages were received. An error after the first one is told by the next call.
    fn sys_recvmmsg(fd: i32, addr: usize, count: u32, flags: i32, timeout: usize) -> Result<u32, Errno> {
        let end_ns = if timeout == 0 {
            time::NEVER
        } else {
            time::monotonic_ns().saturating_add(copyin::<Timespec>(timeout)?.to_ns()?)
        };
        let file = getsock(fd)?;
        let mut wait = file.head.wait();
        for index in 0..count.min(MESSAGES_MAX) {
            let receive = || {
                let mut header: Mmsghdr = copyin(at(addr, index))?;
                // At most what a record has.
                header.msg_len = receive_message(&file, &mut header.msg_hdr, flags & !MSG_WAITFORONE, wait)? as u32;
                copyout(&header, at(addr, index))
            };
            match receive() {
                Ok(()) => {}
                Err(errno) if index == 0 => return Err(errno),
                Err(Errno::EWOULDBLOCK | Errno::EINTR | ERESTART) => return Ok(index),
                Err(errno) => {
                    socket_of(&file)?.set_error(errno);
                    return Ok(index);
                }
            }
            if flags & MSG_WAITFORONE != 0 {
                wait = Wait::No;
            }
            if time::monotonic_ns() >= end_ns {
                return Ok(index + 1);
            }
        }
        Ok(count.min(MESSAGES_MAX))
    }
}
