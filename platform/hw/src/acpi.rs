//! As much of ACPI as switching the machine off and finding devices need: the FADT's power registers and the `\_S5_` package (ACPI 6.5, 4.8.3, 5.2.8, 5.2.9, 7.4.2),
//! the interrupt controllers (5.2.12), PCI Express' configuration space (PCI Firmware 3.3, 4.1.2).

use rumpbake_platform::page::phys_to_virt;

/// Where the boot code has memory mapped.
const MAPPED: u64 = 1 << 32;
/// A table that claims more is not believed.
const MAX_TABLE: u32 = 1 << 20;

fn bytes(phys: u64, len: usize) -> Option<&'static [u8]> {
    if phys == 0 || phys.checked_add(len as u64).is_none_or(|end| end > MAPPED) {
        return None;
    }
    // SAFETY: firmware's memory below 4 GiB, in the direct map; nobody writes it.
    Some(unsafe { core::slice::from_raw_parts(phys_to_virt(phys), len) })
}

fn u32_at(table: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(table.get(offset..offset + 4)?.try_into().ok()?))
}

fn u64_at(table: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(table.get(offset..offset + 8)?.try_into().ok()?))
}

fn table(phys: u64) -> Option<&'static [u8]> {
    let len = u32_at(bytes(phys, 36)?, 4)?;
    if !(36..=MAX_TABLE).contains(&len) {
        return None;
    }
    bytes(phys, len as usize)
}

/// Looks for the root pointer in a range of firmware's memory (ACPI 6.5, 5.2.5.1).
pub fn search(start: u64, len: u64) -> Option<u64> {
    const SIGNATURE: &[u8] = b"RSD PTR ";
    const LEN: usize = 20;
    let end = start.saturating_add(len).min(MAPPED);
    (start.checked_next_multiple_of(16)?..end).step_by(16).find(|&phys| {
        bytes(phys, LEN).is_some_and(|pointer| {
            pointer.starts_with(SIGNATURE)
                && pointer.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) == 0
        })
    })
}

/// The root pointer: what the loader gave, else the BIOS area is searched.
fn find_rsdp(given: u64) -> Option<u64> {
    if given != 0 {
        return Some(given);
    }
    search(0xe_0000, 0x2_0000)
}

/// The first table with a signature, from the root table with 64-bit entries where there is one, else from the one with 32-bit entries.
fn find_table(rsdp: u64, signature: &[u8; 4]) -> Option<&'static [u8]> {
    const REVISION: usize = 15;
    let root = bytes(rsdp, 36)?;
    let wanted = |phys: u64| table(phys).filter(|table| table.starts_with(signature));
    let xsdt = if root[REVISION] >= 2 { u64_at(root, 24).filter(|&phys| phys != 0) } else { None };
    match xsdt {
        Some(xsdt) => table(xsdt)?.get(36..)?.chunks_exact(8).find_map(|entry| wanted(u64_at(entry, 0)?)),
        None => table(u32_at(root, 16)?.into())?
            .get(36..)?
            .chunks_exact(4)
            .find_map(|entry| wanted(u32_at(entry, 0)?.into())),
    }
}

/// An I/O APIC.
#[derive(Clone, Copy, Debug)]
pub struct IoApic {
    /// Physical address.
    pub address: u64,
    /// The number of its first input among those of all.
    pub first_input: u32,
}

/// How a line of the ISA bus arrives at an I/O APIC where it is out of the ordinary.
#[derive(Clone, Copy, Debug)]
pub struct Override {
    /// The input.
    pub input: u32,
    /// It is active low.
    pub is_low: bool,
    /// It is level-triggered.
    pub is_level: bool,
}

/// The entries of a kind in the table of interrupt controllers.
fn controllers(rsdp: u64, kind: u8) -> impl Iterator<Item = &'static [u8]> {
    let table = find_rsdp(rsdp).and_then(|rsdp| find_table(rsdp, b"APIC"));
    let mut rest = table.and_then(|table| table.get(44..)).unwrap_or(&[]);
    core::iter::from_fn(move || {
        let len = usize::from(*rest.get(1)?).max(2);
        let entry = rest.get(..len)?;
        rest = rest.get(len..)?;
        Some(entry)
    })
    .filter(move |entry| entry[0] == kind)
}

