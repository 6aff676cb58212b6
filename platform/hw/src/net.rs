//! Network interfaces (hypercall `net`): finding the cards, and their interrupts.
//!
//! Nothing here is in an image without a network, and nothing of it runs before the network asks how many interfaces there are.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Write;

use rump_hypercall::net::{Counters, Info, Packet};
use rump_hypercall::{Giant, time};
use rump_kern::component::hook;
use rumpbake_drivers::e1000::{self, E1000};
use rumpbake_drivers::mmio::Registers;
use rumpbake_drivers::nic::{Interrupt, Nic};
use rumpbake_drivers::pci::msi::MSI;
use rumpbake_drivers::pci::{Device, ETHERNET};
use rumpbake_drivers::virtio::net::{self, VirtioNet};
use rumpbake_drivers::virtio::{self, Transport, mmio::Mmio};
use rumpbake_platform::backtrace::Console;

use crate::idle::{self, Watch};
use crate::irq::{self, Trigger};
use crate::pci::{Pci, Windows};
use crate::virtio_slots;

/// The cards; `None` until somebody has asked.
static CARDS: Giant<Option<Vec<Box<dyn Nic>>>> = Giant::new(None);
/// Cards on PCI lines that have not interrupted yet.
static UNPROVEN: Giant<Vec<usize>> = Giant::new(Vec::new());
/// How often those are looked at.
const LOOK_NS: u64 = 2_000_000;
/// Who is told.
static READY: Giant<Option<fn(usize)>> = Giant::new(None);

fn card<T>(interface: usize, f: impl FnOnce(&mut dyn Nic) -> T) -> Option<T> {
    let mut cards = CARDS.borrow_mut();
    Some(f(cards.as_mut()?.get_mut(interface)?.as_mut()))
}

/// An interrupt's argument: the interface and which of its interrupts it is.
fn argument(interface: usize, why: Interrupt) -> usize {
    interface << 2
        | match why {
            Interrupt::Line => 0,
            Interrupt::Queues => 1,
            Interrupt::Config => 2,
        }
}

fn interrupt(argument: usize) {
    interrupt_told(argument);
}

/// Sees to an interrupt; whether the card had something to tell.
fn interrupt_told(argument: usize) -> bool {
    let why = match argument & 3 {
        0 => Interrupt::Line,
        1 => Interrupt::Queues,
        _ => Interrupt::Config,
    };
    let interface = argument >> 2;
    let told = card(interface, |card| card.interrupt(why)) == Some(true);
    if told {
        tell(interface);
    }
    told
}

/// A card that was found but cannot be used.
fn complain(what: &str, why: impl core::fmt::Display) {
    let _ = writeln!(Console, "rumpbake: a {what} {why}");
}

fn add_virtio(cards: &mut Vec<Box<dyn Nic>>, transport: Box<dyn Transport>) {
    match VirtioNet::new(transport) {
        Ok(card) => cards.push(Box::new(card)),
        Err(error) => complain("virtio network device", error),
    }
}

/// Gives a PCI function its line. Where that arrives is known for sure only once it has: on many boards the line that firmware names is that of an
/// interrupt controller which is off. Until then, and for good if it never does, the card is looked at now and then.
fn use_line(device: &Device<'_>, interface: usize) {
    let arg = argument(interface, Interrupt::Line);
    if let Some(line) = device.interrupt_line() {
        irq::line(line, Trigger::PciLevel, line_interrupt, arg);
    }
    UNPROVEN.borrow_mut().push(interface);
    time::callout(time::monotonic_ns() + LOOK_NS, look, interface);
}

/// A line's interrupt: if the card had something to tell, the line is the right one.
fn line_interrupt(argument: usize) {
    if interrupt_told(argument) {
        UNPROVEN.borrow_mut().retain(|&interface| interface != argument >> 2);
    }
}

/// Looks at a card whose interrupt has not been seen yet.
fn look(interface: usize) {
    if UNPROVEN.borrow().contains(&interface) {
        interrupt(argument(interface, Interrupt::Line));
        time::callout(time::monotonic_ns() + LOOK_NS, look, interface);
    }
}

fn virtio_pci(cards: &mut Vec<Box<dyn Nic>>, device: &Device<'_>, mut windows: Windows<'_>) {
    let interface = cards.len();
    let wanted = [Interrupt::Config, Interrupt::Queues];
    let has_room = device.msix().is_some_and(|table| usize::from(table.len) >= virtio::pci::MESSAGES);
    let messages = if has_room {
        let [config, queues] = wanted.map(|why| irq::message(interrupt, argument(interface, why)));
        config.zip(queues)
    } else {
        None
    };
    let by_message = messages.is_some_and(|(config, queues)| windows.use_messages(&[config, queues]));
    let Some(transport) = virtio::pci::Pci::new(device, by_message, &mut |bar| windows.get(bar)) else {
        return complain("virtio network device", "follows no version of virtio that is known");
    };
    if !by_message {
        use_line(device, interface);
    }
    add_virtio(cards, Box::new(transport));
}

