//! Messages of the domain name system (RFC 1035, 4): a question is written, answers are read.

use super::name::{NAME_BYTES, Name};
use crate::net::address::Ip;
use crate::stdlib::array::{Array, NoMemory};

/// Bytes of a message's header.
pub(crate) const HEADER_BYTES: usize = 12;
/// Class IN.
pub(crate) const CLASS_IN: u16 = 1;
/// Address records.
pub(crate) const TYPE_A: u16 = 1;
/// An alias.
pub(crate) const TYPE_CNAME: u16 = 5;
/// A name for an address.
pub(crate) const TYPE_PTR: u16 = 12;
/// IPv6 address records (RFC 3596).
pub(crate) const TYPE_AAAA: u16 = 28;
/// Aliases that are followed from one name.
const ALIAS_LIMIT: usize = 16;

/// Flag of the header: an answer.
const FLAG_RESPONSE: u16 = 0x8000;
/// Flag of the header: the message is cut.
const FLAG_TRUNCATED: u16 = 0x0200;
/// Flag of the header: the server is to ask others.
pub(crate) const FLAG_RECURSION_DESIRED: u16 = 0x0100;

/// The 16 bits at `at`.
pub(crate) fn word(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(message.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// The 32 bits at `at`.
pub(crate) fn long(message: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(message.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// A message with one question.
#[derive(Debug)]
pub(crate) struct Question {
    bytes: [u8; HEADER_BYTES + NAME_BYTES + 4],
    length: usize,
}

impl Question {
    /// Asks for the records of a type that a name has.
    pub(crate) fn new(id: u16, flags: u16, name: &Name, kind: u16, class: u16) -> Self {
        let mut question = Self { bytes: [0; HEADER_BYTES + NAME_BYTES + 4], length: 0 };
        for part in [id, flags, 1, 0, 0, 0] {
            question.extend(&part.to_be_bytes());
        }
        question.extend(name.as_bytes());
        question.extend(&kind.to_be_bytes());
        question.extend(&class.to_be_bytes());
        question
    }

    fn extend(&mut self, bytes: &[u8]) {
        // There is room for the longest name.
        if let Some(room) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            room.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }

    /// The message.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The question of a message: name, type, class and where what follows starts.
fn question(message: &[u8]) -> Option<(Name, u16, u16, usize)> {
    let (name, at) = Name::read(message, HEADER_BYTES)?;
    Some((name, word(message, at)?, word(message, at + 2)?, at + 4))
}

/// Whether a message answers a question, which is a message itself: the same number, the same question.
pub(crate) fn is_answer(query: &[u8], reply: &[u8]) -> bool {
    let same = || {
        if word(query, 0)? != word(reply, 0)? || word(reply, 2)? & FLAG_RESPONSE == 0 {
            return None;
        }
        if word(query, 4)? == 0 {
            return Some(true);
        }
        // A server that could not read the question need not repeat it.
        if word(reply, 4)? == 0 {
            return Some(code(reply) == 1);
        }
        let (name, kind, class, _) = question(query)?;
        let (other, other_kind, other_class, _) = question(reply)?;
        Some(name.is_same(&other) && (kind, class) == (other_kind, other_class))
    };
    same().unwrap_or(false)
}

/// The response code of an answer.
pub(crate) fn code(reply: &[u8]) -> u16 {
    word(reply, 2).unwrap_or(0) & 0x000f
}

/// Whether there was more than the message holds.
pub(crate) fn is_truncated(reply: &[u8]) -> bool {
    word(reply, 2).unwrap_or(0) & FLAG_TRUNCATED != 0
}

/// How many answers the header announces.
pub(crate) fn answer_count(reply: &[u8]) -> u16 {
    word(reply, 6).unwrap_or(0)
}

/// A record. Its data stays in the message, because names in it may point elsewhere.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// Whose record it is.
    pub(crate) owner: Name,
    /// What it holds.
    pub(crate) kind: u16,
    /// The class.
    pub(crate) class: u16,
    /// Where the data starts in the message.
    pub(crate) start: usize,
    /// The data.
    pub(crate) data: &'a [u8],
}

/// Reads the record at `at`; returns it and where the next one starts.
pub(crate) fn record(message: &[u8], at: usize) -> Option<(Record<'_>, usize)> {
    let (owner, at) = Name::read(message, at)?;
    let (kind, class) = (word(message, at)?, word(message, at + 2)?);
    let start = at + 10;
    let end = start + usize::from(word(message, at + 8)?);
    Some((Record { owner, kind, class, start, data: message.get(start..end)? }, end))
}

/// The records of the answer section; they end early where the message does.
pub(crate) fn answers(message: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut at = Some(HEADER_BYTES);
    for _ in 0..word(message, 4).unwrap_or(0) {
        at = at.and_then(|at| Some(Name::read(message, at)?.1 + 4));
    }
    let mut left = answer_count(message);
    core::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let (record, next) = record(message, at?)?;
        at = Some(next);
        Some(record)
    })
}

/// Follows the aliases of `name` in an answer, and calls `alias` with each name that turns out to be one; returns the last.
pub(crate) fn follow(message: &[u8], name: &Name, mut alias: impl FnMut(&Name)) -> Name {
    let mut last = *name;
    for _ in 0..ALIAS_LIMIT {
        let next = answers(message)
            .find(|record| {
                record.kind == TYPE_CNAME && record.class == CLASS_IN && record.owner.is_same(&last)
            })
            .and_then(|record| Name::read(message, record.start));
        match next {
            Some((target, _)) if !target.is_same(&last) => {
                alias(&last);
                last = target;
            }
            _ => break,
        }
    }
    last
}

/// Collects the addresses of `name` in an answer.
pub(crate) fn addresses(message: &[u8], name: &Name, found: &mut Array<Ip>) -> Result<(), NoMemory> {
    for record in answers(message) {
        if record.class == CLASS_IN
            && record.owner.is_same(name)
            && let (TYPE_A, 4) | (TYPE_AAAA, 16) = (record.kind, record.data.len())
            && let Some(ip) = Ip::from_bytes(record.data)
        {
            found.push(ip)?;
        }
    }
    Ok(())
}

/// The name under which an address is asked for: in in-addr.arpa (RFC 1035, 3.5) or ip6.arpa (RFC 3596, 2.5).
pub(crate) fn reverse_name(ip: &Ip) -> Option<Name> {
    let mut text = crate::net::buffer::Text::<80>::new();
    for &byte in ip.as_bytes().iter().rev() {
        match ip {
            Ip::V4(_) => text.decimal(byte.into()),
            Ip::V6(_) => {
                text.hexadecimal((byte & 15).into());
                text.push(b'.');
                text.hexadecimal((byte >> 4).into());
            }
        }
        text.push(b'.');
    }
    text.extend(match ip {
        Ip::V4(_) => b"in-addr.arpa",
        Ip::V6(_) => b"ip6.arpa",
    });
    Name::from_text(text.as_bytes())
}
