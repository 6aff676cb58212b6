//! Descriptors 0 to 2, and copies of them: layer 1's console under numbers of the rump kernel.
//!
//! In the rump kernel's table an event queue that nobody uses stands for each, so that the number is taken and dup(2) and close(2) do there what they
//! do to the table. What is read, written or asked goes to layer 1's descriptor.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rump_abi::errno::EOPNOTSUPP;
use rump_abi::event::{EV_DELETE, EVFILT_READ, EVFILT_WRITE};
use rump_abi::fcntl::{F_DUPFD, F_DUPFD_CLOBOTH, F_DUPFD_CLOEXEC, F_DUPFD_CLOFORK};
use rump_abi::syscall as nr;
use rump_abi::types::{Kevent, Pollfd};
use rump_hypercall::upcall::SysEntry;
use rump_hypercall::{Giant, time};
use rump_kern::copy::{copyin, copyin_slice};
use rump_kern::filedesc::{FD_MAX, attr, fcntl, rw};
use rump_kern::select::{
    Item, set_wait_hook, sys___pollts50, sys___pselect50, sys___select50, sys_poll, wait_own,
};
use rump_kern::{Errno, Ret};

use crate::call::{Args, rump};
use crate::lwp;

/// Layer 1's descriptors by the rump kernel's numbers.
static CONSOLE: Giant<BTreeMap<i32, u64>> = Giant::new(BTreeMap::new());

/// Takes the three numbers.
pub fn init() {
    for fd in 0..3 {
        let made = lwp::inside(|| rump(nr::SYS_kqueue, [0; 6]));
        match made {
            Ok(Ret { value, errno: 0, .. }) if value == fd => {}
            _ => rump_kern::log!("rumpbake: the rump kernel has no descriptor {fd} for the console"),
        }
        CONSOLE.borrow_mut().insert(fd as i32, fd as u64);
    }
    set_wait_hook(wait);
}

fn console(fd: u64) -> Option<u64> {
    CONSOLE.borrow().get(&(fd as i32)).copied()
}

/// Layer 1's number of a descriptor of the console.
fn number(fd: i32) -> Option<i32> {
    console(fd as u64).map(|own| own as i32)
}

/// The rump kernel has made `new` a copy of `old`, or closed it.
fn copied(new: i64, old: Option<u64>) {
    let Ok(new) = i32::try_from(new) else { return };
    let mut table = CONSOLE.borrow_mut();
    match old {
        Some(old) => table.insert(new, old),
        None => table.remove(&new),
    };
}

/// Whether fcntl(2)'s command makes a copy.
fn duplicates(command: u64) -> bool {
    [F_DUPFD, F_DUPFD_CLOEXEC, F_DUPFD_CLOFORK, F_DUPFD_CLOBOTH].contains(&(command as i32))
}

/// A call on a descriptor of the console, or one that copies or closes any; `None` for all others.
pub fn call(number: usize, args: Args) -> Option<Ret> {
    let [fd, a1, a2, a3, a4, a5] = args;
    let on_console = |own: SysEntry| Some(own(console(fd)?, a1, a2, a3, a4, a5));
    let as_called = |own: SysEntry| Some(own(fd, a1, a2, a3, a4, a5));
    match number {
        nr::SYS_read => on_console(rw::sys_read),
        nr::SYS_write => on_console(rw::sys_write),
        nr::SYS_readv => on_console(rw::sys_readv),
        nr::SYS_writev => on_console(rw::sys_writev),
        nr::SYS_lseek => on_console(rw::sys_lseek),
        nr::SYS_ioctl => on_console(rump_kern::ioctl::sys_ioctl),
        nr::SYS___fstat50 => on_console(attr::sys___fstat50),
        nr::SYS_fsync => on_console(attr::sys_fsync),
        nr::SYS_fcntl if !duplicates(a1) => on_console(fcntl::sys_fcntl),
        nr::SYS_fcntl | nr::SYS_dup | nr::SYS_dup2 | nr::SYS___dup3100 | nr::SYS_compat_100_dup3 => {
            copy(number, args)
        }
        nr::SYS_close => {
            let ret = rump(number, args);
            copied(fd as i32 as i64, None);
            Some(ret)
        }
        nr::SYS___kevent100 if watches_console(args, size_of::<Kevent>()) => Some(Ret::err(EOPNOTSUPP)),
        nr::SYS_compat_100___kevent50 if watches_console(args, OLD_KEVENT) => Some(Ret::err(EOPNOTSUPP)),
        nr::SYS_poll if polls_console(args) => as_called(sys_poll),
        nr::SYS___pollts50 if polls_console(args) => as_called(sys___pollts50),
        nr::SYS___select50 if selects_console(args) => as_called(sys___select50),
        nr::SYS___pselect50 if selects_console(args) => as_called(sys___pselect50),
        _ => None,
    }
}

