//! Wide strings: the wcs and wmem functions of wchar.h.

use super::multibyte::WideChar;
use crate::stdlib::heap;
use core::cmp::Ordering;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;

/// The characters of a wide string.
///
/// # Safety
/// `text` is a wide string, which does not change for `'a`.
pub(crate) unsafe fn characters<'a>(text: *const WideChar) -> &'a [WideChar] {
    // SAFETY: as this function's own.
    unsafe { core::slice::from_raw_parts(text, wcslen(text)) }
}

/// How C says what an order is.
fn order(order: Ordering) -> c_int {
    order as c_int
}

/// wcslen(3).
///
/// # Safety
/// `text` is a wide string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcslen(text: *const WideChar) -> usize {
    // SAFETY: as this function's own.
    unsafe { wcsnlen(text, usize::MAX) }
}

/// wcsnlen(3).
///
/// # Safety
/// `text` is a wide string or has `most` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsnlen(text: *const WideChar, most: usize) -> usize {
    let mut len = 0;
    // SAFETY: the string has not ended.
    while len < most && unsafe { *text.wrapping_add(len) } != 0 {
        len += 1;
    }
    len
}

/// wmemcpy(3).
///
/// # Safety
/// Both have `len` characters and do not overlap.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wmemcpy(to: *mut WideChar, from: *const WideChar, len: usize) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe { core::ptr::copy_nonoverlapping(from, to, len) };
    to
}

/// wmempcpy(3).
///
/// # Safety
/// As for [`wmemcpy`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wmempcpy(to: *mut WideChar, from: *const WideChar, len: usize) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe { wmemcpy(to, from, len) }.wrapping_add(len)
}

/// wmemmove(3).
///
/// # Safety
/// Both have `len` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wmemmove(to: *mut WideChar, from: *const WideChar, len: usize) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe { core::ptr::copy(from, to, len) };
    to
}

/// wmemset(3).
///
/// # Safety
/// `to` has `len` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wmemset(to: *mut WideChar, c: WideChar, len: usize) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe { core::slice::from_raw_parts_mut(to, len) }.fill(c);
    to
}

/// wmemcmp(3).
///
/// # Safety
/// Both have `len` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wmemcmp(a: *const WideChar, b: *const WideChar, len: usize) -> c_int {
    // SAFETY: as this function's own.
    order(unsafe { core::slice::from_raw_parts(a, len).cmp(core::slice::from_raw_parts(b, len)) })
}

/// wmemchr(3).
///
/// # Safety
/// `text` has `len` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wmemchr(text: *const WideChar, c: WideChar, len: usize) -> *mut WideChar {
    // SAFETY: as this function's own.
    let found = unsafe { core::slice::from_raw_parts(text, len) }.iter().position(|&it| it == c);
    found.map_or(null_mut(), |at| text.wrapping_add(at).cast_mut())
}

/// wcscpy(3).
///
/// # Safety
/// `from` is a wide string, for which `to` has room.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcscpy(to: *mut WideChar, from: *const WideChar) -> *mut WideChar {
    // SAFETY: as this function's own; the zero is copied too.
    unsafe { wmemcpy(to, from, wcslen(from) + 1) }
}

/// wcsncpy(3).
///
/// # Safety
/// `from` is a wide string or has `len` characters, `to` has room for `len`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsncpy(to: *mut WideChar, from: *const WideChar, len: usize) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe {
        let part = wcsnlen(from, len);
        wmemcpy(to, from, part);
        wmemset(to.wrapping_add(part), 0, len - part);
    }
    to
}

/// wcscat(3).
///
/// # Safety
/// Both are wide strings, `to` has room for both.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcscat(to: *mut WideChar, from: *const WideChar) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe { wcscpy(to.wrapping_add(wcslen(to)), from) };
    to
}

/// wcsncat(3).
///
/// # Safety
/// As for [`wcscat`], or `from` has `len` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsncat(to: *mut WideChar, from: *const WideChar, len: usize) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe {
        let end = to.wrapping_add(wcslen(to));
        let part = wcsnlen(from, len);
        wmemcpy(end, from, part);
        *end.wrapping_add(part) = 0;
    }
    to
}

