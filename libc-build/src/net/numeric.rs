//! Addresses as text and back: inet_ntop(3), inet_pton(3) (RFC 4291, 2.2; RFC 5952 for what is written).

use super::buffer::{Text, put};
use crate::errno;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::net::{Ipv4Addr, Ipv6Addr};
use rump_abi::socket::{AF_INET, AF_INET6};

/// Room for any address as text, with an interface behind it.
pub(crate) type AddressText = Text<64>;

/// Appends an IPv4 address.
pub(crate) fn write_v4(address: [u8; 4], text: &mut AddressText) {
    for (index, byte) in address.into_iter().enumerate() {
        if index > 0 {
            text.push(b'.');
        }
        text.decimal(byte.into());
    }
}

/// Where the longest run of zero groups lies, if it has two at least: its start and its end.
fn longest_zeros(groups: [u16; 8]) -> Option<(usize, usize)> {
    let mut best = None;
    let (mut start, mut longest) = (0, 1);
    for (index, group) in groups.into_iter().enumerate() {
        if group != 0 {
            start = index + 1;
        } else if index + 1 - start > longest {
            longest = index + 1 - start;
            best = Some((start, index + 1));
        }
    }
    best
}

/// Appends an IPv6 address.
pub(crate) fn write_v6(address: [u8; 16], text: &mut AddressText) {
    let groups = Ipv6Addr::from(address).segments();
    let zeros = longest_zeros(groups);
    let [.., g5, _, _] = groups;
    // An IPv4 address in an IPv6 address is written as such.
    let dotted = matches!(zeros, Some((0, 6))) || (zeros == Some((0, 5)) && g5 == 0xffff);
    for (index, group) in groups.into_iter().enumerate() {
        if let Some((start, end)) = zeros
            && (start..end).contains(&index)
        {
            if index == start {
                text.push(b':');
            }
            if index == 7 {
                text.push(b':');
            }
            continue;
        }
        if index > 0 {
            text.push(b':');
        }
        if dotted && index == 6 {
            let [.., a, b, c, d] = address;
            write_v4([a, b, c, d], text);
            return;
        }
        text.hexadecimal(group.into());
    }
}

/// The IPv4 address that four decimal numbers with dots name.
pub(crate) fn parse_v4(text: &[u8]) -> Option<[u8; 4]> {
    Some(core::str::from_utf8(text).ok()?.parse::<Ipv4Addr>().ok()?.octets())
}

/// The IPv6 address that a text names, without an interface.
pub(crate) fn parse_v6(text: &[u8]) -> Option<[u8; 16]> {
    Some(core::str::from_utf8(text).ok()?.parse::<Ipv6Addr>().ok()?.octets())
}

/// Writes an address as text; null with ENOSPC where there is no room.
///
/// # Safety
/// `address` is an `in_addr` or `in6_addr` as `family` says; `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet_ntop(
    family: c_int,
    address: *const c_void,
    target: *mut c_char,
    size: c_uint,
) -> *const c_char {
    let mut text = AddressText::new();
    // SAFETY: as this function's own; arrays of bytes need no alignment.
    unsafe {
        match family {
            AF_INET => write_v4(*address.cast::<[u8; 4]>(), &mut text),
            AF_INET6 => write_v6(*address.cast::<[u8; 16]>(), &mut text),
            _ => {
                errno::set(errno::EAFNOSUPPORT);
                return core::ptr::null();
            }
        }
        if !put(text.as_bytes(), target, size as usize) {
            errno::set(errno::ENOSPC);
            return core::ptr::null();
        }
    }
    target
}

