//! Resource limits (getrlimit(2)).
//!
//! All are kept and reported; the kernel enforces RLIMIT_NOFILE, RLIMIT_NTHR, RLIMIT_AS and RLIMIT_DATA where they apply. The program runs as the
//! superuser, who may raise hard limits, within what the kernel itself can do.

use rump_hypercall::Giant;
use rump_hypercall::memory::{self, PAGE_SIZE};

use crate::copy::{copyin, copyout};
use crate::errno::Errno;
use crate::filedesc::FD_MAX;
use crate::{pod, syscall};

/// RLIM_INFINITY.
pub const RLIM_INFINITY: u64 = i64::MAX as u64;

/// A limit (`struct rlimit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Rlimit {
    /// What holds.
    pub cur: u64,
    /// How far it may be raised.
    pub max: u64,
}

pod!(Rlimit);

/// Which limit (sys/resource.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[expect(missing_docs, reason = "the limits' own names")]
pub enum Resource {
    Cpu = 0,
    Fsize = 1,
    Data = 2,
    Stack = 3,
    Core = 4,
    Rss = 5,
    Memlock = 6,
    Nproc = 7,
    Nofile = 8,
    Sbsize = 9,
    As = 10,
    Nthr = 11,
}

const RLIM_NLIMITS: usize = 12;

const fn fixed(cur: u64, max: u64) -> Rlimit {
    Rlimit { cur, max }
}

const UNLIMITED: Rlimit = fixed(RLIM_INFINITY, RLIM_INFINITY);

/// Soft limit of RLIMIT_NOFILE at first.
const NOFILE_DEFAULT: u64 = 4096;

static LIMITS: Giant<[Rlimit; RLIM_NLIMITS]> = Giant::new([
    UNLIMITED,
    UNLIMITED,
    UNLIMITED,
    fixed(8 << 20, 64 << 20),
    fixed(0, RLIM_INFINITY),
    UNLIMITED,
    UNLIMITED,
    fixed(1, 1),
    fixed(NOFILE_DEFAULT, FD_MAX as u64),
    UNLIMITED,
    UNLIMITED,
    fixed(crate::lwp::LWPS_MAX as u64, crate::lwp::LWPS_MAX as u64),
]);

/// A limit of the process.
#[must_use]
pub fn get(which: Resource) -> Rlimit {
    LIMITS.borrow()[which as usize]
}

/// The soft limit of RLIMIT_NOFILE.
#[inline]
#[must_use]
pub fn nofile() -> usize {
    // At most FD_MAX.
    LIMITS.borrow()[Resource::Nofile as usize].cur as usize
}

fn index(which: i32) -> Result<usize, Errno> {
    usize::try_from(which).ok().filter(|&index| index < RLIM_NLIMITS).ok_or(Errno::EINVAL)
}

/// What setrlimit(2) makes of a request.
fn settle(index: usize, asked: Rlimit) -> Result<Rlimit, Errno> {
    // Negative numbers are as good as infinity.
    let mut limit = fixed(asked.cur.min(RLIM_INFINITY), asked.max.min(RLIM_INFINITY));
    if limit.cur > limit.max {
        return Err(Errno::EINVAL);
    }
    let ceiling = match index {
        index if index == Resource::Nofile as usize => FD_MAX as u64,
        index if index == Resource::Nthr as usize => crate::lwp::LWPS_MAX as u64,
        index if index == Resource::Nproc as usize => 1,
        _ => RLIM_INFINITY,
    };
    limit.max = limit.max.min(ceiling);
    limit.cur = limit.cur.min(ceiling);
    Ok(limit)
}

syscall! {
    /// getrlimit(2).
    fn sys_getrlimit(which: i32, addr: usize) -> Result<(), Errno> {
        let mut limit = LIMITS.borrow()[index(which)?];
        if which == Resource::Rss as i32 {
            // Nobody has more than there is.
            let there_is = memory::page_counts().total * PAGE_SIZE as u64;
            limit = fixed(limit.cur.min(there_is), limit.max.min(there_is));
        }
        copyout(&limit, addr)
    }
}

syscall! {
    /// setrlimit(2).
    fn sys_setrlimit(which: i32, addr: usize) -> Result<(), Errno> {
        let index = index(which)?;
        let limit = settle(index, copyin(addr)?)?;
        LIMITS.borrow_mut()[index] = limit;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{RLIM_INFINITY, Resource, fixed, settle};
    use crate::errno::Errno;

    #[test]
    fn soft_limits_stay_below_hard_ones() {
        assert_eq!(settle(0, fixed(2, 1)), Err(Errno::EINVAL));
        assert_eq!(settle(0, fixed(u64::MAX, u64::MAX)), Ok(fixed(RLIM_INFINITY, RLIM_INFINITY)));
    }

    #[test]
    fn descriptors_have_a_ceiling() {
        let limit = settle(Resource::Nofile as usize, fixed(RLIM_INFINITY, RLIM_INFINITY)).unwrap();
        assert_eq!(limit, fixed(1 << 17, 1 << 17));
    }
}
