//! One encoding: reading and writing a character.

/// The order of the bytes in a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Least significant first.
    Little,
    /// Most significant first.
    Big,
}

/// An encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    /// US-ASCII.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-8.
    Utf8,
    /// UTF-16.
    Utf16(Order),
    /// UCS-2: UTF-16 without surrogates.
    Ucs2(Order),
    /// UTF-32 or UCS-4.
    Utf32(Order),
}

/// An encoding by name, and whether a byte order mark tells the order of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub codec: Codec,
    pub has_mark: bool,
}

/// Why a character cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end within it.
    Incomplete,
    /// The bytes are none.
    Invalid,
}

/// The encoding of a name, whose case does not matter; empty is the locale's, given as `local`.
pub(super) fn named(name: &[u8], local: Codec) -> Option<Named> {
    // What follows `//` says how to treat what cannot be converted, and is not part of the name.
    let name = name.split(|&byte| byte == b'/').next().unwrap_or(name);
    let is = |names: &[&str]| names.iter().any(|it| it.as_bytes().eq_ignore_ascii_case(name));
    let plain = |codec| Some(Named { codec, has_mark: false });
    let marked = |codec| Some(Named { codec, has_mark: true });
    if name.is_empty() {
        plain(local)
    } else if is(&["UTF-8", "UTF8"]) {
        plain(Codec::Utf8)
    } else if is(&["US-ASCII", "ASCII", "646", "ISO646-US", "ANSI_X3.4-1968", "C", "POSIX"]) {
        plain(Codec::Ascii)
    } else if is(&["ISO-8859-1", "ISO8859-1", "ISO_8859-1", "LATIN1", "L1"]) {
        plain(Codec::Latin1)
    } else if is(&["UTF-16", "UTF16"]) {
        marked(Codec::Utf16(Order::Big))
    } else if is(&["UTF-16BE", "UTF16BE"]) {
        plain(Codec::Utf16(Order::Big))
    } else if is(&["UTF-16LE", "UTF16LE"]) {
        plain(Codec::Utf16(Order::Little))
    } else if is(&["UTF-32", "UTF32"]) {
        marked(Codec::Utf32(Order::Big))
    } else if is(&["UTF-32BE", "UTF32BE", "UCS-4", "UCS-4BE"]) {
        plain(Codec::Utf32(Order::Big))
    } else if is(&["UTF-32LE", "UTF32LE", "UCS-4LE", "UCS-4-INTERNAL", "WCHAR_T"]) {
        plain(Codec::Utf32(Order::Little))
    } else if is(&["UCS-2", "UCS-2BE"]) {
        plain(Codec::Ucs2(Order::Big))
    } else if is(&["UCS-2LE"]) {
        plain(Codec::Ucs2(Order::Little))
    } else {
        None
    }
}

impl Codec {
    /// The same encoding with the other order of bytes.
    pub fn swapped(self) -> Self {
        let other = |order| if order == Order::Big { Order::Little } else { Order::Big };
        match self {
            Self::Utf16(order) => Self::Utf16(other(order)),
            Self::Ucs2(order) => Self::Ucs2(other(order)),
            Self::Utf32(order) => Self::Utf32(other(order)),
            _ => self,
        }
    }

    /// Reads the character at the beginning of `bytes`; returns it and its length.
    pub fn read(self, bytes: &[u8]) -> Result<(char, usize), Stop> {
        match self {
            Self::Ascii => match bytes.first() {
                Some(&byte) if byte.is_ascii() => Ok((byte.into(), 1)),
                Some(_) => Err(Stop::Invalid),
                None => Err(Stop::Incomplete),
            },
            Self::Latin1 => bytes.first().map(|&byte| (byte.into(), 1)).ok_or(Stop::Incomplete),
            Self::Utf8 => read_utf8(bytes),
            Self::Ucs2(order) => {
                let unit = unit16(bytes, 0, order)?;
                char::from_u32(unit.into()).map(|c| (c, 2)).ok_or(Stop::Invalid)
            }
            Self::Utf16(order) => {
                let first = unit16(bytes, 0, order)?;
                if let Some(c) = char::from_u32(first.into()) {
                    return Ok((c, 2));
                }
                if first >= 0xdc00 {
                    return Err(Stop::Invalid);
                }
                let pair = [first, unit16(bytes, 2, order)?];
                char::decode_utf16(pair).next().and_then(Result::ok).map(|c| (c, 4)).ok_or(Stop::Invalid)
            }
            Self::Utf32(order) => {
                let bytes: [u8; 4] =
                    bytes.get(..4).and_then(|part| part.try_into().ok()).ok_or(Stop::Incomplete)?;
                let value = match order {
                    Order::Big => u32::from_be_bytes(bytes),
                    Order::Little => u32::from_le_bytes(bytes),
                };
                char::from_u32(value).map(|c| (c, 4)).ok_or(Stop::Invalid)
            }
        }
    }

    /// Writes a character to `out`; returns its length, or `None` if the encoding does not have it.
    pub fn write(self, c: char, out: &mut [u8; 4]) -> Option<usize> {
        let value = u32::from(c);
        match self {
            Self::Ascii => {
                out[0] = u8::try_from(value).ok().filter(u8::is_ascii)?;
                Some(1)
            }
            Self::Latin1 => {
                out[0] = u8::try_from(value).ok()?;
                Some(1)
            }
            Self::Utf8 => Some(c.encode_utf8(out).len()),
            Self::Ucs2(order) => {
                store16(out, 0, u16::try_from(value).ok()?, order);
                Some(2)
            }
            Self::Utf16(order) => {
                let mut units = [0; 2];
                let count = c.encode_utf16(&mut units).len();
                for (i, &unit) in units.iter().take(count).enumerate() {
                    store16(out, 2 * i, unit, order);
                }
                Some(2 * count)
            }
            Self::Utf32(order) => {
                *out = if order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() };
                Some(4)
            }
        }
    }
}

/// The 16-bit unit at an offset.
fn unit16(bytes: &[u8], at: usize, order: Order) -> Result<u16, Stop> {
    match *bytes.get(at..at + 2).ok_or(Stop::Incomplete)? {
        [first, second] if order == Order::Big => Ok(u16::from_be_bytes([first, second])),
        [first, second] => Ok(u16::from_le_bytes([first, second])),
        _ => Err(Stop::Incomplete),
    }
}

/// Stores a 16-bit unit at an offset.
fn store16(out: &mut [u8; 4], at: usize, unit: u16, order: Order) {
    let bytes = if order == Order::Big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&bytes);
    }
}

/// Reads a character of UTF-8.
fn read_utf8(bytes: &[u8]) -> Result<(char, usize), Stop> {
    use crate::wchar::encoding::{Encoding, MbState, Step};
    let mut state = MbState::new();
    for (i, &byte) in bytes.iter().enumerate() {
        match Encoding::Utf8.step(&mut state, byte) {
            Step::More => {}
            Step::Invalid => return Err(Stop::Invalid),
            Step::Char(c) => return char::from_u32(c).map(|c| (c, i + 1)).ok_or(Stop::Invalid),
        }
    }
    Err(Stop::Incomplete)
}
