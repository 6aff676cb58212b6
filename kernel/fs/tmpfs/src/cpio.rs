//! cpio archives in the "newc" format (cpio(5) of NetBSD, "New ASCII Format"): a header of fourteen fields, name, content.
//!
//! The archive may be anything: every field is checked, nothing is read outside of it, and reading ends at the first thing that is wrong.

use core::fmt;

/// What is wrong with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpioError {
    /// An entry does not begin with the format's magic number.
    Magic,
    /// A field is no hexadecimal number.
    Number,
    /// An entry reaches past the end.
    Short,
    /// An entry has no name.
    Name,
}

impl fmt::Display for CpioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Magic => "an entry does not begin with 070701",
            Self::Number => "an entry has a field that is no number",
            Self::Short => "it ends in the middle of an entry",
            Self::Name => "an entry has no name",
        })
    }
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Number of the file: entries of one file with several names have the same.
    pub ino: u32,
    /// Kind and permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names that the file has.
    pub nlink: u32,
    /// Last change, seconds since 1970.
    pub mtime_s: u32,
    /// Which device a device node stands for: major, minor.
    pub rdev: (u32, u32),
    /// Its path.
    pub name: &'a [u8],
    /// Its content; a symbolic link's path.
    pub content: &'a [u8],
}

/// The entries of an archive, up to the one that ends it.
pub struct Reader<'a> {
    archive: &'a [u8],
    at: usize,
    done: bool,
}

const HEADER: usize = 110;
const FIELDS: usize = 13;
const TRAILER: &[u8] = b"TRAILER!!!";

impl<'a> Reader<'a> {
    /// The entries of this archive.
    #[must_use]
    pub const fn new(archive: &'a [u8]) -> Self {
        Self { archive, at: 0, done: false }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], CpioError> {
        let end = self.at.checked_add(len).ok_or(CpioError::Short)?;
        let bytes = self.archive.get(self.at..end).ok_or(CpioError::Short)?;
        // What follows begins at a multiple of four; the end of the archive may come before.
        self.at = end.next_multiple_of(4).min(self.archive.len());
        Ok(bytes)
    }

    fn entry(&mut self) -> Result<Option<Entry<'a>>, CpioError> {
        let end = self.at.checked_add(HEADER).ok_or(CpioError::Short)?;
        let header = self.archive.get(self.at..end).ok_or(CpioError::Short)?;
        self.at = end;
        if !matches!(&header[..6], b"070701" | b"070702") {
            return Err(CpioError::Magic);
        }
        let mut fields = [0; FIELDS];
        for (field, digits) in fields.iter_mut().zip(header[6..].chunks_exact(8)) {
            *field = number(digits)?;
        }
        let [ino, mode, uid, gid, nlink, mtime_s, size, _, _, major, minor, name_len, _] = fields;
        let name = self.take(name_len as usize)?;
        let name = &name[..name.iter().position(|&byte| byte == 0).ok_or(CpioError::Name)?];
        let content = self.take(size as usize)?;
        if name == TRAILER {
            return Ok(None);
        }
        if name.is_empty() {
            return Err(CpioError::Name);
        }
        Ok(Some(Entry { ino, mode, uid, gid, nlink, mtime_s, rdev: (major, minor), name, content }))
    }
}

fn number(digits: &[u8]) -> Result<u32, CpioError> {
    digits.iter().try_fold(0, |number: u32, &digit| {
        let value = char::from(digit).to_digit(16).ok_or(CpioError::Number)?;
        Ok(number << 4 | value)
    })
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Entry<'a>, CpioError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let entry = self.entry().transpose();
        self.done = !matches!(entry, Some(Ok(_)));
        entry
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{CpioError, Reader};
    use alloc::format;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    pub(crate) fn add(archive: &mut Vec<u8>, ino: u32, mode: u32, nlink: u32, name: &str, content: &[u8]) {
        let fields =
            [ino, mode, 0, 0, nlink, 1_000, content.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
        archive.extend_from_slice(b"070701");
        for field in fields {
            archive.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        archive.extend_from_slice(name.as_bytes());
        archive.push(0);
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }

    #[test]
    fn reads_entries() {
        let mut archive = Vec::new();
        add(&mut archive, 1, 0o040_755, 2, "dir", b"");
        add(&mut archive, 2, 0o100_644, 1, "dir/file", b"hello");
        add(&mut archive, 0, 0, 1, "TRAILER!!!", b"");
        archive.extend_from_slice(b"rubbish");
        let entries: Vec<_> = Reader::new(&archive).map(Result::unwrap).collect();
        assert_eq!(entries.len(), 2);
        assert_eq!((entries[1].name, entries[1].content), (&b"dir/file"[..], &b"hello"[..]));
        assert_eq!((entries[0].mode, entries[1].mtime_s), (0o040_755, 1_000));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let first = |archive: &[u8]| Reader::new(archive).next().unwrap().unwrap_err();
        assert_eq!(first(b""), CpioError::Short);
        assert_eq!(first(&[b'0'; 200]), CpioError::Magic);
        let mut archive = Vec::new();
        add(&mut archive, 1, 0o100_644, 1, "file", b"hello");
        for end in 0..archive.len() - 4 {
            assert_eq!(first(&archive[..end]), CpioError::Short, "{end}");
        }
        archive[20] = b'x';
        assert_eq!(first(&archive), CpioError::Number);
    }

    proptest! {
        #[test]
        fn anything_is_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), digits in any::<bool>()) {
            if digits {
                for byte in &mut bytes {
                    *byte = b"0123456789abcdef"[usize::from(*byte % 16)];
                }
                let len = bytes.len().min(6);
                bytes[..len].copy_from_slice(&b"070701"[..len]);
            }
            let _ = Reader::new(&bytes).count();
        }
    }
}
