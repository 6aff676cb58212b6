//! What loaders read first: the ELF header with its program headers, the PVH note and the multiboot 1 header, or Xen's notes.
//!
//! Follows the gABI (chapters 4 and 5), Xen's public header `elfnote.h`, and the Multiboot Specification 0.6.96,
//! section 3.1. All of it lies in the image's first page (or, hidden from QEMU, the end of the second), loaded with the
//! constants of the kernel.

use object::elf;
use rump_image::KERNEL_BASE;

use crate::bake::{Multiboot, Target};
use crate::place::Hole;

/// Physical address of the image's first byte.
pub(crate) const IMAGE_START: u64 = 0x10_0000;
/// Bytes of the ELF header.
const ELF_HEADER: u64 = 64;
/// Bytes of a program header.
const PROGRAM_HEADER: u64 = 56;
/// Program headers that an image has.
const PROGRAM_HEADERS: u64 = 6;
/// Bytes of a section header.
const SECTION_HEADER: u64 = 64;
/// The names of the sections that an image has: none, the note that describes it, the names themselves.
const SECTION_NAMES: &[u8] = b"\0.note.rumpbake\0.shstrtab\0";
/// Where the notes for loaders lie in the file.
const NOTES: u64 = ELF_HEADER + PROGRAM_HEADERS * PROGRAM_HEADER;
/// Bytes of the PVH note.
const PVH_NOTE_LEN: u64 = 24;
/// Where the multiboot header lies if everyone may see it.
const MULTIBOOT: u64 = NOTES + PVH_NOTE_LEN;
/// Bytes of the multiboot header with the address fields.
const MULTIBOOT_LEN: u64 = 32;
/// Boot loaders search this much of a file; QEMU 48 bytes less.
const MULTIBOOT_SEARCH: u64 = 8192;

/// Type of the note with the physical address of the 32-bit entry.
const XEN_ELFNOTE_PHYS32_ENTRY: u32 = 18;
/// What Xen wants to know of a guest's kernel (`elfnote.h`).
const XEN_ELFNOTE_ENTRY: u32 = 1;
const XEN_ELFNOTE_VIRT_BASE: u32 = 3;
const XEN_ELFNOTE_PADDR_OFFSET: u32 = 4;
const XEN_ELFNOTE_XEN_VERSION: u32 = 5;
const XEN_ELFNOTE_GUEST_OS: u32 = 6;
const XEN_ELFNOTE_LOADER: u32 = 8;
const XEN_ELFNOTE_PAE_MODE: u32 = 9;
const XEN_ELFNOTE_FEATURES: u32 = 10;
const MULTIBOOT_MAGIC: u32 = 0x1bad_b002;
/// Modules page-aligned, memory map wanted, and the address fields are valid.
const MULTIBOOT_FLAGS: u32 = 1 | 2 | 1 << 16;

/// A physical span of the image that is loaded as one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadSpan {
    pub start: u64,
    pub file_len: u64,
    pub mem_len: u64,
    pub flags: elf::ProgramFlags,
}

/// Where loaders enter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry {
    /// PVH and multiboot 1 loaders, by physical addresses.
    Hw { pvh: u64, multiboot: Option<u64>, visible: Multiboot },
    /// Xen, which starts a guest's kernel at an address of its own.
    Xen { start: u64 },
}

impl Entry {
    /// The ELF header's entry.
    fn address(self) -> u64 {
        match self {
            Self::Hw { pvh, .. } => pvh,
            Self::Xen { start } => start,
        }
    }

    /// The notes for loaders.
    fn notes(self) -> Vec<u8> {
        match self {
            Self::Hw { pvh, .. } => note(XEN, XEN_ELFNOTE_PHYS32_ENTRY, &pvh.to_le_bytes()),
            Self::Xen { start } => xen_notes(start),
        }
    }
}

/// Owner of the notes for loaders.
const XEN: &str = "Xen";

