//! Initramfs archives: cpio in the "new ASCII" format, as Linux's Documentation/driver-api/early-userspace/buffer-format.rst describes it.

/// Appends one entry. The same entries give the same bytes: no owner, no time.
fn entry(out: &mut Vec<u8>, inode: usize, mode: u32, name: &str, data: &[u8]) {
    let links = 1;
    out.extend(b"070701");
    // Inode, mode, user, group, links, time, size, device and device number of the file (two words each), length of the name, checksum.
    for field in [inode, mode as usize, 0, 0, links, 0, data.len(), 0, 0, 0, 0, name.len() + 1, 0] {
        out.extend(format!("{field:08x}").bytes());
    }
    out.extend(name.bytes());
    out.push(0);
    pad(out);
    out.extend(data);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

/// An archive of executable files.
pub fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, (name, data)) in files.iter().enumerate() {
        entry(&mut out, index + 1, 0o100_755, name, data);
    }
    entry(&mut out, 0, 0, "TRAILER!!!", b"");
    out
}

#[cfg(test)]
mod tests {
    use super::archive;

    #[test]
    fn one_file() {
        let bytes = archive(&[("init", b"#!x")]);
        let header = b"070701\
            00000001000081ed00000000000000000000000100000000\
            0000000300000000000000000000000000000000000000050000000";
        assert!(bytes.starts_with(header));
        assert_eq!(&bytes[110..115], b"init\0");
        assert_eq!(&bytes[116..119], b"#!x");
        assert_eq!(&bytes[120..126], b"070701");
        assert_eq!(bytes.len() % 4, 0);
    }
}
