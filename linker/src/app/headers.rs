//! Program headers: where the segments lie, all checked.

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::read::elf::ProgramHeader as _;

use super::{PIE_BASE, Refusal, system};

/// Bytes in a page.
pub(crate) const PAGE: u64 = 4096;
/// The lowest address that a program may have: page zero is never mapped.
const USER_MIN: u64 = PAGE;
/// The end of the application's half.
const USER_MAX: u64 = 0x0000_7fff_ffff_f000;
/// Most program headers that are believed; real programs have about a dozen.
const MAX_PHDRS: u16 = 128;
/// Most memory that a program's segments may span: more is a damaged header.
const MAX_SPAN: u64 = 1 << 40;

/// A load segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    /// Application address (of a position-independent program, where it is placed).
    pub va: u64,
    /// Where its content begins in the file.
    pub file_offset: usize,
    /// How much content it has, bytes.
    pub file_len: usize,
    /// Its size in memory, bytes.
    pub mem_len: u64,
    /// PF_R, PF_W, PF_X.
    pub flags: elf::ProgramFlags,
}

impl Load {
    /// The first page's address.
    pub(crate) fn page_start(&self) -> u64 {
        self.va & !(PAGE - 1)
    }

    /// The address after the last page.
    pub(crate) fn page_end(&self) -> u64 {
        (self.va + self.mem_len).next_multiple_of(PAGE)
    }
}

/// The initial thread-local storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    /// Bytes per thread.
    pub mem_len: u64,
    /// Alignment, a power of two.
    pub align: u64,
}

/// A run of application addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub start: u64,
    pub len: u64,
}

/// A run of bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileSpan {
    pub offset: usize,
    pub len: usize,
}

impl FileSpan {
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.offset..self.offset + self.len).unwrap_or(&[])
    }
}

/// What the headers say, checked: every span lies in the file, every address in the application's half.
#[derive(Clone, Debug)]
pub(crate) struct Headers {
    /// ET_DYN.
    pub position_independent: bool,
    /// What is added to the addresses in the file.
    pub bias: u64,
    /// Where the program starts.
    pub entry: u64,
    /// Address of the program headers in memory, 0 if they are not there.
    pub phdr: u64,
    /// Number of program headers.
    pub phnum: u32,
    /// Load segments by ascending address.
    pub loads: Vec<Load>,
    pub tls: Option<Tls>,
    pub interp: Option<FileSpan>,
    pub dynamic: Option<FileSpan>,
    pub notes: Vec<(FileSpan, u64)>,
    /// What is read-only after relocation.
    pub relro: Option<Range>,
    /// Stack size asked for, 0 if none.
    pub stack_size: u64,
}

impl Headers {
    /// Reads and checks them; refuses programs for other systems.
    pub(crate) fn read(bytes: &[u8], header: &FileHeader64<LE>) -> Result<Self, Refusal> {
        check_sections(bytes, header)?;
        let position_independent = header.e_type.get(LE) == elf::ET_DYN;
        let segments = program_headers(bytes, header)?;
        let mut this = Self {
            position_independent,
            bias: if position_independent { PIE_BASE } else { 0 },
            entry: 0,
            phdr: 0,
            phnum: u32::try_from(segments.len()).unwrap_or(0),
            loads: Vec::new(),
            tls: None,
            interp: None,
            dynamic: None,
            notes: Vec::new(),
            relro: None,
            stack_size: 0,
        };
        // First what says for which system the file is: a wrong system is worth more words than an odd segment.
        for segment in segments {
            match segment.p_type(LE) {
                elf::PT_INTERP => this.interp = Some(file_span(bytes, segment, "the interpreter's name")?),
                elf::PT_NOTE => {
                    let span = file_span(bytes, segment, "a note")?;
                    this.notes.push((span, segment.p_align(LE)));
                }
                _ => {}
            }
        }
        system::check(bytes, header, &this)?;
        for segment in segments {
            this.segment(bytes, segment)?;
        }
        this.finish(header)?;
        Ok(this)
    }

