//! The character types of uchar.h: UTF-16, UTF-32 and UTF-8 units, to and from the locale's encoding.
//!
//! A character may have several units: those that the caller has not taken yet wait in the state.

use super::encoding::{Encoding, MbState, Step};
use crate::errno::{self, EILSEQ};
use crate::locale::Locale;
use crate::locale::category::global;
use core::cell::UnsafeCell;

/// The bytes are no character.
const INVALID: usize = usize::MAX;
/// The bytes end within a character.
const INCOMPLETE: usize = usize::MAX - 1;
/// A unit that waited was stored; no bytes were read.
const WAITED: usize = usize::MAX - 2;

/// The state for callers who bring none.
struct Own(UnsafeCell<MbState>);

// SAFETY: ISO C lets a function without a state of its caller's be used by one thread at a time.
unsafe impl Sync for Own {}

/// The caller's state, or that of the function around.
macro_rules! state {
    ($state:expr) => {{
        static OWN: Own = Own(UnsafeCell::new(MbState::new()));
        if $state.is_null() { &mut *OWN.0.get() } else { &mut *$state }
    }};
}

/// Reads a character of up to `len` bytes. `Err` holds the function's result.
///
/// # Safety
/// `from` has so many bytes.
unsafe fn read(
    encoding: Encoding,
    from: *const u8,
    len: usize,
    state: &mut MbState,
) -> Result<(char, usize), usize> {
    for i in 0..len {
        // SAFETY: as this function's own.
        match encoding.step(state, unsafe { *from.wrapping_add(i) }) {
            Step::More => {}
            Step::Char(c) => {
                return char::from_u32(c).map(|c| (c, if c == '\0' { 0 } else { i + 1 })).ok_or(INVALID);
            }
            Step::Invalid => {
                state.reset();
                errno::set(EILSEQ);
                return Err(INVALID);
            }
        }
    }
    Err(INCOMPLETE)
}

/// Stores a unit; null stores nothing.
///
/// # Safety
/// `to` is null or valid for a write.
unsafe fn store<T>(to: *mut T, unit: T) {
    if !to.is_null() {
        // SAFETY: as this function's own.
        unsafe { to.write(unit) };
    }
}

/// Writes a character in an encoding.
///
/// # Safety
/// `to` has room for any character.
unsafe fn write(encoding: Encoding, to: *mut u8, c: Option<char>) -> usize {
    let mut bytes = [0; 4];
    let Some(len) = c.and_then(|c| encoding.encode(c.into(), &mut bytes)) else {
        errno::set(EILSEQ);
        return INVALID;
    };
    // SAFETY: as this function's own.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, len) };
    len
}

unsafe fn to_utf32(
    encoding: Encoding,
    to: *mut u32,
    from: *const u8,
    len: usize,
    state: *mut MbState,
) -> usize {
    // SAFETY: as the exported function's; a null string stands for an empty one.
    unsafe {
        let state = state!(state);
        let (from, len) = if from.is_null() { ([0u8].as_ptr(), 1) } else { (from, len) };
        match read(encoding, from, len, state) {
            Ok((c, len)) => {
                store(to, c.into());
                len
            }
            Err(result) => result,
        }
    }
}

unsafe fn from_utf32(encoding: Encoding, to: *mut u8, c: u32, _: *mut MbState) -> usize {
    if to.is_null() {
        return 1;
    }
    // SAFETY: as the exported function's.
    unsafe { write(encoding, to, char::from_u32(c)) }
}

unsafe fn to_utf16(
    encoding: Encoding,
    to: *mut u16,
    from: *const u8,
    len: usize,
    state: *mut MbState,
) -> usize {
    // SAFETY: as the exported function's; a null string stands for an empty one.
    unsafe {
        let state = state!(state);
        if state.waiting != 0 {
            store(to, state.unit as u16);
            state.waiting = 0;
            return WAITED;
        }
        let (from, len) = if from.is_null() { ([0u8].as_ptr(), 1) } else { (from, len) };
        match read(encoding, from, len, state) {
            Ok((c, len)) => {
                let mut units = [0; 2];
                if let [first, second] = *c.encode_utf16(&mut units) {
                    store(to, first);
                    (state.waiting, state.unit) = (1, second.into());
                } else {
                    store(to, units[0]);
                }
                len
            }
            Err(result) => result,
        }
    }
}

unsafe fn from_utf16(encoding: Encoding, to: *mut u8, c: u16, state: *mut MbState) -> usize {
    // SAFETY: as the exported function's.
    unsafe {
        let state = state!(state);
        if to.is_null() {
            state.reset();
            return 1;
        }
        let high = (state.waiting != 0).then_some(state.unit as u16);
        state.reset();
        match (high, c) {
            (None, 0xd800..=0xdbff) => {
                (state.waiting, state.unit) = (1, c.into());
                0
            }
            (None, _) => write(encoding, to, char::from_u32(c.into())),
            (Some(high), _) => write(encoding, to, char::decode_utf16([high, c]).next().and_then(Result::ok)),
        }
    }
}

