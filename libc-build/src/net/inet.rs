//! The older functions on IPv4 addresses: inet_addr(3), inet_aton(3), inet_ntoa(3), inet_network(3) and the classes of networks.

use super::buffer::put;
use super::numeric::{AddressText, write_v4};
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};
use rump_abi::socket::{
    IN_CLASSA_HOST, IN_CLASSA_NET, IN_CLASSA_NSHIFT, IN_CLASSB_HOST, IN_CLASSB_NET, IN_CLASSB_NSHIFT,
    IN_CLASSC_HOST, IN_CLASSC_NET, IN_CLASSC_NSHIFT, INADDR_NONE,
};

/// A number as C writes it (decimal, 0 octal, 0x hexadecimal) at the start of a text, and what follows it.
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let (base, digits) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        // The zero is a digit itself.
        [b'0', ..] => (8, text),
        _ => (10, text),
    };
    let length = digits.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(length)?;
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_u32;
    for &byte in digits {
        let digit = char::from(byte).to_digit(base)?;
        value = value.checked_mul(base)?.checked_add(digit)?;
    }
    Some((value, rest))
}

/// Up to four numbers with dots between them, and how many there are. White space may follow.
fn parts(text: &[u8]) -> Option<([u32; 4], usize)> {
    let mut parts = [0; 4];
    let mut count = 0;
    let mut rest = text;
    loop {
        let (value, behind) = number(rest)?;
        *parts.get_mut(count)? = value;
        count += 1;
        match behind {
            [b'.', behind @ ..] => rest = behind,
            [] => return Some((parts, count)),
            [byte, ..] if byte.is_ascii_whitespace() => return Some((parts, count)),
            _ => return None,
        }
    }
}

/// The address that a text in inet_aton(3)'s forms names: the last number fills the bytes that are left.
pub(crate) fn parse_loosely(text: &[u8]) -> Option<[u8; 4]> {
    let (parts, count) = parts(text)?;
    let before = parts.get(..count - 1)?;
    let last = *parts.get(count - 1)?;
    let mut value = 0;
    for &part in before {
        value = value << 8 | u32::from(u8::try_from(part).ok()?);
    }
    let bits = 8 * (5 - count as u32);
    if bits < 32 {
        if last >> bits != 0 {
            return None;
        }
        value <<= bits;
    }
    Some((value | last).to_be_bytes())
}

/// Reads an address in any of the four forms; 1 where the text is one, else 0.
///
/// # Safety
/// `text` is a C string, `address` null or an `in_addr`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet_aton(text: *const c_char, address: *mut [u8; 4]) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let Some(found) = parse_loosely(CStr::from_ptr(text).to_bytes()) else { return 0 };
        if !address.is_null() {
            address.write(found);
        }
    }
    1
}

/// As inet_aton(3); INADDR_NONE where the text is no address.
///
/// # Safety
/// `text` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet_addr(text: *const c_char) -> u32 {
    // SAFETY: as this function's own.
    parse_loosely(unsafe { CStr::from_ptr(text) }.to_bytes()).map_or(INADDR_NONE, u32::from_ne_bytes)
}

/// A network's number in host order; INADDR_NONE where the text is none.
///
/// # Safety
/// `text` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet_network(text: *const c_char) -> u32 {
    // SAFETY: as this function's own.
    let Some((parts, count)) = parts(unsafe { CStr::from_ptr(text) }.to_bytes()) else { return INADDR_NONE };
    let mut value = 0;
    for &part in parts.get(..count).unwrap_or_default() {
        let Ok(byte) = u8::try_from(part) else { return INADDR_NONE };
        value = value << 8 | u32::from(byte);
    }
    value
}

struct Shared(UnsafeCell<[c_char; 16]>);
// SAFETY: POSIX does not let two threads call inet_ntoa(3) at once.
unsafe impl Sync for Shared {}
static SHARED: Shared = Shared(UnsafeCell::new([0; 16]));

