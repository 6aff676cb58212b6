//! The application's half of the address space as it will be at boot: segments with their content.

use object::elf;

use crate::app::App;
use crate::app::PAGE;

/// Zeros that are written out rather than beginning another segment, bytes.
const GAP: u64 = 2 * PAGE;

/// To which layer a segment belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    Program = 0,
    Libc = 1,
    Rump = 2,
}

impl Layer {
    /// As reports call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Libc => "libc",
            Self::Rump => "rump kernel",
        }
    }
}

/// What may be done with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prot(pub u32);

impl Prot {
    pub(crate) const READ: Self = Self(1);
    pub(crate) const READ_WRITE: Self = Self(3);
    pub(crate) const READ_EXEC: Self = Self(5);

    pub(crate) fn of(flags: elf::ProgramFlags) -> Self {
        let bit = |flag, bit| if flags.contains(flag) { bit } else { 0 };
        // NetBSD on amd64 cannot have pages that are writable or executable but not readable.
        Self(1 | bit(elf::PF_W, 2) | bit(elf::PF_X, 4))
    }

    /// As `ls` would show it.
    pub(crate) fn text(self) -> String {
        let flag = |bit, letter| if self.0 & bit != 0 { letter } else { '-' };
        [flag(1, 'r'), flag(2, 'w'), flag(4, 'x')].into_iter().collect()
    }
}

/// A run of pages.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    /// Page-aligned.
    pub va: u64,
    /// Page-aligned.
    pub len: u64,
    pub prot: Prot,
    pub layer: Layer,
    /// Content from `va` on; what follows is zero.
    pub data: Vec<u8>,
}

impl Pages {
    fn holds(&self, va: u64, len: u64) -> bool {
        self.va <= va && va.checked_add(len).is_some_and(|end| end <= self.va + self.len)
    }
}

/// The segments by ascending address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space {
    pub pages: Vec<Pages>,
}

impl Space {
    /// The program's segments with the content that the file has.
    pub(crate) fn of(app: &App) -> Self {
        let pages = app
            .headers()
            .loads
            .iter()
            .map(|load| {
                let va = load.page_start();
                let content = app.content(load);
                // The first page's beginning, before the segment, stays zero: what the file has there belongs to another segment.
                let lead = usize::try_from(load.va - va).unwrap_or(0);
                let mut data = Vec::with_capacity((lead + content.len()).next_multiple_of(4096));
                if !content.is_empty() {
                    data.resize(lead, 0);
                    data.extend_from_slice(content);
                }
                Pages {
                    va,
                    len: load.page_end() - va,
                    prot: Prot::of(load.flags),
                    layer: Layer::Program,
                    data,
                }
            })
            .collect();
        Self { pages }
    }

    /// Reads a word; zero where there is no content, `None` outside.
    pub(crate) fn word(&self, va: u64) -> Option<u64> {
        let pages = self.pages.iter().find(|pages| pages.holds(va, 8))?;
        let at = usize::try_from(va - pages.va).ok()?;
        let byte = |index: usize| pages.data.get(at + index).copied().unwrap_or(0);
        Some(u64::from_le_bytes(std::array::from_fn(byte)))
    }

    /// Writes into a segment, extending its content if need be; `None` outside all of them, or if the content is scattered
    /// over more pieces than an image holds.
    pub(crate) fn write(&mut self, va: u64, bytes: &[u8]) -> Option<()> {
        let index = self.pages.iter().position(|pages| pages.holds(va, bytes.len() as u64))?;
        self.split_gap(index, va)?;
        let pages = self.pages.iter_mut().find(|pages| pages.holds(va, bytes.len() as u64))?;
        let at = usize::try_from(va - pages.va).ok()?;
        if pages.data.len() < at + bytes.len() {
            pages.data.resize(at + bytes.len(), 0);
        }
        pages.data.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
        Some(())
    }

