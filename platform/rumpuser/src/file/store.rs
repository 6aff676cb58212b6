//! Files with their contents: what was baked in, and over it what was written, page by page.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::ffi::c_int;

use rump_abi::errno::{EISDIR, ENOENT, ENOMEM, ENOSPC};
use rump_hypercall::memory::PAGE_SIZE;
use rump_hypercall::{Giant, boot};

use super::archive;
use super::host::HostFile;

/// `RUMPUSER_FT_*`: what a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Other = 0,
    Dir = 1,
    Reg = 2,
    Blk = 3,
}

pub(super) struct File {
    /// As it was asked for first.
    pub name: Vec<u8>,
    pub kind: Kind,
    /// What was baked in.
    baked: &'static [u8],
    size: Cell<u64>,
    /// Pages that were written.
    written: RefCell<BTreeMap<u64, Vec<u8>>>,
    /// It is the host's, and nothing of it is here.
    pub host: Option<Box<dyn HostFile>>,
}

// SAFETY: touched with the one virtual CPU held only.
unsafe impl Send for File {}
// SAFETY: as above.
unsafe impl Sync for File {}

/// The files that somebody has asked for.
static FILES: Giant<Vec<Arc<File>>> = Giant::new(Vec::new());

fn add(name: &[u8], kind: Kind, baked: &'static [u8], size: u64) -> Arc<File> {
    let file = Arc::new(File {
        name: name.into(),
        kind,
        baked,
        size: Cell::new(size),
        written: RefCell::new(BTreeMap::new()),
        host: None,
    });
    FILES.borrow_mut().push(Arc::clone(&file));
    file
}

/// The size in a memory disk's name.
fn memory_disk(name: &[u8]) -> Option<u64> {
    let rest = core::str::from_utf8(name.strip_prefix(b"dev/md")?).ok()?;
    let (unit, size) = rest.split_once(':')?;
    unit.parse::<u32>().ok()?;
    let (digits, shift) = match size.chars().last()?.to_ascii_lowercase() {
        'k' => (&size[..size.len() - 1], 10),
        'm' => (&size[..size.len() - 1], 20),
        'g' => (&size[..size.len() - 1], 30),
        _ => (size, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|&size| size > 0)
}

/// The file of this name. ENOENT if there is none.
pub(super) fn find(name: &[u8]) -> Result<Arc<File>, c_int> {
    let plain = archive::plain(name);
    if let Some(file) = FILES.borrow().iter().find(|file| archive::plain(&file.name) == plain) {
        return Ok(Arc::clone(file));
    }
    if let Some(entry) = archive::find(boot::info().root, plain) {
        let kind = match entry.mode & 0o170_000 {
            0o040_000 => Kind::Dir,
            0o100_000 => Kind::Reg,
            _ => Kind::Other,
        };
        return Ok(add(name, kind, entry.content, entry.content.len() as u64));
    }
    memory_disk(plain).map(|size| add(name, Kind::Blk, &[], size)).ok_or(ENOENT)
}

/// Makes a file of this name. ENOENT for the empty name.
pub(super) fn create(name: &[u8]) -> Result<Arc<File>, c_int> {
    if archive::plain(name).is_empty() {
        return Err(ENOENT);
    }
    Ok(add(name, Kind::Reg, &[], 0))
}

/// Where a page and a range meet: the page's number, where in the page, where in the range, how many bytes.
fn pages(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize, usize)> {
    let mut done = 0;
    core::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset + done as u64;
        let inside = (at % PAGE_SIZE as u64) as usize;
        let count = (PAGE_SIZE - inside).min(len - done);
        let part = (at / PAGE_SIZE as u64, inside, done, count);
        done += count;
        Some(part)
    })
}

impl File {
    /// The host's.
    pub(super) fn of_host(name: &[u8], host: Box<dyn HostFile>) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Other,
            baked: &[],
            size: Cell::new(0),
            written: RefCell::new(BTreeMap::new()),
            host: Some(host),
        }
    }

    /// Bytes in it.
    pub(super) fn size(&self) -> u64 {
        self.size.get()
    }

    /// Copies what was baked in from `at` on, zeros behind it.
    fn copy_baked(&self, at: u64, to: &mut [u8]) {
        let rest = usize::try_from(at).ok().and_then(|at| self.baked.get(at..)).unwrap_or(&[]);
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        to[count..].fill(0);
    }

    /// Reads from `offset` on; returns how many bytes there were. EISDIR for a directory.
    pub(super) fn read(&self, offset: u64, to: &mut [u8]) -> Result<usize, c_int> {
        if self.kind == Kind::Dir {
            return Err(EISDIR);
        }
        if let Some(host) = &self.host {
            return host.read(offset, to);
        }
        let len = usize::try_from(self.size().saturating_sub(offset)).unwrap_or(usize::MAX).min(to.len());
        let written = self.written.borrow();
        for (page, inside, done, count) in pages(offset, len) {
            let to = &mut to[done..done + count];
            match written.get(&page) {
                Some(bytes) => to.copy_from_slice(&bytes[inside..inside + count]),
                None => self.copy_baked(page * PAGE_SIZE as u64 + inside as u64, to),
            }
        }
        Ok(len)
    }

    /// Writes from `offset` on; returns how many bytes there was room for. ENOSPC behind a disk's end, ENOMEM without memory.
    pub(super) fn write(&self, offset: u64, from: &[u8]) -> Result<usize, c_int> {
        if let Some(host) = &self.host {
            return host.write(offset, from);
        }
        let mut len = from.len();
        if self.kind == Kind::Blk {
            len = usize::try_from(self.size().saturating_sub(offset)).unwrap_or(usize::MAX).min(len);
        }
        if offset.checked_add(len as u64).is_none() || (len == 0 && !from.is_empty()) {
            return Err(ENOSPC);
        }
        let mut written = self.written.borrow_mut();
        for (page, inside, done, count) in pages(offset, len) {
            let bytes = match written.entry(page) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let mut bytes = Vec::new();
                    if bytes.try_reserve_exact(PAGE_SIZE).is_err() {
                        return if done > 0 { Ok(done) } else { Err(ENOMEM) };
                    }
                    bytes.resize(PAGE_SIZE, 0);
                    self.copy_baked(page * PAGE_SIZE as u64, &mut bytes);
                    entry.insert(bytes)
                }
            };
            bytes[inside..inside + count].copy_from_slice(&from[done..done + count]);
            self.size.set(self.size().max(offset + (done + count) as u64));
        }
        Ok(len)
    }
}
