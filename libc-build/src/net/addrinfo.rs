//! getaddrinfo(3) (RFC 3493, 6.1).
//!
//! The list has an entry for each address and each kind of socket that is asked for, in the order of RFC 6724. An entry is one block of
//! memory with the address behind it, and a block for the canonical name.

use super::address::{Host, Ip, SocketAddress};
use super::dns::query::Failure;
use super::inet::parse_loosely;
use super::interfaces::{ADDRESS, Message, ip, messages};
use super::kernel::{has_family, index_of, interface_list, source_for};
use super::lookup::{Families, Found};
use super::order::{Rank, rank, sort};
use super::{resolve, services};
use crate::database::number;
use crate::stdlib::array::Array;
use crate::stdlib::heap::{calloc, free};
use core::ffi::{CStr, c_char, c_int, c_uint};
use core::ptr::null_mut;
use rump_abi::netdb::{
    AI_ADDRCONFIG, AI_CANONNAME, AI_MASK, AI_NUMERICHOST, AI_NUMERICSERV, AI_PASSIVE, EAI_ADDRFAMILY,
    EAI_AGAIN, EAI_BADFLAGS, EAI_BADHINTS, EAI_FAIL, EAI_FAMILY, EAI_MEMORY, EAI_NODATA, EAI_NONAME,
    EAI_SERVICE, EAI_SOCKTYPE, EAI_SYSTEM,
};
use rump_abi::socket::{
    AF_INET, AF_INET6, AF_UNSPEC, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM,
};
use rump_abi::types::Sockaddr;

/// `struct addrinfo`.
#[derive(Debug)]
#[repr(C)]
pub struct Addrinfo {
    flags: c_int,
    family: c_int,
    socket_type: c_int,
    protocol: c_int,
    address_len: c_uint,
    canonical_name: *mut c_char,
    address: *mut Sockaddr,
    next: *mut Self,
}

const _: () = assert!(size_of::<Addrinfo>() == size_of::<rump_abi::types::Addrinfo>());

/// The number of a failure for getaddrinfo(3).
pub(crate) fn number_of(failure: Failure) -> c_int {
    match failure {
        Failure::NotFound => EAI_NONAME,
        Failure::NoData => EAI_NODATA,
        Failure::TryAgain | Failure::Silence => EAI_AGAIN,
        Failure::NoRecovery => EAI_FAIL,
        Failure::Internal => EAI_SYSTEM,
    }
}

/// What an address is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    socket_type: c_int,
    protocol: c_int,
    /// In host order.
    port: u16,
}

/// What the caller is after.
#[derive(Clone, Copy, Debug, Default)]
struct Hints {
    flags: c_int,
    family: c_int,
    socket_type: c_int,
    protocol: c_int,
}

/// Kinds of sockets, each with its protocol and what services(5) calls that.
const KINDS: [(c_int, c_int, &[u8]); 3] =
    [(SOCK_DGRAM, IPPROTO_UDP, b"udp"), (SOCK_STREAM, IPPROTO_TCP, b"tcp"), (SOCK_RAW, 0, b"")];

/// The kinds of sockets that the hints allow, with the port of the service.
fn uses(hints: &Hints, service: Option<&[u8]>, uses: &mut Array<Use>) -> Result<(), c_int> {
    let port =
        service.and_then(number).map(|port| u16::try_from(port).map_err(|_| EAI_SERVICE)).transpose()?;
    if service.is_some() && port.is_none() && hints.flags & AI_NUMERICSERV != 0 {
        return Err(EAI_NONAME);
    }
    let mut is_known = false;
    for (socket_type, protocol, name) in KINDS {
        if hints.socket_type != 0 && hints.socket_type != socket_type {
            continue;
        }
        // A raw socket takes any protocol, the others have their own.
        if protocol != 0 && hints.protocol != 0 && hints.protocol != protocol {
            continue;
        }
        is_known = true;
        let port = match (service, port) {
            (None, _) => 0,
            // There are no ports without a protocol.
            (Some(_), _) if socket_type == SOCK_RAW => continue,
            (Some(_), Some(port)) => port,
            (Some(service), None) => match services::port(service, name) {
                Some(port) => port,
                None => continue,
            },
        };
        let protocol = if protocol == 0 { hints.protocol } else { protocol };
        uses.push(Use { socket_type, protocol, port }).map_err(|_| EAI_MEMORY)?;
    }
    match (uses.is_empty(), is_known) {
        (false, _) => Ok(()),
        (true, true) => Err(EAI_SERVICE),
        (true, false) => Err(EAI_SOCKTYPE),
    }
}

