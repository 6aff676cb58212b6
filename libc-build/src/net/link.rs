//! Link-layer addresses as text and back: link_addr(3), ether_aton(3).

use super::buffer::{Text, put};
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;
use rump_abi::socket::AF_LINK;

/// Where the functions keep their results.
struct Shared<T>(UnsafeCell<T>);
// SAFETY: their manual pages do not let two threads call these functions at once.
unsafe impl<T> Sync for Shared<T> {}

static ETHER_TEXT: Shared<[c_char; 18]> = Shared(UnsafeCell::new([0; 18]));
static ETHER: Shared<[u8; 6]> = Shared(UnsafeCell::new([0; 6]));
static LINK_TEXT: Shared<[c_char; 64]> = Shared(UnsafeCell::new([0; 64]));

/// Reads six hexadecimal numbers with colons between them.
fn parse_ether(text: &[u8]) -> Option<[u8; 6]> {
    let mut address = [0; 6];
    let mut parts = text.split(|&byte| byte == b':');
    for byte in &mut address {
        let part = parts.next().filter(|part| matches!(part.len(), 1 | 2))?;
        for &digit in part {
            *byte = *byte << 4 | char::from(digit).to_digit(16)? as u8;
        }
    }
    parts.next().is_none().then_some(address)
}

/// An Ethernet address as text, valid until the next call.
///
/// # Safety
/// `address` points to six bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ether_ntoa(address: *const [u8; 6]) -> *mut c_char {
    let mut text = Text::<18>::new();
    // SAFETY: as this function's own; one thread at a time (documentation of the cell).
    unsafe {
        for (index, &byte) in (*address).iter().enumerate() {
            if index > 0 {
                text.push(b':');
            }
            text.push(super::buffer::digit(byte >> 4));
            text.push(super::buffer::digit(byte & 15));
        }
        let place = ETHER_TEXT.0.get().cast();
        put(text.as_bytes(), place, 18);
        place
    }
}

/// Reads an Ethernet address, valid until the next call; null where the text is none.
///
/// # Safety
/// `text` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ether_aton(text: *const c_char) -> *mut [u8; 6] {
    // SAFETY: as this function's own; one thread at a time (documentation of the cell).
    unsafe {
        let Some(address) = parse_ether(CStr::from_ptr(text).to_bytes()) else { return null_mut() };
        ETHER.0.get().write(address);
    }
    ETHER.0.get()
}

/// Reads a line of ethers(5), an address and a name; -1 where it is none.
///
/// # Safety
/// `line` is a C string, `address` has six bytes, `name` has room for the line's name.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn ether_line(line: *const c_char, address: *mut [u8; 6], name: *mut c_char) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        let mut words = crate::database::words(CStr::from_ptr(line).to_bytes());
        let (Some(found), Some(host)) = (words.next().and_then(parse_ether), words.next()) else { return -1 };
        address.write(found);
        put(host, name, host.len() + 1);
    }
    0
}

/// Bytes of a `sockaddr_dl` before its data.
const LINK_HEADER_BYTES: usize = 8;

/// A link-layer address as text: the name, a colon, and hexadecimal numbers with dots.
fn link_text(address: &[u8]) -> Text<64> {
    let mut text = Text::new();
    let length = |at: usize| usize::from(address.get(at).copied().unwrap_or(0));
    let (name, link) = (length(5), length(6));
    let data = address.get(LINK_HEADER_BYTES..).unwrap_or_default();
    let name_bytes = data.get(..name).unwrap_or_default();
    text.extend(name_bytes);
    let bytes = data.get(name..name + link).unwrap_or_default();
    if !name_bytes.is_empty() && !bytes.is_empty() {
        text.push(b':');
    }
    for (index, &byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push(b'.');
        }
        text.hexadecimal(byte.into());
    }
    text
}