/// dup(2) and its kin.
fn copy(number: usize, args: Args) -> Option<Ret> {
    let ret = rump(number, args);
    if ret.errno == 0 && ret.value as i32 != args[0] as i32 {
        copied(ret.value, console(args[0]));
    }
    Some(ret)
}

/// Bytes of `struct kevent` before NetBSD 11; it begins as the newer one does.
const OLD_KEVENT: usize = 40;

/// Whether kevent(2) is to watch a descriptor of the console: the rump kernel, whose queue it is, knows an unused queue in its place, of which nothing would ever be told.
fn watches_console([_, changes, count, ..]: Args, size: usize) -> bool {
    (0..(count as u32 as usize).min(FD_MAX)).any(|nth| {
        let change: Result<[u32; 4], _> = copyin(changes as usize + nth * size);
        change.is_ok_and(|[fd, _, filter, flags]| {
            let is_file = [EVFILT_READ, EVFILT_WRITE].contains(&filter);
            is_file && flags & EV_DELETE == 0 && number(fd as i32).is_some()
        })
    })
}

/// Whether poll(2), or pollts(2), asks about the console.
fn polls_console(args: Args) -> bool {
    let [addr, count, ..] = args;
    let asked: Result<Vec<Pollfd>, _> = copyin_slice(addr as usize, count as u32 as usize, FD_MAX);
    asked.is_ok_and(|asked| asked.iter().any(|entry| number(entry.fd).is_some()))
}

/// Whether select(2), or pselect(2), does.
fn selects_console(args: Args) -> bool {
    let [count, sets @ .., _, _] = args;
    let has = |set: u64, fd: i32| {
        let word: Result<Vec<u32>, _> = copyin_slice(set as usize + fd as usize / 32 * 4, 1, 1);
        set != 0 && word.is_ok_and(|word| word[0] >> (fd % 32) & 1 != 0)
    };
    let fds: Vec<i32> = CONSOLE.borrow().keys().copied().filter(|&fd| fd < count as i32).collect();
    fds.into_iter().any(|fd| sets.iter().any(|&set| has(set, fd)))
}

/// How long a wait for both kernels' descriptors sleeps in layer 1 before it looks at the rump kernel's, nanoseconds.
const LOOK_NS: u64 = 10_000_000;

/// Asks the rump kernel about the descriptors that are its, without waiting; the console's have numbers below 0 here.
fn ask(entries: &mut [Pollfd]) -> Result<(), Errno> {
    let addr = entries.as_mut_ptr().expose_provenance() as u64;
    match rump(nr::SYS_poll, [addr, entries.len() as u64, 0, 0, 0, 0]).errno {
        0 => Ok(()),
        errno => Err(Errno(errno)),
    }
}

/// Waits for descriptors of both kernels (poll(2), select(2)), by looking at the rump kernel's again and again.
fn wait(items: &mut [Item], deadline_ns: u64) -> Result<usize, Errno> {
    let mut ours: Vec<Item> =
        items.iter().map(|item| Item { fd: number(item.fd).unwrap_or(-1), ..*item }).collect();
    let theirs = items.iter().map(|item| {
        let fd = if number(item.fd).is_some() { -1 } else { item.fd };
        Pollfd { fd, events: item.events as i16, revents: 0 }
    });
    let mut theirs: Vec<Pollfd> = theirs.collect();
    let only_ours = theirs.iter().all(|entry| entry.fd < 0);
    let mut pause_ns = 0;
    loop {
        if !only_ours {
            ask(&mut theirs)?;
        }
        let until_ns = if only_ours {
            deadline_ns
        } else if pause_ns == 0 || theirs.iter().any(|entry| entry.revents != 0) {
            0
        } else {
            deadline_ns.min(time::monotonic_ns() + pause_ns)
        };
        wait_own(&mut ours, until_ns)?;
        let mut ready = 0;
        for ((item, own), their) in items.iter_mut().zip(&ours).zip(&theirs) {
            item.revents = own.revents | u32::from(their.revents.cast_unsigned());
            ready += usize::from(item.revents != 0);
        }
        if ready > 0 || only_ours || time::monotonic_ns() >= deadline_ns {
            return Ok(ready);
        }
        pause_ns = LOOK_NS;
    }
}
