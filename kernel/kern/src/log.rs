//! Messages of the kernel's on the console (printf(9)).

use core::fmt::{self, Write};

use rump_hypercall::console;

/// The console, as something to format into.
pub struct Console;

impl Write for Console {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        console::write(s.as_bytes());
        Ok(())
    }
}

/// Prints a line on the console.
#[macro_export]
macro_rules! log {
    ($($arg:tt)*) => {{
        use ::core::fmt::Write as _;
        // Writing to the console does not fail.
        let _ = ::core::writeln!($crate::log::Console, $($arg)*);
    }};
}
