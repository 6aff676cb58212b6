//! The console (hypercall `console`): a guest's rings, or for the guest that holds the machine HYPERVISOR_console_io.

use rumpbake_xenguest::console;

#[unsafe(export_name = "rb_console_write")]
fn write(bytes: &[u8]) {
    console::write(bytes);
}

#[unsafe(export_name = "rb_console_read")]
fn read(buf: &mut [u8]) -> usize {
    console::read(buf)
}
