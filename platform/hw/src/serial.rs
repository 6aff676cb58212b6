//! The console: a 16550 at the first serial port (National Semiconductor PC16550D data sheet).

use alloc::collections::VecDeque;

use rump_hypercall::Giant;

use crate::io::{inb, outb, outsb};

const DATA: u16 = 0x3f8;
const INTERRUPT_ENABLE: u16 = DATA + 1;
const FIFO_CONTROL: u16 = DATA + 2;
const LINE_CONTROL: u16 = DATA + 3;
const MODEM_CONTROL: u16 = DATA + 4;
const LINE_STATUS: u16 = DATA + 5;
const DATA_READY: u8 = 1;
const TRANSMITTER_EMPTY: u8 = 1 << 5;
const NO_DEVICE: u8 = 0xff;
/// Bytes that the transmitter takes at once.
const FIFO: usize = 16;
/// Typed bytes kept for a program that does not read.
const INPUT_MAX: usize = 4096;
/// How often to look whether the transmitter is ready before giving a byte up: a port that is not there never is.
const PATIENCE: u32 = 1_000_000;

static INPUT: Giant<VecDeque<u8>> = Giant::new(VecDeque::new());
/// What was typed ahead of [`init`]: at most one byte, since the receiver has no FIFO until then.
static TYPED_AHEAD: Giant<Option<u8>> = Giant::new(None);

/// 115,200 baud, 8N1, FIFOs on, which empties them.
pub fn init() {
    let line_status = inb(LINE_STATUS);
    if line_status & DATA_READY != 0 && line_status != NO_DEVICE {
        TYPED_AHEAD.set(Some(inb(DATA)));
    }
    for (port, value) in [
        (INTERRUPT_ENABLE, 0),
        (LINE_CONTROL, 0x80),
        (DATA, 1),
        (DATA + 1, 0),
        (LINE_CONTROL, 3),
        (FIFO_CONTROL, 7),
        (MODEM_CONTROL, 0xb),
    ] {
        outb(port, value);
    }
}

/// Interrupts on input, from now on. There is a heap by now.
pub fn enable_input() {
    INPUT.borrow_mut().extend(TYPED_AHEAD.get());
    crate::apic::enable_console();
    outb(INTERRUPT_ENABLE, 1);
}

/// Bytes have come in. Only the kernel that asked for input with an upcall is told.
pub fn interrupt() {
    let mut came = false;
    while inb(LINE_STATUS) & DATA_READY != 0 && inb(LINE_STATUS) != NO_DEVICE {
        let byte = inb(DATA);
        let mut input = INPUT.borrow_mut();
        if input.len() < INPUT_MAX {
            input.push_back(byte);
        }
        came = true;
    }
    if came {
        rumpbake_platform::trap::console_input();
    }
}

#[unsafe(export_name = "rb_console_write")]
fn write(bytes: &[u8]) {
    for chunk in bytes.chunks(FIFO) {
        let mut looked = 0;
        while inb(LINE_STATUS) & TRANSMITTER_EMPTY == 0 && looked < PATIENCE {
            looked += 1;
        }
        outsb(DATA, chunk);
    }
}

#[unsafe(export_name = "rb_console_read")]
fn read(buf: &mut [u8]) -> usize {
    let mut input = INPUT.borrow_mut();
    let count = buf.len().min(input.len());
    for (slot, byte) in buf.iter_mut().zip(input.drain(..count)) {
        *slot = byte;
    }
    count
}
