//! dlfcn.h and link.h: what ld.elf_so(1) offers a running program.
//!
//! An image is linked once and for all: there is one object, the program, and no other can be loaded. dlsym(3) finds what the program itself
//! exports; dlopen(3) gives the program's handle for a null path and fails for all others.

use crate::start::{Auxv, auxv_value, tls};
use crate::thread;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicPtr, Ordering};

/// `struct dl_phdr_info`.
#[repr(C)]
pub struct PhdrInfo {
    addr: usize,
    name: *const c_char,
    phdr: *const c_void,
    phnum: u16,
    adds: u64,
    subs: u64,
    tls_modid: usize,
    tls_data: *mut c_void,
}

/// The program's path.
fn path() -> *const c_char {
    auxv_value(Auxv::SUN_EXECNAME)
        .map_or(c"".as_ptr(), |address| core::ptr::with_exposed_provenance(address as usize))
}

/// dl_iterate_phdr(3): calls `callback` for the program, which is linked where it runs.
///
/// # Safety
/// `callback` can be called with `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dl_iterate_phdr(
    callback: unsafe extern "C" fn(*mut PhdrInfo, usize, *mut c_void) -> c_int,
    data: *mut c_void,
) -> c_int {
    let template = tls::template();
    let storage = if template.mem_len == 0 { null_mut() } else { template.lowest(thread::current()) };
    let mut info = PhdrInfo {
        addr: 0,
        name: path(),
        phdr: core::ptr::with_exposed_provenance(auxv_value(Auxv::PHDR).unwrap_or(0) as usize),
        phnum: auxv_value(Auxv::PHNUM).unwrap_or(0) as u16,
        adds: 1,
        subs: 0,
        tls_modid: usize::from(template.mem_len != 0),
        tls_data: storage.cast(),
    };
    // SAFETY: this function's contract.
    unsafe { callback(&raw mut info, size_of::<PhdrInfo>(), data) }
}

/// A symbol of the program's dynamic table (elf(5)).
#[repr(C)]
struct Symbol {
    name: u32,
    info: u8,
    other: u8,
    section: u16,
    value: usize,
    size: usize,
}

/// The program's dynamic symbols.
struct Symbols {
    table: *const Symbol,
    count: usize,
    strings: *const c_char,
}

impl Symbols {
    /// Finds them by PT_DYNAMIC.
    fn new() -> Option<Self> {
        const PT_DYNAMIC: u32 = 2;
        const PHDR_LEN: usize = 56;
        const DT_HASH: usize = 4;
        const DT_STRTAB: usize = 5;
        const DT_SYMTAB: usize = 6;
        let phdr = auxv_value(Auxv::PHDR)? as usize;
        let at = core::ptr::with_exposed_provenance::<u8>;
        let (mut hash, mut strings, mut table) = (0, 0, 0);
        for i in 0..auxv_value(Auxv::PHNUM)? as usize {
            // SAFETY: the kernel says that there are that many headers; the dynamic section ends with a null tag.
            unsafe {
                let header = at(phdr + i * PHDR_LEN);
                if header.cast::<u32>().read() != PT_DYNAMIC {
                    continue;
                }
                let mut dynamic = at(header.add(16).cast::<usize>().read()).cast::<[usize; 2]>();
                while (*dynamic)[0] != 0 {
                    match *dynamic {
                        [DT_HASH, value] => hash = value,
                        [DT_STRTAB, value] => strings = value,
                        [DT_SYMTAB, value] => table = value,
                        _ => {}
                    }
                    dynamic = dynamic.add(1);
                }
            }
        }
        if hash == 0 || strings == 0 || table == 0 {
            return None;
        }
        // SAFETY: the second word of a hash table is the number of symbols.
        let count = unsafe { at(hash).cast::<u32>().add(1).read() } as usize;
        Some(Self { table: at(table).cast(), count, strings: at(strings).cast() })
    }

    /// Those that the program defines: name, address, size.
    fn defined(&self) -> impl Iterator<Item = (&CStr, usize, usize)> {
        (1..self.count).filter_map(|i| {
            // SAFETY: the table has `count` symbols, whose names are in the string table.
            unsafe {
                let symbol = &*self.table.add(i);
                (symbol.section != 0).then(|| {
                    (CStr::from_ptr(self.strings.add(symbol.name as usize)), symbol.value, symbol.size)
                })
            }
        })
    }
}

