//! select(2), poll(2) and their relatives with a signal mask.
//!
//! Both become a list of descriptors with the events that are asked for. It is looked through once; only if nothing is ready does the caller get
//! on the lists of those files ([`crate::selinfo`]) and sleep. Whoever is woken looks through the list again.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use rump_abi::types::Pollfd;
use rump_hypercall::Giant;
use rump_hypercall::sync::CondVar;
use rump_hypercall::time::{self, NEVER};

use crate::clock::{Timespec, Timeval};
use crate::component::hook;
use crate::copy::{copyin, copyin_slice, copyout_slice};
use crate::curlwp;
use crate::errno::{ERESTART, Errno};
use crate::file::poll::{POLLERR, POLLHUP, POLLNVAL, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, WRITABLE};
use crate::file::{FileRef, Filter};
use crate::filedesc::{FD_MAX, getfile};
use crate::selinfo::Watcher;
use crate::signal::{SigSet, sigsuspend_setup, sigsuspend_teardown};
use crate::sleep::sleep_sig;
use crate::syscall;

/// A descriptor that is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Item {
    /// Its number; nothing is asked if it is below 0.
    pub fd: i32,
    /// What is asked: poll(2)'s events.
    pub events: u32,
    /// What is so.
    pub revents: u32,
}

/// Waits for descriptors, as [`wait_own`].
pub type WaitHook = fn(items: &mut [Item], deadline_ns: u64) -> Result<usize, Errno>;

static WAIT_HOOK: Giant<Option<WaitHook>> = Giant::new(None);

/// Has somebody else wait for descriptors: not all are this kernel's.
pub fn set_wait_hook(wait: WaitHook) {
    WAIT_HOOK.set(Some(hook(wait)));
}

/// A sleeping caller.
struct Poller {
    cv: CondVar,
    told: Cell<bool>,
}

impl Watcher for Poller {
    fn notify(&self, _hint: u32) {
        self.told.set(true);
        self.cv.broadcast();
    }
}

/// The files that a sleeping caller waits for. It is on their lists as long as this lives.
struct Waiting {
    poller: Rc<Poller>,
    watcher: Rc<dyn Watcher>,
    files: Vec<Option<FileRef>>,
    recorded: Vec<(usize, Filter)>,
}

impl Waiting {
    fn new(items: &[Item]) -> Result<Self, Errno> {
        let poller = Rc::new(Poller { cv: CondVar::new(), told: Cell::new(false) });
        let watcher: Rc<dyn Watcher> = Rc::<Poller>::clone(&poller);
        let mut waiting = Self { poller, watcher, files: Vec::new(), recorded: Vec::new() };
        waiting.files.try_reserve_exact(items.len()).map_err(|_| Errno::ENOMEM)?;
        waiting.recorded.try_reserve_exact(items.len()).map_err(|_| Errno::ENOMEM)?;
        for (index, item) in items.iter().enumerate() {
            let file = if item.fd < 0 { None } else { getfile(item.fd).ok() };
            waiting.files.push(file);
            waiting.record(index, item.events)?;
        }
        Ok(waiting)
    }

