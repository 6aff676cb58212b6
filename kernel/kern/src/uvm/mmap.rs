//! Mapping memory (mmap(2), munmap(2), mprotect(2), mremap(2), brk(2)).

use alloc::sync::Arc;
use core::ops::Range;

use bitflags::bitflags;
use rump_hypercall::Giant;
use rump_hypercall::memory::Prot;
use rump_hypercall::upcall::Access;

use super::entry::{Backing, Entry};
use super::object::{AnonObject, UvmObject};
use super::space::VmSpace;
use super::{PAGE_SIZE, page_range, round_page, trunc_page};
use crate::component::hook;
use crate::errno::Errno;
use crate::file::flag;
use crate::filedesc::getfile;
use crate::proc::curproc;
use crate::syscall;
use crate::syscall::stack_arg;

/// The largest heap of brk(2) (MAXDSIZ of amd64/vmparam.h).
const HEAP_MAX_BYTES: usize = 8 << 30;

/// Where in `flags` the logarithm of the alignment is.
const MAP_ALIGNMENT_SHIFT: u32 = 24;

bitflags! {
    /// `flags` of mmap(2), but for the alignment.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MapFlags: u32 {
        /// MAP_SHARED.
        const SHARED = 0x0001;
        /// MAP_PRIVATE.
        const PRIVATE = 0x0002;
        /// MAP_REMAPDUP.
        const REMAPDUP = 0x0004;
        /// MAP_FIXED.
        const FIXED = 0x0010;
        /// MAP_TRYFIXED.
        const TRYFIXED = 0x0400;
        /// MAP_WIRED.
        const WIRED = 0x0800;
        /// MAP_ANON.
        const ANON = 0x1000;
        /// MAP_STACK.
        const STACK = 0x2000;
    }
}

/// A file to be mapped.
pub struct Mappable {
    /// Its pages; offsets in it are offsets in the file.
    pub object: Arc<dyn UvmObject>,
    /// What may be done with a mapping of the wanted kind.
    pub max_prot: Prot,
}

/// Finds the file behind a descriptor, for so many bytes from a position on, and a shared mapping or not.
pub type FileHook = fn(fd: i32, position: u64, len: usize, shared: bool) -> Result<Mappable, Errno>;

static FILE_HOOK: Giant<Option<FileHook>> = Giant::new(None);

/// Has files to be mapped be found by somebody else: the descriptors are not this kernel's.
pub fn set_file_hook(find: FileHook) {
    FILE_HOOK.set(Some(hook(find)));
}

/// The file behind a descriptor, for a mapping.
fn mappable(fd: i32, position: u64, len: usize, shared: bool) -> Result<Mappable, Errno> {
    if let Some(find) = FILE_HOOK.get() {
        return find(fd, position, len, shared);
    }
    let file = getfile(fd)?;
    // Even a mapping that is only written to has to be read in.
    if !file.head.has(flag::FREAD) {
        return Err(Errno::EACCES);
    }
    let mut max_prot = Prot::all();
    if shared && !file.head.has(flag::FWRITE) {
        max_prot -= Prot::WRITE;
    }
    Ok(Mappable { object: file.ops.mmap(&file.head, position, len as u64)?, max_prot })
}

/// The protection in `prot`, and the most that mprotect(2) may make of it (PROT_MPROTECT).
fn protections(prot: i32) -> Result<(Prot, Prot), Errno> {
    if prot & !0x3f != 0 {
        return Err(Errno::EINVAL);
    }
    let now = Prot::from_bits_truncate((prot & 7) as u8);
    let later = Prot::from_bits_truncate((prot >> 3 & 7) as u8);
    Ok((now, if later.is_empty() { Prot::all() } else { now | later }))
}

/// The alignment that `flags` ask for, bytes.
fn alignment(flags: u32) -> Result<usize, Errno> {
    match flags >> MAP_ALIGNMENT_SHIFT {
        0 => Ok(PAGE_SIZE),
        shift if shift < 47 => Ok((1 << shift).max(PAGE_SIZE)),
        _ => Err(Errno::ENOMEM),
    }
}

impl VmSpace {
    /// Where a mapping that may be anywhere goes: at the hint if that is free, else as high as possible.
    ///
    /// # Errors
    /// ENOMEM if there is no gap.
    pub fn place(&mut self, hint: usize, len: usize, align: usize, flags: MapFlags) -> Result<usize, Errno> {
        let hint = trunc_page(hint);
        if hint != 0 && hint.is_multiple_of(align) {
            let range = hint..hint.checked_add(len).ok_or(Errno::ENOMEM)?;
            // The heap of brk(2) is to be able to grow.
            let heap = self.brk_start..self.brk_start.saturating_add(HEAP_MAX_BYTES.min(256 << 20));
            let in_heap = range.start < heap.end && heap.start < range.end && self.brk_start != 0;
            let allowed = !in_heap || flags.contains(MapFlags::TRYFIXED);
            if allowed && self.map.in_bounds(&range) && self.map.is_free(range) {
                return Ok(hint);
            }
        }
        self.map.find_gap(len, align).ok_or(Errno::ENOMEM)
    }
}

