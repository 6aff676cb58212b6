//! Internet addresses, and the socket addresses that hold them.

use super::buffer::Text;
use super::numeric::{AddressText, parse_v6, write_v4, write_v6};
use rump_abi::socket::{AF_INET, AF_INET6};
use rump_abi::types::{In6Addr, InAddr, Sockaddr, SockaddrIn, SockaddrIn6};

/// An address of either version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ip {
    /// IPv4, as it goes over the wire.
    V4([u8; 4]),
    /// IPv6, as it goes over the wire.
    V6([u8; 16]),
}

impl Ip {
    /// The loopback addresses.
    pub const LOOPBACK: [Self; 2] =
        [Self::V6([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), Self::V4([127, 0, 0, 1])];

    /// The address in `bytes`, of which there are 4 or 16.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            4 => Some(Self::V4(bytes.try_into().ok()?)),
            16 => Some(Self::V6(bytes.try_into().ok()?)),
            _ => None,
        }
    }

    /// The address as it goes over the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::V4(bytes) => bytes,
            Self::V6(bytes) => bytes,
        }
    }

    /// AF_INET or AF_INET6.
    #[must_use]
    pub fn family(&self) -> i32 {
        match self {
            Self::V4(_) => AF_INET,
            Self::V6(_) => AF_INET6,
        }
    }

    /// Whether an address says nothing without the interface: fe80::/10 and ff02::/16, ff01::/16.
    #[must_use]
    pub fn is_link_local(&self) -> bool {
        match self {
            Self::V4(_) => false,
            Self::V6([a, b, ..]) => {
                (*a == 0xfe && b & 0xc0 == 0x80) || (*a == 0xff && matches!(b & 0x0f, 1 | 2))
            }
        }
    }
}

/// An address with the interface that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// The address.
    pub ip: Ip,
    /// The interface's number; 0 where it needs none.
    pub scope: u32,
}

impl From<Ip> for Host {
    fn from(ip: Ip) -> Self {
        Self { ip, scope: 0 }
    }
}

impl Host {
    /// Reads an address in numbers; `v4` reads IPv4 addresses, `index_of` finds an interface by its name.
    pub(crate) fn parse(
        text: &[u8],
        v4: impl FnOnce(&[u8]) -> Option<[u8; 4]>,
        index_of: impl FnOnce(&[u8]) -> Option<u32>,
    ) -> Option<Self> {
        if let Some(found) = v4(text) {
            return Some(Ip::V4(found).into());
        }
        let mut parts = text.splitn(2, |&byte| byte == b'%');
        let ip = Ip::V6(parse_v6(parts.next()?)?);
        let scope = match parts.next() {
            None => 0,
            Some(_) if !ip.is_link_local() => return None,
            Some(name) => crate::database::number(name).or_else(|| index_of(name))?,
        };
        Some(Self { ip, scope })
    }

    /// The address as text, with the interface's name, which `name_of` finds, or its number.
    pub(crate) fn text(&self, name_of: impl FnOnce(u32, &mut Text<16>) -> bool) -> AddressText {
        let mut text = AddressText::new();
        match self.ip {
            Ip::V4(bytes) => write_v4(bytes, &mut text),
            Ip::V6(bytes) => write_v6(bytes, &mut text),
        }
        if self.scope != 0 && self.ip.is_link_local() {
            text.push(b'%');
            let mut name = Text::new();
            if name_of(self.scope, &mut name) {
                text.extend(name.as_bytes());
            } else {
                text.decimal(self.scope);
            }
        }
        text
    }
}

/// A socket address of either version.
#[derive(Clone, Copy)]
#[repr(C)]
pub union SocketAddress {
    /// What all have in common.
    pub any: Sockaddr,
    /// IPv4.
    pub v4: SockaddrIn,
    /// IPv6.
    pub v6: SockaddrIn6,
}

