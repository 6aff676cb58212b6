//! Who processes packets, and when (netisr(9)).
//!
//! The input path never waits, so it runs wherever packets are found: in the device's interrupt, in a system call that is about to sleep or that has
//! sent, and in the thread `netisr`, which takes over when one interrupt brings more than [`INTERRUPT_BUDGET`] packets, and which runs the
//! timers. Nothing in the kernel is preempted; so whoever gets here holds no borrow of the stack's state, unless it got here from the
//! stack itself: then [`poll`] and [`flush`] do nothing, as the one that runs already does it.

use alloc::collections::VecDeque;
use core::cell::Cell;

use rump_hypercall::net::{self, Checksum, Packet};
use rump_hypercall::sync::CondVar;
use rump_hypercall::{Giant, thread, time};
use rump_kern::log;

use crate::ifnet::{self, Ifnet, Kind, count};
use crate::{ether, ipv4, ipv6};

/// Packets that one interrupt processes; the rest is left to the thread, so that the program gets its turn.
const INTERRUPT_BUDGET: usize = 256;

/// Packets to this host itself that may wait.
const LOOP_MAX: usize = 1024;

struct State {
    /// The input path runs.
    busy: Cell<bool>,
    /// Devices that have packets that they were not told of, a bit each.
    queued: Cell<u64>,
    /// Devices whose interrupt is off, since the thread has not yet taken all they have.
    pending: Cell<u64>,
    /// What is to be done when nothing comes in any more.
    deferred: Cell<Option<fn()>>,
    /// When the thread has to run the timers.
    timer_ns: Cell<u64>,
    /// Devices that there are.
    devices: Cell<usize>,
}

static STATE: Giant<State> = Giant::new(State {
    busy: Cell::new(false),
    queued: Cell::new(0),
    pending: Cell::new(0),
    deferred: Cell::new(None),
    timer_ns: Cell::new(time::NEVER),
    devices: Cell::new(0),
});

static LOOP: Giant<VecDeque<(Packet, &'static Ifnet)>> = Giant::new(VecDeque::new());

/// The thread waits here.
static WORK: CondVar = CondVar::new();

/// Begins: interrupts are taken from now on.
pub fn start() {
    let devices = ifnet::all().iter().filter(|ifp| !ifp.is_loopback()).count();
    STATE.borrow().devices.set(devices.min(64));
    net::on_ready(ready);
    if thread::create(run, 0).is_err() {
        log!("rumpbake: no memory for the network's thread");
    }
}

/// What is queued for this device it has yet to be told.
#[inline]
pub fn mark_queued(device: usize) {
    let state = STATE.borrow();
    state.queued.set(state.queued.get() | 1 << (device & 63));
}

/// A complete IP packet that this host sends to itself; `ifp` is where it seems to come in.
pub fn loop_back(mut packet: Packet, ifp: &'static Ifnet) {
    // It has not left the host: nothing can have damaged it.
    packet.checksum = Checksum::Verified;
    packet.gso = None;
    if ifp.is_loopback() {
        count(&ifp.counters.opackets, 1);
        count(&ifp.counters.obytes, packet.len() as u64);
    }
    let mut queue = LOOP.borrow_mut();
    if queue.len() >= LOOP_MAX || queue.try_reserve(1).is_err() {
        count(&ifp.counters.iqdrops, 1);
        return;
    }
    queue.push_back((packet, ifp));
}

fn take_looped() -> Option<(Packet, &'static Ifnet)> {
    LOOP.borrow_mut().pop_front()
}

/// Processes what this host sent to itself, then tells the devices what is queued for them.
fn settle() {
    while let Some((packet, ifp)) = take_looped() {
        if ifp.is_loopback() {
            count(&ifp.counters.ipackets, 1);
            count(&ifp.counters.ibytes, packet.len() as u64);
        }
        match packet.head().first() {
            Some(first) if first >> 4 == 4 => ipv4::input(ifp, packet, !ifp.is_loopback()),
            Some(first) if first >> 4 == 6 => ipv6::input(ifp, packet, !ifp.is_loopback()),
            _ => count(&ifp.counters.ierrors, 1),
        }
    }
    let mut queued = STATE.borrow().queued.replace(0);
    while queued != 0 {
        net::flush(queued.trailing_zeros() as usize);
        queued &= queued - 1;
    }
}

/// Runs `f` unless the input path runs already.
fn exclusively(f: impl FnOnce()) {
    if STATE.borrow().busy.replace(true) {
        return;
    }
    f();
    STATE.borrow().busy.set(false);
}

/// See [`crate::output::flush`].
#[inline]
pub fn flush() {
    exclusively(settle);
}

/// Takes in up to `budget` packets of one device; how many there were.
fn take_in(ifp: &'static Ifnet, device: usize, budget: usize) -> usize {
    for taken in 0..budget {
        let Some(packet) = net::receive(device) else { return taken };
        ether::input(ifp, packet);
    }
    budget
}

fn of_device(wanted: usize) -> Option<&'static Ifnet> {
    ifnet::find_map(|ifp| {
        matches!(ifp.kind, Kind::Ethernet { device, .. } if device == wanted).then_some(ifp)
    })
}

