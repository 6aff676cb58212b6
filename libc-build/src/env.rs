//! The environment: getenv(3), setenv(3), putenv(3).
//!
//! `environ` is the program's own variable, and programs assign to it. So the array is recognised as ours only by its address: the first change makes a
//! copy. A string that setenv(3) replaces is not freed, because getenv(3) may have handed it out; it is written over where the new value fits.

use crate::lock::Lock;
use crate::{errno, malloc};
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;

#[cfg(not(test))]
unsafe extern "C" {
    /// The environment, a null-terminated array of "NAME=value".
    static mut environ: *mut *mut c_char;
}

#[cfg(test)]
#[expect(non_upper_case_globals, reason = "C's name")]
static mut environ: *mut *mut c_char = null_mut();

/// The array that setenv(3) made.
struct Own {
    array: *mut *mut c_char,
    capacity: usize,
}

// SAFETY: reached only under the lock.
unsafe impl Send for Own {}

static OWN: Lock<Own> = Lock::new(Own { array: null_mut(), capacity: 0 });

/// The environment's array; may be null.
#[must_use]
pub fn environment() -> *mut *mut c_char {
    // SAFETY: reading the program's variable; a program that assigns to it from several threads has a race of its own.
    unsafe { environ }
}

/// Where the variable `name` is in the array: its index and its value.
///
/// # Safety
/// The environment is well-formed.
unsafe fn find(name: &[u8]) -> Option<(usize, *mut c_char)> {
    let array = environment();
    if array.is_null() {
        return None;
    }
    let mut index = 0;
    // SAFETY: the array ends with a null, and its strings with a NUL.
    unsafe {
        loop {
            let string = *array.add(index);
            if string.is_null() {
                return None;
            }
            let mut at = string.cast::<u8>();
            if name.iter().all(|&byte| {
                let same = *at == byte;
                if same {
                    at = at.add(1);
                }
                same
            }) && *at == b'='
            {
                return Some((index, at.add(1).cast()));
            }
            index += 1;
        }
    }
}

/// The value of a variable, for the rest of layer 2.
#[must_use]
pub fn get(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: the environment is the program's; a value that is replaced is not freed (module documentation).
    unsafe { find(name.to_bytes()).map(|(_, value)| CStr::from_ptr(value)) }
}

/// getenv(3).
///
/// # Safety
/// `name` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getenv(name: *const c_char) -> *mut c_char {
    // SAFETY: this function's contract.
    unsafe { find(CStr::from_ptr(name).to_bytes()).map_or(null_mut(), |(_, value)| value) }
}

/// getenv_r(3): copies the value.
///
/// # Safety
/// `name` is a string, `buf` has `len` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getenv_r(name: *const c_char, buf: *mut c_char, len: usize) -> c_int {
    let _lock = OWN.lock();
    // SAFETY: this function's contract.
    unsafe {
        let Some((_, value)) = find(CStr::from_ptr(name).to_bytes()) else {
            return errno::fail(errno::ENOENT);
        };
        let value = CStr::from_ptr(value).to_bytes_with_nul();
        if value.len() > len {
            return errno::fail(errno::ERANGE);
        }
        core::ptr::copy_nonoverlapping(value.as_ptr(), buf.cast(), value.len());
    }
    0
}

/// Puts `string` into the environment, at `index` if the variable is there already.
unsafe fn put(own: &mut Own, index: Option<usize>, string: *mut c_char) -> c_int {
    let array = environment();
    // SAFETY: the array ends with a null; an array of ours has `capacity` places.
    unsafe {
        if let Some(index) = index {
            *array.add(index) = string;
            return 0;
        }
        let mut count = 0;
        while !array.is_null() && !(*array.add(count)).is_null() {
            count += 1;
        }
        if array.is_null() || array != own.array || count + 2 > own.capacity {
            let capacity = (count + 2).max(16) * 2;
            let ours = array == own.array;
            let new = malloc::realloc(
                if ours { array.cast() } else { null_mut() },
                capacity * size_of::<*mut c_char>(),
            )
            .cast::<*mut c_char>();
            if new.is_null() {
                return -1;
            }
            if !ours {
                core::ptr::copy_nonoverlapping(array, new, count);
            }
            *own = Own { array: new, capacity };
            environ = new;
        }
        *own.array.add(count) = string;
        *own.array.add(count + 1) = null_mut();
    }
    0
}

