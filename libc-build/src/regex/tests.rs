//! Regular expressions against the host's, and cases whose answers POSIX gives.

use super::*;
use crate::string::testing::Random;
use std::ffi::CString;

mod host {
    use core::ffi::{c_char, c_int, c_void};
    unsafe extern "C" {
        pub fn regcomp(regex: *mut c_void, pattern: *const c_char, flags: c_int) -> c_int;
        pub fn regexec(
            regex: *const c_void,
            text: *const c_char,
            count: usize,
            matches: *mut [i32; 2],
            flags: c_int,
        ) -> c_int;
        pub fn regfree(regex: *mut c_void);
    }
}

/// The matches of ours, or the error.
fn ours(pattern: &str, text: &str, flags: c_int) -> Result<Option<Vec<(i64, i64)>>, c_int> {
    let (pattern, text) = (CString::new(pattern).expect("no zero"), CString::new(text).expect("no zero"));
    let mut regex = Regex { magic: 0, nsub: 0, end: core::ptr::null(), guts: core::ptr::null_mut() };
    // SAFETY: C strings and writable results.
    unsafe {
        let error = regcomp(&raw mut regex, pattern.as_ptr(), flags);
        if error != 0 {
            return Err(error);
        }
        let mut found = [Match::NONE; 10];
        let result = regexec(&raw const regex, text.as_ptr(), 10, found.as_mut_ptr(), 0);
        let groups = regex.nsub + 1;
        regfree(&raw mut regex);
        Ok((result == 0)
            .then(|| found[..groups.min(10)].iter().map(|found| (found.start, found.end)).collect()))
    }
}

/// The same from the host, whose flags have other numbers.
fn theirs(pattern: &str, text: &str, extended: bool) -> Option<Option<(i64, i64)>> {
    let (pattern, text) = (CString::new(pattern).expect("no zero"), CString::new(text).expect("no zero"));
    let mut regex = [0_u64; 64];
    // SAFETY: C strings; the host's regex_t is smaller than this.
    unsafe {
        if host::regcomp(regex.as_mut_ptr().cast(), pattern.as_ptr(), c_int::from(extended)) != 0 {
            return None;
        }
        let mut found = [[0_i32; 2]; 1];
        let result = host::regexec(regex.as_ptr().cast(), text.as_ptr(), 1, found.as_mut_ptr(), 0);
        host::regfree(regex.as_mut_ptr().cast());
        Some((result == 0).then(|| (found[0][0].into(), found[0][1].into())))
    }
}

#[test]
fn random_extended_patterns_match_where_the_host_says() {
    let mut random = Random::new(13);
    let pieces = [
        "a",
        "b",
        "ab",
        ".",
        "[ab]",
        "[^a]",
        "(a)",
        "(a|b)",
        "(ab|b)*",
        "a*",
        "b+",
        "a?",
        "(a|ab)(c|bcd)",
        "a{2}",
        "b{1,2}",
        "(ba){0,2}",
        "c",
        "^a",
        "b$",
        "x|y",
    ];
    for _ in 0..4000 {
        let pattern: String =
            (0..1 + random.next() % 4).map(|_| pieces[random.next() as usize % pieces.len()]).collect();
        let text: String =
            (0..random.next() % 10).map(|_| char::from(b"abcdx"[random.next() as usize % 5])).collect();
        let Some(theirs) = theirs(&pattern, &text, true) else { continue };
        let ours = ours(&pattern, &text, 1).map(|found| found.map(|groups| groups[0]));
        assert_eq!(ours, Ok(theirs), "{pattern} in {text}");
    }
}

#[test]
fn groups_and_flags() {
    let found = |pattern, text, flags| ours(pattern, text, flags).map(|found| found.unwrap_or_default());
    assert_eq!(found("(a+)(b*)", "xaab", 1), Ok(vec![(1, 4), (1, 3), (3, 4)]));
    assert_eq!(found("(x)?(y)", "y", 1), Ok(vec![(0, 1), (-1, -1), (0, 1)]));
    assert_eq!(found("\\(a*\\)b\\{2\\}", "aabb", 0), Ok(vec![(0, 4), (0, 2)]));
    assert_eq!(found("*a", "x*a", 0), Ok(vec![(1, 3)]));
    assert_eq!(found("hello", "say HeLLo", 3), Ok(vec![(4, 9)]));
    assert_eq!(found("^b.$", "a\nbc\nd", 0o11), Ok(vec![(2, 4)]));
    assert_eq!(found("a.b", "a\nb", 0o11), Ok(vec![]));
    assert_eq!(found("[[:digit:]]+[[:space:]]", "ab12 ", 1), Ok(vec![(2, 5)]));
    assert_eq!(found("[]a-]+", "x]-a", 1), Ok(vec![(1, 4)]));
    assert_eq!(found("\\<foo\\>", "xfoo foo", 1), Ok(vec![(5, 8)]));
    assert_eq!(found("a+b", "a+b", 0o20), Ok(vec![(0, 3)]));
    assert_eq!(found("\\(..\\)\\1", "xabcbcd", 0), Ok(vec![(2, 6), (2, 4)]));
    for (pattern, flags, error) in [
        ("(a", 1, 8),
        ("a)", 1, 8),
        ("[a", 1, 7),
        ("a{2,1}", 1, 10),
        ("*a", 1, 13),
        ("\\", 0, 5),
        ("[[:no:]]", 0, 4),
        ("\\(a\\)\\2", 0, 6),
        ("[b-a]", 0, 11),
        ("a||b", 1, 14),
        ("a{1", 1, 9),
    ] {
        assert_eq!(ours(pattern, "", flags), Err(error), "{pattern}");
    }
}

#[test]
fn no_pattern_takes_exponential_time() {
    let text = "a".repeat(2000);
    assert_eq!(ours("(a*)*(a|aa)*(a*)*b", &text, 1), Ok(None));
    assert_eq!(
        ours(&"a?".repeat(200), &text, 1).map(|found| found.map(|groups| groups[0])),
        Ok(Some((0, 200)))
    );
}

#[test]
fn messages_and_substitution() {
    let mut text = [0; 64];
    // SAFETY: sizes are those of the buffers; matches lie in the text.
    unsafe {
        assert_eq!(message::regerror(8, core::ptr::null(), text.as_mut_ptr(), 64), 25);
        assert_eq!(CStr::from_ptr(text.as_ptr()), c"parentheses not balanced");
        let mut matches = [Match::NONE; 10];
        (matches[0], matches[1]) = (Match { start: 0, end: 3 }, Match { start: 1, end: 2 });
        assert_eq!(
            substitute::regnsub(
                text.as_mut_ptr(),
                64,
                c"<&>\\1\\&".as_ptr(),
                matches.as_ptr(),
                c"abc".as_ptr()
            ),
            7
        );
        assert_eq!(CStr::from_ptr(text.as_ptr()), c"<abc>b&");
    }
}
