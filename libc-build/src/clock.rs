//! Clocks and sleeping: clock_gettime(2), nanosleep(2), sleep(3), usleep(3), alarm(3).

mod sleep;
mod timespec;

pub use sleep::*;
pub use timespec::Timespec;
