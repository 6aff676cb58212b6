//! Thread-local storage: every way of finding a variable becomes the one that is left when all is linked as one program.
//!
//! The forms are those of the amd64 psABI and of Drepper's "ELF Handling For Thread-Local Storage", sections 4.4.6 and 5.5:
//! general and local dynamic, descriptors, initial exec; what they become is local exec, an offset from `%fs` that is a constant.

use object::LittleEndian as LE;
use object::elf::{self, Rela64, RelocationType};
use object::{I64, U64};

/// A relocation from its parts.
pub(super) fn reloc(offset: u64, symbol: u32, kind: RelocationType, addend: i64) -> Rela64<LE> {
    let info = u64::from(symbol) << 32 | u64::from(kind.0);
    Rela64 { r_offset: U64::new(LE, offset), r_info: U64::new(LE, info), r_addend: I64::new(LE, addend) }
}

fn put(code: &mut [u8], at: usize, bytes: &[u8]) -> Option<()> {
    code.get_mut(at..at.checked_add(bytes.len())?)?.copy_from_slice(bytes);
    Some(())
}

/// Bytes of the call of `__tls_get_addr` that ends at `end` or one byte later, and whether it is the longer one through a pointer.
fn indirect(code: &[u8], at: usize) -> bool {
    code.get(at) == Some(&0xff)
}

