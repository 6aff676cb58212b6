//! What the digests have in common: taking data in by blocks, padding it at its end, and their C functions.

use crate::stdlib::heap::malloc;
use crate::sys;
use core::ffi::{c_char, c_int};
use core::ptr::null_mut;

/// A digest that is being made.
pub(crate) trait Context: Copy {
    /// Bytes of the digest.
    const DIGEST_BYTES: usize;

    /// Of no data yet.
    fn start() -> Self;
    /// Takes data in.
    fn update(&mut self, data: &[u8]);
    /// Pads the data, and writes the digest.
    fn finish(&mut self, digest: &mut [u8]);
}

/// Makes the module of a kind of counter: how many bits were taken in.
macro_rules! pads {
    ($(#[$doc:meta])* $module:ident $block:literal $bits:ident $length:literal) => {
        $(#[$doc])*
        pub(crate) mod $module {
            use super::Counter;

            /// Bits taken in so far.
            pub(crate) fn bits(count: &impl Counter) -> $bits {
                count.get() as $bits
            }

            /// Bytes of the block that is not full yet.
            fn used(count: &impl Counter) -> usize {
                (count.get() / 8 % $block) as usize
            }

            /// Takes data in, and calls `compress` with the full blocks.
            pub(crate) fn absorb(
                count: &mut impl Counter,
                buffer: &mut [u8; $block],
                mut data: &[u8],
                mut compress: impl FnMut(&[[u8; $block]]),
            ) {
                let used = used(count);
                count.add(data.len() as u128 * 8);
                if used > 0 {
                    let room = buffer.get_mut(used..).unwrap_or_default();
                    let part = room.len().min(data.len());
                    let (now, later) = data.split_at(part);
                    room[..part].copy_from_slice(now);
                    data = later;
                    if used + part < $block {
                        return;
                    }
                    compress(core::slice::from_ref(buffer));
                }
                let (blocks, rest) = data.as_chunks::<$block>();
                if !blocks.is_empty() {
                    compress(blocks);
                }
                buffer[..rest.len()].copy_from_slice(rest);
            }

            /// Pads the last block: a bit, zeros, and the number of bits.
            pub(crate) fn finish(
                count: &impl Counter,
                buffer: &mut [u8; $block],
                length: &[u8; $length],
                mut compress: impl FnMut(&[[u8; $block]]),
            ) {
                let used = used(count);
                buffer[used..].fill(0);
                buffer[used] = 0x80;
                if used >= $block - $length {
                    compress(core::slice::from_ref(buffer));
                    buffer.fill(0);
                }
                buffer[$block - $length..].copy_from_slice(length);
                compress(core::slice::from_ref(buffer));
            }
        }
    };
}

pads! {
    /// Blocks of 64 bytes, and 64 bits for their number.
    word_pad 64 u64 8
}
pads! {
    /// Blocks of 128 bytes, and 128 bits for their number.
    long_pad 128 u128 16
}

/// A number of bits, as a context keeps it.
pub(crate) trait Counter {
    /// The number.
    fn get(&self) -> u128;
    /// Counts more.
    fn add(&mut self, bits: u128);
}

impl Counter for u64 {
    fn get(&self) -> u128 {
        (*self).into()
    }
    fn add(&mut self, bits: u128) {
        *self = self.wrapping_add(bits as u64);
    }
}

impl Counter for [u32; 2] {
    fn get(&self) -> u128 {
        let [low, high] = *self;
        u128::from(high) << 32 | u128::from(low)
    }
    fn add(&mut self, bits: u128) {
        let sum = self.get().wrapping_add(bits);
        *self = [sum as u32, (sum >> 32) as u32];
    }
}

impl Counter for [u64; 2] {
    fn get(&self) -> u128 {
        let [low, high] = *self;
        u128::from(high) << 64 | u128::from(low)
    }
    fn add(&mut self, bits: u128) {
        let sum = self.get().wrapping_add(bits);
        *self = [sum as u64, (sum >> 64) as u64];
    }
}

/// Ends a digest, and writes it in hexadecimal; into new memory where `target` is null.
///
/// # Safety
/// `target` is null or has room for the digits and their end.
pub(crate) unsafe fn end<C: Context>(context: &mut C, target: *mut c_char) -> *mut c_char {
    let mut digest = [0_u8; 64];
    let bytes = &mut digest[..C::DIGEST_BYTES];
    context.finish(bytes);
    // SAFETY: as this function's own; a new block has the same room.
    unsafe {
        let target = if target.is_null() { malloc(2 * C::DIGEST_BYTES + 1).cast() } else { target };
        if target.is_null() {
            return null_mut();
        }
        for (index, &byte) in bytes.iter().enumerate() {
            *target.add(2 * index) = crate::net::buffer::digit(byte >> 4) as c_char;
            *target.add(2 * index + 1) = crate::net::buffer::digit(byte & 15) as c_char;
        }
        *target.add(2 * C::DIGEST_BYTES) = 0;
        target
    }
}

/// The digest of a part of a file; of all that follows where `length` is 0. Null with errno set where it cannot be read.
///
/// # Safety
/// `path` is a C string; `target` as for [`end`].
pub(crate) unsafe fn file<C: Context>(
    path: *const c_char,
    target: *mut c_char,
    start: i64,
    length: i64,
) -> *mut c_char {
    let mut context = C::start();
    let mut left = if length > 0 { length } else { i64::MAX };
    // SAFETY: as this function's own; the buffer with its size.
    unsafe {
        let fd: c_int = sys::open(path, rump_abi::fcntl::O_CLOEXEC);
        if fd < 0 {
            return null_mut();
        }
        let mut got = if start > 0 && sys::lseek(fd, start, 0) < 0 { -1 } else { 1 };
        let mut part = [0_u8; 4096];
        while got > 0 && left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(part.len());
            got = sys::read(fd, part.as_mut_ptr().cast(), most);
            context.update(part.get(..usize::try_from(got).unwrap_or(0)).unwrap_or_default());
            left -= (got as i64).max(0);
        }
        let error = crate::errno::get();
        sys::close(fd);
        if got < 0 {
            crate::errno::set(error);
            return null_mut();
        }
        end(&mut context, target)
    }
}

/// Makes the C functions of a digest. Those of SHA-2 return 1; callers of the others, which return nothing, do not look.
macro_rules! digest {
    ($context:ident: $init:ident $update:ident($size:ty) $final:ident $end:ident $data:ident($data_size:ty) $file:ident $($chunk:ident)?) => {
        /// Starts a digest.
        ///
        /// # Safety
        /// `context` is writable.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $init(context: *mut $context) -> core::ffi::c_int {
            // SAFETY: as this function's own.
            unsafe { context.write(<$context as Context>::start()) };
            1
        }

        /// Takes data in.
        ///
        /// # Safety
        /// `context` was started, `data` has `size` bytes.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $update(context: *mut $context, data: *const u8, size: $size) -> core::ffi::c_int {
            // SAFETY: as this function's own.
            unsafe { (*context).update($crate::hash::block::bytes(data, size as usize)) };
            1
        }

        /// Ends a digest, and writes it.
        ///
        /// # Safety
        /// `context` was started, `target` has room for the digest.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $final(target: *mut u8, context: *mut $context) -> core::ffi::c_int {
            // SAFETY: as this function's own.
            unsafe {
                let target = core::slice::from_raw_parts_mut(target, <$context as Context>::DIGEST_BYTES);
                (*context).finish(target);
            }
            1
        }

        /// Ends a digest, and writes it in hexadecimal; into new memory where `target` is null.
        ///
        /// # Safety
        /// `context` was started, `target` is null or has room for the digits and their end.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $end(context: *mut $context, target: *mut core::ffi::c_char) -> *mut core::ffi::c_char {
            // SAFETY: as this function's own.
            unsafe { $crate::hash::block::end(&mut *context, target) }
        }

        /// The digest of data, in hexadecimal; in new memory where `target` is null.
        ///
        /// # Safety
        /// `data` has `size` bytes, `target` is null or has room for the digits and their end.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $data(
            data: *const u8,
            size: $data_size,
            target: *mut core::ffi::c_char,
        ) -> *mut core::ffi::c_char {
            let mut context = <$context as Context>::start();
            // SAFETY: as this function's own.
            unsafe {
                context.update($crate::hash::block::bytes(data, size as usize));
                $crate::hash::block::end(&mut context, target)
            }
        }

        /// The digest of a file, in hexadecimal; in new memory where `target` is null.
        ///
        /// # Safety
        /// `path` is a C string, `target` is null or has room for the digits and their end.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $file(
            path: *const core::ffi::c_char,
            target: *mut core::ffi::c_char,
        ) -> *mut core::ffi::c_char {
            // SAFETY: as this function's own.
            unsafe { $crate::hash::block::file::<$context>(path, target, 0, 0) }
        }

        $(
            /// The digest of a part of a file, in hexadecimal; in new memory where `target` is null.
            ///
            /// # Safety
            /// `path` is a C string, `target` is null or has room for the digits and their end.
            #[cfg_attr(not(test), unsafe(no_mangle))]
            pub unsafe extern "C" fn $chunk(
                path: *const core::ffi::c_char,
                target: *mut core::ffi::c_char,
                start: i64,
                length: i64,
            ) -> *mut core::ffi::c_char {
                // SAFETY: as this function's own.
                unsafe { $crate::hash::block::file::<$context>(path, target, start, length) }
            }
        )?
    };
}
pub(crate) use digest;

/// The bytes at `data`, which may be null where there are none.
///
/// # Safety
/// `data` has `size` bytes.
pub(crate) unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    // SAFETY: as this function's own.
    if size == 0 { &[] } else { unsafe { core::slice::from_raw_parts(data, size) } }
}
