//! Nothing to do: looks at the network's cards for a short while, then halts.
//!
//! To halt and to be woken costs a virtual machine tens of microseconds of its host's time, and the card an interrupt. A server that is asked again soon
//! is quicker without. So the cards are watched first, as long as [`Window`] says: it opens where the processor would have been woken soon, and closes
//! where it would not, so that an idle machine halts (Linux's haltpoll governor does it so). Interrupts are taken meanwhile. Where the clock jumps while
//! the cards are watched, the host has had to give the processor to somebody else: then watching takes time from those who have work, and there is none
//! for a while. An image without a network just halts.

use core::arch::asm;

use rump_hypercall::Giant;
use rumpbake_platform::machine::monotonic_ns;
use rumpbake_platform::sched;

/// The longest watch.
const MOST_NS: u64 = 200_000;
/// The first one after none.
const FIRST_NS: u64 = 50_000;
/// A look takes less than this, unless the host has taken the processor away.
const LOOK_NS: u64 = 50_000;
/// How long nothing is watched then.
const BUSY_NS: u64 = 20_000_000;

/// How the cards are watched.
#[derive(Clone, Copy)]
pub struct Watch {
    /// The cards may leave out interrupts from now on. False if no card wants to be watched.
    pub begin: fn() -> bool,
    /// Whether there is a packet.
    pub found: fn() -> bool,
    /// Interrupts are needed again; what has come is seen to.
    pub end: fn(),
}

/// How long to watch.
#[derive(Clone, Copy)]
struct Window {
    ns: u64,
    /// No watching until then.
    shut_until_ns: u64,
}

const SHUT: Window = Window { ns: 0, shut_until_ns: 0 };

impl Window {
    /// After a time with nothing to do.
    fn after(self, idle_ns: u64, now_ns: u64) -> Self {
        let opens = idle_ns <= MOST_NS && now_ns >= self.shut_until_ns;
        let ns = if opens { (self.ns * 2).clamp(FIRST_NS, MOST_NS) } else { 0 };
        Self { ns, ..self }
    }
}

static STATE: Giant<(Option<Watch>, Window)> = Giant::new((None, SHUT));

/// From now on the cards are watched.
pub fn set_watch(watch: Watch) {
    STATE.set((Some(watch), SHUT));
}

fn halt() {
    // SAFETY: the interrupt that ends the halt is handled on its own stack and returns here; `sti` takes effect after `hlt` has begun.
    unsafe { asm!("sti", "hlt", "cli") };
}

/// Takes the interrupts that are there.
fn take_interrupts() {
    // SAFETY: as a halt; `sti` takes effect after `nop`.
    unsafe { asm!("sti", "nop", "cli") };
}

/// How a watch ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// There is something to do.
    Came,
    /// Nothing has come.
    Over,
    /// The host has more to do than processors.
    Busy,
}

/// Watches for as long as `window_ns`.
fn watch_for(window_ns: u64, watch: Watch) -> Ended {
    if !(watch.begin)() {
        return Ended::Over;
    }
    let start_ns = monotonic_ns();
    let mut looked_ns = start_ns;
    let ended = loop {
        if (watch.found)() || sched::has_ready() {
            break Ended::Came;
        }
        let now_ns = monotonic_ns();
        if now_ns - looked_ns > LOOK_NS {
            break Ended::Busy;
        }
        if now_ns - start_ns >= window_ns {
            break Ended::Over;
        }
        looked_ns = now_ns;
        take_interrupts();
    };
    sched::interrupt(watch.end);
    if sched::has_ready() { Ended::Came } else { ended }
}

#[unsafe(export_name = "rbm_idle")]
fn idle() {
    let (Some(watch), mut window) = STATE.get() else { return halt() };
    let start_ns = monotonic_ns();
    if window.ns != 0 {
        match watch_for(window.ns, watch) {
            Ended::Came => return,
            Ended::Over => {}
            Ended::Busy => window.shut_until_ns = monotonic_ns() + BUSY_NS,
        }
    }
    halt();
    let now_ns = monotonic_ns();
    STATE.set((Some(watch), window.after(now_ns - start_ns, now_ns)));
}
