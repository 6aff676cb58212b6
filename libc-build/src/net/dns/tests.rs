//! Names, messages and the asking of servers, with servers that are made up.

use super::config::{Carrier, Config, PORT, Server};
use super::message::*;
use super::name::{Name, dots};
use super::query::{Failure, Heard, Wire, ask, search};
use crate::net::address::{Host, Ip};
use crate::stdlib::array::Array;
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::from_text(text.as_bytes()).expect(text)
}

fn text(name: &Name) -> String {
    String::from_utf8(name.text(b".").as_bytes().to_vec()).expect("ASCII")
}

/// An answer to `query` with a code and records, of which the owner is a pointer to the question where it is None.
fn answer(query: &[u8], code: u16, records: &[(Option<&str>, u16, Vec<u8>)]) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2..4].copy_from_slice(&(0x8180 | code).to_be_bytes());
    reply[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    for (owner, kind, data) in records {
        match owner {
            None => reply.extend([0xc0, 12]),
            Some(owner) => reply.extend(name(owner).as_bytes()),
        }
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 60]);
        reply.extend((data.len() as u16).to_be_bytes());
        reply.extend(data);
    }
    reply
}

#[test]
fn names_as_text() {
    for (given, back) in [
        ("example.com", "example.com"),
        ("example.com.", "example.com"),
        (".", "."),
        ("a\\.b.c", "a\\.b.c"),
        ("a\\065.c", "aA.c"),
        ("a\\000.c", "a\\000.c"),
    ] {
        assert_eq!(text(&name(given)), back);
    }
    let long = "x".repeat(64);
    let many = "x.".repeat(128);
    for bad in ["", "..", "a..b", ".a", long.as_str(), many.as_str(), "a\\", "a\\9", "a\\999"] {
        assert!(Name::from_text(bad.as_bytes()).is_none(), "{bad}");
    }
    assert!(Name::from_text("x.".repeat(127).as_bytes()).is_some());
    assert!(name("WWW.Example.com").is_same(&name("www.eXample.COM")));
    assert_eq!(text(&name("www").within(&name("example.com")).expect("short")), "www.example.com");
    assert_eq!((dots(b"a.b"), dots(b"a.b."), dots(b"a\\.")), ((1, false), (2, true), (0, false)));
    assert!(name("a-b.c_d").is_host() && !name("a b").is_host() && !name("-a").is_host());
}

#[test]
fn pointers_lead_backwards() {
    let mut message = vec![3, b'c', b'o', b'm', 0, 1, b'a', 0xc0, 0, 0xc0, 5, 0xc0, 11, 0xc0, 15, 0xc0, 13];
    let (found, next) = Name::read(&message, 9).expect("two pointers");
    assert_eq!((text(&found).as_str(), next), ("a.com", 11));
    for start in [11, 13, 15, 99] {
        assert!(Name::read(&message, start).is_none(), "{start}");
    }
    message.truncate(8);
    assert!(Name::read(&message, 5).is_none());
    assert!(Name::read(&[0x40, 0], 0).is_none());
    // A name that grows too long through a pointer.
    let mut long: Vec<u8> = [1, b'x'].repeat(120);
    long.push(0);
    let start = long.len();
    long.extend([10].iter().chain(&[b'y'; 10]).chain(&[10]).chain(&[b'z'; 10]).chain(&[0xc0, 0]));
    assert!(Name::read(&long, start).is_none());
}

#[test]
fn aliases_are_followed() {
    let www = name("www.example.com");
    let query = Question::new(7, FLAG_RECURSION_DESIRED, &www, TYPE_A, CLASS_IN);
    let reply = answer(
        query.as_bytes(),
        0,
        &[
            (None, TYPE_CNAME, name("one.example.net").as_bytes().to_vec()),
            (Some("TWO.example.net"), TYPE_A, vec![10, 0, 0, 1]),
            (Some("one.example.net"), TYPE_CNAME, name("two.example.net").as_bytes().to_vec()),
            (Some("two.example.net"), TYPE_A, vec![10, 0, 0, 2]),
            (Some("other.example.net"), TYPE_A, vec![10, 0, 0, 3]),
            (Some("two.example.net"), TYPE_A, vec![10, 0, 0]),
        ],
    );
    assert!(is_answer(query.as_bytes(), &reply));
    let mut aliases = Vec::new();
    let last = follow(&reply, &www, |alias| aliases.push(text(alias)));
    assert_eq!((text(&last).as_str(), aliases.len()), ("two.example.net", 2));
    let mut found = Array::new();
    addresses(&reply, &last, &mut found).expect("memory");
    assert_eq!(&*found, [Ip::V4([10, 0, 0, 1]), Ip::V4([10, 0, 0, 2])]);
    // A loop of aliases ends.
    let reply = answer(
        query.as_bytes(),
        0,
        &[
            (None, TYPE_CNAME, name("a").as_bytes().to_vec()),
            (Some("a"), TYPE_CNAME, name("b").as_bytes().to_vec()),
            (Some("b"), TYPE_CNAME, name("a").as_bytes().to_vec()),
        ],
    );
    follow(&reply, &www, |_| {});
}

