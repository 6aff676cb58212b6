//! Packing a directory into a cpio archive, the root file system's content.
//!
//! The format is "newc" (cpio(5)): a header of hexadecimal numbers, the name, the content, each padded to four bytes. The
//! archive does not depend on the host: names sorted bytewise, no times, no owners, no inode numbers of the host. A file's content begins
//! at a multiple of the page size, so that its pages can be used in place: the name is padded with more NUL bytes than it needs,
//! which readers ignore.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Bytes of a header.
const HEADER: usize = 110;
/// Bytes in a page.
const PAGE: usize = 4096;
/// The name that ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";
/// Most bytes that one file may have: the format has 32 bits.
const FILE_MAX: u64 = u32::MAX as u64;

/// File types in the mode, as stat(2) has them.
const S_IFDIR: u32 = 0o040_000;
const S_IFREG: u32 = 0o100_000;
const S_IFLNK: u32 = 0o120_000;

struct Archive {
    bytes: Vec<u8>,
    inode: u32,
}

fn fail(path: &Path, reason: impl Into<String>, hint: &str) -> Error {
    Error::Root { path: path.into(), reason: reason.into(), hint: hint.into() }
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    move |error| fail(path, format!("cannot be read: {error}"), "make it readable, or leave it out of --root")
}

impl Archive {
    fn entry(&mut self, name: &[u8], mode: u32, links: u32, content: &[u8]) {
        let start = self.bytes.len();
        let mut name_len = name.len() + 1;
        if content.len() >= PAGE {
            let content_start = (start + HEADER + name_len).next_multiple_of(4).next_multiple_of(PAGE);
            name_len = content_start - start - HEADER;
        }
        self.inode += 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let fields =
            [self.inode, mode, 0, 0, links, 0, number(content.len()), 0, 0, 0, 0, number(name_len), 0];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend(name);
        self.bytes.resize((start + HEADER + name_len).next_multiple_of(4), 0);
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// Packs what is in `directory`, whose name in the archive is `prefix`.
    fn directory(&mut self, directory: &Path, prefix: &[u8]) -> Result<()> {
        let entries = fs::read_dir(directory).map_err(unreadable(directory))?;
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            paths.push(entry.map_err(unreadable(directory))?.path());
        }
        paths.sort();
        for path in paths {
            let mut name = prefix.to_vec();
            if !prefix.is_empty() {
                name.push(b'/');
            }
            name.extend(path.file_name().unwrap_or_default().as_bytes());
            let metadata = fs::symlink_metadata(&path).map_err(unreadable(&path))?;
            self.file(&path, &name, &metadata)?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &[u8], metadata: &Metadata) -> Result<()> {
        let mode = metadata.permissions().mode() & 0o7777;
        let kind = metadata.file_type();
        if kind.is_dir() {
            self.entry(name, S_IFDIR | mode, 2, &[]);
            return self.directory(path, name);
        }
        if kind.is_symlink() {
            let target = fs::read_link(path).map_err(unreadable(path))?;
            self.entry(name, S_IFLNK | 0o777, 1, target.as_os_str().as_bytes());
            return Ok(());
        }
        if !kind.is_file() {
            let what = if kind.is_fifo() {
                "a named pipe"
            } else if kind.is_socket() {
                "a socket"
            } else {
                "a device"
            };
            return Err(fail(
                path,
                format!("it is {what}, which a root file system cannot hold"),
                "remove it from --root",
            ));
        }
        if metadata.len() > FILE_MAX {
            return Err(fail(
                path,
                "it is larger than 4 GiB, more than the archive can hold",
                "put it on a volume",
            ));
        }
        let content = fs::read(path).map_err(unreadable(path))?;
        self.entry(name, S_IFREG | mode, 1, &content);
        Ok(())
    }
}

/// Packs a directory.
pub(crate) fn pack(directory: &Path) -> Result<Vec<u8>> {
    let metadata = match fs::metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(fail(
                directory,
                "there is no such directory",
                "name the directory that becomes the root file system",
            ));
        }
        Err(error) => return Err(unreadable(directory)(error)),
    };
    if !metadata.is_dir() {
        return Err(fail(
            directory,
            "it is not a directory",
            "name the directory that becomes the root file system",
        ));
    }
    let mut archive = Archive { bytes: Vec::new(), inode: 0 };
    archive.entry(b".", S_IFDIR | (metadata.permissions().mode() & 0o7777), 2, &[]);
    archive.directory(directory, b"")?;
    archive.entry(TRAILER, 0, 1, &[]);
    Ok(archive.bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::{HEADER, PAGE, pack};

    fn hex(bytes: &[u8]) -> usize {
        usize::from_str_radix(std::str::from_utf8(bytes).unwrap(), 16).unwrap()
    }

    /// Name, mode, content and its offset of every entry.
    fn entries(archive: &[u8]) -> Vec<(String, usize, Vec<u8>, usize)> {
        let (mut at, mut found) = (0, Vec::new());
        while at < archive.len() {
            let field = |n: usize| hex(&archive[at + 6 + 8 * n..at + 14 + 8 * n]);
            assert_eq!(&archive[at..at + 6], b"070701");
            let (mode, size, name_len) = (field(1), field(6), field(11));
            let name = &archive[at + HEADER..at + HEADER + name_len];
            let name = String::from_utf8(name.split(|&b| b == 0).next().unwrap().to_vec()).unwrap();
            let start = (at + HEADER + name_len).next_multiple_of(4);
            found.push((name, mode, archive[start..start + size].to_vec(), start));
            at = (start + size).next_multiple_of(4);
        }
        found
    }

    #[test]
    fn a_directory_becomes_a_sorted_archive_with_aligned_content() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/hosts"), "127.0.0.1 localhost\n").unwrap();
        std::fs::write(dir.path().join("big"), vec![7; 3 * PAGE + 1]).unwrap();
        std::fs::write(dir.path().join("a"), "").unwrap();
        let mode = std::fs::Permissions::from_mode(0o750);
        std::fs::set_permissions(dir.path().join("a"), mode).unwrap();
        symlink("etc/hosts", dir.path().join("link")).unwrap();
        let archive = pack(dir.path()).unwrap();
        assert_eq!(archive, pack(dir.path()).unwrap());
        let found = entries(&archive);
        let names: Vec<&str> = found.iter().map(|entry| entry.0.as_str()).collect();
        assert_eq!(names, [".", "a", "big", "etc", "etc/hosts", "link", "TRAILER!!!"]);
        assert_eq!(found[1].1, 0o100_750);
        assert_eq!(found[2].2, vec![7; 3 * PAGE + 1]);
        assert_eq!(found[2].3 % PAGE, 0);
        assert_eq!(found[4].2, b"127.0.0.1 localhost\n");
        assert_eq!((found[5].1, found[5].2.as_slice()), (0o120_777, &b"etc/hosts"[..]));
    }

    #[test]
    fn what_cannot_be_packed_is_refused_with_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let absent = pack(&dir.path().join("absent")).unwrap_err().to_string();
        assert!(absent.contains("there is no such directory"), "{absent}");
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("s")).unwrap();
        let socket = pack(dir.path()).unwrap_err().to_string();
        assert!(socket.contains("it is a socket"), "{socket}");
        let file = pack(Path::new(file!()).file_name().map_or(Path::new(""), Path::new)).unwrap_err();
        assert!(matches!(file, crate::Error::Root { .. }));
    }
}
