//! Where scanned characters go: nowhere, to bytes, or to wide characters.

use crate::wchar::encoding::{Encoding, MbState, Step};

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Nothing,
    Bytes,
    Wide,
}

/// A place for characters.
pub(crate) struct Target {
    at: *mut u8,
    what: What,
    is_wide_source: bool,
    encoding: Encoding,
    state: MbState,
}

impl Target {
    /// A place for characters, wide ones if `wide`; null stores nothing.
    pub fn new(at: *mut u8, wide: bool, is_wide_source: bool, encoding: Encoding) -> Self {
        let what = match (at.is_null(), wide) {
            (true, _) => What::Nothing,
            (false, false) => What::Bytes,
            (false, true) => What::Wide,
        };
        Self { at, what, is_wide_source, encoding, state: MbState::new() }
    }

    /// Stores a wide character.
    ///
    /// # Safety
    /// There is room for it.
    unsafe fn put_wide(&mut self, c: u32) {
        // SAFETY: as this function's own.
        unsafe { self.at.cast::<u32>().write(c) };
        self.at = self.at.wrapping_add(4);
    }

    /// Stores a character of the source. Returns false if it, or its bytes, are no character.
    ///
    /// # Safety
    /// There is room for it.
    pub unsafe fn put(&mut self, c: u32) -> bool {
        // SAFETY: as this function's own.
        unsafe {
            match (self.what, self.is_wide_source) {
                (What::Nothing, _) => {}
                (What::Bytes, false) => {
                    self.at.write(c as u8);
                    self.at = self.at.wrapping_add(1);
                }
                (What::Wide, true) => self.put_wide(c),
                (What::Wide, false) => match self.encoding.step(&mut self.state, c as u8) {
                    Step::More => {}
                    Step::Char(c) => self.put_wide(c),
                    Step::Invalid => return false,
                },
                (What::Bytes, true) => {
                    let mut bytes = [0; 4];
                    let Some(len) = self.encoding.encode(c, &mut bytes) else { return false };
                    core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.at, len);
                    self.at = self.at.wrapping_add(len);
                }
            }
        }
        true
    }

    /// Whether the source stopped within a character.
    pub fn is_incomplete(&self) -> bool {
        !self.state.is_initial()
    }

    /// Stores the zero behind a string.
    ///
    /// # Safety
    /// There is room for it.
    pub unsafe fn end(&mut self) {
        // SAFETY: as this function's own.
        unsafe {
            match self.what {
                What::Nothing => {}
                What::Bytes => self.at.write(0),
                What::Wide => self.put_wide(0),
            }
        }
    }
}
