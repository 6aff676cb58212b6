//! What programs use at their edges: their name, options, messages and assertions (err.h, getopt.h, assert.h, syslog.h).

pub mod assert;
pub mod err;
pub mod name;
pub mod options;
pub mod syslog;
