//! Descriptors 0 to 2, and copies of them: layer 1's console under numbers of the rump kernel.
//!
//! In the rump kernel's table an event queue that nobody uses stands for each, so that the number is taken and dup(2) and close(2) do there what they
//! do to the table. What is read, written or asked goes to layer 1's descriptor.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rump_abi::fcntl::{F_DUPFD, F_DUPFD_CLOBOTH, F_DUPFD_CLOEXEC, F_DUPFD_CLOFORK};
use rump_abi::syscall as nr;
use rump_hypercall::{Giant, time};
use rump_kern::copy::{copyin_slice, copyout_slice};
use rump_kern::filedesc::{attr, fcntl, rw};
use rump_kern::select::sys_poll;
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
}

fn console(fd: u64) -> Option<u64> {
    CONSOLE.borrow().get(&(fd as i32)).copied()
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
    let own = match number {
        nr::SYS_read => rw::sys_read,
        nr::SYS_write => rw::sys_write,
        nr::SYS_readv => rw::sys_readv,
        nr::SYS_writev => rw::sys_writev,
        nr::SYS_lseek => rw::sys_lseek,
        nr::SYS_ioctl => rump_kern::ioctl::sys_ioctl,
        nr::SYS___fstat50 => attr::sys___fstat50,
        nr::SYS_fsync => attr::sys_fsync,
        nr::SYS_fcntl if !duplicates(a1) => fcntl::sys_fcntl,
        nr::SYS_fcntl | nr::SYS_dup | nr::SYS_dup2 | nr::SYS___dup3100 | nr::SYS_compat_100_dup3 => {
            return copy(number, args);
        }
        nr::SYS_close => {
            let ret = rump(number, args);
            copied(fd as i32 as i64, None);
            return Some(ret);
        }
        nr::SYS_poll => return poll(args),
        _ => return None,
    };
    Some(own(console(fd)?, a1, a2, a3, a4, a5))
}

/// dup(2) and its kin.
fn copy(number: usize, args: Args) -> Option<Ret> {
    let ret = rump(number, args);
    if ret.errno == 0 && ret.value as i32 != args[0] as i32 {
        copied(ret.value, console(args[0]));
    }
    Some(ret)
}

/// `struct pollfd`.
#[derive(Clone, Copy)]
struct PollFd {
    fd: i32,
    events: u16,
    revents: u16,
}

impl PollFd {
    fn from_words(words: [u32; 2]) -> Self {
        Self { fd: words[0] as i32, events: words[1] as u16, revents: (words[1] >> 16) as u16 }
    }

    fn words(self) -> [u32; 2] {
        [self.fd as u32, u32::from(self.events) | u32::from(self.revents) << 16]
    }
}

/// Most entries that poll(2) takes.
const POLL_MAX: usize = 1 << 16;

/// How long poll(2) of both kernels' descriptors sleeps in one of them before it looks at the other, milliseconds.
const LOOK_MS: u64 = 10;

/// poll(2) with descriptors of the console among others: `None` if there are none.
fn poll(args: Args) -> Option<Ret> {
    let [addr, count, timeout_ms, ..] = args;
    let count = count as u32 as usize;
    // More than can be open, as layer 1 sees it.
    let asked: Vec<[u32; 2]> = copyin_slice(addr as usize, count, POLL_MAX).ok()?;
    let asked: Vec<PollFd> = asked.into_iter().map(PollFd::from_words).collect();
    if !asked.iter().any(|entry| console(entry.fd as u64).is_some() && entry.fd >= 0) {
        return None;
    }
    let ret = poll_both(addr as usize, &asked, timeout_ms as i32);
    Some(ret.unwrap_or_else(|error| Ret::err(error.0)))
}

fn poll_both(addr: usize, asked: &[PollFd], timeout_ms: i32) -> Result<Ret, Errno> {
    let of_console = |entry: &PollFd| if entry.fd < 0 { None } else { console(entry.fd as u64) };
    let put = |entries: &[PollFd]| {
        let words: Vec<[u32; 2]> = entries.iter().map(|entry| entry.words()).collect();
        copyout_slice(&words, addr)
    };
    let masked = |pick: &dyn Fn(&PollFd) -> i32| -> Vec<PollFd> {
        asked.iter().map(|entry| PollFd { fd: pick(entry), revents: 0, ..*entry }).collect()
    };
    let theirs = masked(&|entry| if of_console(entry).is_some() { -1 } else { entry.fd });
    let ours = masked(&|entry| of_console(entry).map_or(-1, |fd| fd as i32));
    let ask = |entries: &[PollFd], timeout_ms: u64, poll: &dyn Fn(Args) -> Ret| {
        put(entries)?;
        let ret = poll([addr as u64, entries.len() as u64, timeout_ms, 0, 0, 0]);
        let found: Vec<[u32; 2]> = copyin_slice(addr, entries.len(), POLL_MAX)?;
        Ok::<_, Errno>((ret, found.into_iter().map(PollFd::from_words).collect::<Vec<_>>()))
    };
    let own = |args: Args| sys_poll(args[0], args[1], args[2], args[3], args[4], args[5]);
    let deadline = u64::try_from(timeout_ms).map_or(u64::MAX, |ms| time::monotonic_ns() + ms * 1_000_000);
    let only_ours = theirs.iter().all(|entry| entry.fd < 0);
    let mut wait_ms = 0;
    loop {
        let (mut first, mut found) = (Ret::ok(0), theirs.clone());
        if !only_ours {
            (first, found) = ask(&theirs, 0, &|args| rump(nr::SYS_poll, args))?;
        }
        let wait = if only_ours {
            timeout_ms as u32 as u64
        } else if first.value > 0 {
            0
        } else {
            wait_ms
        };
        let (second, consoles) = ask(&ours, wait, &own)?;
        let all = asked.iter().zip(&found).zip(&consoles);
        let merged: Vec<PollFd> = all
            .map(|((entry, theirs), ours)| PollFd { revents: theirs.revents | ours.revents, ..*entry })
            .collect();
        put(&merged)?;
        if let Some(error) = [first, second].into_iter().find(|ret| ret.errno != 0) {
            return Ok(error);
        }
        let ready = first.value + second.value;
        if ready > 0 || only_ours || time::monotonic_ns() >= deadline {
            return Ok(Ret::ok(ready));
        }
        wait_ms = LOOK_MS.min((deadline - time::monotonic_ns().min(deadline)).div_ceil(1_000_000));
    }
}
