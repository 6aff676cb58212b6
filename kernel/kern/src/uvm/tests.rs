//! The address space against a model of it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use rump_hypercall::memory::{self, PAGE_SIZE, Prot};
use rump_hypercall::upcall::Access;

use super::advice::*;
use super::entry::{Backing, Entry};
use super::map::VmMap;
use super::mmap::*;
use crate::copy::{copyin, copyout};
use crate::proc::curproc;
use crate::testing::{SCRATCH, kernel, touch};

const ANON: i32 = 0x1000;
const PRIVATE: i32 = 2;
const SHARED: i32 = 1;
const FIXED: i32 = 0x10;
const RW: i32 = 3;
const BASE: usize = 0x2000_0000;

fn map_at(addr: usize, pages: usize, prot: i32) -> usize {
    mmap(addr, pages * PAGE_SIZE, prot, ANON | PRIVATE | FIXED, None).unwrap()
}

fn call(entry: rump_hypercall::upcall::SysEntry, args: [usize; 3]) -> i32 {
    entry(args[0] as u64, args[1] as u64, args[2] as u64, 0, 0, 0).errno
}

#[test]
fn memory_is_zero_and_keeps_what_is_written() {
    kernel(|_| {
        let addr = map_at(BASE, 4, RW);
        assert_eq!(copyin::<u64>(addr + 5000), Ok(0));
        copyout(&0x1234_u64, addr + 5000).unwrap();
        assert_eq!(copyin::<u64>(addr + 5000), Ok(0x1234));
        assert_eq!(call(sys_munmap, [addr, 4 * PAGE_SIZE, 0]), 0);
        assert!(copyin::<u64>(addr + 5000).is_err());
    });
}

#[test]
fn a_huge_reservation_costs_nothing() {
    kernel(|_| {
        let before = memory::page_counts().free;
        let addr = mmap(0xc0_0000_0000, 1 << 40, 0, ANON | PRIVATE, None).unwrap();
        assert_eq!(addr, 0xc0_0000_0000, "a free hint is taken");
        assert!(!touch(addr, Access::Read));
        assert_eq!(memory::page_counts().free, before);
        map_at(addr + (1 << 30), 2, RW);
        assert!(touch(addr + (1 << 30), Access::Write));
        assert!(!touch(addr + (1 << 30) + 2 * PAGE_SIZE, Access::Write));
        assert_eq!(call(sys_munmap, [addr, 1 << 40, 0]), 0);
        assert_eq!(memory::page_counts().free, before);
    });
}

#[test]
fn protection_splits_and_joins_entries() {
    kernel(|_| {
        let addr = map_at(BASE, 8, RW);
        let count = || curproc().vm.borrow().map.len();
        let before = count();
        copyout(&7_u64, addr + 2 * PAGE_SIZE).unwrap();
        assert_eq!(call(sys_mprotect, [addr + 2 * PAGE_SIZE, PAGE_SIZE, 0]), 0);
        assert_eq!(count(), before + 2);
        assert!(copyin::<u64>(addr + 2 * PAGE_SIZE).is_err());
        assert_eq!(call(sys_mprotect, [addr + 2 * PAGE_SIZE, PAGE_SIZE, RW as usize]), 0);
        assert_eq!(count(), before);
        assert_eq!(copyin::<u64>(addr + 2 * PAGE_SIZE), Ok(7), "the content outlives PROT_NONE");
        assert_eq!(call(sys_mprotect, [addr + 7 * PAGE_SIZE, 2 * PAGE_SIZE, 1]), 12);
    });
}

#[test]
fn sequential_access_brings_in_more_and_more() {
    kernel(|_| {
        let addr = map_at(BASE, 64, RW);
        let resident = || curproc().vm.borrow().anon.count();
        let before = resident();
        let mut faults = 0;
        for page in 0..64 {
            if memory::pmap_extract(addr + page * PAGE_SIZE).is_none() {
                assert!(touch(addr + page * PAGE_SIZE, Access::Write));
                faults += 1;
            }
        }
        assert_eq!(resident() - before, 64);
        assert!(faults <= 9, "{faults} faults");
        let sparse = map_at(BASE + 0x100_0000, 64, RW);
        let before = resident();
        for page in (0..64).step_by(8) {
            assert!(touch(sparse + page * PAGE_SIZE, Access::Write));
        }
        assert_eq!(resident() - before, 8);
    });
}

#[test]
fn free_advice_gives_the_pages_back() {
    kernel(|_| {
        let addr = map_at(BASE, 16, RW);
        for page in 0..16 {
            copyout(&1_u8, addr + page * PAGE_SIZE).unwrap();
        }
        let before = memory::page_counts().free;
        assert_eq!(call(sys_madvise, [addr, 16 * PAGE_SIZE, 4]), 0);
        assert_eq!(copyin::<u8>(addr), Ok(1), "MADV_DONTNEED keeps the content");
        assert_eq!(call(sys_madvise, [addr, 16 * PAGE_SIZE, 6]), 0);
        assert_eq!(memory::page_counts().free, before + 16);
        assert_eq!(copyin::<u8>(addr), Ok(0));
    });
}

