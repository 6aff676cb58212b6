//! Where scanned characters come from.

/// A source of characters: bytes, or wide characters.
pub(crate) trait Source {
    /// The next character, which stays. `None` at the end.
    fn peek(&mut self) -> Option<u32>;
    /// Passes over the character that [`Self::peek`] showed.
    fn advance(&mut self);
    /// Gives back a character, the one passed over last that was not yet given back.
    fn give_back(&mut self, c: u32);
    /// Whether the characters are wide.
    fn is_wide(&self) -> bool;
    /// Whether a character is white space.
    fn is_space(&self, c: u32) -> bool;
}

/// A source with a count of what was read, and a limit for one item.
pub(crate) struct Input<'a, S> {
    /// The source.
    pub source: &'a mut S,
    /// Characters read so far.
    pub count: usize,
    /// Characters that the item may still have.
    pub left: usize,
}

impl<S: Source> Input<'_, S> {
    /// The next character of the item.
    pub fn peek(&mut self) -> Option<u32> {
        if self.left == 0 { None } else { self.source.peek() }
    }

    /// Passes over it.
    pub fn advance(&mut self) {
        self.source.advance();
        self.count += 1;
        self.left = self.left.saturating_sub(1);
    }

    /// Takes the next character of the item if it is one of `wanted`.
    pub fn take(&mut self, wanted: impl FnOnce(u8) -> bool) -> Option<u8> {
        let byte = u8::try_from(self.peek()?).ok().filter(|&byte| wanted(byte))?;
        self.advance();
        Some(byte)
    }

    /// Gives characters back, the last one first.
    pub fn give_back(&mut self, bytes: &[u8]) {
        for &byte in bytes.iter().rev() {
            self.source.give_back(byte.into());
            self.count -= 1;
        }
    }

    /// Passes over white space.
    pub fn skip_space(&mut self) {
        while let Some(c) = self.source.peek() {
            if !self.source.is_space(c) {
                break;
            }
            self.source.advance();
            self.count += 1;
        }
    }
}
