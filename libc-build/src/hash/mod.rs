//! md5.h, sha1.h, sha2.h: message digests.
#![cfg_attr(test, expect(non_snake_case, reason = "C's names"))]

pub(crate) mod block;
pub mod md5;
pub mod sha1;
pub mod sha256;
pub mod sha512;

/// What the digests' tests share.
#[cfg(test)]
pub(crate) mod testing {
    use super::block::{Context, end};
    use core::ffi::CStr;

    /// Checks a digest, of the data at once and of parts of all sizes.
    pub(crate) fn check<C: Context>(data: &[u8], expected: &str) {
        for part in [data.len().max(1), 1, 7, 63, 64, 65, 129] {
            if data.len() / part > 100_000 {
                continue;
            }
            let mut context = C::start();
            data.chunks(part).for_each(|part| context.update(part));
            let mut text = [0; 129];
            // SAFETY: room for the longest digest.
            let text = unsafe { CStr::from_ptr(end(&mut context, text.as_mut_ptr())) };
            assert_eq!(text.to_str(), Ok(expected), "in parts of {part}");
        }
    }
}
