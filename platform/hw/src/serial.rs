//! The console: a 16550 at the first serial port (National Semiconductor PC16550D data sheet).

use alloc::collections::VecDeque;

use rump_hypercall::Giant;

use rumpbake_platform::io::{inb, outb, outsb};

use crate::guest;

const DATA: u16 = 0x3f8;
const INTERRUPT_ENABLE: u16 = DATA + 1;
const FIFO_CONTROL: u16 = DATA + 2;
const LINE_CONTROL: u16 = DATA + 3;
const MODEM_CONTROL: u16 = DATA + 4;
const LINE_STATUS: u16 = DATA + 5;
const DATA_READY: u8 = 1;
const TRANSMITTER_EMPTY: u8 = 1 << 5;
const NO_DEVICE: u8 = 0xff;
/// Bytes in the transmitter's FIFO.
const FIFO: usize = 16;
/// Typed bytes kept for a kernel that does not read.
const INPUT_MAX: usize = 4096;
/// How often to look whether the transmitter is ready before giving a byte up: a port that is not there never is.
const PATIENCE: u32 = 1_000_000;

static INPUT: Giant<VecDeque<u8>> = Giant::new(VecDeque::new());
/// Bytes that the transmitter takes at once: 1 as long as its FIFO is off.
static TRANSMIT_AT_ONCE: Giant<usize> = Giant::new(1);

/// Whether there is such a port.
pub fn is_there() -> bool {
    inb(LINE_STATUS) != NO_DEVICE
}

/// 115,200 baud, 8N1, FIFOs on, unless a byte has come in already: turning the FIFOs on empties the receiver, and the next byte
/// may follow a read at once, so whoever typed ahead (piped input does) would lose one.
pub fn init() {
    for (port, value) in [
        (INTERRUPT_ENABLE, 0),
        (LINE_CONTROL, 0x80),
        (DATA, 1),
        (DATA + 1, 0),
        (LINE_CONTROL, 3),
        (MODEM_CONTROL, 0xb),
    ] {
        outb(port, value);
    }
    if inb(LINE_STATUS) & DATA_READY == 0 {
        outb(FIFO_CONTROL, 7);
        TRANSMIT_AT_ONCE.set(FIFO);
    }
}

/// Interrupts on input, from now on.
pub fn enable_input() {
    crate::apic::enable_console();
    outb(INTERRUPT_ENABLE, 1);
}

/// Takes bytes out of the receiver while there is room for them; what does not fit stays there, and whoever sends has to wait.
fn receive(input: &mut VecDeque<u8>) -> bool {
    let mut came = false;
    while input.len() < INPUT_MAX
        && matches!(inb(LINE_STATUS), status if status & DATA_READY != 0 && status != NO_DEVICE)
    {
        input.push_back(inb(DATA));
        came = true;
    }
    came
}

/// Bytes have come in.
pub fn interrupt() {
    let came = receive(&mut INPUT.borrow_mut());
    if came {
        rumpbake_platform::trap::console_input();
    }
}

#[unsafe(export_name = "rb_console_write")]
fn write(bytes: &[u8]) {
    if let Some(guest) = guest::get() {
        return (guest.write)(bytes);
    }
    for chunk in bytes.chunks(TRANSMIT_AT_ONCE.get().max(1)) {
        let mut looked = 0;
        while inb(LINE_STATUS) & TRANSMITTER_EMPTY == 0 && looked < PATIENCE {
            looked += 1;
        }
        outsb(DATA, chunk);
    }
}

#[unsafe(export_name = "rb_console_read")]
fn read(buf: &mut [u8]) -> usize {
    if let Some(guest) = guest::get() {
        return (guest.read)(buf);
    }
    let mut input = INPUT.borrow_mut();
    // The interrupt came when the first byte arrived, not for those that found no room. Taken before the count, so that none is left here when the
    // caller is told that there is nothing more: nobody would tell it again.
    receive(&mut input);
    let count = buf.len().min(input.len());
    for (slot, byte) in buf.iter_mut().zip(input.drain(..count)) {
        *slot = byte;
    }
    count
}
