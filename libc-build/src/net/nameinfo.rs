//! getnameinfo(3) (RFC 3493, 6.2).

use super::address::{Host, SocketAddress};
use super::addrinfo::number_of;
use super::buffer::{Text, put};
use super::kernel::name_of;
use super::lookup::Found;
use super::resolve;
use super::services::Services;
use crate::database::{Table, lines, text};
use core::ffi::{c_char, c_int, c_uint};
use rump_abi::netdb::{
    EAI_FAMILY, EAI_NONAME, EAI_OVERFLOW, NI_DGRAM, NI_NAMEREQD, NI_NOFQDN, NI_NUMERICHOST, NI_NUMERICSCOPE,
    NI_NUMERICSERV,
};
use rump_abi::socket::AF_LOCAL;
use rump_abi::types::Sockaddr;

/// Writes the name of a host, or its address.
///
/// # Safety
/// `target` has `size` bytes.
unsafe fn write_host(host: &Host, target: *mut c_char, size: usize, flags: c_int) -> Result<(), c_int> {
    if flags & NI_NUMERICHOST == 0 {
        let mut found = Found::new();
        match resolve::by_address(host, &mut found) {
            Ok(()) => {
                let mut name = found.name.as_bytes();
                if flags & NI_NOFQDN != 0 {
                    // Within the own domain, the first label is enough.
                    let dot = name.iter().position(|&byte| byte == b'.').unwrap_or(name.len());
                    let (first, domain) = name.split_at_checked(dot).unwrap_or((name, b""));
                    let config = resolve::configuration();
                    let own = config.domains().first().map(|own| own.text(b""));
                    if own.is_some_and(|own| {
                        domain.get(1..).is_some_and(|domain| domain.eq_ignore_ascii_case(own.as_bytes()))
                    }) {
                        name = first;
                    }
                }
                // SAFETY: as this function's own.
                return if unsafe { put(name, target, size) } { Ok(()) } else { Err(EAI_OVERFLOW) };
            }
            Err(failure) if flags & NI_NAMEREQD != 0 => {
                return Err(if number_of(failure) == rump_abi::netdb::EAI_NODATA {
                    EAI_NONAME
                } else {
                    number_of(failure)
                });
            }
            Err(_) => {}
        }
    } else if flags & NI_NAMEREQD != 0 {
        return Err(EAI_NONAME);
    }
    let text = host.text(|index, name| flags & NI_NUMERICSCOPE == 0 && name_of(index, name));
    // SAFETY: as this function's own.
    if unsafe { put(text.as_bytes(), target, size) } { Ok(()) } else { Err(EAI_OVERFLOW) }
}

/// Writes the name of a service, or its port.
///
/// # Safety
/// `target` has `size` bytes.
unsafe fn write_service(port: u16, target: *mut c_char, size: usize, flags: c_int) -> Result<(), c_int> {
    if flags & NI_NUMERICSERV == 0 {
        let protocol: &[u8] = if flags & NI_DGRAM != 0 { b"udp" } else { b"tcp" };
        let text = text(Services::PATH, Services::BUILTIN);
        let mut services = lines(&text).filter_map(Services::parse);
        if let Some(service) = services.find(|service| service.port == port && service.protocol == protocol) {
            // SAFETY: as this function's own.
            return if unsafe { put(service.name, target, size) } { Ok(()) } else { Err(EAI_OVERFLOW) };
        }
    }
    let mut text = Text::<8>::new();
    text.decimal(port.into());
    // SAFETY: as this function's own.
    if unsafe { put(text.as_bytes(), target, size) } { Ok(()) } else { Err(EAI_OVERFLOW) }
}