/// Takes in what has come, on all interfaces, up to a limit; whether there was something.
fn take_in_all() -> bool {
    let mut any = !LOOP.borrow().is_empty();
    let devices = STATE.borrow().devices.get();
    for device in 0..devices {
        if let Some(ifp) = of_device(device) {
            any |= take_in(ifp, device, INTERRUPT_BUDGET) > 0;
        }
    }
    settle();
    any
}

/// Takes in what has come, wakes whom it concerns, and sends what that leads to; whether there was something. For system calls that are about to
/// sleep on a socket: who is about to sleep is not woken, and looks again where there was something. Never waits.
#[inline]
pub fn poll() -> bool {
    let mut any = false;
    exclusively(|| any = take_in_all());
    any
}

/// The device has something: runs in its interrupt.
fn ready(device: usize) {
    let Some(ifp) = of_device(device) else { return };
    let mut left = 0;
    let mut idle = false;
    exclusively(|| {
        left = INTERRUPT_BUDGET;
        while left > 0 {
            left -= take_in(ifp, device, left);
            if left > 0 && !net::enable_interrupt(device) {
                idle = true;
                break;
            }
        }
        settle();
    });
    if left == INTERRUPT_BUDGET {
        // It was not for a packet.
        crate::config::link_changed(ifp, net::info(device).link_up);
    }
    if !idle {
        let state = STATE.borrow();
        state.pending.set(state.pending.get() | 1 << (device & 63));
        WORK.signal();
    }
}

/// Makes the thread call `f` as soon as those who have work have done it and nothing comes in any more.
pub fn defer(f: fn()) {
    if STATE.borrow().deferred.replace(Some(f)).is_none() {
        WORK.signal();
    }
}

/// Makes the thread run the timers by this time at the latest.
pub fn wake_by(deadline_ns: u64) {
    let state = STATE.borrow();
    if deadline_ns < state.timer_ns.get() {
        state.timer_ns.set(deadline_ns);
        WORK.signal();
    }
}

/// Makes the timers run now.
pub fn wake() {
    wake_by(0);
}

fn run_timers() {
    let now_ns = time::monotonic_ns();
    if now_ns < STATE.borrow().timer_ns.get() {
        return;
    }
    STATE.borrow().timer_ns.set(time::NEVER);
    let next_ns = crate::timer(now_ns);
    let state = STATE.borrow();
    state.timer_ns.set(state.timer_ns.get().min(next_ns));
}

/// The thread.
fn run(_: usize) -> ! {
    // The first look at every device, which also turns their interrupts on.
    let devices = STATE.borrow().devices.get();
    let mut pending: u64 = u64::MAX.checked_shr(64 - devices as u32).unwrap_or(0);
    loop {
        exclusively(|| {
            if !take_in_all()
                && let Some(deferred) = STATE.borrow().deferred.take()
            {
                deferred();
            }
            run_timers();
            settle();
        });
        for device in 0..devices {
            if pending >> device & 1 != 0 && !net::enable_interrupt(device) {
                pending &= !(1 << device);
            }
        }
        if pending != 0 || STATE.borrow().deferred.get().is_some() {
            // There is more, and no interrupt will say so.
            thread::yield_now();
        } else if STATE.borrow().pending.get() == 0 {
            let deadline_ns = STATE.borrow().timer_ns.get();
            WORK.wait_until(deadline_ns);
        }
        pending |= STATE.borrow().pending.replace(0);
    }
}

/// Takes everything away, for the next test.
#[cfg(test)]
pub(crate) fn reset() {
    LOOP.borrow_mut().clear();
    let state = STATE.borrow();
    state.busy.set(false);
    state.queued.set(0);
    state.timer_ns.set(time::NEVER);
}

/// Says how many devices there are, where no thread runs.
#[cfg(test)]
pub(crate) fn set_devices(count: usize) {
    STATE.borrow().devices.set(count);
}
