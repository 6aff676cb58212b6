//! Networks: getnetbyname(3), from networks(5); and networks as text with the bits of their prefix: inet_net_pton(3), inet_net_ntop(3).

use super::buffer::{Text, put};
use super::numeric::{AddressText, parse_v6, write_v6};
use crate::database::{Room, Shared, Table, number, words};
use crate::errno;
use core::ffi::{CStr, c_char, c_int, c_void};
use rump_abi::socket::{AF_INET, AF_INET6};

/// `struct netent`.
#[derive(Debug)]
#[repr(C)]
pub struct Netent {
    name: *mut c_char,
    aliases: *mut *mut c_char,
    family: c_int,
    /// In host order.
    network: u32,
}

/// A line of networks(5): `name number alias ...`.
pub(crate) struct Fields<'a> {
    name: &'a [u8],
    network: u32,
    line: &'a [u8],
}

impl Fields<'_> {
    fn aliases(&self) -> impl Iterator<Item = &[u8]> + Clone {
        words(self.line).skip(2)
    }
}

/// The database.
struct Networks;

impl Table for Networks {
    type Fields<'a> = Fields<'a>;
    type Entry = Netent;
    const PATH: &'static CStr = c"/etc/networks";
    const BUILTIN: &'static [u8] = b"loopback 127\n";

    fn parse(line: &[u8]) -> Option<Fields<'_>> {
        let mut words = words(line);
        let name = words.next()?;
        let mut network = 0_u32;
        for part in words.next()?.split(|&byte| byte == b'.') {
            network = network.checked_mul(256)? | u32::from(u8::try_from(number(part)?).ok()?);
        }
        Some(Fields { name, network, line })
    }

    fn write(fields: &Fields<'_>, room: &mut Room) -> Option<Netent> {
        Some(Netent {
            aliases: room.strings(fields.aliases())?,
            name: room.string(fields.name)?,
            family: AF_INET,
            network: fields.network,
        })
    }
}

static SHARED: Shared<Networks, 512> = Shared::new();

/// The network with this name.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getnetbyname(name: *const c_char) -> *mut Netent {
    // SAFETY: as this function's own.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    SHARED.find(|_, network| network.name == name || network.aliases().any(|alias| alias == name))
}

/// The network with this number, in host order.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getnetbyaddr(network: u32, family: c_int) -> *mut Netent {
    SHARED.find(|_, found| family == AF_INET && found.network == network)
}

/// The next network.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getnetent() -> *mut Netent {
    SHARED.next()
}

/// Goes back to the first network; no file is kept open, so there is nothing to keep.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setnetent(_stay_open: c_int) {
    SHARED.rewind();
}

/// Goes back to the first network.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn endnetent() {
    SHARED.rewind();
}

/// The bits of a class's networks, where a text names none.
fn class_bits(first: u8) -> u32 {
    match first {
        0..=127 => 8,
        128..=191 => 16,
        192..=223 => 24,
        224..=239 => 4,
        240.. => 32,
    }
}

/// Takes `/bits` off the end of a text.
fn split_bits(text: &[u8], limit: u32) -> Option<(&[u8], Option<u32>)> {
    let mut parts = text.splitn(2, |&byte| byte == b'/');
    let address = parts.next()?;
    match parts.next() {
        None => Some((address, None)),
        Some(bits) => number(bits).filter(|&bits| bits <= limit).map(|bits| (address, Some(bits))),
    }
}

/// Reads an IPv4 network, of which bytes at the end may be missing; how many were there, and the bits of the prefix.
fn parse_v4_network(text: &[u8]) -> Option<([u8; 4], usize, u32)> {
    let (address, bits) = split_bits(text, 32)?;
    let (mut bytes, mut count) = ([0; 4], 0);
    if let [b'0', b'x' | b'X', digits @ ..] = address {
        // Hexadecimal digits, the first bytes first.
        let mut nibbles = digits.iter().map(|&digit| char::from(digit).to_digit(16));
        while let Some(high) = nibbles.next() {
            let byte = high? << 4 | nibbles.next().unwrap_or(Some(0))?;
            *bytes.get_mut(count)? = u8::try_from(byte).ok()?;
            count += 1;
        }
    } else {
        for part in address.split(|&byte| byte == b'.') {
            *bytes.get_mut(count)? = u8::try_from(number(part)?).ok()?;
            count += 1;
        }
    }
    if count == 0 {
        return None;
    }
    let [first, ..] = bytes;
    let bits = bits.unwrap_or_else(|| class_bits(first).max(8 * count as u32));
    Some((bytes, count.max(bits.div_ceil(8) as usize), bits))
}

/// Reads a network; returns the bits of its prefix, or -1.
///
/// # Safety
/// `text` is a C string, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet_net_pton(
    family: c_int,
    text: *const c_char,
    target: *mut c_void,
    size: usize,
) -> c_int {
    // SAFETY: as this function's own.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes();
    let mut bytes = [0; 16];
    let found = match family {
        AF_INET => parse_v4_network(text).map(|(found, count, bits)| {
            for (place, byte) in bytes.iter_mut().zip(found) {
                *place = byte;
            }
            (count, bits)
        }),
        AF_INET6 => split_bits(text, 128).and_then(|(address, bits)| {
            bytes = parse_v6(address)?;
            Some((16, bits.unwrap_or(128)))
        }),
        _ => return errno::fail(errno::EAFNOSUPPORT),
    };
    let Some((count, bits)) = found else { return errno::fail(errno::ENOENT) };
    let Some(bytes) = bytes.get(..count).filter(|bytes| bytes.len() <= size) else {
        return errno::fail(errno::EMSGSIZE);
    };
    // SAFETY: as this function's own; there is room.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), target.cast(), bytes.len()) };
    bits.cast_signed()
}