/// `Dl_info`.
#[repr(C)]
pub struct DlInfo {
    file: *const c_char,
    base: *mut c_void,
    name: *const c_char,
    address: *mut c_void,
}

/// dladdr(3).
///
/// # Safety
/// `info` points to memory for a Dl_info.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int {
    let Some((start, end)) = extent() else { return 0 };
    if address.addr() < start || address.addr() >= end {
        return 0;
    }
    let mut found = DlInfo {
        file: path(),
        base: core::ptr::with_exposed_provenance_mut(start),
        name: null(),
        address: null_mut(),
    };
    if let Some(symbols) = Symbols::new() {
        let mut best = 0;
        for (name, value, _) in symbols.defined() {
            if value <= address.addr() && value > best {
                best = value;
                found.name = name.as_ptr();
                found.address = core::ptr::with_exposed_provenance_mut(value);
            }
        }
    }
    // SAFETY: this function's contract.
    unsafe { info.write(found) };
    1
}

/// Where the program lies: from its first segment to the end of its last.
pub(crate) fn extent() -> Option<(usize, usize)> {
    const PT_LOAD: u32 = 1;
    const PHDR_LEN: usize = 56;
    let phdr = auxv_value(Auxv::PHDR)? as usize;
    let (mut start, mut end) = (usize::MAX, 0);
    for i in 0..auxv_value(Auxv::PHNUM)? as usize {
        // SAFETY: the kernel says that there are that many headers.
        unsafe {
            let header = core::ptr::with_exposed_provenance::<u8>(phdr + i * PHDR_LEN);
            if header.cast::<u32>().read() == PT_LOAD {
                let (address, len) =
                    (header.add(16).cast::<usize>().read(), header.add(40).cast::<usize>().read());
                start = start.min(address);
                end = end.max(address + len);
            }
        }
    }
    (start < end).then_some((start, end))
}

/// The sentence that dlerror(3) is to return; null if there is none.
static ERROR: AtomicPtr<c_char> = AtomicPtr::new(null_mut());

fn fail(text: &'static CStr) -> *mut c_void {
    ERROR.store(text.as_ptr().cast_mut(), Ordering::Relaxed);
    null_mut()
}

/// The program's handle.
static SELF: u8 = 0;

/// dlopen(3).
#[unsafe(no_mangle)]
pub extern "C" fn dlopen(path: *const c_char, _mode: c_int) -> *mut c_void {
    if path.is_null() {
        return (&raw const SELF).cast_mut().cast();
    }
    fail(c"an image is linked when it is baked: no object can be loaded at run time")
}

/// dlclose(3).
#[unsafe(no_mangle)]
pub extern "C" fn dlclose(handle: *mut c_void) -> c_int {
    if handle.cast_const() == (&raw const SELF).cast() {
        return 0;
    }
    fail(c"not a handle of dlopen");
    -1
}

/// dlsym(3): what the program exports. RTLD_NEXT, RTLD_DEFAULT and RTLD_SELF are -1 to -3.
///
/// # Safety
/// `name` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    const RTLD_NEXT: usize = usize::MAX;
    if handle.addr() != RTLD_NEXT
        && let Some(symbols) = Symbols::new()
    {
        // SAFETY: this function's contract.
        let name = unsafe { CStr::from_ptr(name) };
        if let Some((_, value, _)) = symbols.defined().find(|(own, ..)| *own == name) {
            return core::ptr::with_exposed_provenance_mut(value);
        }
    }
    fail(c"the program exports no such symbol")
}

/// dlvsym(3): versions are not looked at.
///
/// # Safety
/// As [`dlsym`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlvsym(
    handle: *mut c_void,
    name: *const c_char,
    _version: *const c_char,
) -> *mut c_void {
    // SAFETY: this function's contract.
    unsafe { dlsym(handle, name) }
}

/// dlinfo(3): there is nothing to be asked.
#[unsafe(no_mangle)]
pub extern "C" fn dlinfo(_handle: *mut c_void, _request: c_int, _out: *mut c_void) -> c_int {
    fail(c"dlinfo: not supported");
    -1
}

/// dlerror(3).
#[unsafe(no_mangle)]
pub extern "C" fn dlerror() -> *mut c_char {
    ERROR.swap(null_mut(), Ordering::Relaxed)
}

/// Counts the users of an object, so that it is not unloaded: the program never is.
#[unsafe(no_mangle)]
pub extern "C" fn __dl_cxa_refcount(_handle: *mut c_void, _change: isize) {}