/// mmap(2), with the file where there is one.
///
/// # Errors
/// As of mmap(2).
pub fn mmap(
    addr: usize,
    len: usize,
    prot: i32,
    raw_flags: i32,
    file: Option<(Mappable, u64)>,
) -> Result<usize, Errno> {
    let raw_flags = raw_flags.cast_unsigned();
    let flags = MapFlags::from_bits_truncate(raw_flags);
    let align = alignment(raw_flags)?;
    let (prot, mut max_prot) = protections(prot)?;
    let shared = flags.contains(MapFlags::SHARED);
    if shared && flags.contains(MapFlags::PRIVATE) || len == 0 {
        return Err(Errno::EINVAL);
    }
    let offset_in_page = file.as_ref().map_or(0, |(_, offset)| *offset as usize % PAGE_SIZE);
    let size = len.checked_add(offset_in_page).and_then(round_page).ok_or(Errno::ENOMEM)?;
    let backing = match file {
        None if shared => Backing::Shared { object: AnonObject::new(size as u64), offset: 0 },
        None => Backing::Anon,
        Some((file, position)) => {
            if !file.max_prot.contains(prot) {
                return Err(Errno::EACCES);
            }
            max_prot &= file.max_prot;
            let offset = position - offset_in_page as u64;
            offset.checked_add(size as u64).ok_or(Errno::EOVERFLOW)?;
            let object = file.object;
            if shared { Backing::Shared { object, offset } } else { Backing::Private { object, offset } }
        }
    };
    let proc = curproc();
    let mut vm = proc.vm.borrow_mut();
    vm.check_room()?;
    let start = if flags.contains(MapFlags::FIXED) {
        let start = addr.checked_sub(offset_in_page).ok_or(Errno::EINVAL)?;
        let range = start..start.checked_add(size).ok_or(Errno::ENOMEM)?;
        if !start.is_multiple_of(PAGE_SIZE) || !vm.map.in_bounds(&range) {
            return Err(Errno::EINVAL);
        }
        start
    } else {
        vm.place(addr, size, align, flags)?
    };
    let removed = vm.map(start..start + size, Entry::new(start + size, prot, max_prot, backing));
    if (flags.contains(MapFlags::WIRED) || vm.wire_future)
        && let Err(errno) = vm.bring_in(start..start + size)
    {
        let undone = vm.unmap(start..start + size);
        drop(vm);
        drop((removed, undone));
        return Err(errno);
    }
    drop(vm);
    drop(removed);
    Ok(start + offset_in_page)
}

impl VmSpace {
    /// Brings all pages of the range in that the protection lets be read.
    ///
    /// # Errors
    /// ENOMEM if there is not enough memory.
    pub fn bring_in(&mut self, range: Range<usize>) -> Result<(), Errno> {
        // What cannot succeed is not to use the memory up first.
        let mut missing = 0;
        for (start, entry) in self.map.overlapping(range.clone()).filter(|(_, entry)| !entry.prot.is_empty())
        {
            missing += (entry.end.min(range.end) - start.max(range.start)) / PAGE_SIZE;
        }
        let pages = range.start / PAGE_SIZE..range.end / PAGE_SIZE;
        self.anon.for_each(pages, |_, _| missing = missing.saturating_sub(1));
        if missing as u64 > super::fault::available_pages() {
            return Err(Errno::ENOMEM);
        }
        let mut va = range.start;
        while va < range.end {
            let Some((_, entry)) = self.map.lookup(va) else { return Err(Errno::ENOMEM) };
            if entry.prot.is_empty() {
                va = entry.end;
                continue;
            }
            let access = if entry.prot.contains(Prot::WRITE) { Access::Write } else { Access::Read };
            match self.fault(va, access) {
                Ok(()) | Err(super::fault::FaultError::Bus) => va += PAGE_SIZE,
                Err(_) => return Err(Errno::ENOMEM),
            }
        }
        Ok(())
    }
}

syscall! {
    /// mmap(2). The offset is the seventh argument: the sixth is a filler.
    fn sys_mmap(addr: usize, len: usize, prot: i32, flags: i32, fd: i32, _pad: i64) -> Result<usize, Errno> {
        if MapFlags::from_bits_truncate(flags.cast_unsigned()).contains(MapFlags::ANON) {
            return mmap(addr, len, prot, flags, None);
        }
        let position = u64::try_from(stack_arg::<i64>(0)?).map_err(|_| Errno::EINVAL)?;
        let shared = MapFlags::from_bits_truncate(flags.cast_unsigned()).contains(MapFlags::SHARED);
        let file = mappable(fd, position, len, shared)?;
        mmap(addr, len, prot, flags, Some((file, position)))
    }
}

/// The pages of a range that a call names, which have to be an application's.
pub(super) fn user_range(
    vm: &VmSpace,
    addr: usize,
    len: usize,
    outside: Errno,
) -> Result<Range<usize>, Errno> {
    let range = page_range(addr, len).ok_or(outside)?;
    if vm.map.in_bounds(&range) || range.is_empty() { Ok(range) } else { Err(outside) }
}

