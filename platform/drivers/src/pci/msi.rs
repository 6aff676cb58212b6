//! Interrupts by message: MSI and MSI-X (PCI 3.0, 6.8).

use super::{Device, NO_LINE};
use crate::mmio::Registers;

/// Capability: message signalled interrupts.
pub const MSI: u8 = 0x05;
/// Capability: the same with a table.
pub const MSIX: u8 = 0x11;

/// What a device writes where to interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Physical address.
    pub address: u64,
    /// Value.
    pub data: u32,
}

/// Where a function's MSI-X table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Place of the capability.
    capability: u8,
    /// Entries.
    pub len: u16,
    /// Number of the base address register.
    pub bar: u8,
    /// Bytes from there.
    pub offset: u32,
}

/// Bytes of a table's entry.
pub const ENTRY: usize = 16;
const ENABLE: u32 = 1 << 31;
const MASK_ALL: u32 = 1 << 30;
const MSI_ENABLE: u32 = 1 << 16;
const MSI_WIDE: u32 = 1 << 23;
/// How many messages MSI may use, a power of two; 0 is one.
const MSI_COUNT: u32 = 0b111 << 20;

impl Device<'_> {
    /// Where the MSI-X table is, if there is one.
    #[must_use]
    pub fn msix(&self) -> Option<Table> {
        let capability = self.capability(MSIX)?;
        let table = self.read(capability + 4);
        Some(Table {
            capability,
            len: (self.read(capability) >> 16 & 0x7ff) as u16 + 1,
            bar: (table & 7) as u8,
            offset: table & !7,
        })
    }

    /// Makes interrupts messages; `entries` is the table's window. Entries without a message stay masked.
    pub fn enable_msix(&self, table: Table, entries: &Registers, messages: &[Message]) {
        let control = self.read(table.capability);
        self.write(table.capability, control | ENABLE | MASK_ALL);
        for index in 0..usize::from(table.len) {
            let at = index * ENTRY;
            if at + ENTRY > entries.len() {
                break;
            }
            match messages.get(index) {
                Some(message) => {
                    entries.write64(at, message.address);
                    entries.write32(at + 8, message.data);
                    entries.write32(at + 12, 0);
                }
                None => entries.write32(at + 12, 1),
            }
        }
        self.command(NO_LINE, 0);
        self.write(table.capability, control & !MASK_ALL | ENABLE);
    }

    /// Makes the interrupt one message, if the function has MSI.
    pub fn enable_msi(&self, message: Message) -> bool {
        let Some(at) = self.capability(MSI) else { return false };
        let control = self.read(at);
        self.write(at + 4, message.address as u32);
        let data_at = if control & MSI_WIDE != 0 {
            self.write(at + 8, (message.address >> 32) as u32);
            at + 12
        } else {
            at + 8
        };
        let other_half = self.read(data_at) & 0xffff_0000;
        self.write(data_at, other_half | message.data & 0xffff);
        self.command(NO_LINE, 0);
        self.write(at, control & !MSI_COUNT | MSI_ENABLE);
        true
    }
}
