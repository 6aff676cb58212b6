//! The hypercalls beside the rump kernel: copies of short ones, and for the others a jump to where they are.
//!
//! The kernel is out of reach of a call from the rump kernel, and each jump by a register costs as much as a short hypercall's own work (most of all under an
//! emulator, which has to look its target up). So a hypercall is copied if its code can stand anywhere: if it refers to data by absolute addresses
//! only, which the kernel's are from everywhere, being the last 2 GiB. Its own calls, which should be those of rare cases, get a jump each behind the copy. Whether
//! code is like that is up to the compiler; `rumpbake_far::far` asks it for absolute addresses.

use object::LittleEndian as LE;
use object::elf::{self, Rela64};

use super::is_given;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kit::{Kind, Kit, Place, Reach, Section};
use crate::routes::{VENEER_LEN, veneer};
use crate::space::Space;

/// Longer hypercalls are not copied: their work is more than the jump.
const LONGEST: u64 = 1024;

/// What a relocation of code means for a copy.
enum Reference {
    /// An address, four bytes sign-extended or eight.
    Absolute(usize),
    /// A call or jump: the copy's goes to a veneer.
    Branch,
    /// One that holds at the original's place alone.
    Fixed,
}

fn reference(code: &[u8], reloc: &Rela64<LE>) -> Reference {
    let at = usize::try_from(reloc.r_offset.get(LE)).unwrap_or(usize::MAX);
    let before = |back: usize| at.checked_sub(back).and_then(|at| code.get(at)).copied();
    match (reloc.r_type(LE, false), before(2), before(1)) {
        (elf::R_X86_64_32S, ..) => Reference::Absolute(4),
        (elf::R_X86_64_64, ..) => Reference::Absolute(8),
        (elf::R_X86_64_PLT32, _, Some(0xe8 | 0xe9))
        | (elf::R_X86_64_PLT32, Some(0x0f), Some(0x80..=0x8f))
            if reloc.r_addend.get(LE) == -4 =>
        {
            Reference::Branch
        }
        _ => Reference::Fixed,
    }
}

/// The section with a hypercall's code, and where in it that begins, if it can be copied.
fn copied<'k, 'd>(kernel: &'k Kit<'d>, name: &str) -> Option<(&'k Section<'d>, u64)> {
    let (index, offset) = kernel.location(name)?;
    let section = kernel.sections.get(index)?;
    let is_movable = |reloc| !matches!(reference(&section.data, reloc), Reference::Fixed);
    (section.kind == Kind::Text && section.size <= LONGEST && section.relocs.iter().all(is_movable))
        .then_some((section, offset))
}

/// Bytes that a copy takes, the jumps behind it included.
fn copy_len(section: &Section) -> u64 {
    let is_branch = |reloc: &&Rela64<LE>| matches!(reference(&section.data, reloc), Reference::Branch);
    let branches = section.relocs.iter().filter(is_branch).count();
    section.size.next_multiple_of(VENEER_LEN as u64) + (branches * VENEER_LEN) as u64
}

/// Hypercalls beside the rump kernel.
#[derive(Clone, Debug, Default)]
pub(super) struct Hypercalls {
    /// Names, and the sections that their code is in.
    calls: Vec<(String, usize)>,
}

impl Hypercalls {
    /// Defines what the reached part of the rump kernel asks of this kit, without the code.
    pub(super) fn define(kit: &mut Kit, reach: &mut Reach, kernel: &Kit) -> Self {
        let mut calls = Vec::new();
        for &symbol in &reach.externals {
            let Some(symbol) = kit.symbols.get_mut(symbol).filter(|symbol| is_given(kernel, symbol.name))
            else {
                continue;
            };
            let (len, offset) = copied(kernel, symbol.name)
                .map_or((VENEER_LEN as u64, 0), |(section, offset)| (copy_len(section), offset));
            let index = kit.sections.len();
            kit.sections.push(Section {
                name: symbol.name,
                kind: Kind::Text,
                align: 16,
                size: len,
                data: vec![0x90; usize::try_from(len).unwrap_or(0)].into(),
                relocs: (&[]).into(),
            });
            symbol.place = Place::Section { index, offset };
            symbol.size = len - offset;
            calls.push((symbol.name.to_owned(), index));
        }
        for &(_, index) in &calls {
            reach.take(index);
        }
        Self { calls }
    }

