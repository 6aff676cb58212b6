//! The boot-time configuration: what the program finds when it starts.
//!
//! It is a JSON object (RFC 8259), baked into the image by the linker and overlaid at boot by the kernel command line. The
//! reader runs inside the kernel on text that whoever boots the image wrote. So it never panics, and an error is one sentence that
//! names the key. It is written out rather than derived with serde: a reader for exactly these keys needs no numbers and no generic
//! values, and adds 9 KB to an image instead of 40 (both compiled for size).
//!
//! Invariants of a [`Config`] that came out of this crate: no string holds a NUL (all of them become C strings), names in
//! [`Config::env`] are unique, not empty and without `=`, [`Config::cwd`] is absolute, [`Config::hostname`] is 1 to
//! [`HOSTNAME_MAX_BYTES`] long.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

mod cmdline;
mod error;
mod json;
mod keys;
mod net;
#[cfg(feature = "schema")]
mod schema;
mod words;
mod write;

pub use cmdline::CommandLine;
pub use error::{ConfigError, Problem};
pub use keys::HOSTNAME_MAX_BYTES;
pub use net::{Cidr, Interface, Net};
#[cfg(feature = "schema")]
pub use schema::schema;
pub use words::{quote, split_words};

/// The configuration. Every part may be absent; then what was baked in, or the kernel's default, holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// What the program sees as `argv[0]`. JSON key `argv0`.
    pub argv0: Option<String>,
    /// The program's arguments from `argv[1]` on. JSON key `args`: an array of strings, or one string that is split as a shell would.
    pub args: Option<Vec<String>>,
    /// Environment variables, in the order given. JSON key `env`: an object of strings.
    pub env: Vec<(String, String)>,
    /// What gethostname(3) returns. JSON key `hostname`.
    pub hostname: Option<String>,
    /// The directory in which the program starts. JSON key `cwd`.
    pub cwd: Option<String>,
    /// What descriptors 0 to 2 are. JSON key `stdio`: `"terminal"` or `"pipe"`.
    pub stdio: Option<Stdio>,
    /// Which system calls are traced on the console. JSON key `trace`: a boolean, or an array of names.
    pub trace: Option<Trace>,
    /// Interfaces and their addresses. JSON key `net`: an object.
    pub net: Net,
}

/// What descriptors 0 to 2 are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    /// A terminal on the console: lines, echo, signals by keys.
    Terminal,
    /// A stream of bytes over the console, as a pipe is: nothing is echoed, added or interpreted. In what comes in, the byte 0x10
    /// announces what cannot be said plainly: followed by `E` it is the end, followed by itself it is 0x10.
    Pipe,
}

impl Stdio {
    /// The byte that announces.
    pub const ESCAPE: u8 = 0x10;
    /// After [`Stdio::ESCAPE`]: the end.
    pub const END: u8 = b'E';
}

/// Which system calls are traced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// None.
    Off,
    /// Every one.
    All,
    /// Those with these names, as in sys/syscall.h without `SYS_`.
    Calls(Vec<String>),
}

impl Trace {
    /// Whether calls of this name are traced.
    #[must_use]
    pub fn wants(&self, call: &str) -> bool {
        match self {
            Self::Off => false,
            Self::All => true,
            Self::Calls(names) => names.iter().any(|name| name == call),
        }
    }
}

impl Config {
    /// Reads JSON. No bytes at all are an empty configuration (an image may have none).
    ///
    /// # Errors
    /// If it is not a JSON object, has a key that is not known, or a value that its key does not take.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let text = json::utf8(bytes)?;
        let mut reader = json::Reader::new(text);
        let config = keys::read_object(&mut reader)?;
        reader.end()?;
        Ok(config)
    }

    /// Reads the kernel command line; see [`CommandLine`] for its words.
    ///
    /// # Errors
    /// If a quote does not end, or a word or JSON object that is ours has a value that its key does not take.
    pub fn from_command_line(line: &str) -> Result<CommandLine, ConfigError> {
        cmdline::read(line)
    }

    /// This configuration with `other` laid over it: what `other` says wins, the environments are merged name by name.
    #[must_use]
    pub fn overlay(mut self, other: Self) -> Self {
        for (name, value) in other.env {
            self.set_env(name, value);
        }
        Self {
            argv0: other.argv0.or(self.argv0),
            args: other.args.or(self.args),
            env: self.env,
            hostname: other.hostname.or(self.hostname),
            cwd: other.cwd.or(self.cwd),
            stdio: other.stdio.or(self.stdio),
            trace: other.trace.or(self.trace),
            net: self.net.overlay(other.net),
        }
    }

    /// Sets one environment variable, in the place that it had or else at the end.
    pub fn set_env(&mut self, name: String, value: String) {
        match self.env.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.env.push((name, value)),
        }
    }

    /// Sets a value by its word on the command line: `hostname`, `cwd`, `argv0`, `stdio`, `trace` or `env.NAME`.
    ///
    /// # Errors
    /// If the key does not take the value. `Ok(false)` if there is no such key.
    pub fn set(&mut self, key: &str, value: &str) -> Result<bool, ConfigError> {
        keys::set(self, key, value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Trace};
    use alloc::string::ToString;
    use alloc::vec;

    #[test]
    fn overlay_takes_what_is_said_and_keeps_the_rest() {
        let baked = Config::parse(br#"{"args":["a"],"env":{"A":"1","B":"2"},"hostname":"one","trace":true}"#)
            .unwrap();
        let line = Config::parse(br#"{"args":[],"env":{"B":"3","C":"4"},"trace":false}"#).unwrap();
        let both = baked.overlay(line);
        assert_eq!(both.args, Some(vec![]));
        let env: vec::Vec<_> = both.env.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(env, [("A", "1"), ("B", "3"), ("C", "4")]);
        assert_eq!(both.hostname.as_deref(), Some("one"));
        assert_eq!(both.trace, Some(Trace::Off));
    }

    #[test]
    fn trace_wants() {
        assert!(!Trace::Off.wants("read"));
        assert!(Trace::All.wants("read"));
        assert!(Trace::Calls(vec!["read".to_string()]).wants("read"));
        assert!(!Trace::Calls(vec!["read".to_string()]).wants("write"));
    }

    #[test]
    fn no_bytes_are_no_configuration() {
        assert_eq!(Config::parse(b"").unwrap(), Config::default());
        assert!(Config::parse(b" ").is_err());
    }
}
