//! PCI for drivers above the platform: configuration space, device memory, interrupts, addresses as devices see them.
//!
//! Where a machine has no PCI, configuration space reads as ones: no function is there.

/// A function of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// The bus.
    pub bus: u8,
    /// The device, below 32.
    pub device: u8,
    /// The function, below 8.
    pub function: u8,
}

unsafe extern "Rust" {
    /// Reads a register of configuration space; `offset` is a multiple of 4 below 256.
    #[link_name = "rb_pci_read"]
    pub safe fn read(function: Function, offset: u8) -> u32;

    /// Writes one.
    ///
    /// # Safety
    /// The function may do what it is told by that, memory accesses of its own included.
    #[link_name = "rb_pci_write"]
    pub fn write(function: Function, offset: u8, value: u32);

    /// Maps device memory, uncached and for good; null if there is no such memory, or none for page tables.
    #[link_name = "rb_pci_map"]
    pub safe fn map(phys: u64, len: usize) -> *mut u8;

    /// Has `handler(arg)` called, with the virtual CPU held, when a function's line interrupts; it must not wait. The line is what firmware has written into
    /// configuration space. False if there is no such line, or no more room.
    #[link_name = "rb_pci_interrupt"]
    pub safe fn interrupt(line: u8, handler: fn(usize), arg: usize) -> bool;

    /// The address at which devices see kernel memory, which may be on the heap, in the kernel, or mapped in the application's half; `None` if nothing is there. What
    /// lies in one allocation of the heap has addresses without a gap.
    #[link_name = "rb_pci_address"]
    pub safe fn address(pointer: *const u8) -> Option<u64>;
}
