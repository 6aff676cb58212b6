//! System calls that go to a rump kernel: their entries, and which calls these are.
//!
//! Layer 1's component `rumpkernel` names the calls that it keeps in a record that only the linker reads; every other call of NetBSD has an entry
//! here in the place of layer 1's own: a few instructions that hand the component the call's number in bits 0 to 11, and from bits 12, 18 and 24 on
//! what of its arguments is a pointer ([`syscalls::Pointers`]): a rump kernel does not ask whether its own process's pointers lead anywhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::info;
use crate::kernel::Kernel;
use crate::kit::{Kind, Kit, Reach};
use crate::syscalls;

/// What all entries go to, the call's number in `eax`.
pub(crate) const RUMP_CALL: &str = "rb_rump_call";
/// Where the component says which system calls it keeps.
const KEPT: &str = ".rb.rump.kept";
/// Bytes of an entry.
const ENTRY: usize = 16;

/// Bytes of a veneer.
pub(crate) const VENEER_LEN: usize = 16;

/// Code that goes on at `target`, wherever that is: mov $target,%r11; jmp *%r11.
pub(crate) fn veneer(target: u64) -> Vec<u8> {
    [&[0x49, 0xbb][..], &target.to_le_bytes(), &[0x41, 0xff, 0xe3]].concat()
}

/// The entries and the table that tells the kernel about a rump kernel.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    /// The section with the entries.
    pub entries: usize,
    /// The section with [`rump_image::RumpInfo`].
    pub info: usize,
    /// The section with a veneer for each function of the rump kernel that the kernel calls; it is out of reach of a call.
    pub veneers: Option<usize>,
    /// Places of the entries in their section and numbers, by the calls' symbols.
    calls: BTreeMap<String, (u64, usize)>,
}

impl Routes {
    /// Defines the sections.
    pub(crate) fn define(kit: &mut Kit) -> Result<Self> {
        let section = kit.sections.iter().find(|section| section.name == KEPT);
        let text = section.and_then(|section| std::str::from_utf8(&section.data).ok());
        let text = text.ok_or_else(|| kit.fault(format!("it has no section {KEPT}")))?;
        let kept: BTreeSet<&str> = text.split_ascii_whitespace().collect();
        if let Some(name) = kept.iter().find(|name| !syscalls::all().any(|(_, call)| call == **name)) {
            return Err(kit.fault(format!("{KEPT} names {name}, which is no system call")));
        }
        let served = syscalls::all().filter(|(_, name)| !kept.contains(name));
        let calls: BTreeMap<String, (u64, usize)> = served
            .enumerate()
            .map(|(nth, (number, name))| (format!("sys_{name}"), ((nth * ENTRY) as u64, number)))
            .collect();
        let entries = kit.define("rb_rump_entries", Kind::Text, 16, vec![0x90; calls.len() * ENTRY]);
        let info = kit.define("rb_rump", Kind::Rodata, 8, vec![0; info::RUMP_LEN]);
        Ok(Self { entries, info, veneers: None, calls })
    }

    /// Defines the veneers, for what the reached part of the kernel leaves undefined.
    pub(crate) fn define_veneers(&mut self, kit: &mut Kit, reach: &mut Reach) {
        let section =
            kit.define("rb_rump_veneers", Kind::Text, 16, vec![0x90; reach.externals.len() * VENEER_LEN]);
        reach.take(section);
        self.veneers = Some(section);
    }

    /// Whether the rump kernel serves the call with this symbol.
    pub(crate) fn serves(&self, symbol: &str) -> bool {
        self.calls.contains_key(symbol)
    }

    /// Where the entry of the call with this symbol lies in its section.
    pub(crate) fn offset(&self, symbol: &str) -> Option<u64> {
        self.calls.get(symbol).map(|&(offset, _)| offset)
    }

    /// The entries' code and their places, for a section at `base`.
    pub(crate) fn code(&self, kernel: &Kernel, base: u64) -> Vec<(u64, Vec<u8>)> {
        let target = kernel.address(RUMP_CALL).unwrap_or(0);
        let entry = |&(offset, number): &(u64, usize)| {
            // mov $number,%eax; jmp rb_rump_call: both lie in the kernel's code.
            let distance = target.wrapping_sub(base + offset + 10) as u32;
            let pointers = syscalls::pointers(number);
            let bits = u32::from(pointers.any) << 12
                | u32::from(pointers.sized) << 18
                | u32::from(pointers.written) << 24;
            let number = (u32::try_from(number).unwrap_or(0) | bits).to_le_bytes();
            (offset, [&[0xb8][..], &number, &[0xe9], &distance.to_le_bytes()].concat())
        };
        self.calls.values().map(entry).collect()
    }
}
