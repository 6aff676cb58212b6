//! Hypercalls by their numbers (Xen's public header xen.h); by which instruction they are made is the guest's kind's business.

/// Hypercall numbers (xen.h).
#[derive(Clone, Copy)]
#[repr(u64)]
pub enum Number {
    /// HYPERVISOR_set_trap_table
    SetTrapTable = 0,
    /// HYPERVISOR_mmu_update
    MmuUpdate = 1,
    /// HYPERVISOR_stack_switch
    StackSwitch = 3,
    /// HYPERVISOR_memory_op
    MemoryOp = 12,
    /// HYPERVISOR_multicall
    Multicall = 13,
    /// HYPERVISOR_update_va_mapping
    UpdateVaMapping = 14,
    /// HYPERVISOR_xen_version
    XenVersion = 17,
    /// HYPERVISOR_console_io
    ConsoleIo = 18,
    /// HYPERVISOR_grant_table_op
    GrantTableOp = 20,
    /// HYPERVISOR_vcpu_op
    VcpuOp = 24,
    /// HYPERVISOR_set_segment_base
    SetSegmentBase = 25,
    /// HYPERVISOR_mmuext_op
    MmuextOp = 26,
    /// HYPERVISOR_sched_op
    SchedOp = 29,
    /// HYPERVISOR_callback_op
    CallbackOp = 30,
    /// HYPERVISOR_event_channel_op
    EventChannelOp = 32,
    /// HYPERVISOR_physdev_op
    PhysdevOp = 33,
    /// HYPERVISOR_hvm_op
    HvmOp = 34,
}

/// The domain itself (xen.h, DOMID_SELF).
pub const DOMID_SELF: u64 = 0x7ff0;

unsafe extern "Rust" {
    /// Makes a hypercall; a negative result is an error number of Xen's. The guest's kind defines it.
    ///
    /// # Safety
    /// The arguments are what this hypercall takes, and what it does keeps the kernel running.
    #[link_name = "rbx_hypercall"]
    pub fn call(number: Number, args: [u64; 4]) -> i64;
}

/// Makes a hypercall of the kind that takes a command and a pointer to its argument, which it may change.
///
/// # Safety
/// `argument` is the structure that the command takes.
pub unsafe fn command<T>(number: Number, command: u64, argument: &mut T) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { call(number, [command, &raw mut *argument as u64, 0, 0]) }
}
