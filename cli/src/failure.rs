//! How a subcommand fails: with a sentence for the user.

use std::fmt;

/// What a subcommand returns: the exit status.
pub type Outcome = Result<u8, Failure>;

/// One sentence that says what is wrong and, where there is one, the way out.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure that says `sentence`.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<rumpbake_linker::Error> for Failure {
    fn from(error: rumpbake_linker::Error) -> Self {
        Self(error.to_string())
    }
}
