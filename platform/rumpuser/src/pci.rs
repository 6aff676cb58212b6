//! A rump kernel's PCI bus: rumpcomp_pci_*, on the platform's. Where there is none, no function is found on it.
//!
//! An interrupt wakes a thread with an lwp of the rump kernel, which calls the driver's handler with the rump kernel's CPU.

use alloc::alloc::{alloc_zeroed, dealloc};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::alloc::Layout;
use core::cell::Cell;
use core::ffi::{c_int, c_uint, c_ulong, c_void};
use core::ptr::{null_mut, with_exposed_provenance, with_exposed_provenance_mut};

use rump_abi::errno::{EINVAL, ENOMEM, ENOTSUP, ENXIO};
use rump_hypercall::Giant;
use rump_hypercall::memory::PAGE_SIZE;
use rump_hypercall::pci::{self, Function};
use rump_hypercall::sync::CondVar;

use crate::component::rumpuser_component_kthread;
use crate::thread::rumpuser_thread_create;
use crate::upcall::hyperup;

/// The interrupt lines that rumpcomp_pci_irq_map was told of, by their cookies.
static LINES: Giant<BTreeMap<c_uint, u8>> = Giant::new(BTreeMap::new());
/// DMA memory, by its address.
static DMA: Giant<BTreeMap<usize, Layout>> = Giant::new(BTreeMap::new());

/// A driver's handler: argument; not 0 if the interrupt was its device's.
pub type Handler = extern "C" fn(*mut c_void) -> c_int;

/// An interrupt that a driver has established. Never freed: nothing takes it back.
struct Interrupt {
    handler: Handler,
    arg: *mut c_void,
    has_come: Cell<bool>,
    came: CondVar,
}

/// `struct rumpcomp_pci_dmaseg`: a run of DMA memory.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct DmaSegment {
    /// Where devices see it.
    pub address: c_ulong,
    /// Bytes.
    pub len: c_ulong,
    /// Where the kernel sees it.
    pub pointer: c_ulong,
}

fn function(bus: c_uint, device: c_uint, function: c_uint) -> Option<Function> {
    let function = Function {
        bus: u8::try_from(bus).ok()?,
        device: u8::try_from(device).ok()?,
        function: u8::try_from(function).ok()?,
    };
    (function.device < 32 && function.function < 8).then_some(function)
}

/// A register's number, if it is one of the first 256 bytes and aligned.
fn offset(register: c_int) -> Option<u8> {
    u8::try_from(register).ok().filter(|register| register.is_multiple_of(4))
}

/// rumpcomp_pci_map: maps device memory; null if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn rumpcomp_pci_map(address: c_ulong, len: c_ulong) -> *mut c_void {
    pci::map(address, len as usize).cast()
}

/// rumpcomp_pci_confread: reads a register of configuration space, ones where there is no function. EINVAL for a place that there cannot be.
///
/// # Safety
/// `value` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_pci_confread(
    bus: c_uint,
    device: c_uint,
    fun: c_uint,
    register: c_int,
    value: *mut c_uint,
) -> c_int {
    let (Some(function), Some(offset)) = (function(bus, device, fun), offset(register)) else {
        return EINVAL;
    };
    // SAFETY: the caller's promise.
    unsafe { value.write(pci::read(function, offset)) };
    0
}

/// rumpcomp_pci_confwrite: writes one. EINVAL for a place that there cannot be.
///
/// # Safety
/// The device may do what it is told by that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_pci_confwrite(
    bus: c_uint,
    device: c_uint,
    fun: c_uint,
    register: c_int,
    value: c_uint,
) -> c_int {
    let (Some(function), Some(offset)) = (function(bus, device, fun), offset(register)) else {
        return EINVAL;
    };
    // SAFETY: the caller's promise.
    unsafe { pci::write(function, offset, value) };
    0
}

/// rumpcomp_pci_irq_map: says that a cookie stands for a function's interrupt line, as configuration space has it. ENXIO if that is none.
#[unsafe(no_mangle)]
pub extern "C" fn rumpcomp_pci_irq_map(
    _bus: c_uint,
    _device: c_uint,
    _fun: c_uint,
    line: c_int,
    cookie: c_uint,
) -> c_int {
    let Ok(line @ 1..=0xfe) = u8::try_from(line) else { return ENXIO };
    LINES.borrow_mut().insert(cookie, line);
    0
}

fn came(arg: usize) {
    // SAFETY: interrupts are never freed.
    let interrupt = unsafe { &*with_exposed_provenance::<Interrupt>(arg) };
    interrupt.has_come.set(true);
    interrupt.came.signal();
}

