//! A rump kernel's copies to and from the program's memory: whoever calls one of them comes by the platform's routine first, which makes the copy return EFAULT where there is no
//! memory. In a rump kernel's own process nothing does that: there copyin(9) of the process' own memory is memcpy(3).
//!
//! The functions are those of copy(9), ufetch(9) and ustore(9), under the names that the build of a rump kernel gives them; each returns an error number.

use std::borrow::Cow;

use object::elf;

use super::tls::reloc;
use crate::kit::{Kind, Kit, Place, Section, Symbol};

/// The platform's routine: calls the function whose address is in `eax`.
pub(super) const ROUTINE: &str = "rb_rump_guarded";

const GUARDED: [&str; 13] = [
    "rumpns_copyin",
    "rumpns_copyout",
    "rumpns_copyinstr",
    "rumpns_copyoutstr",
    "rumpns_kcopy",
    "rumpns__ufetch_8",
    "rumpns__ufetch_16",
    "rumpns__ufetch_32",
    "rumpns__ufetch_64",
    "rumpns__ustore_8",
    "rumpns__ustore_16",
    "rumpns__ustore_32",
    "rumpns__ustore_64",
];

/// `mov $function, %eax; jmp routine`.
const STUB: [u8; 10] = [0xb8, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0];

/// Puts a stub in the place of each of these functions that there is.
pub(super) fn put(kit: &mut Kit) {
    for name in GUARDED {
        let Some(number) = kit.global(name) else { continue };
        let Some(&function) = kit.symbols.get(number) else { continue };
        let Place::Section { index, .. } = function.place else { continue };
        if kit.sections.get(index).is_none_or(|section| section.kind != Kind::Text) {
            continue;
        }
        let own = kit.add_symbol(Symbol { name: "", ..function }, false);
        let routine = kit.global(ROUTINE).unwrap_or_else(|| {
            let (place, kind) = (Place::Undefined, elf::STT_FUNC);
            kit.add_symbol(Symbol { name: ROUTINE, place, size: 0, kind, weak: false }, true)
        });
        let number_of = |symbol: usize| u32::try_from(symbol).unwrap_or(u32::MAX);
        let relocs = vec![
            reloc(1, number_of(own), elf::R_X86_64_32, 0),
            reloc(6, number_of(routine), elf::R_X86_64_PLT32, -4),
        ];
        kit.sections.push(Section {
            name: ".text.guarded",
            kind: Kind::Text,
            align: 16,
            size: STUB.len() as u64,
            data: Cow::Borrowed(&STUB),
            relocs: Cow::Owned(relocs),
        });
        let place = Place::Section { index: kit.sections.len() - 1, offset: 0 };
        if let Some(symbol) = kit.symbols.get_mut(number) {
            symbol.place = place;
        }
    }
}