/// The versions of which an interface has an address that is good for more than itself and its link.
fn configured(families: Families) -> Families {
    let Some(list) = interface_list() else { return families };
    let mut found = Families { v4: false, v6: false };
    for message in messages(&list) {
        let Message::Address { addresses, .. } = message else { continue };
        match ip(addresses.get(ADDRESS)) {
            Some(Ip::V4([127, ..])) | None => {}
            Some(Ip::V4(_)) => found.v4 = true,
            Some(ip) => found.v6 |= !ip.is_link_local() && !Ip::LOOPBACK.contains(&ip),
        }
    }
    // Without any, loopback is all there is.
    if !found.v4 && !found.v6 {
        return families;
    }
    Families { v4: families.v4 && found.v4, v6: families.v6 && found.v6 }
}

/// The addresses of a host, the best first.
fn hosts(hints: &Hints, node: Option<&[u8]>, found: &mut Found) -> Result<(), c_int> {
    let families = Families {
        v4: matches!(hints.family, AF_UNSPEC | AF_INET),
        v6: matches!(hints.family, AF_UNSPEC | AF_INET6),
    };
    let memory = |_| EAI_MEMORY;
    let Some(node) = node else {
        let wildcard = [Ip::V6([0; 16]), Ip::V4([0; 4])];
        let ips = if hints.flags & AI_PASSIVE != 0 { wildcard } else { Ip::LOOPBACK };
        for ip in ips {
            let family = ip.family();
            if matches!(hints.family, AF_UNSPEC) && has_family(family) || hints.family == family {
                found.addresses.push(ip.into()).map_err(memory)?;
            }
        }
        return if found.addresses.is_empty() { Err(EAI_FAMILY) } else { Ok(()) };
    };
    if let Some(host) = Host::parse(node, parse_loosely, index_of) {
        if !matches!(hints.family, AF_UNSPEC) && hints.family != host.ip.family() {
            return Err(EAI_ADDRFAMILY);
        }
        found.name.extend(node);
        return found.addresses.push(host).map_err(memory);
    }
    if hints.flags & AI_NUMERICHOST != 0 || node.is_empty() {
        return Err(EAI_NONAME);
    }
    let families = if hints.flags & AI_ADDRCONFIG != 0 { configured(families) } else { families };
    if !families.v4 && !families.v6 {
        return Err(EAI_NODATA);
    }
    resolve::by_name(node, families, found).map_err(number_of)?;
    order(found)
}

/// Sorts addresses as RFC 6724 wants it.
fn order(found: &mut Found) -> Result<(), c_int> {
    if found.addresses.len() < 2 {
        return Ok(());
    }
    let mut ranked = Array::<(Host, Rank)>::new();
    for &host in found.addresses.iter() {
        let source = source_for(host);
        ranked.push((host, rank(&host.ip, source.as_ref()))).map_err(|_| EAI_MEMORY)?;
    }
    sort(&mut ranked, |&(_, rank)| rank);
    for (place, (host, _)) in found.addresses.iter_mut().zip(ranked.iter()) {
        *place = *host;
    }
    Ok(())
}

/// An entry with room for an address behind it; null without memory.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn allocaddrinfo(address_len: c_uint) -> *mut Addrinfo {
    // SAFETY: any size may be asked for; the address lies behind the entry in the same block.
    unsafe {
        let entry = calloc(1, size_of::<Addrinfo>() + address_len as usize).cast::<Addrinfo>();
        if !entry.is_null() {
            (*entry).address = entry.add(1).cast();
            (*entry).address_len = address_len;
        }
        entry
    }
}

