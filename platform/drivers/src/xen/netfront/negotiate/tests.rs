//! Negotiations over a store that says what it should, or anything else.

extern crate std;

use std::string::String;
use std::vec::Vec;
use std::{format, vec};

use super::{Offer, Refusal, State, accept, backend_state, closed, devices, mac, offer};
use crate::xen::grant::GrantRef;
use crate::xen::netfront::RingGrants;
use crate::xen::store::Store;
use crate::xen::store::tests::{store, with_server};

const BACKEND: &str = "/local/domain/7/backend/vif/1/0";

fn put(path: &str, value: &[u8]) {
    with_server(|server| server.tree.insert(path.into(), value.to_vec()));
}

fn get(path: &str) -> Option<Vec<u8>> {
    with_server(|server| server.tree.get(path).cloned())
}

/// What the tool stack and a back end write.
fn usual() -> Store {
    let store = store();
    for (name, value) in
        [("backend", BACKEND), ("backend-id", "7"), ("mac", "00:16:3E:01:02:fd"), ("state", "1")]
    {
        put(&format!("device/vif/0/{name}"), value.as_bytes());
    }
    for name in ["rx-copy", "sg", "gso-tcpv4", "ipv6-csum-offload"] {
        put(&format!("{BACKEND}/feature-{name}"), b"1");
    }
    put(&format!("{BACKEND}/state"), b"2");
    store
}

#[test]
fn an_offer_is_read_and_accepted() {
    let mut store = usual();
    let offer = offer(&mut store, 0).unwrap();
    let wanted = Offer {
        device: "device/vif/0".into(),
        backend: BACKEND.into(),
        domain: 7,
        mac: [0, 0x16, 0x3e, 1, 2, 0xfd],
        mtu: 1500,
        checksum: true,
        tso4: true,
        tso6: false,
    };
    assert_eq!(offer, wanted);
    assert_eq!(backend_state(&mut store, BACKEND), Some(State::InitWait));
    accept(&mut store, &offer, RingGrants { transmit: GrantRef(9), receive: GrantRef(11) }, 4).unwrap();
    assert_eq!(get("device/vif/0/rx-ring-ref"), Some(b"11".to_vec()));
    assert_eq!(get("device/vif/0/state"), Some(b"4".to_vec()));
    closed(&mut store, &offer);
    assert_eq!(get("device/vif/0/state"), Some(b"6".to_vec()));
    // What the tool stack has taken away is not made anew.
    with_server(|server| server.tree.clear());
    closed(&mut store, &offer);
    assert_eq!(get("device/vif/0/state"), None);
}

#[test]
fn another_back_end_has_to_offer_as_much() {
    let mut store = usual();
    let before = offer(&mut store, 0).unwrap();
    assert!(before.is_no_less_than(&before));
    put("device/vif/0/mtu", b"9000");
    let larger = offer(&mut store, 0).unwrap();
    assert!(larger.is_no_less_than(&before) && !before.is_no_less_than(&larger));
    put(&format!("{BACKEND}/feature-gso-tcpv4"), b"0");
    assert!(!offer(&mut store, 0).unwrap().is_no_less_than(&before));
}

#[test]
fn values_that_are_missing_long_or_garbage_are_refused_or_bounded() {
    let long = vec![b'1'; 3000];
    let garbage: [&[u8]; 7] = [b"", b"\0", b"-1", b"+1", b"\xff\xfe", b"99999999999999999999", &long];
    let needed = [
        ("device/vif/0/backend", Refusal::NoCopy),
        ("device/vif/0/backend-id", Refusal::Says("back end's domain")),
        ("device/vif/0/mac", Refusal::Says("Ethernet address")),
        ("/local/domain/7/backend/vif/1/0/feature-rx-copy", Refusal::NoCopy),
        ("/local/domain/7/backend/vif/1/0/feature-sg", Refusal::NoGather),
    ];
    for (path, refusal) in needed {
        for value in garbage {
            let mut store = usual();
            put(path, value);
            match offer(&mut store, 0) {
                Ok(offer) => assert_eq!((path, offer.domain), ("device/vif/0/backend-id", 1), "{value:?}"),
                Err(why) if path.ends_with("/backend") => {
                    assert!(why == refusal || why == Refusal::Says("back end"), "{why:?}");
                }
                Err(why) => assert_eq!(why, refusal, "{value:?}"),
            }
        }
        let mut store = usual();
        with_server(|server| server.tree.remove(path));
        assert!(offer(&mut store, 0).is_err(), "{path}");
    }
    for (value, mtu) in [("0", 68), ("65535", 65_521), ("70000", 1500), ("-5", 1500), ("many", 1500)] {
        let mut store = usual();
        put(&format!("{BACKEND}/mtu"), value.as_bytes());
        assert_eq!(offer(&mut store, 0).unwrap().mtu, mtu, "{value}");
    }
    for state in garbage {
        let mut store = usual();
        put(&format!("{BACKEND}/state"), state);
        assert_eq!(backend_state(&mut store, BACKEND), Some(State::Other));
    }
    let mut store = usual();
    with_server(|server| server.tree.clear());
    assert_eq!(backend_state(&mut store, BACKEND), Some(State::Gone));
    assert_eq!(backend_state(&mut store, &"long".repeat(2000)), None);
    let mut store = usual();
    for name in ["x", "-1", "4294967296", "007", "7"] {
        put(&format!("device/vif/{name}"), b"");
    }
    assert!(devices(&mut store).contains(&7) && devices(&mut store).len() <= 2);
}

#[test]
fn an_address_names_one_station() {
    assert_eq!(mac("00:16:3e:aA:00:ff"), Some([0, 0x16, 0x3e, 0xaa, 0, 0xff]));
    let wrong = [
        "",
        "00:16:3e:01:02",
        "00:16:3e:01:02:03:04",
        "00:16:3e:01:02:+3",
        "0:16:3e:1:2:3",
        "00-16-3e-01-02-03",
    ];
    let groups = ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:00:00:00:00"];
    for text in wrong.into_iter().chain(groups).map(String::from).chain([":".repeat(3000)]) {
        assert_eq!(mac(&text), None, "{text}");
    }
}