#[test]
fn a_mapping_moves_with_its_content() {
    kernel(|_| {
        let addr = map_at(BASE, 4, RW);
        copyout(&0xabcd_u64, addr + 3 * PAGE_SIZE).unwrap();
        map_at(BASE + 4 * PAGE_SIZE, 1, RW);
        let ret = sys_mremap(addr as u64, 4 * 4096, 0, 32 * 4096, 0, 0);
        assert_eq!(ret.errno, 0);
        let new = ret.value as usize;
        assert_ne!(new, addr);
        assert_eq!(copyin::<u64>(new + 3 * PAGE_SIZE), Ok(0xabcd));
        assert_eq!(copyin::<u64>(new + 31 * PAGE_SIZE), Ok(0));
        assert!(copyin::<u8>(addr).is_err());
        let shrunk = sys_mremap(new as u64, 32 * 4096, new as u64, 4096, 0, 0);
        assert_eq!((shrunk.errno, shrunk.value as usize), (0, new));
        assert!(copyin::<u8>(new + PAGE_SIZE).is_err());
    });
}

#[test]
fn shared_memory_is_one_object() {
    kernel(|_| {
        let addr = mmap(0, 2 * PAGE_SIZE, RW, ANON | SHARED, None).unwrap();
        copyout(&5_u32, addr + PAGE_SIZE).unwrap();
        assert_eq!(copyin::<u32>(addr + PAGE_SIZE), Ok(5));
        let object = super::AnonObject::new(2 * PAGE_SIZE as u64);
        let file = || Mappable { object: object.clone(), max_prot: memory::Prot::all() };
        let shared = mmap(0, 2 * PAGE_SIZE, RW, SHARED, Some((file(), 0))).unwrap();
        let private = mmap(0, 2 * PAGE_SIZE, RW, PRIVATE, Some((file(), 0))).unwrap();
        copyout(&1_u32, shared).unwrap();
        assert_eq!(copyin::<u32>(private), Ok(1));
        copyout(&2_u32, private).unwrap();
        assert_eq!((copyin::<u32>(shared), copyin::<u32>(private)), (Ok(1), Ok(2)));
        // Past the end of the object there is nothing.
        let beyond = mmap(0, 4 * PAGE_SIZE, RW, SHARED, Some((file(), 0))).unwrap();
        assert!(copyin::<u8>(beyond + PAGE_SIZE).is_ok());
        assert!(copyin::<u8>(beyond + 2 * PAGE_SIZE).is_err());
        let object: Arc<dyn super::UvmObject> = object;
        super::unmap_object(&object, 0..PAGE_SIZE as u64);
        assert_eq!(memory::pmap_extract(shared), None);
        assert_eq!(copyin::<u32>(shared), Ok(1), "it comes back from the object");
    });
}

#[test]
fn hostile_arguments_are_refused() {
    kernel(|_| {
        assert!(mmap(0, 0, RW, ANON | PRIVATE, None).is_err());
        assert!(mmap(0, usize::MAX, RW, ANON | PRIVATE, None).is_err());
        assert!(mmap(0, 1 << 50, RW, ANON | PRIVATE, None).is_err());
        assert!(mmap(0, PAGE_SIZE, RW, ANON | PRIVATE | SHARED, None).is_err());
        assert!(mmap(0, PAGE_SIZE, RW, ANON | PRIVATE | FIXED, None).is_err(), "page zero stays unmapped");
        assert!(mmap(usize::MAX - 4095, 2 * PAGE_SIZE, RW, ANON | PRIVATE | FIXED, None).is_err());
        assert!(mmap(0, PAGE_SIZE, RW, ANON | PRIVATE | 0x7f00_0000, None).is_err());
        for entry in
            [sys_munmap, sys_mprotect, sys_madvise, sys_mincore, sys___msync13, sys_mlock, sys_minherit]
        {
            for addr in [0, 1, SCRATCH, 0x7fff_ffff_f000, 0xffff_ffff_8000_0000, usize::MAX] {
                for len in [0, 1, usize::MAX, 1 << 46, 1 << 63] {
                    if addr == SCRATCH && len < 1 << 40 {
                        continue;
                    }
                    let _ = call(entry, [addr, len, 1]);
                }
            }
        }
        let _ = sys_mremap(u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0);
        let _ = sys_break(u64::MAX, 0, 0, 0, 0, 0);
    });
}

