//! The kernel proper out of a bzImage: its payload in LZ4's legacy frame format, as Linux's build makes it.
//!
//! The formats are those of the LZ4 project's "Block Format" and "Frame Format" (section "Legacy frame") descriptions, and of Linux's "The
//! Linux/x86 Boot Protocol" (fields `setup_sects`, `payload_offset`, `payload_length`).

use anyhow::{Context, Result, bail};

/// A legacy frame begins with this number.
const LEGACY_MAGIC: u32 = 0x184c_2102;
/// What the legacy format packs into one block at most.
const BLOCK_SIZE: usize = 8 << 20;

/// The vmlinux inside of a bzImage.
pub fn vmlinux(bzimage: &[u8]) -> Result<Vec<u8>> {
    if bzimage.get(0x202..0x206) != Some(b"HdrS") {
        bail!("this is no bzImage");
    }
    let setup_sectors = match bzimage[0x1f1] {
        0 => 4,
        count => usize::from(count),
    };
    let start = (setup_sectors + 1) * 512 + number(bzimage, 0x248)? as usize;
    let payload = bzimage
        .get(start..)
        .and_then(|rest| rest.get(..number(bzimage, 0x24c).ok()? as usize))
        .context("the bzImage ends before its payload does")?;
    if number(payload, 0)? != LEGACY_MAGIC {
        bail!("the kernel in the bzImage is not compressed with LZ4");
    }
    // The last four bytes are the unpacked size, which Linux's build appends.
    let unpacked = frame(&payload[4..payload.len() - 4])?;
    if !unpacked.starts_with(b"\x7fELF") {
        bail!("what the bzImage holds is no ELF file");
    }
    Ok(unpacked)
}

fn number(bytes: &[u8], at: usize) -> Result<u32> {
    let bytes = bytes.get(at..at + 4).context("the file is too short")?;
    Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// All blocks of a frame.
fn frame(mut rest: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    while rest.len() >= 4 {
        let length = number(rest, 0)?;
        rest = &rest[4..];
        if length == LEGACY_MAGIC {
            continue;
        }
        let packed = rest.get(..length as usize).context("an LZ4 block is cut off")?;
        block(packed, &mut out)?;
        rest = &rest[length as usize..];
    }
    Ok(out)
}

/// Unpacks one block to the end of `out`. Matches do not reach before it.
fn block(packed: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let start = out.len();
    let mut bytes = packed.iter().copied();
    while let Some(token) = bytes.next() {
        let literals = length(token >> 4, &mut bytes)?;
        if bytes.len() < literals {
            bail!("an LZ4 block is cut off inside of its literals");
        }
        out.extend(bytes.by_ref().take(literals));
        let (Some(low), Some(high)) = (bytes.next(), bytes.next()) else {
            // The last sequence has literals alone.
            return Ok(());
        };
        let offset = usize::from(u16::from_le_bytes([low, high]));
        let count = length(token & 15, &mut bytes)? + 4;
        if offset == 0 || offset > out.len() - start || out.len() - start + count > BLOCK_SIZE {
            bail!("an LZ4 block refers to bytes that are not in it");
        }
        // A match may overlap itself: byte by byte.
        for _ in 0..count {
            out.push(out[out.len() - offset]);
        }
    }
    Ok(())
}

/// A length of four bits, continued in bytes if all of them are set.
fn length(nibble: u8, bytes: &mut impl Iterator<Item = u8>) -> Result<usize> {
    let mut sum = usize::from(nibble);
    if nibble == 15 {
        loop {
            let byte = bytes.next().context("an LZ4 block is cut off inside of a length")?;
            sum += usize::from(byte);
            if byte != 255 {
                break;
            }
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::{block, vmlinux};

    #[test]
    fn blocks_unpack() {
        let mut out = b"before".to_vec();
        // "ab", then ten bytes from two back, then "!" alone.
        block(&[0x26, b'a', b'b', 2, 0, 0x10, b'!'], &mut out).unwrap();
        assert_eq!(out, b"beforeabababababab!");
    }

    #[test]
    fn long_lengths_continue() {
        let mut out = Vec::new();
        block(&[0x1f, b'x', 1, 0, 255, 0, 0x00], &mut out).unwrap();
        assert_eq!(out, vec![b'x'; 1 + 15 + 255 + 4]);
    }

    #[test]
    fn bad_blocks_are_refused() {
        assert!(block(&[0x10, b'a', 2, 0], &mut b"before".to_vec()).is_err());
        assert!(block(&[0x50, b'a'], &mut Vec::new()).is_err());
        assert!(block(&[0xf0, 255], &mut Vec::new()).is_err());
        assert!(vmlinux(b"short").is_err());
    }
}
