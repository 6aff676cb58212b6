//! Groups: getgrnam(3), getgrgid(3), getgrent(3), getgrouplist(3), group_from_gid(3).
//!
//! A line is `name:password:gid:member,member` (group(5)).

use super::database::{Room, lines, number, text};
use crate::errno;
use crate::stdlib::array::Array;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

/// `struct group`.
#[derive(Debug)]
#[repr(C)]
pub struct Group {
    name: *mut c_char,
    password: *mut c_char,
    gid: u32,
    members: *mut *mut c_char,
}

/// The groups of an image that brings no file.
const BUILTIN: &[u8] = b"wheel:*:0:root\nnogroup:*:39:\n";

/// One line's fields.
struct Fields<'a> {
    name: &'a [u8],
    password: &'a [u8],
    gid: u32,
    members: &'a [u8],
}

impl<'a> Fields<'a> {
    fn members(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.members.split(|&byte| byte == b',').filter(|member| !member.is_empty())
    }
}

fn fields(line: &[u8]) -> Option<Fields<'_>> {
    let mut parts = line.split(|&byte| byte == b':');
    let (name, password, gid) = (parts.next()?, parts.next()?, number(parts.next()?)?);
    Some(Fields { name, password, gid, members: parts.next()? })
}

/// Which line is wanted.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Name(&'a [u8]),
    Gid(u32),
    Index(usize),
}

/// Finds an entry and writes it out; 0 with `found` null where there is none.
///
/// # Safety
/// `target` and `found` are writable, `buffer` has `size` bytes.
unsafe fn find(
    wanted: Wanted<'_>,
    target: *mut Group,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut Group,
) -> c_int {
    let text: Array<u8> = text(c"/etc/group", BUILTIN);
    let mut entries = lines(&text).filter_map(fields).enumerate();
    let entry = entries.find(|(index, entry)| match wanted {
        Wanted::Name(name) => entry.name == name,
        Wanted::Gid(gid) => entry.gid == gid,
        Wanted::Index(at) => *index == at,
    });
    // SAFETY: as this function's own; the list has room for all members and its end.
    unsafe {
        *found = ptr::null_mut();
        let Some((_, entry)) = entry else { return 0 };
        let mut room = Room::new(buffer, size);
        let mut write = || {
            let list = room.pointers(entry.members().count() + 1)?;
            let mut at = list;
            for member in entry.members() {
                at.write(room.string(member)?);
                at = at.add(1);
            }
            at.write(ptr::null_mut());
            Some(Group {
                name: room.string(entry.name)?,
                password: room.string(entry.password)?,
                gid: entry.gid,
                members: list,
            })
        };
        let Some(entry) = write() else { return errno::ERANGE };
        target.write(entry);
        *found = target;
        0
    }
}

/// The group called `name`.
///
/// # Safety
/// `name` is a C string, `target` and `found` are writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getgrnam_r(
    name: *const c_char,
    target: *mut Group,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut Group,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { find(Wanted::Name(CStr::from_ptr(name).to_bytes()), target, buffer, size, found) }
}

/// The group with the number `gid`.
///
/// # Safety
/// `target` and `found` are writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getgrgid_r(
    gid: u32,
    target: *mut Group,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut Group,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { find(Wanted::Gid(gid), target, buffer, size, found) }
}

/// Where the functions without `_r` keep their result. A group may have many members.
struct Shared(UnsafeCell<(Group, [c_char; 4096])>);
// SAFETY: POSIX does not let two threads call these functions at once.
unsafe impl Sync for Shared {}
static SHARED: Shared = Shared(UnsafeCell::new((
    Group { name: ptr::null_mut(), password: ptr::null_mut(), gid: 0, members: ptr::null_mut() },
    [0; 4096],
)));

/// getgrent(3)'s place.
static NEXT: AtomicUsize = AtomicUsize::new(0);

fn shared(wanted: Wanted<'_>) -> *mut Group {
    let (place, mut found) = (SHARED.0.get(), ptr::null_mut());
    // SAFETY: one thread at a time (documentation of the cell).
    let error =
        unsafe { find(wanted, &raw mut (*place).0, (&raw mut (*place).1).cast(), 4096, &raw mut found) };
    if error != 0 {
        errno::set(error);
    }
    found
}

/// The group called `name`.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getgrnam(name: *const c_char) -> *mut Group {
    // SAFETY: as this function's own.
    shared(Wanted::Name(unsafe { CStr::from_ptr(name) }.to_bytes()))
}

/// The group with the number `gid`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getgrgid(gid: u32) -> *mut Group {
    shared(Wanted::Gid(gid))
}

/// The next group.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getgrent() -> *mut Group {
    shared(Wanted::Index(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Goes back to the first group.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setgrent() {
    NEXT.store(0, Ordering::Relaxed);
}

/// Goes back to the first group; no file is kept open, so there is nothing to keep.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setgroupent(_stay_open: c_int) -> c_int {
    setgrent();
    1
}

/// Goes back to the first group.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn endgrent() {
    setgrent();
}

/// The groups of a user, `base` first; -1 where they do not fit.
///
/// # Safety
/// `name` is a C string, `groups` has `*count` elements, `count` becomes the number of groups.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getgrouplist(
    name: *const c_char,
    base: u32,
    groups: *mut u32,
    count: *mut c_int,
) -> c_int {
    // SAFETY: as this function's own; elements are written below the room's end.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes();
        let room = usize::try_from(*count).unwrap_or(0);
        let mut number = 0;
        let mut put = |gid: u32| {
            if number < room {
                *groups.add(number) = gid;
            }
            number += 1;
        };
        put(base);
        let text = text(c"/etc/group", BUILTIN);
        for entry in lines(&text).filter_map(fields) {
            if entry.gid != base && entry.members().any(|member| member == name) {
                put(entry.gid);
            }
        }
        *count = number as c_int;
        if number > room { -1 } else { 0 }
    }
}

/// The name of a group; a number in decimal where there is none and `only_names` is 0, else null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn group_from_gid(gid: u32, only_names: c_int) -> *const c_char {
    let found = shared(Wanted::Gid(gid));
    if !found.is_null() {
        // SAFETY: an entry of the shared place.
        return unsafe { (*found).name };
    }
    if only_names != 0 {
        return ptr::null();
    }
    // SAFETY: one thread at a time (documentation of the cell).
    unsafe {
        let place: *mut c_char = (&raw mut (*SHARED.0.get()).1).cast();
        let mut digits = [0_u8; 16];
        crate::string::error::numbered(&mut digits, "", gid.cast_signed());
        crate::string::build::strlcpy(place, digits.as_ptr().cast(), 16);
        place
    }
}

/// The number of the group called `name`; -1 where there is none.
///
/// # Safety
/// `name` is a C string, `gid` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn gid_from_group(name: *const c_char, gid: *mut u32) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let found = getgrnam(name);
        if found.is_null() {
            return -1;
        }
        *gid = (*found).gid;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_numbers() {
        let group = fields(b"operator:*:5:root,www").expect("four fields");
        assert_eq!((group.gid, group.members().count()), (5, 2));
        assert!(fields(b"bad:*:x:").is_none());
        let mut entry = core::mem::MaybeUninit::<Group>::uninit();
        let (mut buffer, mut found) = ([0; 256], ptr::null_mut());
        // SAFETY: writable results.
        unsafe {
            assert_eq!(getgrgid_r(0, entry.as_mut_ptr(), buffer.as_mut_ptr(), 256, &raw mut found), 0);
            assert!(!found.is_null() && (*found).members.is_aligned());
        }
    }
}