    fn record(&mut self, index: usize, events: u32) -> Result<(), Errno> {
        let Some(file) = &self.files[index] else { return Ok(()) };
        // Who asks for nothing is told of hang-ups, which both sides' lists hear of.
        let reads = events & !WRITABLE != 0 || events & WRITABLE == 0;
        for (wanted, filter) in [(reads, Filter::Read), (events & WRITABLE != 0, Filter::Write)] {
            if wanted && let Some(selinfo) = file.ops.selinfo(filter) {
                selinfo.record(Rc::clone(&self.watcher))?;
                self.recorded.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                self.recorded.push((index, filter));
            }
        }
        Ok(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        for &(index, filter) in &self.recorded {
            if let Some(selinfo) = self.files[index].as_ref().and_then(|file| file.ops.selinfo(filter)) {
                selinfo.remove(&self.watcher);
            }
        }
    }
}

/// Looks at each descriptor; returns how many have something to say.
fn scan(items: &mut [Item], files: Option<&[Option<FileRef>]>) -> usize {
    let mut count = 0;
    for (index, item) in items.iter_mut().enumerate() {
        item.revents = 0;
        if item.fd < 0 {
            continue;
        }
        let ready = |file: &FileRef| file.ops.poll(&file.head, item.events);
        item.revents = match files {
            Some(files) => files[index].as_ref().map_or(POLLNVAL, ready),
            None => getfile(item.fd).map_or(POLLNVAL, |file| ready(&file)),
        };
        item.revents &= item.events | POLLERR | POLLHUP | POLLNVAL;
        count += usize::from(item.revents != 0);
    }
    count
}

fn wait(items: &mut [Item], deadline_ns: u64) -> Result<usize, Errno> {
    match WAIT_HOOK.get() {
        Some(wait) => wait(items, deadline_ns),
        None => wait_own(items, deadline_ns),
    }
}

/// Waits until a descriptor of this kernel has something to say, or until the monotonic clock reaches `deadline_ns` (0: does not wait). Returns how many have.
///
/// # Errors
/// EINTR, ENOMEM.
pub fn wait_own(items: &mut [Item], deadline_ns: u64) -> Result<usize, Errno> {
    let count = scan(items, None);
    if count > 0 || deadline_ns == 0 {
        return Ok(count);
    }
    let waiting = Waiting::new(items)?;
    loop {
        match sleep_sig(&waiting.poller.cv, deadline_ns) {
            Ok(()) => {}
            Err(Errno::EWOULDBLOCK) => return Ok(scan(items, Some(&waiting.files))),
            // The time limit would begin anew.
            Err(ERESTART) => return Err(Errno::EINTR),
            Err(errno) => return Err(errno),
        }
        if waiting.poller.told.take() {
            let count = scan(items, Some(&waiting.files));
            if count > 0 {
                return Ok(count);
            }
        }
    }
}

/// The same with another signal mask for the time of the wait.
fn wait_masked(items: &mut [Item], deadline_ns: u64, mask_addr: usize) -> Result<usize, Errno> {
    if mask_addr == 0 {
        return wait(items, deadline_ns);
    }
    let mask = SigSet::copyin(mask_addr)?;
    let lwp = curlwp();
    sigsuspend_setup(lwp, mask.as_mask());
    let result = wait(items, deadline_ns);
    sigsuspend_teardown(lwp);
    result
}

/// The deadline of a wait of this length; 0 for none at all.
fn deadline(limit_ns: u64) -> u64 {
    if limit_ns == 0 { 0 } else { time::monotonic_ns().saturating_add(limit_ns).clamp(1, NEVER - 1) }
}

/// The deadline that a `struct timespec` at `addr` says.
pub(crate) fn timespec_deadline(addr: usize) -> Result<u64, Errno> {
    if addr == 0 { Ok(NEVER) } else { Ok(deadline(copyin::<Timespec>(addr)?.to_ns()?)) }
}

fn timeval_deadline(addr: usize) -> Result<u64, Errno> {
    if addr == 0 { Ok(NEVER) } else { Ok(deadline(copyin::<Timeval>(addr)?.to_ns()?)) }
}

/// Descriptors that need no memory of the kernel's heap.
const SMALL: usize = 16;

fn poll(addr: usize, count: u32, deadline_ns: u64, mask_addr: usize) -> Result<usize, Errno> {
    let mut fds: Vec<Pollfd> = copyin_slice(addr, count as usize, FD_MAX)?;
    let mut small = [Item::default(); SMALL];
    let mut large = Vec::new();
    let items = if fds.len() <= SMALL {
        &mut small[..fds.len()]
    } else {
        large.try_reserve_exact(fds.len()).map_err(|_| Errno::ENOMEM)?;
        large.resize(fds.len(), Item::default());
        &mut large[..]
    };
    for (item, fd) in items.iter_mut().zip(&fds) {
        (item.fd, item.events) = (fd.fd, u32::from(fd.events.cast_unsigned()));
    }
    let ready = wait_masked(items, deadline_ns, mask_addr)?;
    for (fd, item) in fds.iter_mut().zip(&*items) {
        // All events fit.
        fd.revents = item.revents as i16;
    }
    copyout_slice(&fds, addr)?;
    Ok(ready)
}

syscall! {
    /// poll(2).
    fn sys_poll(addr: usize, count: u32, timeout_ms: i32) -> Result<usize, Errno> {
        const NS_PER_MS: u64 = 1_000_000;
        let deadline_ns = u64::try_from(timeout_ms).map_or(NEVER, |ms| deadline(ms * NS_PER_MS));
        poll(addr, count, deadline_ns, 0)
    }
}

syscall! {
    /// pollts(2), ppoll(2).
    fn sys___pollts50(addr: usize, count: u32, limit: usize, mask: usize) -> Result<usize, Errno> {
        poll(addr, count, timespec_deadline(limit)?, mask)
    }
}

/// What the three sets of select(2) stand for.
const SETS: [u32; 3] = [POLLRDNORM | POLLHUP | POLLERR, POLLOUT | POLLHUP | POLLERR, POLLRDBAND | POLLPRI];

/// A set of select(2): bit `n` of its words (`fd_mask`) stands for descriptor `n`.
struct FdSet {
    addr: usize,
    words: Vec<u32>,
}

impl FdSet {
    const BITS: usize = u32::BITS as usize;

