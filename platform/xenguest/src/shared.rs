//! The page that Xen shares with the guest (Xen's public headers xen.h, `struct shared_info`, and arch-x86/xen.h): event channels, clock, the
//! address of the last page fault.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use rump_clock::Counter;

/// `struct vcpu_info`.
#[repr(C)]
pub struct VcpuInfo {
    /// An event is pending.
    pub upcall_pending: AtomicU8,
    /// Events are not delivered.
    pub upcall_mask: AtomicU8,
    pad: [u8; 6],
    /// The words of [`SharedInfo::pending`] that have bits set.
    pub pending_words: AtomicU64,
    /// The address of the last page fault.
    pub cr2: AtomicU64,
    arch_pad: u64,
    /// The clock: nanoseconds since Xen's boot.
    pub time: Counter,
}

/// `struct shared_info`, as far as it is used.
#[repr(C)]
pub struct SharedInfo {
    /// The one virtual CPU, and those that a guest could have.
    pub vcpus: [VcpuInfo; 32],
    /// Event channels with an event.
    pub pending: [AtomicU64; 64],
    /// Event channels that are not delivered.
    pub mask: [AtomicU64; 64],
    /// Odd while Xen writes the next three.
    pub wall_version: AtomicU32,
    /// Seconds since 1970 when the clock was 0, low half.
    pub wall_sec: AtomicU32,
    /// And nanoseconds.
    pub wall_nsec: AtomicU32,
    /// High half of the seconds.
    pub wall_sec_high: AtomicU32,
}

const _: () = assert!(core::mem::offset_of!(VcpuInfo, upcall_mask) == 1);
const _: () = assert!(size_of::<VcpuInfo>() == 64 && core::mem::offset_of!(SharedInfo, wall_version) == 3072);

#[repr(C, align(4096))]
struct Page(UnsafeCell<[u8; 4096]>);

// SAFETY: only its address is used; what is mapped there is reached through atomics.
unsafe impl Sync for Page {}

/// The address at which the page is mapped; the image's own page there is not used. A paravirtual guest's entry code looks at the first two bytes.
#[unsafe(export_name = "rb_xen_shared")]
static WINDOW: Page = Page(UnsafeCell::new([0; 4096]));

/// Where the guest's kind has to map the page, at its start.
pub fn window() -> usize {
    WINDOW.0.get() as usize
}

/// The shared page; after it has been mapped.
#[inline]
pub fn info() -> &'static SharedInfo {
    // SAFETY: the page is mapped for good at boot, before anybody asks; it is read and written by atomics.
    unsafe { &*WINDOW.0.get().cast::<SharedInfo>() }
}

/// The one virtual CPU's part.
#[inline]
pub fn vcpu() -> &'static VcpuInfo {
    &info().vcpus[0]
}

/// Reads what a version guards against being written meanwhile.
pub fn consistent<T>(version: &AtomicU32, read: impl Fn() -> T) -> T {
    loop {
        let before = version.load(Ordering::Acquire);
        let value = read();
        core::sync::atomic::fence(Ordering::Acquire);
        if before & 1 == 0 && version.load(Ordering::Relaxed) == before {
            return value;
        }
    }
}