/// An address as text, valid until the next call.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn inet_ntoa(address: u32) -> *mut c_char {
    let mut text = AddressText::new();
    write_v4(address.to_ne_bytes(), &mut text);
    let place: *mut c_char = SHARED.0.get().cast();
    // SAFETY: 16 bytes, which hold any address; one thread at a time (documentation of the cell).
    unsafe { put(text.as_bytes(), place, 16) };
    place
}

/// How an address is divided into network and host, by its class.
struct Class {
    network: u32,
    shift: i32,
    host: u32,
}

fn class(address: u32) -> Class {
    if address >> 31 == 0 {
        Class { network: IN_CLASSA_NET, shift: IN_CLASSA_NSHIFT, host: IN_CLASSA_HOST }
    } else if address >> 30 == 0b10 {
        Class { network: IN_CLASSB_NET, shift: IN_CLASSB_NSHIFT, host: IN_CLASSB_HOST }
    } else {
        Class { network: IN_CLASSC_NET, shift: IN_CLASSC_NSHIFT, host: IN_CLASSC_HOST }
    }
}

/// The address of a host in a network of a class; both numbers are in host order.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn inet_makeaddr(network: u32, host: u32) -> u32 {
    let (shift, mask) = match network {
        0..0x80 => (24, IN_CLASSA_HOST),
        0x80..0x1_0000 => (16, IN_CLASSB_HOST),
        0x1_0000..0x100_0000 => (8, IN_CLASSC_HOST),
        _ => (0, u32::MAX),
    };
    (if shift == 0 { network | host } else { network << shift | host & mask }).to_be()
}

/// The host's part of an address.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn inet_lnaof(address: u32) -> u32 {
    let address = u32::from_be(address);
    address & class(address).host
}

/// The network's number in an address.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn inet_netof(address: u32) -> u32 {
    let address = u32::from_be(address);
    let class = class(address);
    (address & class.network) >> class.shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    unsafe extern "C" {
        #[link_name = "inet_aton"]
        fn hosts_aton(text: *const c_char, address: *mut [u8; 4]) -> c_int;
    }

    #[test]
    fn forms() {
        for text in [
            "1.2.3.4",
            "127.1",
            "10.1.2",
            "1",
            "0x7f000001",
            "017.0x10.3",
            "256",
            "1.256",
            "1.2.65536",
            "1.2.3.256",
            "4294967295",
            "4294967296",
            "",
            ".",
            "1.",
            "1..2",
            "08",
            "0x",
            "1.2.3.4 x",
            "1.2.3.4x",
            "1.2.3.4.5",
            "1.0xffffff",
            "0",
        ] {
            let c = CString::new(text).expect("no NUL");
            let (mut ours, mut hosts) = ([0; 4], [0; 4]);
            // SAFETY: a C string, and room for an address.
            let (found, expected) =
                unsafe { (inet_aton(c.as_ptr(), &raw mut ours), hosts_aton(c.as_ptr(), &raw mut hosts)) };
            // The host takes "0x" for 0.
            if text != "0x" {
                assert_eq!((found, ours), (expected, hosts), "{text:?}");
            }
        }
    }

    #[test]
    fn classes() {
        let address = |text: &str| u32::from_ne_bytes(parse_loosely(text.as_bytes()).expect("an address"));
        assert_eq!((inet_netof(address("10.1.2.3")), inet_lnaof(address("10.1.2.3"))), (10, 0x1_0203));
        assert_eq!((inet_netof(address("172.16.2.3")), inet_lnaof(address("172.16.2.3"))), (0xac10, 0x203));
        assert_eq!(inet_makeaddr(0xc0_a801, 7), address("192.168.1.7"));
        // SAFETY: C strings.
        unsafe {
            assert_eq!(inet_network(c"192.168.1".as_ptr()), 0xc0_a801);
            assert_eq!(inet_network(c"1.300".as_ptr()), INADDR_NONE);
            assert_eq!(inet_addr(c"no".as_ptr()), INADDR_NONE);
            assert_eq!(CStr::from_ptr(inet_ntoa(address("255.255.255.255"))), c"255.255.255.255");
        }
    }
}