/// An AF_LINK address as text, valid until the next call.
///
/// # Safety
/// `address` points to as many bytes as its first one says.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn link_ntoa(address: *const u8) -> *mut c_char {
    let place = LINK_TEXT.0.get().cast();
    // SAFETY: as this function's own; one thread at a time (documentation of the cell).
    unsafe {
        let bytes = core::slice::from_raw_parts(address, (*address).max(LINK_HEADER_BYTES as u8).into());
        let text = link_text(bytes);
        put(text.as_bytes().get(..63).unwrap_or(text.as_bytes()), place, 64);
    }
    place
}

/// Puts name and address of a text, as link_ntoa(3) writes it, behind a header; returns how many bytes were written.
fn parse_link(text: &[u8], target: &mut [u8]) -> Option<()> {
    let colon = text.iter().position(|&byte| byte == b':');
    let (name, address) = match colon {
        Some(colon) => (text.get(..colon)?, text.get(colon + 1..)?),
        None => (b"".as_slice(), text),
    };
    target.get_mut(LINK_HEADER_BYTES..LINK_HEADER_BYTES + name.len())?.copy_from_slice(name);
    let mut count = 0;
    for part in address.split(|&byte| byte == b'.').filter(|part| !part.is_empty()) {
        let mut value = 0_u32;
        for &digit in part {
            value = value << 4 | char::from(digit).to_digit(16)?;
        }
        *target.get_mut(LINK_HEADER_BYTES + name.len() + count)? = u8::try_from(value).ok()?;
        count += 1;
    }
    *target.get_mut(1)? = AF_LINK as u8;
    *target.get_mut(5)? = u8::try_from(name.len()).ok()?;
    *target.get_mut(6)? = u8::try_from(count).ok()?;
    Some(())
}

/// Reads a link-layer address; what is wrong with the text leaves the address empty.
///
/// # Safety
/// `text` is a C string; `address` points to as many bytes as its first one says.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn link_addr(text: *const c_char, address: *mut u8) {
    // SAFETY: as this function's own.
    unsafe {
        let size = *address;
        let target = core::slice::from_raw_parts_mut(address, size.max(LINK_HEADER_BYTES as u8).into());
        let Some((_, rest)) = target.split_first_mut() else { return };
        rest.fill(0);
        if parse_link(CStr::from_ptr(text).to_bytes(), target).is_none()
            && let Some((_, rest)) = target.split_first_mut()
        {
            rest.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ethernet() {
        // SAFETY: C strings and addresses; what is found stays until the next call.
        unsafe {
            let address = ether_aton(c"2:0:5e:ff:A0:01".as_ptr());
            assert_eq!(*address, [2, 0, 0x5e, 0xff, 0xa0, 1]);
            assert_eq!(CStr::from_ptr(ether_ntoa(address)), c"02:00:5e:ff:a0:01");
            for bad in [c"", c"1:2:3:4:5", c"1:2:3:4:5:6:7", c"1:2:3:4:5:100", c"1:2:3:4:5:g", c"1::3:4:5:6"]
            {
                assert!(ether_aton(bad.as_ptr()).is_null());
            }
            let (mut address, mut name) = ([0; 6], [0; 32]);
            assert_eq!(ether_line(c"1:2:3:4:5:6 host # it".as_ptr(), &raw mut address, name.as_mut_ptr()), 0);
            assert_eq!((address, CStr::from_ptr(name.as_ptr())), ([1, 2, 3, 4, 5, 6], c"host"));
        }
    }

    #[test]
    fn links() {
        let mut address = [0_u8; 20];
        address[0] = 20;
        // SAFETY: C strings, and an address with its size.
        unsafe {
            link_addr(c"vioif0:52.54.0.12.34.56".as_ptr(), address.as_mut_ptr());
            assert_eq!((address[5], address[6]), (6, 6));
            assert_eq!(CStr::from_ptr(link_ntoa(address.as_ptr())), c"vioif0:52.54.0.12.34.56");
            link_addr(c"a-name-that-is-too-long:1".as_ptr(), address.as_mut_ptr());
            assert_eq!((address[0], address[5]), (20, 0));
        }
    }
}
