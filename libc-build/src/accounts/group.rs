//! Groups: getgrnam(3), getgrgid(3), getgrent(3), getgrouplist(3), group_from_gid(3).
//!
//! A line is `name:password:gid:member,member` (group(5)).

use crate::database::{Room, Shared, Table, find, lines, number, text};
use core::ffi::{CStr, c_char, c_int};
use core::ptr;

/// `struct group`.
#[derive(Debug)]
#[repr(C)]
pub struct Group {
    name: *mut c_char,
    password: *mut c_char,
    gid: u32,
    members: *mut *mut c_char,
}

/// One line's fields.
pub(crate) struct Fields<'a> {
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

/// The database; the groups of an image that brings no file are in it.
struct Groups;

impl Table for Groups {
    type Fields<'a> = Fields<'a>;
    type Entry = Group;
    const PATH: &'static CStr = c"/etc/group";
    const BUILTIN: &'static [u8] = b"wheel:*:0:root\nnogroup:*:39:\n";

    fn parse(line: &[u8]) -> Option<Fields<'_>> {
        let mut parts = line.split(|&byte| byte == b':');
        let (name, password, gid) = (parts.next()?, parts.next()?, number(parts.next()?)?);
        if matches!(name, [] | [b'+' | b'-', ..]) {
            return None;
        }
        Some(Fields { name, password, gid, members: parts.next()? })
    }

    fn write(fields: &Fields<'_>, room: &mut Room) -> Option<Group> {
        Some(Group {
            members: room.strings(fields.members())?,
            name: room.string(fields.name)?,
            password: room.string(fields.password)?,
            gid: fields.gid,
        })
    }
}

/// A group may have many members.
static SHARED: Shared<Groups, 4096> = Shared::new();

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
    unsafe {
        let name = CStr::from_ptr(name).to_bytes();
        find::<Groups>(|_, group| group.name == name, target, buffer, size, found)
    }
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
    unsafe { find::<Groups>(|_, group| group.gid == gid, target, buffer, size, found) }
}

/// The group called `name`.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getgrnam(name: *const c_char) -> *mut Group {
    // SAFETY: as this function's own.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    SHARED.find(|_, group| group.name == name)
}

/// The group with the number `gid`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getgrgid(gid: u32) -> *mut Group {
    SHARED.find(|_, group| group.gid == gid)
}

/// The next group.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getgrent() -> *mut Group {
    SHARED.next()
}

/// The next group, in the caller's memory.
///
/// # Safety
/// `target` and `found` are writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getgrent_r(
    target: *mut Group,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut Group,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { SHARED.next_into(target, buffer, size, found) }
}

/// Goes back to the first group.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setgrent() {
    SHARED.rewind();
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
        let text = text(Groups::PATH, Groups::BUILTIN);
        for entry in lines(&text).filter_map(Groups::parse) {
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
    let found = SHARED.find(|_, group| group.gid == gid);
    if !found.is_null() {
        // SAFETY: an entry of the shared place.
        return unsafe { (*found).name };
    }
    if only_names != 0 {
        return ptr::null();
    }
    let mut digits = [0_u8; 16];
    let length = crate::string::error::numbered(&mut digits, "", gid.cast_signed());
    SHARED.keep(digits.get(..length).unwrap_or_default())
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
        let group = Groups::parse(b"operator:*:5:root,www").expect("four fields");
        assert_eq!((group.gid, group.members().count()), (5, 2));
        assert!(Groups::parse(b"bad:*:x:").is_none() && Groups::parse(b"+:*:0:").is_none());
        let mut entry = core::mem::MaybeUninit::<Group>::uninit();
        let (mut buffer, mut found) = ([0; 256], ptr::null_mut());
        // SAFETY: writable results.
        unsafe {
            assert_eq!(getgrgid_r(0, entry.as_mut_ptr(), buffer.as_mut_ptr(), 256, &raw mut found), 0);
            assert!(!found.is_null() && (*found).members.is_aligned());
        }
    }
}
