//! Boot information, put together by the machine and read by layer 1.

use rump_hypercall::boot::BootInfo;

use crate::cpu::Local;

static INFO: Local<Option<BootInfo>> = Local::new(None);

/// Hands the information over, before the first thread runs.
pub fn set_info(info: BootInfo) {
    // SAFETY: boot, one processor; nobody has read it yet.
    unsafe { *INFO.get() = Some(info) };
}

#[unsafe(export_name = "rb_boot_info")]
fn info() -> &'static BootInfo {
    // SAFETY: written once before the first thread runs.
    match unsafe { &*INFO.get() } {
        Some(info) => info,
        None => panic!("boot information was asked for before it was there"),
    }
}
