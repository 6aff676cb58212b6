//! sysctl(3), and what is known through it: uname(3), gethostname(3).

use crate::{errno, malloc, sys};
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::{null, null_mut};
pub(crate) use rump_abi::sysctl::{CTL_HW, CTL_KERN};
use rump_abi::sysctl::{
    CTL_MAXNAME, CTL_QUERY, CTLTYPE_NODE, HW_MACHINE, KERN_DOMAINNAME, KERN_HOSTNAME, KERN_OSRELEASE,
    KERN_OSTYPE, KERN_VERSION, SYSCTL_TYPEMASK, SYSCTL_VERSION,
};
use rump_abi::types::Sysctlnode;

/// What `struct sysctlnode` says of its layout.
const VERSION: u32 = SYSCTL_VERSION as u32;
/// The longest name.
const NAME_LEN: usize = CTL_MAXNAME as usize;
static EMPTY: Sysctlnode = Sysctlnode { sysctl_flags: VERSION, ..Sysctlnode::ZERO };

/// sysctl(3).
///
/// # Safety
/// As __sysctl(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysctl(
    name: *const c_int,
    name_len: c_uint,
    old: *mut c_void,
    old_len: *mut usize,
    new: *const c_void,
    new_len: usize,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe { sys::__sysctl(name, name_len, old, old_len, new, new_len) }
}

/// Finds the child of the node `mib[..len]` with this name; returns its number and whether it has children.
fn child(mib: &mut [c_int; NAME_LEN], len: usize, name: &[u8]) -> Option<(c_int, bool)> {
    *mib.get_mut(len)? = CTL_QUERY;
    let mut count = 64;
    loop {
        // SAFETY: malloc has no conditions; the kernel fills in at most `size` bytes.
        unsafe {
            let mut size = count * size_of::<Sysctlnode>();
            let nodes = malloc::malloc(size).cast::<Sysctlnode>();
            if nodes.is_null() {
                return None;
            }
            let result = sys::__sysctl(
                mib.as_ptr(),
                len as c_uint + 1,
                nodes.cast(),
                &raw mut size,
                (&raw const EMPTY).cast(),
                size_of::<Sysctlnode>(),
            );
            if result != 0 && errno::get() == errno::ENOMEM && count < 4096 {
                malloc::free(nodes.cast());
                count *= 4;
                continue;
            }
            let mut found = None;
            if result == 0 {
                for i in 0..(size / size_of::<Sysctlnode>()).min(count) {
                    let node = &*nodes.add(i);
                    let own =
                        node.sysctl_name.iter().position(|&byte| byte == 0).unwrap_or(node.sysctl_name.len());
                    if node.sysctl_name.get(..own) == Some(name) {
                        found = Some((
                            node.sysctl_num,
                            node.sysctl_flags & SYSCTL_TYPEMASK as u32 == CTLTYPE_NODE as u32,
                        ));
                    }
                }
                if found.is_none() {
                    errno::set(errno::ENOENT);
                }
            }
            malloc::free(nodes.cast());
            return found;
        }
    }
}

/// Turns a name with dots into numbers; returns how many.
fn resolve(name: &CStr, mib: &mut [c_int; NAME_LEN]) -> Option<usize> {
    let mut len = 0;
    let mut parts = name.to_bytes().split(|&byte| byte == b'.' || byte == b'/').peekable();
    // A name may begin with a separator.
    if parts.peek().is_some_and(|first| first.is_empty()) {
        parts.next();
    }
    while let Some(part) = parts.next() {
        if len == NAME_LEN - 1 {
            errno::set(errno::ENAMETOOLONG);
            return None;
        }
        let (number, node) = child(mib, len, part)?;
        *mib.get_mut(len)? = number;
        len += 1;
        if parts.peek().is_some() && !node {
            errno::set(errno::ENOTDIR);
            return None;
        }
    }
    (len > 0).then_some(len)
}

/// sysctlbyname(3).
///
/// # Safety
/// `name` is a string; the others as __sysctl(2) wants them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysctlbyname(
    name: *const c_char,
    old: *mut c_void,
    old_len: *mut usize,
    new: *const c_void,
    new_len: usize,
) -> c_int {
    let mut mib = [0; NAME_LEN];
    // SAFETY: this function's contract.
    unsafe {
        match resolve(CStr::from_ptr(name), &mut mib) {
            Some(len) => sys::__sysctl(mib.as_ptr(), len as c_uint, old, old_len, new, new_len),
            None => -1,
        }
    }
}

/// sysctlnametomib(3).
///
/// # Safety
/// `name` is a string, `mib` has `*len` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysctlnametomib(name: *const c_char, mib: *mut c_int, len: *mut usize) -> c_int {
    let mut own = [0; NAME_LEN];
    // SAFETY: this function's contract.
    unsafe {
        let Some(count) = resolve(CStr::from_ptr(name), &mut own) else { return -1 };
        if count > *len {
            return errno::fail(errno::ENOMEM);
        }
        core::ptr::copy_nonoverlapping(own.as_ptr(), mib, count);
        *len = count;
    }
    0
}

