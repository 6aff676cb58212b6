//! sendto(2), sendmsg(2), recvfrom(2), recvmsg(2).

use rump_abi::socket::{
    MSG_CMSG_CLOEXEC, MSG_CMSG_CLOFORK, MSG_CTRUNC, MSG_NOSIGNAL, MSG_TRUNC, MSG_USERFLAGS,
};
use rump_abi::types::Msghdr;
use rump_kern::copy::{copyin, copyout};
use rump_kern::errno::{ERESTART, Errno};
use rump_kern::file::{FileRef, Wait};
use rump_kern::filedesc::rw::sigpipe;
use rump_kern::filedesc::{FD_CLOEXEC, FD_CLOFORK};
use rump_kern::syscall;
use rump_kern::uio::{IOV_MAX, IoVecs, Uio};

use crate::control::Control;
use crate::file::{getsock, socket_of};
use crate::receive::{self, Received};
use crate::send;
use crate::sockaddr::{SockAddr, copyout_name, copyout_name_and_len};

/// What a transfer returns: one that was interrupted after some bytes went is a short transfer.
fn outcome(result: Result<(), Errno>, asked: usize, uio: &Uio<'_>) -> Result<usize, Errno> {
    let done = asked - uio.resid();
    match result {
        Ok(()) => Ok(done),
        Err(Errno::EINTR | Errno::EWOULDBLOCK | ERESTART) if done > 0 => Ok(done),
        Err(errno) => Err(errno),
    }
}

fn transmit(
    file: &FileRef,
    uio: &mut Uio<'_>,
    to: Option<&SockAddr>,
    control: Option<Control>,
    flags: i32,
) -> Result<usize, Errno> {
    let asked = uio.resid();
    let result = send::send(socket_of(file)?, uio, to, control, flags & MSG_USERFLAGS, file.head.wait());
    if result == Err(Errno::EPIPE) && flags & MSG_NOSIGNAL == 0 {
        sigpipe(file);
    }
    outcome(result, asked, uio)
}

syscall! {
    /// sendto(2).
    fn sys_sendto(fd: i32, buf: usize, len: usize, flags: i32, to: usize, to_len: u32) -> Result<usize, Errno> {
        let file = getsock(fd)?;
        let to = if to == 0 { None } else { Some(SockAddr::copyin(to, to_len)?) };
        transmit(&file, &mut Uio::new(buf, len)?, to.as_ref(), None, flags)
    }
}

/// Runs `transfer` with the segments of a message.
fn with_uio<T>(
    message: &Msghdr,
    transfer: impl FnOnce(&mut Uio<'_>) -> Result<T, Errno>,
) -> Result<T, Errno> {
    match message.msg_iovlen {
        0 => transfer(&mut Uio::new(0, 0)?),
        count if usize::try_from(count).is_ok_and(|count| count <= IOV_MAX) => {
            transfer(&mut IoVecs::copyin(message.msg_iov, count)?.uio())
        }
        _ => Err(Errno::EMSGSIZE),
    }
}

/// sendmsg(2) of a message whose header was read.
pub(super) fn send_message(file: &FileRef, message: &Msghdr, flags: i32) -> Result<usize, Errno> {
    let to = match message.msg_name {
        0 => None,
        name => Some(SockAddr::copyin(name, message.msg_namelen)?),
    };
    let control = match (message.msg_control, message.msg_controllen) {
        (0, _) | (_, 0) => None,
        (addr, len) => Some(Control::copyin(addr, len)?).filter(|control| !control.messages.is_empty()),
    };
    with_uio(message, |uio| transmit(file, uio, to.as_ref(), control, flags))
}

syscall! {
    /// sendmsg(2).
    fn sys_sendmsg(fd: i32, message: usize, flags: i32) -> Result<usize, Errno> {
        let message: Msghdr = copyin(message)?;
        send_message(&getsock(fd)?, &message, flags)
    }
}

fn take(file: &FileRef, uio: &mut Uio<'_>, flags: i32, wait: Wait) -> Result<(usize, Received), Errno> {
    let asked = uio.resid();
    let received = receive::receive(socket_of(file)?, uio, flags & MSG_USERFLAGS, wait)?;
    Ok((asked - uio.resid(), received))
}

syscall! {
    /// recvfrom(2).
    fn sys_recvfrom(fd: i32, buf: usize, len: usize, flags: i32, from: usize, from_len: usize) -> Result<usize, Errno> {
        let file = getsock(fd)?;
        let (count, received) = take(&file, &mut Uio::new(buf, len)?, flags, file.head.wait())?;
        copyout_name_and_len(received.from.as_ref(), from, from_len)?;
        Ok(count)
    }
}

/// recvmsg(2) of a message whose header was read, and will be written back.
pub(super) fn receive_message(
    file: &FileRef,
    message: &mut Msghdr,
    flags: i32,
    wait: Wait,
) -> Result<usize, Errno> {
    let (count, mut received) = with_uio(message, |uio| take(file, uio, flags, wait))?;
    message.msg_flags = flags & MSG_USERFLAGS & !MSG_TRUNC & !MSG_CTRUNC | received.flags;
    if message.msg_name != 0 {
        message.msg_namelen = copyout_name(received.from.as_ref(), message.msg_name, message.msg_namelen)?;
    }
    let room = if message.msg_control == 0 { 0 } else { message.msg_controllen };
    message.msg_controllen = 0;
    if let Some(control) = received.control.take() {
        let fd_flags = (if flags & MSG_CMSG_CLOEXEC != 0 { FD_CLOEXEC } else { 0 })
            | (if flags & MSG_CMSG_CLOFORK != 0 { FD_CLOFORK } else { 0 });
        let (len, truncated) = control.copyout(message.msg_control, room, fd_flags)?;
        message.msg_controllen = len;
        if truncated {
            message.msg_flags |= MSG_CTRUNC;
        }
    }
    Ok(count)
}

syscall! {
    /// recvmsg(2).
    fn sys_recvmsg(fd: i32, addr: usize, flags: i32) -> Result<usize, Errno> {
        let mut message: Msghdr = copyin(addr)?;
        let file = getsock(fd)?;
        let count = receive_message(&file, &mut message, flags, file.head.wait())?;
        copyout(&message, addr)?;
        Ok(count)
    }
}
