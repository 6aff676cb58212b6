//! A sign of life on the terminal for work that takes longer than a second.

use std::io::{IsTerminal, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Does `work`; if it lasts, shows `what` and the seconds so far in one line of standard error, and takes the line away afterwards.
/// Nothing is shown where standard error is not a terminal.
pub fn during<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work();
    }
    let begin = Instant::now();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut shown = false;
            while is_done.recv_timeout(Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprint!("\r{what} … {} s", begin.elapsed().as_secs());
                shown = true;
            }
            if shown {
                eprint!("\r\x1b[K");
                // A terminal that has gone away leaves nobody to be told.
                let _ = std::io::stderr().flush();
            }
        });
        let result = work();
        drop(done);
        result
    })
}
