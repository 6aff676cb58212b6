//! PCI for drivers above the platform (hypercall `pci`).

use rump_hypercall::Giant;
use rump_hypercall::memory::{self, PAGE_SIZE, USER_MAX};
use rump_hypercall::pci::Function;
use rump_image::KERNEL_BASE;
use rumpbake_drivers::pci::Address;
use rumpbake_platform::page::{DIRECT_MAP, virt_to_phys};

use crate::device::window;
use crate::irq::{self, Trigger};
use crate::pci::Pci;

/// What the bus is reached through; `None` until somebody has asked.
static BUS: Giant<Option<Pci>> = Giant::new(None);

fn with_bus<R>(work: impl FnOnce(&Pci) -> R) -> R {
    work(BUS.borrow_mut().get_or_insert_with(Pci::find))
}

fn address_of(function: Function) -> Address {
    let Function { bus, device, function } = function;
    Address { bus, device: device & 31, function: function & 7 }
}

#[unsafe(export_name = "rb_pci_read")]
fn read(function: Function, offset: u8) -> u32 {
    with_bus(|bus| bus.space().map_or(u32::MAX, |space| space.read(address_of(function), offset & !3)))
}

#[unsafe(export_name = "rb_pci_write")]
unsafe fn write(function: Function, offset: u8, value: u32) {
    with_bus(|bus| {
        if let Some(space) = bus.space() {
            space.write(address_of(function), offset & !3, value);
        }
    });
}

#[unsafe(export_name = "rb_pci_map")]
fn map(phys: u64, len: usize) -> *mut u8 {
    window(phys, len).map_or(core::ptr::null_mut(), |registers| registers.base())
}

#[unsafe(export_name = "rb_pci_interrupt")]
fn interrupt(line: u8, handler: fn(usize), arg: usize) -> bool {
    line != 0 && line != 0xff && irq::line(line, Trigger::PciLevel, handler, arg)
}

#[unsafe(export_name = "rb_pci_address")]
fn address(pointer: *const u8) -> Option<u64> {
    let va = pointer.addr();
    match va {
        _ if va as u64 >= KERNEL_BASE => Some(va as u64 - KERNEL_BASE),
        DIRECT_MAP.. => Some(virt_to_phys(pointer)),
        ..USER_MAX => {
            let page = memory::pmap_extract(va & !(PAGE_SIZE - 1))?;
            Some(page.0 * PAGE_SIZE as u64 + (va % PAGE_SIZE) as u64)
        }
        _ => None,
    }
}
