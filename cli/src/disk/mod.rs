//! Disks: an image with a standard boot loader, GRUB 2, for machines whose firmware wants a disk or a CD.
//!
//! One construction serves both formats: an ISO 9660 file system with the image, an El Torito entry for BIOS and one for UEFI,
//! and in front of it a boot sector and a partition table, so that a disk with the same bytes starts as well. GRUB gets its
//! few commands built in and reads nothing but the image (multiboot 1); it stays off the console, which is the program's,
//! unless it fails. The same image and the same tools give the same bytes: all dates are 1980-01-01.

mod fat;
pub mod tools;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;

use rump_config::Stdio;
use tempfile::NamedTempFile;

use crate::failure::Failure;
use tools::{Tools, run};

/// What a disk is made to be used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A CD, DVD, or a file that stands for one.
    Iso,
    /// A disk.
    Raw,
}

/// What `rumpbake run` has to know of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What it is to be used as.
    pub medium: Medium,
    /// What the program's descriptors 0 to 2 are, which nobody can change any more.
    pub stdio: Stdio,
}

/// Bytes of a block of the file system.
const BLOCK: usize = 2048;
/// How an image begins: ELF, 64 bits, little-endian.
const IMAGE_START: &[u8] = b"\x7fELF\x02\x01";
/// Where the primary volume descriptor lies, its mark, and its field for the application (ECMA-119, 8.4).
const DESCRIPTOR: usize = 16 * BLOCK;
const MARK: &[u8] = b"\x01CD001";
const APPLICATION: usize = 574;
const APPLICATION_LEN: usize = 128;

/// The date of everything, as xorriso takes it.
const DATE: &str = "1980010100000000";
/// GRUB's modules for every kind of firmware.
const MODULES: &[&str] =
    &["part_gpt", "part_msdos", "iso9660", "search_fs_file", "multiboot", "boot", "serial", "terminal"];

