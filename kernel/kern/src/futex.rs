//! Futexes (__futex(2), sys/futex.h).
//!
//! A futex is known by the address of its word: the one process has one address space. Waiters queue by address; a bit set says
//! which wake-ups are meant for them.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::Rc;
use core::cell::Cell;

use rump_hypercall::sync::{CondVar, Wake};
use rump_hypercall::{Giant, time, user};

use crate::clock::{CLOCK_MONOTONIC, CLOCK_REALTIME, Timespec, deadline_ns};
use crate::copy::{copyin, copyout};
use crate::errno::{ERESTART, Errno};
use crate::lwp::{Lwp, curlwp};
use crate::syscall;
use crate::syscall::stack_arg;

const FUTEX_WAIT: i32 = 0;
const FUTEX_WAKE: i32 = 1;
const FUTEX_REQUEUE: i32 = 3;
const FUTEX_CMP_REQUEUE: i32 = 4;
const FUTEX_WAKE_OP: i32 = 5;
const FUTEX_WAIT_BITSET: i32 = 9;
const FUTEX_WAKE_BITSET: i32 = 10;
const FUTEX_PRIVATE_FLAG: i32 = 1 << 7;
const FUTEX_CLOCK_REALTIME: i32 = 1 << 8;

/// FUTEX_WAITERS: somebody waits for the word.
const FUTEX_WAITERS: u32 = 1 << 31;
/// FUTEX_OWNER_DIED.
const FUTEX_OWNER_DIED: u32 = 1 << 30;
/// FUTEX_TID_MASK: the owner's number.
const FUTEX_TID_MASK: u32 = 0x0fff_ffff;

/// Most entries of a robust list that are looked at: the list is the application's, and may go in a circle.
const ROBUST_LIST_MAX: usize = 2048;

struct Waiter {
    cv: CondVar,
    woken: Cell<bool>,
    bits: u32,
    /// The futex on which it waits now: a requeue changes it.
    addr: Cell<usize>,
}

static QUEUES: Giant<BTreeMap<usize, VecDeque<Rc<Waiter>>>> = Giant::new(BTreeMap::new());

/// Address of each LWP's robust list, by number.
static ROBUST: Giant<BTreeMap<i32, usize>> = Giant::new(BTreeMap::new());

fn check(addr: usize) -> Result<(), Errno> {
    if addr.is_multiple_of(4) { Ok(()) } else { Err(Errno::EINVAL) }
}

fn wait(addr: usize, expected: u32, bits: u32, deadline: u64) -> Result<i32, Errno> {
    if bits == 0 {
        return Err(Errno::EINVAL);
    }
    if copyin::<u32>(addr)? != expected {
        return Err(Errno::EAGAIN);
    }
    let lwp = curlwp();
    if let Some(errno) = lwp.interruption() {
        return Err(limited(errno, deadline));
    }
    let waiter = Rc::new(Waiter { cv: CondVar::new(), woken: Cell::new(false), bits, addr: Cell::new(addr) });
    QUEUES.borrow_mut().entry(addr).or_default().push_back(waiter.clone());
    let wake = waiter.cv.wait_until_sig(deadline);
    if waiter.woken.get() {
        return Ok(0);
    }
    forget(&waiter);
    match wake {
        Wake::Signaled => Ok(0),
        Wake::TimedOut => Err(Errno::ETIMEDOUT),
        Wake::Interrupted => Err(limited(lwp.interruption().unwrap_or(Errno::EINTR), deadline)),
    }
}

/// A wait with a limit is not begun anew.
fn limited(errno: Errno, deadline: u64) -> Errno {
    if errno == ERESTART && deadline != time::NEVER { Errno::EINTR } else { errno }
}

fn forget(waiter: &Rc<Waiter>) {
    let mut queues = QUEUES.borrow_mut();
    let addr = waiter.addr.get();
    if let Some(queue) = queues.get_mut(&addr) {
        queue.retain(|other| !Rc::ptr_eq(other, waiter));
        if queue.is_empty() {
            queues.remove(&addr);
        }
    }
}

fn wake(addr: usize, at_most: usize, bits: u32) -> usize {
    let mut queues = QUEUES.borrow_mut();
    let Some(queue) = queues.get_mut(&addr) else { return 0 };
    let mut count = 0;
    queue.retain(|waiter| {
        if count >= at_most || waiter.bits & bits == 0 {
            return true;
        }
        count += 1;
        waiter.woken.set(true);
        waiter.cv.signal();
        false
    });
    if queue.is_empty() {
        queues.remove(&addr);
    }
    count
}

fn requeue(from: usize, wake_at_most: usize, to: usize, move_at_most: usize) -> usize {
    let woken = wake(from, wake_at_most, u32::MAX);
    if from == to {
        return woken;
    }
    let mut queues = QUEUES.borrow_mut();
    let Some(mut queue) = queues.remove(&from) else { return woken };
    let moved = queue.len().min(move_at_most);
    let rest = queue.split_off(moved);
    for waiter in &queue {
        waiter.addr.set(to);
    }
    if !queue.is_empty() {
        queues.entry(to).or_default().append(&mut queue);
    }
    if !rest.is_empty() {
        queues.insert(from, rest);
    }
    woken + moved
}

