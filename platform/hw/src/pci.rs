//! PCI on a PC: configuration space through ports (PCI 3.0, 3.2.2.3.2) or, where there are none, in memory (PCI Express 5.0, 7.2.2); windows onto devices.

use alloc::vec::Vec;
use core::arch::asm;

use rump_hypercall::Giant;
use rumpbake_drivers::mmio::Registers;
use rumpbake_drivers::pci::msi::{ENTRY, Message};
use rumpbake_drivers::pci::{Address, BUS_MASTER, ConfigSpace, Device, MEMORY};

use crate::device::window;
use crate::{acpi, poweroff};

const SELECT: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
const ENABLE: u32 = 1 << 31;
/// Bytes of a bus' configuration space in memory.
const BUS_LEN: usize = 1 << 20;
/// A range of registers beyond this is no network card's.
const MAX_WINDOW: u64 = 1 << 24;
/// Where devices get addresses that firmware has left without: PCI's addresses on every PC, away from what firmware gives out first.
const UNASSIGNED: u64 = 0xf000_0000;
/// The same on QEMU's microvm.
const UNASSIGNED_MICROVM: u64 = 0xc800_0000;

/// Reads a 32-bit word from a port.
fn inl(port: u16) -> u32 {
    let value;
    // SAFETY: touches no memory; the ports are those of configuration space.
    unsafe { asm!("in eax, dx", in("dx") port, out("eax") value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Writes a 32-bit word to a port.
fn outl(port: u16, value: u32) {
    // SAFETY: as for `inl`.
    unsafe { asm!("out dx, eax", in("dx") port, in("eax") value, options(nomem, nostack, preserves_flags)) };
}

/// Configuration space through ports.
struct Ports;

impl Ports {
    fn select(address: Address, offset: u8) {
        let Address { bus, device, function } = address;
        let place = u32::from(bus) << 16 | u32::from(device) << 11 | u32::from(function) << 8;
        outl(SELECT, ENABLE | place | u32::from(offset));
    }
}

impl ConfigSpace for Ports {
    fn read(&self, address: Address, offset: u8) -> u32 {
        Self::select(address, offset);
        inl(DATA)
    }

    fn write(&self, address: Address, offset: u8, value: u32) {
        Self::select(address, offset);
        outl(DATA, value);
    }
}

/// Configuration space in memory.
struct InMemory {
    /// Physical address of bus 0.
    start: u64,
    /// Buses that were looked at.
    buses: Giant<Vec<(u8, Option<Registers>)>>,
}

impl InMemory {
    fn bus(&self, bus: u8) -> Option<Registers> {
        let known = self.buses.borrow().iter().find(|known| known.0 == bus).map(|known| known.1);
        known.unwrap_or_else(|| {
            let window = window(self.start + u64::from(bus) * BUS_LEN as u64, BUS_LEN);
            self.buses.borrow_mut().push((bus, window));
            window
        })
    }

    fn place(address: Address, offset: u8) -> usize {
        usize::from(address.device) << 15 | usize::from(address.function) << 12 | usize::from(offset)
    }
}

impl ConfigSpace for InMemory {
    fn read(&self, address: Address, offset: u8) -> u32 {
        self.bus(address.bus).map_or(u32::MAX, |bus| bus.read32(Self::place(address, offset)))
    }

    fn write(&self, address: Address, offset: u8, value: u32) {
        if let Some(bus) = self.bus(address.bus) {
            bus.write32(Self::place(address, offset), value);
        }
    }
}

/// How configuration space is reached, and what goes with it.
pub struct Pci {
    /// There are ports for it: this is a PC.
    pub has_ports: bool,
    memory: Option<InMemory>,
    next_unassigned: Giant<u64>,
}

impl Pci {
    /// Finds out whether there is PCI.
    pub fn find() -> Self {
        outl(SELECT, ENABLE);
        let has_ports = inl(SELECT) == ENABLE;
        let memory = if has_ports { None } else { acpi::pci_express(poweroff::rsdp()) };
        Self {
            has_ports,
            memory: memory.map(|start| InMemory { start, buses: Giant::new(Vec::new()) }),
            next_unassigned: Giant::new(if has_ports { UNASSIGNED } else { UNASSIGNED_MICROVM }),
        }
    }

    /// Configuration space, if there is any.
    pub fn space(&self) -> Option<&dyn ConfigSpace> {
        if self.has_ports {
            Some(&Ports)
        } else {
            self.memory.as_ref().map(|memory| memory as &dyn ConfigSpace)
        }
    }

    /// Calls `found` for every function.
    pub fn scan(&self, found: &mut dyn FnMut(Device<'_>)) {
        if self.has_ports {
            rumpbake_drivers::pci::scan(&Ports, 0, found);
        } else if let Some(memory) = &self.memory {
            rumpbake_drivers::pci::scan(memory, 0, found);
        }
    }

    /// Windows onto a function, which is made to answer; ranges without an address get one.
    pub fn open<'d>(&'d self, device: Device<'d>) -> Windows<'d> {
        for (number, bar) in device.bars() {
            if bar.start == 0 && bar.len <= MAX_WINDOW {
                let mut next = self.next_unassigned.borrow_mut();
                let start = next.next_multiple_of(bar.len.max(4096));
                device.set_bar(number, start);
                *next = start + bar.len;
            }
        }
        device.command(MEMORY | BUS_MASTER, 0);
        Windows { device, mapped: [const { None }; 6] }
    }
}

/// Windows onto the ranges of a function.
pub struct Windows<'d> {
    device: Device<'d>,
    mapped: [Option<Registers>; 6],
}

impl Windows<'_> {
    /// The window onto a range by its register's number.
    pub fn get(&mut self, number: u8) -> Option<Registers> {
        let index = usize::from(number);
        if self.mapped.get(index)?.is_none() {
            let bar = self.device.bar(number).filter(|bar| bar.start != 0 && bar.len <= MAX_WINDOW);
            // Measuring has made the function stop answering.
            self.device.command(MEMORY, 0);
            let bar = bar?;
            self.mapped[index] = window(bar.start, usize::try_from(bar.len).ok()?);
        }
        self.mapped[index]
    }

    /// Makes the function interrupt by these messages, if it has a table with room for as many.
    pub fn use_messages(&mut self, messages: &[Message]) -> bool {
        let Some(table) = self.device.msix().filter(|table| usize::from(table.len) >= messages.len()) else {
            return false;
        };
        let entries = self
            .get(table.bar)
            .and_then(|window| window.part(table.offset as usize, usize::from(table.len) * ENTRY));
        let Some(entries) = entries else { return false };
        self.device.enable_msix(table, &entries, messages);
        true
    }
}
