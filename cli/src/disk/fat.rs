//! The EFI system partition: a FAT12 file system that holds one file, `/EFI/BOOT/BOOTX64.EFI`.
//!
//! Follows Microsoft's FAT specification (1.03) and the UEFI specification (2.10, sections 3.5.1.1 and 13.3). Times are those of the
//! format's epoch and the volume's number is 0, so that the same file gives the same bytes.

/// Bytes of a sector.
const SECTOR: usize = 512;
/// Sectors of a cluster; with 2 KiB each, FAT12's 4,084 clusters hold 8 MB, many times a boot loader.
const SECTORS_PER_CLUSTER: usize = 4;
const CLUSTER: usize = SECTOR * SECTORS_PER_CLUSTER;
const MAX_CLUSTERS: usize = 4084;
/// Entries of the root directory: a sector of them.
const ROOT_ENTRIES: usize = SECTOR / 32;
/// Reserved sectors, before the first of the two tables.
const RESERVED: usize = 1;
const TABLES: usize = 2;
const MEDIA: u8 = 0xf8;
const END_OF_CHAIN: u16 = 0xfff;
const DIRECTORY: u8 = 0x10;
const ARCHIVE: u8 = 0x20;
/// The first of January 1980.
const DATE: u16 = 1 << 5 | 1;
/// Clusters of the directories; the first of all has the number 2.
const EFI: u16 = 2;
const BOOT: u16 = 3;
const LOADER: u16 = 4;

/// The file system with this boot loader; `None` if it is too large.
pub fn with_loader(loader: &[u8]) -> Option<Vec<u8>> {
    let loader_clusters = loader.len().div_ceil(CLUSTER).max(1);
    let clusters = 2 + loader_clusters;
    if clusters > MAX_CLUSTERS {
        return None;
    }
    let table_sectors = ((clusters + 2) * 3).div_ceil(2).div_ceil(SECTOR);
    let data = RESERVED + TABLES * table_sectors + 1;
    // A whole number of the 2 KiB blocks of an ISO 9660 file system.
    let sectors = (data + clusters * SECTORS_PER_CLUSTER).next_multiple_of(4);

    let mut out = boot_sector(u16::try_from(sectors).ok()?, u16::try_from(table_sectors).ok()?);
    let mut chain = vec![0xf00 | u16::from(MEDIA), END_OF_CHAIN, END_OF_CHAIN, END_OF_CHAIN];
    let last = usize::from(LOADER) + loader_clusters - 1;
    for cluster in usize::from(LOADER)..last {
        chain.push(u16::try_from(cluster + 1).ok()?);
    }
    chain.push(END_OF_CHAIN);
    let mut table = packed(&chain);
    table.resize(table_sectors * SECTOR, 0);
    for _ in 0..TABLES {
        out.extend(&table);
    }
    let size = u32::try_from(loader.len()).ok()?;
    let mut section = |content: &[u8], len: usize| {
        let end = out.len() + len;
        out.extend(content);
        out.resize(end, 0);
    };
    section(&entry(b"EFI        ", DIRECTORY, EFI, 0), SECTOR);
    let directory = |itself, parent, child| {
        [entry(b".          ", DIRECTORY, itself, 0), entry(b"..         ", DIRECTORY, parent, 0), child]
            .concat()
    };
    section(&directory(EFI, 0, entry(b"BOOT       ", DIRECTORY, BOOT, 0)), CLUSTER);
    section(&directory(BOOT, EFI, entry(b"BOOTX64 EFI", ARCHIVE, LOADER, size)), CLUSTER);
    section(loader, loader_clusters * CLUSTER);
    out.resize(sectors * SECTOR, 0);
    Some(out)
}

fn boot_sector(sectors: u16, table_sectors: u16) -> Vec<u8> {
    // A processor that runs it stops: jump to itself.
    let mut out = vec![0xeb, 0xfe, 0x90];
    out.extend(b"RUMPBAKE");
    out.extend((SECTOR as u16).to_le_bytes());
    out.push(SECTORS_PER_CLUSTER as u8);
    out.extend((RESERVED as u16).to_le_bytes());
    out.push(TABLES as u8);
    out.extend((ROOT_ENTRIES as u16).to_le_bytes());
    out.extend(sectors.to_le_bytes());
    out.push(MEDIA);
    // Sectors of a table, sectors of a track, heads; hidden sectors and the large count of sectors are 0.
    for word in [table_sectors, 32, 64] {
        out.extend(word.to_le_bytes());
    }
    out.extend([0; 8]);
    // Drive number, the mark of the fields that follow, the volume's number.
    out.extend([0x80, 0, 0x29, 0, 0, 0, 0]);
    out.extend(b"NO NAME    FAT12   ");
    out.resize(SECTOR - 2, 0);
    out.extend([0x55, 0xaa]);
    out
}

/// Table entries of 12 bits.
fn packed(chain: &[u16]) -> Vec<u8> {
    let pair = |pair: &[u16]| {
        let both = u32::from(pair[0]) | u32::from(pair.get(1).copied().unwrap_or(0)) << 12;
        let [a, b, c, _] = both.to_le_bytes();
        [a, b, c]
    };
    chain.chunks(2).flat_map(pair).collect()
}

fn entry(name: &[u8; 11], attributes: u8, cluster: u16, size: u32) -> Vec<u8> {
    let mut out = name.to_vec();
    out.push(attributes);
    // Creation with its tenths of a second and date, last access, the high half of the cluster (not of FAT12).
    out.extend([0; 4]);
    out.extend([DATE, DATE, 0, 0, DATE, cluster].map(u16::to_le_bytes).concat());
    out.extend(size.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::{CLUSTER, SECTOR, entry, packed, with_loader};

    #[test]
    fn entries_of_12_bits() {
        assert_eq!(packed(&[0x123, 0x456, 0x789]), [0x23, 0x61, 0x45, 0x89, 0x07, 0]);
        assert_eq!(entry(b"A          ", 0x20, 7, 9).len(), 32);
    }

    #[test]
    fn the_loader_is_found_again() {
        let loader: Vec<u8> = (0..3 * CLUSTER + 5).map(|index| (index % 251) as u8).collect();
        let volume = with_loader(&loader).unwrap();
        let word = |at: usize| usize::from(u16::from_le_bytes([volume[at], volume[at + 1]]));
        assert_eq!(volume.len(), word(19) * SECTOR);
        assert_eq!(volume.len() % 2048, 0);
        let root = (word(14) + usize::from(volume[16]) * word(22)) * SECTOR;
        let data = root + word(17) * 32;
        let at = |cluster: usize| data + (cluster - 2) * CLUSTER;
        let find = |directory: usize, name: &[u8]| {
            let entry = (directory..).step_by(32).find(|&entry| volume[entry..].starts_with(name)).unwrap();
            (word(entry + 26), word(entry + 28))
        };
        let (efi, _) = find(root, b"EFI        ");
        let (boot, _) = find(at(efi), b"BOOT       ");
        let (mut cluster, size) = find(at(boot), b"BOOTX64 EFI");
        assert_eq!(size, loader.len());
        let mut content: Vec<u8> = Vec::new();
        while cluster < 0xff8 {
            content.extend(&volume[at(cluster)..at(cluster) + CLUSTER]);
            let pair = word(SECTOR + cluster * 3 / 2);
            cluster = if cluster % 2 == 0 { pair & 0xfff } else { pair >> 4 };
        }
        assert_eq!(content[..size], loader);
        assert_eq!(with_loader(&vec![0; 9 << 20]), None);
    }
}
