//! getifaddrs(3), and if_nameindex(3) (RFC 3493, 4).

use super::buffer::put;
use super::interfaces::{ADDRESS, BROADCAST, Message, NETMASK, index_of, link_name, messages, name_of};
use super::kernel::interface_list;
use crate::errno;
use crate::stdlib::heap::{calloc, free};
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::null_mut;
use rump_abi::net_if::IF_NAMESIZE;
use rump_abi::socket::{AF_INET, AF_INET6};
use rump_abi::types::{Sockaddr, SockaddrIn, SockaddrIn6};

/// `struct ifaddrs`.
#[derive(Debug)]
#[repr(C)]
pub struct Ifaddrs {
    next: *mut Self,
    name: *mut c_char,
    flags: c_uint,
    address: *mut Sockaddr,
    netmask: *mut Sockaddr,
    other: *mut Sockaddr,
    data: *mut c_void,
    address_flags: c_uint,
}

const _: () = assert!(size_of::<Ifaddrs>() == size_of::<rump_abi::types::Ifaddrs>());

/// `struct if_nameindex`.
#[derive(Debug)]
#[repr(C)]
pub struct IfNameindex {
    index: c_uint,
    name: *mut c_char,
}

/// Memory that is handed out piece by piece, each aligned to eight bytes.
struct Pieces {
    at: *mut u8,
    left: usize,
}

impl Pieces {
    /// Copies bytes into a piece that has at least `size` bytes; null where there is no room left. What is not copied is zero.
    fn take(&mut self, bytes: &[u8], size: usize) -> *mut u8 {
        let size = size.max(bytes.len()).next_multiple_of(8);
        let Some(left) = self.left.checked_sub(size) else { return null_mut() };
        let start = self.at;
        // SAFETY: there is as much room.
        unsafe {
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            self.at = start.add(size);
        }
        self.left = left;
        start
    }
}

/// Bytes that the pieces of one entry need at most, besides what the kernel's message has.
const ENTRY_BYTES: usize = size_of::<Ifaddrs>() + 256;

/// Bytes of a whole socket address of the family that `address` has; the kernel cuts netmasks.
fn whole(address: &[u8]) -> usize {
    match address.get(1).copied().map(i32::from) {
        Some(AF_INET) => size_of::<SockaddrIn>(),
        Some(AF_INET6) => size_of::<SockaddrIn6>(),
        _ => 0,
    }
}

/// A socket address as programs want it: kernels of this family keep the interface of a link-local address inside of it.
fn copy_address(pieces: &mut Pieces, address: &[u8], size: usize) -> *mut Sockaddr {
    if address.is_empty() {
        return null_mut();
    }
    let copy = pieces.take(address, size);
    if !copy.is_null()
        && address.get(1).copied().map(i32::from) == Some(AF_INET6)
        && let Some(&[0xfe, second, high, low]) = address.get(8..12)
        && second & 0xc0 == 0x80
        && (high, low) != (0, 0)
        && address.len() >= size_of::<SockaddrIn6>()
    {
        // SAFETY: the piece has a whole `sockaddr_in6`: two bytes of its address and its scope are written.
        unsafe {
            copy.add(10).cast::<[u8; 2]>().write([0, 0]);
            copy.add(24).cast::<u32>().write(u16::from_be_bytes([high, low]).into());
        }
    }
    copy.cast()
}