syscall! {
    /// munmap(2).
    fn sys_munmap(addr: usize, len: usize) -> Result<(), Errno> {
        let proc = curproc();
        let mut vm = proc.vm.borrow_mut();
        let range = user_range(&vm, addr, len, Errno::EINVAL)?;
        if !range.is_empty() {
            let removed = vm.unmap(range);
            drop(vm);
            drop(removed);
        }
        Ok(())
    }
}

syscall! {
    /// mprotect(2).
    fn sys_mprotect(addr: usize, len: usize, prot: i32) -> Result<(), Errno> {
        if prot & !7 != 0 {
            return Err(Errno::EINVAL);
        }
        let mut vm = curproc().vm.borrow_mut();
        let range = user_range(&vm, addr, len, Errno::ENOMEM)?;
        vm.check_room()?;
        vm.protect(range, Prot::from_bits_truncate(prot as u8))
    }
}

syscall! {
    /// mremap(2).
    fn sys_mremap(old: usize, old_len: usize, new: usize, new_len: usize, flags: i32) -> Result<usize, Errno> {
        let raw_flags = flags.cast_unsigned();
        let flags = MapFlags::from_bits_truncate(raw_flags);
        let align = alignment(raw_flags)?;
        let proc = curproc();
        let mut vm = proc.vm.borrow_mut();
        let from = user_range(&vm, old, old_len, Errno::EINVAL)?;
        let new_len = round_page(new_len).filter(|&len| len != 0).ok_or(Errno::EINVAL)?;
        if !(old | new).is_multiple_of(PAGE_SIZE) || from.is_empty() || flags.contains(MapFlags::REMAPDUP) {
            return Err(Errno::EINVAL);
        }
        if !vm.map.is_full(from.clone()) {
            return Err(Errno::ENOMEM);
        }
        vm.check_room()?;
        let fixed = flags.contains(MapFlags::FIXED);
        let len = from.end - from.start;
        let stays = (!fixed || new == old) && old.is_multiple_of(align);
        if stays && new_len <= len {
            let removed = vm.unmap(from.start + new_len..from.end);
            drop(vm);
            drop(removed);
            return Ok(old);
        }
        let growth_end = from.start.checked_add(new_len).ok_or(Errno::ENOMEM)?;
        if stays && vm.map.in_bounds(&(from.end..growth_end)) && vm.map.is_free(from.end..growth_end) {
            vm.extend(from.clone(), growth_end)?;
            return Ok(old);
        }
        if stays && fixed {
            return Err(Errno::ENOMEM);
        }
        // Elsewhere: what does not fit any more is cut off, then the rest moves, then it grows.
        let (to, removed_there) = if fixed {
            let to = new..new.checked_add(new_len).ok_or(Errno::EINVAL)?;
            if !vm.map.in_bounds(&to) || to.start < from.end && from.start < to.end {
                return Err(Errno::EINVAL);
            }
            (new, Some(vm.unmap(to)))
        } else {
            (vm.place(new, new_len, align, flags)?, None)
        };
        let kept = len.min(new_len);
        let cut = vm.unmap(from.start + kept..from.end);
        vm.relocate(from.start..from.start + kept, to);
        let grown = if new_len > kept { vm.extend(to..to + kept, to + new_len) } else { Ok(()) };
        drop(vm);
        drop((removed_there, cut));
        grown.map(|()| to)
    }
}

impl VmSpace {
    /// Lets the mapping of `range` reach to `end`; the addresses in between are free. They get the attributes of the last page.
    fn extend(&mut self, range: Range<usize>, end: usize) -> Result<(), Errno> {
        let (start, last) = self.map.lookup(range.end - 1).ok_or(Errno::ENOMEM)?;
        let mut entry = last.clone();
        entry.backing = last.backing.advanced(range.end - start);
        entry.end = end;
        entry.next_fault = 0;
        self.map.insert(range.end, entry);
        Ok(())
    }
}

syscall! {
    /// brk(2), as far as the kernel has to do with it.
    fn sys_break(end: usize) -> Result<(), Errno> {
        let proc = curproc();
        let mut vm = proc.vm.borrow_mut();
        if end < vm.brk_start || end - vm.brk_start > HEAP_MAX_BYTES {
            return Err(Errno::ENOMEM);
        }
        let new = round_page(end).ok_or(Errno::ENOMEM)?;
        let old = vm.brk_end;
        if new > old {
            if !vm.map.in_bounds(&(old..new)) || !vm.map.is_free(old..new) {
                return Err(Errno::ENOMEM);
            }
            vm.check_room()?;
            vm.map.insert(old, Entry::new(new, Prot::READ | Prot::WRITE, Prot::all(), Backing::Anon));
        } else if new < old {
            let removed = vm.unmap(new..old);
            vm.brk_end = new;
            drop(vm);
            drop(removed);
            return Ok(());
        }
        vm.brk_end = new;
        Ok(())
    }
}
