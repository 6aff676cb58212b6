//! Writing files: whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file through a temporary one beside it, so that nobody sees half of it and nothing is left behind on failure. What is no file, such as
/// `/dev/null` or a pipe, is written to as it is; behind a symbolic link, what it leads to is replaced.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, content: &[&[u8]]) -> Result<()> {
    let fail = |source| Error::Write { path: path.into(), source };
    let write_all = |mut file: &File| content.iter().try_for_each(|part| file.write_all(part)).map_err(fail);
    let there = fs::metadata(path);
    if there.as_ref().is_ok_and(fs::Metadata::is_dir) {
        return Err(fail(io::Error::other("it is a directory; name a file in it")));
    }
    if there.is_ok_and(|there| !there.is_file()) {
        return write_all(&OpenOptions::new().write(true).open(path).map_err(fail)?);
    }
    let target = path.canonicalize().unwrap_or_else(|_| path.into());
    let folder = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(fail(io::Error::other(format!(
            "there is no folder {}; make it first",
            folder.display()
        ))));
    }
    // Made here and not by the builder: with the permissions of any new file, and errors that do not name the temporary one.
    let file = tempfile::Builder::new()
        .prefix(".rumpbake-")
        .make_in(folder, |path| OpenOptions::new().write(true).create_new(true).open(path))
        .map_err(fail)?;
    write_all(file.as_file())?;
    file.persist(&target).map_err(|error| fail(error.error))?;
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
        assert!(error.contains("taken: cannot be written: it is a directory"), "{error}");
        let error = write(&dir.path().join("absent/image"), &[b""]).unwrap_err().to_string();
        assert!(error.contains("image: cannot be written: there is no folder"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn devices_and_links_stay_what_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let (device, link, image) =
            (dir.path().join("device"), dir.path().join("link"), dir.path().join("image"));
        std::os::unix::fs::symlink("/dev/full", &device).unwrap();
        let error = write(&device, &[b"image"]).unwrap_err().to_string();
        assert!(error.contains("device: cannot be written: No space"), "{error}");
        std::os::unix::fs::symlink("image", &link).unwrap();
        std::fs::write(&image, "old").unwrap();
        write(&link, &[b"new"]).unwrap();
        assert!(device.is_symlink() && link.is_symlink());
        assert_eq!(std::fs::read_to_string(&image).unwrap(), "new");
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
