//! confstr(3), ftok(3), ulimit(3), setproctitle(3).

use crate::net::buffer::put;
use crate::stdio::printf::string::vsnprintf;
use crate::va::VaList;
use crate::{errno, sys};
use core::ffi::{CStr, c_char, c_int, c_long};
use core::ptr::null;
use rump_abi::types::Stat;

/// _CS_PATH of unistd.h, the only name there is.
const CS_PATH: c_int = 1;
/// Where the standard programs are.
const STANDARD_PATH: &CStr =
    c"/usr/bin:/bin:/usr/sbin:/sbin:/usr/pkg/bin:/usr/pkg/sbin:/usr/local/bin:/usr/local/sbin";

/// Writes a string that the configuration has, as far as there is room; returns its length with its end.
///
/// # Safety
/// `target` is null or has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn confstr(name: c_int, target: *mut c_char, size: usize) -> usize {
    if name != CS_PATH {
        errno::set(errno::EINVAL);
        return 0;
    }
    if !target.is_null() && size > 0 {
        let text = STANDARD_PATH.to_bytes();
        // SAFETY: this function's contract.
        unsafe { put(text.get(..size - 1).unwrap_or(text), target, size) };
    }
    STANDARD_PATH.count_bytes() + 1
}

/// A key for shared memory and the like, made of a file and a number.
///
/// # Safety
/// `path` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftok(path: *const c_char, id: c_int) -> c_long {
    let mut stat = Stat::ZERO;
    // SAFETY: this function's contract; a structure to write.
    if unsafe { sys::__stat50(path, (&raw mut stat).cast()) } != 0 {
        return -1;
    }
    let (device, file) = (stat.st_dev as u32, stat.st_ino as u32);
    ((id as u32) << 24 | (device & 0xff) << 16 | file & 0xffff).cast_signed().into()
}

/// The size of the largest file that may be written (1), or a new one (2); in units of 512 bytes.
///
/// # Safety
/// `arguments` has a long where `command` is 2.
unsafe extern "C" fn ulimit_with(command: c_int, arguments: *mut VaList) -> c_long {
    /// UL_GETFSIZE and UL_SETFSIZE of ulimit.h.
    const GET: c_int = 1;
    const SET: c_int = 2;
    /// RLIMIT_FSIZE of sys/resource.h.
    const RLIMIT_FSIZE: c_int = 1;
    unsafe extern "C" {
        fn setrlimit(resource: c_int, limit: *const [u64; 2]) -> c_int;
    }
    let mut limit = [0; 2];
    // SAFETY: this function's contract; the array has the layout of `struct rlimit`.
    unsafe {
        if command == SET {
            let blocks: c_long = (*arguments).arg();
            let Ok(bytes) = u64::try_from(blocks.saturating_mul(512)) else {
                return errno::fail(errno::EINVAL).into();
            };
            limit = [bytes; 2];
            return if setrlimit(RLIMIT_FSIZE, &raw const limit) == 0 { blocks } else { -1 };
        }
        if command != GET {
            return errno::fail(errno::EINVAL).into();
        }
        if sys::getrlimit(RLIMIT_FSIZE, &raw mut limit) != 0 {
            return -1;
        }
    }
    let [soft, _] = limit;
    (soft / 512) as c_long
}

/// `struct ps_strings`: where the kernel finds the arguments of the process.
#[repr(C)]
struct PsStrings {
    arguments: *mut *const c_char,
    count: c_int,
}

unsafe extern "C" {
    /// The program's, set by its start-up code.
    static mut __ps_strings: *mut PsStrings;
}

/// Bytes of a title.
const TITLE_BYTES: usize = 2048;

/// Sets what ps(1) shows as the process's arguments: the program's name, and the text behind it; without a format the name alone.
///
/// # Safety
/// `format` is null or a format that fits `arguments`.
unsafe extern "C" fn vsetproctitle(format: *const c_char, arguments: *mut VaList) {
    static mut TITLE: [c_char; TITLE_BYTES] = [0; TITLE_BYTES];
    static mut LIST: [*const c_char; 2] = [null(); 2];
    let title = (&raw mut TITLE).cast::<c_char>();
    // SAFETY: this function's contract; setproctitle(3) lets nobody call it from two threads at once. The strings have their ends.
    unsafe {
        let name = CStr::from_ptr(crate::program::name::getprogname()).to_bytes();
        let name = name.get(..256).unwrap_or(name);
        put(name, title, TITLE_BYTES);
        let mut length = name.len();
        if !format.is_null() {
            put(b": ", title.add(length), TITLE_BYTES - length);
            length += 2;
            vsnprintf(title.add(length), TITLE_BYTES - length, format, arguments);
        }
        let list = (&raw mut LIST).cast::<*const c_char>();
        list.write(title);
        if !__ps_strings.is_null() {
            (*__ps_strings).arguments = list;
            (*__ps_strings).count = 1;
        }
    }
}

variadic! {
    /// Asks for a limit, or sets it.
    ulimit(1) => ulimit_with;
    /// Sets what ps(1) shows.
    setproctitle(1) => vsetproctitle;
}
