//! Network interfaces: the network devices that the tool stack has given the guest, which xenstore names. What the functions do is said of the
//! hypercalls `net`.
//!
//! Nothing here is in an image without a network, and nothing of it runs before the network asks how many interfaces there are.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Write;

use rump_hypercall::Giant;
use rump_hypercall::net::{Counters, Info, Packet};
use rump_hypercall::time::monotonic_ns;
use rumpbake_drivers::nic::{Interrupt, Nic};
use rumpbake_drivers::xen::grant::GrantRef;
use rumpbake_drivers::xen::netfront::negotiate::{self, Offer, Refusal, State};
use rumpbake_drivers::xen::netfront::{Netfront, Port};
use rumpbake_drivers::xen::store::Store;
use rumpbake_platform::backtrace::Console;

use crate::{events, grants, store};

/// Tokens of watches end with the interface's number.
const TOKEN: &str = "net";

/// A card and what is watched of its back end.
struct Card {
    nic: Netfront,
    offer: Offer,
}

/// The cards; `None` until somebody has asked.
static CARDS: Giant<Option<Vec<Card>>> = Giant::new(None);
/// Who is told.
static READY: Giant<Option<fn(usize)>> = Giant::new(None);

/// The way to a back end.
struct Link {
    domain: u16,
    port: u32,
}

impl Port for Link {
    fn grant(&mut self, address: u64, readonly: bool) -> Option<GrantRef> {
        grants::grant(self.domain, address, readonly)
    }

    fn end(&mut self, grant: GrantRef) -> bool {
        grants::end(grant)
    }

    fn notify(&mut self) {
        events::notify(self.port);
    }
}

fn card<T>(interface: usize, f: impl FnOnce(&mut Card) -> T) -> Option<T> {
    Some(f(CARDS.borrow_mut().as_mut()?.get_mut(interface)?))
}

fn tell(interface: usize) {
    let ready = READY.get();
    if let Some(ready) = ready {
        ready(interface);
    }
}

/// The back end has something.
fn interrupt(interface: usize) {
    if card(interface, |card| card.nic.interrupt(Interrupt::Queues)) == Some(true) {
        tell(interface);
    }
}

/// A back end's state has changed.
fn changed(store: &mut Store, token: &str) {
    let interface = token.strip_prefix(TOKEN).and_then(|number| number.parse::<usize>().ok());
    let Some(interface) = interface else { return };
    let backend = card(interface, |card| card.offer.backend.clone());
    let Some(state) = backend.map(|backend| negotiate::backend_state(store, &backend)) else { return };
    let told = card(interface, |card| {
        let told = card.nic.set_link(state == Some(State::Connected));
        // Where the node has gone, so has the device.
        if matches!(state, None | Some(State::Closing | State::Closed)) {
            card.nic.close();
        }
        if matches!(state, Some(State::Closing | State::Closed)) {
            negotiate::closed(store, &card.offer);
        }
        told
    });
    if told == Some(true) {
        tell(interface);
    }
}

/// Takes a device into use.
fn connect(store: &mut Store, cards: &mut Vec<Card>, number: u32) -> Result<(), Refusal> {
    // The tool stack starts a guest when the back ends are there; if this one is late it is waited for, shortly.
    let begun_ns = monotonic_ns();
    let offer = loop {
        let offer = negotiate::offer(store, number);
        let backend = offer.as_ref().map(|offer| offer.backend.as_str()).unwrap_or_default();
        if matches!(negotiate::backend_state(store, backend), Some(State::InitWait | State::Connected))
            || !store::nap(begun_ns)
        {
            break offer?;
        }
    };
    let port = events::listen(offer.domain, interrupt, cards.len()).ok_or(Refusal::NoRoom)?;
    let link = Box::new(Link { domain: offer.domain, port });
    let nic = Netfront::new(link, offer.clone()).ok_or(Refusal::NoRoom)?;
    negotiate::accept(store, &offer, nic.grants(), port)?;
    cards.push(Card { nic, offer });
    Ok(())
}

/// Looks for cards.
fn find() -> Vec<Card> {
    let mut cards = Vec::new();
    let _ = store::with_store(|store| {
        for number in negotiate::devices(store) {
            if let Err(why) = connect(store, &mut cards, number) {
                let _ = writeln!(Console, "rumpbake: the network device {number} of Xen {why}");
            }
        }
        store::set_watcher(changed);
        // Last and without waiting, so that the first changes come as events.
        for (interface, card) in cards.iter().enumerate() {
            let state = alloc::format!("{}/state", card.offer.backend);
            // Without the watch the link never comes up.
            let _ = store.watch_from_now_on(&state, &alloc::format!("{TOKEN}{interface}"));
        }
    });
    cards
}

/// How many there are; the first that asks has them looked for.
pub fn count() -> usize {
    if CARDS.borrow().is_none() {
        let found = find();
        *CARDS.borrow_mut() = Some(found);
    }
    CARDS.borrow().as_ref().map_or(0, Vec::len)
}

/// What an interface is like.
pub fn info(interface: usize) -> Info {
    match card(interface, |card| card.nic.info()) {
        Some(info) => info,
        None => panic!("there is no network interface {interface}"),
    }
}

/// What it has counted.
pub fn counters(interface: usize) -> Counters {
    card(interface, |card| card.nic.counters()).unwrap_or_default()
}

/// The next received packet.
pub fn receive(interface: usize) -> Option<Packet> {
    card(interface, |card| card.nic.receive())?
}

/// Queues a packet.
///
/// # Errors
/// The packet, if the queue is full.
pub fn transmit(interface: usize, packet: Packet) -> Result<(), Packet> {
    let mut cards = CARDS.borrow_mut();
    match cards.as_mut().and_then(|cards| cards.get_mut(interface)) {
        Some(card) => card.nic.transmit(packet),
        None => Err(packet),
    }
}

/// Tells the back end of what was queued.
pub fn flush(interface: usize) {
    card(interface, |card| card.nic.flush());
}

/// Asks for an event with the next packet. True if there is one already.
pub fn enable_interrupt(interface: usize) -> bool {
    card(interface, |card| card.nic.enable_interrupt()).unwrap_or(false)
}

/// From now on `ready` is told which interface has something.
pub fn on_ready(ready: fn(usize)) {
    READY.set(Some(ready));
}
