//! shquote(3): text so that the shell takes it as one word; and lists of strings, stringlist(3).

use super::heap::{free, malloc, realloc};
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;

/// Calls `put` with the bytes of a text in single quotes; a quote itself is written `'\''`.
fn quote(text: &[u8], mut put: impl FnMut(u8)) {
    put(b'\'');
    for &byte in text {
        if byte == b'\'' {
            b"'\\''".iter().for_each(|&byte| put(byte));
        } else {
            put(byte);
        }
    }
    put(b'\'');
}

/// Writes a text in quotes, as far as there is room; returns the length of all of it.
///
/// # Safety
/// `text` is a C string, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn shquote(text: *const c_char, target: *mut c_char, size: usize) -> usize {
    // SAFETY: as this function's own.
    unsafe { shquotev(1, &raw const text, target, size) }
}

/// Writes texts in quotes, with spaces between them, as far as there is room; returns the length of all of it.
///
/// # Safety
/// `texts` are `count` C strings, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn shquotev(
    count: c_int,
    texts: *const *const c_char,
    target: *mut c_char,
    size: usize,
) -> usize {
    let mut length = 0;
    let mut put = |byte: u8| {
        if length + 1 < size {
            // SAFETY: there is room for it and the end.
            unsafe { *target.add(length) = byte as c_char };
        }
        length += 1;
    };
    for index in 0..usize::try_from(count).unwrap_or(0) {
        if index > 0 {
            put(b' ');
        }
        // SAFETY: as this function's own.
        quote(unsafe { CStr::from_ptr(*texts.add(index)) }.to_bytes(), &mut put);
    }
    if size > 0 {
        // SAFETY: within the buffer.
        unsafe { *target.add(length.min(size - 1)) = 0 };
    }
    length
}

/// `StringList`.
#[derive(Debug)]
#[repr(C)]
pub struct List {
    strings: *mut *mut c_char,
    capacity: usize,
    length: usize,
}

/// A list without strings; null without memory.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn sl_init() -> *mut List {
    // SAFETY: any size may be asked for.
    unsafe {
        let list = malloc(size_of::<List>()).cast::<List>();
        if !list.is_null() {
            list.write(List { strings: null_mut(), capacity: 0, length: 0 });
        }
        list
    }
}

/// Appends a string; -1 without memory.
///
/// # Safety
/// `list` is a list.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn sl_add(list: *mut List, string: *mut c_char) -> c_int {
    // SAFETY: as this function's own; the block has room for `capacity` strings.
    unsafe {
        let list = &mut *list;
        if list.length == list.capacity {
            let capacity = list.capacity + 20;
            let strings = realloc(list.strings.cast(), capacity * size_of::<*mut c_char>());
            if strings.is_null() {
                return -1;
            }
            (list.strings, list.capacity) = (strings.cast(), capacity);
        }
        list.strings.add(list.length).write(string);
        list.length += 1;
    }
    0
}

/// Where an equal string is in the list.
///
/// # Safety
/// `list` is a list of C strings.
unsafe fn place(list: &List, string: &CStr) -> Option<usize> {
    // SAFETY: as this function's own.
    (0..list.length).find(|&index| unsafe { CStr::from_ptr(*list.strings.add(index)) } == string)
}

/// The string of the list that is equal to another one; null where there is none.
///
/// # Safety
/// `list` is a list of C strings, `string` is one.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn sl_find(list: *mut List, string: *const c_char) -> *mut c_char {
    // SAFETY: as this function's own.
    unsafe { place(&*list, CStr::from_ptr(string)).map_or(null_mut(), |index| *(*list).strings.add(index)) }
}

/// Takes the string that is equal to another one out, and frees it where `frees` is not 0; -1 where there is none.
///
/// # Safety
/// As [`sl_find`]; what is freed is from malloc(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn sl_delete(list: *mut List, string: *const c_char, frees: c_int) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let list = &mut *list;
        let Some(index) = place(list, CStr::from_ptr(string)) else { return -1 };
        let at = list.strings.add(index);
        if frees != 0 {
            free((*at).cast());
        }
        core::ptr::copy(at.add(1), at, list.length - index - 1);
        list.length -= 1;
    }
    0
}

/// Frees a list, and its strings where `frees` is not 0.
///
/// # Safety
/// `list` is null or a list, and not used again; strings that are freed are from malloc(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn sl_free(list: *mut List, frees: c_int) {
    // SAFETY: as this function's own.
    unsafe {
        let Some(it) = list.as_ref() else { return };
        if frees != 0 {
            for index in 0..it.length {
                free((*it.strings.add(index)).cast());
            }
        }
        free(it.strings.cast());
        free(list.cast());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word() {
        let mut text = [0; 16];
        // SAFETY: C strings, and a buffer with its size.
        unsafe {
            assert_eq!(shquote(c"it's".as_ptr(), text.as_mut_ptr(), 16), 9);
            assert_eq!(CStr::from_ptr(text.as_ptr()), c"'it'\\''s'");
            let words = [c"a b".as_ptr(), c"".as_ptr()];
            assert_eq!(shquotev(2, words.as_ptr(), text.as_mut_ptr(), 5), 8);
            assert_eq!(CStr::from_ptr(text.as_ptr()), c"'a b");
        }
    }

    #[test]
    fn lists() {
        // SAFETY: C strings that stay; the list is freed once.
        unsafe {
            let list = sl_init();
            for _ in 0..30 {
                for word in [c"one", c"two"] {
                    assert_eq!(sl_add(list, word.as_ptr().cast_mut()), 0);
                }
            }
            assert_eq!(CStr::from_ptr(sl_find(list, c"two".as_ptr())), c"two");
            assert!(sl_find(list, c"three".as_ptr()).is_null());
            assert_eq!((sl_delete(list, c"one".as_ptr(), 0), (*list).length), (0, 59));
            assert_eq!(CStr::from_ptr(*(*list).strings), c"two");
            assert_eq!(sl_delete(list, c"three".as_ptr(), 0), -1);
            sl_free(list, 0);
        }
    }
}
