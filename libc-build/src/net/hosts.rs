//! gethostbyname(3) and its relatives: what programs used before getaddrinfo(3).

use super::address::{Host, Ip};
use super::error::set;
use super::inet::parse_loosely;
use super::kernel::index_of;
use super::lookup::{Families, Found, HOSTS_BUILTIN, HOSTS_PATH, hosts_line};
use super::numeric::parse_v6;
use super::resolve;
use crate::database::{Room, Shared, Table};
use crate::errno;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::null_mut;
use rump_abi::netdb::{HOST_NOT_FOUND, NETDB_INTERNAL, NETDB_SUCCESS, NO_RECOVERY};
use rump_abi::socket::{AF_INET, AF_INET6};

/// `struct hostent`.
#[derive(Debug)]
#[repr(C)]
pub struct Hostent {
    name: *mut c_char,
    aliases: *mut *mut c_char,
    family: c_int,
    length: c_int,
    addresses: *mut *mut c_char,
}

/// Addresses that are handed out at most.
const ADDRESS_LIMIT: usize = 35;

/// Puts an entry together.
fn write<'a>(
    room: &mut Room,
    name: &[u8],
    aliases: impl Iterator<Item = &'a [u8]> + Clone,
    hosts: &[Host],
) -> Option<Hostent> {
    let first = hosts.first()?.ip;
    let hosts = hosts.iter().filter(|host| host.ip.family() == first.family()).take(ADDRESS_LIMIT);
    Some(Hostent {
        aliases: room.strings(aliases)?,
        addresses: room.list(hosts, |room, host| room.object(host.ip.as_bytes()))?,
        name: room.string(name)?,
        family: first.family(),
        length: first.as_bytes().len() as c_int,
    })
}

/// A line of hosts(5).
pub(crate) struct Fields<'a> {
    host: Host,
    line: &'a [u8],
}

/// The file, entry by entry.
struct Hosts;

impl Table for Hosts {
    type Fields<'a> = Fields<'a>;
    type Entry = Hostent;
    const PATH: &'static CStr = HOSTS_PATH;
    const BUILTIN: &'static [u8] = HOSTS_BUILTIN;

    fn parse(line: &[u8]) -> Option<Fields<'_>> {
        hosts_line(line, index_of).map(|(host, _)| Fields { host, line })
    }

    fn write(fields: &Fields<'_>, room: &mut Room) -> Option<Hostent> {
        let mut names = crate::database::words(fields.line).skip(1);
        let name = names.next()?;
        write(room, name, names, &[fields.host])
    }
}

static SHARED: Shared<Hosts, 8192> = Shared::new();

/// Finds the addresses of a name in one family; Err with a number of h_errno.
fn by_name(name: &[u8], family: c_int, found: &mut Found) -> Result<(), c_int> {
    let numeric = match family {
        AF_INET => parse_loosely(name).map(Ip::V4),
        AF_INET6 => parse_v6(name).map(Ip::V6),
        _ => {
            errno::set(errno::EAFNOSUPPORT);
            return Err(NETDB_INTERNAL);
        }
    };
    if let Some(ip) = numeric {
        found.name.extend(name);
        return found.addresses.push(ip.into()).map_err(|_| NETDB_INTERNAL);
    }
    if name.is_empty() {
        return Err(HOST_NOT_FOUND);
    }
    let families = Families { v4: family == AF_INET, v6: family == AF_INET6 };
    resolve::by_name(name, families, found).map_err(super::dns::query::Failure::number)
}

/// Finds the name of an address; Err with a number of h_errno.
///
/// # Safety
/// `address` has `length` bytes.
unsafe fn by_address(
    address: *const c_void,
    length: c_uint,
    family: c_int,
    found: &mut Found,
) -> Result<(), c_int> {
    // SAFETY: as this function's own.
    let bytes = unsafe { core::slice::from_raw_parts(address.cast::<u8>(), length as usize) };
    let ip = match (family, bytes) {
        // An IPv4 address in an IPv6 address is looked up as what it is.
        (AF_INET6, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, rest @ ..]) => Ip::from_bytes(rest),
        _ => Ip::from_bytes(bytes).filter(|ip| ip.family() == family),
    };
    let Some(ip) = ip else {
        errno::set(errno::EINVAL);
        return Err(NO_RECOVERY);
    };
    resolve::by_address(&ip.into(), found).map_err(super::dns::query::Failure::number)
}

/// Keeps what was found, or sets h_errno.
fn keep(result: Result<(), c_int>, found: &Found) -> *mut Hostent {
    if let Err(number) = result {
        set(number);
        return null_mut();
    }
    let entry = SHARED.fill(|room| write(room, found.name.as_bytes(), found.aliases(), &found.addresses));
    set(if entry.is_null() { NETDB_INTERNAL } else { NETDB_SUCCESS });
    entry
}

