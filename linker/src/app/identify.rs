//! What kind of file this is at all: from the first bytes to an ELF header that may be read further.

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};
use object::read::elf::FileHeader;

use super::{HOW_TO_BUILD, Refusal};

/// Magic numbers of files that people confuse with programs for NetBSD, and what they are.
const OTHER_FILES: &[(&[u8], &str)] = &[
    (b"MZ", "a Windows or DOS program"),
    (&[0xcf, 0xfa, 0xed, 0xfe], "a macOS program (Mach-O)"),
    (&[0xca, 0xfe, 0xba, 0xbe], "a universal macOS program or a Java class"),
    (b"!<arch>\n", "an archive of object files (ar)"),
    (b"!<thin>\n", "an archive of object files (ar)"),
    (b"\0asm", "a WebAssembly module"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (&[0x1f, 0x8b], "a gzip-compressed file"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "an xz-compressed file"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "a zstd-compressed file"),
    (b"PK\x03\x04", "a zip archive"),
];

/// How many of the first bytes decide whether a file is text.
const TEXT_PROBE: usize = 512;

fn not_elf(bytes: &[u8]) -> Refusal {
    if bytes.is_empty() {
        return Refusal::new("the file is empty", "build the program again");
    }
    if bytes.starts_with(b"#!") {
        return Refusal::new(
            "it is a script, not a program",
            "bake its interpreter, built for NetBSD, and put the script into --root",
        );
    }
    for (magic, what) in OTHER_FILES {
        if bytes.starts_with(magic) {
            return Refusal::new(format!("it is {what}, not an ELF program"), HOW_TO_BUILD);
        }
    }
    if elf::ELFMAG.starts_with(bytes) {
        return Refusal::truncated("the ELF header");
    }
    let text = |byte: &u8| matches!(byte, b'\t'..=b'\r' | 0x1b | b' '..=b'~' | 0x80..);
    if bytes.iter().take(TEXT_PROBE).all(text) {
        return Refusal::new("it is text, not a program", HOW_TO_BUILD);
    }
    Refusal::new("it is not an ELF program", HOW_TO_BUILD)
}

fn machine_name(machine: elf::Machine) -> String {
    let name = match machine {
        elf::EM_386 => "32-bit x86",
        elf::EM_AARCH64 => "aarch64 (ARM 64-bit)",
        elf::EM_ARM => "ARM 32-bit",
        elf::EM_RISCV => "RISC-V",
        elf::EM_PPC => "PowerPC",
        elf::EM_PPC64 => "PowerPC 64-bit",
        elf::EM_MIPS => "MIPS",
        elf::EM_SPARC => "SPARC",
        elf::EM_SPARCV9 => "SPARC 64-bit",
        elf::EM_S390 => "S/390",
        elf::EM_LOONGARCH => "LoongArch",
        elf::EM_BPF => "BPF",
        other => return format!("machine number {}", other.0),
    };
    name.into()
}

/// The header of a 64-bit x86 ELF executable or position-independent executable, or why it is none.
pub(super) fn elf_header(bytes: &[u8]) -> Result<&FileHeader64<LE>, Refusal> {
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(not_elf(bytes));
    }
    let ident = |at: usize| bytes.get(at).copied().ok_or_else(|| Refusal::truncated("the ELF header"));
    // e_machine lies at the same place in 32-bit and 64-bit files.
    let (low, high) = (ident(18)?, ident(19)?);
    match (elf::FileClass(ident(4)?), elf::DataEncoding(ident(5)?)) {
        (elf::ELFCLASS64, elf::ELFDATA2LSB) => {}
        (elf::ELFCLASS32, elf::ELFDATA2LSB) => {
            let machine = machine_name(elf::Machine(u16::from_le_bytes([low, high])));
            return Err(Refusal::new(
                format!("it is a 32-bit program ({machine}), rumpbake takes 64-bit x86"),
                HOW_TO_BUILD,
            ));
        }
        (elf::ELFCLASS32 | elf::ELFCLASS64, elf::ELFDATA2MSB) => {
            let machine = machine_name(elf::Machine(u16::from_be_bytes([low, high])));
            return Err(Refusal::new(
                format!("it is a big-endian program ({machine}), rumpbake takes 64-bit x86"),
                HOW_TO_BUILD,
            ));
        }
        (class, data) => {
            return Err(Refusal::absurd(format!("class {} and byte order {} do not exist", class.0, data.0)));
        }
    }
    let header = FileHeader64::<LE>::parse(bytes).map_err(|_| Refusal::truncated("the ELF header"))?;
    let machine = header.e_machine.get(LE);
    if machine != elf::EM_X86_64 {
        let name = machine_name(machine);
        return Err(Refusal::new(
            format!("it is a program for {name}, rumpbake takes 64-bit x86"),
            HOW_TO_BUILD,
        ));
    }
    match header.e_type.get(LE) {
        elf::ET_EXEC | elf::ET_DYN => Ok(header),
        elf::ET_REL => Err(Refusal::new(
            "it is a relocatable object, not a program",
            "link it first, with `rumpbake cc`",
        )),
        elf::ET_CORE => {
            Err(Refusal::new("it is a core dump, not a program", "name the program that dumped it"))
        }
        other => Err(Refusal::absurd(format!("file type {} is none that can be run", other.0))),
    }
}