/// FUTEX_WAKE_OP: changes the second word, and says whether its old value passes the test.
fn wake_op(addr: usize, op: u32) -> Result<bool, Errno> {
    let sign_extend = |bits: u32| (bits << 20).cast_signed() >> 20;
    let (op_kind, cmp_kind) = (op >> 28, op >> 24 & 0xf);
    let (arg, cmp_arg) = (sign_extend(op >> 12 & 0xfff), sign_extend(op & 0xfff));
    let arg = if op_kind & 8 != 0 { 1_u32.wrapping_shl(arg.cast_unsigned()) } else { arg.cast_unsigned() };
    let old = loop {
        let old: u32 = copyin(addr)?;
        let new = match op_kind & 7 {
            0 => arg,
            1 => old.wrapping_add(arg),
            2 => old | arg,
            3 => old & !arg,
            4 => old ^ arg,
            _ => return Err(Errno::ENOSYS),
        };
        if user::ucas32(addr, old, new).map_err(|_| Errno::EFAULT)? == old {
            break old.cast_signed();
        }
    };
    Ok(match cmp_kind {
        0 => old == cmp_arg,
        1 => old != cmp_arg,
        2 => old < cmp_arg,
        3 => old <= cmp_arg,
        4 => old > cmp_arg,
        5 => old >= cmp_arg,
        _ => return Err(Errno::ENOSYS),
    })
}

fn count(value: i64) -> Result<usize, Errno> {
    usize::try_from(value).map_err(|_| Errno::EINVAL)
}

/// The limit of a wait: relative for FUTEX_WAIT, absolute for FUTEX_WAIT_BITSET.
fn limit(addr: usize, op: i32, absolute: bool) -> Result<u64, Errno> {
    if addr == 0 {
        return Ok(time::NEVER);
    }
    let clock = if op & FUTEX_CLOCK_REALTIME != 0 { CLOCK_REALTIME } else { CLOCK_MONOTONIC };
    deadline_ns(clock, copyin::<Timespec>(addr)?, absolute)
}

syscall! {
    /// __futex(2).
    fn sys___futex(addr: usize, op: i32, value: i32, timeout: usize, addr2: usize, value2: i32) -> Result<i32, Errno> {
        check(addr)?;
        let command = op & !(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
        let number = |woken: usize| i32::try_from(woken).unwrap_or(i32::MAX);
        let value3 = || stack_arg::<i32>(0);
        match command {
            FUTEX_WAIT => wait(addr, value.cast_unsigned(), u32::MAX, limit(timeout, op, false)?),
            FUTEX_WAIT_BITSET => {
                wait(addr, value.cast_unsigned(), value3()?.cast_unsigned(), limit(timeout, op, true)?)
            }
            FUTEX_WAKE => Ok(number(wake(addr, count(value.into())?, u32::MAX))),
            FUTEX_WAKE_BITSET => Ok(number(wake(addr, count(value.into())?, value3()?.cast_unsigned()))),
            FUTEX_REQUEUE | FUTEX_CMP_REQUEUE => {
                check(addr2)?;
                if command == FUTEX_CMP_REQUEUE && copyin::<i32>(addr)? != value3()? {
                    return Err(Errno::EAGAIN);
                }
                Ok(number(requeue(addr, count(value.into())?, addr2, count(value2.into())?)))
            }
            FUTEX_WAKE_OP => {
                check(addr2)?;
                let (first, second) = (count(value.into())?, count(value2.into())?);
                let both = wake_op(addr2, value3()?.cast_unsigned())?;
                let woken = wake(addr, first, u32::MAX);
                Ok(number(woken + if both { wake(addr2, second, u32::MAX) } else { 0 }))
            }
            _ => Err(Errno::ENOSYS),
        }
    }
}

syscall! {
    /// __futex_set_robust_list(2).
    fn sys___futex_set_robust_list(head: usize, len: usize) -> Result<(), Errno> {
        if len != 24 {
            return Err(Errno::EINVAL);
        }
        ROBUST.borrow_mut().insert(curlwp().lid, head);
        Ok(())
    }
}

syscall! {
    /// __futex_get_robust_list(2).
    fn sys___futex_get_robust_list(lid: i32, head: usize, len: usize) -> Result<(), Errno> {
        let me = curlwp();
        let lwp = if lid == 0 { me } else { me.proc.lwps.find_live(lid).ok_or(Errno::ESRCH)? };
        let list = ROBUST.borrow().get(&lwp.lid).copied().unwrap_or(0);
        copyout(&list, head)?;
        copyout(&24_usize, len)
    }
}

/// Marks a word that the LWP owned, and wakes one who waits for it.
fn release(addr: usize, lid: i32) {
    if check(addr).is_err() {
        return;
    }
    while let Ok(old) = copyin::<u32>(addr) {
        if old & FUTEX_TID_MASK != lid.cast_unsigned() {
            return;
        }
        let new = old & FUTEX_WAITERS | FUTEX_OWNER_DIED;
        match user::ucas32(addr, old, new) {
            Ok(seen) if seen == old => {
                if old & FUTEX_WAITERS != 0 {
                    wake(addr, 1, u32::MAX);
                }
                return;
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// An LWP ends: the futexes of its robust list are released.
pub fn lwp_exits(lwp: &Lwp) {
    let Some(head) = ROBUST.borrow_mut().remove(&lwp.lid) else { return };
    let Ok([first, offset, pending]) = copyin::<[usize; 3]>(head) else { return };
    let mut entry = first;
    for _ in 0..ROBUST_LIST_MAX {
        let node = entry & !1;
        if node == head || node == 0 {
            break;
        }
        let Ok(next) = copyin::<usize>(node) else { break };
        if node != pending & !1 {
            release(node.wrapping_add(offset), lwp.lid);
        }
        entry = next;
    }
    if pending & !1 != 0 {
        release((pending & !1).wrapping_add(offset), lwp.lid);
    }
}