/// Puts what was found into the caller's memory; null where there is nothing or no room.
///
/// # Safety
/// `target` and `number` are writable, `buffer` has `size` bytes.
unsafe fn put(
    result: Result<(), c_int>,
    found: &Found,
    target: *mut Hostent,
    buffer: *mut c_char,
    size: usize,
    number: *mut c_int,
) -> *mut Hostent {
    // SAFETY: as this function's own.
    unsafe {
        if let Err(error) = result {
            *number = error;
            return null_mut();
        }
        let mut room = Room::new(buffer, size);
        let Some(entry) = write(&mut room, found.name.as_bytes(), found.aliases(), &found.addresses) else {
            errno::set(errno::ENOSPC);
            *number = NETDB_INTERNAL;
            return null_mut();
        };
        *number = NETDB_SUCCESS;
        target.write(entry);
    }
    target
}

/// The addresses of a host, IPv4 or IPv6.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn gethostbyname2(name: *const c_char, family: c_int) -> *mut Hostent {
    let mut found = Found::new();
    // SAFETY: as this function's own.
    let result = by_name(unsafe { CStr::from_ptr(name) }.to_bytes(), family, &mut found);
    keep(result, &found)
}

/// The IPv4 addresses of a host.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn gethostbyname(name: *const c_char) -> *mut Hostent {
    // SAFETY: as this function's own.
    unsafe { gethostbyname2(name, AF_INET) }
}

/// The host that has an address.
///
/// # Safety
/// `address` has `length` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn gethostbyaddr(
    address: *const c_void,
    length: c_uint,
    family: c_int,
) -> *mut Hostent {
    let mut found = Found::new();
    // SAFETY: as this function's own.
    let result = unsafe { by_address(address, length, family, &mut found) };
    keep(result, &found)
}

/// As gethostbyname(3), into the caller's memory.
///
/// # Safety
/// `name` is a C string, `target` and `number` are writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn gethostbyname_r(
    name: *const c_char,
    target: *mut Hostent,
    buffer: *mut c_char,
    size: usize,
    number: *mut c_int,
) -> *mut Hostent {
    // SAFETY: as this function's own.
    unsafe { gethostbyname2_r(name, AF_INET, target, buffer, size, number) }
}

/// As `gethostbyname2`, into the caller's memory.
///
/// # Safety
/// As `gethostbyname_r`.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn gethostbyname2_r(
    name: *const c_char,
    family: c_int,
    target: *mut Hostent,
    buffer: *mut c_char,
    size: usize,
    number: *mut c_int,
) -> *mut Hostent {
    let mut found = Found::new();
    // SAFETY: as this function's own.
    unsafe {
        let result = by_name(CStr::from_ptr(name).to_bytes(), family, &mut found);
        put(result, &found, target, buffer, size, number)
    }
}

/// As gethostbyaddr(3), into the caller's memory.
///
/// # Safety
/// `address` has `length` bytes, `target` and `number` are writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn gethostbyaddr_r(
    address: *const c_void,
    length: c_uint,
    family: c_int,
    target: *mut Hostent,
    buffer: *mut c_char,
    size: usize,
    number: *mut c_int,
) -> *mut Hostent {
    let mut found = Found::new();
    // SAFETY: as this function's own.
    unsafe {
        let result = by_address(address, length, family, &mut found);
        put(result, &found, target, buffer, size, number)
    }
}

/// The next entry of hosts(5).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn gethostent() -> *mut Hostent {
    SHARED.next()
}

/// Goes back to the first entry; no connection is kept open, so there is nothing to keep.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn sethostent(_stay_open: c_int) {
    SHARED.rewind();
}

/// Goes back to the first entry.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn endhostent() {
    SHARED.rewind();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::error::__h_errno;

    #[test]
    fn entries() {
        let (mut target, mut buffer, mut number) = (core::mem::MaybeUninit::uninit(), [0; 256], 0);
        // SAFETY: C strings, an address, and buffers with their sizes.
        unsafe {
            let found = gethostbyname2_r(
                c"::1".as_ptr(),
                AF_INET6,
                target.as_mut_ptr(),
                buffer.as_mut_ptr(),
                256,
                &raw mut number,
            );
            assert_eq!(((*found).family, (*found).length, number), (AF_INET6, 16, 0));
            assert_eq!(*(*(*found).addresses).cast::<[u8; 16]>(), Ip::LOOPBACK[0].as_bytes());
            assert!((*(*found).addresses.add(1)).is_null() && (*(*found).aliases).is_null());
            assert!(
                gethostbyname_r(
                    c"1.2.3.4".as_ptr(),
                    target.as_mut_ptr(),
                    buffer.as_mut_ptr(),
                    16,
                    &raw mut number
                )
                .is_null()
            );
            assert_eq!(number, NETDB_INTERNAL);
            let local = gethostbyaddr([127_u8, 0, 0, 1].as_ptr().cast(), 4, AF_INET);
            assert_eq!(CStr::from_ptr((*local).name), c"localhost");
            assert!(gethostbyaddr([127_u8, 0, 0].as_ptr().cast(), 3, AF_INET).is_null());
            assert_eq!(*__h_errno(), NO_RECOVERY);
            assert!(gethostbyname(c"".as_ptr()).is_null());
            assert_eq!(*__h_errno(), HOST_NOT_FOUND);
        }
    }
}
