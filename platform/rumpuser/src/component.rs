//! What the host's side of a component (a network interface's, say) needs of the rump kernel: rumpuser_component_*.

use core::ffi::{c_int, c_void};
use core::ptr::{null_mut, with_exposed_provenance_mut};

use crate::upcall::{Lwp, hyperup};

/// rumpuser_component_unschedule: gives the rump kernel's CPU back for a wait; the result is for rumpuser_component_schedule.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_component_unschedule() -> *mut c_void {
    let mut nlocks: c_int = 0;
    if let Some(hyperup) = hyperup() {
        (hyperup.backend_unschedule)(0, &raw mut nlocks, null_mut());
    }
    with_exposed_provenance_mut(nlocks as usize)
}

/// rumpuser_component_schedule: takes it again.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_component_schedule(cookie: *mut c_void) {
    if let Some(hyperup) = hyperup() {
        (hyperup.backend_schedule)(cookie.addr() as c_int, null_mut());
    }
}

/// rumpuser_component_kthread: gives the calling thread, which is the host's, an lwp of the rump kernel's process 0.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_component_kthread() {
    if let Some(hyperup) = hyperup() {
        (hyperup.schedule)();
        (hyperup.lwproc_newlwp)(0);
        (hyperup.unschedule)();
    }
}

/// rumpuser_component_kthread_release: drops that lwp.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_component_kthread_release() {
    if let Some(hyperup) = hyperup() {
        (hyperup.schedule)();
        (hyperup.lwproc_release)();
        (hyperup.unschedule)();
    }
}

/// rumpuser_component_curlwp: the current lwp; null if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_component_curlwp() -> *mut Lwp {
    hyperup().map_or(null_mut(), |hyperup| (hyperup.lwproc_curlwp)())
}

/// rumpuser_component_switchlwp: makes another lwp the current one.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_component_switchlwp(lwp: *mut Lwp) {
    if let Some(hyperup) = hyperup() {
        (hyperup.lwproc_switch)(lwp);
    }
}

/// rumpuser_component_errtrans: a host's error number as the rump kernel's. They are the same here.
#[unsafe(no_mangle)]
pub extern "C" fn rumpuser_component_errtrans(errno: c_int) -> c_int {
    errno
}
