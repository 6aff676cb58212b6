//! Read-write locks: rumpuser_rw_*.
//!
//! A waiting writer keeps new readers out, so readers cannot starve it. Whoever leaves the lock hands it over, readers and writers in turn: the last
//! reader to the writer that has waited longest, a writer to all waiting readers or else to the next writer.

use alloc::boxed::Box;
use core::cell::Cell;
use core::ffi::c_int;
use core::ptr::null_mut;

use rump_abi::errno::EBUSY;
use rump_hypercall::sync::CondVar;

use crate::fair;
use crate::thread::rumpuser_curlwp;
use crate::upcall::{Lwp, without_cpu};

/// `RUMPUSER_RW_READER`: with other readers.
pub const READER: c_int = 0;
/// `RUMPUSER_RW_WRITER`: alone.
pub const WRITER: c_int = 1;

/// `struct rumpuser_rw`.
pub struct Rw {
    readers: Cell<usize>,
    has_writer: Cell<bool>,
    /// The writer's lwp.
    writer: Cell<*mut Lwp>,
    waiting_readers: Cell<usize>,
    waiting_writers: Cell<usize>,
    for_readers: CondVar,
    for_writers: CondVar,
}

fn add(count: &Cell<usize>, more: isize) {
    count.set(count.get().wrapping_add_signed(more));
}

impl Rw {
    fn take(&self, kind: c_int) -> bool {
        if kind == WRITER {
            let free = !self.has_writer.get() && self.readers.get() == 0;
            if free {
                self.make_writer();
            }
            free
        } else {
            let free = !self.has_writer.get() && self.waiting_writers.get() == 0;
            if free {
                add(&self.readers, 1);
            }
            free
        }
    }

    fn make_writer(&self) {
        self.has_writer.set(true);
        self.writer.set(rumpuser_curlwp());
    }

    /// Enters it where that takes a wait: on another path, so that the usual one is short.
    #[cold]
    #[inline(never)]
    fn enter_held(&self, kind: c_int) {
        without_cpu(null_mut(), || self.enter(kind));
    }

    /// Waits until the lock is handed over.
    fn enter(&self, kind: c_int) {
        if self.take(kind) {
            return;
        }
        fair::waited();
        if kind == WRITER {
            add(&self.waiting_writers, 1);
            self.for_writers.wait();
            self.writer.set(rumpuser_curlwp());
        } else {
            add(&self.waiting_readers, 1);
            self.for_readers.wait();
        }
    }

    #[inline(never)]
    fn admit_readers(&self) {
        add(&self.readers, self.waiting_readers.replace(0) as isize);
        self.for_readers.broadcast();
    }

    #[inline(never)]
    fn admit_writer(&self) {
        add(&self.waiting_writers, -1);
        self.has_writer.set(true);
        self.for_writers.signal();
    }

    fn exit(&self) {
        if self.has_writer.replace(false) {
            self.writer.set(null_mut());
            if self.waiting_readers.get() > 0 {
                self.admit_readers();
            } else if self.waiting_writers.get() > 0 {
                self.admit_writer();
            }
        } else {
            assert!(self.readers.get() > 0, "a read-write lock was left that nobody holds");
            add(&self.readers, -1);
            if self.readers.get() == 0 && self.waiting_writers.get() > 0 {
                self.admit_writer();
            }
        }
    }
}

/// rumpuser_rw_init: makes a lock.
///
/// # Safety
/// `rwp` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_rw_init(rwp: *mut *mut Rw) {
    let rw = Rw {
        readers: Cell::new(0),
        has_writer: Cell::new(false),
        writer: Cell::new(null_mut()),
        waiting_readers: Cell::new(0),
        waiting_writers: Cell::new(0),
        for_readers: CondVar::new(),
        for_writers: CondVar::new(),
    };
    // SAFETY: the caller's promise.
    unsafe { rwp.write(Box::into_raw(Box::new(rw))) };
}

/// rumpuser_rw_enter: waits without the rump kernel's CPU.
///
/// # Safety
/// The lock is valid, and the caller does not hold it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_rw_enter(kind: c_int, rw: *mut Rw) {
    // SAFETY: the caller's promise.
    let rw = unsafe { &*rw };
    if !rw.take(kind) {
        rw.enter_held(kind);
    }
}

/// rumpuser_rw_tryenter: enters it if that takes no wait. EBUSY if it does.
///
/// # Safety
/// The lock is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_rw_tryenter(kind: c_int, rw: *mut Rw) -> c_int {
    // SAFETY: the caller's promise.
    if unsafe { &*rw }.take(kind) { 0 } else { EBUSY }
}

/// rumpuser_rw_tryupgrade: makes the only reader the writer, before those that wait; EBUSY if there are other readers.
///
/// # Safety
/// The lock is valid, and the caller is a reader.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_rw_tryupgrade(rw: *mut Rw) -> c_int {
    // SAFETY: the caller's promise.
    let rw = unsafe { &*rw };
    if rw.has_writer.get() || rw.readers.get() != 1 {
        return EBUSY;
    }
    rw.readers.set(0);
    rw.make_writer();
    0
}

/// rumpuser_rw_downgrade: makes the writer a reader; readers that wait come in, unless a writer waits as well.
///
/// # Safety
/// The lock is valid, and the caller is the writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_rw_downgrade(rw: *mut Rw) {
    // SAFETY: the caller's promise.
    let rw = unsafe { &*rw };
    assert!(rw.has_writer.replace(false), "a read-write lock was downgraded that has no writer");
    rw.writer.set(null_mut());
    rw.readers.set(1);
    if rw.waiting_writers.get() == 0 && rw.waiting_readers.get() > 0 {
        rw.admit_readers();
    }
}

/// rumpuser_rw_exit: hands it to the next writer, or to the readers.
///
/// # Safety
/// The lock is valid, and the caller holds it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_rw_exit(rw: *mut Rw) {
    // SAFETY: the caller's promise.
    unsafe { &*rw }.exit();
}

/// rumpuser_rw_destroy: frees it.
///
/// # Safety
/// The lock is valid, nobody holds it, and it is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_rw_destroy(rw: *mut Rw) {
    // SAFETY: made by `rumpuser_rw_init`, and the caller's promise.
    let rw = unsafe { Box::from_raw(rw) };
    assert!(
        !rw.has_writer.get() && rw.readers.get() == 0,
        "a read-write lock was destroyed that somebody holds"
    );
}

/// rumpuser_rw_held: as a writer, whether the caller's lwp is it; as a reader, whether anybody is.
///
/// # Safety
/// The lock is valid, and `held` may be written through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rumpuser_rw_held(kind: c_int, rw: *mut Rw, held: *mut c_int) {
    // SAFETY: the caller's promise.
    let rw = unsafe { &*rw };
    let is_held = if kind == WRITER {
        rw.has_writer.get() && rw.writer.get() == rumpuser_curlwp()
    } else {
        rw.readers.get() > 0
    };
    // SAFETY: the caller's promise.
    unsafe { held.write(c_int::from(is_held)) };
}
