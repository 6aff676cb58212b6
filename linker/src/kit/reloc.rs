//! Applying relocations, as the amd64 psABI (section 4.4) defines them, and making the global offset table for those that need one.
//!
//! Loads through the table become direct where the instruction allows it (psABI, appendix B): a `mov` becomes a `lea`
//! or a `mov` of the address itself, an indirect call or jump a direct one.

use std::collections::BTreeMap;

use object::LittleEndian as LE;
use object::elf::{self, Rela64, RelocationType};

use super::{Kind, Kit, Place, Reach};
use crate::error::Result;

/// Applies a kit's relocations, once every section has its address.
pub(crate) struct Relocator<'k, 'd> {
    pub kit: &'k Kit<'d>,
    /// Section addresses.
    pub addresses: &'k [u64],
    /// Addresses of the undefined symbols, by index; what is absent is 0 (weak).
    pub externals: &'k BTreeMap<usize, u64>,
    /// Offsets in the global offset table by symbol, and the table's section.
    pub got: &'k Got,
    /// What `%fs` points to while a thread's own storage lies where its first content does (psABI, section 3.4.6); 0 without any.
    pub thread_pointer: u64,
}

/// The global offset table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Got {
    pub section: Option<usize>,
    slots: BTreeMap<usize, u64>,
}

/// How a reference through the global offset table is satisfied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relaxation {
    /// `mov x@GOTPCREL(%rip), %r` with a 64-bit register.
    Load,
    /// `call *x@GOTPCREL(%rip)`.
    Call,
    /// `jmp *x@GOTPCREL(%rip)`.
    Jump,
    /// The table is needed.
    None,
}

fn symbol_of(reloc: &Rela64<LE>) -> usize {
    usize::try_from(reloc.r_sym(LE, false)).unwrap_or(usize::MAX)
}

fn through_got(kind: RelocationType) -> bool {
    matches!(kind, elf::R_X86_64_GOTPCREL | elf::R_X86_64_GOTPCRELX | elf::R_X86_64_REX_GOTPCRELX)
}

fn relaxation(kit: &Kit, executable: bool, code: &[u8], reloc: &Rela64<LE>) -> Relaxation {
    let at = usize::try_from(reloc.r_offset.get(LE)).unwrap_or(usize::MAX);
    let byte = |back: usize| at.checked_sub(back).and_then(|at| code.get(at)).copied();
    let inside = || {
        let place = kit.symbols.get(symbol_of(reloc)).map(|symbol| symbol.place);
        matches!(place, Some(Place::Section { .. }))
    };
    // rustc marks none of these references as relaxable. In code they can be told all the same: the displacement of an operand
    // relative to the instruction pointer directly follows the opcode and the ModRM byte.
    match (byte(3), byte(2), byte(1)) {
        _ if !executable || reloc.r_addend.get(LE) != -4 => Relaxation::None,
        (Some(0x48 | 0x4c), Some(0x8b), Some(modrm)) if modrm & 0xc7 == 0x05 => Relaxation::Load,
        (_, Some(0xff), Some(0x15)) if inside() => Relaxation::Call,
        (_, Some(0xff), Some(0x25)) if inside() => Relaxation::Jump,
        _ => Relaxation::None,
    }
}

impl Got {
    /// Makes the table that the reached sections need, as a section of constants.
    pub(crate) fn make(kit: &mut Kit, reach: &mut Reach) -> Self {
        let mut got = Self::default();
        for index in reach.iter() {
            let Some(section) = kit.sections.get(index) else { continue };
            for reloc in section.relocs.iter() {
                if through_got(reloc.r_type(LE, false))
                    && relaxation(kit, section.kind == Kind::Text, &section.data, reloc) == Relaxation::None
                {
                    let next = 8 * got.slots.len() as u64;
                    got.slots.entry(symbol_of(reloc)).or_insert(next);
                }
            }
        }
        if !got.slots.is_empty() {
            let index = kit.define(".got", Kind::Rodata, 8, vec![0; 8 * got.slots.len()]);
            reach.take(index);
            got.section = Some(index);
        }
        got
    }
}

