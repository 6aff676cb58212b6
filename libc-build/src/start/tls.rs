//! Thread-local storage: the program's template and how a thread's copy lies below its block (ELF Handling For Thread-Local Storage,
//! variant II; tls(7)).
//!
//! There is one module, the program, since layer 2 itself has no thread-local variables.

use crate::thread::Thread;
#[cfg(not(test))]
use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering};

/// PT_TLS in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Address of the initial content.
    pub image: usize,
    /// Bytes of initial content.
    pub file_len: usize,
    /// Bytes in memory.
    pub mem_len: usize,
    /// Alignment, a power of two, at least 16.
    pub align: usize,
    /// Distance from the start of the storage up to the thread's block.
    pub offset: usize,
}

impl Template {
    /// The template of a PT_TLS header at `image` with these sizes.
    ///
    /// The block is aligned to `align`, and the storage begins at an address that is congruent to `image`: so the linker has laid it out.
    #[must_use]
    pub const fn new(image: usize, file_len: usize, mem_len: usize, align: usize) -> Self {
        let align = if align.is_power_of_two() { align } else { 1 };
        let pad = image.wrapping_add(mem_len).wrapping_neg() & (align - 1);
        Self { image, file_len, mem_len, align: if align < 16 { 16 } else { align }, offset: mem_len + pad }
    }

    /// Bytes that a thread needs at most, for storage and block, in memory of any alignment.
    #[must_use]
    pub const fn space(&self) -> usize {
        self.offset + size_of::<Thread>() + self.align
    }

    /// Lays storage and block out at the upper end of the memory that ends at `end`, all of it zero. Returns the block; what is
    /// below the storage (see [`Template::lowest`]) is free.
    ///
    /// # Safety
    /// [`Template::space`] bytes below `end` are the caller's to write and are zero; the template is this program's.
    pub unsafe fn place(&self, end: *mut u8) -> *mut Thread {
        let block = end.wrapping_sub(size_of::<Thread>());
        let block = block.wrapping_sub(block.addr() & (self.align - 1));
        let thread = block.cast::<Thread>();
        // SAFETY: `align` is at least that of `Thread`; storage and block lie within `space` bytes below `end`.
        unsafe {
            core::ptr::copy_nonoverlapping(
                core::ptr::with_exposed_provenance::<u8>(self.image),
                block.wrapping_sub(self.offset),
                self.file_len,
            );
            (*thread).tcb_self = thread;
            (*thread).tcb_pthread = thread;
        }
        thread
    }

    /// The lowest address that the storage of `thread` takes.
    #[must_use]
    pub fn lowest(&self, thread: *mut Thread) -> *mut u8 {
        thread.cast::<u8>().wrapping_sub(self.offset)
    }
}

static IMAGE: AtomicUsize = AtomicUsize::new(0);
static FILE_LEN: AtomicUsize = AtomicUsize::new(0);
static MEM_LEN: AtomicUsize = AtomicUsize::new(0);
static ALIGN: AtomicUsize = AtomicUsize::new(16);
static OFFSET: AtomicUsize = AtomicUsize::new(0);

/// Remembers the program's template.
#[cfg(not(test))]
pub(super) fn set(template: Template) {
    IMAGE.store(template.image, Ordering::Relaxed);
    FILE_LEN.store(template.file_len, Ordering::Relaxed);
    MEM_LEN.store(template.mem_len, Ordering::Relaxed);
    ALIGN.store(template.align, Ordering::Relaxed);
    OFFSET.store(template.offset, Ordering::Relaxed);
}

/// The program's template.
#[must_use]
pub fn template() -> Template {
    Template {
        image: IMAGE.load(Ordering::Relaxed),
        file_len: FILE_LEN.load(Ordering::Relaxed),
        mem_len: MEM_LEN.load(Ordering::Relaxed),
        align: ALIGN.load(Ordering::Relaxed),
        offset: OFFSET.load(Ordering::Relaxed),
    }
}

/// What the compiler passes to `__tls_get_addr`.
#[derive(Debug)]
#[repr(C)]
pub struct TlsIndex {
    /// The module; 1 is the program.
    pub module: usize,
    /// The offset in the module's storage.
    pub offset: usize,
}

/// The address of a thread-local variable of the calling thread.
///
/// # Safety
/// `index` is one that the linker made.
#[cfg(not(test))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __tls_get_addr(index: *const TlsIndex) -> *mut c_void {
    // SAFETY: this function's contract.
    let offset = unsafe { (*index).offset };
    crate::thread::current()
        .cast::<u8>()
        .wrapping_sub(OFFSET.load(Ordering::Relaxed))
        .wrapping_add(offset)
        .cast()
}

/// `_rtld_tls_allocate`: storage and block for an LWP that the program makes itself with _lwp_create(2); null without memory.
#[cfg(not(test))]
#[unsafe(no_mangle)]
pub extern "C" fn _rtld_tls_allocate() -> *mut c_void {
    let template = template();
    let space = template.space();
    // SAFETY: calloc has no further conditions.
    let memory = unsafe { crate::malloc::calloc(1, space + 16) }.cast::<u8>();
    if memory.is_null() {
        return core::ptr::null_mut();
    }
    // SAFETY: the memory is fresh, zero, and holds `space` bytes.
    let thread = unsafe { template.place(memory.wrapping_add(space + 16)) };
    // SAFETY: the block was just laid out.
    unsafe { (*thread).map = memory.cast() };
    thread.cast()
}

/// `_rtld_tls_free`: gives back what [`_rtld_tls_allocate`] made.
///
/// # Safety
/// `block` came from there, and no LWP uses it.
#[cfg(not(test))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _rtld_tls_free(block: *mut c_void) {
    // SAFETY: this function's contract.
    unsafe { crate::malloc::free((*block.cast::<Thread>()).map) }
}

#[cfg(test)]
mod tests {
    use super::{Template, Thread};

    #[test]
    fn the_storage_is_congruent_to_its_image() {
        for align in [1, 4, 16, 64, 4096] {
            for image in [0, 4, 0x1000, 0x1238] {
                for len in [0, 1, 16, 100, 5000] {
                    let image = image & !(align - 1) | (image & (align - 1));
                    let t = Template::new(image, 0, len, align);
                    assert!(t.offset >= len);
                    assert_eq!(t.offset.wrapping_neg().wrapping_sub(image) & (align - 1), 0);
                }
            }
        }
    }

    #[test]
    fn places_a_copy_below_the_block() {
        let image = [1_u8, 2, 3, 4, 5];
        let t = Template::new(image.as_ptr().expose_provenance(), 5, 40, 1);
        let mut memory = vec![0_u64; 256];
        let end = memory.as_mut_ptr_range().end.cast::<u8>();
        // SAFETY: the vector has room and is zero.
        unsafe {
            let thread = t.place(end);
            assert!(thread.wrapping_add(1).cast::<u8>() <= end);
            assert_eq!((*thread).tcb_self, thread);
            assert_eq!(thread.addr() % 16, 0);
            let storage = core::slice::from_raw_parts(t.lowest(thread), 40);
            assert_eq!(&storage[..6], &[1, 2, 3, 4, 5, 0]);
            assert_eq!(thread.cast::<u8>().addr() - storage.as_ptr().addr(), 40);
        }
        let _ = size_of::<Thread>();
    }
}