/// Rewrites code and relocations of a section. `symbol` gives a relocation's symbol in the numbering of the result. `None` if a
/// sequence is not one that compilers make.
pub(super) fn relax(code: &mut [u8], relocs: &[Rela64<LE>]) -> Option<Vec<Rela64<LE>>> {
    let mut out = Vec::with_capacity(relocs.len());
    let mut relocs = relocs.iter();
    while let Some(entry) = relocs.next() {
        let at = usize::try_from(entry.r_offset.get(LE)).ok()?;
        let (symbol, addend) = (entry.r_sym(LE, false), entry.r_addend.get(LE));
        let local = |offset: usize, addend| reloc(offset as u64, symbol, elf::R_X86_64_TPOFF32, addend);
        match entry.r_type(LE, false) {
            elf::R_X86_64_TLSGD => {
                // data16 lea x@tlsgd(%rip),%rdi; data16 data16 rex64 call __tls_get_addr: 16 bytes, as are
                // mov %fs:0,%rax; lea x@tpoff(%rax),%rax
                let start = at.checked_sub(4)?;
                put(code, start, &[0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x8d, 0x80])?;
                out.push(local(start + 12, addend.wrapping_add(4)));
                relocs.next()?;
            }
            elf::R_X86_64_TLSLD => {
                // lea x@tlsld(%rip),%rdi; call __tls_get_addr: 12 bytes, or 13 through a pointer; mov %fs:0,%rax with prefixes
                let start = at.checked_sub(3)?;
                if indirect(code, start + 7) {
                    put(code, start, &[0x66, 0x66, 0x66, 0x66, 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0])?;
                } else {
                    put(code, start, &[0x66, 0x66, 0x66, 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0])?;
                }
                relocs.next()?;
            }
            elf::R_X86_64_DTPOFF32 => out.push(local(at, addend)),
            elf::R_X86_64_DTPOFF64 => out.push(reloc(at as u64, symbol, elf::R_X86_64_TPOFF64, addend)),
            elf::R_X86_64_GOTTPOFF => {
                let start = at.checked_sub(3)?;
                let &[rex, opcode, modrm] = code.get(start..at)? else { return None };
                let register = modrm >> 3 & 7;
                // REX.R moves to REX.B, the register from the ModRM byte's middle to its end.
                let rex = rex & !0x04 | (rex >> 2 & 1);
                let new = match opcode {
                    0x8b => [rex, 0xc7, 0xc0 | register],
                    0x03 => [rex, 0x81, 0xc0 | register],
                    _ => return None,
                };
                put(code, start, &new)?;
                out.push(local(at, addend.wrapping_add(4)));
            }
            elf::R_X86_64_GOTPC32_TLSDESC => {
                // lea x@tlsdesc(%rip),%r: 7 bytes, as is mov $x@tpoff,%r
                let start = at.checked_sub(3)?;
                let &[rex, 0x8d, modrm] = code.get(start..at)? else { return None };
                put(code, start, &[rex & !0x04 | (rex >> 2 & 1), 0xc7, 0xc0 | (modrm >> 3 & 7)])?;
                out.push(local(at, addend.wrapping_add(4)));
            }
            // call *x@tlscall(%rax), which is to turn the one into the other
            elf::R_X86_64_TLSDESC_CALL => put(code, at, &[0x66, 0x90])?,
            _ => out.push(*entry),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use object::LittleEndian as LE;
    use object::elf::{self, RelocationType};

    use super::{relax, reloc};

    /// Relaxes code with these relocations; returns code, and place, type and addend of what is left to be relocated.
    fn relaxed(
        code: &[u8],
        relocs: &[(u64, RelocationType, i64)],
    ) -> (Vec<u8>, Vec<(u64, RelocationType, i64)>) {
        let mut code = code.to_vec();
        let relocs: Vec<_> = relocs.iter().map(|&(at, kind, addend)| reloc(at, 7, kind, addend)).collect();
        let left = relax(&mut code, &relocs).unwrap();
        let left =
            left.iter().map(|r| (r.r_offset.get(LE), r.r_type(LE, false), r.r_addend.get(LE))).collect();
        (code, left)
    }

    #[test]
    fn general_dynamic_becomes_an_offset_from_fs() {
        let code = [0x66, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0x66, 0x66, 0x48, 0xe8, 0, 0, 0, 0];
        let (code, left) = relaxed(&code, &[(4, elf::R_X86_64_TLSGD, -4), (12, elf::R_X86_64_PLT32, -4)]);
        assert_eq!(code[..12], [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x8d, 0x80]);
        assert_eq!(left, [(12, elf::R_X86_64_TPOFF32, 0)]);
    }

    #[test]
    fn local_dynamic_becomes_the_thread_pointer() {
        let code = [0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x8b, 0x80, 0, 0, 0, 0];
        let relocs =
            [(3, elf::R_X86_64_TLSLD, -4), (8, elf::R_X86_64_PLT32, -4), (14, elf::R_X86_64_DTPOFF32, 0)];
        let (code, left) = relaxed(&code, &relocs);
        assert_eq!(code[..12], [0x66, 0x66, 0x66, 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0]);
        assert_eq!(left, [(14, elf::R_X86_64_TPOFF32, 0)]);
    }

    #[test]
    fn a_descriptor_becomes_a_constant() {
        // lea x@tlsdesc(%rip),%rax; call *x@tlscall(%rax)
        let code = [0x48, 0x8d, 0x05, 0, 0, 0, 0, 0xff, 0x10];
        let relocs = [(3, elf::R_X86_64_GOTPC32_TLSDESC, -4), (7, elf::R_X86_64_TLSDESC_CALL, 0)];
        let (code, left) = relaxed(&code, &relocs);
        assert_eq!(code, [0x48, 0xc7, 0xc0, 0, 0, 0, 0, 0x66, 0x90]);
        assert_eq!(left, [(3, elf::R_X86_64_TPOFF32, 0)]);
    }

    #[test]
    fn initial_exec_loads_a_constant() {
        // mov x@gottpoff(%rip),%r9; add x@gottpoff(%rip),%rcx
        let code = [0x4c, 0x8b, 0x0d, 0, 0, 0, 0, 0x48, 0x03, 0x0d, 0, 0, 0, 0];
        let relocs = [(3, elf::R_X86_64_GOTTPOFF, -4), (10, elf::R_X86_64_GOTTPOFF, -4)];
        let (code, left) = relaxed(&code, &relocs);
        assert_eq!(code[..3], [0x49, 0xc7, 0xc1]);
        assert_eq!(code[7..10], [0x48, 0x81, 0xc1]);
        assert_eq!(left, [(3, elf::R_X86_64_TPOFF32, 0), (10, elf::R_X86_64_TPOFF32, 0)]);
    }
}
