//! Hypercalls: the `syscall` instruction with a number in rax (Xen's public headers xen.h and arch-x86/xen-x86_64.h).
//!
//! Arguments go in rdi, rsi, rdx, r10, r8; rcx and r11 are lost; a negative result is an error number of Xen's.

use core::arch::asm;

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
}

/// The domain itself (xen.h, DOMID_SELF).
pub const DOMID_SELF: u64 = 0x7ff0;

/// Makes a hypercall. In guest-user mode, in which the kernel is while no hypercall was needed since the gate, the instruction first leads to
/// [`crate::entry`], which lets it be made again in guest-kernel mode.
///
/// # Safety
/// The arguments are what this hypercall takes, and what it does keeps the kernel running.
pub unsafe fn call(number: Number, args: [u64; 4]) -> i64 {
    let result;
    // SAFETY: the caller's promise; the registers are those that the interface names. Xen may read and write memory.
    unsafe {
        asm!(
            "syscall",
            inout("rax") number as u64 => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Makes sure of guest-kernel mode until the kernel is left: for instructions that Xen carries out in that mode only.
pub fn use_kernel_mode() {
    // SAFETY: asks for Xen's version (version.h, XENVER_version).
    unsafe { call(Number::XenVersion, [0; 4]) };
}

/// Makes a hypercall of the kind that takes a command and a pointer to its argument, which it may change.
///
/// # Safety
/// `argument` is the structure that the command takes.
pub unsafe fn command<T>(number: Number, command: u64, argument: &mut T) -> i64 {
    // SAFETY: the caller's promise.
    unsafe { call(number, [command, &raw mut *argument as u64, 0, 0]) }
}
