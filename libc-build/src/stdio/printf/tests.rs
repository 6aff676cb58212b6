//! The engine against the host's printf: random formats, random values.

use crate::va::{LongDouble, VaList};
use proptest::prelude::*;
use std::ffi::{CStr, CString};

/// A function with C's variable arguments.
type Snprintf = unsafe extern "C" fn(*mut libc::c_char, usize, *const libc::c_char, ...) -> libc::c_int;

fn ours() -> Snprintf {
    // SAFETY: the function is variadic by construction.
    unsafe { core::mem::transmute(super::string::snprintf as *const ()) }
}

/// What a call wrote, and its result.
macro_rules! call {
    ($function:expr, $format:expr $(, $argument:expr)*) => {{
        let mut buffer = vec![0u8; 20_000];
        // SAFETY: the buffer has its size, and the test passes what its format asks for.
        let result = unsafe { $function(buffer.as_mut_ptr().cast(), buffer.len(), $format.as_ptr() $(, $argument)*) };
        let text = CStr::from_bytes_until_nul(&buffer).unwrap().to_bytes().to_vec();
        (String::from_utf8_lossy(&text).into_owned(), result)
    }};
}

macro_rules! same {
    ($format:expr $(, $argument:expr)*) => {{
        let format: &CStr = $format;
        let (mine, host) = (call!(ours(), format $(, $argument)*), call!(libc::snprintf, format $(, $argument)*));
        prop_assert_eq!(mine, host, "{:?}", format);
    }};
}

#[test]
fn examples() {
    let run = || -> Result<(), TestCaseError> {
        same!(c"plain");
        same!(c"");
        same!(c"%d %s%%|%5c|%-5c|", 42i32, c"text".as_ptr(), i32::from(b'x'), i32::from(b'y'));
        same!(c"%*d|%-*d|%.*d|%*d", 7i32, 5i32, 7i32, 5i32, 4i32, 5i32, -8i32, 3i32);
        same!(
            c"%.*s|%.3s|%10.2s|%-10s|",
            -1i32,
            c"negative".as_ptr(),
            c"abcdef".as_ptr(),
            c"xyz".as_ptr(),
            c"l".as_ptr()
        );
        same!(c"%2$s %1$d %2$s", 5i32, c"two".as_ptr());
        same!(c"a%3$*1$.*2$f|%1$d", 12i32, 3i32, 2.5f64);
        same!(
            c"%hhd %hd %ld %lld %zu %jd %td",
            300i32,
            70_000i32,
            i64::MIN,
            i64::MAX,
            usize::MAX,
            -1i64,
            5i64
        );
        same!(c"%p %#x %#o %#X %#x", 0x1234usize, 255i32, 8i32, 255i32, 0i32);
        same!(c"%.0d|%.0x|%#.0o|%+.0d", 0i32, 0i32, 0i32, 0i32);
        same!(
            c"%d %d %d %d %d %d %d %d %f %f %f %f %f %f %f %f %f %f",
            1i32,
            2i32,
            3i32,
            4i32,
            5i32,
            6i32,
            7i32,
            8i32,
            1f64,
            2f64,
            3f64,
            4f64,
            5f64,
            6f64,
            7f64,
            8f64,
            9f64,
            10f64
        );
        same!(
            c"%e %E %g %G %f %F %a",
            f64::INFINITY,
            -f64::INFINITY,
            f64::INFINITY,
            f64::NAN,
            f64::NAN,
            f64::INFINITY,
            f64::INFINITY
        );
        same!(c"%.20g %.0e %#.0e %#.0f %#g %g %g", 0.1f64, 15f64, 15f64, 2.5f64, 1f64, 1e6f64, 1e-5f64);
        same!(c"%g %g %g %g", 123_456f64, 1_234_567f64, 0.0001f64, 0f64);
        same!(c"%a %a %.0a %.3a %A %a", 1f64, -0.5f64, 1.5f64, 3.999f64, 255.75f64, 0f64);
        same!(c"%020.3f|%-20.3f|%+20.3f|% 20.3f|%+020.3f", 1.5f64, 1.5f64, 1.5f64, 1.5f64, -1.5f64);
        same!(c"%010s|%05c", c"x".as_ptr(), 65i32);
        same!(c"%.500f", f64::MIN_POSITIVE);
        same!(c"%.1100e", f64::from_bits(1));
        same!(c"%ls|%lc|%.2ls", [0x61i32, 0x62, 0].as_ptr(), 0x63i32, [0x61i32, 0x62, 0x63, 0].as_ptr());
        Ok(())
    };
    run().unwrap();
    let (mut a, mut b) = (0i32, 0i64);
    assert_eq!(call!(ours(), c"ab%ncd%ln", &raw mut a, &raw mut b).1, 4);
    assert_eq!((a, b), (2, 4));
}