/// Makes the list of the kernel's messages; Err without memory.
fn list(messages_of: &[u8]) -> Result<*mut Ifaddrs, ()> {
    let count = messages(messages_of).count();
    let size = count * ENTRY_BYTES + messages_of.len() * 2;
    let mut first: *mut Ifaddrs = null_mut();
    if count == 0 {
        return Ok(first);
    }
    // SAFETY: any size may be asked for.
    let block = unsafe { calloc(1, size) };
    if block.is_null() {
        return Err(());
    }
    let mut pieces = Pieces { at: block.cast(), left: size };
    let mut end = &raw mut first;
    // The interface that addresses follow.
    let mut current: (u32, *mut c_char, u32) = (0, null_mut(), 0);
    for message in messages(messages_of) {
        let entry: *mut Ifaddrs = pieces.take(&[], size_of::<Ifaddrs>()).cast();
        if entry.is_null() {
            break;
        }
        // SAFETY: the entry is a piece of its size, zeroed; `end` is the link of the last entry, or the head.
        unsafe {
            match message {
                Message::Interface { index, flags, link, data } => {
                    let name = link_name(link);
                    current = (index, pieces.take(name, name.len() + 1).cast(), flags);
                    (*entry).address = copy_address(&mut pieces, link, 0);
                    (*entry).data = pieces.take(data, 0).cast();
                }
                Message::Address { index, flags, addresses } => {
                    if index != current.0 {
                        continue;
                    }
                    let address = addresses.get(ADDRESS);
                    let size = whole(address);
                    (*entry).address = copy_address(&mut pieces, address, size);
                    (*entry).netmask = copy_address(&mut pieces, addresses.get(NETMASK), size);
                    (*entry).other = copy_address(&mut pieces, addresses.get(BROADCAST), size);
                    (*entry).address_flags = flags;
                }
            }
            if current.1.is_null() {
                break;
            }
            ((*entry).name, (*entry).flags) = (current.1, current.2);
            end.write(entry);
            end = &raw mut (*entry).next;
        }
    }
    // The block is freed by its first entry, which is its first piece, so a list without entries may have no block.
    if first.is_null() {
        // SAFETY: nothing points into it.
        unsafe { free(block) };
    } else if first.cast() != block {
        // SAFETY: a first message that gave no entry left its piece unused: the first entry moves there.
        unsafe {
            let moved = block.cast::<Ifaddrs>();
            moved.write(first.read());
            first = moved;
        }
    }
    Ok(first)
}

/// Lists all interfaces and their addresses.
///
/// # Safety
/// `result` is writable.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getifaddrs(result: *mut *mut Ifaddrs) -> c_int {
    let Some(messages) = interface_list() else { return -1 };
    let Ok(list) = list(&messages) else { return errno::fail(errno::ENOMEM) };
    // SAFETY: as this function's own.
    unsafe { result.write(list) };
    0
}

/// Frees a list of getifaddrs(3).
///
/// # Safety
/// `list` is null or such a list, and not used again.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn freeifaddrs(list: *mut Ifaddrs) {
    // SAFETY: as this function's own; the first entry is at the start of the only block.
    unsafe { free(list.cast()) }
}

/// The number of the interface with this name; 0 with ENXIO where there is none.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn if_nametoindex(name: *const c_char) -> c_uint {
    // SAFETY: as this function's own.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes();
    let Some(list) = interface_list() else { return 0 };
    index_of(&list, name).unwrap_or_else(|| {
        errno::set(errno::ENXIO);
        0
    })
}

/// Writes the name of an interface; null with ENXIO where there is none.
///
/// # Safety
/// `target` has IF_NAMESIZE bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn if_indextoname(index: c_uint, target: *mut c_char) -> *mut c_char {
    let Some(list) = interface_list() else { return null_mut() };
    let Some(name) = name_of(&list, index).filter(|name| !name.is_empty()) else {
        errno::set(errno::ENXIO);
        return null_mut();
    };
    // SAFETY: as this function's own.
    if unsafe { put(name, target, IF_NAMESIZE as usize) } { target } else { null_mut() }
}

/// Lists the numbers and names of all interfaces; the last entry is 0 and null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn if_nameindex() -> *mut IfNameindex {
    let Some(list) = interface_list() else { return null_mut() };
    let interfaces = || {
        messages(&list).filter_map(|message| match message {
            Message::Interface { index, link, .. } => Some((index, link_name(link))),
            Message::Address { .. } => None,
        })
    };
    let entries = (interfaces().count() + 1) * size_of::<IfNameindex>();
    let size = entries + interfaces().map(|(_, name)| (name.len() + 1).next_multiple_of(8)).sum::<usize>();
    // SAFETY: any size may be asked for; what is written is within the block, and the last entry is zero already.
    unsafe {
        let block = calloc(1, size);
        if block.is_null() {
            errno::set(errno::ENOMEM);
            return null_mut();
        }
        let mut pieces = Pieces { at: block.cast::<u8>().add(entries), left: size - entries };
        for (place, (index, name)) in interfaces().enumerate() {
            let name = pieces.take(name, name.len() + 1).cast();
            block.cast::<IfNameindex>().add(place).write(IfNameindex { index, name });
        }
        block.cast()
    }
}

