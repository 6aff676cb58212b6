//! Static libraries: the members of an ar(5) archive, in GNU's and in BSD's notation.
//!
//! The table of symbols is not used, since a library is read whole: so it does not matter which kind it is, or whether there is one.

/// What an archive begins with.
const MAGIC: &[u8] = b"!<arch>\n";
/// A thin archive only names files.
const THIN: &[u8] = b"!<thin>\n";
/// Bytes of a member's header.
const HEADER: usize = 60;

/// A member of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member<'d> {
    pub name: &'d str,
    pub data: &'d [u8],
}

/// The number in a field of a header, padded with spaces.
fn number(field: &[u8]) -> Option<usize> {
    std::str::from_utf8(field).ok()?.trim_end().parse().ok()
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The members of an archive that are files; what is wrong with it otherwise.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<Member<'_>>, &'static str> {
    const CUT: &str = "it is cut off or damaged";
    if bytes.starts_with(THIN) {
        return Err("it is a thin archive, which has no content of its own");
    }
    let mut rest = bytes.strip_prefix(MAGIC).ok_or("it is not an archive of objects")?;
    let mut names: &[u8] = &[];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (header, after) = rest.split_at_checked(HEADER).ok_or(CUT)?;
        let field = |at: usize, len: usize| header.get(at..at + len).unwrap_or_default();
        let len = number(field(48, 10)).filter(|_| field(58, 2) == b"`\n").ok_or(CUT)?;
        let (data, after) = after.split_at_checked(len).ok_or(CUT)?;
        // Members begin at even places.
        rest = after.get(len % 2..).unwrap_or_default();
        let raw = field(0, 16).trim_ascii_end();
        let (name, data) = match raw {
            b"/" | b"/SYM64/" => continue,
            b"//" => {
                names = data;
                continue;
            }
            _ => match (raw.strip_prefix(b"#1/"), raw.strip_prefix(b"/")) {
                (Some(digits), _) => {
                    let (name, data) = data.split_at_checked(number(digits).ok_or(CUT)?).ok_or(CUT)?;
                    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
                    (name.get(..end).unwrap_or_default(), data)
                }
                (None, Some(digits)) => {
                    let name = number(digits).and_then(|at| names.get(at..)).ok_or(CUT)?;
                    let end =
                        name.iter().position(|&byte| byte == b'/' || byte == b'\n').unwrap_or(name.len());
                    (name.get(..end).unwrap_or_default(), data)
                }
                (None, None) => (raw.strip_suffix(b"/").unwrap_or(raw), data),
            },
        };
        if name.starts_with(b"__.SYMDEF") {
            continue;
        }
        found.push(Member { name: text(name).ok_or("a member's name is not text")?, data });
    }
    Ok(found)
}

#[cfg(test)]
pub(super) mod tests {
    use super::members;

    /// One member, as ar(1) writes it.
    pub(in crate::rump) fn member(name: &str, data: &[u8]) -> Vec<u8> {
        let mut out =
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, data.len()).into_bytes();
        out.extend(data);
        if data.len() % 2 == 1 {
            out.push(b'\n');
        }
        out
    }

    /// An archive of these parts.
    pub(in crate::rump) fn archive(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut out = super::MAGIC.to_vec();
        out.extend(parts.concat());
        out
    }

    fn listed(bytes: &[u8]) -> Vec<(&str, &[u8])> {
        members(bytes).unwrap().into_iter().map(|member| (member.name, member.data)).collect()
    }

    #[test]
    fn gnu_archives_have_long_names_in_a_table() {
        let names = b"a_name_that_is_long.o/\nanother_long_name.o/\n";
        let bytes = archive(&[
            member("/", &[0; 4]),
            member("//", names),
            member("/23", b"two"),
            member("short.o/", b"one"),
        ]);
        assert_eq!(listed(&bytes), [("another_long_name.o", &b"two"[..]), ("short.o", b"one")]);
    }

    #[test]
    fn bsd_archives_have_long_names_before_the_content() {
        let bytes = archive(&[
            member("__.SYMDEF", &[0; 8]),
            member("#1/8", b"name.o\0\0content"),
            member("plain.o", b"x"),
        ]);
        assert_eq!(listed(&bytes), [("name.o", &b"content"[..]), ("plain.o", b"x")]);
    }

    #[test]
    fn damage_is_told() {
        let bytes = archive(&[member("a.o/", b"content")]);
        for len in 9..bytes.len() - 1 {
            assert!(members(&bytes[..len]).is_err(), "{len}");
        }
        assert!(members(b"!<thin>\n").unwrap_err().contains("thin"));
        assert!(members(b"\x7fELF").is_err());
    }
}
