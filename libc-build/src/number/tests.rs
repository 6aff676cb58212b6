//! The conversions against the host's libc, which rounds correctly too.

use super::binary::{Class, split_double};
use super::digits::{Cut, DIGITS_DOUBLE, DIGITS_LONG_DOUBLE, WORK_DOUBLE, WORK_LONG_DOUBLE, decimal};
use super::parse;
use crate::va::LongDouble;
use proptest::prelude::*;

/// `%.*e` of the host, as digits without trailing zeros and the position of the point.
fn host_digits(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0').to_owned();
    let point = if digits.is_empty() { 0 } else { exponent.parse::<i32>().unwrap() + 1 };
    (digits, point)
}

fn host_format(format: &std::ffi::CStr, precision: i32, x: f64) -> String {
    let mut buffer = vec![0u8; 12_000];
    // SAFETY: the buffer has the size given, the format takes an int and a double.
    let len =
        unsafe { libc::snprintf(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), precision, x) };
    buffer.truncate(len as usize);
    String::from_utf8(buffer).unwrap()
}

fn our_digits(m: u64, e: i32, cut: Cut) -> (String, i32) {
    let mut work = [0; WORK_LONG_DOUBLE];
    let mut out = vec![0; DIGITS_LONG_DOUBLE];
    let it = decimal(m, e, cut, &mut work, &mut out);
    (String::from_utf8(out[..it.len].to_vec()).unwrap(), it.point)
}

proptest! {
    #[test]
    fn digits_of_doubles(bits: u64, precision in 0usize..60) {
        let x = f64::from_bits(bits & !(1 << 63));
        prop_assume!(x.is_finite());
        let (m, e) = split_double(x);
        let mut work = [0; WORK_DOUBLE];
        let mut out = [0; DIGITS_DOUBLE];
        let it = decimal(m, e, Cut::Significant(precision + 1), &mut work, &mut out);
        let ours = (String::from_utf8(out[..it.len].to_vec()).unwrap(), it.point);
        prop_assert_eq!(ours, host_digits(&host_format(c"%.*e", precision as i32, x)));
    }

    #[test]
    fn fractions_of_doubles(mantissa: i64, scale in -40i32..10, precision in 0usize..30) {
        let x = (mantissa as f64 * 2f64.powi(scale)).abs();
        let (m, e) = split_double(x);
        let (digits, point) = our_digits(m, e, Cut::Fraction(precision));
        let host = host_format(c"%.*f", precision as i32, x);
        let places = (point + precision as i32).max(0);
        let text: String = (0..places).map(|at| digits.chars().nth(at as usize).unwrap_or('0')).collect();
        let host: String = host.chars().filter(char::is_ascii_digit).collect();
        prop_assert_eq!(text.trim_matches('0'), host.trim_matches('0'));
    }

    #[test]
    fn decimal_texts_to_long_double(digits in "[0-9]{1,40}", fraction in "(\\.[0-9]{0,40})?", exponent in -5000i32..5000) {
        long_double_as_host(&format!("{digits}{fraction}e{exponent}"))?;
    }

    #[test]
    fn short_texts_to_long_double(digits in "[0-9]{1,20}", fraction in "(\\.[0-9]{0,20})?", exponent in -40i32..40) {
        long_double_as_host(&format!("-{digits}{fraction}e{exponent}"))?;
    }

    #[test]
    fn hexadecimal_texts(digits in "[0-9a-f]{1,20}", fraction in "(\\.[0-9A-F]{0,20})?", exponent in -1200i32..1200) {
        let text = format!("0x{digits}{fraction}p{exponent}");
        long_double_as_host(&text)?;
        double_as_host(&text)?;
    }

    #[test]
    fn decimal_texts_to_double(digits in "[0-9]{1,40}", fraction in "(\\.[0-9]{0,400})?", exponent in -340i32..310) {
        double_as_host(&format!("{digits}{fraction}e{exponent}"))?;
    }

    #[test]
    fn odd_texts(text in "[ \\t]{0,2}[+-]?(0x|inf|nan|infinit|nan\\(ab|nan\\(1_\\)|)[0-9a-fx.]{0,6}([ep][+-]?[0-9]{0,2})?[a-z()]{0,2}") {
        double_as_host(&text)?;
        long_double_as_host(&text)?;
    }

    #[test]
    fn long_doubles_there_and_back(mantissa: u64, exponent in 0u16..0x7fff) {
        let x = LongDouble { mantissa: if exponent == 0 { mantissa >> 1 } else { mantissa | 1 << 63 }, sign_exponent: exponent };
        let Class::Finite(m, e) = x.class() else { unreachable!() };
        let (digits, point) = our_digits(m, e, Cut::Significant(21));
        let text = format!(".{digits}e{point}");
        let found = parse::scan(&text.as_bytes());
        prop_assert_eq!(parse::long_double(&text.as_bytes(), found).value, x);
    }
}

