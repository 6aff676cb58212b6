//! The kernel's part of an image: chosen, placed, its tables filled, relocated.

use std::collections::{BTreeMap, BTreeSet};

use rump_image::{KERNEL_BASE, Span};

use crate::components::{self, Demand, NOSYS, Selection};
use crate::error::Result;
use crate::header::IMAGE_START;
use crate::kit::{Got, Kind, Kit, Place, Relocator};
use crate::place::{Hole, place};
use crate::routes::{RUMP_CALL, Routes, VENEER_LEN, veneer};
use crate::rump::RumpKernel;
use crate::syscalls;
use crate::{app::PAGE, info};

/// Entries of `rb_sysent`: NetBSD's SYS_NSYSENT.
const SYSENT_LEN: usize = 512;

/// The kernel in the making.
pub(crate) struct Kernel<'d> {
    pub kit: Kit<'d>,
    pub selection: Selection,
    /// Virtual addresses by section.
    pub addresses: Vec<u64>,
    pub spans: Spans,
    got: Got,
    externals: BTreeMap<usize, u64>,
    info: usize,
    sysent: usize,
    components: usize,
    routes: Option<Routes>,
}

/// Where the kernel's parts lie in physical memory, page-aligned.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spans {
    pub rodata: Span,
    pub text: Span,
    pub data: Span,
    /// Bytes of `data` that have content, not rounded.
    pub data_content: u64,
}

fn span(start: u64, end: u64) -> Span {
    Span { start, len: end.next_multiple_of(PAGE) - start }
}

impl<'d> Kernel<'d> {
    /// Chooses what to take from the kit.
    ///
    /// `rump`: a rump kernel serves the system calls that layer 1 does not keep.
    pub(crate) fn choose(mut kit: Kit<'d>, demand: &Demand, rump: bool) -> Result<Self> {
        let mut names: BTreeSet<&str> = syscalls::all().map(|(_, name)| name).collect();
        let mut routes = if rump { Some(Routes::define(&mut kit)?) } else { None };
        let mut demand = demand.clone();
        if let Some(routes) = &routes {
            names.retain(|name| !routes.serves(&format!("sys_{name}")));
            demand.symbols.retain(|symbol| !routes.serves(symbol));
            demand.symbols.insert(RUMP_CALL.into());
        }
        let records = components::records(&kit)?.len();
        let info = kit.define("rb_image", Kind::Rodata, 16, vec![0; info::LEN]);
        let sysent = kit.define("rb_sysent", Kind::Rodata, 16, vec![0; 8 * SYSENT_LEN]);
        let components = kit.define("rb_components", Kind::Rodata, 16, vec![0; 8 * (records + 1)]);
        let mut selection = components::select(&kit, &demand, &names)?;
        if let Some(routes) = &mut routes {
            routes.define_veneers(&mut kit, &mut selection.reach);
            selection.reach.take(routes.entries);
        }
        let got = Got::make(&mut kit, &mut selection.reach);
        let addresses = vec![0; kit.sections.len()];
        let (externals, spans) = (BTreeMap::new(), Spans::default());
        Ok(Self { kit, selection, addresses, spans, got, externals, info, sysent, components, routes })
    }

    /// Places constants and code behind the headers, around the hole. Returns the physical address after them, page-aligned.
    pub(crate) fn place_fixed(&mut self, headers_end: u64, hole: Option<Hole>) -> u64 {
        let virt = |phys| KERNEL_BASE + phys;
        let hole_virt = hole.map(|hole| Hole { start: virt(hole.start), end: virt(hole.end) });
        let reach = &self.selection.reach;
        let start = virt(IMAGE_START + headers_end);
        let end = place(&self.kit, reach, Kind::Rodata, start, hole_virt, &mut self.addresses) - KERNEL_BASE;
        let end = end.max(hole.map_or(0, |hole| hole.end));
        self.spans.rodata = span(IMAGE_START, end);
        let text = IMAGE_START + self.spans.rodata.len;
        let end = place(&self.kit, reach, Kind::Text, virt(text), None, &mut self.addresses) - KERNEL_BASE;
        self.spans.text = span(text, end);
        text + self.spans.text.len
    }

    /// Places the variables from `start` on. Returns the physical address after them, page-aligned.
    pub(crate) fn place_data(&mut self, start: u64) -> u64 {
        let reach = &self.selection.reach;
        let end = place(&self.kit, reach, Kind::Data, KERNEL_BASE + start, None, &mut self.addresses);
        self.spans.data_content = end - KERNEL_BASE - start;
        let end = place(&self.kit, reach, Kind::Bss, end, None, &mut self.addresses) - KERNEL_BASE;
        self.spans.data = span(start, end);
        start + self.spans.data.len
    }

    /// The address of a global symbol that is in the image.
    pub(crate) fn address(&self, name: &str) -> Option<u64> {
        match self.kit.defined(name)?.place {
            Place::Section { index, offset } => {
                self.selection.reach.has(index).then(|| self.addresses.get(index).map(|at| at + offset))?
            }
            Place::Absolute(value) => Some(value),
            Place::Undefined => None,
        }
    }

