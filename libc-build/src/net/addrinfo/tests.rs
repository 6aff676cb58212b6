//! What getaddrinfo(3) makes of hints, numbers and names of this host.

use super::*;
use std::ffi::CString;

/// The entries as text, or the error.
fn lookup(node: Option<&str>, service: Option<&str>, hints: Hints) -> Result<Vec<String>, c_int> {
    let text = |text: Option<&str>| text.map(|text| CString::new(text).expect("no NUL"));
    let (node, service) = (text(node), text(service));
    let pointer = |text: &Option<CString>| text.as_ref().map_or(core::ptr::null(), |text| text.as_ptr());
    let hints = Addrinfo {
        flags: hints.flags,
        family: hints.family,
        socket_type: hints.socket_type,
        protocol: hints.protocol,
        address_len: 0,
        canonical_name: null_mut(),
        address: null_mut(),
        next: null_mut(),
    };
    let (mut list, mut entries) = (null_mut(), Vec::new());
    // SAFETY: C strings or null, and hints; the list is freed once.
    unsafe {
        match getaddrinfo(pointer(&node), pointer(&service), &raw const hints, &raw mut list) {
            0 => {}
            error => return Err(error),
        }
        let mut at = list;
        while let Some(entry) = at.as_ref() {
            let (host, port) =
                SocketAddress::read(entry.address, entry.address_len as usize).expect("an address");
            let host = host.text(|_, _| false);
            let name = if entry.canonical_name.is_null() {
                String::new()
            } else {
                format!(" {}", CStr::from_ptr(entry.canonical_name).to_str().expect("ASCII"))
            };
            let kind = ["-", "tcp", "udp", "raw"][entry.socket_type as usize];
            entries.push(format!("{} {port} {kind}{name}", str::from_utf8(host.as_bytes()).expect("ASCII")));
            at = entry.next;
        }
        freeaddrinfo(list);
    }
    Ok(entries)
}

const STREAM: Hints = Hints { flags: 0, family: AF_UNSPEC, socket_type: SOCK_STREAM, protocol: 0 };

#[test]
fn numbers() {
    let all = lookup(Some("10.0.2.2"), Some("80"), Hints::default());
    assert_eq!(all, Ok(vec!["10.0.2.2 80 udp".to_owned(), "10.0.2.2 80 tcp".to_owned()]));
    assert_eq!(lookup(Some("127.1"), Some("http"), STREAM), Ok(vec!["127.0.0.1 80 tcp".to_owned()]));
    assert_eq!(lookup(Some("fe80::2%lo0"), None, STREAM), Ok(vec!["fe80::2%1 0 tcp".to_owned()]));
    let raw = Hints { socket_type: SOCK_RAW, protocol: 1, ..Hints::default() };
    assert_eq!(lookup(Some("::1"), None, raw), Ok(vec!["::1 0 raw".to_owned()]));
    let named = Hints { flags: AI_CANONNAME, ..STREAM };
    assert_eq!(lookup(Some("::1"), None, named), Ok(vec!["::1 0 tcp ::1".to_owned()]));
}

#[test]
fn no_node() {
    let passive = Hints { flags: AI_PASSIVE, ..STREAM };
    assert_eq!(
        lookup(None, Some("8080"), passive),
        Ok(vec![":: 8080 tcp".to_owned(), "0.0.0.0 8080 tcp".to_owned()])
    );
    let v4 = Hints { family: AF_INET, ..STREAM };
    assert_eq!(lookup(None, Some("https"), v4), Ok(vec!["127.0.0.1 443 tcp".to_owned()]));
}

#[test]
fn names_of_this_host() {
    let v4 = Hints { family: AF_INET, flags: AI_CANONNAME, ..STREAM };
    assert_eq!(lookup(Some("localhost"), Some("1"), v4), Ok(vec!["127.0.0.1 1 tcp localhost".to_owned()]));
    let configured = Hints { flags: AI_ADDRCONFIG, ..v4 };
    assert_eq!(lookup(Some("localhost"), Some("1"), configured).map(|list| list.len()), Ok(1));
    let nowhere = lookup(Some("no.such.name.invalid"), None, STREAM);
    assert_eq!(nowhere, Err(EAI_AGAIN), "no server answers");
}

#[test]
fn refusals() {
    let with = |hints| lookup(Some("127.0.0.1"), Some("80"), hints);
    assert_eq!(with(Hints { family: AF_INET6, ..STREAM }), Err(EAI_ADDRFAMILY));
    assert_eq!(with(Hints { family: 99, ..STREAM }), Err(EAI_FAMILY));
    assert_eq!(with(Hints { flags: 0x4000, ..STREAM }), Err(EAI_BADFLAGS));
    assert_eq!(with(Hints { socket_type: 77, ..STREAM }), Err(EAI_SOCKTYPE));
    assert_eq!(with(Hints { protocol: IPPROTO_UDP, ..STREAM }), Err(EAI_SOCKTYPE));
    assert_eq!(with(Hints { socket_type: SOCK_RAW, ..STREAM }), Err(EAI_SERVICE));
    assert_eq!(lookup(None, None, STREAM), Err(EAI_NONAME));
    assert_eq!(lookup(Some(""), None, STREAM), Err(EAI_NONAME));
    assert_eq!(lookup(None, Some("80"), Hints { flags: AI_CANONNAME, ..STREAM }), Err(EAI_BADFLAGS));
    assert_eq!(lookup(None, Some("no-such-service"), STREAM), Err(EAI_SERVICE));
    assert_eq!(lookup(None, Some("65536"), STREAM), Err(EAI_SERVICE));
    let numeric = Hints { flags: AI_NUMERICSERV, ..STREAM };
    assert_eq!(lookup(None, Some("http"), numeric), Err(EAI_NONAME));
    let numeric = Hints { flags: AI_NUMERICHOST, ..STREAM };
    assert_eq!(lookup(Some("localhost"), None, numeric), Err(EAI_NONAME));
}