/// setenv(3).
///
/// # Safety
/// `name` and `value` are strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn setenv(name: *const c_char, value: *const c_char, overwrite: c_int) -> c_int {
    if name.is_null() || value.is_null() {
        return errno::fail(errno::EINVAL);
    }
    // SAFETY: this function's contract.
    let (name, value) =
        unsafe { (CStr::from_ptr(name).to_bytes(), CStr::from_ptr(value).to_bytes_with_nul()) };
    if name.is_empty() || name.contains(&b'=') {
        return errno::fail(errno::EINVAL);
    }
    let mut own = OWN.lock();
    // SAFETY: the environment is well-formed; the new string is as long as its parts.
    unsafe {
        let there = find(name);
        if let Some((_, old)) = there {
            if overwrite == 0 {
                return 0;
            }
            if CStr::from_ptr(old).count_bytes() + 1 >= value.len() && environment() == own.array {
                core::ptr::copy(value.as_ptr(), old.cast(), value.len());
                return 0;
            }
        }
        let string = malloc::malloc(name.len() + 1 + value.len()).cast::<u8>();
        if string.is_null() {
            return -1;
        }
        core::ptr::copy_nonoverlapping(name.as_ptr(), string, name.len());
        *string.add(name.len()) = b'=';
        core::ptr::copy_nonoverlapping(value.as_ptr(), string.add(name.len() + 1), value.len());
        put(&mut own, there.map(|(index, _)| index), string.cast())
    }
}

/// putenv(3): the string itself becomes part of the environment.
///
/// # Safety
/// `string` is a string that stays.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn putenv(string: *mut c_char) -> c_int {
    // SAFETY: this function's contract.
    unsafe {
        let text = CStr::from_ptr(string).to_bytes();
        let Some(name) = text
            .split(|&byte| byte == b'=')
            .next()
            .filter(|name| !name.is_empty() && name.len() < text.len())
        else {
            return errno::fail(errno::EINVAL);
        };
        let mut own = OWN.lock();
        let index = find(name).map(|(index, _)| index);
        put(&mut own, index, string)
    }
}

/// unsetenv(3).
///
/// # Safety
/// `name` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn unsetenv(name: *const c_char) -> c_int {
    if name.is_null() {
        return errno::fail(errno::EINVAL);
    }
    // SAFETY: this function's contract.
    let name = unsafe { CStr::from_ptr(name).to_bytes() };
    if name.is_empty() || name.contains(&b'=') {
        return errno::fail(errno::EINVAL);
    }
    let _own = OWN.lock();
    // SAFETY: the array ends with a null, which moves down with the rest.
    unsafe {
        while let Some((mut index, _)) = find(name) {
            let array = environment();
            loop {
                let next = *array.add(index + 1);
                *array.add(index) = next;
                if next.is_null() {
                    break;
                }
                index += 1;
            }
        }
    }
    0
}

/// putenv(3), under its name in NetBSD 5 and later.
///
/// # Safety
/// As [`putenv`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __putenv50(string: *mut c_char) -> c_int {
    // SAFETY: this function's contract.
    unsafe { putenv(string) }
}

/// unsetenv(3), under the name by which it returns a result.
///
/// # Safety
/// As [`unsetenv`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __unsetenv13(name: *const c_char) -> c_int {
    // SAFETY: this function's contract.
    unsafe { unsetenv(name) }
}

/// clearenv(3).
///
/// # Safety
/// No other thread uses the environment.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn clearenv() -> c_int {
    let _own = OWN.lock();
    let array = environment();
    if !array.is_null() {
        // SAFETY: the array has at least the place of its null.
        unsafe { *array = null_mut() };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_variable() {
        let mut initial = [c"A=1".as_ptr().cast_mut(), c"AB=2".as_ptr().cast_mut(), null_mut()];
        // SAFETY: this is the only test that uses the environment.
        unsafe {
            environ = initial.as_mut_ptr();
            let value = |name: &CStr| get(name).map(CStr::to_bytes);
            assert_eq!(value(c"A"), Some(&b"1"[..]));
            assert_eq!(value(c"AB"), Some(&b"2"[..]));
            assert_eq!(value(c"B"), None);
            assert_eq!(setenv(c"B".as_ptr(), c"three".as_ptr(), 0), 0);
            assert_ne!(environment(), initial.as_mut_ptr());
            assert_eq!(setenv(c"B".as_ptr(), c"four".as_ptr(), 0), 0);
            assert_eq!(value(c"B"), Some(&b"three"[..]));
            assert_eq!(setenv(c"B".as_ptr(), c"4".as_ptr(), 1), 0);
            assert_eq!(value(c"B"), Some(&b"4"[..]));
            for i in 0..100 {
                let name = std::ffi::CString::new(format!("V{i}")).unwrap();
                assert_eq!(setenv(name.as_ptr(), name.as_ptr(), 1), 0);
            }
            assert_eq!(value(c"V99"), Some(&b"V99"[..]));
            assert_eq!(putenv(c"A=new".as_ptr().cast_mut()), 0);
            assert_eq!(value(c"A"), Some(&b"new"[..]));
            assert_eq!(unsetenv(c"A".as_ptr()), 0);
            assert_eq!(value(c"A"), None);
            assert_eq!(setenv(c"X=Y".as_ptr(), c"".as_ptr(), 1), -1);
            assert_eq!(putenv(c"=Y".as_ptr().cast_mut()), -1);
            let mut buf = [0 as c_char; 3];
            assert_eq!(getenv_r(c"V99".as_ptr(), buf.as_mut_ptr(), 3), -1);
            assert_eq!(getenv_r(c"B".as_ptr(), buf.as_mut_ptr(), 3), 0);
            assert_eq!(clearenv(), 0);
            assert_eq!(value(c"B"), None);
        }
    }
}