impl Relocator<'_, '_> {
    /// The address of a symbol, by index.
    pub(crate) fn symbol_address(&self, index: usize) -> u64 {
        match self.kit.symbols.get(index).map(|symbol| symbol.place) {
            Some(Place::Section { index, offset }) => {
                self.addresses.get(index).copied().unwrap_or(0).wrapping_add(offset)
            }
            Some(Place::Absolute(value)) => value,
            Some(Place::Undefined) | None => self.externals.get(&index).copied().unwrap_or(0),
        }
    }

    /// A section's content with its relocations applied.
    pub(crate) fn content(&self, index: usize) -> Result<Vec<u8>> {
        let Some(section) = self.kit.sections.get(index) else { return Ok(Vec::new()) };
        let mut out = section.data.to_vec();
        let base = self.addresses.get(index).copied().unwrap_or(0);
        for reloc in section.relocs.iter() {
            self.apply(&mut out, section.kind == Kind::Text, base, reloc)
                .ok_or_else(|| self.unfit(index, reloc))?;
        }
        if self.got.section == Some(index) {
            for (&symbol, &offset) in &self.got.slots {
                put(
                    &mut out,
                    usize::try_from(offset).unwrap_or(0),
                    &self.symbol_address(symbol).to_le_bytes(),
                );
            }
        }
        Ok(out)
    }

    fn unfit(&self, index: usize, reloc: &Rela64<LE>) -> crate::Error {
        let section = self.kit.sections.get(index).map_or("?", |section| section.name);
        let symbol = self.kit.symbols.get(symbol_of(reloc));
        let target = match symbol.map(|symbol| (symbol.name, symbol.place)) {
            Some(("", Place::Section { index, .. })) => {
                self.kit.sections.get(index).map_or("?", |section| section.name)
            }
            Some((name, _)) => name,
            None => "?",
        };
        let (kind, offset) = (reloc.r_type(LE, false).0, reloc.r_offset.get(LE));
        let address = self.symbol_address(symbol_of(reloc));
        self.kit.fault(format!(
            "relocation of type {kind} at {section}+{offset:#x} cannot reach {target} at {address:#x}"
        ))
    }

    /// What `_GLOBAL_OFFSET_TABLE_` means: the table, or where there is none any place that is the same for all.
    fn got_base(&self) -> u64 {
        self.got.section.and_then(|section| self.addresses.get(section)).copied().unwrap_or(0)
    }

