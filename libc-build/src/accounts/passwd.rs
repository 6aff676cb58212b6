//! Users: getpwnam(3), getpwuid(3), getpwent(3), user_from_uid(3).
//!
//! A line is `name:password:uid:gid:gecos:home:shell` (passwd(5)), or in the form of master.passwd(5) with class, change and expire.

use crate::database::{Room, Shared, Table, find, number};
use core::ffi::{CStr, c_char, c_int};
use core::ptr;

/// `struct passwd`.
#[derive(Debug)]
#[repr(C)]
pub struct Passwd {
    name: *mut c_char,
    password: *mut c_char,
    uid: u32,
    gid: u32,
    change: i64,
    class: *mut c_char,
    gecos: *mut c_char,
    directory: *mut c_char,
    shell: *mut c_char,
    expire: i64,
}

const _: () = assert!(size_of::<Passwd>() == 72);

/// One line's fields.
pub(crate) struct Fields<'a> {
    name: &'a [u8],
    password: &'a [u8],
    uid: u32,
    gid: u32,
    class: &'a [u8],
    change: i64,
    expire: i64,
    gecos: &'a [u8],
    directory: &'a [u8],
    shell: &'a [u8],
}

/// The database; the users of an image that brings no file are in it.
struct Users;

impl Table for Users {
    type Fields<'a> = Fields<'a>;
    type Entry = Passwd;
    const PATH: &'static CStr = c"/etc/passwd";
    const BUILTIN: &'static [u8] = b"root:*:0:0:Charlie Root:/root:/bin/sh\n\
        nobody:*:32767:39:Unprivileged user:/nonexistent:/sbin/nologin\n";

    fn parse(line: &[u8]) -> Option<Fields<'_>> {
        let mut parts: [&[u8]; 10] = [b""; 10];
        let mut count = 0;
        for part in line.split(|&byte| byte == b':') {
            *parts.get_mut(count)? = part;
            count += 1;
        }
        let [name, password, uid, gid, a, b, c, d, e, f] = parts;
        if matches!(name, [] | [b'+' | b'-', ..]) {
            return None;
        }
        let (class, change, expire, gecos, directory, shell) = match count {
            7 => (b"".as_slice(), 0, 0, a, b, c),
            10 => (a, number(b).unwrap_or(0), number(c).unwrap_or(0), d, e, f),
            _ => return None,
        };
        Some(Fields {
            name,
            password,
            uid: number(uid)?,
            gid: number(gid)?,
            class,
            change: change.into(),
            expire: expire.into(),
            gecos,
            directory,
            shell,
        })
    }

    fn write(fields: &Fields<'_>, room: &mut Room) -> Option<Passwd> {
        Some(Passwd {
            name: room.string(fields.name)?,
            password: room.string(fields.password)?,
            uid: fields.uid,
            gid: fields.gid,
            change: fields.change,
            class: room.string(fields.class)?,
            gecos: room.string(fields.gecos)?,
            directory: room.string(fields.directory)?,
            shell: room.string(fields.shell)?,
            expire: fields.expire,
        })
    }
}

static SHARED: Shared<Users, 1024> = Shared::new();

/// The user called `name`.
///
/// # Safety
/// `name` is a C string, `target` and `found` are writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __getpwnam_r50(
    name: *const c_char,
    target: *mut Passwd,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut Passwd,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes();
        find::<Users>(|_, user| user.name == name, target, buffer, size, found)
    }
}

/// The user with the number `uid`.
///
/// # Safety
/// `target` and `found` are writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __getpwuid_r50(
    uid: u32,
    target: *mut Passwd,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut Passwd,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { find::<Users>(|_, user| user.uid == uid, target, buffer, size, found) }
}

/// The user called `name`.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __getpwnam50(name: *const c_char) -> *mut Passwd {
    // SAFETY: as this function's own.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    SHARED.find(|_, user| user.name == name)
}

/// The user with the number `uid`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __getpwuid50(uid: u32) -> *mut Passwd {
    SHARED.find(|_, user| user.uid == uid)
}

/// A user's home directory, valid until the next lookup.
///
/// # Safety
/// `name` is a C string.
pub(crate) unsafe fn home_of<'a>(name: *const c_char) -> Option<&'a CStr> {
    // SAFETY: as this function's own; the entry's strings have their ends.
    unsafe { __getpwnam50(name).as_ref().map(|entry| CStr::from_ptr(entry.directory)) }
}

/// The next user.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __getpwent50() -> *mut Passwd {
    SHARED.next()
}

/// The next user, in the caller's memory.
///
/// # Safety
/// `target` and `found` are writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __getpwent_r50(
    target: *mut Passwd,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut Passwd,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { SHARED.next_into(target, buffer, size, found) }
}

/// Goes back to the first user.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setpwent() {
    SHARED.rewind();
}

/// Goes back to the first user; no file is kept open, so there is nothing to keep.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setpassent(_stay_open: c_int) -> c_int {
    setpwent();
    1
}

/// Goes back to the first user.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn endpwent() {
    setpwent();
}

/// The name of a user; a number in decimal where there is none and `only_names` is 0, else null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn user_from_uid(uid: u32, only_names: c_int) -> *const c_char {
    let found = SHARED.find(|_, user| user.uid == uid);
    if !found.is_null() {
        // SAFETY: an entry of the shared place.
        return unsafe { (*found).name };
    }
    if only_names != 0 {
        return ptr::null();
    }
    let mut digits = [0_u8; 16];
    let length = crate::string::error::numbered(&mut digits, "", uid.cast_signed());
    SHARED.keep(digits.get(..length).unwrap_or_default())
}

/// The number of the user called `name`; -1 where there is none.
///
/// # Safety
/// `name` is a C string, `uid` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn uid_from_user(name: *const c_char, uid: *mut u32) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let found = __getpwnam50(name);
        if found.is_null() {
            return -1;
        }
        *uid = (*found).uid;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_forms() {
        let old = Users::parse(b"www:*:24:24:Web server:/var/www:/sbin/nologin").expect("seven fields");
        assert_eq!((old.uid, old.directory, old.class), (24, b"/var/www".as_slice(), b"".as_slice()));
        let new =
            Users::parse(b"toor:*:0:1:daemon:5:6:Bourne-again Superuser:/root:/bin/sh").expect("ten fields");
        assert_eq!(
            (new.gid, new.class, new.expire, new.shell),
            (1, b"daemon".as_slice(), 6, b"/bin/sh".as_slice())
        );
        assert!(Users::parse(b"too:few").is_none() && Users::parse(b"a:b:x:1:c:d:e").is_none());
        assert!(Users::parse(b"+:::::::::").is_none());
    }

    #[test]
    fn root_is_there() {
        let mut entry = core::mem::MaybeUninit::<Passwd>::uninit();
        let (mut buffer, mut found) = ([0; 256], ptr::null_mut());
        // SAFETY: writable results.
        unsafe {
            assert_eq!(__getpwuid_r50(0, entry.as_mut_ptr(), buffer.as_mut_ptr(), 256, &raw mut found), 0);
            assert_eq!(CStr::from_ptr((*found).name), c"root");
            assert_eq!(
                __getpwnam_r50(c"root".as_ptr(), entry.as_mut_ptr(), buffer.as_mut_ptr(), 4, &raw mut found),
                crate::errno::ERANGE
            );
            assert!(found.is_null());
        }
    }
}
