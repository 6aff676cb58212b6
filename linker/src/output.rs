//! Writing files: whole or not at all.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file through a temporary one beside it, so that nobody sees half of it and nothing is left behind on failure.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, content: &[&[u8]]) -> Result<()> {
    let fail = |source| Error::Write { path: path.into(), source };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // The permissions that a newly made file would have; the process's mask is applied to them.
    builder.prefix(".rumpbake-").permissions(std::fs::Permissions::from_mode(0o666));
    let mut file = builder.tempfile_in(directory).map_err(fail)?;
    for part in content {
        file.write_all(part).map_err(fail)?;
    }
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("taken");
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("x"), "").unwrap();
        let error = write(&target, &[b"image"]).unwrap_err().to_string();
        assert!(error.contains("taken: cannot be written"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(write(&dir.path().join("absent/image"), &[b""]).is_err());
    }

    #[test]
    fn an_old_file_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        std::fs::write(&path, "a longer old one").unwrap();
        write(&path, &[b"new", b" one"]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new one");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