/// Frees a list of if_nameindex(3).
///
/// # Safety
/// `list` is null or such a list, and not used again.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn if_freenameindex(list: *mut IfNameindex) {
    // SAFETY: as this function's own; names are in the same block.
    unsafe { free(list.cast()) }
}

/// Moves the interface of a link-local address from inside of the address to its scope; getifaddrs(3) has done so already.
///
/// # Safety
/// `address` points to an address.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn inet6_getscopeid(address: *mut SockaddrIn6, _flags: c_int) {
    let place = address.cast::<u8>();
    // SAFETY: as this function's own.
    unsafe {
        let [first, second, high, low] = place.add(8).cast::<[u8; 4]>().read();
        if (*address).sin6_scope_id == 0 && first == 0xfe && second & 0xc0 == 0x80 && (high, low) != (0, 0) {
            (*address).sin6_scope_id = u16::from_be_bytes([high, low]).into();
            place.add(10).cast::<[u8; 2]>().write([0, 0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::interfaces::made;
    use proptest::prelude::*;

    #[test]
    fn entries() {
        let mut found = null_mut();
        let mut lines = Vec::new();
        // SAFETY: the list is looked at before it is freed.
        unsafe {
            assert_eq!(getifaddrs(&raw mut found), 0);
            let mut at = found;
            while let Some(entry) = at.as_ref() {
                assert_eq!((CStr::from_ptr(entry.name), entry.flags), (c"lo0", 8));
                let family = (*entry.address).sa_family;
                lines.push((family, !entry.netmask.is_null(), !entry.other.is_null(), !entry.data.is_null()));
                if let Some((host, _)) = crate::net::address::SocketAddress::read(entry.address, 28) {
                    assert_eq!(host.scope, u32::from(host.ip.is_link_local()));
                }
                at = entry.next;
            }
            freeifaddrs(found);
        }
        assert_eq!(
            lines,
            [
                (18, false, false, true),
                (2, true, true, false),
                (24, false, false, false),
                (24, false, false, false)
            ]
        );
    }

    #[test]
    fn names_and_numbers() {
        let mut name = [0; 16];
        // SAFETY: C strings, room for a name, and a list that ends with 0.
        unsafe {
            assert_eq!((if_nametoindex(c"lo0".as_ptr()), if_nametoindex(c"wm0".as_ptr())), (1, 0));
            assert_eq!(CStr::from_ptr(if_indextoname(1, name.as_mut_ptr())), c"lo0");
            assert!(if_indextoname(2, name.as_mut_ptr()).is_null());
            let list = if_nameindex();
            assert_eq!(((*list).index, CStr::from_ptr((*list).name), (*list.add(1)).index), (1, c"lo0", 0));
            if_freenameindex(list);
        }
    }

    proptest! {
        #[test]
        fn no_list_hurts(changes in proptest::collection::vec((0..600_usize, any::<u8>()), 0..8)) {
            let mut bytes = [
                made::address(1, &[(ADDRESS, &made::v4(1))]),
                made::interface(1, 8, b"lo0"),
                made::address(1, &[(NETMASK, &[0]), (ADDRESS, &made::v4(1)), (BROADCAST, &made::v4(9))]),
            ]
            .concat();
            for (at, byte) in changes {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            let made = list(&bytes).expect("memory");
            // SAFETY: a list, freed once.
            unsafe {
                let mut at = made;
                while !at.is_null() {
                    assert!(!(*at).name.is_null());
                    at = (*at).next;
                }
                freeifaddrs(made);
            }
        }
    }
}