/// wcslcpy(3).
///
/// # Safety
/// `from` is a wide string, `to` has room for `size` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcslcpy(to: *mut WideChar, from: *const WideChar, size: usize) -> usize {
    // SAFETY: as this function's own.
    unsafe {
        let len = wcslen(from);
        if let Some(most) = size.checked_sub(1) {
            let part = len.min(most);
            wmemcpy(to, from, part);
            *to.wrapping_add(part) = 0;
        }
        len
    }
}

/// wcslcat(3).
///
/// # Safety
/// As for [`wcslcpy`], and `to` is a wide string or has `size` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcslcat(to: *mut WideChar, from: *const WideChar, size: usize) -> usize {
    // SAFETY: as this function's own.
    unsafe {
        let len = wcsnlen(to, size);
        len + wcslcpy(to.wrapping_add(len), from, size - len)
    }
}

/// wcsdup(3).
///
/// # Safety
/// `text` is a wide string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsdup(text: *const WideChar) -> *mut WideChar {
    // SAFETY: as this function's own; the memory has room for the string and its zero.
    unsafe {
        let size = wcslen(text) + 1;
        let copy: *mut WideChar = heap::malloc(size * size_of::<WideChar>()).cast();
        if copy.is_null() { copy } else { wmemcpy(copy, text, size) }
    }
}

/// wcsncmp(3).
///
/// # Safety
/// Both are wide strings or have `len` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsncmp(a: *const WideChar, b: *const WideChar, len: usize) -> c_int {
    for i in 0..len {
        // SAFETY: neither string has ended.
        let (x, y) = unsafe { (*a.wrapping_add(i), *b.wrapping_add(i)) };
        if x != y || x == 0 {
            return order(x.cmp(&y));
        }
    }
    0
}

/// wcscmp(3).
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcscmp(a: *const WideChar, b: *const WideChar) -> c_int {
    // SAFETY: as this function's own.
    unsafe { wcsncmp(a, b, usize::MAX) }
}

/// wcscoll(3): every locale here orders by the characters' numbers.
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcscoll(a: *const WideChar, b: *const WideChar) -> c_int {
    // SAFETY: as this function's own.
    unsafe { wcscmp(a, b) }
}

/// wcscoll_l(3).
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcscoll_l(a: *const WideChar, b: *const WideChar, _locale: *const c_void) -> c_int {
    // SAFETY: as this function's own.
    unsafe { wcscmp(a, b) }
}

/// wcsxfrm(3).
///
/// # Safety
/// `from` is a wide string, `to` has room for `size` characters.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsxfrm(to: *mut WideChar, from: *const WideChar, size: usize) -> usize {
    // SAFETY: as this function's own.
    unsafe { wcslcpy(to, from, size) }
}

/// wcsxfrm_l(3).
///
/// # Safety
/// As for [`wcsxfrm`].
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsxfrm_l(
    to: *mut WideChar,
    from: *const WideChar,
    size: usize,
    _locale: *const c_void,
) -> usize {
    // SAFETY: as this function's own.
    unsafe { wcslcpy(to, from, size) }
}

/// wcschr(3).
///
/// # Safety
/// `text` is a wide string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcschr(text: *const WideChar, c: WideChar) -> *mut WideChar {
    // SAFETY: as this function's own; the zero may be looked for too.
    unsafe { wmemchr(text, c, wcslen(text) + 1) }
}

/// wcsrchr(3).
///
/// # Safety
/// `text` is a wide string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsrchr(text: *const WideChar, c: WideChar) -> *mut WideChar {
    // SAFETY: as this function's own; the zero may be looked for too.
    let all = unsafe { core::slice::from_raw_parts(text, wcslen(text) + 1) };
    all.iter().rposition(|&it| it == c).map_or(null_mut(), |at| text.wrapping_add(at).cast_mut())
}

/// wcsspn(3).
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsspn(text: *const WideChar, set: *const WideChar) -> usize {
    // SAFETY: as this function's own.
    let (text, set) = unsafe { (characters(text), characters(set)) };
    text.iter().take_while(|c| set.contains(c)).count()
}

/// wcscspn(3).
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcscspn(text: *const WideChar, set: *const WideChar) -> usize {
    // SAFETY: as this function's own.
    let (text, set) = unsafe { (characters(text), characters(set)) };
    text.iter().take_while(|c| !set.contains(c)).count()
}