/// A paravirtual guest's notes: a kernel of 64 bits at the addresses of its program headers, which asks for nothing special.
fn xen_notes(start: u64) -> Vec<u8> {
    let text = |kind, text: &str| note(XEN, kind, format!("{text}\0").as_bytes());
    let address = |kind, value: u64| note(XEN, kind, &value.to_le_bytes());
    [
        text(XEN_ELFNOTE_GUEST_OS, "rumpbake"),
        text(XEN_ELFNOTE_XEN_VERSION, "xen-3.0"),
        text(XEN_ELFNOTE_LOADER, "generic"),
        text(XEN_ELFNOTE_PAE_MODE, "yes"),
        text(XEN_ELFNOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb"),
        address(XEN_ELFNOTE_ENTRY, start),
        address(XEN_ELFNOTE_VIRT_BASE, KERNEL_BASE),
        address(XEN_ELFNOTE_PADDR_OFFSET, 0),
    ]
    .concat()
}

/// First byte after what every image for this platform has.
pub(crate) fn headers_end(target: Target) -> u64 {
    match target {
        Target::Hw => MULTIBOOT + MULTIBOOT_LEN,
        Target::Xen => NOTES + xen_notes(0).len() as u64,
    }
}

/// All that the headers say.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// Constants with these headers, code, application, variables.
    pub loads: [LoadSpan; 4],
    pub entry: Entry,
    /// Physical address after the last byte with content.
    pub content_end: u64,
    /// Physical address after the last byte.
    pub memory_end: u64,
    /// Length of the note that describes the image; it follows the last byte with content.
    pub note_len: u64,
}

/// Where the multiboot header lies in the file.
fn multiboot_offset(multiboot: Multiboot) -> u64 {
    match multiboot {
        Multiboot::Everyone => MULTIBOOT,
        Multiboot::BootLoaders => MULTIBOOT_SEARCH - MULTIBOOT_LEN,
    }
}

/// The run of physical addresses that the multiboot header needs beyond the first headers.
pub(crate) fn hole(multiboot: Multiboot) -> Option<Hole> {
    let start = IMAGE_START + multiboot_offset(multiboot);
    (multiboot == Multiboot::BootLoaders).then_some(Hole { start, end: start + MULTIBOOT_LEN })
}

