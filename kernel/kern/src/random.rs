//! getrandom(2).

use rump_abi::random::{GRND_INSECURE, GRND_NONBLOCK, GRND_RANDOM};
use rump_hypercall::time;

use crate::errno::Errno;
use crate::syscall;
use crate::uio::Uio;

/// Random bytes are made this many at a time.
const CHUNK: usize = 256;

syscall! {
    /// getrandom(2). The platform always has random numbers: it never waits.
    fn sys_getrandom(buf: usize, len: usize, flags: u32) -> Result<usize, Errno> {
        let insecure = flags & GRND_INSECURE != 0 && flags & GRND_RANDOM != 0;
        if flags & !(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) != 0 || insecure {
            return Err(Errno::EINVAL);
        }
        let mut uio = Uio::new(buf, len)?;
        let mut chunk = [0; CHUNK];
        while uio.resid() > 0 {
            let len = uio.resid().min(CHUNK);
            time::random(&mut chunk[..len]);
            uio.copy_out(&chunk[..len])?;
        }
        Ok(len)
    }
}
