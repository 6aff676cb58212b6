//! What the kernel says of interfaces: the messages of the sysctl net.route.0.0.iflist (sysctl(7), route(4), net/if.h).

use super::address::Ip;
use rump_abi::socket::{AF_INET, AF_INET6, AF_LINK};

/// RTM_IFINFO of net/route.h.
const RTM_IFINFO: u8 = 0x14;
/// RTM_NEWADDR of net/route.h.
const RTM_NEWADDR: u8 = 0x16;
/// RTM_VERSION of net/route.h.
const RTM_VERSION: u8 = 4;
/// Bytes of `struct if_msghdr`.
const IF_MSGHDR_BYTES: usize = 152;
/// Where the counters are in it.
const IF_DATA_AT: usize = 16;
/// Bytes of `struct ifa_msghdr`.
const IFA_MSGHDR_BYTES: usize = 32;
/// RTAX_MAX of net/route.h.
const ADDRESS_KINDS: usize = 9;
/// RTAX_NETMASK.
pub(crate) const NETMASK: usize = 2;
/// RTAX_IFP.
pub(crate) const INTERFACE: usize = 4;
/// RTAX_IFA.
pub(crate) const ADDRESS: usize = 5;
/// RTAX_BRD.
pub(crate) const BROADCAST: usize = 7;

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Socket addresses by what they are, as a mask of bits announced them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses<'a>([&'a [u8]; ADDRESS_KINDS]);

impl<'a> Addresses<'a> {
    fn read(mask: u32, mut bytes: &'a [u8]) -> Self {
        let mut addresses = [b"".as_slice(); ADDRESS_KINDS];
        for (kind, place) in addresses.iter_mut().enumerate() {
            if mask >> kind & 1 == 0 {
                continue;
            }
            let Some(&length) = bytes.first() else { break };
            let length = usize::from(length);
            *place = bytes.get(..length).unwrap_or_default();
            bytes = bytes.get(length.max(1).next_multiple_of(8)..).unwrap_or_default();
        }
        Self(addresses)
    }

    /// The address of a kind; nothing where there is none.
    pub(crate) fn get(&self, kind: usize) -> &'a [u8] {
        self.0.get(kind).copied().unwrap_or_default()
    }
}

/// A message of the list.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    /// An interface.
    Interface {
        /// Its number.
        index: u32,
        /// IFF_UP and the like.
        flags: u32,
        /// Its AF_LINK address.
        link: &'a [u8],
        /// `struct if_data`.
        data: &'a [u8],
    },
    /// An address of the interface before.
    Address {
        /// The interface's number.
        index: u32,
        /// IN6_IFF_DEPRECATED and the like.
        flags: u32,
        /// Address, netmask and broadcast address.
        addresses: Addresses<'a>,
    },
}

/// Takes the list apart; kinds of messages that mean nothing here are skipped.
pub(crate) fn messages(list: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = list;
    core::iter::from_fn(move || {
        loop {
            let length = usize::from(half(rest, 0)?);
            if length < 4 {
                return None;
            }
            let (message, behind) = rest.split_at_checked(length)?;
            rest = behind;
            if message.get(2) != Some(&RTM_VERSION) {
                continue;
            }
            match message.get(3) {
                Some(&RTM_IFINFO) => {
                    let Some(tail) = message.get(IF_MSGHDR_BYTES..) else { continue };
                    return Some(Message::Interface {
                        index: half(message, 12)?.into(),
                        flags: word(message, 8)?,
                        link: Addresses::read(word(message, 4)?, tail).get(INTERFACE),
                        data: message.get(IF_DATA_AT..IF_MSGHDR_BYTES)?,
                    });
                }
                Some(&RTM_NEWADDR) => {
                    let Some(tail) = message.get(IFA_MSGHDR_BYTES..) else { continue };
                    return Some(Message::Address {
                        index: half(message, 4)?.into(),
                        flags: word(message, 20)?,
                        addresses: Addresses::read(word(message, 12)?, tail),
                    });
                }
                _ => {}
            }
        }
    })
}

/// The interface's name in its AF_LINK address.
pub(crate) fn link_name(link: &[u8]) -> &[u8] {
    let length = usize::from(link.get(5).copied().unwrap_or(0));
    if link.get(1).copied().map(i32::from) != Some(AF_LINK) {
        b""
    } else {
        link.get(8..8 + length).unwrap_or_default()
    }
}

/// The internet address in a socket address.
pub(crate) fn ip(address: &[u8]) -> Option<Ip> {
    match address.get(1).copied().map(i32::from)? {
        AF_INET => Ip::from_bytes(address.get(4..8)?),
        AF_INET6 => Ip::from_bytes(address.get(8..24)?),
        _ => None,
    }
}

