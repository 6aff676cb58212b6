//! The two character encodings: bytes (locale "C") and UTF-8.
//!
//! In locale "C" every byte is a character of its own number, as NetBSD has it. UTF-8 is RFC 3629's: at most four bytes, nothing
//! overlong, no surrogates. A `wchar_t` holds the character's number in both.

/// An encoding of characters in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A byte per character.
    Bytes,
    /// UTF-8.
    Utf8,
}

/// C's `mbstate_t`: how far a character has been read. All zero is the initial state.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug)]
pub struct MbState {
    /// The bits of the character read so far.
    value: u32,
    /// How many more bytes the character has.
    missing: u8,
    /// The least value that the next byte may have; 0 for the ordinary one.
    least: u8,
    /// The greatest value that the next byte may have; 0 for the ordinary one.
    most: u8,
    /// For the functions of uchar.h: how many units of output wait.
    pub(crate) waiting: u8,
    /// For the functions of uchar.h: the unit or bytes that wait.
    pub(crate) unit: u32,
    /// The rest of NetBSD's 128 bytes.
    unused: [u8; 116],
}

/// What a byte did to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The character goes on.
    More,
    /// The character is complete.
    Char(u32),
    /// No character has such bytes.
    Invalid,
}

impl MbState {
    /// The initial state.
    pub const fn new() -> Self {
        Self { value: 0, missing: 0, least: 0, most: 0, waiting: 0, unit: 0, unused: [0; 116] }
    }

    /// Whether a character has been begun.
    pub(crate) fn is_initial(&self) -> bool {
        self.missing == 0 && self.waiting == 0
    }

    /// Forgets a character that was begun.
    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }

    /// Takes the next byte of a UTF-8 character.
    fn utf8(&mut self, byte: u8) -> Step {
        if self.missing == 0 {
            let (missing, least, most) = match byte {
                0..=0x7f => return Step::Char(byte.into()),
                0xc2..=0xdf => (1, 0, 0),
                0xe0 => (2, 0xa0, 0xbf),
                0xed => (2, 0x80, 0x9f),
                0xe1..=0xef => (2, 0, 0),
                0xf0 => (3, 0x90, 0xbf),
                0xf1..=0xf3 => (3, 0, 0),
                0xf4 => (3, 0x80, 0x8f),
                _ => return Step::Invalid,
            };
            (self.missing, self.least, self.most) = (missing, least, most);
            self.value = u32::from(byte) & (0x3f >> missing);
            return Step::More;
        }
        let (least, most) = if self.least == 0 { (0x80, 0xbf) } else { (self.least, self.most) };
        if byte < least || byte > most {
            return Step::Invalid;
        }
        (self.least, self.most) = (0, 0);
        self.value = self.value << 6 | u32::from(byte & 0x3f);
        self.missing -= 1;
        if self.missing == 0 { Step::Char(self.value) } else { Step::More }
    }
}

impl Default for MbState {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoding {
    /// The greatest number of bytes of a character.
    pub fn max_len(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::Utf8 => 4,
        }
    }

    /// Takes the next byte of a character.
    #[inline]
    pub fn step(self, state: &mut MbState, byte: u8) -> Step {
        match self {
            Self::Bytes => Step::Char(byte.into()),
            Self::Utf8 => state.utf8(byte),
        }
    }

    /// Writes the bytes of character `c`; returns how many, or `None` if the encoding does not have it.
    #[inline]
    pub fn encode(self, c: u32, out: &mut [u8; 4]) -> Option<usize> {
        match self {
            Self::Bytes => {
                out[0] = u8::try_from(c).ok()?;
                Some(1)
            }
            Self::Utf8 => Some(char::from_u32(c)?.encode_utf8(out).len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The characters that UTF-8 bytes hold, and whether an invalid one ended them.
    fn read(bytes: &[u8]) -> (String, bool) {
        let mut state = MbState::new();
        let mut text = String::new();
        for &byte in bytes {
            match Encoding::Utf8.step(&mut state, byte) {
                Step::More => {}
                Step::Char(c) => text.push(char::from_u32(c).unwrap()),
                Step::Invalid => return (text, true),
            }
        }
        (text, !state.is_initial())
    }

    #[test]
    fn agrees_with_core_on_every_character() {
        let mut buffer = [0; 4];
        for c in '\0'..=char::MAX {
            let len = Encoding::Utf8.encode(c.into(), &mut buffer).unwrap();
            assert_eq!(read(&buffer[..len]), (c.to_string(), false));
        }
        assert_eq!(Encoding::Utf8.encode(0xd800, &mut buffer), None);
        assert_eq!(Encoding::Bytes.encode(0x100, &mut buffer), None);
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_core_on_any_bytes(bytes: Vec<u8>) {
            proptest::prop_assert_eq!(read(&bytes).1, core::str::from_utf8(&bytes).is_err());
        }
    }

    #[test]
    fn state_has_the_size_of_the_abi() {
        assert_eq!((size_of::<MbState>(), align_of::<MbState>()), (128, 8));
    }
}
