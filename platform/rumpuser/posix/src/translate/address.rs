//! Socket addresses: NetBSD's begin with a length and a family of a byte each, Linux' with a family of two bytes; behind that those of INET, INET6 and LOCAL are alike.

use std::ffi::c_int;

use rump_abi::errno::{EAFNOSUPPORT, EINVAL};
use rump_abi::socket::{AF_INET, AF_INET6, AF_LOCAL, AF_UNSPEC};

/// Families that both sides have: NetBSD's, Linux', and the least length of an address.
const FAMILIES: [(c_int, c_int, usize); 4] = [
    (AF_UNSPEC, libc::AF_UNSPEC, 2),
    (AF_LOCAL, libc::AF_UNIX, 2),
    (AF_INET, libc::AF_INET, 16),
    (AF_INET6, libc::AF_INET6, 28),
];

/// NetBSD's family as Linux'. EAFNOSUPPORT if it has none.
pub(crate) fn family(netbsd: c_int) -> Result<c_int, c_int> {
    FAMILIES.iter().find(|known| known.0 == netbsd).map(|known| known.1).ok_or(EAFNOSUPPORT)
}

/// The largest address of the families that there are: a `sockaddr_un`.
const LEN: usize = 128;

/// An address as Linux has it.
#[repr(C, align(8))]
pub(crate) struct Address {
    bytes: [u8; LEN],
    pub len: libc::socklen_t,
}

impl Address {
    /// Room for any.
    pub(crate) const fn room() -> Self {
        Self { bytes: [0; LEN], len: LEN as libc::socklen_t }
    }

    /// NetBSD's address. EINVAL if it is too short or too long.
    pub(crate) fn from_netbsd(address: &[u8]) -> Result<Self, c_int> {
        let mut own = Self::room();
        let &[_, number, ..] = address else { return Err(EINVAL) };
        let host = family(c_int::from(number))?;
        let least = FAMILIES.iter().find(|known| known.1 == host).map_or(2, |known| known.2);
        if address.len() < least {
            return Err(EINVAL);
        }
        own.bytes.get_mut(..address.len()).ok_or(EINVAL)?.copy_from_slice(address);
        own.bytes[..2].copy_from_slice(&(host as u16).to_ne_bytes());
        own.len = address.len() as libc::socklen_t;
        Ok(own)
    }

    /// As NetBSD has it; empty if there is none.
    pub(crate) fn to_netbsd(&self) -> Vec<u8> {
        let mut address = self.bytes[..LEN.min(self.len as usize)].to_vec();
        if let [len, number, ..] = address.as_mut_slice() {
            let host = c_int::from(u16::from_ne_bytes([*len, *number]));
            let known = FAMILIES.iter().find(|known| known.1 == host);
            *number = known.map_or(0, |known| known.0 as u8);
            *len = self.len as u8;
        }
        address
    }

    pub(crate) fn as_ptr(&self) -> *const libc::sockaddr {
        self.bytes.as_ptr().cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        self.bytes.as_mut_ptr().cast()
    }
}

#[cfg(test)]
mod tests {
    use super::Address;
    use rump_abi::errno::{EAFNOSUPPORT, EINVAL};

    #[test]
    fn addresses_come_back_as_they_went() {
        let mut inet6 = vec![28, 24, 0x1f, 0x90];
        inet6.resize(28, 7);
        for netbsd in
            [vec![16, 2, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], inet6, vec![5, 1, b'/', b'x', 0]]
        {
            let host = Address::from_netbsd(&netbsd).unwrap();
            assert_eq!(host.len as usize, netbsd.len());
            assert_eq!(host.to_netbsd(), netbsd);
        }
    }

    #[test]
    fn what_is_no_address_is_told() {
        assert_eq!(Address::from_netbsd(&[]).err(), Some(EINVAL));
        assert_eq!(Address::from_netbsd(&[16, 2, 0, 0]).err(), Some(EINVAL));
        assert_eq!(Address::from_netbsd(&[1; 200]).err(), Some(EINVAL));
        assert_eq!(Address::from_netbsd(&[4, 18, 0, 0]).err(), Some(EAFNOSUPPORT));
    }
}