/// Finds the names of a socket address; 0, or a number for gai_strerror(3).
///
/// # Safety
/// `address` has `address_len` bytes; `host` and `service` are null or have as many bytes as is said.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getnameinfo(
    address: *const Sockaddr,
    address_len: c_uint,
    host: *mut c_char,
    host_len: c_uint,
    service: *mut c_char,
    service_len: c_uint,
    flags: c_int,
) -> c_int {
    let wants_host = !host.is_null() && host_len > 0;
    let wants_service = !service.is_null() && service_len > 0;
    // SAFETY: as this function's own.
    unsafe {
        if address_len >= 2 && !address.is_null() && i32::from((*address).sa_family) == AF_LOCAL {
            // The path, which may have no end.
            let path = core::slice::from_raw_parts(address.cast::<u8>().add(2), address_len as usize - 2);
            let path = path.split(|&byte| byte == 0).next().unwrap_or_default();
            let is_written = (!wants_host || put(b"localhost", host, host_len as usize))
                && (!wants_service || put(path, service, service_len as usize));
            return if is_written { 0 } else { EAI_OVERFLOW };
        }
        let Some((found, port)) = SocketAddress::read(address, address_len as usize) else {
            return EAI_FAMILY;
        };
        if !wants_host && !wants_service {
            return EAI_NONAME;
        }
        let mut done = Ok(());
        if wants_service {
            done = write_service(port, service, service_len as usize, flags);
        }
        if wants_host && done.is_ok() {
            done = write_host(&found, host, host_len as usize, flags);
        }
        done.err().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::address::Ip;
    use core::ffi::CStr;
    use core::ptr::null_mut;

    fn names(host: Host, port: u16, flags: c_int, room: c_uint) -> Result<String, c_int> {
        let (address, length) = SocketAddress::new(host, port);
        let (mut name, mut service) = ([0; 64], [0; 32]);
        // SAFETY: an address and buffers with their sizes, `room` being at most 64.
        unsafe {
            let any = &raw const address.any;
            match getnameinfo(any, length, name.as_mut_ptr(), room, service.as_mut_ptr(), 32, flags) {
                0 => Ok(format!(
                    "{} {}",
                    CStr::from_ptr(name.as_ptr()).to_str().expect("ASCII"),
                    CStr::from_ptr(service.as_ptr()).to_str().expect("ASCII")
                )),
                error => Err(error),
            }
        }
    }

    #[test]
    fn names_and_numbers() {
        let other = Ip::V4([10, 9, 8, 7]).into();
        let numeric = NI_NUMERICHOST | NI_NUMERICSERV;
        assert_eq!(names(other, 80, numeric, 64).as_deref(), Ok("10.9.8.7 80"));
        assert_eq!(names(other, 80, NI_NUMERICHOST, 64).as_deref(), Ok("10.9.8.7 http"));
        assert_eq!(names(other, 123, NI_NUMERICHOST | NI_DGRAM, 64).as_deref(), Ok("10.9.8.7 ntp"));
        assert_eq!(names(other, 123, NI_NUMERICHOST, 64).as_deref(), Ok("10.9.8.7 123"));
        assert_eq!(names(other, 1, 0, 64).as_deref(), Ok("10.9.8.7 1"), "no server answers");
        assert!(names(other, 1, NI_NAMEREQD, 64).is_err());
        assert_eq!(names(other, 1, numeric, 8), Err(EAI_OVERFLOW));
        let local = Host { ip: Ip::V6([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]), scope: 1 };
        assert_eq!(names(local, 1, numeric, 64).as_deref(), Ok("fe80::5%lo0 1"));
        assert_eq!(names(local, 1, numeric | NI_NUMERICSCOPE, 64).as_deref(), Ok("fe80::5%1 1"));
        assert_eq!(names(Ip::V4([127, 0, 0, 1]).into(), 1, 0, 64).as_deref(), Ok("localhost 1"));
    }

    #[test]
    fn other_families() {
        let local = *b"\x0c\x01/tmp/sock\0";
        let mut service = [0; 32];
        // SAFETY: addresses and buffers with their sizes.
        unsafe {
            let address = local.as_ptr().cast();
            assert_eq!(getnameinfo(address, 12, null_mut(), 0, service.as_mut_ptr(), 32, 0), 0);
            assert_eq!(CStr::from_ptr(service.as_ptr()), c"/tmp/sock");
            let odd = [16_u8, 77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            assert_eq!(
                getnameinfo(odd.as_ptr().cast(), 16, null_mut(), 0, service.as_mut_ptr(), 32, 0),
                EAI_FAMILY
            );
            assert_eq!(
                getnameinfo(odd.as_ptr().cast(), 1, null_mut(), 0, service.as_mut_ptr(), 32, 0),
                EAI_FAMILY
            );
        }
    }
}