    fn empty(addr: usize, count: usize) -> Result<Self, Errno> {
        let mut words = Vec::new();
        words.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
        words.resize(count, 0);
        Ok(Self { addr, words })
    }

    fn copyin(addr: usize, count: usize) -> Result<Self, Errno> {
        if addr == 0 {
            Self::empty(addr, count)
        } else {
            Ok(Self { addr, words: copyin_slice(addr, count, FD_MAX)? })
        }
    }

    fn has(&self, fd: usize) -> bool {
        self.words[fd / Self::BITS] >> (fd % Self::BITS) & 1 != 0
    }

    fn add(&mut self, fd: usize) {
        self.words[fd / Self::BITS] |= 1 << (fd % Self::BITS);
    }

    fn copyout(&self) -> Result<(), Errno> {
        if self.addr == 0 { Ok(()) } else { copyout_slice(&self.words, self.addr) }
    }
}

fn select(count: i32, addrs: [usize; 3], deadline_ns: u64, mask_addr: usize) -> Result<usize, Errno> {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
    let is_own = WAIT_HOOK.get().is_none();
    let highest = if is_own { crate::curproc().fd.highest() + 1 } else { FD_MAX as i32 };
    let highest = usize::try_from(highest).unwrap_or(0);
    // As far as there are descriptors; what is beyond in the sets is left alone.
    let count = count.min(highest.next_multiple_of(FdSet::BITS));
    let words = count.div_ceil(FdSet::BITS);
    let sets =
        [FdSet::copyin(addrs[0], words)?, FdSet::copyin(addrs[1], words)?, FdSet::copyin(addrs[2], words)?];
    let mut items: Vec<Item> = Vec::new();
    for word in 0..words {
        let asked = [sets[0].words[word], sets[1].words[word], sets[2].words[word]];
        let mut any = asked[0] | asked[1] | asked[2];
        while any != 0 {
            let bit = any.trailing_zeros();
            any &= any - 1;
            let fd = word * FdSet::BITS + bit as usize;
            if fd >= count {
                break;
            }
            let of_bit = asked.iter().zip(SETS).filter(|(set, _)| *set >> bit & 1 != 0);
            let events = of_bit.fold(0, |all, (_, events)| all | events);
            // At most FD_MAX.
            let fd = fd as i32;
            if is_own {
                getfile(fd)?;
            }
            items.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            items.push(Item { fd, events, revents: 0 });
        }
    }
    wait_masked(&mut items, deadline_ns, mask_addr)?;
    if items.iter().any(|item| item.revents & POLLNVAL != 0) {
        return Err(Errno::EBADF);
    }
    let mut ready = 0;
    for (set, events) in sets.iter().zip(SETS) {
        let mut left = FdSet::empty(set.addr, words)?;
        for item in &items {
            // Not negative.
            let fd = item.fd as usize;
            if item.revents & events != 0 && set.has(fd) {
                left.add(fd);
                ready += 1;
            }
        }
        left.copyout()?;
    }
    Ok(ready)
}

syscall! {
    /// select(2).
    fn sys___select50(count: i32, read: usize, write: usize, except: usize, limit: usize) -> Result<usize, Errno> {
        select(count, [read, write, except], timeval_deadline(limit)?, 0)
    }
}

syscall! {
    /// pselect(2).
    fn sys___pselect50(count: i32, read: usize, write: usize, except: usize, limit: usize, mask: usize) -> Result<usize, Errno> {
        select(count, [read, write, except], timespec_deadline(limit)?, mask)
    }
}

#[cfg(test)]
mod tests;
