//! Asking: every server in turn, again after a longer and longer wait, over TCP where the answer was cut.

use super::config::{Carrier, Config, Server};
use super::message::{FLAG_RECURSION_DESIRED, Question, answer_count, code, is_answer, is_truncated};
use super::name::{Name, dots};
use crate::stdlib::array::Array;
use rump_abi::netdb::{HOST_NOT_FOUND, NETDB_INTERNAL, NO_DATA, NO_RECOVERY, TRY_AGAIN};

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no such name.
    NotFound,
    /// The name has no such record.
    NoData,
    /// No server answered.
    Silence,
    /// The servers do not know for now.
    TryAgain,
    /// Asking again will not help.
    NoRecovery,
    /// errno says it.
    Internal,
}

impl Failure {
    /// The number in h_errno.
    pub(crate) fn number(self) -> i32 {
        match self {
            Self::NotFound => HOST_NOT_FOUND,
            Self::NoData => NO_DATA,
            Self::Silence | Self::TryAgain => TRY_AGAIN,
            Self::NoRecovery => NO_RECOVERY,
            Self::Internal => NETDB_INTERNAL,
        }
    }
}

/// How asking one server once ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// With a message that was accepted.
    Reply,
    /// With nothing, or nothing that was accepted, in the time that there was.
    Silence,
    /// The server cannot be reached, which was known at once.
    Unreachable,
}

/// What carries messages.
pub(crate) trait Wire {
    /// Sends a datagram and waits for one that `accepts` likes.
    fn datagram(
        &mut self,
        server: &Server,
        query: &[u8],
        reply: &mut Array<u8>,
        timeout_ms: u32,
        accepts: &dyn Fn(&[u8]) -> bool,
    ) -> Heard;
    /// Sends a message through a connection (RFC 1035, 4.2.2) and waits for the answer.
    fn stream(&mut self, server: &Server, query: &[u8], reply: &mut Array<u8>, timeout_ms: u32) -> Heard;
    /// A number that cannot be guessed.
    fn random(&mut self) -> u32;
}

/// How long to wait in the given round, when a round asks so many servers.
fn timeout_ms(config: &Config, round: u32, servers: usize) -> u32 {
    let seconds = config.timeout_s << round.min(8);
    let seconds = if round > 0 { seconds / servers.max(1) as u32 } else { seconds };
    seconds.clamp(1, 300) * 1000
}

/// Sends a message to the servers until one answers with more than a refusal.
pub(crate) fn send(
    config: &Config,
    wire: &mut impl Wire,
    query: &[u8],
    reply: &mut Array<u8>,
) -> Result<(), Failure> {
    let servers = config.servers();
    let accepts = |reply: &[u8]| is_answer(query, reply);
    let first =
        if config.rotates && !servers.is_empty() { wire.random() as usize % servers.len() } else { 0 };
    // A refusal is kept, should there be nothing better.
    let mut is_refused = false;
    for round in 0..config.attempts {
        for index in 0..servers.len() {
            let Some(server) = servers.get((first + index) % servers.len()) else { continue };
            let timeout_ms = timeout_ms(config, round, servers.len());
            reply.truncate(0);
            let mut heard = match config.carrier {
                Carrier::Stream => wire.stream(server, query, reply, timeout_ms),
                Carrier::Datagrams | Carrier::DatagramsOnly => {
                    wire.datagram(server, query, reply, timeout_ms, &accepts)
                }
            };
            if heard == Heard::Reply && is_truncated(reply) && config.carrier == Carrier::Datagrams {
                reply.truncate(0);
                heard = wire.stream(server, query, reply, timeout_ms);
            }
            if heard != Heard::Reply || !accepts(reply) {
                continue;
            }
            // NOERROR and NXDOMAIN are answers; FORMERR, SERVFAIL, NOTIMP, REFUSED and whatever comes are this server's troubles.
            if matches!(code(reply), 0 | 3) {
                return Ok(());
            }
            is_refused = true;
        }
        // Servers that answered will answer the same the next time.
        if is_refused {
            return if reply.len() >= super::message::HEADER_BYTES { Ok(()) } else { Err(Failure::TryAgain) };
        }
    }
    Err(Failure::Silence)
}

/// Asks for the records of a type that a name has; `reply` then holds the message with them.
pub(crate) fn ask(
    config: &Config,
    wire: &mut impl Wire,
    name: &Name,
    kind: u16,
    class: u16,
    reply: &mut Array<u8>,
) -> Result<(), Failure> {
    let id = wire.random() as u16;
    let question = Question::new(id, FLAG_RECURSION_DESIRED, name, kind, class);
    send(config, wire, question.as_bytes(), reply)?;
    match code(reply) {
        0 if answer_count(reply) == 0 => Err(Failure::NoData),
        0 => Ok(()),
        2 => Err(Failure::TryAgain),
        3 => Err(Failure::NotFound),
        _ => Err(Failure::NoRecovery),
    }
}

/// Calls `try_name` with every name that `text` may stand for, until it succeeds or no server answers.
pub(crate) fn search<T>(
    config: &Config,
    text: &[u8],
    mut try_name: impl FnMut(&Name) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let name = Name::from_text(text).ok_or(Failure::NotFound)?;
    let (dots, is_whole) = dots(text);
    if is_whole {
        return try_name(&name);
    }
    let as_it_is_first = dots >= config.dots as usize;
    // The most telling failure: there is such a name, or it may be there.
    let mut failure = Failure::NotFound;
    let count = config.domains().len();
    for index in 0..=count {
        let domain = match (as_it_is_first, index) {
            (true, 0) => None,
            (true, _) => config.domains().get(index - 1),
            (false, _) => config.domains().get(index),
        };
        let candidate = match domain {
            Some(domain) => name.within(domain),
            None => Some(name),
        };
        let Some(candidate) = candidate else { continue };
        match try_name(&candidate) {
            Ok(found) => return Ok(found),
            // Each candidate would wait as long.
            Err(failure @ (Failure::Silence | Failure::Internal)) => return Err(failure),
            Err(Failure::NoData) => failure = Failure::NoData,
            Err(other) if failure == Failure::NotFound => failure = other,
            Err(_) => {}
        }
    }
    Err(failure)
}
