//! Text of bounded length, put together without allocating and without `core::fmt`.

/// At most `N` bytes. What does not fit is left out, and remembered to be missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
    is_cut: bool,
}

impl<const N: usize> Text<N> {
    /// No text.
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], length: 0, is_cut: false }
    }

    /// Appends a byte.
    pub(crate) fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(self.length) {
            Some(place) => {
                *place = byte;
                self.length += 1;
            }
            None => self.is_cut = true,
        }
    }

    /// Appends bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.push(byte);
        }
    }

    /// Appends a number in decimal.
    pub(crate) fn decimal(&mut self, number: u32) {
        self.number(number, 10);
    }

    /// Appends a number in hexadecimal, lower case.
    pub(crate) fn hexadecimal(&mut self, number: u32) {
        self.number(number, 16);
    }

    fn number(&mut self, number: u32, base: u32) {
        if number >= base {
            self.number(number / base, base);
        }
        self.push(digit((number % base) as u8));
    }

    /// The text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Whether all of the text is there.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_cut
    }
}

/// A digit of base 16 as text.
pub(crate) fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// Copies text with an end into memory of the caller's; false where there is no room.
///
/// # Safety
/// `target` has `size` bytes.
pub(crate) unsafe fn put(text: &[u8], target: *mut core::ffi::c_char, size: usize) -> bool {
    if text.len() >= size {
        return false;
    }
    // SAFETY: there is room for the text and its end.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), target.cast(), text.len());
        *target.add(text.len()) = 0;
    }
    true
}