    fn segment(&mut self, bytes: &[u8], segment: &ProgramHeader64<LE>) -> Result<(), Refusal> {
        match segment.p_type(LE) {
            elf::PT_LOAD if segment.p_memsz(LE) != 0 => {
                let load = self.load(bytes, segment)?;
                self.loads.push(load);
            }
            elf::PT_DYNAMIC => self.dynamic = Some(file_span(bytes, segment, "the dynamic section")?),
            elf::PT_TLS => self.tls = Some(tls(bytes, segment)?),
            elf::PT_GNU_RELRO => {
                let start = self.address(segment.p_vaddr(LE))?;
                let len = segment.p_memsz(LE);
                start.checked_add(len).filter(|&end| end <= USER_MAX).ok_or_else(too_far)?;
                self.relro = Some(Range { start, len });
            }
            elf::PT_GNU_STACK => {
                if segment.p_flags(LE).contains(elf::PF_X) {
                    return Err(Refusal::new(
                        "it asks for an executable stack",
                        "link it with -z noexecstack, and see which assembly file lacks a .note.GNU-stack section",
                    ));
                }
                self.stack_size = segment.p_memsz(LE).min(MAX_SPAN);
            }
            _ => {}
        }
        Ok(())
    }

    fn address(&self, vaddr: u64) -> Result<u64, Refusal> {
        vaddr.checked_add(self.bias).ok_or_else(too_far)
    }

    fn load(&self, bytes: &[u8], segment: &ProgramHeader64<LE>) -> Result<Load, Refusal> {
        let span = file_span(bytes, segment, "a segment")?;
        let mem_len = segment.p_memsz(LE);
        if u64::try_from(span.len).unwrap_or(u64::MAX) > mem_len {
            return Err(Refusal::absurd("a segment has more bytes in the file than in memory"));
        }
        let flags = segment.p_flags(LE) & (elf::PF_R | elf::PF_W | elf::PF_X);
        if flags.contains(elf::PF_W | elf::PF_X) {
            return Err(Refusal::new(
                "it has a segment that is writable and executable",
                "link it without -N/--omagic and without writable code sections",
            ));
        }
        let va = self.address(segment.p_vaddr(LE))?;
        if va < USER_MIN {
            return Err(Refusal::new(
                "it wants to be placed at address 0, which is never mapped",
                "link it at a higher address (--image-base)",
            ));
        }
        if mem_len > MAX_SPAN || va.checked_add(mem_len).is_none_or(|end| end > USER_MAX) {
            return Err(too_far());
        }
        Ok(Load { va, file_offset: span.offset, file_len: span.len, mem_len, flags })
    }

    fn finish(&mut self, header: &FileHeader64<LE>) -> Result<(), Refusal> {
        if self.loads.is_empty() {
            return Err(Refusal::absurd("there is nothing to load"));
        }
        self.loads.sort_by_key(|load| load.va);
        for pair in self.loads.windows(2) {
            if let [low, high] = pair
                && low.page_end() > high.page_start()
            {
                return Err(Refusal::absurd(format!(
                    "the segments at {:#x} and {:#x} overlap or share a page",
                    low.va, high.va
                )));
            }
        }
        self.entry = self.address(header.e_entry.get(LE))?;
        let executable = |load: &Load| {
            load.flags.contains(elf::PF_X)
                && (load.va..load.va + u64::try_from(load.file_len).unwrap_or(0)).contains(&self.entry)
        };
        if !self.loads.iter().any(executable) {
            return Err(Refusal::absurd("the program's entry lies outside its code"));
        }
        let phoff = usize::try_from(header.e_phoff.get(LE)).unwrap_or(usize::MAX);
        let bytes = usize::try_from(self.phnum).unwrap_or(0) * size_of::<ProgramHeader64<LE>>();
        self.phdr = self
            .loads
            .iter()
            .find(|load| phoff >= load.file_offset && phoff + bytes <= load.file_offset + load.file_len)
            .and_then(|load| Some(load.va + u64::try_from(phoff - load.file_offset).ok()?))
            .unwrap_or(0);
        Ok(())
    }

