//! What is left of a transfer between the application's memory and an object (uio(9)).
//!
//! A [`Uio`] never buffers: an object hands it the storage that the bytes are in, or are to be in, and they are copied once. The number
//! of bytes that are left, [`Uio::resid`], is the only truth about how far a transfer got; after a fault it does not count
//! the piece that faulted.

use alloc::vec::Vec;

use rump_hypercall::user;

use crate::copy::{copyin, copyin_slice};
use crate::errno::Errno;
use crate::pod;

/// Most segments of one transfer (IOV_MAX of sys/syslimits.h).
pub const IOV_MAX: usize = 1024;

/// Most bytes of one transfer (SSIZE_MAX).
pub const TRANSFER_MAX: usize = isize::MAX as usize;

/// Segments that need no memory of the kernel's heap.
const SMALL_IOVS: usize = 8;

/// `struct iovec`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct IoVec {
    /// Address.
    pub base: usize,
    /// Length in bytes.
    pub len: usize,
}

pod!(IoVec);

/// The segments of a transfer, read from the application.
pub struct IoVecs {
    small: [IoVec; SMALL_IOVS],
    large: Vec<IoVec>,
    count: usize,
    bytes: usize,
}

impl IoVecs {
    /// Reads `count` segments at `addr`.
    ///
    /// # Errors
    /// EINVAL if there are none, too many, or more than [`TRANSFER_MAX`] bytes in all; EFAULT; ENOMEM.
    pub fn copyin(addr: usize, count: i32) -> Result<Self, Errno> {
        let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
        if count == 0 || count > IOV_MAX {
            return Err(Errno::EINVAL);
        }
        let mut vecs = Self { small: [IoVec::default(); SMALL_IOVS], large: Vec::new(), count, bytes: 0 };
        if count <= SMALL_IOVS {
            for (index, slot) in vecs.small[..count].iter_mut().enumerate() {
                let at = addr.checked_add(index * size_of::<IoVec>()).ok_or(Errno::EFAULT)?;
                *slot = copyin(at)?;
            }
        } else {
            vecs.large = copyin_slice(addr, count, IOV_MAX)?;
        }
        let mut bytes: usize = 0;
        for iov in vecs.as_slice() {
            bytes = bytes.checked_add(iov.len).filter(|&sum| sum <= TRANSFER_MAX).ok_or(Errno::EINVAL)?;
        }
        vecs.bytes = bytes;
        Ok(vecs)
    }

    fn as_slice(&self) -> &[IoVec] {
        if self.count <= SMALL_IOVS { &self.small[..self.count] } else { &self.large }
    }

    /// The transfer of all the segments.
    #[must_use]
    pub fn uio(&self) -> Uio<'_> {
        let mut uio = Uio { base: 0, len: 0, rest: self.as_slice(), resid: self.bytes };
        uio.next_segment();
        uio
    }
}

/// What is left of a transfer.
pub struct Uio<'a> {
    base: usize,
    len: usize,
    rest: &'a [IoVec],
    resid: usize,
}

impl Uio<'_> {
    /// A transfer of `len` bytes at `base`.
    ///
    /// # Errors
    /// EINVAL if it is more than [`TRANSFER_MAX`].
    #[inline]
    pub fn new(base: usize, len: usize) -> Result<Self, Errno> {
        if len > TRANSFER_MAX { Err(Errno::EINVAL) } else { Ok(Self { base, len, rest: &[], resid: len }) }
    }

    /// Bytes that are left.
    #[inline]
    #[must_use]
    pub fn resid(&self) -> usize {
        self.resid
    }

    /// Goes on to the next segment that is not empty.
    fn next_segment(&mut self) {
        while self.len == 0 {
            let Some((first, rest)) = self.rest.split_first() else { return };
            (self.base, self.len, self.rest) = (first.base, first.len, rest);
        }
    }

    /// Takes the next piece, at most `max` bytes of it; the length is 0 at the end.
    #[inline]
    fn piece(&self, max: usize) -> (usize, usize) {
        (self.base, self.len.min(max))
    }

    #[inline]
    fn advance(&mut self, bytes: usize) {
        // The piece was inside the segment, and the segment inside the address space, or the copy would have failed.
        self.base = self.base.wrapping_add(bytes);
        self.len -= bytes;
        self.resid -= bytes;
        if self.len == 0 {
            self.next_segment();
        }
    }

    /// Copies from the object to the application: as much of `src` as is asked for. Returns how much that is.
    ///
    /// # Errors
    /// EFAULT.
    #[inline]
    pub fn copy_out(&mut self, src: &[u8]) -> Result<usize, Errno> {
        let total = src.len().min(self.resid);
        let mut done = 0;
        while done < total {
            let (base, len) = self.piece(total - done);
            user::copyout(&src[done..done + len], base).map_err(|_| Errno::EFAULT)?;
            self.advance(len);
            done += len;
        }
        Ok(total)
    }

    /// Copies from the application to the object: as much of `dst` as there is. Returns how much that is.
    ///
    /// # Errors
    /// EFAULT.
    #[inline]
    pub fn copy_in(&mut self, dst: &mut [u8]) -> Result<usize, Errno> {
        let total = dst.len().min(self.resid);
        let mut done = 0;
        while done < total {
            let (base, len) = self.piece(total - done);
            user::copyin(base, &mut dst[done..done + len]).map_err(|_| Errno::EFAULT)?;
            self.advance(len);
            done += len;
        }
        Ok(total)
    }

    /// Zeroes the application's memory: as much of `len` bytes as is asked for. Returns how much that is.
    ///
    /// # Errors
    /// EFAULT.
    pub fn zero_out(&mut self, len: usize) -> Result<usize, Errno> {
        let total = len.min(self.resid);
        let mut done = 0;
        while done < total {
            let (base, len) = self.piece(total - done);
            user::zeroout(base, len).map_err(|_| Errno::EFAULT)?;
            self.advance(len);
            done += len;
        }
        Ok(total)
    }

    /// Takes all that is left as transferred without looking at it.
    pub fn discard(&mut self) {
        (self.len, self.rest, self.resid) = (0, &[], 0);
    }
}
