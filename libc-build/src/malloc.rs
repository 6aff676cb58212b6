//! malloc(3) and its family.
//!
//! Memory comes from the kernel in *segments* of 256 KiB, aligned to their size. A segment's first page describes its other 63. Runs of pages
//! hold objects of one size class; what is larger than 128 KiB has a mapping of its own. From any object the segment, its page and
//! so the class are found by masking the address.
//!
//! * Each thread keeps a list of free objects per class: the usual malloc and free take no lock and make no system call.
//! * The lists are filled from and drained into the runs, in batches, under one lock.
//! * A run whose objects are all free gives its pages back to the segment; a segment that is all free goes back to the kernel, except one.
//! * Pages of a run are touched as its objects are handed out for the first time, so a small machine pays for what is used.
//!
//! free(3) of something that is no object, and of an object that is free already, ends the program with a message: always where the address cannot
//! be an object's, and for double frees as long as the object lies in the thread's list.

mod api;
mod cache;
mod central;
mod class;
mod huge;
mod os;
mod segment;

pub use api::*;
pub use cache::thread_exit;

/// Ends the program with a sentence about misuse.
#[cold]
fn die(text: &'static str) -> ! {
    // SAFETY: the text is a constant.
    let _ = unsafe { crate::sys::write(2, text.as_ptr().cast(), text.len()) };
    #[cfg(not(test))]
    crate::process::abort();
    #[cfg(test)]
    panic!("{text}");
}

#[cfg(test)]
mod tests;
