//! Network interfaces: the network devices that the tool stack has given the guest, which xenstore names. What the functions do is said of the
//! hypercalls `net`.
//!
//! Nothing here is in an image without a network, and nothing of it runs before the network asks how many interfaces there are. An interface whose
//! device is taken away stays, as one without a cable; a device that is given with the same number is used in its place.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Write;

use rump_hypercall::Giant;
use rump_hypercall::net::{Counters, Info, Packet};
use rump_hypercall::time::{self, monotonic_ns};
use rumpbake_drivers::nic::{Interrupt, Nic};
use rumpbake_drivers::xen::grant::GrantRef;
use rumpbake_drivers::xen::netfront::negotiate::{self, DEVICES, Offer, Refusal, State};
use rumpbake_drivers::xen::netfront::{Netfront, Port};
use rumpbake_drivers::xen::store::Store;
use rumpbake_drivers::xen::storm::Storm;
use rumpbake_platform::backtrace::Console;

use crate::{events, grants, store};

/// Tokens of watches of back ends end with the interface's number.
const TOKEN: &str = "net";
/// Most numbers of devices that are remembered: a guest that is given more does not hear of each.
const NUMBERS_MAX: usize = 64;

/// A card and what is watched of its back end.
struct Card {
    nic: Netfront,
    /// What its users count on, and where the device and its back end are now.
    offer: Offer,
    /// The device's.
    number: u32,
    /// Its channel's; 0 if it has none.
    port: u32,
    storm: Storm,
}

/// The cards; `None` until somebody has asked.
static CARDS: Giant<Option<Vec<Card>>> = Giant::new(None);
/// Numbers of the devices that are in use, or of which somebody was told why not.
static KNOWN: Giant<Vec<u32>> = Giant::new(Vec::new());
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
    let something = card(interface, |card| {
        let something = card.nic.interrupt(Interrupt::Queues);
        if card.storm.event(something) {
            events::mask(card.port);
            let _ = time::callout(monotonic_ns().saturating_add(Storm::REST_NS), go_on, interface);
        }
        something
    });
    if something == Some(true) {
        tell(interface);
    }
}

/// A rest is over.
fn go_on(interface: usize) {
    card(interface, |card| events::unmask(card.port));
}

/// A device of Xen's cannot be used.
fn refused(number: u32, why: &Refusal) {
    let _ = writeln!(Console, "rumpbake: the network device {number} of Xen {why}");
}

impl Card {
    /// Tells the back end of the rings.
    fn introduce(&mut self, store: &mut Store) -> Result<(), Refusal> {
        let grants = self.nic.grants().ok_or(Refusal::NoRoom)?;
        let told = negotiate::accept(store, &self.offer, grants, self.port);
        if told.is_err() {
            self.close();
        }
        told
    }

    /// Ends the use of the back end. False while it keeps something.
    fn close(&mut self) -> bool {
        let all = self.nic.close();
        if all && self.port != 0 {
            events::close(core::mem::take(&mut self.port));
        }
        all
    }

    /// Uses the device that was given in the place of the one before.
    fn adopt(&mut self, store: &mut Store, interface: usize) -> Result<(), Refusal> {
        let offer = negotiate::offer(store, self.number)?;
        if !offer.is_no_less_than(&self.offer) {
            return Err(Refusal::Less);
        }
        if !self.close() {
            return Err(Refusal::Keeps);
        }
        let port = events::listen(offer.domain, interrupt, interface).ok_or(Refusal::NoRoom)?;
        self.port = port;
        if !self.nic.reopen(Box::new(Link { domain: offer.domain, port })) {
            self.close();
            return Err(Refusal::NoRoom);
        }
        let moved = offer.mac != self.offer.mac;
        (self.offer.device, self.offer.backend, self.offer.domain) =
            (offer.device, offer.backend, offer.domain);
        self.introduce(store)?;
        let keeps = if moved { ", and keeps its own Ethernet address" } else { "" };
        let _ = writeln!(Console, "rumpbake: xennet{interface} has a network device of Xen again{keeps}");
        Ok(())
    }