/// asysctlbyname(3): the value in memory of its own.
///
/// # Safety
/// `name` is a string, `len` points to a size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asysctlbyname(name: *const c_char, len: *mut usize) -> *mut c_void {
    let mut mib = [0; NAME_LEN];
    // SAFETY: this function's contract.
    unsafe {
        match resolve(CStr::from_ptr(name), &mut mib) {
            Some(count) => asysctl(mib.as_ptr(), count, len),
            None => null_mut(),
        }
    }
}

/// asysctl(3): the value in memory of its own.
///
/// # Safety
/// `name` has `name_len` numbers, `len` points to a size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asysctl(name: *const c_int, name_len: usize, len: *mut usize) -> *mut c_void {
    let mut value: *mut c_void = null_mut();
    // SAFETY: this function's contract; the value has `size` bytes.
    unsafe {
        loop {
            let mut size = 0;
            if sys::__sysctl(name, name_len as c_uint, null_mut(), &raw mut size, null(), 0) != 0 {
                break;
            }
            let larger = malloc::realloc(value, size.max(1));
            if larger.is_null() {
                break;
            }
            value = larger;
            if sys::__sysctl(name, name_len as c_uint, value, &raw mut size, null(), 0) == 0 {
                if !len.is_null() {
                    *len = size;
                }
                return value;
            }
            if errno::get() != errno::ENOMEM {
                break;
            }
        }
        malloc::free(value);
    }
    null_mut()
}

/// Reads a number; `None` if there is none.
pub(crate) fn number(name: [c_int; 2]) -> Option<u64> {
    let (mut value, mut size) = (0_u64, size_of::<u64>());
    // SAFETY: the value has eight bytes.
    let result =
        unsafe { sys::__sysctl(name.as_ptr(), 2, (&raw mut value).cast(), &raw mut size, null(), 0) };
    match (result, size) {
        (0, 4) => Some(value & 0xffff_ffff),
        (0, 8) => Some(value),
        _ => None,
    }
}

/// Reads a string into `len` bytes; truncated, it still ends with a NUL.
unsafe fn string(name: [c_int; 2], to: *mut c_char, len: usize) -> c_int {
    let mut size = len;
    // SAFETY: the caller has `len` bytes.
    unsafe {
        if sys::__sysctl(name.as_ptr(), 2, to.cast(), &raw mut size, null(), 0) != 0
            && errno::get() != errno::ENOMEM
        {
            return -1;
        }
        if let Some(last) = len.checked_sub(1) {
            *to.add(last) = 0;
        }
    }
    0
}

/// gethostname(3).
///
/// # Safety
/// `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gethostname(name: *mut c_char, len: usize) -> c_int {
    // SAFETY: this function's contract.
    unsafe { string([CTL_KERN, KERN_HOSTNAME], name, len) }
}

/// getdomainname(3).
///
/// # Safety
/// `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getdomainname(name: *mut c_char, len: usize) -> c_int {
    // SAFETY: this function's contract.
    unsafe { string([CTL_KERN, KERN_DOMAINNAME], name, len) }
}

/// sethostname(3).
///
/// # Safety
/// `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sethostname(name: *const c_char, len: usize) -> c_int {
    let mib = [CTL_KERN, KERN_HOSTNAME];
    // SAFETY: this function's contract.
    unsafe { sys::__sysctl(mib.as_ptr(), 2, null_mut(), null_mut(), name.cast(), len) }
}

/// setdomainname(3).
///
/// # Safety
/// `name` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn setdomainname(name: *const c_char, len: usize) -> c_int {
    let mib = [CTL_KERN, KERN_DOMAINNAME];
    // SAFETY: this function's contract.
    unsafe { sys::__sysctl(mib.as_ptr(), 2, null_mut(), null_mut(), name.cast(), len) }
}

/// Bytes in a member of `struct utsname`.
const MEMBER: usize = 256;

/// uname(3): five strings.
///
/// # Safety
/// `out` points to memory for a `struct utsname`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uname(out: *mut [[c_char; MEMBER]; 5]) -> c_int {
    let names = [
        [CTL_KERN, KERN_OSTYPE],
        [CTL_KERN, KERN_HOSTNAME],
        [CTL_KERN, KERN_OSRELEASE],
        [CTL_KERN, KERN_VERSION],
        [CTL_HW, HW_MACHINE],
    ];
    for (i, name) in names.into_iter().enumerate() {
        let member = out.cast::<c_char>().wrapping_add(i * MEMBER);
        // SAFETY: this function's contract.
        unsafe {
            if string(name, member, MEMBER) != 0 {
                return -1;
            }
            // The version is one line.
            for at in 0..MEMBER {
                let byte = member.add(at);
                if *byte == b'\n' as c_char || *byte == b'\t' as c_char {
                    *byte = if *byte.add(1) == 0 { 0 } else { b' ' as c_char };
                }
            }
        }
    }
    0
}
