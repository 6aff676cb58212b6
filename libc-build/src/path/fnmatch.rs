//! fnmatch(3): shell patterns. Only the last star is ever tried again, so the time is at most text times pattern.

use crate::string::scan::ByteSet;
use core::ffi::{CStr, c_char, c_int};

/// FNM_NOMATCH.
const NOMATCH: c_int = 1;
/// FNM_NOESCAPE: a backslash is a backslash.
pub(crate) const NOESCAPE: c_int = 0x01;
/// FNM_PATHNAME: slashes are matched by slashes only.
const PATHNAME: c_int = 0x02;
/// FNM_PERIOD: a leading period is matched by a period only.
pub(crate) const PERIOD: c_int = 0x04;
/// FNM_CASEFOLD.
const CASEFOLD: c_int = 0x08;
/// FNM_LEADING_DIR: a slash and more may follow the match.
const LEADING_DIR: c_int = 0x10;

/// What one element of a pattern matches.
enum Element {
    Byte(u8),
    Any,
    Star,
    Set(ByteSet),
}

/// The element at `at` and the place of the next; None at the end.
fn element(pattern: &[u8], at: usize, flags: c_int) -> Option<(Element, usize)> {
    let byte = *pattern.get(at)?;
    Some(match byte {
        b'?' => (Element::Any, at + 1),
        b'*' => (Element::Star, at + 1),
        b'[' => match set(pattern, at + 1, flags) {
            Some((set, next)) => (Element::Set(set), next),
            // Without its end, a bracket is a bracket.
            None => (Element::Byte(b'['), at + 1),
        },
        b'\\' if flags & NOESCAPE == 0 => match pattern.get(at + 1) {
            Some(&escaped) => (Element::Byte(escaped), at + 2),
            None => (Element::Byte(b'\\'), at + 1),
        },
        other => (Element::Byte(other), at + 1),
    })
}

/// A bracket expression from behind its bracket.
fn set(pattern: &[u8], mut at: usize, flags: c_int) -> Option<(ByteSet, usize)> {
    let mut set = ByteSet::empty();
    let negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let mut first = true;
    loop {
        let mut low = *pattern.get(at)?;
        at += 1;
        if low == b']' && !first {
            break;
        }
        first = false;
        if low == b'[' && pattern.get(at) == Some(&b':') {
            let rest = pattern.get(at + 1..)?;
            let end = rest.windows(2).position(|pair| pair == b":]")?;
            crate::regex::compile::add_class(&mut set, rest.get(..end)?).ok()?;
            at += end + 3;
            continue;
        }
        if low == b'\\' && flags & NOESCAPE == 0 {
            low = *pattern.get(at)?;
            at += 1;
        }
        let mut high = low;
        if pattern.get(at) == Some(&b'-') && pattern.get(at + 1).is_some_and(|&next| next != b']') {
            high = *pattern.get(at + 1)?;
            at += 2;
            if high == b'\\' && flags & NOESCAPE == 0 {
                high = *pattern.get(at)?;
                at += 1;
            }
        }
        (low..=high).for_each(|byte| set.insert(byte));
    }
    if flags & CASEFOLD != 0 {
        for letter in b'a'..=b'z' {
            let upper = letter.to_ascii_uppercase();
            if set.contains(letter) || set.contains(upper) {
                set.insert(letter);
                set.insert(upper);
            }
        }
    }
    if negated {
        set.invert();
    }
    Some((set, at))
}