    /// Does what the state of its back end asks for. True if whoever listens is to be told.
    fn follow(&mut self, store: &mut Store, interface: usize) -> bool {
        let Some(state) = negotiate::backend_state(store, &self.offer.backend) else { return false };
        let in_use = self.nic.grants().is_some();
        match state {
            State::InitWait if !in_use => {
                if let Err(why) = self.adopt(store, interface) {
                    refused(self.number, &why);
                }
                false
            }
            State::Closing | State::Closed | State::Gone => {
                let told = self.nic.set_link(false);
                self.close();
                if in_use {
                    let _ = writeln!(
                        Console,
                        "rumpbake: the network device of xennet{interface} is taken away by Xen"
                    );
                }
                if state != State::Gone {
                    negotiate::closed(store, &self.offer);
                }
                told
            }
            State::Connected | State::InitWait | State::Other => self.nic.set_link(state == State::Connected),
        }
    }

    /// Has changes of the back end's state told from now on.
    fn watch(&self, store: &mut Store, interface: usize) {
        let state = alloc::format!("{}/state", self.offer.backend);
        // Without the watch the link never comes up.
        let _ = store.watch_from_now_on(&state, &alloc::format!("{TOKEN}{interface}"));
    }
}

/// Something has changed in the store.
fn changed(store: &mut Store, token: &str) {
    if token == DEVICES {
        return devices_changed(store);
    }
    let interface = token.strip_prefix(TOKEN).and_then(|number| number.parse::<usize>().ok());
    let Some(interface) = interface else { return };
    if card(interface, |card| card.follow(store, interface)) == Some(true) {
        tell(interface);
    }
}

/// A device was given, taken away, or has changed.
fn devices_changed(store: &mut Store) {
    let numbers = negotiate::devices(store);
    let mut known = KNOWN.borrow_mut();
    known.retain(|number| numbers.contains(number));
    let mut cards = CARDS.borrow_mut();
    let cards = cards.as_mut().map(Vec::as_mut_slice).unwrap_or_default();
    for number in numbers {
        let place = cards.iter_mut().enumerate().find(|(_, card)| card.number == number);
        if let Some((interface, card)) = place {
            let backend = negotiate::backend(store, number);
            if let Some(backend) = backend.filter(|backend| *backend != card.offer.backend)
                && card.nic.grants().is_none()
            {
                // Its state comes as a change of its own.
                card.offer.backend = backend;
                card.watch(store, interface);
            }
        } else if !known.contains(&number) && known.len() < NUMBERS_MAX {
            known.push(number);
            let _ = writeln!(
                Console,
                "rumpbake: the network device {number} of Xen is not used: interfaces are looked for when the network starts"
            );
        }
    }
}

/// Takes a device into use.
fn connect(store: &mut Store, interface: usize, number: u32, begun_ns: u64) -> Result<Card, Refusal> {
    // The tool stack starts a guest when the back ends are there; if this one is late it is waited for, shortly.
    let offer = loop {
        let offer = negotiate::offer(store, number);
        let backend = offer.as_ref().map(|offer| offer.backend.as_str()).unwrap_or_default();
        if matches!(negotiate::backend_state(store, backend), Some(State::InitWait | State::Connected))
            || !store::nap(begun_ns)
        {
            break offer?;
        }
    };
    let port = events::listen(offer.domain, interrupt, interface).ok_or(Refusal::NoRoom)?;
    let link = Box::new(Link { domain: offer.domain, port });
    let Some(nic) = Netfront::new(link, offer.clone()) else {
        events::close(port);
        return Err(Refusal::NoRoom);
    };
    let mut card = Card { nic, offer, number, port, storm: Storm::default() };
    card.introduce(store)?;
    Ok(card)
}

/// Looks for cards.
fn find() -> Vec<Card> {
    let mut cards = Vec::new();
    let asked = store::with_store(|store| {
        let begun_ns = monotonic_ns();
        let mut known = negotiate::devices(store);
        for &number in &known {
            match connect(store, cards.len(), number, begun_ns) {
                Ok(card) => cards.push(card),
                Err(why) => refused(number, &why),
            }
        }
        known.truncate(NUMBERS_MAX);
        *KNOWN.borrow_mut() = known;
        store::set_watcher(changed);
        // Last and without waiting, so that the first changes come as events.
        for (interface, card) in cards.iter().enumerate() {
            card.watch(store, interface);
        }
        let _ = store.watch_from_now_on(DEVICES, DEVICES);
    });
    if asked.is_some() {
        store::look_again();
    }
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