    /// The first address after the program, page-aligned.
    pub(crate) fn end(&self) -> u64 {
        self.loads.iter().map(Load::page_end).max().unwrap_or(USER_MIN)
    }

    /// Where in the file the `len` bytes at address `va` lie, if they have content.
    pub(crate) fn file_offset(&self, va: u64, len: u64) -> Option<FileSpan> {
        let end = va.checked_add(len)?;
        self.loads.iter().find_map(|load| {
            let content_end = load.va + u64::try_from(load.file_len).ok()?;
            (load.va <= va && end <= content_end).then_some(())?;
            let offset = load.file_offset + usize::try_from(va - load.va).ok()?;
            Some(FileSpan { offset, len: usize::try_from(len).ok()? })
        })
    }
}

fn too_far() -> Refusal {
    Refusal::absurd("a segment lies outside the application's half of the address space")
}

fn file_span(bytes: &[u8], segment: &ProgramHeader64<LE>, what: &str) -> Result<FileSpan, Refusal> {
    let span = || {
        let offset = usize::try_from(segment.p_offset(LE)).ok()?;
        let len = usize::try_from(segment.p_filesz(LE)).ok()?;
        // A segment without content may say any offset.
        (len == 0 || offset.checked_add(len)? <= bytes.len()).then_some(())?;
        Some(if len == 0 { FileSpan { offset: 0, len } } else { FileSpan { offset, len } })
    };
    span().ok_or_else(|| Refusal::truncated(what))
}

fn tls(bytes: &[u8], segment: &ProgramHeader64<LE>) -> Result<Tls, Refusal> {
    let span = file_span(bytes, segment, "the thread-local storage")?;
    let (mem_len, align) = (segment.p_memsz(LE), segment.p_align(LE).max(1));
    if u64::try_from(span.len).unwrap_or(u64::MAX) > mem_len || mem_len > MAX_SPAN {
        return Err(Refusal::absurd("the size of the thread-local storage makes no sense"));
    }
    if !align.is_power_of_two() || align > PAGE {
        return Err(Refusal::absurd("the alignment of the thread-local storage makes no sense"));
    }
    Ok(Tls { mem_len, align })
}

fn program_headers<'a>(
    bytes: &'a [u8],
    header: &FileHeader64<LE>,
) -> Result<&'a [ProgramHeader64<LE>], Refusal> {
    let number = header.e_phnum.get(LE);
    if number == 0 {
        return Err(Refusal::absurd("there are no program headers"));
    }
    if number > MAX_PHDRS {
        return Err(Refusal::absurd(format!("{number} program headers are more than any program has")));
    }
    if usize::from(header.e_phentsize.get(LE)) != size_of::<ProgramHeader64<LE>>() {
        return Err(Refusal::absurd("the program headers have a wrong size"));
    }
    let table = || {
        let offset = usize::try_from(header.e_phoff.get(LE)).ok()?;
        let (segments, _) =
            object::pod::slice_from_bytes::<ProgramHeader64<LE>>(bytes.get(offset..)?, usize::from(number))
                .ok()?;
        Some(segments)
    };
    table().ok_or_else(|| Refusal::truncated("the table of program headers"))
}

/// Sections serve debuggers only, so it is enough that their table is in the file: if it is not, the file was cut.
fn check_sections(bytes: &[u8], header: &FileHeader64<LE>) -> Result<(), Refusal> {
    let offset = header.e_shoff.get(LE);
    if offset == 0 {
        return Ok(());
    }
    let number = u64::from(header.e_shnum.get(LE));
    let size = u64::from(header.e_shentsize.get(LE));
    if number != 0 && size != 64 {
        return Err(Refusal::absurd("the section headers have a wrong size"));
    }
    let fits = offset.checked_add(number * size).is_some_and(|end| end <= bytes.len() as u64);
    if fits { Ok(()) } else { Err(Refusal::truncated("the table of sections")) }
}