    /// Applies one relocation; `None` if it is unknown, lies outside the section, or its value does not fit.
    fn apply(&self, out: &mut [u8], executable: bool, base: u64, reloc: &Rela64<LE>) -> Option<()> {
        let at = usize::try_from(reloc.r_offset.get(LE)).ok()?;
        let place = base.wrapping_add(reloc.r_offset.get(LE));
        let symbol = symbol_of(reloc);
        let kind = reloc.r_type(LE, false);
        let size = || self.kit.symbols.get(symbol).map(|symbol| symbol.size);
        let target = self.symbol_address(symbol).wrapping_add_signed(reloc.r_addend.get(LE));
        let relative = target.wrapping_sub(place);
        match kind {
            elf::R_X86_64_NONE => Some(()),
            elf::R_X86_64_64 => put(out, at, &target.to_le_bytes()),
            elf::R_X86_64_PC64 => put(out, at, &relative.to_le_bytes()),
            elf::R_X86_64_32 => put(out, at, &u32::try_from(target).ok()?.to_le_bytes()),
            elf::R_X86_64_32S => put(out, at, &signed32(target)?),
            elf::R_X86_64_PC32 | elf::R_X86_64_PLT32 => put(out, at, &signed32(relative)?),
            elf::R_X86_64_16 => put(out, at, &u16::try_from(target).ok()?.to_le_bytes()),
            elf::R_X86_64_8 => put(out, at, &u8::try_from(target).ok()?.to_le_bytes()),
            elf::R_X86_64_SIZE32 => {
                let value = size()?.wrapping_add_signed(reloc.r_addend.get(LE));
                put(out, at, &u32::try_from(value).ok()?.to_le_bytes())
            }
            elf::R_X86_64_SIZE64 => {
                put(out, at, &size()?.wrapping_add_signed(reloc.r_addend.get(LE)).to_le_bytes())
            }
            elf::R_X86_64_TPOFF32 => put(out, at, &signed32(target.wrapping_sub(self.thread_pointer))?),
            elf::R_X86_64_TPOFF64 => put(out, at, &target.wrapping_sub(self.thread_pointer).to_le_bytes()),
            elf::R_X86_64_PC16 => put(out, at, &i16::try_from(relative.cast_signed()).ok()?.to_le_bytes()),
            elf::R_X86_64_PC8 => put(out, at, &i8::try_from(relative.cast_signed()).ok()?.to_le_bytes()),
            elf::R_X86_64_GOTOFF64 | elf::R_X86_64_PLTOFF64 => {
                put(out, at, &target.wrapping_sub(self.got_base()).to_le_bytes())
            }
            elf::R_X86_64_GOTPC32 => {
                let base = self.got_base().wrapping_add_signed(reloc.r_addend.get(LE));
                put(out, at, &signed32(base.wrapping_sub(place))?)
            }
            elf::R_X86_64_GOTPC64 => {
                let base = self.got_base().wrapping_add_signed(reloc.r_addend.get(LE));
                put(out, at, &base.wrapping_sub(place).to_le_bytes())
            }
            kind if through_got(kind) => self.apply_got(out, executable, place, reloc),
            _ => None,
        }
    }

    fn apply_got(&self, out: &mut [u8], executable: bool, place: u64, reloc: &Rela64<LE>) -> Option<()> {
        let at = usize::try_from(reloc.r_offset.get(LE)).ok()?;
        let symbol = symbol_of(reloc);
        let target = self.symbol_address(symbol);
        let relative = target.wrapping_add_signed(reloc.r_addend.get(LE)).wrapping_sub(place);
        match relaxation(self.kit, executable, out, reloc) {
            Relaxation::Load => {
                if let Some(value) = signed32(relative) {
                    put(out, at - 2, &[0x8d])?;
                    return put(out, at, &value);
                }
                // mov $imm32, %r: the register moves from the ModRM byte's middle to its end, REX.R to REX.B.
                let value = signed32(target)?;
                let (rex, modrm) = (*out.get(at - 3)?, *out.get(at - 1)?);
                put(out, at - 3, &[rex & !0x04 | (rex >> 2 & 1), 0xc7, 0xc0 | (modrm >> 3 & 7)])?;
                put(out, at, &value)
            }
            Relaxation::Call => {
                put(out, at - 2, &[0x67, 0xe8])?;
                put(out, at, &signed32(relative)?)
            }
            Relaxation::Jump => {
                // The displacement begins one byte earlier and so does the instruction's end.
                put(out, at - 2, &[0xe9])?;
                put(out, at - 1, &signed32(relative.wrapping_add(1))?)?;
                put(out, at + 3, &[0x90])
            }
            Relaxation::None => {
                let table = *self.addresses.get(self.got.section?)?;
                let slot = table.wrapping_add(*self.got.slots.get(&symbol)?);
                put(out, at, &signed32(slot.wrapping_add_signed(reloc.r_addend.get(LE)).wrapping_sub(place))?)
            }
        }
    }
}

/// The value as four bytes, if it is their sign extension.
fn signed32(value: u64) -> Option<[u8; 4]> {
    i32::try_from(value.cast_signed()).ok().map(i32::to_le_bytes)
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> Option<()> {
    out.get_mut(at..at.checked_add(bytes.len())?)?.copy_from_slice(bytes);
    Some(())
}
