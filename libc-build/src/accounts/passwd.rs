//! Users: getpwnam(3), getpwuid(3), getpwent(3), user_from_uid(3).
//!
//! A line is `name:password:uid:gid:gecos:home:shell` (passwd(5)), or in the form of master.passwd(5) with class, change and expire.

use super::database::{Room, lines, number, text};
use crate::errno;
use crate::stdlib::array::Array;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

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

/// The users of an image that brings no file.
const BUILTIN: &[u8] = b"root:*:0:0:Charlie Root:/root:/bin/sh\nnobody:*:32767:39:Unprivileged user:/nonexistent:/sbin/nologin\n";

/// One line's fields.
struct Fields<'a> {
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

fn fields(line: &[u8]) -> Option<Fields<'_>> {
    let mut parts: [&[u8]; 10] = [b""; 10];
    let mut count = 0;
    for part in line.split(|&byte| byte == b':') {
        *parts.get_mut(count)? = part;
        count += 1;
    }
    let [name, password, uid, gid, a, b, c, d, e, f] = parts;
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

/// Which line is wanted.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Name(&'a [u8]),
    Uid(u32),
    Index(usize),
}

/// Finds an entry and writes it out; 0 with `found` null where there is none.
///
/// # Safety
/// `target` and `found` are writable, `buffer` has `size` bytes.
unsafe fn find(
    wanted: Wanted<'_>,
    target: *mut Passwd,
    buffer: *mut c_char,
    size: usize,
    found: *mut *mut Passwd,
) -> c_int {
    let text: Array<u8> = text(c"/etc/passwd", BUILTIN);
    let mut entries = lines(&text).filter_map(fields).enumerate();
    let entry = entries.find(|(index, entry)| match wanted {
        Wanted::Name(name) => entry.name == name,
        Wanted::Uid(uid) => entry.uid == uid,
        Wanted::Index(at) => *index == at,
    });
    // SAFETY: as this function's own.
    unsafe {
        *found = ptr::null_mut();
        let Some((_, entry)) = entry else { return 0 };
        let mut room = Room::new(buffer, size);
        let mut write = || {
            Some(Passwd {
                name: room.string(entry.name)?,
                password: room.string(entry.password)?,
                uid: entry.uid,
                gid: entry.gid,
                change: entry.change,
                class: room.string(entry.class)?,
                gecos: room.string(entry.gecos)?,
                directory: room.string(entry.directory)?,
                shell: room.string(entry.shell)?,
                expire: entry.expire,
            })
        };
        let Some(entry) = write() else { return errno::ERANGE };
        target.write(entry);
        *found = target;
        0
    }
}

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
    unsafe { find(Wanted::Name(CStr::from_ptr(name).to_bytes()), target, buffer, size, found) }
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
    unsafe { find(Wanted::Uid(uid), target, buffer, size, found) }
}

/// Where the functions without `_r` keep their result.
struct Shared(UnsafeCell<(Passwd, [c_char; 1024])>);
// SAFETY: POSIX does not let two threads call these functions at once.
unsafe impl Sync for Shared {}
static SHARED: Shared = Shared(UnsafeCell::new((
    Passwd {
        name: ptr::null_mut(),
        password: ptr::null_mut(),
        uid: 0,
        gid: 0,
        change: 0,
        class: ptr::null_mut(),
        gecos: ptr::null_mut(),
        directory: ptr::null_mut(),
        shell: ptr::null_mut(),
        expire: 0,
    },
    [0; 1024],
)));

/// getpwent(3)'s place.
static NEXT: AtomicUsize = AtomicUsize::new(0);

fn shared(wanted: Wanted<'_>) -> *mut Passwd {
    let (place, mut found) = (SHARED.0.get(), ptr::null_mut());
    // SAFETY: one thread at a time (documentation of the cell).
    let error =
        unsafe { find(wanted, &raw mut (*place).0, (&raw mut (*place).1).cast(), 1024, &raw mut found) };
    if error != 0 {
        errno::set(error);
    }
    found
}

/// The user called `name`.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __getpwnam50(name: *const c_char) -> *mut Passwd {
    // SAFETY: as this function's own.
    shared(Wanted::Name(unsafe { CStr::from_ptr(name) }.to_bytes()))
}

/// The user with the number `uid`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __getpwuid50(uid: u32) -> *mut Passwd {
    shared(Wanted::Uid(uid))
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
    shared(Wanted::Index(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Goes back to the first user.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setpwent() {
    NEXT.store(0, Ordering::Relaxed);
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
    let found = shared(Wanted::Uid(uid));
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
        crate::string::error::numbered(&mut digits, "", uid.cast_signed());
        crate::string::build::strlcpy(place, digits.as_ptr().cast(), 16);
        place
    }
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
        let old = fields(b"www:*:24:24:Web server:/var/www:/sbin/nologin").expect("seven fields");
        assert_eq!((old.uid, old.directory, old.class), (24, b"/var/www".as_slice(), b"".as_slice()));
        let new = fields(b"toor:*:0:1:daemon:5:6:Bourne-again Superuser:/root:/bin/sh").expect("ten fields");
        assert_eq!(
            (new.gid, new.class, new.expire, new.shell),
            (1, b"daemon".as_slice(), 6, b"/bin/sh".as_slice())
        );
        assert!(fields(b"too:few").is_none() && fields(b"a:b:x:1:c:d:e").is_none());
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
                errno::ERANGE
            );
            assert!(found.is_null());
        }
    }
}