    /// Writes the code. The addresses are those of the rump kernel's sections; the whole kernel is placed.
    pub(super) fn write(&self, kernel: &Kernel, addresses: &[u64], space: &mut Space) -> Result<()> {
        for (name, index) in &self.calls {
            let base = addresses.get(*index).copied().unwrap_or(0);
            let code = match copied(&kernel.kit, name) {
                Some((section, _)) => copy(section, |symbol| kernel.symbol_address(symbol)),
                None => kernel.address(name).map(veneer),
            };
            let written = code.and_then(|code| space.write(base, &code));
            written.ok_or_else(|| kernel.kit.fault(format!("{name} cannot be copied")))?;
        }
        Ok(())
    }
}

/// A copy of a section's code, for any place below 2 GiB. `address`: of the kit's symbols by their numbers.
fn copy(section: &Section, address: impl Fn(usize) -> u64) -> Option<Vec<u8>> {
    let mut code = section.data.to_vec();
    code.resize(usize::try_from(section.size.next_multiple_of(VENEER_LEN as u64)).ok()?, 0xcc);
    for reloc in section.relocs.iter() {
        let at = usize::try_from(reloc.r_offset.get(LE)).ok()?;
        let target = address(usize::try_from(reloc.r_sym(LE, false)).ok()?);
        let addend = reloc.r_addend.get(LE);
        match reference(&section.data, reloc) {
            Reference::Absolute(len) => {
                let value = target.wrapping_add_signed(addend);
                if len == 4 && i32::try_from(value.cast_signed()).is_err() {
                    return None;
                }
                code.get_mut(at..at + len)?.copy_from_slice(value.to_le_bytes().get(..len)?);
            }
            Reference::Branch => {
                let distance = i32::try_from(code.len() - at - 4).ok()?;
                code.extend(veneer(target));
                // A veneer is longer than its instructions by what fills it up.
                code.resize(code.len().next_multiple_of(VENEER_LEN), 0xcc);
                code.get_mut(at..at + 4)?.copy_from_slice(&distance.to_le_bytes());
            }
            Reference::Fixed => return None,
        }
    }
    Some(code)
}

#[cfg(test)]
mod tests {
    use object::elf;

    use super::{copied, copy, copy_len};
    use crate::kit::{Kind, Kit};
    use crate::testing::KitBuilder;

    /// mov $variable,%rax; jne rare; call rare; ret
    const CODE: [u8; 19] = [0x48, 0xc7, 0xc0, 0, 0, 0, 0, 0x0f, 0x85, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xc3];
    /// mov variable(%rip),%eax; ret
    const RELATIVE: [u8; 7] = [0x8b, 0x05, 0, 0, 0, 0, 0xc3];

    fn kit() -> Vec<u8> {
        let mut kit = KitBuilder::new();
        kit.data("variable", Kind::Data, &[0; 8], &[])
            .text("rare", &[0xc3], &[])
            .text(
                "short",
                &CODE,
                &[
                    (3, elf::R_X86_64_32S, "variable", 4),
                    (9, elf::R_X86_64_PLT32, "rare", -4),
                    (14, elf::R_X86_64_PLT32, "rare", -4),
                ],
            )
            .text("relative", &RELATIVE, &[(2, elf::R_X86_64_PC32, "variable", -4)])
            .text("tail", &[0xff, 0x25, 0, 0, 0, 0], &[(2, elf::R_X86_64_GOTPCREL, "rare", -4)])
            .text("long", &[0x90; 1025], &[]);
        kit.finish()
    }

    #[test]
    fn a_copy_reaches_what_the_original_does() {
        let bytes = kit();
        let kit = Kit::parse("test", &bytes).unwrap();
        let (section, offset) = copied(&kit, "short").unwrap();
        let address = |symbol: usize| match kit.symbols[symbol].name {
            "variable" => 0xffff_ffff_8012_3450,
            "rare" => 0xffff_ffff_8056_7890,
            other => panic!("{other}"),
        };
        let code = copy(section, address).unwrap();
        assert_eq!((offset, code.len() as u64), (0, copy_len(section)));
        assert_eq!(code[3..7], 0x8012_3454_u32.to_le_bytes());
        // The code takes 32 bytes, behind which are the two jumps.
        let to = |at: usize| at as u32 + 4 + u32::from_le_bytes(code[at..at + 4].try_into().unwrap());
        assert_eq!((to(9), to(14)), (32, 48));
        for jump in [32, 48] {
            assert_eq!(code[jump + 2..jump + 10], 0xffff_ffff_8056_7890_u64.to_le_bytes());
        }
        // A variable that is not in the last 2 GiB has no such address.
        assert!(copy(section, |_| 0x1_0000_0000).is_none());
    }

    #[test]
    fn code_that_is_bound_to_its_place_is_not_copied() {
        let bytes = kit();
        let kit = Kit::parse("test", &bytes).unwrap();
        for name in ["relative", "tail", "long", "variable", "absent"] {
            assert!(copied(&kit, name).is_none(), "{name}");
        }
    }
}
