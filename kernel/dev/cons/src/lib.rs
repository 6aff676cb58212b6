//! The console as a terminal: /dev/console, /dev/tty.
#![no_std]
