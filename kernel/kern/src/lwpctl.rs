//! The page through which the kernel tells an LWP about itself (_lwp_ctl(2), sys/lwpctl.h).
//!
//! One processor: an LWP that lives is on number 0.

use rump_hypercall::Giant;
use rump_hypercall::memory::{PAGE_SIZE, Prot};

use crate::copy::copyout;
use crate::errno::Errno;
use crate::lwp::{Lwp, curlwp};
use crate::syscall;
use crate::uvm::entry::{Backing, Entry};

/// `LWPCTL_FEATURE_CURCPU` and `LWPCTL_FEATURE_PCTR`.
const FEATURES: i32 = 3;

/// `LWPCTL_CPU_EXITED`.
const CPU_EXITED: i32 = -2;

/// Bytes of an `lwpctl_t`: the processor's number, and how often the LWP was preempted.
const LWPCTL_SIZE: usize = 8;

/// Structures in a page.
const PER_PAGE: usize = PAGE_SIZE / LWPCTL_SIZE;

/// The last page that was made, and how many structures of it are taken.
static PAGE: Giant<(usize, usize)> = Giant::new((0, PER_PAGE));

/// Structures given back by LWPs that have ended, by the LWP's slot.
static FREE: Giant<alloc::vec::Vec<usize>> = Giant::new(alloc::vec::Vec::new());

fn alloc_slot(lwp: &Lwp) -> Result<usize, Errno> {
    if let Some(addr) = FREE.borrow_mut().pop() {
        return Ok(addr);
    }
    let (mut page, mut used) = PAGE.get();
    if used == PER_PAGE {
        let mut vm = lwp.proc.vm.borrow_mut();
        vm.check_room()?;
        page = vm.map.find_gap(PAGE_SIZE, PAGE_SIZE).ok_or(Errno::ENOMEM)?;
        let prot = Prot::READ | Prot::WRITE;
        vm.map.insert(page, Entry::new(page + PAGE_SIZE, prot, prot, Backing::Anon));
        used = 0;
    }
    PAGE.set((page, used + 1));
    Ok(page + used * LWPCTL_SIZE)
}

syscall! {
    /// _lwp_ctl(2).
    fn sys__lwp_ctl(features: i32, address: usize) -> Result<(), Errno> {
        if features == 0 || features & !FEATURES != 0 {
            return Err(Errno::ENODEV);
        }
        let me = curlwp();
        if me.lwpctl.get() == 0 {
            me.lwpctl.set(alloc_slot(me)?);
            copyout(&[0_i32; 2], me.lwpctl.get())?;
        }
        copyout(&me.lwpctl.get(), address)
    }
}

/// Says that the LWP has ended.
pub fn exited(lwp: &Lwp) {
    let addr = lwp.lwpctl.replace(0);
    if addr != 0 {
        // The application may have unmapped the page: then nobody reads it.
        let _ = copyout(&CPU_EXITED, addr);
        FREE.borrow_mut().push(addr);
    }
}
