//! The client against a store of the test's own, which works whenever it is told something.

extern crate std;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::{Error, Link, Store, Transaction};
use crate::xen::ring::{Layout, Ring};
use crate::xen::test_page;

/// The store's end.
pub(crate) struct Server {
    requests: Ring,
    answers: Ring,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    pub(crate) tree: BTreeMap<String, Vec<u8>>,
    /// Does not answer.
    silent: bool,
    /// Sends this instead of its next answer.
    instead: Option<Vec<u8>>,
}

std::thread_local! {
    static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
}

fn message(kind: u32, request: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        [kind, request, 0, payload.len() as u32].iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend_from_slice(payload);
    bytes
}

impl Server {
    fn work(&mut self) {
        let mut buf = [0; 100];
        loop {
            let count = self.requests.take(&mut buf);
            self.incoming.extend_from_slice(&buf[..count]);
            if count == 0 {
                break;
            }
        }
        while self.incoming.len() >= 16 {
            let len = super::word(&self.incoming, 3) as usize;
            if self.incoming.len() < 16 + len {
                break;
            }
            let request: Vec<u8> = self.incoming.drain(..16 + len).collect();
            if !self.silent {
                let answer = self.instead.take().unwrap_or_else(|| self.answer(&request));
                self.outgoing.extend_from_slice(&answer);
            }
        }
        let sent = self.answers.put(&self.outgoing);
        self.outgoing.drain(..sent);
    }

    fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let (kind, id) = (super::word(request, 0), super::word(request, 1));
        let payload = &request[16..];
        let end = payload.iter().position(|&byte| byte == 0).unwrap();
        let path = String::from_utf8(payload[..end].to_vec()).unwrap();
        match kind {
            1 => {
                let prefix = path + "/";
                let names = self.tree.keys().filter_map(|key| key.strip_prefix(&prefix));
                message(
                    kind,
                    id,
                    &names.flat_map(|name| [name.as_bytes(), b"\0"].concat()).collect::<Vec<u8>>(),
                )
            }
            2 => match self.tree.get(&path) {
                Some(value) => message(kind, id, value),
                None => message(16, id, b"ENOENT\0"),
            },
            4 => [message(kind, id, b"OK\0"), message(15, 0, payload)].concat(),
            6 => message(kind, id, b"77\0"),
            7 => {
                assert_eq!(super::word(request, 2), 77);
                message(16, id, b"EAGAIN\0")
            }
            11 => {
                self.tree.insert(path, payload[end + 1..].to_vec());
                message(kind, id, b"OK\0")
            }
            _ => message(16, id, b"EINVAL\0"),
        }
    }
}

pub(crate) fn with_server<T>(f: impl FnOnce(&mut Server) -> T) -> T {
    SERVER.with_borrow_mut(|server| f(server.as_mut().unwrap()))
}

pub(crate) fn store() -> Store {
    let page = test_page();
    // SAFETY: the page stays; both ends use rings.
    let (requests, answers) = unsafe {
        (
            Ring::new(page, Layout { bytes: 0, size: 1024, taken: 2048, put: 2052 }),
            Ring::new(page, Layout { bytes: 1024, size: 1024, taken: 2056, put: 2060 }),
        )
    };
    let server = Server {
        requests,
        answers,
        incoming: vec![],
        outgoing: vec![],
        tree: BTreeMap::new(),
        silent: false,
        instead: None,
    };
    SERVER.set(Some(server));
    let link = Link {
        notify: || with_server(Server::work),
        wait: |_| {
            with_server(Server::work);
            !with_server(|server| server.silent)
        },
        now_ns: || 0,
    };
    // SAFETY: as above.
    unsafe { Store::new(page, link) }
}

#[test]
fn values_are_written_read_and_listed() {
    let mut store = store();
    let none = Transaction::NONE;
    assert_eq!(store.read(none, "data/x"), Err(Error::Refused("ENOENT".to_string())));
    // Longer than the ring.
    let long = vec![b'v'; 3000];
    store.write(none, "data/x", &long).unwrap();
    store.write(none, "data/y", b"").unwrap();
    assert_eq!(store.read(none, "data/x"), Ok(long));
    assert_eq!(store.read(none, "data/y"), Ok(vec![]));
    assert_eq!(store.directory(none, "data"), Ok(vec!["x".to_string(), "y".to_string()]));
    assert_eq!(store.write(none, "z", &[0; 5000]), Err(Error::TooLong));
}

