//! Addresses of sockets (`struct sockaddr`, sys/socket.h): a length, a family, and what the family puts after them.
//!
//! Addresses up to `sockaddr_in6`'s size are held in place; longer ones, paths, are shared.

use alloc::rc::Rc;

use rump_kern::copy::{copyin, copyin_bytes, copyout, copyout_bytes};
use rump_kern::errno::Errno;

/// Bytes held in place: `sockaddr_in6`.
const SMALL: usize = 28;

/// Length and family.
pub const HEADER_LEN: usize = 2;

/// Longest address: the length is a byte.
pub const LEN_MAX: usize = 255;

#[derive(Clone, Debug)]
enum Bytes {
    Small([u8; SMALL], u8),
    Long(Rc<[u8]>),
}

/// An address, at least [`HEADER_LEN`] and at most [`LEN_MAX`] bytes. Its first byte is always its length.
#[derive(Clone, Debug)]
pub struct SockAddr(Bytes);

impl SockAddr {
    /// From its bytes; the length byte is set to what it is. `None` if there are too few or too many.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if !(HEADER_LEN..=LEN_MAX).contains(&bytes.len()) {
            return None;
        }
        let len = bytes.len() as u8;
        if bytes.len() <= SMALL {
            let mut small = [0; SMALL];
            small[..bytes.len()].copy_from_slice(bytes);
            small[0] = len;
            return Some(Self(Bytes::Small(small, len)));
        }
        let mut long = [0; LEN_MAX];
        long[..bytes.len()].copy_from_slice(bytes);
        long[0] = len;
        Some(Self(Bytes::Long(Rc::from(&long[..bytes.len()]))))
    }

    /// An address of this family without anything after it.
    #[must_use]
    pub fn unnamed(family: i32) -> Self {
        let mut small = [0; SMALL];
        // Families are below AF_MAX.
        (small[0], small[1]) = (HEADER_LEN as u8, family as u8);
        Self(Bytes::Small(small, HEADER_LEN as u8))
    }

    /// sockargs(9): reads an address of `len` bytes from the application.
    ///
    /// # Errors
    /// EINVAL for an impossible length, EFAULT.
    pub fn copyin(addr: usize, len: u32) -> Result<Self, Errno> {
        let len = len as usize;
        if len <= HEADER_LEN || len > LEN_MAX {
            return Err(Errno::EINVAL);
        }
        let mut bytes = [0; LEN_MAX];
        copyin_bytes(addr, &mut bytes[..len])?;
        Self::new(&bytes[..len]).ok_or(Errno::EINVAL)
    }

    /// Its bytes.
    #[must_use]
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Small(bytes, len) => &bytes[..usize::from(*len)],
            Bytes::Long(bytes) => bytes,
        }
    }

    /// AF_ number.
    #[must_use]
    #[inline]
    pub fn family(&self) -> i32 {
        i32::from(self.bytes()[1])
    }

    /// What the family puts after length and family.
    #[must_use]
    #[inline]
    pub fn data(&self) -> &[u8] {
        &self.bytes()[HEADER_LEN..]
    }
}

impl PartialEq for SockAddr {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for SockAddr {}

/// Writes an address, or that there is none, to the application: as much of it as `room` bytes hold. Returns how many bytes that is.
///
/// # Errors
/// EFAULT.
pub fn copyout_name(name: Option<&SockAddr>, addr: usize, room: u32) -> Result<u32, Errno> {
    let bytes = name.map_or(&[][..], SockAddr::bytes);
    let len = bytes.len().min(room as usize);
    copyout_bytes(&bytes[..len], addr)?;
    Ok(len as u32)
}

/// The same where the length is a `socklen_t` at `len_addr`, which says the room and gets the result. A null `addr` asks for nothing.
///
/// # Errors
/// EFAULT.
pub fn copyout_name_and_len(name: Option<&SockAddr>, addr: usize, len_addr: usize) -> Result<(), Errno> {
    if addr == 0 {
        return Ok(());
    }
    let room: u32 = copyin(len_addr)?;
    let len = copyout_name(name, addr, room)?;
    copyout(&len, len_addr)
}

#[cfg(test)]
mod tests {
    use super::SockAddr;

    #[test]
    fn lengths() {
        assert!(SockAddr::new(&[0]).is_none() && SockAddr::new(&[0; 256]).is_none());
        let small = SockAddr::new(&[99, 2, 7, 7]).unwrap();
        assert_eq!((small.bytes(), small.family(), small.data()), (&[4, 2, 7, 7][..], 2, &[7, 7][..]));
        let mut long = [5; 108];
        long[1] = 1;
        let long = SockAddr::new(&long).unwrap();
        assert_eq!((long.bytes().len(), long.bytes()[0], long.family(), long.data()[105]), (108, 108, 1, 5));
        assert_eq!(SockAddr::unnamed(1).bytes(), [2, 1]);
        assert!(long == long.clone() && long != small);
    }
}
