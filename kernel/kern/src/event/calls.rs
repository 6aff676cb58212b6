//! kqueue(2), kqueue1(2), kevent(2).

use alloc::rc::Rc;

use rump_abi::event::{EV_ERROR, EV_RECEIPT};
use rump_abi::fcntl::{O_CLOEXEC, O_CLOFORK};
use rump_abi::types::Kevent;

use super::{KQueue, KQueueFile, open};
use crate::copy::{copyin, copyout};
use crate::curproc;
use crate::errno::Errno;
use crate::file::flag;
use crate::filedesc::{fd_flags, getfile};
use crate::select::timespec_deadline;
use crate::uvm::fault::memory_is_short;
use crate::{pod, syscall};

/// Most changes and most events of one call.
const COUNT_MAX: usize = 1 << 20;

fn make(oflags: i32) -> Result<i32, Errno> {
    const TAKEN: u32 = flag::FNONBLOCK | flag::FNOSIGPIPE;
    if oflags & !(TAKEN.cast_signed() | O_CLOEXEC | O_CLOFORK) != 0 {
        return Err(Errno::EINVAL);
    }
    if memory_is_short() {
        return Err(Errno::ENOMEM);
    }
    curproc().fd.install(open(oflags.cast_unsigned() & TAKEN), fd_flags(oflags))
}

syscall! {
    /// kqueue(2): the descriptor is not inherited by fork(2).
    fn sys_kqueue() -> Result<i32, Errno> {
        make(0)
    }
}

syscall! {
    /// kqueue1(2).
    fn sys_kqueue1(oflags: i32) -> Result<i32, Errno> {
        make(oflags)
    }
}

/// `struct kevent` before NetBSD 10.
#[derive(Clone, Copy)]
#[repr(C)]
struct Kevent100 {
    ident: u64,
    filter: u32,
    flags: u32,
    fflags: u32,
    pad: u32,
    data: i64,
    udata: usize,
}

pod!(Kevent100);

/// Which `struct kevent` the application has.
#[derive(Clone, Copy)]
enum Layout {
    /// That of NetBSD 10.
    Current,
    /// The one without `ext`.
    Old,
}

impl Layout {
    const fn size(self) -> usize {
        match self {
            Self::Current => size_of::<Kevent>(),
            Self::Old => size_of::<Kevent100>(),
        }
    }

    /// The address of element `index`.
    fn at(self, addr: usize, index: usize) -> Result<usize, Errno> {
        index.checked_mul(self.size()).and_then(|offset| addr.checked_add(offset)).ok_or(Errno::EFAULT)
    }

    fn copyin(self, addr: usize) -> Result<Kevent, Errno> {
        match self {
            Self::Current => copyin(addr),
            Self::Old => {
                let old: Kevent100 = copyin(addr)?;
                Ok(Kevent {
                    ident: old.ident,
                    filter: old.filter,
                    flags: old.flags,
                    fflags: old.fflags,
                    data: old.data,
                    udata: old.udata,
                    ..Kevent::ZERO
                })
            }
        }
    }

    fn copyout(self, event: &Kevent, addr: usize) -> Result<(), Errno> {
        match self {
            Self::Current => copyout(event, addr),
            Self::Old => copyout(
                &Kevent100 {
                    ident: event.ident,
                    filter: event.filter,
                    flags: event.flags,
                    fflags: event.fflags,
                    pad: 0,
                    data: event.data,
                    udata: event.udata,
                },
                addr,
            ),
        }
    }
}

/// An array of the application's.
#[derive(Clone, Copy)]
struct Events {
    addr: usize,
    count: usize,
}

/// Makes the changes. What goes wrong with one is an event if there is room for it, and else ends the call. Returns how many events that were.
fn change(kq: &Rc<KQueue>, changes: Events, events: Events, layout: Layout) -> Result<usize, Errno> {
    let mut reported = 0;
    for index in 0..changes.count {
        let mut event = layout.copyin(layout.at(changes.addr, index)?)?;
        let result = kq.register(&event);
        if result.is_ok() && event.flags & EV_RECEIPT == 0 {
            continue;
        }
        if reported >= events.count {
            result?;
            continue;
        }
        event.flags = EV_ERROR;
        event.data = result.err().map_or(0, |errno| i64::from(errno.0));
        layout.copyout(&event, layout.at(events.addr, reported)?)?;
        reported += 1;
    }
    Ok(reported)
}

fn kevent(fd: i32, changes: Events, events: Events, limit: usize, layout: Layout) -> Result<usize, Errno> {
    if changes.count > COUNT_MAX || events.count > COUNT_MAX {
        return Err(Errno::EINVAL);
    }
    let file = getfile(fd)?;
    let kq = &file.ops.as_any().downcast_ref::<KQueueFile>().ok_or(Errno::EBADF)?.0;
    let deadline_ns = timespec_deadline(limit)?;
    let reported = change(kq, changes, events, layout)?;
    if reported > 0 || events.count == 0 {
        return Ok(reported);
    }
    let mut index = 0;
    kq.scan(events.count, deadline_ns, &mut |event| {
        let at = layout.at(events.addr, index)?;
        index += 1;
        layout.copyout(event, at)
    })
}

syscall! {
    /// kevent(2).
    fn sys___kevent100(fd: i32, changes: usize, nchanges: usize, events: usize, nevents: usize, limit: usize) -> Result<usize, Errno> {
        let (changes, events) = (Events { addr: changes, count: nchanges }, Events { addr: events, count: nevents });
        kevent(fd, changes, events, limit, Layout::Current)
    }
}

syscall! {
    /// kevent(2) before NetBSD 10.
    fn sys_compat_100___kevent50(fd: i32, changes: usize, nchanges: usize, events: usize, nevents: usize, limit: usize) -> Result<usize, Errno> {
        let (changes, events) = (Events { addr: changes, count: nchanges }, Events { addr: events, count: nevents });
        kevent(fd, changes, events, limit, Layout::Old)
    }
}
