//! Event channels: Xen's interrupts (its public header event_channel.h; the two-level form in the shared page).

use core::sync::atomic::Ordering::{Relaxed, SeqCst};

use rump_hypercall::Giant;
use rumpbake_platform::callout;
use rumpbake_platform::cpu::Local;

use crate::hypercall::{self, Number};
use crate::{clock, console, shared, store};

/// EVTCHNOP_bind_virq
const BIND_VIRQ: u64 = 1;
/// EVTCHNOP_close
const CLOSE: u64 = 3;
/// EVTCHNOP_send
const SEND: u64 = 4;
/// EVTCHNOP_alloc_unbound
const ALLOC_UNBOUND: u64 = 6;
/// EVTCHNOP_unmask
const UNMASK: u64 = 9;
/// VIRQ_TIMER
const VIRQ_TIMER: u32 = 0;
/// VIRQ_CONSOLE: input for the guest that holds the machine.
pub const VIRQ_CONSOLE: u32 = 2;
/// SCHEDOP_poll
const POLL: u64 = 3;
/// Ports of event channels: those of the two-level form.
const PORTS: usize = 4096;

/// What the channels are for; a port is never 0.
#[derive(Clone, Copy)]
struct Ports {
    timer: u32,
    console: u32,
    store: u32,
}

static IN_USE: Local<Ports> = Local::new(Ports { timer: 0, console: 0, store: 0 });

/// Most channels that devices have.
const LISTENERS: usize = 8;

/// Whom a device's channel concerns.
#[derive(Clone, Copy)]
struct Listener {
    port: u32,
    handler: fn(usize),
    argument: usize,
}

static LISTENING: Giant<[Option<Listener>; LISTENERS]> = Giant::new([None; LISTENERS]);

/// `struct evtchn_alloc_unbound`.
#[repr(C)]
struct AllocUnbound {
    domain: u16,
    remote: u16,
    port: u32,
}

/// Makes a channel that another domain can bind, whose events call `handler`; its port, if there is one left.
pub fn listen(remote: u16, handler: fn(usize), argument: usize) -> Option<u32> {
    let mut listening = LISTENING.borrow_mut();
    let place = listening.iter_mut().find(|place| place.is_none())?;
    let mut channel = AllocUnbound { domain: hypercall::DOMID_SELF as u16, remote, port: 0 };
    // SAFETY: the command takes this structure.
    let result = unsafe { hypercall::command(Number::EventChannelOp, ALLOC_UNBOUND, &mut channel) };
    if result != 0 || channel.port as usize >= PORTS {
        return None;
    }
    *place = Some(Listener { port: channel.port, handler, argument });
    unmask(channel.port);
    Some(channel.port)
}

/// Ends a channel of [`listen`].
pub fn close(mut port: u32) {
    for place in LISTENING.borrow_mut().iter_mut() {
        place.take_if(|listener| listener.port == port);
    }
    // SAFETY: the command takes a port.
    unsafe { hypercall::command(Number::EventChannelOp, CLOSE, &mut port) };
}

/// `struct evtchn_bind_virq`.
#[repr(C)]
struct BindVirq {
    virq: u32,
    vcpu: u32,
    port: u32,
}

/// Binds a virtual interrupt to a channel and lets it through; the channel's port, if Xen allows it.
pub fn bind_virq(virq: u32) -> Option<u32> {
    let mut argument = BindVirq { virq, vcpu: 0, port: 0 };
    // SAFETY: the command takes this structure.
    let result = unsafe { hypercall::command(Number::EventChannelOp, BIND_VIRQ, &mut argument) };
    if result != 0 || argument.port as usize >= PORTS {
        return None;
    }
    unmask(argument.port);
    Some(argument.port)
}

/// Keeps a channel's events back, until [`unmask`].
pub fn mask(port: u32) {
    if let Some(word) = shared::info().mask.get(port as usize / 64) {
        word.fetch_or(1 << (port % 64), SeqCst);
    }
}

/// Lets a channel's events through, the one too that was kept back.
pub fn unmask(mut port: u32) {
    // SAFETY: the command takes a port.
    unsafe { hypercall::command(Number::EventChannelOp, UNMASK, &mut port) };
}

/// Lets the events of a channel through that the tool stack has bound; its port, or 0 if it has not.
fn bound(port: u32) -> u32 {
    if port == 0 || port as usize >= PORTS {
        return 0;
    }
    unmask(port);
    port
}

/// Makes the channels of the timer, and of console and store as far as there are such (0 if not), ready.
pub fn init(console: u32, store: u32) {
    let Some(timer) = bind_virq(VIRQ_TIMER) else { panic!("Xen refused the timer's event channel") };
    let ports = Ports { timer, console: bound(console), store: bound(store) };
    // SAFETY: boot, one processor, delivery is masked.
    unsafe { *IN_USE.get() = ports };
}

/// Tells the other end of a channel.
pub fn notify(mut port: u32) {
    // SAFETY: the command takes a port. A port that is none is refused, and then there is nobody to tell.
    unsafe { hypercall::command(Number::EventChannelOp, SEND, &mut port) };
}

/// `struct sched_poll`.
#[repr(C)]
struct Poll {
    ports: *const u32,
    count: u32,
    timeout_ns: u64,
}

/// Waits for an event on a channel, at most until `deadline_ns` of the monotonic clock, and takes it back: it is not delivered. Nothing else runs
/// meanwhile.
pub fn wait(port: u32, deadline_ns: u64) {
    let mut poll = Poll { ports: &raw const port, count: 1, timeout_ns: clock::xen_ns(deadline_ns) };
    // SAFETY: the command takes this structure.
    unsafe { hypercall::command(Number::SchedOp, POLL, &mut poll) };
    if let Some(word) = shared::info().pending.get(port as usize / 64) {
        word.fetch_and(!(1 << (port % 64)), SeqCst);
    }
}

/// Handles what is pending. Called in an interrupt, with delivery masked.
pub fn deliver() {
    let info = shared::info();
    let vcpu = shared::vcpu();
    vcpu.upcall_pending.store(0, SeqCst);
    let mut words = vcpu.pending_words.swap(0, SeqCst);
    while words != 0 {
        let word = words.trailing_zeros() as usize;
        words &= words - 1;
        let mut bits = info.pending[word].load(SeqCst) & !info.mask[word].load(Relaxed);
        while bits != 0 {
            let bit = bits.trailing_zeros();
            bits &= bits - 1;
            info.pending[word].fetch_and(!(1 << bit), SeqCst);
            handle(word as u32 * 64 + bit);
        }
    }
}

fn handle(port: u32) {
    // SAFETY: written once at boot.
    let ports = unsafe { *IN_USE.get() };
    if port == ports.timer {
        callout::timer_interrupt();
    } else if port == ports.console {
        console::interrupt();
    } else if port == ports.store {
        store::interrupt();
    } else {
        let listener = LISTENING.borrow().iter().flatten().find(|listener| listener.port == port).copied();
        if let Some(listener) = listener {
            (listener.handler)(listener.argument);
        }
    }
}
