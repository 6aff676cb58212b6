//! Thread-local storage of a rump kernel whose code has `__thread` variables, `curlwp` above all.
//!
//! Whoever starts a rump kernel that has any says with [`set_template`] what its TLS segment looks like; each thread that the rump kernel makes then gets a
//! block of its own and a valid `%fs` base (System V ABI for AMD64, 3.4.2; ELF TLS variant II: the block lies below the thread pointer, at which stands its own
//! address). Without a template `%fs` is left alone: in a host process it is the host's, and the rump kernel's variables are part of the host's block.

use alloc::alloc::{alloc_zeroed, dealloc};
use core::alloc::Layout;
use core::ptr::NonNull;

use rump_hypercall::{Giant, user};

/// A TLS segment: `PT_TLS` of the linked rump kernel.
#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// Initialised data, the segment's first bytes.
    pub image: &'static [u8],
    /// Bytes in all; what exceeds the image is zero.
    pub len: usize,
    /// Alignment, a power of two.
    pub align: usize,
}

static TEMPLATE: Giant<Option<Template>> = Giant::new(None);

/// Behind the thread pointer: room for the control block that compilers expect (its own address, and the stack protector's word at 0x28).
const CONTROL: usize = 64;

/// Says what a thread's block is made from. Before the rump kernel makes threads.
pub fn set_template(template: Template) {
    TEMPLATE.set(Some(template));
}

/// A thread's block.
pub struct Block {
    start: NonNull<u8>,
    layout: Layout,
    thread_pointer: usize,
}

impl Block {
    /// A block as a thread finds it when it starts: `Ok(None)` if the rump kernel has no TLS.
    ///
    /// # Errors
    /// `Err` without memory.
    #[expect(clippy::result_unit_err, reason = "there is one way to fail")]
    pub fn new() -> Result<Option<Self>, ()> {
        let Some(template) = TEMPLATE.get() else { return Ok(None) };
        let align = template.align.max(CONTROL);
        let below = template.len.checked_next_multiple_of(align).ok_or(())?;
        let layout = Layout::from_size_align(below + CONTROL, align).map_err(drop)?;
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or(())?;
        let thread_pointer = start.addr().get() + below;
        // The segment's end, rounded to its alignment, is at the thread pointer.
        let first = below - template.len.next_multiple_of(template.align.max(1));
        // SAFETY: the image is at most `len` bytes, which fit between `first` and `below`; the control block follows.
        unsafe {
            let to = start.add(first);
            to.copy_from_nonoverlapping(NonNull::from(template.image).cast(), template.image.len());
            start.add(below).cast::<usize>().write(thread_pointer);
        }
        Ok(Some(Self { start, layout, thread_pointer }))
    }

    /// Makes it the calling thread's.
    pub fn install(&self) {
        user::set_fsbase(self.thread_pointer);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout by `new`.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Template, set_template};
    use core::ptr::with_exposed_provenance;
    use rump_hypercall::user;

    #[test]
    fn a_block_is_what_compilers_expect() {
        rumpbake_posix::run(|| {
            assert!(Block::new().is_ok_and(|block| block.is_none()));
            for (len, align) in [(3, 1), (24, 8), (24, 64), (200, 128), (4096, 4096)] {
                set_template(Template { image: b"abc", len, align });
                let block = Block::new().ok().flatten().unwrap();
                block.install();
                let pointer = user::fsbase();
                assert!(pointer.is_multiple_of(align) && pointer.is_multiple_of(16));
                // The first word behind the block is its own address.
                assert_eq!(word(pointer), pointer);
                let first = pointer - len.next_multiple_of(align);
                let bytes: [u8; 3] = core::array::from_fn(|at| byte(first + at));
                assert_eq!(&bytes, b"abc");
                assert!((first + 3..first + len).all(|at| byte(at) == 0));
            }
        });
    }

    fn word(address: usize) -> usize {
        // SAFETY: the test asks for what lies in the block.
        unsafe { with_exposed_provenance::<usize>(address).read() }
    }

    fn byte(address: usize) -> u8 {
        // SAFETY: as above.
        unsafe { with_exposed_provenance::<u8>(address).read() }
    }
}
