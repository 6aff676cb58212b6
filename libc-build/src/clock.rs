//! Clocks and sleeping: clock_gettime(2), nanosleep(2), sleep(3), usleep(3), alarm(3).

#[cfg(not(test))]
mod read;
mod sleep;
mod timespec;

#[cfg(not(test))]
pub use read::*;
pub use sleep::*;
pub use timespec::Timespec;