#[test]
fn changes_are_kept_until_somebody_asks() {
    let mut store = store();
    store.watch("control/shutdown", "shutdown").unwrap();
    store.write(Transaction::NONE, "a", b"b").unwrap();
    assert_eq!(store.changed().as_deref(), Some("shutdown"));
    assert_eq!(store.changed(), None);
    store.watch_from_now_on("control/shutdown", "shutdown").unwrap();
    assert_eq!(store.changed().as_deref(), Some("shutdown"));
}

#[test]
fn a_node_that_changes_without_end_displaces_no_other() {
    let mut store = store();
    for round in 0..500 {
        let path = std::format!("backend/state/{round}");
        with_server(|server| {
            server.outgoing.extend(message(15, 0, std::format!("{path}\0net0\0").as_bytes()))
        });
        store.write(Transaction::NONE, "a", b"b").unwrap();
    }
    with_server(|server| server.outgoing.extend(message(15, 0, b"control/shutdown\0shutdown\0")));
    store.write(Transaction::NONE, "a", b"b").unwrap();
    assert_eq!(store.changed().as_deref(), Some("net0"));
    assert_eq!(store.changed().as_deref(), Some("shutdown"));
    assert_eq!(store.changed(), None);
}

#[test]
fn a_request_that_was_given_up_halfway_is_no_part_of_the_next() {
    let mut store = store();
    let link = store.link;
    // The store is stuck, and the ring is shorter than the request.
    store.link = Link { notify: || (), wait: |_| false, ..link };
    let long = vec![b'v'; 3000];
    assert_eq!(store.write(Transaction::NONE, "x", &long), Err(Error::Silent));
    assert_eq!(store.read(Transaction::NONE, "x"), Err(Error::Silent));
    store.link = link;
    store.write(Transaction::NONE, "y", b"1").unwrap();
    assert_eq!(store.read(Transaction::NONE, "x"), Ok(long));
    assert_eq!(store.read(Transaction::NONE, "y"), Ok(vec![b'1']));
}

#[test]
fn transactions_are_begun_and_refused() {
    let mut store = store();
    let transaction = store.begin().unwrap();
    assert_eq!(store.commit(transaction), Err(Error::Refused("EAGAIN".to_string())));
}

#[test]
fn a_silent_store_is_an_error() {
    let mut store = store();
    with_server(|server| server.silent = true);
    assert_eq!(store.read(Transaction::NONE, "x"), Err(Error::Silent));
}

#[test]
fn nonsense_is_survived() {
    let mut store = store();
    store.link = Link { wait: |_| false, ..store.link };
    store.write(Transaction::NONE, "x", b"1").unwrap();
    let endless = [15, 0, 0, u32::MAX].iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    // An answer to another question, one of no kind, a change that is none, and a header that promises more than there can be.
    for wrong in [message(2, 999, b"no"), message(99, 3, b""), message(15, 0, b"no end"), endless] {
        with_server(|server| server.instead = Some(wrong));
        assert!(store.read(Transaction::NONE, "x").is_err());
        assert_eq!(store.changed(), None);
    }
}

#[test]
fn random_bytes_are_survived() {
    let mut store = store();
    store.link = Link { wait: |_| false, ..store.link };
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    for _ in 0..2000 {
        let kind = [1, 2, 4, 15, 16, random()][random() as usize % 6];
        let mut wrong: Vec<u8> = [kind, random() % 4, 0, random() % 5000]
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .chain((0..random() % 300).map(|at| (at * 7) as u8 & 0x7f))
            .collect();
        wrong.truncate(random() as usize % 320);
        with_server(|server| server.instead = Some(wrong));
        match random() % 3 {
            0 => drop(store.directory(Transaction::NONE, "x")),
            1 => drop(store.read(Transaction::NONE, "x")),
            _ => drop(store.begin()),
        }
        while store.changed().is_some() {}
    }
}