/// A note, padded to its alignment of 4.
pub(crate) fn note(owner: &str, kind: u32, content: &[u8]) -> Vec<u8> {
    let word = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut out = Vec::with_capacity(16 + owner.len() + content.len());
    out.extend(word(owner.len() + 1));
    out.extend(word(content.len()));
    out.extend(kind.to_le_bytes());
    out.extend(owner.as_bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(content);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

impl Header {
    /// Writes the headers over the beginning of `image`.
    pub(crate) fn write(&self, image: &mut [u8]) {
        let mut put = |at: u64, bytes: &[u8]| {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            if let Some(place) = image.get_mut(at..at.saturating_add(bytes.len())) {
                place.copy_from_slice(bytes);
            }
        };
        put(0, &self.elf_header());
        let mut at = ELF_HEADER;
        for header in self.program_headers() {
            put(at, &header);
            at += PROGRAM_HEADER;
        }
        put(NOTES, &self.entry.notes());
        if let Entry::Hw { multiboot: Some(entry), visible, .. } = self.entry {
            let offset = multiboot_offset(visible);
            let word = |address: u64| u32::try_from(address).unwrap_or(0);
            let words = [
                MULTIBOOT_MAGIC,
                MULTIBOOT_FLAGS,
                0_u32.wrapping_sub(MULTIBOOT_MAGIC).wrapping_sub(MULTIBOOT_FLAGS),
                word(IMAGE_START + offset),
                word(IMAGE_START),
                word(self.content_end),
                word(self.memory_end),
                word(entry),
            ];
            put(offset, &words.map(u32::to_le_bytes).concat());
        }
    }

    /// Where the note that describes the image lies in the file.
    fn note_offset(&self) -> u64 {
        self.content_end - IMAGE_START
    }

    fn section_table(&self) -> u64 {
        (self.note_offset() + self.note_len + SECTION_NAMES.len() as u64).next_multiple_of(8)
    }

    /// What follows the note in the file: the sections' names and headers.
    ///
    /// The note is a section and not a segment, since QEMU (7.2) reads past the end of a PT_NOTE segment in which it does not
    /// find the PVH note, and crashes if the file ends there.
    pub(crate) fn sections(&self) -> Vec<u8> {
        let names = self.note_offset() + self.note_len;
        let mut out = SECTION_NAMES.to_vec();
        out.resize(usize::try_from(self.section_table() - names).unwrap_or(0), 0);
        let mut header = |name: u32, kind: elf::SectionType, offset: u64, len: u64, align: u64| {
            out.extend(name.to_le_bytes());
            out.extend(kind.0.to_le_bytes());
            for word in [0, 0, offset, len, 0, align, 0] {
                out.extend(word.to_le_bytes());
            }
        };
        header(0, elf::SHT_NULL, 0, 0, 0);
        header(1, elf::SHT_NOTE, self.note_offset(), self.note_len, 4);
        header(16, elf::SHT_STRTAB, names, SECTION_NAMES.len() as u64, 1);
        out
    }

    /// Bytes of [`Header::sections`], for a note of this length after so much content.
    pub(crate) fn sections_len(content_len: usize, note_len: usize) -> usize {
        (content_len + note_len + SECTION_NAMES.len()).next_multiple_of(8) - content_len - note_len + 3 * 64
    }

    fn elf_header(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend(elf::ELFMAG);
        out.extend([elf::ELFCLASS64.0, elf::ELFDATA2LSB.0, elf::EV_CURRENT.0, elf::ELFOSABI_NONE.0, 0]);
        out.resize(16, 0);
        out.extend(elf::ET_EXEC.0.to_le_bytes());
        out.extend(elf::EM_X86_64.0.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        out.extend(self.entry.address().to_le_bytes());
        out.extend(ELF_HEADER.to_le_bytes());
        out.extend(self.section_table().to_le_bytes());
        out.extend(0_u32.to_le_bytes());
        let half = |n: u64| u16::try_from(n).unwrap_or(0).to_le_bytes();
        for n in [ELF_HEADER, PROGRAM_HEADER, PROGRAM_HEADERS, SECTION_HEADER, 3, 2] {
            out.extend(half(n));
        }
        out
    }

    fn program_headers(&self) -> Vec<Vec<u8>> {
        let header = |kind: elf::ProgramType, flags: elf::ProgramFlags, words: [u64; 6]| {
            let mut out = Vec::with_capacity(56);
            out.extend(kind.0.to_le_bytes());
            out.extend(flags.0.to_le_bytes());
            words.iter().for_each(|word| out.extend(word.to_le_bytes()));
            out
        };
        let mut out: Vec<Vec<u8>> = self
            .loads
            .iter()
            .map(|load| {
                let offset = load.start - IMAGE_START;
                let virt = KERNEL_BASE + load.start;
                header(
                    elf::PT_LOAD,
                    load.flags,
                    [offset, virt, load.start, load.file_len, load.mem_len, 4096],
                )
            })
            .collect();
        let notes = IMAGE_START + NOTES;
        let len = self.entry.notes().len() as u64;
        out.push(header(elf::PT_NOTE, elf::PF_R, [NOTES, KERNEL_BASE + notes, notes, len, len, 4]));
        out.push(header(elf::PT_GNU_STACK, elf::PF_R | elf::PF_W, [0, 0, 0, 0, 0, 16]));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{IMAGE_START, headers_end, hole, note};
    use crate::{Multiboot, Target};

    #[test]
    fn the_pvh_note_is_what_loaders_look_for() {
        let note = note("Xen", 18, &0x10_1000_u64.to_le_bytes());
        assert_eq!(note.len(), 24);
        assert_eq!(note[..16], [4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0, b'X', b'e', b'n', 0]);
    }

    #[test]
    fn a_hidden_multiboot_header_is_past_qemus_search_and_inside_the_specifications() {
        let hole = hole(Multiboot::BootLoaders).unwrap();
        assert!(hole.start - IMAGE_START >= 8192 - 48);
        assert_eq!(hole.end - IMAGE_START, 8192);
        assert_eq!(super::hole(Multiboot::Everyone), None);
        assert!(headers_end(Target::Hw) <= 512);
    }

    #[test]
    fn xen_finds_its_notes_one_after_the_other() {
        let notes = super::xen_notes(0xffff_ffff_8010_1000);
        assert_eq!(notes.len() as u64, headers_end(Target::Xen) - super::NOTES);
        let mut kinds = Vec::new();
        let mut at = 0;
        while at < notes.len() {
            let word = |at: usize| u32::from_le_bytes(notes[at..at + 4].try_into().unwrap());
            assert_eq!((word(at), &notes[at + 12..at + 16]), (4, &b"Xen\0"[..]));
            kinds.push(word(at + 8));
            at += 16 + word(at + 4).next_multiple_of(4) as usize;
        }
        assert_eq!(kinds, [6, 5, 8, 9, 10, 1, 3, 4]);
    }
}