impl Disk {
    /// What the application field of the volume descriptor says.
    fn label(self) -> &'static str {
        match (self.medium, self.stdio) {
            (Medium::Iso, Stdio::Terminal) => "RUMPBAKE ISO",
            (Medium::Iso, Stdio::Pipe) => "RUMPBAKE ISO PIPE",
            (Medium::Raw, Stdio::Terminal) => "RUMPBAKE RAW",
            (Medium::Raw, Stdio::Pipe) => "RUMPBAKE RAW PIPE",
        }
    }

    fn of_label(label: &str) -> Option<Self> {
        let media = [Medium::Iso, Medium::Raw].into_iter();
        let mut disks =
            media.flat_map(|medium| [Stdio::Terminal, Stdio::Pipe].map(|stdio| Self { medium, stdio }));
        disks.find(|disk| disk.label() == label)
    }

    /// Looks whether a file is a disk that rumpbake made.
    pub fn recognize(path: &Path) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        let wanted = DESCRIPTOR + APPLICATION + APPLICATION_LEN;
        File::open(path)?.take(wanted as u64).read_to_end(&mut head)?;
        let Some(descriptor) = head.get(DESCRIPTOR..).filter(|bytes| bytes.starts_with(MARK)) else {
            return Ok(None);
        };
        let label = descriptor.get(APPLICATION..).unwrap_or_default();
        Ok(str::from_utf8(label).ok().and_then(|label| Self::of_label(label.trim_end_matches(' '))))
    }

    /// Makes a disk of an image in `folder`, where files may be left.
    pub fn make(self, tools: &Tools, image: &[u8], folder: &Path) -> Result<Vec<u8>, Failure> {
        let fail = |error: io::Error| Failure::new(format!("{}: {error}", folder.display()));
        let tree = folder.join("tree");
        std::fs::create_dir(&tree).map_err(fail)?;
        let name = format!("{:016x}.elf", fnv1a(image));
        std::fs::write(tree.join(&name), image).map_err(fail)?;
        let script = folder.join("grub.cfg");
        std::fs::write(&script, grub_script(&name)).map_err(fail)?;
        let loader = folder.join("BOOTX64.EFI");
        run(&mut mkimage(tools, "x86_64-efi", &script, &loader))?;
        run(mkimage(tools, "i386-pc-eltorito", &script, &tree.join("bios.img")).arg("biosdisk"))?;
        let partition = fat::with_loader(&std::fs::read(&loader).map_err(fail)?)
            .ok_or_else(|| Failure::new("GRUB's image for UEFI has more than 8 MB"))?;
        std::fs::write(tree.join("efi.img"), partition).map_err(fail)?;
        let disk = folder.join("disk");
        let mut xorriso = tools.xorriso();
        xorriso.args(["-as", "mkisofs", "-quiet", "-o"]).arg(&disk);
        xorriso.args(["-volid", "RUMPBAKE", "-appid", self.label(), "-uid", "0", "-gid", "0"]);
        xorriso.args(["-dir-mode", "0555", "-file-mode", "0444", "--gpt_disk_guid", "modification-date"]);
        xorriso.args([&format!("--modification-date={DATE}"), "--set_all_file_dates", DATE]);
        xorriso.args(["-b", "bios.img", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4"]);
        xorriso.args(["-boot-info-table", "--grub2-boot-info", "--grub2-mbr"]).arg(&tools.hybrid);
        xorriso.args(["-eltorito-alt-boot", "-e", "efi.img", "-no-emul-boot"]);
        xorriso.args(["-efi-boot-part", "--efi-boot-image"]).arg(&tree);
        run(&mut xorriso)?;
        std::fs::read(&disk).map_err(fail)
    }
}

/// The image on a disk that rumpbake made, as a file of its own; `None` if the file is something else.
pub fn image_in(path: &Path) -> Result<Option<NamedTempFile>, Failure> {
    let fail = |error: io::Error| Failure::new(format!("{}: cannot be read: {error}", path.display()));
    // What cannot be read at all is for the reader of programs and images to say.
    if !matches!(Disk::recognize(path), Ok(Some(_))) {
        return Ok(None);
    }
    let disk = std::fs::read(path).map_err(fail)?;
    let is_start = |block: &[u8]| block.starts_with(IMAGE_START);
    let Some(index) = disk.chunks(BLOCK).position(is_start) else {
        return Err(Failure::new(format!("{}: there is no image on this disk", path.display())));
    };
    let mut file = NamedTempFile::new().map_err(fail)?;
    io::Write::write_all(&mut file, disk.get(index * BLOCK..).unwrap_or_default()).map_err(fail)?;
    Ok(Some(file))
}

fn mkimage(tools: &Tools, format: &str, script: &Path, output: &Path) -> Command {
    let mut command = tools.grub_mkimage();
    command.args(["-O", format, "-p", "/", "-c"]).arg(script).arg("-o").arg(output).args(MODULES);
    command
}

/// What GRUB does: boot; and if that fails, do it again where the console sees what it says, and stay there.
///
/// The file's name is made of its content, so that it is not found on another disk of the machine.
fn grub_script(name: &str) -> String {
    let boot = format!("search.file /{name} root\nmultiboot /{name}\nboot\n");
    format!("{boot}serial --unit=0 --speed=115200\nterminal_input serial\nterminal_output serial\n{boot}")
}

/// The FNV-1a hash of 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::{Disk, Medium, fnv1a, grub_script};
    use rump_config::Stdio;

    #[test]
    fn labels_are_told_apart() {
        for medium in [Medium::Iso, Medium::Raw] {
            for stdio in [Stdio::Terminal, Stdio::Pipe] {
                let disk = Disk { medium, stdio };
                assert_eq!(Disk::of_label(disk.label()), Some(disk));
            }
        }
        assert_eq!(Disk::of_label("GRUB"), None);
    }

    #[test]
    fn only_rumpbakes_own_disks_are_recognized() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = vec![0; 0x9000];
        for (content, expected) in [
            ("", None),
            ("RUMPBAKE", None),
            ("RUMPBAKE RAW", Some(Disk { medium: Medium::Raw, stdio: Stdio::Terminal })),
        ] {
            bytes[0x8000..0x8006].copy_from_slice(b"\x01CD001");
            bytes[0x8000 + 574..0x8000 + 702].fill(b' ');
            bytes[0x8000 + 574..0x8000 + 574 + content.len()].copy_from_slice(content.as_bytes());
            std::fs::write(file.path(), &bytes).unwrap();
            assert_eq!(Disk::recognize(file.path()).unwrap(), expected, "{content}");
        }
        std::fs::write(file.path(), &bytes[..0x8100]).unwrap();
        assert_eq!(Disk::recognize(file.path()).unwrap(), None);
    }

    #[test]
    fn grub_speaks_only_after_a_failure() {
        let script = grub_script("x.elf");
        assert!(script.find("\nboot\n").unwrap() < script.find("terminal_output").unwrap());
        assert!(script.ends_with("multiboot /x.elf\nboot\n"));
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
