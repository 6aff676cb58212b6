//! Cutting strings into words: strtok(3), strsep(3), stresep(3).

use super::scan::{strcspn, strspn};
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int};

/// The next word of `string`, or of what `rest` remembers.
///
/// # Safety
/// `string` is null or a C string; `rest` is from the call before; `separators` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtok_r(
    string: *mut c_char,
    separators: *const c_char,
    rest: *mut *mut c_char,
) -> *mut c_char {
    // SAFETY: the lengths lie in the string, whose end is kept.
    unsafe {
        let mut start = if string.is_null() { *rest } else { string };
        if start.is_null() {
            return start;
        }
        start = start.add(strspn(start, separators));
        if *start == 0 {
            *rest = core::ptr::null_mut();
            return core::ptr::null_mut();
        }
        let end = start.add(strcspn(start, separators));
        *rest = if *end == 0 {
            core::ptr::null_mut()
        } else {
            *end = 0;
            end.add(1)
        };
        start
    }
}

/// What strtok(3) remembers. C gives it to one thread at a time.
struct Rest(UnsafeCell<*mut c_char>);
// SAFETY: strtok(3) is not to be called by two threads at once.
unsafe impl Sync for Rest {}
static REST: Rest = Rest(UnsafeCell::new(core::ptr::null_mut()));

/// The next word of `string`, or of the string before.
///
/// # Safety
/// As strtok_r(3), from one thread at a time.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strtok(string: *mut c_char, separators: *const c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { strtok_r(string, separators, REST.0.get()) }
}

/// Cuts off the beginning of `*string` up to a separator; null after the last.
///
/// # Safety
/// `*string` is null or a C string; `separators` is one.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strsep(string: *mut *mut c_char, separators: *const c_char) -> *mut c_char {
    // SAFETY: the length lies in the string.
    unsafe {
        let start = *string;
        if start.is_null() {
            return start;
        }
        let end = start.add(strcspn(start, separators));
        *string = if *end == 0 {
            core::ptr::null_mut()
        } else {
            *end = 0;
            end.add(1)
        };
        start
    }
}

/// strsep(3) where `escape` takes a separator's meaning away (and is removed).
///
/// # Safety
/// As strsep(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn stresep(
    string: *mut *mut c_char,
    separators: *const c_char,
    escape: c_int,
) -> *mut c_char {
    // SAFETY: reading and writing stop at the string's end; the write position never passes the read position.
    unsafe {
        let start = *string;
        if start.is_null() {
            return start;
        }
        let stops = super::scan::ByteSet::of(separators);
        let (mut from, mut to) = (start, start);
        loop {
            let mut byte = *from;
            if escape != 0 && c_int::from(byte) == c_int::from(escape as c_char) && *from.add(1) != 0 {
                from = from.add(1);
                byte = *from;
            } else if byte == 0 || stops.contains(byte as u8) {
                *string = if byte == 0 { core::ptr::null_mut() } else { from.add(1) };
                *to = 0;
                return start;
            }
            *to = byte;
            from = from.add(1);
            to = to.add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::ffi::CStr;

    fn all(text: &str, mut next: impl FnMut(*mut c_char) -> *mut c_char) -> Vec<String> {
        let mut bytes: Vec<c_char> = text.bytes().chain([0]).map(|byte| byte as c_char).collect();
        let mut words = Vec::new();
        let mut at = next(bytes.as_mut_ptr());
        while !at.is_null() {
            // SAFETY: a word ends with a zero.
            words.push(unsafe { CStr::from_ptr(at) }.to_str().expect("ASCII").to_owned());
            at = next(core::ptr::null_mut());
        }
        words
    }

    #[test]
    fn words_are_cut() {
        let mut rest = core::ptr::null_mut();
        // SAFETY: the string lives as long as the words are asked for.
        let words = all("  a bc,, d ", |at| unsafe { strtok_r(at, c" ,".as_ptr(), &raw mut rest) });
        assert_eq!(words, ["a", "bc", "d"]);
        // SAFETY: as above.
        assert_eq!(all("x;y", |at| unsafe { strtok(at, c";".as_ptr()) }), ["x", "y"]);
        let mut state = core::ptr::null_mut();
        let fields = all("a::b:", |at| {
            state = if at.is_null() { state } else { at };
            // SAFETY: as above.
            unsafe { strsep(&raw mut state, c":".as_ptr()) }
        });
        assert_eq!(fields, ["a", "", "b", ""]);
        let escaped = all("a\\:b:c", |at| {
            state = if at.is_null() { state } else { at };
            // SAFETY: as above.
            unsafe { stresep(&raw mut state, c":".as_ptr(), b'\\'.into()) }
        });
        assert_eq!(escaped, ["a:b", "c"]);
    }
}
