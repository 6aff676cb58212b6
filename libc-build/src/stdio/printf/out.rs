//! Where formatted text goes.
//!
//! An [`Out`] is room to write to and a function for what does not fit: the text's way through the common case is a comparison and a
//! copy, whatever stands behind it. One engine thus serves streams, strings, growing strings and wide characters without being
//! compiled once for each.

/// Room for text, and what to do when it is full.
pub(crate) struct Out {
    /// Where the next byte goes.
    pub at: *mut u8,
    /// The end of the room.
    pub end: *mut u8,
    /// Bytes (wide output: characters) written so far, beyond the room too.
    pub total: usize,
    /// The text could not be written: the error number.
    pub error: i32,
    /// Takes what does not fit: makes room or writes `bytes` elsewhere. It sets `error` when it can do neither.
    pub overflow: unsafe fn(&mut Out, bytes: &[u8]),
    /// What belongs to the overflow function.
    pub context: *mut core::ffi::c_void,
}

impl Out {
    /// How much fits before the overflow function is asked.
    #[inline]
    pub fn room(&self) -> usize {
        self.end.addr() - self.at.addr()
    }

    /// Writes bytes; in wide output they are whole characters in UTF-8.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        if bytes.len() <= self.room() {
            // SAFETY: `at` to `end` is room that belongs to this writer, and the bytes fit.
            unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.at, bytes.len()) };
            self.at = self.at.wrapping_add(bytes.len());
        } else {
            // SAFETY: the maker of this value set an overflow function that fits its context.
            unsafe { (self.overflow)(self, bytes) }
        }
    }

    /// Writes one byte.
    #[inline]
    pub fn put_byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    /// Writes a byte `count` times.
    pub fn fill(&mut self, byte: u8, mut count: usize) {
        let block = [byte; 32];
        while count > 0 && self.error == 0 {
            let part = count.min(block.len());
            self.put(&block[..part]);
            count -= part;
        }
    }

    /// Output to a string: `size` bytes at `buffer`, the last of them kept for the terminating zero.
    ///
    /// # Safety
    /// The buffer is valid for writes of `size` bytes for as long as the value lives.
    pub unsafe fn string(buffer: *mut u8, size: usize) -> Self {
        // What is beyond the address space's end cannot be there: sprintf(3) passes the greatest size.
        let most = usize::MAX - buffer.addr();
        let room = size.saturating_sub(1).min(most);
        Self {
            at: buffer,
            end: buffer.wrapping_add(room),
            total: 0,
            error: 0,
            overflow: truncate,
            context: core::ptr::null_mut(),
        }
    }
}

/// Keeps what fits and drops the rest.
unsafe fn truncate(out: &mut Out, bytes: &[u8]) {
    let part = out.room().min(bytes.len());
    // SAFETY: there is room for this part.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), out.at, part) };
    out.at = out.at.wrapping_add(part);
}
