//! What the loader hands over: PVH's start info or multiboot's information, reduced to a command line and a memory map.

use rump_image::Span;
use rumpbake_platform::cpu::Local;
use rumpbake_platform::page::phys_to_virt;

use crate::acpi;

/// Ranges of RAM at most, adjacent ones counted as one. UEFI's map has a hundred entries, which make a dozen.
const MAX_RANGES: usize = 64;
/// Bytes of a command line at most.
const MAX_COMMAND_LINE: usize = 4096;
/// PVH: `hvm_start_info.magic`.
const PVH_MAGIC: u32 = 0x336e_c578;
/// Multiboot 1: what `eax` holds.
const MULTIBOOT_MAGIC: u32 = 0x2bad_b002;
/// Type of RAM in either memory map (ACPI's address range types).
const RAM: u32 = 1;
/// Type of the memory that holds ACPI's tables.
const ACPI_TABLES: u32 = 3;

/// RAM that the loader says exists: page-aligned, sorted, no two ranges touching.
pub struct MemoryMap {
    ranges: [Span; MAX_RANGES],
    count: usize,
}

impl MemoryMap {
    fn push(&mut self, start: u64, len: u64) {
        let end = start.saturating_add(len) & !4095;
        let Some(start) = start.checked_next_multiple_of(4096) else { return };
        if start < end {
            self.insert(start, end);
        }
    }

    /// Puts a range in its place, one with those that it touches. What finds no room is memory that stays unused.
    fn insert(&mut self, mut start: u64, mut end: u64) {
        let end_of = |span: &Span| span.start + span.len;
        let ranges = &self.ranges[..self.count];
        let first = ranges.partition_point(|span| end_of(span) < start);
        let after = ranges.partition_point(|span| span.start <= end);
        if let Some(touched) = ranges.get(first..after).filter(|touched| !touched.is_empty()) {
            start = start.min(touched[0].start);
            end = end.max(end_of(&touched[touched.len() - 1]));
        } else if self.count == MAX_RANGES {
            return;
        }
        self.ranges.copy_within(after..self.count, first + 1);
        self.count = self.count - (after - first) + 1;
        self.ranges[first] = Span { start, len: end - start };
    }

    /// The ranges.
    pub fn ram(&self) -> impl Iterator<Item = &Span> {
        self.ranges[..self.count].iter()
    }
}

/// What the loader said.
pub struct Loader {
    /// Kernel command line.
    pub command_line: &'static str,
    /// RAM.
    pub memory: MemoryMap,
    /// Physical address of ACPI's root pointer, 0 if the loader does not tell. Multiboot 1 does not, and UEFI leaves it
    /// where a PC's BIOS would not: among ACPI's tables.
    pub rsdp: u64,
}

static COMMAND_LINE: Local<[u8; MAX_COMMAND_LINE]> = Local::new([0; MAX_COMMAND_LINE]);

fn read<T: Copy>(phys: u64) -> T {
    // SAFETY: the loader's structures lie below 4 GiB, which the boot code has mapped; `T` is an integer.
    unsafe { phys_to_virt(phys).cast::<T>().read_unaligned() }
}

/// Copies the command line out of memory that will be reused. Text that is not UTF-8 ends where it stops being so.
fn copy_command_line(phys: u64) -> &'static str {
    if phys == 0 {
        return "";
    }
    // SAFETY: boot, one processor; this is the only use of the buffer.
    let buffer = unsafe { &mut *COMMAND_LINE.get() };
    let mut len = 0;
    while len < MAX_COMMAND_LINE {
        let byte = read::<u8>(phys + len as u64);
        if byte == 0 {
            break;
        }
        buffer[len] = byte;
        len += 1;
    }
    let bytes: &'static [u8] = &buffer[..len];
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Reads what the loader left at `info`; `magic` is what it had in `eax` (0 for PVH, which defines no value).
pub fn read_loader(magic: u32, info: u32) -> Loader {
    let info = u64::from(info);
    let mut memory = MemoryMap { ranges: [Span::default(); MAX_RANGES], count: 0 };
    let mut rsdp = 0;
    if magic == MULTIBOOT_MAGIC {
        let flags: u32 = read(info);
        let command_line =
            if flags & 1 << 2 != 0 { copy_command_line(read::<u32>(info + 16).into()) } else { "" };
        if flags & 1 << 6 != 0 {
            let end = u64::from(read::<u32>(info + 48)) + u64::from(read::<u32>(info + 44));
            let mut at: u64 = read::<u32>(info + 48).into();
            while at < end {
                let size: u32 = read(at);
                let (start, len) = (read(at + 4), read(at + 12));
                match read::<u32>(at + 20) {
                    RAM => memory.push(start, len),
                    ACPI_TABLES if rsdp == 0 => rsdp = acpi::search(start, len).unwrap_or(0),
                    _ => {}
                }
                at += u64::from(size) + 4;
            }
        } else if flags & 1 != 0 {
            memory.push(1 << 20, u64::from(read::<u32>(info + 8)) * 1024);
        }
        return Loader { command_line, memory, rsdp };
    }
    if read::<u32>(info) != PVH_MAGIC {
        // Nothing is known of the machine: not even where its console is. The status port is the one way left.
        crate::poweroff::stop(0x7f);
    }
    let command_line = copy_command_line(read(info + 24));
    let version: u32 = read(info + 4);
    if version >= 1 {
        let table: u64 = read(info + 40);
        for index in 0..u64::from(read::<u32>(info + 48)) {
            let at = table + index * 24;
            if read::<u32>(at + 16) == RAM {
                memory.push(read(at), read(at + 8));
            }
        }
    }
    Loader { command_line, memory, rsdp: read(info + 32) }
}
