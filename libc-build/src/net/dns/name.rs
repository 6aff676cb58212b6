//! Domain names (RFC 1035, 3.1 and 4.1.4): as in a message, and as text with `\.` and `\DDD` (5.1).

use crate::net::buffer::Text;

/// The longest name in a message, with its end.
pub(crate) const NAME_BYTES: usize = 255;
/// The longest label.
const LABEL_BYTES: usize = 63;
/// A name as text, at its longest (NS_MAXDNAME).
pub(crate) type NameText = Text<1024>;

/// A name as in a message, without pointers: labels with their lengths before them, and a zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    bytes: [u8; NAME_BYTES],
    length: usize,
}

impl Name {
    /// The root: no label.
    pub(crate) const ROOT: Self = Self { bytes: [0; NAME_BYTES], length: 1 };

    /// The labels with their lengths, and the zero.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Puts a label before the zero.
    fn push(&mut self, label: &[u8]) -> Option<()> {
        if label.is_empty() || label.len() > LABEL_BYTES {
            return None;
        }
        let end = self.length + label.len();
        let room = self.bytes.get_mut(self.length - 1..=end)?;
        let (first, rest) = room.split_first_mut()?;
        *first = label.len() as u8;
        let (last, middle) = rest.split_last_mut()?;
        middle.copy_from_slice(label);
        *last = 0;
        self.length = end + 1;
        Some(())
    }

    /// The labels.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.as_bytes();
        core::iter::from_fn(move || {
            let (&length, behind) = rest.split_first()?;
            let (label, behind) = behind.split_at_checked(length.into())?;
            rest = behind;
            (length != 0).then_some(label)
        })
    }

    /// This name with `domain` behind it.
    pub(crate) fn within(&self, domain: &Self) -> Option<Self> {
        let mut name = *self;
        for label in domain.labels() {
            name.push(label)?;
        }
        Some(name)
    }

    /// Reads the name at `start` of a message; returns it and where what follows it starts.
    pub(crate) fn read(message: &[u8], start: usize) -> Option<(Self, usize)> {
        let mut name = Self::ROOT;
        let (mut at, mut end) = (start, None);
        // Every pointer must lead to before where the last one led, so there is no loop.
        let mut limit = start;
        loop {
            let length = *message.get(at)?;
            match length >> 6 {
                0 if length == 0 => return Some((name, end.unwrap_or(at + 1))),
                0 => {
                    let next = at + 1 + usize::from(length);
                    name.push(message.get(at + 1..next)?)?;
                    at = next;
                }
                3 => {
                    let target = usize::from(length & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                    if target >= limit {
                        return None;
                    }
                    end.get_or_insert(at + 2);
                    (at, limit) = (target, target);
                }
                _ => return None,
            }
        }
    }

    /// The name that a text stands for; a dot at its end changes nothing.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        let mut name = Self::ROOT;
        if text == b"." {
            return Some(name);
        }
        let mut label = Text::<LABEL_BYTES>::new();
        let mut bytes = text.iter();
        while let Some(&byte) = bytes.next() {
            match byte {
                b'.' => {
                    name.push(label.as_bytes())?;
                    label = Text::new();
                }
                b'\\' => {
                    let &next = bytes.next()?;
                    if next.is_ascii_digit() {
                        let mut value = u32::from(next - b'0');
                        for _ in 0..2 {
                            value = value * 10 + char::from(*bytes.next()?).to_digit(10)?;
                        }
                        label.push(u8::try_from(value).ok()?);
                    } else {
                        label.push(next);
                    }
                }
                _ => label.push(byte),
            }
            if !label.is_whole() {
                return None;
            }
        }
        if !label.as_bytes().is_empty() {
            name.push(label.as_bytes())?;
        }
        (name.length > 1).then_some(name)
    }

    /// The name as text, without a dot at its end; "." for the root, where `root` is not something else.
    pub(crate) fn text(&self, root: &[u8]) -> NameText {
        let mut text = NameText::new();
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                text.push(b'.');
            }
            for &byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => text.extend(&[b'\\', byte]),
                    0x21..=0x7e => text.push(byte),
                    _ => {
                        text.push(b'\\');
                        text.extend(&[b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10]);
                    }
                }
            }
        }
        if self.length == 1 {
            text.extend(root);
        }
        text
    }

    /// Whether two names are the same; upper and lower case are not told apart.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        // Lengths are below 64, where there are no letters.
        self.as_bytes().eq_ignore_ascii_case(other.as_bytes())
    }

    /// Whether the name can be a host's: letters, digits, hyphens and underscores.
    pub(crate) fn is_host(&self) -> bool {
        self.length > 1
            && self.labels().all(|label| {
                label.first() != Some(&b'-')
                    && label.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            })
    }
}

/// How many dots there are in a name's text, and whether the last byte is one: a name that is whole.
pub(crate) fn dots(text: &[u8]) -> (usize, bool) {
    let mut count = 0;
    let (mut is_escaped, mut is_last) = (false, false);
    for &byte in text {
        is_last = byte == b'.' && !is_escaped;
        count += usize::from(is_last);
        is_escaped = byte == b'\\' && !is_escaped;
    }
    (count, is_last)
}
