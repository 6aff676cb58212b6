//! The groups of a user for the process: initgroups(3), getgroupmembership(3); and the shells of shells(5): getusershell(3).

use crate::accounts::group::getgrouplist;
use crate::database::{lines, text};
use crate::stdlib::array::Array;
use core::ffi::{c_char, c_int};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

/// NGROUPS_MAX of sys/syslimits.h.
const GROUPS: usize = 16;

unsafe extern "C" {
    fn setgroups(count: c_int, groups: *const u32) -> c_int;
}

/// Gives the process the groups of a user.
///
/// # Safety
/// `name` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn initgroups(name: *const c_char, base: u32) -> c_int {
    let (mut groups, mut count) = ([0; GROUPS], GROUPS as c_int);
    // SAFETY: this function's contract; the array with its size. Groups that have no room are left out, as the manual page says.
    unsafe {
        getgrouplist(name, base, groups.as_mut_ptr(), &raw mut count);
        setgroups(count.min(GROUPS as c_int), groups.as_ptr())
    }
}

/// The groups of a user, up to `room`; -1 where there are more.
///
/// # Safety
/// `name` is a C string, `groups` has `room` elements, `count` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getgroupmembership(
    name: *const c_char,
    base: u32,
    groups: *mut u32,
    room: c_int,
    count: *mut c_int,
) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        *count = room;
        getgrouplist(name, base, groups, count)
    }
}

/// The shells of a machine that has no list of them.
const SHELLS: &[u8] = b"/bin/sh\n/bin/csh\n/bin/ksh\n";

/// Where the walk through the shells is.
static NEXT: AtomicUsize = AtomicUsize::new(0);
/// What it returned last.
static mut KEPT: [c_char; 1024] = [0; 1024];

/// The next shell that users may have; null behind the last.
#[unsafe(no_mangle)]
pub extern "C" fn getusershell() -> *mut c_char {
    let text: Array<u8> = text(c"/etc/shells", SHELLS);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let shells = lines(&text).filter_map(|line| crate::database::words(line).next());
    let Some(shell) = shells.filter(|shell| shell.first() == Some(&b'/')).nth(next) else {
        return null_mut();
    };
    let kept = (&raw mut KEPT).cast::<c_char>();
    // SAFETY: the buffer with its size; getusershell(3) lets nobody call it from two threads at once.
    if unsafe { crate::net::buffer::put(shell, kept, 1024) } { kept } else { null_mut() }
}

/// Goes back to the first shell.
#[unsafe(no_mangle)]
pub extern "C" fn setusershell() {
    NEXT.store(0, Ordering::Relaxed);
}

/// Goes back to the first shell.
#[unsafe(no_mangle)]
pub extern "C" fn endusershell() {
    setusershell();
}
