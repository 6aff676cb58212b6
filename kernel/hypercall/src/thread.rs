//! Threads: kernel stacks that take turns on the virtual CPU.
//!
//! A thread starts in the kernel. If it is to run application code (an LWP), it enters it with [`crate::user::enter`] and comes
//! back in system calls, faults and interrupts.

use core::ptr::NonNull;

/// A thread. Valid until it has called [`exit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Thread(pub NonNull<()>);

// SAFETY: a handle is only ever passed to the platform, under the virtual CPU.
unsafe impl Send for Thread {}
// SAFETY: as above.
unsafe impl Sync for Thread {}

/// No memory for a kernel stack or a page table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// What a rump kernel that was built elsewhere keeps with a thread, beside [`word`]; zeros at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Foreign {
    /// Address of its lwp (rumpuser_curlwp).
    pub lwp: usize,
    /// Address of what its hypercalls know of the thread.
    pub record: usize,
    /// The last error number that it has told (rumpuser_seterrno).
    pub errno: i32,
}

unsafe extern "Rust" {
    /// Makes a thread that will call `start(arg)`, and queues it to run. `start` must not return: it ends with [`exit`].
    #[link_name = "rb_thread_create"]
    pub safe fn create(start: fn(usize) -> !, arg: usize) -> Result<Thread, OutOfMemory>;

    /// Ends the calling thread. Values on its stack are not dropped.
    #[link_name = "rb_thread_exit"]
    pub safe fn exit() -> !;

    /// The calling thread.
    #[link_name = "rb_thread_current"]
    pub safe fn current() -> Thread;

    /// The calling thread's own word, 0 at first: layer 1 keeps its LWP there (rumpuser_curlwp). In a callout it is
    /// the word of whichever thread was interrupted.
    #[link_name = "rb_thread_word"]
    pub safe fn word() -> usize;

    /// Sets the calling thread's own word.
    #[link_name = "rb_thread_set_word"]
    pub safe fn set_word(word: usize);

    /// What a foreign kernel keeps with the calling thread. In a callout as with [`word`].
    #[link_name = "rb_thread_foreign"]
    pub safe fn foreign() -> Foreign;

    /// Sets it.
    #[link_name = "rb_thread_set_foreign"]
    pub safe fn set_foreign(foreign: Foreign);

    /// Lets the other runnable threads run first. A wait.
    #[link_name = "rb_thread_yield"]
    pub safe fn yield_now();

    /// Ends the interruptible wait in which `thread` is, if it is in one; then returns true.
    #[link_name = "rb_thread_interrupt"]
    pub safe fn interrupt(thread: Thread) -> bool;

    /// Makes [`crate::Upcalls::ast`] run on `thread` before it next runs application code.
    #[link_name = "rb_thread_set_ast"]
    pub safe fn set_ast(thread: Thread);

    /// Processor time that `thread` has used, nanoseconds.
    #[link_name = "rb_thread_cpu_ns"]
    pub safe fn cpu_ns(thread: Thread) -> u64;
}
