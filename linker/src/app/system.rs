//! Which operating system a program was built for: its notes, its interpreter and its OS/ABI byte.

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};

use super::headers::Headers;
use super::{HOW_TO_BUILD, Refusal};

/// Type of the notes that name a system: NetBSD's ident, GNU's and FreeBSD's and OpenBSD's ABI tags.
const NOTE_IDENT: u32 = 1;
/// Type of the PVH note.
const NOTE_PVH: u32 = 18;

/// A note in a PT_NOTE segment.
pub(crate) struct Note<'a> {
    pub owner: &'a [u8],
    pub kind: u32,
    pub content: &'a [u8],
}

/// The notes in `bytes`, up to the first that does not fit.
pub(crate) fn notes(bytes: &[u8], align: u64) -> impl Iterator<Item = Note<'_>> {
    let align = if align == 8 { 8 } else { 4 };
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let word = |at: usize| Some(u32::from_le_bytes(rest.get(at..at + 4)?.try_into().ok()?));
        let owner_len = usize::try_from(word(0)?).ok()?;
        let content_len = usize::try_from(word(4)?).ok()?;
        let kind = word(8)?;
        let owner = rest.get(12..12_usize.checked_add(owner_len)?)?;
        let content_start = (12 + owner_len).checked_next_multiple_of(align)?;
        let content_end = content_start.checked_add(content_len)?;
        let content = rest.get(content_start..content_end)?;
        rest = rest.get(content_end.checked_next_multiple_of(align)?..).unwrap_or(&[]);
        Some(Note { owner: owner.strip_suffix(b"\0").unwrap_or(owner), kind, content })
    })
}

fn by_note(note: &Note) -> Option<&'static str> {
    match (note.owner, note.kind) {
        (b"NetBSD", NOTE_IDENT) => Some("NetBSD"),
        (b"GNU", NOTE_IDENT) => Some(match note.content.get(..4) {
            Some([1, 0, 0, 0]) => "the Hurd",
            Some([2, 0, 0, 0]) => "Solaris",
            Some([3, 0, 0, 0]) => "FreeBSD",
            _ => "Linux",
        }),
        (b"FreeBSD", NOTE_IDENT) => Some("FreeBSD"),
        (b"OpenBSD", NOTE_IDENT) => Some("OpenBSD"),
        (b"DragonFly", NOTE_IDENT) => Some("DragonFly BSD"),
        (b"Android", NOTE_IDENT) => Some("Android"),
        _ => None,
    }
}

fn by_interpreter(interp: &[u8]) -> Option<&'static str> {
    let interp = interp.split(|&byte| byte == 0).next().unwrap_or(&[]);
    let text = std::str::from_utf8(interp).ok()?;
    if text.ends_with("/ld.elf_so") {
        Some("NetBSD")
    } else if text.contains("ld-linux") || text.contains("ld-musl") {
        Some("Linux")
    } else if text.contains("ld-elf.so") {
        Some("FreeBSD")
    } else if text == "/usr/libexec/ld.so" {
        Some("OpenBSD")
    } else if text.contains("/system/bin/linker") {
        Some("Android")
    } else if text.contains("ld.so.1") {
        Some("Solaris")
    } else {
        None
    }
}

fn by_osabi(osabi: elf::OsAbi) -> Option<&'static str> {
    match osabi {
        elf::ELFOSABI_NETBSD => Some("NetBSD"),
        elf::ELFOSABI_LINUX => Some("Linux"),
        elf::ELFOSABI_FREEBSD => Some("FreeBSD"),
        elf::ELFOSABI_OPENBSD => Some("OpenBSD"),
        elf::ELFOSABI_SOLARIS => Some("Solaris"),
        elf::ELFOSABI_HPUX => Some("HP-UX"),
        elf::ELFOSABI_AIX => Some("AIX"),
        elf::ELFOSABI_HURD => Some("the Hurd"),
        _ => None,
    }
}

/// Accepts programs for NetBSD, and says what the others are.
pub(super) fn check(bytes: &[u8], header: &FileHeader64<LE>, headers: &Headers) -> Result<(), Refusal> {
    let all = || headers.notes.iter().flat_map(|&(span, align)| notes(span.of(bytes), align));
    if all().any(|note| note.owner == b"Xen" && note.kind == NOTE_PVH) {
        return Err(Refusal::new(
            "it is a bootable image or kernel, not a program",
            "name the program to bake",
        ));
    }
    let named = all().filter_map(|note| by_note(&note)).find(|&system| system != "NetBSD");
    let ident = all().any(|note| by_note(&note) == Some("NetBSD"));
    let interp = headers.interp.and_then(|span| by_interpreter(span.of(bytes)));
    let abi = by_osabi(header.e_ident.os_abi);
    let other = [named, interp, abi].into_iter().flatten().find(|&system| system != "NetBSD");
    match (ident, other) {
        (true, None) => Ok(()),
        (_, Some(system)) => {
            Err(Refusal::new(format!("it is a program for {system}, not for NetBSD"), HOW_TO_BUILD))
        }
        (false, None) => {
            Err(Refusal::new("it has no .note.netbsd.ident, so it is not a program for NetBSD", HOW_TO_BUILD))
        }
    }
}
