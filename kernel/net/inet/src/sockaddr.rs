//! Addresses as programs see them: `sockaddr_in`, `sockaddr_in6`, `sockaddr_dl` (netinet/in.h, netinet6/in6.h, net/if_dl.h).

use alloc::vec::Vec;

use rump_abi::net_if::{IFT_ETHER, IFT_LOOP};
use rump_abi::socket::{AF_INET, AF_INET6, AF_LINK};
use rump_kern::Errno;
use rump_net::SockAddr;

use crate::addr::{Addr, Endpoint};
use crate::ifnet::{self, Ifnet};

/// Bytes of `sockaddr_in`.
pub const IN_LEN: usize = 16;
/// Bytes of `sockaddr_in6`.
pub const IN6_LEN: usize = 28;

/// An address family of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// AF_INET.
    V4,
    /// AF_INET6.
    V6,
}

impl Family {
    /// AF_ number.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::V4 => AF_INET,
            Self::V6 => AF_INET6,
        }
    }

    /// The address that stands for any.
    #[must_use]
    pub const fn unspecified(self) -> Addr {
        match self {
            Self::V4 => Addr::UNSPECIFIED_V4,
            Self::V6 => Addr::UNSPECIFIED_V6,
        }
    }
}

/// Reads an address for a socket of this family.
///
/// # Errors
/// EAFNOSUPPORT if it is of another family, EINVAL if it is not as long as its family's are, ENXIO if its scope is an interface that is not there.
pub fn decode(addr: &SockAddr, family: Family) -> Result<Endpoint, Errno> {
    if addr.family() != family.number() {
        return Err(Errno::EAFNOSUPPORT);
    }
    let bytes = addr.bytes();
    match family {
        Family::V4 => {
            let bytes: &[u8; IN_LEN] = bytes.try_into().map_err(|_| Errno::EINVAL)?;
            let [_, _, p, q, a, b, c, d, ..] = *bytes;
            Ok(Endpoint { addr: Addr::v4([a, b, c, d]), port: u16::from_be_bytes([p, q]) })
        }
        Family::V6 => {
            let bytes: &[u8; IN6_LEN] = bytes.try_into().map_err(|_| Errno::EINVAL)?;
            let port = u16::from_be_bytes([bytes[2], bytes[3]]);
            let mut octets = [0; 16];
            octets.copy_from_slice(&bytes[8..24]);
            let scope = u32::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]);
            Ok(Endpoint { addr: scoped(Addr(octets), scope)?, port })
        }
    }
}

/// An address that a program gave, with the zone that it said: its own number, one that the program put into the address, or, for a link-local address without
/// either, the only interface that there is.
///
/// # Errors
/// ENXIO if there is no such interface.
pub fn scoped(addr: Addr, scope: u32) -> Result<Addr, Errno> {
    if !addr.has_zone() {
        return Ok(addr);
    }
    if scope != 0 {
        let ifp = ifnet::by_index(scope as usize).ok_or(Errno::ENXIO)?;
        return Ok(addr.with_zone(ifp.index));
    }
    if addr.zone() == 0 && addr.is_link_local() {
        let mut others = ifnet::all().into_iter().filter(|ifp| !ifp.is_loopback());
        if let (Some(only), None) = (others.next(), others.next()) {
            return Ok(addr.with_zone(only.index));
        }
    }
    Ok(addr)
}

/// The bytes of `sockaddr_in`.
#[must_use]
pub fn in_bytes(addr: [u8; 4], port: u16) -> [u8; IN_LEN] {
    let [p, q] = port.to_be_bytes();
    let [a, b, c, d] = addr;
    [IN_LEN as u8, AF_INET as u8, p, q, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// The bytes of `sockaddr_in6`.
#[must_use]
pub fn in6_bytes(addr: Addr, port: u16) -> [u8; IN6_LEN] {
    let mut bytes = [0; IN6_LEN];
    (bytes[0], bytes[1]) = (IN6_LEN as u8, AF_INET6 as u8);
    bytes[2..4].copy_from_slice(&port.to_be_bytes());
    bytes[8..24].copy_from_slice(&addr.without_zone().0);
    bytes[24..].copy_from_slice(&u32::from(addr.zone()).to_le_bytes());
    bytes
}

/// An address for a socket of this family.
#[must_use]
pub fn encode(endpoint: Endpoint, family: Family) -> SockAddr {
    let addr = match family {
        Family::V4 => SockAddr::new(&in_bytes(endpoint.addr.low(), endpoint.port)),
        Family::V6 => SockAddr::new(&in6_bytes(endpoint.addr, endpoint.port)),
    };
    // Both are of lengths that an address may have.
    addr.unwrap_or_else(|| SockAddr::unnamed(family.number()))
}

/// The bytes of an interface's `sockaddr_dl`: with its name and hardware address.
#[must_use]
pub fn link_bytes(ifp: &Ifnet) -> Vec<u8> {
    /// Bytes before the name.
    const HEADER: usize = 8;
    let mac = ifp.mac();
    let mac = mac.as_ref().map_or(&[][..], |mac| &mac[..]);
    let name = ifp.name().as_bytes();
    let [low, high] = ifp.index.to_le_bytes();
    let kind = if ifp.is_loopback() { IFT_LOOP } else { IFT_ETHER };
    let len = (HEADER + name.len() + mac.len()).max(20);
    let header = [len as u8, AF_LINK as u8, low, high, kind as u8, name.len() as u8, mac.len() as u8, 0];
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(mac);
    bytes.resize(len, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let v4 = Endpoint { addr: Addr::v4([10, 0, 2, 15]), port: 8080 };
        assert_eq!(decode(&encode(v4, Family::V4), Family::V4), Ok(v4));
        assert_eq!(decode(&encode(v4, Family::V4), Family::V6), Err(Errno::EAFNOSUPPORT));
        assert_eq!(decode(&encode(v4, Family::V6), Family::V6), Ok(v4), "mapped");
        let short = SockAddr::new(&encode(v4, Family::V4).bytes()[..8]).unwrap();
        assert_eq!(decode(&short, Family::V4), Err(Errno::EINVAL));
        let nowhere =
            Endpoint { addr: Addr([0xfe, 0x80, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), port: 1 };
        assert_eq!(decode(&encode(nowhere, Family::V6), Family::V6), Err(Errno::ENXIO));
    }
}
