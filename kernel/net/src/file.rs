//! A socket behind a descriptor: read(2), write(2), poll(2), kqueue(2), ioctl(2), fstat(2) (sys_socket of NetBSD).

use alloc::rc::Rc;
use core::any::Any;

use rump_abi::ioctl::{
    FIOGETOWN, FIONREAD, FIONSPACE, FIONWRITE, FIOSETOWN, SIOCATMARK, SIOCGPGRP, SIOCSPGRP,
};
use rump_abi::stat::S_IFSOCK;
use rump_kern::errno::Errno;
use rump_kern::file::flag::{FASYNC, FNONBLOCK, FNOSIGPIPE, FREAD, FWRITE};
use rump_kern::file::poll::{READABLE, WRITABLE};
use rump_kern::file::{Attr, File, FileHead, FileOps, FileRef, Filter, FilterState};
use rump_kern::filedesc::getfile;
use rump_kern::ioctl::{answer_int, int_arg};
use rump_kern::selinfo::SelInfo;
use rump_kern::uio::Uio;

use crate::protocol::PrFlags;
use crate::socket::{Socket, State};
use crate::{connect, receive, send};

/// An open socket.
pub struct SocketFile(Rc<Socket>);

impl SocketFile {
    /// The socket.
    #[must_use]
    pub fn socket(&self) -> &Rc<Socket> {
        &self.0
    }

    /// An open file for a socket; `flags` are FNONBLOCK and FNOSIGPIPE.
    #[must_use]
    pub fn open(so: Rc<Socket>, flags: u32) -> FileRef {
        File::new(FREAD | FWRITE | flags & (FNONBLOCK | FNOSIGPIPE), Self(so))
    }
}

/// fd_getsock(9): the open file behind a descriptor that is a socket.
///
/// # Errors
/// EBADF, ENOTSOCK.
#[inline]
pub fn getsock(fd: i32) -> Result<FileRef, Errno> {
    let file = getfile(fd)?;
    if file.ops.as_any().is::<SocketFile>() { Ok(file) } else { Err(Errno::ENOTSOCK) }
}

/// The socket of such a file.
///
/// # Errors
/// ENOTSOCK.
#[inline]
pub fn socket_of(file: &File<dyn FileOps>) -> Result<&Rc<Socket>, Errno> {
    file.ops.as_any().downcast_ref::<SocketFile>().map(SocketFile::socket).ok_or(Errno::ENOTSOCK)
}

/// soreadable: whether a read, or an accept, would not wait.
fn readable(so: &Socket) -> bool {
    let there =
        if so.is(PrFlags::ATOMIC) { !so.rcv.is_empty() } else { so.rcv.len() >= so.rcv.low_water.get() };
    there || so.has(State::CANTRCVMORE) || so.error().is_some() || so.accept_queue().0 > 0
}

/// sowritable: whether a write would not wait. Who is told no is told when that changes.
fn writable(so: &Rc<Socket>) -> bool {
    if so.has(State::CANTSENDMORE) || so.error().is_some() {
        return true;
    }
    if so.is(PrFlags::CONNREQUIRED) && !so.has(State::CONNECTED) {
        return false;
    }
    let ready = so.proto().send_space(so) >= so.snd.low_water.get();
    if !ready {
        so.snd.wanted.set(true);
    }
    ready
}

/// The length of a buffer as an int.
fn count(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

impl FileOps for SocketFile {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        // Descriptors that came along are closed: nobody asked for them.
        receive::receive(&self.0, uio, 0, head.wait()).map(|_| ())
    }

    fn write(&self, head: &FileHead, uio: &mut Uio<'_>) -> Result<(), Errno> {
        send::send(&self.0, uio, None, None, 0, head.wait())
    }

    fn ioctl(&self, _head: &FileHead, cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
        let so = &self.0;
        match cmd {
            FIONREAD => answer_int(data, count(so.rcv.len())),
            FIONWRITE => answer_int(data, count(so.proto().unsent(so))),
            FIONSPACE => answer_int(data, count(so.proto().send_space(so))),
            SIOCATMARK => answer_int(data, 0),
            FIOSETOWN | SIOCSPGRP => {
                so.owner.set(int_arg(data));
                Ok(0)
            }
            FIOGETOWN | SIOCGPGRP => answer_int(data, so.owner.get()),
            _ => so.proto().ioctl(so, cmd, data),
        }
    }

    fn poll(&self, _head: &FileHead, events: u32) -> u32 {
        let so = &self.0;
        let mut ready = 0;
        if events & READABLE != 0 && readable(so) {
            ready |= events & READABLE;
        }
        if events & WRITABLE != 0 && writable(so) {
            ready |= events & WRITABLE;
        }
        ready
    }

    fn selinfo(&self, filter: Filter) -> Option<&SelInfo> {
        match filter {
            Filter::Read => Some(&self.0.rcv.sel),
            Filter::Write | Filter::Empty => Some(&self.0.snd.sel),
            Filter::Vnode => None,
        }
    }

    fn filter(&self, _head: &FileHead, filter: Filter) -> Result<FilterState, Errno> {
        let so = &self.0;
        match filter {
            Filter::Read if so.is_listening() => {
                let waiting = so.accept_queue().0;
                Ok(FilterState {
                    data: waiting as i64,
                    eof: false,
                    ready: waiting > 0 || so.error().is_some(),
                })
            }
            Filter::Read => {
                let eof = so.has(State::CANTRCVMORE);
                Ok(FilterState { data: so.rcv.len() as i64, eof, ready: readable(so) })
            }
            Filter::Write => {
                let (eof, ready) = (so.has(State::CANTSENDMORE), writable(so));
                Ok(FilterState { data: so.proto().send_space(so) as i64, eof, ready })
            }
            Filter::Empty => Ok(FilterState { data: 0, eof: false, ready: so.snd.is_empty() }),
            Filter::Vnode => Err(Errno::EINVAL),
        }
    }

    fn filter_fflags(&self) -> u32 {
        self.0.error().map_or(0, |errno| errno.0.cast_unsigned())
    }

    fn stat(&self, _head: &FileHead) -> Result<Attr, Errno> {
        let so = &self.0;
        let time = so.birthtime;
        Ok(Attr {
            ino: so.ino,
            mode: S_IFSOCK as u32,
            nlink: 1,
            blksize: count(so.snd.limit.get()).cast_unsigned(),
            size: so.rcv.len() as i64,
            atime: time,
            mtime: time,
            ctime: time,
            birthtime: time,
            ..Attr::default()
        })
    }

    fn set_flags(&self, _head: &FileHead, flags: u32) -> Result<(), Errno> {
        let on = flags & FASYNC != 0;
        self.0.change(State::ASYNC, if on { State::ASYNC } else { State::empty() });
        Ok(())
    }

    fn close(&self, head: &FileHead) {
        connect::close(&self.0, head.wait());
        crate::rights::socket_closed();
    }
}