#[test]
fn answers_to_other_questions_do_not_count() {
    let query = Question::new(7, 0, &name("a.b"), TYPE_A, CLASS_IN);
    let query = query.as_bytes();
    let good = answer(query, 0, &[]);
    assert!(is_answer(query, &good));
    assert!(!is_answer(query, query), "not an answer");
    let other = |id, of: &str, kind| {
        let other = Question::new(id, 0, &name(of), kind, CLASS_IN);
        is_answer(query, &answer(other.as_bytes(), 0, &[]))
    };
    assert!(!other(8, "a.b", TYPE_A) && !other(7, "a.c", TYPE_A) && !other(7, "a.b", TYPE_AAAA));
    assert!(other(7, "A.B", TYPE_A));
    for cut in 0..good.len() {
        assert!(!is_answer(query, &good[..cut]));
    }
}

#[test]
fn reverse_names() {
    let reverse = |ip: Ip| text(&reverse_name(&ip).expect("a name"));
    assert_eq!(reverse(Ip::V4([10, 0, 2, 15])), "15.2.0.10.in-addr.arpa");
    let [loopback, _] = Ip::LOOPBACK;
    assert_eq!(reverse(loopback), format!("1.{}ip6.arpa", "0.".repeat(31)));
}

#[test]
fn resolv_conf() {
    let text = b"# made up\n;old\nnameserver 10.0.2.3\nnameserver fe80::1%wm0\nnameserver nonsense\n\
        search one.example two.example # three\noptions ndots:2 timeout:1 attempts:9 rotate unknown:3\n\
        nameserver 1.1.1.1\nnameserver 2.2.2.2\n";
    let config = Config::parse(text, b"host.dom.example", |name| (name == b"wm0").then_some(4));
    let hosts: Vec<Host> = config.servers().iter().map(|server| server.host).collect();
    assert_eq!((hosts.len(), hosts[0], hosts[1].scope), (3, Ip::V4([10, 0, 2, 3]).into(), 4));
    assert_eq!(config.domains().len(), 2);
    assert_eq!((config.dots, config.timeout_s, config.attempts, config.rotates), (2, 1, 5, true));
    let empty = Config::parse(b"", b"host.dom.example", |_| None);
    assert_eq!(empty.servers(), [Server { host: Ip::V4([127, 0, 0, 1]).into(), port: PORT }]);
    assert_eq!(super::tests::text(&empty.domains()[0]), "dom.example");
}

/// Servers that answer by number of the server and what is asked.
struct Made<F>(F, Vec<String>);

impl<F: Fn(u8, &str, bool, &[u8]) -> Option<Vec<u8>>> Made<F> {
    fn asked(&mut self, server: &Server, query: &[u8], reply: &mut Array<u8>, stream: bool) -> Heard {
        let Ip::V4([.., last]) = server.host.ip else { return Heard::Unreachable };
        let (name, _) = Name::read(query, HEADER_BYTES).expect("a question");
        self.1.push(format!("{last}:{}{}", text(&name), if stream { "+" } else { "" }));
        match (self.0)(last, &text(&name), stream, query) {
            None => Heard::Silence,
            Some(bytes) => {
                reply.extend(&bytes).expect("memory");
                Heard::Reply
            }
        }
    }
}

impl<F: Fn(u8, &str, bool, &[u8]) -> Option<Vec<u8>>> Wire for Made<F> {
    fn datagram(
        &mut self,
        server: &Server,
        query: &[u8],
        reply: &mut Array<u8>,
        _timeout_ms: u32,
        accepts: &dyn Fn(&[u8]) -> bool,
    ) -> Heard {
        let heard = self.asked(server, query, reply, false);
        if heard == Heard::Reply && !accepts(reply) { Heard::Silence } else { heard }
    }
    fn stream(&mut self, server: &Server, query: &[u8], reply: &mut Array<u8>, _timeout_ms: u32) -> Heard {
        self.asked(server, query, reply, true)
    }
    fn random(&mut self) -> u32 {
        0x1234
    }
}

fn two_servers() -> Config {
    Config::parse(b"nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch d1 d2\n", b"", |_| None)
}

fn one(query: &[u8]) -> Vec<u8> {
    answer(query, 0, &[(None, TYPE_A, vec![1, 2, 3, 4])])
}

#[test]
fn the_second_server_is_asked_where_the_first_is_silent_or_refuses() {
    for refusal in [None, Some(2), Some(5)] {
        let mut wire = Made(
            |server, _: &str, _, query: &[u8]| match server {
                1 => refusal.map(|code| answer(query, code, &[])),
                _ => Some(one(query)),
            },
            vec![],
        );
        let mut reply = Array::new();
        assert_eq!(ask(&two_servers(), &mut wire, &name("a"), TYPE_A, CLASS_IN, &mut reply), Ok(()));
        assert_eq!(wire.1, ["1:a", "2:a"]);
    }
}

