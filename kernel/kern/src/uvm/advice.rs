//! Advice and questions about memory (madvise(2), minherit(2), mincore(2), msync(2), mlock(2)).

use alloc::vec::Vec;

use super::PAGE_SIZE;
use super::entry::{Backing, Flags};
use super::mmap::user_range;
use crate::copy::copyout_bytes;
use crate::errno::Errno;
use crate::proc::curproc;
use crate::syscall;

/// MADV_SPACEAVAIL, the highest piece of advice that is no more than that.
const MADV_SPACEAVAIL: i32 = 5;
/// MADV_FREE: the content is of no use any more.
const MADV_FREE: i32 = 6;

syscall! {
    /// madvise(2). There is no swap to write pages to, so MADV_DONTNEED, which keeps the content here, changes nothing.
    fn sys_madvise(addr: usize, len: usize, advice: i32) -> Result<(), Errno> {
        let mut vm = curproc().vm.borrow_mut();
        let range = user_range(&vm, addr, len, Errno::EINVAL)?;
        match advice {
            0..=MADV_SPACEAVAIL => Ok(()),
            MADV_FREE => {
                if !range.is_empty() {
                    vm.discard(range);
                }
                Ok(())
            }
            _ => Err(Errno::EINVAL),
        }
    }
}

syscall! {
    /// minherit(2): noted, for a program that forks.
    fn sys_minherit(addr: usize, len: usize, inherit: i32) -> Result<(), Errno> {
        let mut vm = curproc().vm.borrow_mut();
        let range = user_range(&vm, addr, len, Errno::EINVAL)?;
        let inherit = match inherit {
            0 | 1 | 2 | 4 => inherit as u8,
            _ => return Err(Errno::EINVAL),
        };
        vm.check_room()?;
        vm.map.update(range, |_, entry| entry.inherit = inherit);
        Ok(())
    }
}

syscall! {
    /// mincore(2): one byte for each page, 1 if it is in memory.
    fn sys_mincore(addr: usize, len: usize, vector: usize) -> Result<(), Errno> {
        /// Pages that are told of at a time.
        const CHUNK_PAGES: usize = 512;
        let proc = curproc();
        let range = user_range(&proc.vm.borrow(), addr, len, Errno::ENOMEM)?;
        if !addr.is_multiple_of(PAGE_SIZE) {
            return Err(Errno::EINVAL);
        }
        if !proc.vm.borrow().map.is_full(range.clone()) {
            return Err(Errno::ENOMEM);
        }
        let mut at = range.start;
        let mut out = vector;
        while at < range.end {
            let mut bytes = [0; CHUNK_PAGES];
            let pages = CHUNK_PAGES.min((range.end - at) / PAGE_SIZE);
            let vm = proc.vm.borrow();
            for (index, byte) in bytes[..pages].iter_mut().enumerate() {
                let va = at + index * PAGE_SIZE;
                let Some((start, entry)) = vm.map.lookup(va) else { continue };
                let in_object = match &entry.backing {
                    Backing::Anon => false,
                    Backing::Shared { object, offset } | Backing::Private { object, offset } => {
                        object.resident(offset + (va - start) as u64).is_some()
                    }
                };
                *byte = u8::from(in_object || vm.anon.get(va / PAGE_SIZE).is_some());
            }
            drop(vm);
            copyout_bytes(&bytes[..pages], out)?;
            at += pages * PAGE_SIZE;
            out = out.checked_add(pages).ok_or(Errno::EFAULT)?;
        }
        Ok(())
    }
}

syscall! {
    /// msync(2).
    fn sys___msync13(addr: usize, len: usize, flags: i32) -> Result<(), Errno> {
        const MS_ASYNC: i32 = 1;
        const MS_INVALIDATE: i32 = 2;
        const MS_SYNC: i32 = 4;
        if flags & !(MS_ASYNC | MS_INVALIDATE | MS_SYNC) != 0 || flags & (MS_ASYNC | MS_SYNC) == MS_ASYNC | MS_SYNC {
            return Err(Errno::EINVAL);
        }
        let proc = curproc();
        let vm = proc.vm.borrow();
        let mut range = user_range(&vm, addr, len, Errno::ENOMEM)?;
        if !addr.is_multiple_of(PAGE_SIZE) {
            return Err(Errno::EINVAL);
        }
        if len == 0 {
            // All of the mapping that is there.
            let (start, entry) = vm.map.lookup(addr).ok_or(Errno::ENOMEM)?;
            range = start..entry.end;
        }
        if !vm.map.is_full(range.clone()) {
            return Err(Errno::ENOMEM);
        }
        let mut objects = Vec::new();
        for (start, entry) in vm.map.overlapping(range.clone()) {
            if let Backing::Shared { object, offset } = &entry.backing {
                let from = offset + (range.start.max(start) - start) as u64;
                let to = offset + (range.end.min(entry.end) - start) as u64;
                objects.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                objects.push((object.clone(), from..to));
            }
        }
        drop(vm);
        for (object, range) in objects {
            object.flush(range)?;
        }
        Ok(())
    }
}

syscall! {
    /// mlock(2).
    fn sys_mlock(addr: usize, len: usize) -> Result<(), Errno> {
        let mut vm = curproc().vm.borrow_mut();
        let range = user_range(&vm, addr, len, Errno::ENOMEM)?;
        if range.is_empty() {
            return Ok(());
        }
        if !vm.map.is_full(range.clone()) {
            return Err(Errno::ENOMEM);
        }
        vm.check_room()?;
        vm.bring_in(range.clone())?;
        vm.map.update(range, |_, entry| entry.flags |= Flags::WIRED);
        Ok(())
    }
}

syscall! {
    /// munlock(2).
    fn sys_munlock(addr: usize, len: usize) -> Result<(), Errno> {
        let mut vm = curproc().vm.borrow_mut();
        let range = user_range(&vm, addr, len, Errno::ENOMEM)?;
        if range.is_empty() {
            return Ok(());
        }
        if !vm.map.is_full(range.clone()) {
            return Err(Errno::ENOMEM);
        }
        vm.map.update(range, |_, entry| entry.flags -= Flags::WIRED);
        Ok(())
    }
}

syscall! {
    /// mlockall(2).
    fn sys_mlockall(flags: i32) -> Result<(), Errno> {
        const MCL_CURRENT: i32 = 1;
        const MCL_FUTURE: i32 = 2;
        if flags == 0 || flags & !(MCL_CURRENT | MCL_FUTURE) != 0 {
            return Err(Errno::EINVAL);
        }
        let mut vm = curproc().vm.borrow_mut();
        if flags & MCL_CURRENT != 0 {
            let mut at = 0;
            while let Some(range) = vm.map.next_from(at).map(|(start, entry)| start..entry.end) {
                at = range.end;
                vm.bring_in(range.clone())?;
                vm.map.update(range, |_, entry| entry.flags |= Flags::WIRED);
            }
        }
        vm.wire_future = flags & MCL_FUTURE != 0;
        Ok(())
    }
}

syscall! {
    /// munlockall(2).
    fn sys_munlockall() -> Result<(), Errno> {
        let mut vm = curproc().vm.borrow_mut();
        vm.wire_future = false;
        let bounds = vm.map.bounds();
        vm.map.update(bounds, |_, entry| entry.flags -= Flags::WIRED);
        Ok(())
    }
}
