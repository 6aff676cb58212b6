//! What can be wrong with a configuration, as one sentence.

use alloc::string::String;
use core::fmt;

/// A configuration that cannot be used. Its `Display` is one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key's path (`env.PORT`), empty where the text as a whole is wrong.
    pub key: String,
    /// What is wrong.
    pub problem: Problem,
    /// Where in the text, counted from 1: line and column in bytes. `None` for a command-line word.
    pub position: Option<(usize, usize)>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Not JSON: what should have stood there.
    Syntax(&'static str),
    /// No such key.
    UnknownKey,
    /// No such key in an object inside; the keys that there are.
    UnknownKeyOf(&'static str),
    /// A key appears twice.
    Twice,
    /// A value of another kind.
    Kind {
        /// What the key takes.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A value of the right kind that the key does not take.
    Value(&'static str),
}

impl ConfigError {
    /// An error about a command-line word or a value that has no position.
    pub(crate) fn of_key(key: &str, problem: Problem) -> Self {
        Self { key: key.into(), problem, position: None }
    }

    /// The same error, about `key`.
    pub(crate) fn at_key(mut self, key: &str) -> Self {
        if self.key.is_empty() {
            self.key = key.into();
        }
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_str();
        match &self.problem {
            Problem::Syntax(wanted) if key.is_empty() => {
                write!(f, "this is not valid JSON: expected {wanted}")?
            }
            Problem::Syntax(wanted) => write!(f, "this is not valid JSON in \"{key}\": expected {wanted}")?,
            Problem::UnknownKey => {
                write!(f, "there is no key \"{key}\"; the keys are {}", crate::keys::NAMES)?;
            }
            Problem::UnknownKeyOf(names) => write!(f, "there is no key \"{key}\"; the keys are {names}")?,
            Problem::Twice => write!(f, "\"{key}\" is given twice")?,
            Problem::Kind { wanted, found } if key.is_empty() => {
                write!(f, "the configuration must be {wanted}, not {found}")?;
            }
            Problem::Kind { wanted, found } => write!(f, "\"{key}\" must be {wanted}, not {found}")?,
            Problem::Value(rule) => write!(f, "\"{key}\" {rule}")?,
        }
        match self.position {
            Some((line, column)) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for ConfigError {}
