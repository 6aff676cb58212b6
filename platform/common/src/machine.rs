//! What the machine below (bare metal, Xen) defines for this crate.

unsafe extern "Rust" {
    /// Nanoseconds since boot.
    #[link_name = "rb_monotonic_ns"]
    pub safe fn monotonic_ns() -> u64;

    /// Makes the timer interrupt come at `deadline_ns` (at once if it has passed), instead of what was set before; `u64::MAX`
    /// means never.
    #[link_name = "rbm_set_timer"]
    pub safe fn set_timer(deadline_ns: u64);

    /// Halts until an interrupt was handled. Called with interrupts masked, returns with them masked.
    #[link_name = "rbm_idle"]
    pub safe fn idle();

    /// Loads the `%fs` base.
    #[link_name = "rbm_set_fsbase"]
    pub safe fn set_fsbase(base: usize);

    /// Stores a page-table entry; `table` is the entry's address in the direct map.
    ///
    /// # Safety
    /// `entry` points into a page table and `value` keeps the kernel's own mappings as they are.
    #[link_name = "rbm_set_pte"]
    pub fn set_pte(entry: *mut u64, value: u64);

    /// Drops what the processor remembers of the mapping of `va`.
    #[link_name = "rbm_flush_page"]
    pub safe fn flush_page(va: usize);

    /// Drops what the processor remembers of the application's mappings.
    #[link_name = "rbm_flush_all"]
    pub safe fn flush_all();

    /// Makes the next return to application code come with the thread's `frame`; never comes back.
    ///
    /// # Safety
    /// `frame` is the calling thread's own frame at the top of its kernel stack, its segment and flag words made safe.
    #[link_name = "rbm_return_to_user"]
    pub fn return_to_user(frame: *mut rump_hypercall::user::Trapframe) -> !;

    /// Makes the code segment, stack segment and flags of a frame what application code runs with on this machine.
    #[link_name = "rbm_sanitize"]
    pub safe fn sanitize(frame: &mut rump_hypercall::user::Trapframe);

    /// Routes the gate through the tracing hook, or straight again.
    #[link_name = "rbm_set_gate_traced"]
    pub safe fn set_gate_traced(traced: bool);
}