fn intel(cards: &mut Vec<Box<dyn Nic>>, device: &Device<'_>, mut windows: Windows<'_>) {
    const WHAT: &str = "network card by Intel";
    let Some(registers) = windows.get(e1000::BAR) else {
        return complain(WHAT, "has no registers in memory");
    };
    let interface = cards.len();
    match E1000::new(registers) {
        Ok(card) => cards.push(Box::new(card)),
        Err(error) => return complain(WHAT, error),
    }
    let has_message = device.capability(MSI).is_some();
    let message =
        if has_message { irq::message(interrupt, argument(interface, Interrupt::Line)) } else { None };
    if !message.is_some_and(|message| device.enable_msi(message)) {
        use_line(device, interface);
    }
}

fn virtio_slot(cards: &mut Vec<Box<dyn Nic>>, registers: Registers, line: u8) {
    let Some(transport) = Mmio::probe(registers, net::DEVICE_ID) else { return };
    if !irq::line(line, Trigger::Edge, interrupt, argument(cards.len(), Interrupt::Line)) {
        complain("virtio network device", "has no interrupt that this kernel can receive; it will be slow");
    }
    add_virtio(cards, Box::new(transport));
}

/// Looks for the devices of a hypervisor, and remembers whom to tell which of them has something.
pub type Finder = fn(tell: fn(usize)) -> Vec<Box<dyn Nic>>;

/// What looks for cards in the place of what follows.
static FINDER: Giant<Option<Finder>> = Giant::new(None);

/// From now on there are a hypervisor's devices instead of cards.
pub fn set_finder(finder: Finder) {
    FINDER.set(Some(hook(finder)));
}

fn tell(interface: usize) {
    if let Some(ready) = READY.get() {
        ready(interface);
    }
}

/// Looks for cards.
fn find() -> Vec<Box<dyn Nic>> {
    if let Some(finder) = FINDER.get() {
        return finder(tell);
    }
    let mut cards = Vec::new();
    let pci = Pci::find();
    pci.scan(&mut |device| {
        if virtio::pci::kind(&device) == Some(net::DEVICE_ID) {
            virtio_pci(&mut cards, &device, pci.open(device));
        } else if e1000::is_one(&device) {
            intel(&mut cards, &device, pci.open(device));
        } else if device.class() == ETHERNET {
            let (vendor, id) = (device.vendor(), device.id());
            complain(
                "network card",
                format_args!("{vendor:04x}:{id:04x} has no driver; virtio-net, e1000 and e1000e have"),
            );
        }
    });
    virtio_slots::scan(pci.has_ports, &mut |registers, line| virtio_slot(&mut cards, registers, line));
    cards
}

#[unsafe(export_name = "rb_net_count")]
fn count() -> usize {
    if CARDS.borrow().is_none() {
        let found = find();
        *CARDS.borrow_mut() = Some(found);
    }
    CARDS.borrow().as_ref().map_or(0, Vec::len)
}

#[unsafe(export_name = "rb_net_info")]
fn info(interface: usize) -> Info {
    match card(interface, |card| card.info()) {
        Some(info) => info,
        None => panic!("there is no network interface {interface}"),
    }
}

#[unsafe(export_name = "rb_net_counters")]
fn counters(interface: usize) -> Counters {
    card(interface, |card| card.counters()).unwrap_or_default()
}

#[unsafe(export_name = "rb_net_receive")]
fn receive(interface: usize) -> Option<Packet> {
    card(interface, |card| card.receive())?
}

#[unsafe(export_name = "rb_net_transmit")]
fn transmit(interface: usize, packet: Packet) -> Result<(), Packet> {
    let mut cards = CARDS.borrow_mut();
    match cards.as_mut().and_then(|cards| cards.get_mut(interface)) {
        Some(card) => card.transmit(packet),
        None => Err(packet),
    }
}

#[unsafe(export_name = "rb_net_flush")]
fn flush(interface: usize) {
    card(interface, |card| card.flush());
}

#[unsafe(export_name = "rb_net_enable_interrupt")]
fn enable_interrupt(interface: usize) -> bool {
    card(interface, |card| card.enable_interrupt()).unwrap_or(false)
}

#[unsafe(export_name = "rb_net_on_ready")]
fn on_ready(ready: fn(usize)) {
    READY.set(Some(ready));
    idle::set_watch(Watch { begin: watch, found: has_received, end: watched });
}

fn watch() -> bool {
    let mut any = false;
    for card in CARDS.borrow_mut().iter_mut().flatten() {
        any |= card.watch();
    }
    any
}

fn has_received() -> bool {
    CARDS.borrow().iter().flatten().any(|card| card.has_received())
}

fn watched() {
    for interface in 0..count() {
        if card(interface, |card| card.watched()) == Some(true) {
            tell(interface);
        }
    }
}
