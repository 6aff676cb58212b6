//! A client of xenstore (Xen's public header io/xs_wire.h, and docs/misc/xenstore.txt): the tree of names and values that the tool stack and
//! the domains share.
//!
//! Requests are made one at a time and waited for; what was watched and has changed is kept until [`Store::changed`] asks. Nothing that the
//! store sends is trusted: a message that is too long, or an answer to no question, is dropped. Changes are known by their watch's token alone, once
//! each until somebody asks: whoever is told reads anew anyway, and another domain that changes its node without end displaces nobody else's change.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::ring::{Layout, Ring};

/// What the store is reached by.
#[derive(Clone, Copy)]
pub struct Link {
    /// Tells the store that the rings have changed.
    pub notify: fn(),
    /// Waits until the store has said something, or for some time. False if it has been waited for too long.
    pub wait: fn(begun_ns: u64) -> bool,
    /// The time that `wait` counts from.
    pub now_ns: fn() -> u64,
}

/// Kinds of messages (`enum xsd_sockmsg_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Kind {
    Directory = 1,
    Read = 2,
    Watch = 4,
    Unwatch = 5,
    TransactionStart = 6,
    TransactionEnd = 7,
    Write = 11,
    Remove = 13,
    WatchEvent = 15,
    Error = 16,
}

/// The longest payload (XENSTORE_PAYLOAD_MAX).
const PAYLOAD_MAX: usize = 4096;
/// `struct xsd_sockmsg`: kind, number of the request, of the transaction, length of the payload.
const HEADER_LEN: usize = 16;
/// Tokens of changes that are kept; more than there are watches.
const CHANGES_MAX: usize = 64;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The store says so: the name of an error, such as `ENOENT`.
    Refused(String),
    /// It does not answer.
    Silent,
    /// The request is longer than the store takes.
    TooLong,
    /// The answer is not what such a request is answered with.
    Nonsense,
}

/// A group of requests that take effect together, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction(u32);

impl Transaction {
    /// None: each request by itself.
    pub const NONE: Self = Self(0);
}

struct Message {
    kind: u32,
    request: u32,
    payload: Vec<u8>,
}

/// The client.
pub struct Store {
    requests: Ring,
    answers: Ring,
    link: Link,
    last_request: u32,
    /// What the store has not taken yet of a request that was given up.
    unsent: Vec<u8>,
    /// The message that is coming in, as far as it has come.
    partial: Vec<u8>,
    /// Tokens.
    changes: VecDeque<String>,
}