/// wcspbrk(3).
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcspbrk(text: *const WideChar, set: *const WideChar) -> *mut WideChar {
    // SAFETY: as this function's own; the character at that place is in the string or its zero.
    unsafe {
        let at = text.wrapping_add(wcscspn(text, set));
        if *at == 0 { null_mut() } else { at.cast_mut() }
    }
}

/// wcsstr(3).
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcsstr(text: *const WideChar, part: *const WideChar) -> *mut WideChar {
    // SAFETY: as this function's own.
    let (all, wanted) = unsafe { (characters(text), characters(part)) };
    if wanted.is_empty() {
        return text.cast_mut();
    }
    let found = all.windows(wanted.len()).position(|it| it == wanted);
    found.map_or(null_mut(), |at| text.wrapping_add(at).cast_mut())
}

/// wcswcs(3): the old name of wcsstr(3).
///
/// # Safety
/// Both are wide strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcswcs(text: *const WideChar, part: *const WideChar) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe { wcsstr(text, part) }
}

/// wcstok(3).
///
/// # Safety
/// `text` is null or a wide string that may be written to, `set` a wide string, `rest` as the call before left it.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn wcstok(
    text: *mut WideChar,
    set: *const WideChar,
    rest: *mut *mut WideChar,
) -> *mut WideChar {
    // SAFETY: as this function's own.
    unsafe {
        let text = if text.is_null() { *rest } else { text };
        if text.is_null() {
            return null_mut();
        }
        let start = text.wrapping_add(wcsspn(text, set));
        if *start == 0 {
            *rest = null_mut();
            return null_mut();
        }
        let end = start.wrapping_add(wcscspn(start, set));
        *rest = if *end == 0 {
            null_mut()
        } else {
            *end = 0;
            end.wrapping_add(1)
        };
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wide string.
    fn wide(text: &str) -> Vec<WideChar> {
        text.chars().map(|c| c as WideChar).chain([0]).collect()
    }

    #[test]
    fn copying_keeps_within_the_size() {
        let (mut to, from) = ([7; 4], wide("abcdef"));
        // SAFETY: all buffers are as large as said.
        unsafe {
            assert_eq!(wcslcpy(to.as_mut_ptr(), from.as_ptr(), 4), 6);
            assert_eq!(to, [0x61, 0x62, 0x63, 0]);
            assert_eq!(wcslcat(to.as_mut_ptr(), from.as_ptr(), 4), 9);
            wcsncpy(to.as_mut_ptr(), wide("x").as_ptr(), 3);
            assert_eq!(to, [0x78, 0, 0, 0]);
        }
    }

    #[test]
    fn searching() {
        let text = wide("banana");
        let at = |found: *mut WideChar| (found.addr() - text.as_ptr().addr()) / 4;
        // SAFETY: all are wide strings.
        unsafe {
            assert_eq!(at(wcsstr(text.as_ptr(), wide("nan").as_ptr())), 2);
            assert!(wcsstr(text.as_ptr(), wide("nab").as_ptr()).is_null());
            assert_eq!(at(wcsrchr(text.as_ptr(), 'n' as WideChar)), 4);
            assert_eq!(at(wcschr(text.as_ptr(), 0)), 6);
            assert_eq!(at(wcspbrk(text.as_ptr(), wide("xn").as_ptr())), 2);
            assert_eq!(wcsspn(text.as_ptr(), wide("ab").as_ptr()), 2);
            assert!(wcscmp(text.as_ptr(), wide("bananb").as_ptr()) < 0);
            assert_eq!(wcsncmp(text.as_ptr(), wide("bananb").as_ptr(), 5), 0);
        }
    }

    #[test]
    fn tokens() {
        let (mut text, set) = (wide(",a,,bc,"), wide(","));
        let mut rest = null_mut();
        // SAFETY: wide strings.
        unsafe {
            let first = wcstok(text.as_mut_ptr(), set.as_ptr(), &raw mut rest);
            assert_eq!(characters(first), &wide("a")[..1]);
            let second = wcstok(null_mut(), set.as_ptr(), &raw mut rest);
            assert_eq!(characters(second), &wide("bc")[..2]);
            assert!(wcstok(null_mut(), set.as_ptr(), &raw mut rest).is_null());
        }
    }
}