/// Makes the entry of an address for one use.
fn entry(hints: &Hints, host: Host, wanted: &Use) -> *mut Addrinfo {
    let (address, length) = SocketAddress::new(host, wanted.port);
    let entry = allocaddrinfo(length);
    if !entry.is_null() {
        // SAFETY: the entry is new, and has room for the address.
        unsafe {
            (*entry).flags = hints.flags;
            (*entry).family = host.ip.family();
            (*entry).socket_type = wanted.socket_type;
            (*entry).protocol = wanted.protocol;
            core::ptr::copy_nonoverlapping(
                (&raw const address).cast::<u8>(),
                (*entry).address.cast(),
                length as usize,
            );
        }
    }
    entry
}

/// Makes the list; None without memory.
fn list(hints: &Hints, found: &Found, uses: &[Use]) -> Option<*mut Addrinfo> {
    let mut first: *mut Addrinfo = null_mut();
    let mut end = &raw mut first;
    for &host in found.addresses.iter() {
        for wanted in uses {
            let entry = entry(hints, host, wanted);
            // SAFETY: `end` is the link of the last entry, or the head.
            unsafe {
                if entry.is_null() {
                    freeaddrinfo(first);
                    return None;
                }
                end.write(entry);
                end = &raw mut (*entry).next;
            }
        }
    }
    if hints.flags & AI_CANONNAME != 0 && !first.is_null() {
        let name = found.name.as_bytes();
        // SAFETY: the block has room for the name and its end, which is there already.
        unsafe {
            let block = calloc(1, name.len() + 1);
            if block.is_null() {
                freeaddrinfo(first);
                return None;
            }
            core::ptr::copy_nonoverlapping(name.as_ptr(), block.cast(), name.len());
            (*first).canonical_name = block.cast();
        }
    }
    Some(first)
}

/// Checks the hints.
///
/// # Safety
/// `hints` is null or points to hints.
unsafe fn read_hints(hints: *const Addrinfo, has_node: bool) -> Result<Hints, c_int> {
    // SAFETY: as this function's own.
    let Some(hints) = (unsafe { hints.as_ref() }) else { return Ok(Hints::default()) };
    if hints.address_len != 0
        || !hints.canonical_name.is_null()
        || !hints.address.is_null()
        || !hints.next.is_null()
    {
        return Err(EAI_BADHINTS);
    }
    if hints.flags & !AI_MASK != 0 || (hints.flags & AI_CANONNAME != 0 && !has_node) {
        return Err(EAI_BADFLAGS);
    }
    if !matches!(hints.family, AF_UNSPEC | AF_INET | AF_INET6) {
        return Err(EAI_FAMILY);
    }
    Ok(Hints {
        flags: hints.flags,
        family: hints.family,
        socket_type: hints.socket_type,
        protocol: hints.protocol,
    })
}

/// Finds the addresses of a host and a service; 0, or a number for gai_strerror(3).
///
/// # Safety
/// `node` and `service` are null or C strings, `hints` is null or points to hints, `result` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const Addrinfo,
    result: *mut *mut Addrinfo,
) -> c_int {
    let mut wanted = Array::new();
    let mut found = Found::new();
    // SAFETY: as this function's own.
    unsafe {
        let bytes = |string: *const c_char| (!string.is_null()).then(|| CStr::from_ptr(string).to_bytes());
        let (node, service) = (bytes(node), bytes(service).filter(|service| !service.is_empty()));
        if node.is_none() && service.is_none() {
            return EAI_NONAME;
        }
        let done = read_hints(hints, node.is_some()).and_then(|hints| {
            uses(&hints, service, &mut wanted)?;
            hosts(&hints, node, &mut found)?;
            list(&hints, &found, &wanted).ok_or(EAI_MEMORY)
        });
        match done {
            Ok(list) => {
                result.write(list);
                0
            }
            Err(error) => error,
        }
    }
}

/// Frees a list of getaddrinfo(3).
///
/// # Safety
/// `list` is null or such a list, and not used again.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn freeaddrinfo(mut list: *mut Addrinfo) {
    while !list.is_null() {
        // SAFETY: as this function's own; each entry is a block with the address in it.
        unsafe {
            let next = (*list).next;
            free((*list).canonical_name.cast());
            free(list.cast());
            list = next;
        }
    }
}

#[cfg(test)]
mod tests;