#[test]
fn truncation_and_null() {
    let mut buffer = [b'#'; 8];
    // SAFETY: the sizes are within the buffer.
    unsafe {
        assert_eq!(ours()(buffer.as_mut_ptr().cast(), 4, c"%d-%s".as_ptr(), 12i32, c"long".as_ptr()), 7);
        assert_eq!(&buffer[..5], b"12-\0#");
        assert_eq!(ours()(core::ptr::null_mut(), 0, c"%s".as_ptr(), core::ptr::null::<u8>()), 6);
        assert_eq!(ours()(buffer.as_mut_ptr().cast(), 1, c"%s".as_ptr(), c"x".as_ptr()), 1);
        assert_eq!(buffer[0], 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn integers(flags in "[-+ #0]{0,3}", width in "([0-9]|1[0-9]|)", precision in "(|\\.|\\.[0-9]|\\.2[0-9])",
                length in "(|hh|h|l|ll|j|z|t)", conversion in "[diuoxXc]", value: u64, small in 0u32..64) {
        prop_assume!(conversion != "c" || length != "l" );
        let format = CString::new(format!("<%{flags}{width}{precision}{length}{conversion}>")).unwrap();
        let value = if conversion == "c" { value % 126 + 1 } else { value >> small };
        let format = if conversion == "c" { CString::new(format!("<%{}{width}c>", flags.replace('0', ""))).unwrap() } else { format };
        same!(&format, value);
    }

    #[test]
    fn doubles(flags in "[-+ #0]{0,3}", width in "([0-9]|[1-4][0-9]|)", precision in "(|\\.|\\.[0-9]|\\.[1-3][0-9])",
               conversion in "[eEfFgG]", bits: u64, near in -30i32..30, choice in 0..3) {
        let format = CString::new(format!("<%{flags}{width}{precision}{conversion}>")).unwrap();
        let x = match choice {
            0 => f64::from_bits(bits),
            1 => (bits as i64 as f64) * 2f64.powi(near - 32),
            _ => (bits % 100_000) as f64 / 10f64.powi(near.rem_euclid(8)),
        };
        // The host writes the sign of a NaN.
        prop_assume!(!x.is_nan());
        same!(&format, x);
    }

    #[test]
    fn hexadecimal_doubles(flags in "[-+ #0]{0,3}", width in "([0-9]|[1-4][0-9]|)", precision in "(|\\.|\\.[0-9]|\\.1[0-9])",
               conversion in "[aA]", bits: u64) {
        let x = f64::from_bits(bits);
        // A subnormal number's first digit is 0 with the host, here it is 1.
        prop_assume!(x.is_normal());
        same!(&CString::new(format!("<%{flags}{width}{precision}{conversion}>")).unwrap(), x);
    }

    #[test]
    fn long_doubles(flags in "[-+ #0]{0,3}", width in "([0-9]|[1-4][0-9]|)", precision in "(|\\.|\\.[0-9]|\\.[1-9][0-9])",
               conversion in "[eEfFgG]", mantissa: u64, exponent: u16, near in 16_300u16..16_460, is_near: bool) {
        let exponent = if is_near { near | exponent & 0x8000 } else { exponent };
        prop_assume!(exponent & 0x7fff != 0x7fff);
        let mantissa = if exponent & 0x7fff == 0 { mantissa >> 1 } else { mantissa | 1 << 63 };
        let x = LongDouble { mantissa, sign_exponent: exponent };
        let format = CString::new(format!("<%{flags}{width}{precision}L{conversion}>")).unwrap();
        prop_assert_eq!(with_long_double(true, &format, x), with_long_double(false, &format, x), "{:?}", format);
    }
}

/// Formats a long double. Such an argument is passed on the stack at a multiple of 16, which no Rust signature can say: the argument list is
/// made by hand.
fn with_long_double(mine: bool, format: &CStr, x: LongDouble) -> (String, i32) {
    unsafe extern "C" {
        fn vsnprintf(
            buffer: *mut libc::c_char,
            size: usize,
            format: *const libc::c_char,
            list: *mut VaList,
        ) -> i32;
    }
    #[repr(C, align(16))]
    struct Stack(u64, u64);
    let mut stack = Stack(x.mantissa, x.sign_exponent.into());
    let mut list = VaList::on_stack((&raw mut stack).cast());
    if mine {
        call!(super::string::vsnprintf, format, &raw mut list)
    } else {
        call!(vsnprintf, format, &raw mut list)
    }
}
