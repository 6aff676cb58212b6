//! What a domain shares with others under Xen: rings of bytes, the client of xenstore, the grant table, network devices.
//!
//! How pages get here and how the other end is told is the platform's business.

pub mod grant;
pub mod netfront;
pub mod ring;
pub mod store;
pub mod storm;

/// A page of zeros for a test, never given back.
#[cfg(test)]
fn test_page() -> *mut u8 {
    extern crate std;
    let layout = core::alloc::Layout::from_size_align(4096, 4096).expect("a page is a layout");
    // SAFETY: the layout is not empty.
    unsafe { std::alloc::alloc_zeroed(layout) }
}