#[test]
fn the_heap_grows_and_shrinks() {
    kernel(|_| {
        {
            let mut vm = curproc().vm.borrow_mut();
            (vm.brk_start, vm.brk_end) = (BASE, BASE);
        }
        assert_eq!(sys_break(BASE as u64 + 100, 0, 0, 0, 0, 0).errno, 0);
        copyout(&1_u8, BASE + 4095).unwrap();
        assert!(copyin::<u8>(BASE + 4096).is_err());
        assert_eq!(sys_break(BASE as u64, 0, 0, 0, 0, 0).errno, 0);
        assert!(copyin::<u8>(BASE).is_err());
    });
}

/// Random operations on 64 pages, each checked page by page against a table.
#[test]
fn the_map_does_what_a_table_of_pages_does() {
    const PAGES: usize = 64;
    kernel(|_| {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 33) as usize % below
        };
        // Page number: protection, and content.
        let mut model: BTreeMap<usize, (i32, u8)> = BTreeMap::new();
        for step in 0..4000 {
            let first = random(PAGES);
            let count = 1 + random(PAGES - first).min(12);
            let (addr, len) = (BASE + first * PAGE_SIZE, count * PAGE_SIZE);
            let range = first..first + count;
            match random(6) {
                0 => {
                    let prot = [0, 1, 3][random(3)];
                    map_at(addr, count, prot);
                    model.extend(range.map(|page| (page, (prot, 0))));
                }
                1 => {
                    assert_eq!(call(sys_munmap, [addr, len, 0]), 0);
                    model.retain(|page, _| !range.contains(page));
                }
                2 => {
                    let prot = [0, 1, 3][random(3)];
                    let full = range.clone().all(|page| model.contains_key(&page));
                    assert_eq!(call(sys_mprotect, [addr, len, prot as usize]) == 0, full);
                    if full {
                        model.range_mut(range).for_each(|(_, page)| page.0 = prot);
                    }
                }
                3 => {
                    assert_eq!(call(sys_madvise, [addr, len, 6]), 0);
                    model.range_mut(range).for_each(|(_, page)| page.1 = 0);
                }
                _ => {
                    let value = step as u8 | 1;
                    let writable = model.get(&first).is_some_and(|page| page.0 == 3);
                    assert_eq!(copyout(&value, addr).is_ok(), writable);
                    if writable {
                        model.get_mut(&first).unwrap().1 = value;
                    }
                }
            }
            let check = random(PAGES);
            let wanted = model.get(&check).filter(|page| page.0 != 0).map(|page| page.1);
            assert_eq!(copyin::<u8>(BASE + check * PAGE_SIZE).ok(), wanted, "step {step}, page {check}");
            assert!(curproc().vm.borrow().map.gaps_are_right(), "step {step}");
        }
        let vm = curproc().vm.borrow();
        let mapped: usize =
            vm.map.overlapping(BASE..BASE + PAGES * PAGE_SIZE).map(|(start, e)| e.end - start).sum();
        assert_eq!(mapped, model.len() * PAGE_SIZE);
    });
}

/// Gaps of many sizes: what fits is found, at the alignment that is asked for, and where nothing else does in the last corner.
#[test]
fn a_gap_is_found_wherever_there_is_one() {
    let entry = |end| Entry::new(end, Prot::all(), Prot::all(), Backing::Anon);
    let pages = |count: usize| count * PAGE_SIZE;
    let mut map = VmMap::new(pages(16)..pages(1 << 20));
    let whole = map.find_gap(pages((1 << 20) - 16), PAGE_SIZE);
    assert_eq!(whole, Some(pages(16)));
    // Every gap has 3 pages, but for one of 2 and the lowest, of 5.
    let mut at = 16 + 5;
    for index in 0..1000 {
        map.insert(pages(at), entry(pages(at + 1)));
        at += if index == 500 { 3 } else { 4 };
    }
    map.insert(pages(at), entry(pages(1 << 20)));
    assert!(map.gaps_are_right());
    assert_eq!(map.find_gap(pages(4), PAGE_SIZE), Some(pages(17)));
    assert_eq!(map.find_gap(pages(6), PAGE_SIZE), None);
    assert_eq!(map.find_gap(pages(3), PAGE_SIZE), Some(pages(at - 3)));
    assert_eq!(map.find_gap(pages(1), pages(1024)).map(|found| found % pages(1024)), Some(0));
    assert!(map.find_gap(pages(1), pages(1024)).is_some_and(|found| map.is_free(found..found + pages(1))));
    assert_eq!(map.find_gap(pages(2), pages(8192)), None);
    map.remove(pages(0)..pages(1 << 20), |_, _| ());
    assert!(map.gaps_are_right());
    assert_eq!(map.find_gap(pages(6), PAGE_SIZE), Some(pages((1 << 20) - 6)));
}