fn word(bytes: &[u8], index: usize) -> u32 {
    bytes.get(index * 4..index * 4 + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// A string that ends with a zero byte, and what follows it.
fn string(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    Some((String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 1..]))
}

impl Store {
    /// A client with the rings in a page (`struct xenstore_domain_interface`).
    ///
    /// # Safety
    /// As [`Ring::new`].
    #[must_use]
    pub unsafe fn new(page: *mut u8, link: Link) -> Self {
        // SAFETY: the caller's promise.
        let (requests, answers) = unsafe {
            (
                Ring::new(page, Layout { bytes: 0, size: 1024, taken: 2048, put: 2052 }),
                Ring::new(page, Layout { bytes: 1024, size: 1024, taken: 2056, put: 2060 }),
            )
        };
        Self {
            requests,
            answers,
            link,
            last_request: 0,
            unsent: Vec::new(),
            partial: Vec::new(),
            changes: VecDeque::new(),
        }
    }

    /// Takes what has come, up to the next whole message.
    fn receive(&mut self) -> Option<Message> {
        loop {
            let wanted = if self.partial.len() < HEADER_LEN {
                HEADER_LEN
            } else {
                let len = word(&self.partial, 3) as usize;
                // Where the next message begins is not to be found any more: what comes is dropped as it comes.
                HEADER_LEN + len.min(PAYLOAD_MAX)
            };
            if self.partial.len() == wanted && wanted > HEADER_LEN
                || self.partial.len() == HEADER_LEN && word(&self.partial, 3) == 0
            {
                let bytes = core::mem::take(&mut self.partial);
                return Some(Message {
                    kind: word(&bytes, 0),
                    request: word(&bytes, 1),
                    payload: bytes[HEADER_LEN..].to_vec(),
                });
            }
            let mut buf = [0; 256];
            let room = buf.len().min(wanted - self.partial.len());
            let count = self.answers.take(&mut buf[..room]);
            if count == 0 {
                return None;
            }
            self.partial.extend_from_slice(&buf[..count]);
            (self.link.notify)();
        }
    }

    /// Keeps a change that a message tells of.
    fn keep(&mut self, message: &Message) {
        if let Some((_, rest)) = string(&message.payload)
            && let Some((token, _)) = string(rest)
            && self.changes.len() < CHANGES_MAX
            && !self.changes.contains(&token)
        {
            self.changes.push_back(token);
        }
    }

    /// Sends what is unsent.
    fn flush(&mut self, begun_ns: u64) -> Result<(), Error> {
        while !self.unsent.is_empty() {
            let count = self.requests.put(&self.unsent);
            self.unsent.drain(..count);
            (self.link.notify)();
            if !self.unsent.is_empty() && !(self.link.wait)(begun_ns) {
                return Err(Error::Silent);
            }
        }
        Ok(())
    }

    /// Sends all of the bytes. Where that is given up halfway, the rest goes before the next request: the store knows messages by their lengths.
    fn send(&mut self, bytes: &[u8], begun_ns: u64) -> Result<(), Error> {
        self.flush(begun_ns)?;
        self.unsent.extend_from_slice(bytes);
        self.flush(begun_ns)
    }

    /// Sends a request; returns its number.
    fn ask(
        &mut self,
        kind: Kind,
        transaction: Transaction,
        payload: &[&[u8]],
        begun_ns: u64,
    ) -> Result<u32, Error> {
        let len: usize = payload.iter().map(|part| part.len()).sum();
        if len > PAYLOAD_MAX {
            return Err(Error::TooLong);
        }
        self.last_request = self.last_request.wrapping_add(1);
        let request = self.last_request;
        let mut message = Vec::with_capacity(HEADER_LEN + len);
        for word in [kind as u32, request, transaction.0, len as u32] {
            message.extend_from_slice(&word.to_le_bytes());
        }
        payload.iter().for_each(|part| message.extend_from_slice(part));
        self.send(&message, begun_ns)?;
        Ok(request)
    }

    /// Makes a request and waits for its answer.
    fn request(&mut self, kind: Kind, transaction: Transaction, payload: &[&[u8]]) -> Result<Vec<u8>, Error> {
        let begun_ns = (self.link.now_ns)();
        let request = self.ask(kind, transaction, payload, begun_ns)?;
        loop {
            while let Some(answer) = self.receive() {
                if answer.kind == Kind::WatchEvent as u32 {
                    self.keep(&answer);
                } else if answer.request == request {
                    return match answer.kind {
                        found if found == kind as u32 => Ok(answer.payload),
                        found if found == Kind::Error as u32 => Err(Error::Refused(
                            string(&answer.payload).map_or_else(String::new, |(name, _)| name),
                        )),
                        _ => Err(Error::Nonsense),
                    };
                }
            }
            if !(self.link.wait)(begun_ns) {
                return Err(Error::Silent);
            }
        }
    }

    /// The value of a node. Relative paths begin at the domain's own node.
    ///
    /// # Errors
    /// Refused: ENOENT if there is none, EACCES.
    pub fn read(&mut self, transaction: Transaction, path: &str) -> Result<Vec<u8>, Error> {
        self.request(Kind::Read, transaction, &[path.as_bytes(), b"\0"])
    }

    /// Gives a node a value; it is made if there is none.
    ///
    /// # Errors
    /// Refused: EACCES, ENOSPC, EQUOTA.
    pub fn write(&mut self, transaction: Transaction, path: &str, value: &[u8]) -> Result<(), Error> {
        self.request(Kind::Write, transaction, &[path.as_bytes(), b"\0", value]).map(|_| ())
    }

    /// Removes a node with everything below it.
    ///
    /// # Errors
    /// Refused: ENOENT, EACCES.
    pub fn remove(&mut self, transaction: Transaction, path: &str) -> Result<(), Error> {
        self.request(Kind::Remove, transaction, &[path.as_bytes(), b"\0"]).map(|_| ())
    }

    /// The names of the nodes below a node.
    ///
    /// # Errors
    /// Refused: ENOENT, EACCES.
    pub fn directory(&mut self, transaction: Transaction, path: &str) -> Result<Vec<String>, Error> {
        let answer = self.request(Kind::Directory, transaction, &[path.as_bytes(), b"\0"])?;
        let mut rest = &answer[..];
        let mut names = Vec::new();
        while let Some((name, behind)) = string(rest) {
            names.push(name);
            rest = behind;
        }
        Ok(names)
    }

    /// Watches a node and everything below it; one change is reported at once.
    ///
    /// # Errors
    /// Refused: EEXIST if it is watched with this token.
    pub fn watch(&mut self, path: &str, token: &str) -> Result<(), Error> {
        self.request(Kind::Watch, Transaction::NONE, &[path.as_bytes(), b"\0", token.as_bytes(), b"\0"])
            .map(|_| ())
    }

    /// As [`Store::watch`], without waiting for the answer: [`Store::changed`] reports the first change when the store has got there.
    ///
    /// # Errors
    /// Silent if the ring is full and stays it.
    pub fn watch_from_now_on(&mut self, path: &str, token: &str) -> Result<(), Error> {
        let parts = [path.as_bytes(), b"\0", token.as_bytes(), b"\0"];
        self.ask(Kind::Watch, Transaction::NONE, &parts, (self.link.now_ns)()).map(|_| ())
    }

    /// Ends a watch.
    ///
    /// # Errors
    /// Refused: ENOENT if there is none.
    pub fn unwatch(&mut self, path: &str, token: &str) -> Result<(), Error> {
        self.request(Kind::Unwatch, Transaction::NONE, &[path.as_bytes(), b"\0", token.as_bytes(), b"\0"])
            .map(|_| ())
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Refused: ENOSPC if there are too many.
    pub fn begin(&mut self) -> Result<Transaction, Error> {
        let answer = self.request(Kind::TransactionStart, Transaction::NONE, &[b"\0"])?;
        let number = string(&answer).and_then(|(number, _)| number.parse().ok());
        number.filter(|&number| number != 0).map(Transaction).ok_or(Error::Nonsense)
    }

    /// Ends a transaction: what was done in it takes effect.
    ///
    /// # Errors
    /// Refused: EAGAIN if somebody else changed what it touched; then all of it is to be done again.
    pub fn commit(&mut self, transaction: Transaction) -> Result<(), Error> {
        self.request(Kind::TransactionEnd, transaction, &[b"T\0"]).map(|_| ())
    }

    /// The token of something watched that has changed, if that was reported.
    pub fn changed(&mut self) -> Option<String> {
        while let Some(message) = self.receive() {
            if message.kind == Kind::WatchEvent as u32 {
                self.keep(&message);
            }
        }
        self.changes.pop_front()
    }
}

#[cfg(test)]
pub(crate) mod tests;
