//! As much of ACPI as switching the machine off needs: the FADT's power registers and the `\_S5_` package (ACPI 6.5, 4.8.3, 5.2.9, 7.4.2).

use rumpbake_platform::page::phys_to_virt;

/// Where the boot code has memory mapped.
const MAPPED: u64 = 1 << 32;
/// A table that claims more is not believed.
const MAX_TABLE: u32 = 1 << 20;

fn bytes(phys: u64, len: usize) -> Option<&'static [u8]> {
    if phys == 0 || phys + len as u64 > MAPPED {
        return None;
    }
    // SAFETY: firmware's memory below 4 GiB, in the direct map; nobody writes it.
    Some(unsafe { core::slice::from_raw_parts(phys_to_virt(phys), len) })
}

fn u32_at(table: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(table.get(offset..offset + 4)?.try_into().ok()?))
}

fn table(phys: u64) -> Option<&'static [u8]> {
    let len = u32_at(bytes(phys, 36)?, 4)?;
    if !(36..=MAX_TABLE).contains(&len) {
        return None;
    }
    bytes(phys, len as usize)
}

/// The root pointer: what the loader gave, else the BIOS area is searched.
fn find_rsdp(given: u64) -> Option<u64> {
    const SIGNATURE: &[u8] = b"RSD PTR ";
    if given != 0 {
        return Some(given);
    }
    (0xe_0000..0x10_0000).step_by(16).find(|&phys| bytes(phys, 8) == Some(SIGNATURE))
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

/// What to write where to switch off: port and value of PM1a, and of PM1b if there is one.
pub struct PowerOff {
    /// PM1a control: port, value.
    pub a: (u16, u16),
    /// PM1b control: port (0 if absent), value.
    pub b: (u16, u16),
}

/// Finds how to switch off.
pub fn power_off(rsdp: u64) -> Option<PowerOff> {
    const SLEEP_ENABLE: u16 = 1 << 13;
    let rsdt = table(u32_at(bytes(find_rsdp(rsdp)?, 20)?, 16)?.into())?;
    let fadt = rsdt.get(36..)?.chunks_exact(4).find_map(|entry| {
        let phys = u32::from_le_bytes(entry.try_into().ok()?);
        table(phys.into()).filter(|table| table.starts_with(b"FACP"))
    })?;
    let (type_a, type_b) = s5(table(u32_at(fadt, 40)?.into())?.get(36..)?)?;
    let port = |offset| u32_at(fadt, offset).and_then(|port| u16::try_from(port).ok());
    let value = |sleep_type: u8| u16::from(sleep_type & 7) << 10 | SLEEP_ENABLE;
    Some(PowerOff { a: (port(64).filter(|&port| port != 0)?, value(type_a)), b: (port(68)?, value(type_b)) })
}