impl SocketAddress {
    /// The address of `host` and a port in host order, and its size in bytes.
    #[must_use]
    pub fn new(host: Host, port: u16) -> (Self, u32) {
        let mut address = Self { v6: SockaddrIn6::ZERO };
        match host.ip {
            Ip::V4(bytes) => {
                let len = size_of::<SockaddrIn>() as u8;
                address.v4 = SockaddrIn {
                    sin_len: len,
                    sin_family: AF_INET as u8,
                    sin_port: port.to_be(),
                    sin_addr: InAddr { s_addr: u32::from_ne_bytes(bytes) },
                    sin_zero: [0; 8],
                };
                (address, len.into())
            }
            Ip::V6(bytes) => {
                let len = size_of::<SockaddrIn6>() as u8;
                let mut words = [0; 4];
                for (word, part) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *word = u32::from_ne_bytes(*part);
                }
                address.v6 = SockaddrIn6 {
                    sin6_len: len,
                    sin6_family: AF_INET6 as u8,
                    sin6_port: port.to_be(),
                    sin6_flowinfo: 0,
                    sin6_addr: In6Addr { __u6_addr: words },
                    sin6_scope_id: host.scope,
                };
                (address, len.into())
            }
        }
    }

    /// The host and the port, in host order, of a socket address in memory; None for other families, and where it is too short.
    ///
    /// # Safety
    /// `address` points to `len` bytes.
    #[must_use]
    pub unsafe fn read(address: *const Sockaddr, len: usize) -> Option<(Host, u16)> {
        if address.is_null() || len < size_of::<Sockaddr>() {
            return None;
        }
        // SAFETY: as this function's own; each size is looked at first. The program may have put them anywhere.
        unsafe {
            let family = i32::from((*address).sa_family);
            if family == AF_INET && len >= size_of::<SockaddrIn>() {
                let v4 = address.cast::<SockaddrIn>().read_unaligned();
                let host = Ip::V4(v4.sin_addr.s_addr.to_ne_bytes()).into();
                return Some((host, u16::from_be(v4.sin_port)));
            }
            if family == AF_INET6 && len >= size_of::<SockaddrIn6>() {
                let v6 = address.cast::<SockaddrIn6>().read_unaligned();
                let mut bytes = [0; 16];
                for (part, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(v6.sin6_addr.__u6_addr) {
                    *part = word.to_ne_bytes();
                }
                let host = Host { ip: Ip::V6(bytes), scope: v6.sin6_scope_id };
                return Some((host, u16::from_be(v6.sin6_port)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::numeric::parse_v4;

    #[test]
    fn socket_addresses_there_and_back() {
        for host in [
            Ip::V4([10, 0, 2, 15]).into(),
            Host { ip: Ip::V6([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]), scope: 3 },
        ] {
            let (address, len) = SocketAddress::new(host, 8080);
            // SAFETY: the address with its size.
            unsafe {
                assert_eq!(address.any.sa_len as u32, len);
                assert_eq!(SocketAddress::read(&raw const address.any, len as usize), Some((host, 8080)));
                assert_eq!(SocketAddress::read(&raw const address.any, 15), None);
            }
        }
    }

    #[test]
    fn scopes() {
        let index_of = |name: &[u8]| (name == b"lo0").then_some(1);
        let parse = |text: &str| Host::parse(text.as_bytes(), parse_v4, index_of);
        assert_eq!(parse("fe80::1%lo0").map(|host| host.scope), Some(1));
        assert_eq!(parse("fe80::1%7").map(|host| host.scope), Some(7));
        assert_eq!(parse("fe80::1%nope"), None);
        assert_eq!(parse("2001:db8::1%lo0"), None);
        let host = parse("fe80::1%9").expect("an address");
        assert_eq!(host.text(|_, _| false).as_bytes(), b"fe80::1%9");
        assert_eq!(
            host.text(|_, name| {
                name.extend(b"wm0");
                true
            })
            .as_bytes(),
            b"fe80::1%wm0"
        );
    }
}
