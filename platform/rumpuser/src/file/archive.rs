//! Finding a file in the root archive: cpio(5), "New ASCII Format". What is wrong with the archive ends the search.

/// A file of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Kind and permissions.
    pub mode: u32,
    pub content: &'static [u8],
}

const HEADER: usize = 110;
const MAGIC: &[u8] = b"07070";

/// A field of eight hexadecimal digits.
fn field(header: &[u8], number: usize) -> Option<usize> {
    let digits = core::str::from_utf8(header.get(6 + 8 * number..14 + 8 * number)?).ok()?;
    usize::from_str_radix(digits, 16).ok()
}

/// A path as the archive may have it: without slashes or dots at the front.
pub(super) fn plain(mut path: &[u8]) -> &[u8] {
    while let Some(rest) = path.strip_prefix(b"/").or_else(|| path.strip_prefix(b"./")) {
        path = rest;
    }
    path
}

/// The file of this path.
pub(super) fn find(archive: &'static [u8], path: &[u8]) -> Option<Entry> {
    let path = plain(path);
    let mut at = 0;
    loop {
        let header = archive.get(at..at + HEADER).filter(|header| header.starts_with(MAGIC))?;
        let (mode, size, name_len) = (field(header, 1)?, field(header, 6)?, field(header, 11)?);
        let name_at = at + HEADER;
        let name = archive.get(name_at..name_at.checked_add(name_len)?)?.split_last()?.1;
        let content_at = (name_at + name_len).next_multiple_of(4);
        let end = content_at.checked_add(size)?;
        let content = archive.get(content_at..end)?;
        if name == b"TRAILER!!!" {
            return None;
        }
        // The same path twice: the first has the say, as the second would not replace what is open.
        let name = plain(name.split(|&byte| byte == 0).next()?);
        if name == path && !path.is_empty() {
            return Some(Entry { mode: mode as u32, content });
        }
        at = end.next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::find;
    use alloc::format;
    use alloc::vec::Vec;

    fn archive(files: &[(&str, u32, &[u8])]) -> &'static [u8] {
        let mut bytes = Vec::new();
        for (name, mode, content) in files {
            let mut fields = [0; 13];
            (fields[1], fields[6], fields[11]) = (*mode as usize, content.len(), name.len() + 1);
            bytes.extend_from_slice(b"070701");
            fields.iter().for_each(|field| bytes.extend_from_slice(format!("{field:08x}").as_bytes()));
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(content);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes.leak()
    }

    #[test]
    fn finds_by_any_spelling_of_a_path() {
        let archive =
            archive(&[("dir", 0o040_755, b""), ("./dir/x", 0o100_644, b"hello"), ("TRAILER!!!", 0, b"")]);
        assert_eq!(find(archive, b"/dir/x").unwrap().content, b"hello");
        assert_eq!(find(archive, b"dir/x").unwrap().mode, 0o100_644);
        assert_eq!(find(archive, b"/dir").unwrap().mode, 0o040_755);
        assert_eq!(find(archive, b"/y"), None);
        assert_eq!(find(archive, b"/"), None);
    }

    #[test]
    fn a_broken_archive_has_no_files() {
        let good = archive(&[("file", 0o100_644, b"hello"), ("TRAILER!!!", 0, b"")]);
        for end in 0..120 {
            assert_eq!(find(&good[..end], b"file"), None, "{end}");
        }
        assert_eq!(find(&[b'x'; 300], b"file"), None);
        assert_eq!(find(b"070701zzzzzzzz", b"file"), None);
    }
}
