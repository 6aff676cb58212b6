//! PCI (hypercall `pci`): there is none here.

use rump_hypercall::pci::Function;

#[unsafe(export_name = "rb_pci_read")]
fn read(_function: Function, _offset: u8) -> u32 {
    u32::MAX
}

#[unsafe(export_name = "rb_pci_write")]
unsafe fn write(_function: Function, _offset: u8, _value: u32) {}

#[unsafe(export_name = "rb_pci_map")]
fn map(_phys: u64, _len: usize) -> *mut u8 {
    core::ptr::null_mut()
}

#[unsafe(export_name = "rb_pci_interrupt")]
fn interrupt(_line: u8, _handler: fn(usize), _arg: usize) -> bool {
    false
}

#[unsafe(export_name = "rb_pci_address")]
fn address(_pointer: *const u8) -> Option<u64> {
    None
}
