//! Interrupts of devices that were found: vectors, and what is called when they come.
//!
//! Vectors behind the timer's are handed out as devices ask. A message (MSI) names its vector itself; a line is an input of an I/O APIC, and devices may
//! share it.

use rump_hypercall::Giant;
use rumpbake_drivers::pci::msi::Message;

use crate::acpi::{self, IoApic};
use crate::interrupts::{IRQ_BASE, TIMER_VECTOR, VECTORS};
use crate::{apic, poweroff};

/// Vectors to hand out.
const COUNT: usize = VECTORS - TIMER_VECTOR as usize - 1;
/// Lines below this are ISA's.
const ISA_LINES: u8 = 16;

/// What is called, and with which argument.
type Handler = (fn(usize), usize);

#[derive(Clone, Copy)]
struct Slot {
    handler: Option<Handler>,
    /// The input of an I/O APIC that arrives here.
    input: Option<u32>,
    vector: u8,
}

static SLOTS: Giant<[Slot; COUNT]> = Giant::new([Slot { handler: None, input: None, vector: 0 }; COUNT]);

/// How a line signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// By going up.
    Edge,
    /// By being down, as PCI's lines do unless firmware says otherwise.
    PciLevel,
}

/// Takes a slot; with `shared` it gets that vector instead of one of its own.
fn take(handler: Handler, input: Option<u32>, shared: Option<u8>) -> Option<u8> {
    let mut slots = SLOTS.borrow_mut();
    let index = slots.iter().position(|slot| slot.handler.is_none())?;
    let vector = shared.unwrap_or(TIMER_VECTOR + 1 + index as u8);
    slots[index] = Slot { handler: Some(handler), input, vector };
    Some(vector)
}

/// A vector of its own; `None` if none is left.
pub fn vector(handler: fn(usize), arg: usize) -> Option<u8> {
    take((handler, arg), None, None)
}

/// An interrupt by message; `None` if no vector is left.
pub fn message(handler: fn(usize), arg: usize) -> Option<Message> {
    let vector = vector(handler, arg)?;
    // Intel SDM volume 3A, 11.11: physical destination, fixed delivery, edge.
    Some(Message { address: 0xfee0_0000 | u64::from(apic::id()) << 12, data: vector.into() })
}

/// Has a line's interrupts call `handler`. False if no vector is left, or no I/O APIC has the input.
pub fn line(line: u8, trigger: Trigger, handler: fn(usize), arg: usize) -> bool {
    let rsdp = poweroff::rsdp();
    let exception = if line < ISA_LINES { acpi::line_override(rsdp, line) } else { None };
    let input = exception.map_or(line.into(), |exception| exception.input);
    let known = SLOTS.borrow().iter().find(|slot| slot.input == Some(input)).map(|slot| slot.vector);
    let mut io_apics = acpi::io_apics(rsdp);
    let home = io_apics
        .find(|io| (io.first_input..io.first_input + apic::io_apic_inputs(io.address)).contains(&input))
        .or_else(|| (line < 24).then_some(IoApic { address: apic::IO_APIC, first_input: 0 }));
    let Some(home) = home else { return false };
    let Some(vector) = take((handler, arg), Some(input), known) else { return false };
    if known.is_none() {
        let flags = match (trigger, exception) {
            (Trigger::Edge, _) => 0,
            (Trigger::PciLevel, Some(exception)) => {
                let low = if exception.is_low { apic::LOW } else { 0 };
                if exception.is_level { low | apic::LEVEL } else { low }
            }
            (Trigger::PciLevel, None) => apic::LOW | apic::LEVEL,
        };
        apic::route(home.address, input - home.first_input, flags, vector);
    }
    true
}

/// Calls whoever listens to a vector.
pub fn dispatch(vector: u8) {
    debug_assert!(vector >= IRQ_BASE);
    for index in 0..COUNT {
        let slot = SLOTS.borrow()[index];
        if let Some((handler, arg)) = slot.handler.filter(|_| slot.vector == vector) {
            handler(arg);
        }
    }
}