/// Writes a network as text; null where it is none or there is no room.
///
/// # Safety
/// `network` has as many bytes as `bits` asks for, `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet_net_ntop(
    family: c_int,
    network: *const c_void,
    bits: c_int,
    target: *mut c_char,
    size: usize,
) -> *mut c_char {
    let limit = match family {
        AF_INET => 32,
        AF_INET6 => 128,
        _ => {
            errno::set(errno::EAFNOSUPPORT);
            return core::ptr::null_mut();
        }
    };
    let Some(bits) = u32::try_from(bits).ok().filter(|&bits| bits <= limit) else {
        errno::set(errno::EINVAL);
        return core::ptr::null_mut();
    };
    let mut bytes = [0_u8; 16];
    let count = bits.div_ceil(8) as usize;
    // SAFETY: as this function's own; `count` is at most 16.
    unsafe { core::ptr::copy_nonoverlapping(network.cast(), bytes.as_mut_ptr(), count) };
    // What is behind the prefix is not the network's.
    if let Some(last) = count.checked_sub(1).and_then(|last| bytes.get_mut(last)) {
        *last &= 0xff_u8 << ((8 - bits % 8) % 8);
    }
    let mut text = AddressText::new();
    if family == AF_INET {
        for (index, byte) in bytes.iter().take(count.max(1)).enumerate() {
            if index > 0 {
                text.push(b'.');
            }
            text.decimal((*byte).into());
        }
    } else {
        write_v6(bytes, &mut text);
    }
    if bits != limit || family == AF_INET {
        text.push(b'/');
        text.decimal(bits);
    }
    // SAFETY: as this function's own.
    if unsafe { put(text.as_bytes(), target, size) } {
        return target;
    }
    errno::set(errno::EMSGSIZE);
    core::ptr::null_mut()
}

/// Writes a network's number, of which zero bytes at the start are left out.
///
/// # Safety
/// `target` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet_neta(
    network: core::ffi::c_ulong,
    target: *mut c_char,
    size: usize,
) -> *mut c_char {
    let mut text = Text::<16>::new();
    let bytes = (network as u32).to_be_bytes();
    let start = bytes.iter().position(|&byte| byte != 0);
    match start.and_then(|start| bytes.get(start..)) {
        None => text.extend(b"0.0.0.0"),
        Some(bytes) => {
            for (index, &byte) in bytes.iter().enumerate() {
                if index > 0 {
                    text.push(b'.');
                }
                text.decimal(byte.into());
            }
        }
    }
    // SAFETY: as this function's own.
    if unsafe { put(text.as_bytes(), target, size) } {
        return target;
    }
    errno::set(errno::EMSGSIZE);
    core::ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn read(family: c_int, text: &str) -> Option<(Vec<u8>, c_int)> {
        let text = CString::new(text).expect("no NUL");
        let mut bytes = [0xaa_u8; 16];
        // SAFETY: a C string, and a buffer with its size.
        let bits = unsafe { inet_net_pton(family, text.as_ptr(), bytes.as_mut_ptr().cast(), 16) };
        let count = bytes.iter().rposition(|&byte| byte != 0xaa).map_or(0, |last| last + 1);
        (bits >= 0).then(|| (bytes[..count].to_vec(), bits))
    }

    fn written(family: c_int, bytes: &[u8], bits: c_int) -> String {
        let mut text = [0; 64];
        // SAFETY: a network with its bytes, and a buffer with its size.
        unsafe {
            assert!(!inet_net_ntop(family, bytes.as_ptr().cast(), bits, text.as_mut_ptr(), 64).is_null());
            CStr::from_ptr(text.as_ptr()).to_str().expect("ASCII").to_owned()
        }
    }

    #[test]
    fn networks_as_text() {
        assert_eq!(read(AF_INET, "10/8"), Some((vec![10], 8)));
        assert_eq!(read(AF_INET, "192.168.1"), Some((vec![192, 168, 1], 24)));
        assert_eq!(read(AF_INET, "10"), Some((vec![10], 8)));
        assert_eq!(read(AF_INET, "192.168/22"), Some((vec![192, 168, 0], 22)));
        assert_eq!(read(AF_INET, "0xC0a8/16"), Some((vec![192, 168], 16)));
        assert_eq!(read(AF_INET6, "2001:db8::/32").map(|found| found.1), Some(32));
        for bad in ["", "/8", "10/33", "1.2.3.4.5", "10.x", "256"] {
            assert_eq!(read(AF_INET, bad), None, "{bad}");
        }
        assert_eq!(written(AF_INET, &[10, 1], 12), "10.0/12");
        assert_eq!(written(AF_INET, &[10], 8), "10/8");
        assert_eq!(written(AF_INET6, &[0x20, 1, 0xd, 0xb8], 32), "2001:db8::/32");
    }

    #[test]
    fn names() {
        assert!(
            Networks::parse(b"arpanet 10 arpa")
                .is_some_and(|net| net.network == 10 && net.aliases().count() == 1)
        );
        assert!(Networks::parse(b"bad 10.x").is_none());
        // SAFETY: C strings; what is found stays until the next lookup.
        unsafe {
            assert_eq!((*getnetbyname(c"loopback".as_ptr())).network, 127);
            assert_eq!(CStr::from_ptr((*getnetbyaddr(127, AF_INET)).name), c"loopback");
            let mut text = [0; 16];
            assert_eq!(CStr::from_ptr(inet_neta(0xc0_a801, text.as_mut_ptr(), 16)), c"192.168.1");
        }
    }
}