/// Reads an address: 1 where the text is one, 0 where it is not, -1 with EAFNOSUPPORT for another family.
///
/// # Safety
/// `text` is a C string, `address` has room for an `in_addr` or `in6_addr` as `family` says.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int {
    // SAFETY: as this function's own; arrays of bytes need no alignment.
    unsafe {
        let text = CStr::from_ptr(text).to_bytes();
        let found = match family {
            AF_INET => parse_v4(text).map(|found| address.cast::<[u8; 4]>().write(found)),
            AF_INET6 => parse_v6(text).map(|found| address.cast::<[u8; 16]>().write(found)),
            _ => return errno::fail(errno::EAFNOSUPPORT),
        };
        c_int::from(found.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ffi::CString;

    fn text_of(family: c_int, address: &[u8]) -> String {
        let mut buffer = [0_u8; 64];
        // SAFETY: an address of the family, and a buffer with its size.
        let text = unsafe { inet_ntop(family, address.as_ptr().cast(), buffer.as_mut_ptr().cast(), 64) };
        assert!(!text.is_null());
        CStr::from_bytes_until_nul(&buffer).expect("an end").to_str().expect("ASCII").to_owned()
    }

    fn hosts_text_of(address: &[u8; 16]) -> String {
        let mut buffer = [0_u8; 64];
        // SAFETY: an IPv6 address, and a buffer with its size.
        unsafe {
            unsafe extern "C" {
                fn inet_ntop(
                    family: c_int,
                    from: *const c_void,
                    to: *mut c_char,
                    size: c_uint,
                ) -> *const c_char;
            }
            inet_ntop(libc::AF_INET6, address.as_ptr().cast(), buffer.as_mut_ptr().cast(), 64);
        }
        CStr::from_bytes_until_nul(&buffer).expect("an end").to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn known_texts() {
        assert_eq!(text_of(AF_INET, &[127, 0, 0, 1]), "127.0.0.1");
        for (text, back) in [
            ("::", "::"),
            ("::1", "::1"),
            ("1::", "1::"),
            ("fe80:0:0:0:0:0:0:1", "fe80::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("::ffff:10.0.2.15", "::ffff:10.0.2.15"),
            ("::10.0.2.15", "::10.0.2.15"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ] {
            let address = parse_v6(text.as_bytes()).expect(text);
            assert_eq!(text_of(AF_INET6, &address), back);
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            ":",
            ":::",
            "1::2::3",
            "1:2:3:4:5:6:7:8:9",
            "12345::",
            "::1%lo0",
            "1.2.3.4::",
            "::g",
            "1:2:3:4:5:6:7:",
        ] {
            assert!(parse_v6(text.as_bytes()).is_none(), "{text}");
        }
        for text in ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", " 1.2.3.4", "1.2.3.4 ", "1..2.3"] {
            assert!(parse_v4(text.as_bytes()).is_none(), "{text}");
        }
        let mut small = [0; 9];
        // SAFETY: an address, and a buffer with its size.
        let text = unsafe { inet_ntop(AF_INET, [127_u8, 0, 0, 1].as_ptr().cast(), small.as_mut_ptr(), 9) };
        assert!(text.is_null());
        assert_eq!(errno::get(), errno::ENOSPC);
        // SAFETY: a C string; nothing is written for an unknown family.
        assert_eq!(unsafe { inet_pton(7, c"1".as_ptr(), core::ptr::null_mut()) }, -1);
    }

    proptest! {
        #[test]
        fn any_address_reads_as_the_host_reads_it(mask: u8, groups: [u16; 8]) {
            let mut address = [0; 16];
            for (index, group) in groups.into_iter().enumerate() {
                if mask >> index & 1 == 1 {
                    address[2 * index..][..2].copy_from_slice(&group.to_be_bytes());
                }
            }
            let text = text_of(AF_INET6, &address);
            prop_assert_eq!(&text, &hosts_text_of(&address));
            prop_assert_eq!(parse_v6(text.as_bytes()), Some(address));
        }

        #[test]
        fn no_text_hurts(text in "[0-9a-f:.%]{0,50}") {
            let text = CString::new(text).expect("no NUL");
            let mut address = [0_u8; 16];
            // SAFETY: a C string, and room for either address.
            unsafe {
                inet_pton(AF_INET6, text.as_ptr(), address.as_mut_ptr().cast());
                inet_pton(AF_INET, text.as_ptr(), address.as_mut_ptr().cast());
            }
        }
    }
}
