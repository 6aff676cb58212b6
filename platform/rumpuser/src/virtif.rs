//! Network interfaces of a rump kernel, virt(4): rumpcomp_virt_*, on the platform's network cards.
//!
//! The interface that the rump kernel calls `virtN` (its name's, or link string's, last number) is the platform's card N. A thread with an lwp of the rump kernel takes packets from
//! the card and hands them up with the rump kernel's CPU.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;
use core::ffi::{c_char, c_int, c_void};
use core::ptr::null_mut;

use rump_abi::errno::{EBUSY, EINVAL, ENOMEM, ENXIO};
use rump_hypercall::Giant;
use rump_hypercall::net::{self, Packet};
use rump_hypercall::sync::CondVar;
use rump_hypercall::time;

use crate::component::{rumpuser_component_kthread, rumpuser_component_kthread_release};
use crate::file::io::Iovec;
use crate::thread::{rumpuser_thread_create, rumpuser_thread_exit, rumpuser_thread_join};
use crate::upcall::{hyperup, without_cpu};
use crate::{bytes, clock::SECOND_NS};

/// How long a packet waits for room in the card's queue before it is dropped, as a card without a cable never has any.
const PATIENCE_NS: u64 = SECOND_NS / 10;

/// `struct virtif_sc`: the rump kernel's side of an interface.
#[derive(Debug)]
#[repr(C)]
pub struct Softc {
    opaque: [u8; 0],
}

/// `struct virtif_user`: the host's side.
#[derive(Debug)]
pub struct Virtif {
    card: usize,
    softc: *mut Softc,
    is_dying: Cell<bool>,
    thread: Cell<*mut c_void>,
    ready: CondVarDebug,
}

/// A condition variable that says nothing of itself.
#[derive(Default)]
struct CondVarDebug(CondVar);

impl core::fmt::Debug for CondVarDebug {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("CondVar")
    }
}

unsafe extern "C" {
    /// Takes a packet; called with the rump kernel's CPU. Defined by the rump kernel's virtif.
    fn rump_virtif_virt_deliverpkt(softc: *mut Softc, iov: *mut Iovec, count: usize);
}

/// Where it is. The rump kernel lies anywhere in the address space, so it is called by its whole address, which is data.
static DELIVER: unsafe extern "C" fn(*mut Softc, *mut Iovec, usize) = rump_virtif_virt_deliverpkt;

/// The interfaces that there are, by their addresses.
static INTERFACES: Giant<Vec<usize>> = Giant::new(Vec::new());

fn interface(address: usize) -> &'static Virtif {
    // SAFETY: those in the list are valid, and they are looked at before the next wait only.
    unsafe { &*core::ptr::with_exposed_provenance(address) }
}

/// A card has something for its interface.
fn ready(card: usize) {
    for &address in INTERFACES.borrow().iter() {
        if interface(address).card == card {
            interface(address).ready.0.broadcast();
        }
    }
}

/// The number at a name's end.
fn number(name: &[u8]) -> Option<usize> {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    core::str::from_utf8(&name[name.len() - digits..]).ok()?.parse().ok()
}

fn deliver(softc: *mut Softc, packet: &Packet) {
    let mut iov: Vec<Iovec> = packet
        .slices()
        .map(|slice| Iovec { base: slice.bytes().as_ptr().cast_mut().cast(), len: slice.len() })
        .collect();
    let Some(hyperup) = hyperup() else { return };
    (hyperup.schedule)();
    // SAFETY: the rump kernel made the softc, and copies what it wants to keep. Read as it stands there, lest the compiler call the function itself.
    unsafe { (&raw const DELIVER).read_volatile()(softc, iov.as_mut_ptr(), iov.len()) };
    (hyperup.unschedule)();
}

extern "C" fn receive(arg: *mut c_void) -> *mut c_void {
    // SAFETY: the interface lives until this thread was joined.
    let virtif = unsafe { &*arg.cast::<Virtif>() };
    rumpuser_component_kthread();
    while !virtif.is_dying.get() {
        match net::receive(virtif.card) {
            Some(packet) => deliver(virtif.softc, &packet),
            None if net::enable_interrupt(virtif.card) => {}
            None => virtif.ready.0.wait(),
        }
    }
    rumpuser_component_kthread_release();
    rumpuser_thread_exit()
}