    /// The address of a system call's entry, or of what stands in for it.
    pub(crate) fn entry_or_nosys(&self, symbol: &str) -> u64 {
        if let Some(routes) = &self.routes
            && let Some(offset) = routes.offset(symbol)
        {
            return self.addresses.get(routes.entries).map_or(0, |at| at + offset);
        }
        self.address(symbol).or_else(|| self.address(NOSYS)).unwrap_or(0)
    }

    /// Binds the symbols that the kit leaves to the linker; all addresses are known.
    pub(crate) fn bind_externals(&mut self) -> Result<()> {
        let Spans { rodata, text, data, data_content } = self.spans;
        let bound = |name: &str| {
            Some(
                KERNEL_BASE
                    + match name {
                        "rb_image_start" => IMAGE_START,
                        "rb_image_end" | "rb_bss_end" => data.start + data.len,
                        "rb_rodata_start" => rodata.start,
                        "rb_rodata_end" => rodata.start + rodata.len,
                        "rb_text_start" => text.start,
                        "rb_text_end" => text.start + text.len,
                        "rb_data_start" => data.start,
                        "rb_data_end" | "rb_bss_start" => data.start + data_content,
                        _ => return None,
                    },
            )
        };
        self.kit.bind_externals(&self.selection.reach.externals, &mut self.externals, bound)
    }

    /// Binds what the kernel calls of a rump kernel, which is placed, and tells it where its parts lie.
    pub(crate) fn bind_rump(&mut self, rump: &RumpKernel) -> Result<()> {
        let mut missing = BTreeSet::new();
        let Some(routes) = &self.routes else { return Ok(()) };
        let veneers = routes.veneers.unwrap_or(0);
        let base = self.addresses.get(veneers).copied().unwrap_or(0);
        for (nth, &index) in self.selection.reach.externals.iter().enumerate() {
            let Some(symbol) = self.kit.symbols.get(index) else { continue };
            match rump.address(symbol.name) {
                Some(address) => {
                    let offset = (nth * VENEER_LEN) as u64;
                    self.kit.patch(veneers, offset, &veneer(address))?;
                    self.externals.insert(index, base + offset);
                }
                None if symbol.name.starts_with("rump_") && !symbol.weak => {
                    missing.insert(symbol.name);
                }
                None => {}
            }
        }
        if !missing.is_empty() {
            return Err(rump.lacks(&missing));
        }
        self.kit.patch(routes.info, 0, &info::rump_bytes(&rump.info()))
    }

    /// Fills the tables that the linker makes, except the table of contents.
    pub(crate) fn fill_tables(&mut self) -> Result<()> {
        let mut entries = [self.entry_or_nosys(NOSYS); SYSENT_LEN];
        for (number, name) in syscalls::all() {
            if let Some(entry) = entries.get_mut(number) {
                *entry = self.entry_or_nosys(&format!("sys_{name}"));
            }
        }
        if let Some(routes) = &self.routes {
            let base = self.addresses.get(routes.entries).copied().unwrap_or(0);
            for (offset, code) in routes.code(self, base) {
                self.kit.patch(routes.entries, offset, &code)?;
            }
        }
        self.kit.patch(self.sysent, 0, &entries.map(u64::to_le_bytes).concat())?;
        let mut table = Vec::new();
        for taken in &self.selection.taken {
            let descriptor = self.address(&format!("rb_component_{}", taken.info.name)).unwrap_or(0);
            table.extend(descriptor.to_le_bytes());
        }
        self.kit.patch(self.components, 0, &table)
    }

    /// Fills the table of contents.
    pub(crate) fn fill_info(&mut self, bytes: &[u8]) -> Result<()> {
        self.kit.patch(self.info, 0, bytes)
    }

    fn relocator(&self) -> Relocator<'_, 'd> {
        Relocator {
            kit: &self.kit,
            addresses: &self.addresses,
            externals: &self.externals,
            got: &self.got,
            thread_pointer: 0,
        }
    }

    /// The address of a symbol by its number in the kit; all sections are placed.
    pub(crate) fn symbol_address(&self, index: usize) -> u64 {
        self.relocator().symbol_address(index)
    }

    /// Writes the relocated sections into the image, whose first byte is at [`IMAGE_START`].
    pub(crate) fn write(&self, image: &mut [u8]) -> Result<()> {
        let relocator = self.relocator();
        for index in self.selection.reach.iter() {
            let (Some(section), Some(&address)) = (self.kit.sections.get(index), self.addresses.get(index))
            else {
                continue;
            };
            if section.kind == Kind::Bss {
                continue;
            }
            let content = relocator.content(index)?;
            let at = usize::try_from(address.wrapping_sub(KERNEL_BASE + IMAGE_START)).unwrap_or(usize::MAX);
            let place = image.get_mut(at..at.saturating_add(content.len()));
            let place = place.ok_or_else(|| self.kit.fault(format!("{} was not placed", section.name)))?;
            place.copy_from_slice(&content);
        }
        Ok(())
    }
}