/// Whether `text` fits `pattern`.
pub(crate) fn matches(pattern: &[u8], text: &[u8], flags: c_int) -> bool {
    let by_path = flags & PATHNAME != 0;
    // A period that wildcards may not match.
    let hidden = |at: usize| {
        flags & PERIOD != 0
            && text.get(at) == Some(&b'.')
            && (at == 0 || by_path && at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'/'))
    };
    let fold = |byte: u8| if flags & CASEFOLD != 0 { byte.to_ascii_lowercase() } else { byte };
    let (mut at, mut from) = (0, 0);
    // Where to go on when a later element does not fit: behind the last star, with the text it took.
    let mut again: Option<(usize, usize)> = None;
    loop {
        let step = match element(pattern, from, flags) {
            None if at == text.len() || flags & LEADING_DIR != 0 && text.get(at) == Some(&b'/') => {
                return true;
            }
            None => None,
            Some((Element::Star, next)) => {
                if hidden(at) {
                    None
                } else {
                    again = Some((next, at));
                    from = next;
                    continue;
                }
            }
            Some((element, next)) => text.get(at).and_then(|&byte| {
                let wild = !(hidden(at) || by_path && byte == b'/');
                let fits = match element {
                    Element::Byte(wanted) => fold(wanted) == fold(byte),
                    Element::Any => wild,
                    Element::Set(set) => wild && set.contains(byte),
                    Element::Star => false,
                };
                fits.then_some(next)
            }),
        };
        if let Some(next) = step {
            from = next;
            at += 1;
            continue;
        }
        // The last star takes one byte more.
        let Some((next, taken)) = again else { return false };
        match text.get(taken) {
            Some(&byte) if !(by_path && byte == b'/') => {
                again = Some((next, taken + 1));
                (from, at) = (next, taken + 1);
            }
            _ => return false,
        }
    }
}

/// 0 if `text` fits `pattern`, else FNM_NOMATCH.
///
/// # Safety
/// Both are C strings.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn fnmatch(pattern: *const c_char, text: *const c_char, flags: c_int) -> c_int {
    // SAFETY: as this function's own.
    let (pattern, text) = unsafe { (CStr::from_ptr(pattern).to_bytes(), CStr::from_ptr(text).to_bytes()) };
    if matches(pattern, text, flags) { 0 } else { NOMATCH }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::Random;

    mod host {
        use core::ffi::{c_char, c_int};
        unsafe extern "C" {
            pub fn fnmatch(pattern: *const c_char, text: *const c_char, flags: c_int) -> c_int;
        }
    }

    #[test]
    fn random_patterns_agree_with_the_host() {
        let mut random = Random::new(14);
        for _ in 0..30_000 {
            let mut word = |letters: &[u8], most: u64| {
                let mut word: Vec<u8> = (0..random.next() % most)
                    .map(|_| letters[random.next() as usize % letters.len()])
                    .collect();
                word.push(0);
                word
            };
            let (pattern, text) = (word(b"ab*?./*", 7), word(b"ab./a", 8));
            // Our flags and those of the host: NOESCAPE and PATHNAME are exchanged there.
            for (ours, theirs) in [(0, 0), (PATHNAME, 1), (PERIOD, 4), (PATHNAME | PERIOD, 5)] {
                // SAFETY: C strings.
                let (ours, theirs) = unsafe {
                    (
                        fnmatch(pattern.as_ptr().cast(), text.as_ptr().cast(), ours),
                        host::fnmatch(pattern.as_ptr().cast(), text.as_ptr().cast(), theirs),
                    )
                };
                assert_eq!(
                    ours == 0,
                    theirs == 0,
                    "{:?} {:?}",
                    String::from_utf8_lossy(&pattern),
                    String::from_utf8_lossy(&text)
                );
            }
        }
    }

    #[test]
    fn brackets_escapes_and_extensions() {
        for (pattern, text, flags, fits) in [
            ("[a-c]x", "bx", 0, true),
            ("[!a-c]x", "bx", 0, false),
            ("[[:digit:]]", "7", 0, true),
            ("[]]", "]", 0, true),
            ("[a", "[a", 0, true),
            ("\\*", "*", 0, true),
            ("\\*", "\\x", NOESCAPE, true),
            ("ABC", "abc", CASEFOLD, true),
            ("a", "a/b", LEADING_DIR, true),
            ("*", "a/b", PATHNAME, false),
            ("[/]", "/", PATHNAME, false),
            ("[A-C]", "b", CASEFOLD, true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), flags), fits, "{pattern} {text}");
        }
    }
}