/// The exact halves between neighbours, of thousands of digits.
#[test]
fn exact_halves_round_to_even() {
    for (mantissa, exponent) in [
        (1u64, 0u16),
        (0x7fff_ffff_ffff_fffe, 0),
        (1 << 63 | 1, 1),
        (u64::MAX - 1, 0x7ffe),
        (u64::MAX - 2, 200),
    ] {
        let x = LongDouble { mantissa, sign_exponent: exponent };
        let Class::Finite(m, e) = x.class() else { unreachable!() };
        // 2m + 1 halves: exact in 65 bits where m has at most 63.
        if m >> 63 == 0 {
            let (digits, point) = our_digits(2 * m + 1, e - 1, Cut::Significant(50_000));
            for (tail, up) in [("", m & 1), ("1", 1), ("000000000000000000000000000001", 1)] {
                let text = format!(".{digits}{tail}e{point}");
                let found = parse::scan(&text.as_bytes());
                assert_eq!(parse::long_double(&text.as_bytes(), found).value.mantissa, m + up);
            }
        }
    }
}

fn double_as_host(text: &str) -> Result<(), TestCaseError> {
    let c = std::ffi::CString::new(text).unwrap();
    let mut end = std::ptr::null_mut();
    // SAFETY: a C string, and errno of this thread.
    let (value, errno) = unsafe {
        *libc::__errno_location() = 0;
        (libc::strtod(c.as_ptr(), &raw mut end), *libc::__errno_location())
    };
    let found = parse::scan(&text.as_bytes());
    let ours = parse::double(&text.as_bytes(), found);
    prop_assert_eq!(found.end, end.addr() - c.as_ptr().addr(), "{}", text);
    if value.is_nan() {
        prop_assert!(ours.value.is_nan());
    } else {
        prop_assert_eq!(ours.value.to_bits(), value.to_bits(), "{}", text);
    }
    prop_assert_eq!(ours.out_of_range, errno == libc::ERANGE, "{}", text);
    Ok(())
}

// The host's strtold returns in st(0), which no Rust signature can say: the shim stores it.
#[unsafe(naked)]
unsafe extern "C" fn host_strtold(
    _text: *const libc::c_char,
    _end: *mut *mut libc::c_char,
    _value: *mut LongDouble,
) {
    core::arch::naked_asm!(
        "push rdx",
        "call [rip + {strtold}@GOTPCREL]",
        "pop rdx",
        "fstp tbyte ptr [rdx]",
        "ret",
        strtold = sym strtold,
    )
}

unsafe extern "C" {
    fn strtold();
}

fn long_double_as_host(text: &str) -> Result<(), TestCaseError> {
    let c = std::ffi::CString::new(text).unwrap();
    let mut end = std::ptr::null_mut();
    let mut value = LongDouble::default();
    // SAFETY: a C string, a place for the value, and errno of this thread.
    let errno = unsafe {
        *libc::__errno_location() = 0;
        host_strtold(c.as_ptr(), &raw mut end, &raw mut value);
        *libc::__errno_location()
    };
    let found = parse::scan(&text.as_bytes());
    let ours = parse::long_double(&text.as_bytes(), found);
    prop_assert_eq!(found.end, end.addr() - c.as_ptr().addr(), "{}", text);
    if value.class() == Class::Nan {
        prop_assert_eq!(ours.value.class(), Class::Nan);
    } else {
        prop_assert_eq!(ours.value, value, "{}", text);
    }
    prop_assert_eq!(ours.out_of_range, errno == libc::ERANGE, "{}", text);
    Ok(())
}