/// The I/O APICs.
pub fn io_apics(rsdp: u64) -> impl Iterator<Item = IoApic> {
    controllers(rsdp, 1).filter_map(|entry| {
        let io_apic = IoApic { address: u32_at(entry, 4)?.into(), first_input: u32_at(entry, 8)? };
        // Mapped uncached from there on.
        (io_apic.address >= 0xfe00_0000).then_some(io_apic)
    })
}

/// What is out of the ordinary with an ISA line.
pub fn line_override(rsdp: u64, line: u8) -> Option<Override> {
    let entry = controllers(rsdp, 2).find(|entry| entry.get(3) == Some(&line))?;
    let flags = u16::from_le_bytes([*entry.get(8)?, *entry.get(9)?]);
    Some(Override { input: u32_at(entry, 4)?, is_low: flags & 3 == 3, is_level: flags >> 2 & 3 == 3 })
}

/// Where PCI Express' configuration space is: the physical address of bus 0.
pub fn pci_express(rsdp: u64) -> Option<u64> {
    let table = find_table(find_rsdp(rsdp)?, b"MCFG")?;
    let entry = table.get(44..60)?;
    // Segment 0, from bus 0 on.
    if entry[8..11] == [0, 0, 0] { u64_at(entry, 0) } else { None }
}

/// The sleep types of `\_S5_`: a package of bytes, found by its name in the byte code.
fn s5(dsdt: &[u8]) -> Option<(u8, u8)> {
    let at = dsdt.windows(4).position(|name| name == b"_S5_")? + 4;
    let mut rest = dsdt.get(at..)?;
    let (&0x12, tail) = rest.split_first()? else { return None };
    // Package length: its first two bits say how many bytes follow; then the element count.
    rest = tail.get(2 + usize::from(tail.first()? >> 6)..)?;
    let mut next = || {
        let (&first, tail) = rest.split_first()?;
        let (value, tail) = match first {
            0x0a => (*tail.first()?, tail.get(1..)?),
            small => (small, tail),
        };
        rest = tail;
        Some(value)
    };
    Some((next()?, next()?))
}

/// What to write where to switch off.
pub enum PowerOff {
    /// The PM1 control registers: port and value of PM1a, and of PM1b, whose port is 0 where there is none.
    Pm1 {
        /// PM1a control.
        a: (u16, u16),
        /// PM1b control.
        b: (u16, u16),
    },
    /// The sleep control register of hardware-reduced ACPI: physical address and value.
    SleepControl(u64, u8),
}

/// Finds how to switch off.
pub fn power_off(rsdp: u64) -> Option<PowerOff> {
    const SLEEP_ENABLE: u16 = 1 << 13;
    const SLEEP_CONTROL_ENABLE: u8 = 1 << 5;
    const HARDWARE_REDUCED: u32 = 1 << 20;
    let fadt = find_table(find_rsdp(rsdp)?, b"FACP")?;
    let dsdt = match u32_at(fadt, 40)? {
        0 => u64_at(fadt, 140)?,
        short => short.into(),
    };
    let (type_a, type_b) = s5(table(dsdt)?.get(36..)?)?;
    if u32_at(fadt, 112)? & HARDWARE_REDUCED != 0 {
        // A generic address: its space (0 is memory), three bytes of no interest here, the address.
        let register = fadt.get(244..256)?;
        let address = u64_at(register, 4)?;
        let usable = register.first() == Some(&0) && (1..MAPPED).contains(&address);
        return usable.then_some(PowerOff::SleepControl(address, (type_a & 7) << 2 | SLEEP_CONTROL_ENABLE));
    }
    let port = |offset| u32_at(fadt, offset).and_then(|port| u16::try_from(port).ok());
    let value = |sleep_type: u8| u16::from(sleep_type & 7) << 10 | SLEEP_ENABLE;
    Some(PowerOff::Pm1 {
        a: (port(64).filter(|&port| port != 0)?, value(type_a)),
        b: (port(68)?, value(type_b)),
    })
}
