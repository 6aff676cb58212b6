//! Ethernet II frames, and ARP for IPv4 over Ethernet (RFC 894, RFC 826).

use super::{get_array, get_u16, put_u16};

/// A hardware address.
pub type Mac = [u8; 6];

/// Bytes of the header.
pub const ETHER_LEN: usize = 14;
/// EtherType of IPv4.
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ETHERTYPE_ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub const ETHERTYPE_IPV6: u16 = 0x86dd;

/// An Ethernet header.
#[derive(Clone, Copy)]
pub struct Ethernet<'a>(&'a [u8; ETHER_LEN]);

impl<'a> Ethernet<'a> {
    /// Of a frame's first bytes; `None` if there are too few.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        bytes.first_chunk().map(Self)
    }

    /// Whom it is for.
    #[inline]
    #[must_use]
    pub fn dst(self) -> Mac {
        get_array(self.0, 0)
    }

    /// Who sent it.
    #[inline]
    #[must_use]
    pub fn src(self) -> Mac {
        get_array(self.0, 6)
    }

    /// The protocol of the payload.
    #[inline]
    #[must_use]
    pub fn ethertype(self) -> u16 {
        get_u16(self.0, 12)
    }

    /// A header.
    #[inline]
    #[must_use]
    pub fn emit(dst: Mac, src: Mac, ethertype: u16) -> [u8; ETHER_LEN] {
        let mut bytes = [0; ETHER_LEN];
        bytes[..6].copy_from_slice(&dst);
        bytes[6..12].copy_from_slice(&src);
        put_u16(&mut bytes, 12, ethertype);
        bytes
    }
}

/// Bytes of an ARP packet.
pub const ARP_LEN: usize = 28;

/// An ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// [`Arp::REQUEST`] or [`Arp::REPLY`].
    pub operation: u16,
    /// The sender's hardware address.
    pub sender_mac: Mac,
    /// The sender's address.
    pub sender: [u8; 4],
    /// The target's hardware address.
    pub target_mac: Mac,
    /// The target's address.
    pub target: [u8; 4],
}

impl Arp {
    /// Who has the target's address?
    pub const REQUEST: u16 = 1;
    /// The sender has its.
    pub const REPLY: u16 = 2;

    /// Hardware type Ethernet, protocol IPv4, and the lengths of their addresses.
    const KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];

    /// Reads a packet; `None` if it is too short or not about IPv4 over Ethernet.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; ARP_LEN] = bytes.first_chunk()?;
        (bytes[..6] == Self::KIND).then(|| Self {
            operation: get_u16(bytes, 6),
            sender_mac: get_array(bytes, 8),
            sender: get_array(bytes, 14),
            target_mac: get_array(bytes, 18),
            target: get_array(bytes, 24),
        })
    }

    /// The packet's bytes.
    #[must_use]
    pub fn emit(&self) -> [u8; ARP_LEN] {
        let mut bytes = [0; ARP_LEN];
        bytes[..6].copy_from_slice(&Self::KIND);
        put_u16(&mut bytes, 6, self.operation);
        bytes[8..14].copy_from_slice(&self.sender_mac);
        bytes[14..18].copy_from_slice(&self.sender);
        bytes[18..24].copy_from_slice(&self.target_mac);
        bytes[24..].copy_from_slice(&self.target);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let bytes = Ethernet::emit([1; 6], [2; 6], ETHERTYPE_IPV6);
        let view = Ethernet::new(&bytes).unwrap();
        assert_eq!((view.dst(), view.src(), view.ethertype()), ([1; 6], [2; 6], ETHERTYPE_IPV6));
        assert!(Ethernet::new(&bytes[..13]).is_none());
        let arp = Arp {
            operation: Arp::REPLY,
            sender_mac: [1; 6],
            sender: [10, 0, 0, 1],
            target_mac: [2; 6],
            target: [10, 0, 0, 2],
        };
        assert_eq!(Arp::parse(&arp.emit()), Some(arp));
        assert_eq!(Arp::parse(&arp.emit()[..27]), None);
        let mut token_ring = arp.emit();
        token_ring[1] = 6;
        assert_eq!(Arp::parse(&token_ring), None);
    }
}