/// The number of the interface with this name.
pub(crate) fn index_of(list: &[u8], name: &[u8]) -> Option<u32> {
    messages(list).find_map(|message| match message {
        Message::Interface { index, link, .. } => {
            (!name.is_empty() && link_name(link) == name).then_some(index)
        }
        Message::Address { .. } => None,
    })
}

/// The name of the interface with this number.
pub(crate) fn name_of(list: &[u8], wanted: u32) -> Option<&[u8]> {
    messages(list).find_map(|message| match message {
        Message::Interface { index, link, .. } if index == wanted => Some(link_name(link)),
        _ => None,
    })
}

/// Messages as a kernel would make them.
#[cfg(test)]
pub(crate) mod made {
    use super::*;

    pub(crate) fn interface(index: u16, flags: u32, name: &[u8]) -> Vec<u8> {
        let mut link = vec![0, AF_LINK as u8];
        link.extend(index.to_ne_bytes());
        link.extend([6, name.len() as u8, 6, 0]);
        link.extend(name);
        link.extend([2, 0, 0, 0, 0, index as u8]);
        link[0] = link.len() as u8;
        link.resize(link.len().next_multiple_of(8), 0);
        let mut message = vec![0; IF_MSGHDR_BYTES];
        message[4..8].copy_from_slice(&(1_u32 << INTERFACE).to_ne_bytes());
        message[8..12].copy_from_slice(&flags.to_ne_bytes());
        message[12..14].copy_from_slice(&index.to_ne_bytes());
        message[IF_DATA_AT] = 6;
        finish(message, RTM_IFINFO, &link)
    }

    pub(crate) fn address(index: u16, kinds: &[(usize, &[u8])]) -> Vec<u8> {
        let mut message = vec![0; IFA_MSGHDR_BYTES];
        let mask = kinds.iter().fold(0_u32, |mask, (kind, _)| mask | 1 << kind);
        message[4..6].copy_from_slice(&index.to_ne_bytes());
        message[12..16].copy_from_slice(&mask.to_ne_bytes());
        let mut tail = Vec::new();
        for (_, address) in kinds {
            tail.extend(*address);
            tail.resize(tail.len().max(1).next_multiple_of(8), 0);
        }
        finish(message, RTM_NEWADDR, &tail)
    }

    fn finish(mut message: Vec<u8>, kind: u8, tail: &[u8]) -> Vec<u8> {
        message.extend(tail);
        let length = message.len() as u16;
        message[..2].copy_from_slice(&length.to_ne_bytes());
        (message[2], message[3]) = (RTM_VERSION, kind);
        message
    }

    pub(crate) fn v4(last: u8) -> Vec<u8> {
        vec![16, AF_INET as u8, 0, 0, 10, 0, 2, last, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    pub(crate) fn v6(bytes: [u8; 16]) -> Vec<u8> {
        [vec![28, AF_INET6 as u8, 0, 0, 0, 0, 0, 0], bytes.to_vec(), vec![0; 4]].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn interfaces_and_addresses() {
        let other = vec![8, 0, RTM_VERSION, 0x10, 0, 0, 0, 0];
        let list = [
            made::interface(1, 8, b"lo0"),
            other,
            made::interface(2, 1, b"vioif0"),
            made::address(
                2,
                &[
                    (NETMASK, &[7, 0, 0, 0, 255, 255, 255]),
                    (ADDRESS, &made::v4(15)),
                    (BROADCAST, &made::v4(255)),
                ],
            ),
        ]
        .concat();
        assert_eq!(
            (index_of(&list, b"vioif0"), index_of(&list, b"wm0"), index_of(&list, b"")),
            (Some(2), None, None)
        );
        assert_eq!((name_of(&list, 1), name_of(&list, 3)), (Some(b"lo0".as_slice()), None));
        let last = messages(&list).last();
        let Some(Message::Address { index, addresses, .. }) = last else { panic!("no address") };
        assert_eq!((index, ip(addresses.get(ADDRESS))), (2, Some(Ip::V4([10, 0, 2, 15]))));
        assert_eq!(
            (addresses.get(NETMASK).len(), addresses.get(BROADCAST).len(), addresses.get(0).len()),
            (7, 16, 0)
        );
    }

    proptest! {
        #[test]
        fn no_list_hurts(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0..300_usize, byte: u8) {
            messages(&bytes).for_each(drop);
            let mut list = [made::interface(1, 8, b"lo0"), made::address(1, &[(ADDRESS, &made::v4(1))])].concat();
            if let Some(place) = list.get_mut(at) {
                *place = byte;
            }
            for message in messages(&list) {
                if let Message::Interface { link, .. } = message {
                    link_name(link);
                }
            }
        }
    }
}
