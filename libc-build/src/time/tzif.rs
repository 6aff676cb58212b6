//! TZif files (RFC 9636): a checked view of the 64-bit data of a time zone file.

use super::rule::Rule;
use core::ffi::{CStr, c_char};

/// Bytes of a header.
const HEADER_BYTES: usize = 44;

/// A file's 64-bit block, checked to be complete.
#[derive(Clone, Copy, Debug)]
pub struct TzFile<'a> {
    /// Eight bytes each.
    transitions: &'a [u8],
    /// One byte each: the kind of time from the transition on.
    indices: &'a [u8],
    /// Six bytes each.
    kinds: &'a [u8],
    /// Abbreviations with their ends.
    names: &'a [u8],
    /// What holds after the last transition.
    footer: Option<Rule>,
}

/// What holds at some time.
#[derive(Clone, Copy, Debug)]
pub struct FileKind<'a> {
    /// Seconds east of Greenwich.
    pub offset: i32,
    /// Whether it is summer time.
    pub is_summer: bool,
    /// Its abbreviation.
    pub name: &'a CStr,
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?;
    usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
}

/// Lengths of a data block's parts, from a header at the start of `bytes`.
fn counts(bytes: &[u8]) -> Option<[usize; 6]> {
    if bytes.get(..4)? != b"TZif" {
        return None;
    }
    let mut counts = [0; 6];
    for (index, count) in counts.iter_mut().enumerate() {
        // Nothing real comes near; this keeps the sums below from overflowing.
        *count = word(bytes, 20 + 4 * index).filter(|&count| count < 1 << 20)?;
    }
    Some(counts)
}

impl<'a> TzFile<'a> {
    /// Checks a file. One of version 1 has no 64-bit data and is refused.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let [utc, standard, leaps, times, kinds, letters] = counts(bytes)?;
        if *bytes.get(4)? < b'2' {
            return None;
        }
        let first = HEADER_BYTES + times * 5 + kinds * 6 + letters + leaps * 8 + standard + utc;
        let block = bytes.get(first..)?;
        let [utc, standard, leaps, times, kinds, letters] = counts(block)?;
        let rest = block.get(HEADER_BYTES..)?;
        let (transitions, rest) = rest.split_at_checked(times * 8)?;
        let (indices, rest) = rest.split_at_checked(times)?;
        let (kind_bytes, rest) = rest.split_at_checked(kinds * 6)?;
        let (names, rest) = rest.split_at_checked(letters)?;
        let footer = rest.get(leaps * 12 + standard + utc..)?.strip_prefix(b"\n");
        let footer = footer.and_then(|text| text.split(|&byte| byte == b'\n').next()).and_then(Rule::parse);
        let sound =
            kinds > 0 && names.last() == Some(&0) && indices.iter().all(|&index| usize::from(index) < kinds);
        sound.then_some(Self { transitions, indices, kinds: kind_bytes, names, footer })
    }

    fn kind(&self, index: usize) -> Option<FileKind<'a>> {
        let bytes = self.kinds.get(index * 6..index * 6 + 6)?;
        let name = self.names.get(usize::from(*bytes.get(5)?)..)?;
        Some(FileKind {
            offset: i32::from_be_bytes(bytes.get(..4)?.try_into().ok()?),
            is_summer: *bytes.get(4)? != 0,
            name: CStr::from_bytes_until_nul(name).ok()?,
        })
    }

    fn transition(&self, index: usize) -> i64 {
        self.transitions
            .get(index * 8..index * 8 + 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(i64::MAX, i64::from_be_bytes)
    }

    /// The rule that holds from `time` on, if it is behind the last transition.
    #[must_use]
    pub fn rule_at(&self, time: i64) -> Option<&Rule> {
        let count = self.indices.len();
        self.footer.as_ref().filter(|_| count == 0 || time >= self.transition(count - 1))
    }

    /// What holds at `time`, by the table.
    #[must_use]
    pub fn at(&self, time: i64) -> Option<FileKind<'a>> {
        let (mut low, mut high) = (0, self.indices.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.transition(middle) <= time { low = middle + 1 } else { high = middle }
        }
        let index = low.checked_sub(1).and_then(|index| self.indices.get(index)).copied();
        self.kind(index.map_or(0, usize::from))
    }

    /// The latest kind of standard or of summer time in the table.
    #[must_use]
    pub fn latest(&self, is_summer: Summer) -> Option<FileKind<'a>> {
        let wanted = is_summer == Summer::Yes;
        let used = self.indices.iter().rev().map(|&index| usize::from(index));
        used.chain(0..self.kinds.len() / 6)
            .filter_map(|index| self.kind(index))
            .find(|kind| kind.is_summer == wanted)
    }
}

/// Which of a zone's two kinds of time is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summer {
    /// Summer time.
    Yes,
    /// Standard time.
    No,
}

/// The address of a name that C may keep.
#[must_use]
pub fn address(name: &CStr) -> *const c_char {
    name.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A zone with one transition at 1000 from +0 LMT to +3600 ABC, and after that by rule.
    fn sample() -> Vec<u8> {
        let mut bytes = Vec::new();
        for wide in [false, true] {
            bytes.extend(b"TZif2");
            bytes.extend([0; 15]);
            for count in [0_u32, 0, 0, 1, 2, 8] {
                bytes.extend(count.to_be_bytes());
            }
            if wide {
                bytes.extend(1000_i64.to_be_bytes())
            } else {
                bytes.extend(1000_i32.to_be_bytes())
            }
            bytes.push(1);
            bytes.extend([0, 0, 0, 0, 0, 0]);
            bytes.extend(3600_i32.to_be_bytes());
            bytes.extend([0, 4]);
            bytes.extend(b"LMT\0ABC\0");
        }
        bytes.extend(b"\nABC-1\n");
        bytes
    }

    #[test]
    fn a_file_is_read_and_every_cut_is_refused_or_harmless() {
        let bytes = sample();
        let file = TzFile::new(&bytes).expect("sound");
        assert_eq!(file.at(999).map(|kind| (kind.offset, kind.name)), Some((0, c"LMT")));
        assert_eq!(file.at(1000).map(|kind| (kind.offset, kind.name)), Some((3600, c"ABC")));
        assert!(file.rule_at(999).is_none());
        assert_eq!(file.rule_at(1000).map(|rule| rule.standard.offset), Some(3600));
        for end in 0..bytes.len() {
            if let Some(file) = TzFile::new(&bytes[..end]) {
                let _ = file.at(0);
            }
        }
    }
}