    /// Begins a new segment at `va` if it lies far behind the segment's content: zeroed memory that nobody wrote takes no room.
    fn split_gap(&mut self, index: usize, va: u64) -> Option<()> {
        let pages = self.pages.get_mut(index)?;
        let content_end = pages.va + pages.data.len() as u64;
        let page = va & !(PAGE - 1);
        if page <= content_end + GAP {
            return Some(());
        }
        let tail = Pages { va: page, len: pages.va + pages.len - page, data: Vec::new(), ..*pages };
        pages.len = page - pages.va;
        self.pages.insert(index + 1, tail);
        (self.pages.len() <= rump_image::MAX_SEGMENTS).then_some(())
    }

    /// Makes the whole pages of `start..end` read-only, splitting segments where necessary.
    pub(crate) fn protect(&mut self, start: u64, end: u64) {
        let (start, end) = (start.next_multiple_of(PAGE), end & !(PAGE - 1));
        let mut split = Vec::with_capacity(self.pages.len() + 2);
        for pages in std::mem::take(&mut self.pages) {
            let (from, to) = (start.max(pages.va), end.min(pages.va + pages.len));
            if from >= to || pages.prot != Prot::READ_WRITE {
                split.push(pages);
                continue;
            }
            let (prot, layer) = (pages.prot, pages.layer);
            let mut rest = pages.data;
            for (va, end, prot) in
                [(pages.va, from, prot), (from, to, Prot::READ), (to, pages.va + pages.len, prot)]
            {
                if va < end {
                    let len = usize::try_from(end - va).unwrap_or(usize::MAX);
                    let tail = if rest.len() > len { rest.split_off(len) } else { Vec::new() };
                    split.push(Pages {
                        va,
                        len: end - va,
                        prot,
                        layer,
                        data: std::mem::replace(&mut rest, tail),
                    });
                }
            }
        }
        self.pages = split;
    }
}

#[cfg(test)]
mod tests {
    use super::{Layer, Pages, Prot, Space};

    fn space() -> Space {
        let data = (0..0x2800_u32).map(|at| u8::try_from(at / 0x1000).unwrap_or(0) + 1).collect();
        Space {
            pages: vec![Pages {
                va: 0x10000,
                len: 0x5000,
                prot: Prot::READ_WRITE,
                layer: Layer::Program,
                data,
            }],
        }
    }

    #[test]
    fn only_whole_pages_become_read_only() {
        let mut space = space();
        space.protect(0x10800, 0x12fff);
        let split: Vec<_> = space
            .pages
            .iter()
            .map(|pages| (pages.va, pages.len, pages.prot.text(), pages.data.len()))
            .collect();
        assert_eq!(
            split,
            [
                (0x10000, 0x1000, "rw-".into(), 0x1000),
                (0x11000, 0x1000, "r--".into(), 0x1000),
                (0x12000, 0x3000, "rw-".into(), 0x800)
            ]
        );
        assert_eq!(space.word(0x11000), Some(0x0202_0202_0202_0202));
        assert_eq!(space.word(0x127fc), Some(0x0303_0303));
    }

    #[test]
    fn zeros_that_nobody_wrote_take_no_room() {
        let mut space = space();
        if let Some(pages) = space.pages.first_mut() {
            pages.len = 1 << 30;
        }
        space.write(0x2000_0008, &[9; 8]).unwrap();
        assert_eq!(space.pages.len(), 2);
        assert_eq!(space.pages[1].data.len(), 16);
        assert_eq!(space.word(0x2000_0008), Some(0x0909_0909_0909_0909));
        assert_eq!(space.pages[0].len + space.pages[1].len, 1 << 30);
    }

    #[test]
    fn writing_past_the_content_extends_it_and_writing_outside_fails() {
        let mut space = space();
        assert_eq!(space.write(0x14ff8, &[7; 8]), Some(()));
        assert_eq!(space.word(0x14ff8), Some(0x0707_0707_0707_0707));
        assert_eq!(space.word(0x13000), Some(0));
        assert_eq!(space.write(0x14ff9, &[7; 8]), None);
        assert_eq!(space.word(0x15000), None);
    }
}