#[test]
fn silence_is_asked_twice_and_a_refusal_once() {
    let mut silent = Made(|_, _: &str, _, _: &[u8]| None, vec![]);
    let result = ask(&two_servers(), &mut silent, &name("a"), TYPE_A, CLASS_IN, &mut Array::new());
    assert_eq!((result, silent.1.len()), (Err(Failure::Silence), 4));
    for (code, failure) in
        [(2, Failure::TryAgain), (3, Failure::NotFound), (5, Failure::NoRecovery), (0, Failure::NoData)]
    {
        let mut wire = Made(|_, _: &str, _, query: &[u8]| Some(answer(query, code, &[])), vec![]);
        let result = ask(&two_servers(), &mut wire, &name("a"), TYPE_A, CLASS_IN, &mut Array::new());
        assert_eq!((result, wire.1.len()), (Err(failure), if matches!(code, 0 | 3) { 1 } else { 2 }));
    }
}

#[test]
fn a_cut_answer_is_fetched_through_a_connection() {
    let mut wire = Made(
        |_, _: &str, stream, query: &[u8]| {
            let mut reply = if stream { one(query) } else { answer(query, 0, &[]) };
            if !stream {
                reply[2] |= 2;
            }
            Some(reply)
        },
        vec![],
    );
    let mut reply = Array::new();
    let mut config = two_servers();
    assert_eq!(ask(&config, &mut wire, &name("a"), TYPE_A, CLASS_IN, &mut reply), Ok(()));
    assert_eq!(
        (wire.1.as_slice(), answer_count(&reply)),
        (["1:a".to_owned(), "1:a+".to_owned()].as_slice(), 1)
    );
    config.carrier = Carrier::Stream;
    wire.1.clear();
    assert_eq!(ask(&config, &mut wire, &name("a"), TYPE_A, CLASS_IN, &mut reply), Ok(()));
    assert_eq!(wire.1, ["1:a+"]);
}

#[test]
fn domains_are_searched() {
    let order = |given: &str, dots: u32| {
        let mut config = two_servers();
        config.dots = dots;
        let mut wire = Made(|_, _: &str, _, query: &[u8]| Some(answer(query, 3, &[])), vec![]);
        let result = search(&config, given.as_bytes(), |name| {
            ask(&config, &mut wire, name, TYPE_A, CLASS_IN, &mut Array::new())
        });
        assert_eq!(result, Err(Failure::NotFound));
        wire.1.join(" ").replace("1:", "")
    };
    assert_eq!(order("h", 1), "h.d1 h.d2 h");
    assert_eq!(order("h.x", 1), "h.x h.x.d1 h.x.d2");
    assert_eq!(order("h.x", 2), "h.x.d1 h.x.d2 h.x");
    assert_eq!(order("h.", 1), "h");
    assert_eq!(search(&two_servers(), b"a..b", |_| Ok(())), Err(Failure::NotFound));
}

proptest! {
    #[test]
    fn no_message_hurts(bytes in proptest::collection::vec(any::<u8>(), 0..600), counts: [u8; 4]) {
        let mut bytes = bytes;
        if bytes.len() > 12 {
            // Few records, so that there is something behind the header.
            bytes[4..12].copy_from_slice(&[0, counts[0] % 3, 0, counts[1] % 8, 0, counts[2] % 4, 0, counts[3] % 4]);
        }
        let seen = answers(&bytes).count();
        prop_assert!(seen <= usize::from(answer_count(&bytes)));
        let mut found = Array::new();
        let last = follow(&bytes, &Name::ROOT, |_| {});
        prop_assert!(addresses(&bytes, &last, &mut found).is_ok());
        is_answer(&bytes, &bytes);
    }

    #[test]
    fn no_changed_answer_hurts(changes in proptest::collection::vec((0..120_usize, any::<u8>()), 0..12), cut in 0..130_usize) {
        let asked = name("www.example.com");
        let query = Question::new(7, 0, &asked, TYPE_A, CLASS_IN);
        let mut reply = answer(query.as_bytes(), 0, &[
            (None, TYPE_CNAME, vec![1, b'x', 0xc0, 16]),
            (Some("x.example.com"), TYPE_A, vec![10, 0, 0, 1]),
            (Some("x.example.com"), TYPE_AAAA, vec![1; 16]),
        ]);
        for (at, byte) in changes {
            if let Some(place) = reply.get_mut(at) {
                *place = byte;
            }
        }
        reply.truncate(cut);
        let mut found = Array::new();
        let last = follow(&reply, &asked, |_| {});
        prop_assert!(addresses(&reply, &last, &mut found).is_ok() && found.len() <= 3);
        is_answer(query.as_bytes(), &reply);
    }

    #[test]
    fn names_come_back(labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 1..10)) {
        let mut bytes: Vec<u8> = labels.iter().flat_map(|label| [&[label.len() as u8], label.as_slice()].concat()).collect();
        bytes.push(0);
        let (found, end) = Name::read(&bytes, 0).expect("a name");
        prop_assert_eq!(end, bytes.len());
        let again = Name::from_text(found.text(b".").as_bytes()).expect("its own text");
        prop_assert_eq!(again.as_bytes(), bytes.as_slice());
    }
}
