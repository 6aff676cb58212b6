//! The image's table of contents: what the linker writes into an image and the platform reads at boot.
//!
//! The linker defines the symbol `rb_image`, an [`ImageInfo`] in the kernel's read-only data. All references are
//! physical addresses or application addresses; the image is one run of bytes, linear from [`ImageInfo::image_start`].
//! Everything is little-endian, `repr(C)`, and checked by [`ImageInfo::MAGIC`] and a version.
#![no_std]
#![forbid(unsafe_code)]

/// A run of bytes in physical memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Span {
    /// Physical address of the first byte.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
}

/// The image as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ImageInfo {
    /// [`ImageInfo::MAGIC`].
    pub magic: u64,
    /// Physical address of the image's first byte, page-aligned.
    pub image_start: u64,
    /// Physical address after the image's last byte, zeroed memory included, page-aligned: memory is free from here on.
    pub image_end: u64,
    /// The kernel's code, page-aligned: mapped read-only and executable at [`KERNEL_BASE`] plus its physical address.
    pub kernel_text: Span,
    /// The kernel's constants, page-aligned: read-only.
    pub kernel_rodata: Span,
    /// The kernel's variables, zeroed memory included, page-aligned: writable.
    pub kernel_data: Span,
    /// JSON configuration (crate `rump-config`).
    pub config: Span,
    /// cpio archive with the root file system, page-aligned, every file's content page-aligned where the writer could.
    pub root: Span,
    /// Function names for backtraces: see [`SymbolTable`].
    pub symbols: Span,
    /// The application.
    pub app: AppInfo,
}

impl ImageInfo {
    /// "rumpbak1", little-endian.
    pub const MAGIC: u64 = u64::from_le_bytes(*b"rumpbak1");
}

/// Where the kernel's half begins: kernel addresses are physical addresses plus this.
pub const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;

/// Most segments that an application may have, those of layer 2 included.
pub const MAX_SEGMENTS: usize = 16;

/// The application, and layer 2 where it is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct AppInfo {
    /// Where the first LWP starts: the ELF entry of a static program, layer 2's start-up code of a dynamic one.
    pub entry: u64,
    /// The ELF entry of the program itself (AT_ENTRY).
    pub elf_entry: u64,
    /// Application address of the program headers (AT_PHDR), 0 if they are not in memory.
    pub phdr: u64,
    /// Number of program headers (AT_PHNUM).
    pub phnum: u32,
    /// Number of entries used in `segments`.
    pub segment_count: u32,
    /// First address after the program's own segments, page-aligned: where brk(2) starts.
    pub brk_start: u64,
    /// Stack size that the program asks for (PT_GNU_STACK's memory size), 0 for the default.
    pub stack_size: u64,
    /// Application address of the word in layer 2 that holds the gate's address; 0 if the program is static.
    pub gate_word: u64,
    /// What is mapped before the program starts.
    pub segments: [Segment; MAX_SEGMENTS],
}

/// What the kernel has to know of a rump kernel that somebody else built: the linker writes it as the symbol `rb_rump`. All
/// addresses are of the application's half, where the segments of layer 2 in [`AppInfo::segments`] map it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct RumpInfo {
    /// Addresses of functions to be called before anything else, in this order, 8 bytes each.
    pub constructors: Span,
    /// Thread-local storage: the beginning of each thread's block, as it is at first.
    pub tls_image: Span,
    /// Bytes of a thread's block; what exceeds the image is zero. 0 if there is no such storage.
    pub tls_len: u64,
    /// The block's alignment, a power of two.
    pub tls_align: u64,
    /// Addresses of the components that libraries without constructors have in a link set, 8 bytes each.
    pub components: Span,
    /// Addresses of the modules that libraries have in a link set, 8 bytes each.
    pub modules: Span,
}

/// [`Segment::layer`] of a rump kernel that somebody else built.
pub const LAYER_RUMP: u32 = 2;

/// A run of pages of the application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Segment {
    /// Application address, page-aligned.
    pub va: u64,
    /// Bytes in memory, page-aligned; what exceeds `file_len` is demand-zero.
    pub len: u64,
    /// Physical address of the content, page-aligned. The pages belong to the application: writable segments are written in place.
    pub phys: u64,
    /// Bytes of content, page-aligned (the last page is padded with zeros).
    pub file_len: u64,
    /// 1 read, 2 write, 4 execute.
    pub prot: u32,
    /// 0 for the program, 1 for layer 2, [`LAYER_RUMP`] for a rump kernel, whose pages are the kernel's.
    pub layer: u32,
}

/// Function names: `count` entries of 12 bytes sorted by address (u64 address little-endian, u32 offset of the name), preceded by a u32
/// count and a u32 zero, followed by the names, each ended by a NUL. Kernel and application share one table.
#[derive(Clone, Copy)]
pub struct SymbolTable<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> SymbolTable<'a> {
    const HEADER: usize = 8;
    const ENTRY: usize = 12;

    /// Reads a table; `None` if it is too short for its own count.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let count = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let end = count.checked_mul(Self::ENTRY)?.checked_add(Self::HEADER)?;
        (end <= bytes.len()).then_some(Self { bytes, count })
    }

    fn entry(&self, index: usize) -> Option<(u64, usize)> {
        let at = Self::HEADER + index * Self::ENTRY;
        let entry = self.bytes.get(at..at + Self::ENTRY)?;
        let (address, name) = entry.split_at_checked(8)?;
        Some((
            u64::from_le_bytes(address.try_into().ok()?),
            u32::from_le_bytes(name.try_into().ok()?) as usize,
        ))
    }

    /// The name of the last symbol at or below `address`, and the distance from it in bytes.
    #[must_use]
    pub fn lookup(&self, address: u64) -> Option<(&'a str, u64)> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(middle)?.0 <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let (start, name) = self.entry(low.checked_sub(1)?)?;
        let names = self.bytes.get(Self::HEADER + self.count * Self::ENTRY..)?.get(name..)?;
        let end = names.iter().position(|&byte| byte == 0)?;
        Some((core::str::from_utf8(names.get(..end)?).ok()?, address - start))
    }
}

#[cfg(test)]
mod tests {
    use super::SymbolTable;

    fn table() -> [u8; 8 + 24 + 8] {
        let mut bytes = [0; 40];
        bytes[0] = 2;
        bytes[8..16].copy_from_slice(&100_u64.to_le_bytes());
        bytes[20..28].copy_from_slice(&200_u64.to_le_bytes());
        bytes[28] = 4;
        bytes[32..39].copy_from_slice(b"one\0two");
        bytes
    }

    #[test]
    fn finds_the_symbol_below() {
        let bytes = table();
        let symbols = SymbolTable::new(&bytes).unwrap();
        assert_eq!(symbols.lookup(99), None);
        assert_eq!(symbols.lookup(100), Some(("one", 0)));
        assert_eq!(symbols.lookup(199), Some(("one", 99)));
        assert_eq!(symbols.lookup(1000), Some(("two", 800)));
    }

    #[test]
    fn a_short_table_is_refused() {
        assert!(SymbolTable::new(&[9, 0, 0, 0, 0, 0, 0, 0]).is_none());
        assert!(SymbolTable::new(&[]).is_none());
    }
}
