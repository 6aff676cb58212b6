//! The engine against the host's sscanf.

use crate::va::LongDouble;
use proptest::prelude::*;
use std::ffi::{CStr, CString};

type Sscanf = unsafe extern "C" fn(*const libc::c_char, *const libc::c_char, ...) -> libc::c_int;

fn ours() -> Sscanf {
    // SAFETY: the function is variadic by construction.
    unsafe { core::mem::transmute(super::narrow::sscanf as *const ()) }
}

/// The result of a call, and what four places of 64 bytes hold then.
fn call(function: Sscanf, text: &CStr, format: &CStr) -> (i32, [[u64; 8]; 4]) {
    let mut places = [[0u64; 8]; 4];
    let [a, b, c, d] = &mut places;
    // SAFETY: no test stores more than 64 bytes per item, nor more than four items.
    let result = unsafe {
        function(
            text.as_ptr(),
            format.as_ptr(),
            a.as_mut_ptr(),
            b.as_mut_ptr(),
            c.as_mut_ptr(),
            d.as_mut_ptr(),
        )
    };
    (result, places)
}

fn same(text: &str, format: &str) -> Result<(), TestCaseError> {
    let (text, format) = (CString::new(text).unwrap(), CString::new(format).unwrap());
    prop_assert_eq!(
        call(ours(), &text, &format),
        call(libc::sscanf, &text, &format),
        "{:?} {:?}",
        text,
        format
    );
    Ok(())
}

#[test]
fn examples() {
    let run = || -> Result<(), TestCaseError> {
        same("12 34", "%d %d")?;
        same("12abc", "%d%s")?;
        same("  x", "%c%c")?;
        same("abc", "%2c%c")?;
        same("key = value", "%[^= ] = %s")?;
        same("key=value", "%*[^=]=%s")?;
        same("a-z]", "%[]a-z-]")?;
        same("1.5e3xyz", "%lf%s")?;
        same("0x1f 077 42", "%i %i %i")?;
        same("ff 0xff -1", "%x %x %x")?;
        same("12345", "%2d%3d")?;
        same("3.25", "%f")?;
        same("3.25", "%Lf")?;
        same("inf nan", "%f %f")?;
        same("infinity!", "%lf%s")?;
        same("100%", "%d%%%n")?;
        same("100 %", "%d%%%n")?;
        same("", "%d")?;
        same("  ", "%d")?;
        same("x", "%d")?;
        same("5", "%d %d")?;
        same("5 x", "%d %d")?;
        same("99999999999999999999 -99999999999999999999", "%ld %ld")?;
        same("300 70000", "%hhd %hd")?;
        same("0x7fff12345678", "%p")?;
        same("word", "%ls")?;
        same("2024-02-29", "%4d-%2d-%2d")?;
        same("10:20", "%d:%d%n")?;
        same("- 5", "%d")?;
        same("+5", "%u")?;
        Ok(())
    };
    run().unwrap();
}

/// What the BSDs do with a prefix that no digit follows, and an exponent without digits: what is not part of the number stays.
#[test]
fn what_is_no_number_stays() {
    let rest = |text: &CStr, format: &CStr| {
        let (result, places) = call(ours(), text, format);
        let bytes: Vec<u8> =
            places[1].iter().flat_map(|word| word.to_ne_bytes()).take_while(|&byte| byte != 0).collect();
        (result, String::from_utf8(bytes).unwrap())
    };
    assert_eq!(rest(c"0xg", c"%x%s"), (2, "xg".into()));
    assert_eq!(rest(c"1e+", c"%lf%s"), (2, "e+".into()));
    assert_eq!(rest(c"infinit", c"%lf%s"), (2, "init".into()));
    assert_eq!(rest(c"0x.p1", c"%lf%s"), (2, "x.p1".into()));
    assert_eq!(rest(c"nan(", c"%lf%s"), (2, "(".into()));
}

#[test]
fn long_double_keeps_the_padding() {
    let mut place = [LongDouble { mantissa: 0, sign_exponent: 0 }; 1];
    // SAFETY: one long double is stored.
    assert_eq!(unsafe { ours()(c"0.1".as_ptr(), c"%Lf".as_ptr(), place.as_mut_ptr()) }, 1);
    assert_eq!(place[0], LongDouble { mantissa: 0xcccc_cccc_cccc_cccd, sign_exponent: 0x3ffb });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn integers(text in "[ \t]{0,2}[-+]?(0|[0-9]{1,21})[ a-]?[0-9]{0,3}", conversion in "[diuo]", length in "(hh|h|l|ll|j|)", width in "([1-9]|1[0-9]|)") {
        same(&text, &format!("%{width}{length}{conversion}%n"))?;
    }

    #[test]
    fn doubles(text in "[-+]?[0-9]{1,8}(\\.[0-9]{0,8})?(e[-+]?[0-9]{1,3})?[ y,]{0,2}") {
        same(&text, "%lf%s")?;
    }

    #[test]
    fn strings(text in "[a-d ]{0,12}", set in "(\\^)?[a-c]{1,3}", width in "[1-9]?") {
        same(&text, &format!("%{width}[{set}]%s"))?;
    }

    #[test]
    fn structures(text in "[0-9a-c,: ]{0,16}", format in "(%d|%s|%x|,|:| |%c|%n){1,4}") {
        same(&text, &format)?;
    }
}