unsafe fn to_utf8(
    encoding: Encoding,
    to: *mut u8,
    from: *const u8,
    len: usize,
    state: *mut MbState,
) -> usize {
    // SAFETY: as the exported function's; a null string stands for an empty one.
    unsafe {
        let state = state!(state);
        if state.waiting != 0 {
            // The bytes that wait stand in the word's lower end, the next one lowest.
            store(to, state.unit as u8);
            state.unit >>= 8;
            state.waiting -= 1;
            return WAITED;
        }
        let (from, len) = if from.is_null() { ([0u8].as_ptr(), 1) } else { (from, len) };
        match read(encoding, from, len, state) {
            Ok((c, len)) => {
                let mut bytes = [0; 4];
                let count = c.encode_utf8(&mut bytes).len();
                store(to, bytes[0]);
                state.unit = u32::from_le_bytes(bytes) >> 8;
                state.waiting = count as u8 - 1;
                len
            }
            Err(result) => result,
        }
    }
}

unsafe fn from_utf8(encoding: Encoding, to: *mut u8, c: u8, state: *mut MbState) -> usize {
    // SAFETY: as the exported function's.
    unsafe {
        let state = state!(state);
        if to.is_null() {
            state.reset();
            return 1;
        }
        match Encoding::Utf8.step(state, c) {
            Step::More => 0,
            Step::Char(c) => write(encoding, to, char::from_u32(c)),
            Step::Invalid => {
                state.reset();
                errno::set(EILSEQ);
                INVALID
            }
        }
    }
}

/// Defines a function and its twin for a given locale.
macro_rules! functions {
    ($($name:ident $localised:ident ($($argument:ident: $type:ty),*) = $function:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`.")]
        ///
        /// # Safety
        /// The pointers are what ISO C asks of them.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> usize {
            // SAFETY: as this function's own.
            unsafe { $function(global().encoding(), $($argument),*) }
        }

        #[doc = concat!("`", stringify!($localised), "`.")]
        ///
        /// # Safety
        /// The pointers are what ISO C asks of them, `locale` is a locale.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub unsafe extern "C" fn $localised($($argument: $type,)* locale: *const Locale) -> usize {
            // SAFETY: as this function's own.
            unsafe { $function(Locale::from_ptr(locale).encoding(), $($argument),*) }
        }
    )*};
}

functions! {
    mbrtoc32 mbrtoc32_l (to: *mut u32, from: *const u8, len: usize, state: *mut MbState) = to_utf32;
    mbrtoc16 mbrtoc16_l (to: *mut u16, from: *const u8, len: usize, state: *mut MbState) = to_utf16;
    mbrtoc8 mbrtoc8_l (to: *mut u8, from: *const u8, len: usize, state: *mut MbState) = to_utf8;
    c32rtomb c32rtomb_l (to: *mut u8, c: u32, state: *mut MbState) = from_utf32;
    c16rtomb c16rtomb_l (to: *mut u8, c: u16, state: *mut MbState) = from_utf16;
    c8rtomb c8rtomb_l (to: *mut u8, c: u8, state: *mut MbState) = from_utf8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_come_one_by_one() {
        let mut state = MbState::new();
        let (mut unit, mut bytes) = (0, [0; 4]);
        let text = "𝄞".as_bytes();
        // SAFETY: all buffers are large enough.
        unsafe {
            assert_eq!(to_utf16(Encoding::Utf8, &raw mut unit, text.as_ptr(), 4, &raw mut state), 4);
            assert_eq!(unit, 0xd834);

            assert_eq!(to_utf16(Encoding::Utf8, &raw mut unit, text.as_ptr(), 4, &raw mut state), WAITED);
            assert_eq!(unit, 0xdd1e);
            let mut other = MbState::new();
            from_utf16(Encoding::Utf8, bytes.as_mut_ptr(), 0xd834, &raw mut other);
            assert_eq!(from_utf16(Encoding::Utf8, bytes.as_mut_ptr(), unit, &raw mut other), 4);
            assert_eq!(bytes, text);
        }
    }

    #[test]
    fn utf8_units_from_bytes() {
        let mut state = MbState::new();
        let mut units = [0; 2];
        // SAFETY: all buffers are large enough.
        unsafe {
            assert_eq!(to_utf8(Encoding::Bytes, &raw mut units[0], [0xe4].as_ptr(), 1, &raw mut state), 1);
            assert_eq!(to_utf8(Encoding::Bytes, &raw mut units[1], [0].as_ptr(), 1, &raw mut state), WAITED);
            assert_eq!(&units, "ä".as_bytes());
            let mut byte = 0;
            assert_eq!(from_utf8(Encoding::Bytes, &raw mut byte, units[0], &raw mut state), 0);
            assert_eq!(from_utf8(Encoding::Bytes, &raw mut byte, units[1], &raw mut state), 1);
            assert_eq!(byte, 0xe4);
        }
    }
}
