//! Choosing a locale by its name: setlocale(3).

use super::category::{ALL, CTYPE, Known, LAST, Locale, OTHER_LEN, global};
use crate::errno::{self, ENOENT};
use crate::lock::Lock;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What MB_CUR_MAX expands to.
#[cfg_attr(test, expect(non_upper_case_globals, reason = "the ABI's name"))]
#[cfg_attr(not(test), unsafe(no_mangle))]
pub static __mb_cur_max: AtomicUsize = AtomicUsize::new(1);

/// The environment's variable for each category.
const VARIABLES: [&CStr; LAST] =
    [c"LC_ALL", c"LC_COLLATE", c"LC_CTYPE", c"LC_MONETARY", c"LC_NUMERIC", c"LC_TIME", c"LC_MESSAGES"];

/// The locale that a name means for a category.
pub(crate) fn lookup(category: usize, name: &[u8]) -> Option<Known> {
    match name {
        b"C" => return Some(Known::C),
        b"POSIX" => return Some(Known::Posix),
        _ => {}
    }
    let dot = name.iter().position(|&byte| byte == b'.')?;
    let (language, codeset) = (&name[..dot], &name[dot + 1..]);
    if !codeset.eq_ignore_ascii_case(b"UTF-8") && !codeset.eq_ignore_ascii_case(b"UTF8") {
        return None;
    }
    match language {
        b"C" | b"POSIX" => Some(Known::CUtf8),
        b"en_US" => Some(Known::EnUs),
        _ if category == CTYPE && name.len() < OTHER_LEN && is_language(language) => Some(Known::Other),
        _ => None,
    }
}

/// Whether it looks like a language and a country, as in `de_DE`.
fn is_language(name: &[u8]) -> bool {
    let (language, rest) = name.split_at(name.iter().position(|&byte| byte == b'_').unwrap_or(name.len()));
    matches!(language.len(), 2 | 3)
        && language.iter().all(u8::is_ascii_lowercase)
        && (rest.is_empty() || rest.len() == 3 && rest[1..].iter().all(u8::is_ascii_uppercase))
}

/// The value of an environment variable, if it is not empty.
fn variable(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: a string.
    let value = unsafe { crate::env::getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: the environment's strings end in a zero; who changes them meanwhile answers for it (getenv(3)).
    Some(unsafe { CStr::from_ptr(value) }.to_bytes()).filter(|value| !value.is_empty())
}

/// The name that the environment wants for a category.
fn wanted(category: usize) -> &'static [u8] {
    variable(VARIABLES[ALL])
        .or_else(|| variable(VARIABLES[category]))
        .or_else(|| variable(c"LANG"))
        .unwrap_or(b"C")
}

/// The name for one category in what a caller gave: empty for the environment's, or a list with a name per category, or one name.
fn part(category: usize, name: &[u8]) -> Option<&[u8]> {
    if name.is_empty() {
        Some(wanted(category))
    } else if name.contains(&b'/') {
        name.split(|&byte| byte == b'/').nth(category - 1)
    } else {
        Some(name)
    }
}

/// Sets the categories in a mask to what `name` means for them; none if one of them does not exist.
pub(crate) fn set(locale: &Locale, mask: u32, name: &[u8]) -> bool {
    let mut values = [None; LAST];
    for (category, value) in values.iter_mut().enumerate().skip(1) {
        if mask & 1 << category != 0 {
            let Some(part) = part(category, name) else { return false };
            match lookup(category, part) {
                None => return false,
                Some(known) => *value = Some((known, part)),
            }
        }
    }
    for (category, value) in values.into_iter().enumerate() {
        if let Some((known, part)) = value {
            if known == Known::Other {
                locale.set_other(part);
            }
            locale.set(category, known);
        }
    }
    true
}

/// The list of the categories' names.
struct List([u8; LAST * OTHER_LEN]);

static LIST: Lock<List> = Lock::new(List([0; LAST * OTHER_LEN]));

/// The name of the whole locale: one if all categories have the same, otherwise a list of them.
fn whole_name(locale: &Locale) -> *mut c_char {
    let first = locale.value(1);
    if first != Known::Other && (2..LAST).all(|category| locale.value(category) == first) {
        return locale.name(1).cast_mut().cast();
    }
    let mut list = LIST.lock();
    let mut at = 0;
    for category in 1..LAST {
        // SAFETY: a locale's names end in a zero.
        let name = unsafe { CStr::from_ptr(locale.name(category).cast()) }.to_bytes();
        for &byte in name.iter().chain(if category == LAST - 1 { b"\0" } else { b"/" }) {
            if let Some(slot) = list.0.get_mut(at) {
                *slot = byte;
                at += 1;
            }
        }
    }
    list.0.as_mut_ptr().cast()
}

/// setlocale(3).
///
/// # Safety
/// `name` is null or a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __setlocale50(category: c_int, name: *const c_char) -> *mut c_char {
    let Some(category) = usize::try_from(category).ok().filter(|&category| category < LAST) else {
        return null_mut();
    };
    let locale = global();
    if !name.is_null() {
        // SAFETY: as this function's own.
        let name = unsafe { CStr::from_ptr(name) }.to_bytes();
        let mask = if category == ALL { !0 } else { 1 << category };
        if !set(locale, mask, name) {
            errno::set(ENOENT);
            return null_mut();
        }
        __mb_cur_max.store(locale.encoding().max_len(), Relaxed);
    }
    if category == ALL { whole_name(locale) } else { locale.name(category).cast_mut().cast() }
}

#[cfg(test)]
mod tests {
    use super::super::category::{Locale, NUMERIC};
    use super::*;
    use crate::wchar::encoding::Encoding;

    /// The whole name.
    fn name(locale: &Locale) -> String {
        // SAFETY: a string.
        unsafe { CStr::from_ptr(whole_name(locale)) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn names() {
        let locale = Locale::new();
        assert!(set(&locale, 1 << CTYPE, b"de_DE.UTF-8"));
        assert_eq!(locale.encoding(), Encoding::Utf8);
        assert_eq!(name(&locale), "C/de_DE.UTF-8/C/C/C/C");
        assert!(!set(&locale, 1 << NUMERIC, b"de_DE.UTF-8"));
        assert!(!set(&locale, !0, b"xx"));
        assert!(!set(&locale, !0, b"C/C/C"));
        assert!(!set(&locale, 1 << CTYPE, b"de_DE.ISO8859-1"));
        assert!(set(&locale, !0, b"en_US.utf8"));
        assert_eq!(name(&locale), "en_US.UTF-8");
        assert_eq!(locale.thousands_separator(), Some(b','));
        assert!(set(&locale, !0, b"C/C.UTF-8/C/C/POSIX/C"));
        assert_eq!(name(&locale), "C/C.UTF-8/C/C/POSIX/C");
    }
}