extern "C" fn serve(arg: *mut c_void) -> *mut c_void {
    // SAFETY: as above.
    let interrupt = unsafe { &*arg.cast::<Interrupt>() };
    rumpuser_component_kthread();
    loop {
        while !interrupt.has_come.replace(false) {
            interrupt.came.wait();
        }
        if let Some(hyperup) = hyperup() {
            (hyperup.schedule)();
            (interrupt.handler)(interrupt.arg);
            (hyperup.unschedule)();
        }
    }
}

/// rumpcomp_pci_irq_establish: has the handler called, with the rump kernel's CPU, when the cookie's line interrupts. Null if there is no such line, or no memory.
///
/// # Safety
/// The handler may be called with `arg` on another thread, for good.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_pci_irq_establish(
    cookie: c_uint,
    handler: Handler,
    arg: *mut c_void,
) -> *mut c_void {
    let Some(line) = LINES.borrow().get(&cookie).copied() else { return null_mut() };
    let interrupt =
        Box::into_raw(Box::new(Interrupt { handler, arg, has_come: Cell::new(false), came: CondVar::new() }));
    // SAFETY: the interrupt stays for good.
    let made =
        unsafe { rumpuser_thread_create(serve, interrupt.cast(), c"pciintr".as_ptr(), 0, 0, -1, null_mut()) };
    if made != 0 || !pci::interrupt(line, came, interrupt.expose_provenance()) {
        return null_mut();
    }
    interrupt.cast()
}

/// rumpcomp_pci_dmalloc: memory without a gap for devices, zeroed, aligned to a page at least. ENOMEM if there is none, EINVAL for an alignment that is no power of two,
/// ENOTSUP where devices see no memory.
///
/// # Safety
/// `address` and `pointer` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_pci_dmalloc(
    len: usize,
    align: usize,
    address: *mut c_ulong,
    pointer: *mut c_ulong,
) -> c_int {
    let align = align.max(PAGE_SIZE);
    if !align.is_power_of_two() {
        return EINVAL;
    }
    let Ok(layout) = Layout::from_size_align(len.max(1), align) else { return ENOMEM };
    // SAFETY: the layout is not empty.
    let memory = unsafe { alloc_zeroed(layout) };
    if memory.is_null() {
        return ENOMEM;
    }
    let Some(seen) = pci::address(memory) else {
        // SAFETY: just taken with this layout.
        unsafe { dealloc(memory, layout) };
        return ENOTSUP;
    };
    DMA.borrow_mut().insert(memory.expose_provenance(), layout);
    // SAFETY: the caller's promise.
    unsafe {
        address.write(seen);
        pointer.write(memory.addr() as c_ulong);
    }
    0
}

/// rumpcomp_pci_dmafree: gives it back.
///
/// # Safety
/// The memory is not used any more, by devices neither.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_pci_dmafree(pointer: c_ulong, _len: usize) {
    let layout = DMA.borrow_mut().remove(&(pointer as usize));
    if let Some(layout) = layout {
        // SAFETY: taken with this layout; the caller's promise.
        unsafe { dealloc(with_exposed_provenance_mut(pointer as usize), layout) };
    }
}

/// rumpcomp_pci_dmamem_map: where the kernel sees DMA memory: where it always does. ENOTSUP if the runs do not follow each other there, EINVAL for no run.
///
/// # Safety
/// There are `count` runs, and `pointer` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_pci_dmamem_map(
    runs: *const DmaSegment,
    count: usize,
    _total: usize,
    pointer: *mut *mut c_void,
) -> c_int {
    if count == 0 {
        return EINVAL;
    }
    // SAFETY: the caller's promise.
    let runs = unsafe { core::slice::from_raw_parts(runs, count) };
    if runs.windows(2).any(|pair| pair[0].pointer.wrapping_add(pair[0].len) != pair[1].pointer) {
        return ENOTSUP;
    }
    // SAFETY: the caller's promise.
    unsafe { pointer.write(with_exposed_provenance_mut(runs[0].pointer as usize)) };
    0
}

/// rumpcomp_pci_virt_to_mach: the address at which devices see memory; 0 if they do not.
#[unsafe(no_mangle)]
pub extern "C" fn rumpcomp_pci_virt_to_mach(pointer: *mut c_void) -> c_ulong {
    pci::address(pointer.cast()).unwrap_or(0)
}

/// rumpcomp_pci_iospace_init: ports are there for whoever uses them.
#[unsafe(no_mangle)]
pub extern "C" fn rumpcomp_pci_iospace_init() -> c_int {
    0
}
