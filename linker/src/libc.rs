//! Layer 2's part of an image: what the program reaches of it, placed in the program's half right after the program.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::{App, PAGE};
use crate::bind::{self, Imports};
use crate::components::GATE;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kit::{Got, Kind, Kit, Place, Reach, Relocator};
use crate::place::place;
use crate::space::{Layer, Pages, Prot, Space};

/// Where a dynamic program's first LWP starts.
const START: &str = "rb_libc_start";
/// The word that holds the gate's address.
const GATE_WORD: &str = "rb_gate_word";
/// The clock that the kernel publishes for layer 2.
const CLOCK: &str = "rb_clock";
/// The kernel's table of system calls: a reference to it means that any call may be made by number.
const SYSENT: &str = "rb_sysent";
/// Layer 2 is built for the small code model.
const LIMIT: u64 = 1 << 31;

/// Layer 2 in the making.
pub(crate) struct Libc<'d> {
    pub kit: Kit<'d>,
    pub reach: Reach,
    /// Application addresses by section.
    pub addresses: Vec<u64>,
    /// The first address after it, page-aligned.
    pub end: u64,
    pub imports: Imports,
    got: Got,
    externals: BTreeMap<usize, u64>,
    gate_word: (usize, u64),
}

impl<'d> Libc<'d> {
    /// Chooses what the program reaches, and gives it its addresses.
    pub(crate) fn choose(mut kit: Kit<'d>, app: &App) -> Result<Self> {
        let imports = bind::imports(&mut kit, app)?;
        let gate_word =
            kit.location(GATE_WORD).ok_or_else(|| kit.fault(format!("it does not define {GATE_WORD}")))?;
        // Makes it a datum with content if it is not.
        kit.patch(gate_word.0, gate_word.1, &[0; 8])?;
        let table = bind::irelative_table(app);
        let len = table.len() as u64;
        let index = kit.define("rb_irelative_start", Kind::Rodata, 8, table);
        kit.bind("rb_irelative_end", Place::Section { index, offset: len });
        let mut reach = Reach::default();
        for root in [START, GATE_WORD] {
            kit.walk_symbol(&mut reach, root)?;
        }
        for &section in &imports.sections {
            kit.walk(&mut reach, section)?;
        }
        let got = Got::make(&mut kit, &mut reach);
        let addresses = vec![0; kit.sections.len()];
        let end = app.headers().end();
        Ok(Self { kit, reach, addresses, end, imports, got, externals: BTreeMap::new(), gate_word })
    }

    /// The kernel's symbols to which it refers: those that `kernel` has, the clock, and the gate.
    pub(crate) fn kernel_symbols(&self, kernel: &Kit) -> BTreeSet<String> {
        let names = self.reach.externals.iter().filter_map(|&index| Some(self.kit.symbols.get(index)?.name));
        let taken = names
            .filter(|&name| name.starts_with("sys_") && kernel.location(name).is_some() || name == CLOCK);
        taken.chain([GATE]).map(str::to_owned).collect()
    }

    /// Whether it makes system calls by number.
    pub(crate) fn calls_by_number(&self) -> bool {
        self.reach
            .externals
            .iter()
            .any(|&index| self.kit.symbols.get(index).is_some_and(|s| s.name == SYSENT))
    }

    /// Gives every section its address, and adds the segments to the application's space.
    pub(crate) fn place(&mut self, app: &App, space: &mut Space) -> Result<()> {
        let mut at = self.end;
        for (kinds, prot) in [
            (&[Kind::Text][..], Prot::READ_EXEC),
            (&[Kind::Rodata], Prot::READ),
            (&[Kind::Data, Kind::Bss], Prot::READ_WRITE),
        ] {
            let start = at;
            let placed = self.movable();
            for &kind in kinds {
                at = place(&self.kit, &placed, kind, at, None, &mut self.addresses);
            }
            at = at.next_multiple_of(PAGE);
            if at > start {
                let data = Vec::new();
                space.pages.push(Pages { va: start, len: at - start, prot, layer: Layer::Libc, data });
            }
        }
        for copy in &self.imports.copies {
            if let Some(address) = self.addresses.get_mut(copy.section) {
                *address = copy.address;
            }
        }
        self.end = at;
        if at > LIMIT {
            return Err(Error::Layout {
                path: app.path().into(),
                reason: format!(
                    "it ends at {:#x}, and libc has to lie behind it below 2 GiB",
                    app.headers().end()
                ),
                hint: "link it at the linker's default address".into(),
            });
        }
        Ok(())
    }

    /// What is reached, less the data whose home is the program's copy.
    fn movable(&self) -> Reach {
        let mut reach = Reach::default();
        for section in
            self.reach.iter().filter(|&section| !self.imports.copies.iter().any(|c| c.section == section))
        {
            reach.take(section);
        }
        reach
    }

    /// The address of a global symbol that is in the image.
    pub(crate) fn address(&self, name: &str) -> Option<u64> {
        match self.kit.defined(name)?.place {
            Place::Section { index, offset } => {
                self.reach.has(index).then(|| self.addresses.get(index).map(|at| at + offset))?
            }
            Place::Absolute(value) => Some(value),
            Place::Undefined => None,
        }
    }

    /// Where the first LWP starts.
    pub(crate) fn start(&self) -> u64 {
        self.address(START).unwrap_or(0)
    }

    /// The address of the gate's word.
    pub(crate) fn gate_word(&self) -> u64 {
        self.addresses.get(self.gate_word.0).map_or(0, |at| at + self.gate_word.1)
    }

    /// Binds what it leaves to the kernel; the kernel's code and constants are placed.
    pub(crate) fn bind_kernel(&mut self, kernel: &Kernel) -> Result<()> {
        let gate = kernel.address(GATE).unwrap_or(0);
        self.kit.patch(self.gate_word.0, self.gate_word.1, &gate.to_le_bytes())?;
        self.kit.bind_externals(&self.reach.externals, &mut self.externals, |symbol| match symbol {
            name if name.starts_with("sys_") => Some(kernel.entry_or_nosys(name)),
            SYSENT | CLOCK => kernel.address(symbol),
            _ => None,
        })
    }

    /// Writes the relocated sections into the application's space.
    pub(crate) fn write(&self, space: &mut Space) -> Result<()> {
        let relocator = Relocator {
            kit: &self.kit,
            addresses: &self.addresses,
            externals: &self.externals,
            got: &self.got,
            thread_pointer: 0,
        };
        for index in self.reach.iter() {
            let (Some(section), Some(&address)) = (self.kit.sections.get(index), self.addresses.get(index))
            else {
                continue;
            };
            if section.kind == Kind::Bss || section.size == 0 {
                continue;
            }
            let content = relocator.content(index)?;
            let written = space.write(address, &content);
            written.ok_or_else(|| self.kit.fault(format!("{} was not placed", section.name)))?;
            for copy in self.imports.more_copies.iter().filter(|copy| copy.section == index) {
                let written = space.write(copy.address, &content);
                written.ok_or_else(|| self.kit.fault(format!("{} was not copied", section.name)))?;
            }
        }
        Ok(())
    }
}
