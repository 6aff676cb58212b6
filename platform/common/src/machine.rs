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

    /// Stores a page-table entry at the latest when [`settle`] is called; before that, nobody reads it. `entry` is its
    /// address in the direct map, and `value` holds a physical address as the page allocator counts them.
    ///
    /// # Safety
    /// `entry` points into a page table and `value` keeps the kernel's own mappings as they are.
    #[link_name = "rbm_set_pte"]
    pub fn set_pte(entry: *mut u64, value: u64);

    /// Reads a page-table entry, as [`set_pte`] was given it; the processor and the machine may have set further bits.
    ///
    /// # Safety
    /// `entry` points into a page table.
    #[link_name = "rbm_get_pte"]
    pub fn get_pte(entry: *mut u64) -> u64;

    /// Drops what the processor remembers of the mapping of `va`, at the latest when [`settle`] is called.
    #[link_name = "rbm_flush_page"]
    pub safe fn flush_page(va: usize);

    /// Drops what the processor remembers of the application's mappings, at the latest when [`settle`] is called.
    #[link_name = "rbm_flush_all"]
    pub safe fn flush_all();

    /// Makes what was stored and dropped take effect.
    #[link_name = "rbm_settle"]
    pub safe fn settle();

    /// A page, zeroed, is to become a page table.
    ///
    /// # Safety
    /// The page is the caller's, in the direct map, and is written through [`set_pte`] alone from now on.
    #[link_name = "rbm_table_made"]
    pub fn table_made(table: *mut u8);

    /// A page is no page table any more: no entry points to it, whether that is settled or not.
    ///
    /// # Safety
    /// The page was given to [`table_made`].
    #[link_name = "rbm_table_gone"]
    pub fn table_gone(table: *mut u8);

    /// Makes the next return to application code come with the thread's `frame`; never comes back.
    ///
    /// # Safety
    /// `frame` is the calling thread's own frame at the top of its kernel stack, its segment and flag words made safe.
    #[link_name = "rbm_return_to_user"]
    pub fn return_to_user(frame: *mut rump_hypercall::user::Trapframe) -> !;

    /// Makes the code segment, stack segment and flags of a frame what application code runs with on this machine.
    #[link_name = "rbm_sanitize"]
    pub safe fn sanitize(frame: &mut rump_hypercall::user::Trapframe);

    /// The gate's address: what a call through it enters, straight or by way of the tracing hook.
    #[link_name = "rbm_gate"]
    pub safe fn gate(traced: bool) -> usize;

    /// Says how the image ended, to whoever runs it, and switches off. `line` is for those who read words, `status` for those who
    /// read a number.
    #[link_name = "rbm_end"]
    pub safe fn end(line: &str, status: u8) -> !;
}