/// rumpcomp_virt_create: opens the card that the name's last number names, and says what its address is. EINVAL for a name without a number, ENXIO if there
/// is no such card, EBUSY if another interface has it, ENOMEM without memory.
///
/// # Safety
/// `name` is a string, `address` has room for six bytes, `virtifp` may be written through, `softc` is what packets are delivered to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_virt_create(
    name: *const c_char,
    softc: *mut Softc,
    address: *mut u8,
    virtifp: *mut *mut Virtif,
) -> c_int {
    // SAFETY: the caller's promise.
    let Some(card) = number(unsafe { bytes(name) }) else { return EINVAL };
    if card >= net::count() {
        return ENXIO;
    }
    if INTERFACES.borrow().iter().any(|&other| interface(other).card == card) {
        return EBUSY;
    }
    let virtif = Box::into_raw(Box::new(Virtif {
        card,
        softc,
        is_dying: Cell::new(false),
        thread: Cell::new(null_mut()),
        ready: CondVarDebug::default(),
    }));
    net::on_ready(ready);
    INTERFACES.borrow_mut().push(virtif.expose_provenance());
    let mut thread = null_mut();
    // SAFETY: the thread gets a valid interface, and is joined before that goes.
    let made = unsafe {
        rumpuser_thread_create(receive, virtif.cast(), c"virtif".as_ptr(), 1, 0, -1, &raw mut thread)
    };
    if made != 0 {
        INTERFACES.borrow_mut().retain(|&other| other != virtif.addr());
        // SAFETY: made above; nobody has it.
        drop(unsafe { Box::from_raw(virtif) });
        return ENOMEM;
    }
    // SAFETY: the interface is valid; for the rest the caller's promise.
    unsafe {
        (*virtif).thread.set(thread);
        let mac = net::info(card).mac;
        address.copy_from_nonoverlapping(mac.as_ptr(), mac.len());
        virtifp.write(virtif);
    }
    0
}

/// rumpcomp_virt_dying: no more packets are delivered, once the one that may be on its way is.
///
/// # Safety
/// The interface is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_virt_dying(virtif: *mut Virtif) -> c_int {
    // SAFETY: the caller's promise.
    let virtif = unsafe { &*virtif };
    virtif.is_dying.set(true);
    virtif.ready.0.broadcast();
    0
}

/// rumpcomp_virt_destroy: waits, without the rump kernel's CPU, for the receiving thread's end, and closes the card.
///
/// # Safety
/// The interface is valid and dying, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_virt_destroy(virtif: *mut Virtif) {
    // SAFETY: the caller's promise; the thread was made by rumpcomp_virt_create, and its end gives the interface back.
    unsafe {
        rumpcomp_virt_dying(virtif);
        rumpuser_thread_join((*virtif).thread.get());
        INTERFACES.borrow_mut().retain(|&other| other != virtif.addr());
        drop(Box::from_raw(virtif));
    }
}

/// rumpcomp_virt_send: sends a frame. Waits for room, without the rump kernel's CPU; drops the frame if there is none for long, or no memory.
///
/// # Safety
/// The interface is valid, and `iov` has `count` pieces that may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpcomp_virt_send(virtif: *mut Virtif, iov: *const Iovec, count: usize) {
    // SAFETY: the caller's promise.
    let (virtif, pieces) = unsafe { (&*virtif, core::slice::from_raw_parts(iov, count)) };
    let mut bytes = Vec::new();
    let len: usize = pieces.iter().map(|piece| piece.len).sum();
    if bytes.try_reserve_exact(len).is_err() {
        return;
    }
    for piece in pieces.iter().filter(|piece| piece.len > 0) {
        // SAFETY: the caller's promise.
        bytes.extend_from_slice(unsafe { core::slice::from_raw_parts(piece.base.cast(), piece.len) });
    }
    let Some(packet) = Packet::from_bytes(&bytes) else { return };
    if let Err(packet) = net::transmit(virtif.card, packet) {
        without_cpu(null_mut(), || wait_and_send(virtif, packet));
    }
    net::flush(virtif.card);
}

/// Waits until the card takes the packet, or patience ends.
fn wait_and_send(virtif: &Virtif, mut packet: Packet) {
    let deadline_ns = time::monotonic_ns().saturating_add(PATIENCE_NS);
    while !virtif.is_dying.get() && time::monotonic_ns() < deadline_ns {
        net::flush(virtif.card);
        virtif.ready.0.wait_until(deadline_ns);
        match net::transmit(virtif.card, packet) {
            Ok(()) => return,
            Err(back) => packet = back,
        }
    }
}
