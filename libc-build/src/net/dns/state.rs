//! `struct __res_state` (resolv.h): how names are looked up, where programs can see and change it.
//!
//! The structure holds IPv4 servers only; all servers, of either version, are behind `extension` as well, in the same order. A program that changes
//! the list in the structure means its own servers.

use super::config::{Carrier, Config, DOMAIN_LIMIT, PORT, SERVER_LIMIT, Server};
use crate::net::address::SocketAddress;
use crate::net::buffer::put;
use crate::net::resolve::configuration;
use crate::stdlib::heap::{calloc, free};
use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr::null_mut;
use rump_abi::types::{SockaddrIn, SockaddrIn6};

/// The state was filled in.
pub(crate) const RES_INIT: c_ulong = 0x1;
/// Over TCP.
const RES_USEVC: c_ulong = 0x8;
/// A cut answer is good enough.
const RES_IGNTC: c_ulong = 0x20;
/// Servers are to ask others.
const RES_RECURSE: c_ulong = 0x40;
/// A name without dots is in the own domain.
pub(crate) const RES_DEFNAMES: c_ulong = 0x80;
/// A name may be in the domains.
pub(crate) const RES_DNSRCH: c_ulong = 0x200;
/// Servers take turns.
const RES_ROTATE: c_ulong = 0x4000;
/// No other names are tried for IPv6 addresses.
const RES_NO_NIBBLE2: c_ulong = 0x8000_0000;

/// A socket address with room for any.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct AnyAddress {
    address: SocketAddress,
    spare: [u8; 100],
}

const _: () = assert!(size_of::<AnyAddress>() == 128);

impl AnyAddress {
    const NONE: Self = Self { address: SocketAddress { v6: SockaddrIn6::ZERO }, spare: [0; 100] };

    fn of(server: &Server) -> Self {
        Self { address: SocketAddress::new(server.host, server.port).0, spare: [0; 100] }
    }

    fn server(&self) -> Option<Server> {
        // SAFETY: the whole structure is there, and any bytes are a value of each member.
        let (host, port) = unsafe { SocketAddress::read(&raw const self.address.any, size_of::<Self>())? };
        Some(Server { host, port: if port == 0 { PORT } else { port } })
    }
}

/// All servers.
type Extension = [AnyAddress; SERVER_LIMIT];

/// `struct __res_state`.
#[repr(C)]
pub struct State {
    timeout_s: c_int,
    attempts: c_int,
    pub(crate) options: c_ulong,
    server_count: c_int,
    servers: [SockaddrIn; SERVER_LIMIT],
    id: u16,
    domains: [*mut c_char; DOMAIN_LIMIT + 1],
    domain_text: [c_char; 256],
    print: c_ulong,
    /// `ndots` in the low four bits, `nsort` in the others.
    dots_and_sort: u8,
    unused: [u8; 3],
    sort: [[u32; 2]; 10],
    query_hook: *mut c_void,
    reply_hook: *mut c_void,
    pub(crate) error: c_int,
    socket: c_int,
    flags: c_uint,
    pad: c_uint,
    server_state: [u32; 6],
    extension: *mut Extension,
    random: *mut c_void,
}

const _: () = assert!(size_of::<State>() == 552);
const _: () =
    assert!(core::mem::offset_of!(State, domains) == 72 && core::mem::offset_of!(State, sort) == 396);
const _: () =
    assert!(core::mem::offset_of!(State, error) == 496 && core::mem::offset_of!(State, random) == 544);

impl State {
    /// Not filled in.
    pub(crate) const NEW: Self = Self {
        timeout_s: 0,
        attempts: 0,
        options: 0,
        server_count: 0,
        servers: [SockaddrIn::ZERO; SERVER_LIMIT],
        id: 0,
        domains: [null_mut(); DOMAIN_LIMIT + 1],
        domain_text: [0; 256],
        print: 0,
        dots_and_sort: 0,
        unused: [0; 3],
        sort: [[0; 2]; 10],
        query_hook: null_mut(),
        reply_hook: null_mut(),
        error: 0,
        socket: -1,
        flags: 0,
        pad: 0,
        server_state: [0; 6],
        extension: null_mut(),
        random: null_mut(),
    };

    /// Fills the state in from a configuration.
    fn fill(&mut self, config: &Config) {
        *self = Self::NEW;
        self.options = RES_INIT | RES_RECURSE | RES_DEFNAMES | RES_DNSRCH | RES_NO_NIBBLE2;
        if config.rotates {
            self.options |= RES_ROTATE;
        }
        if config.carrier == Carrier::Stream {
            self.options |= RES_USEVC;
        }
        self.timeout_s = config.timeout_s.cast_signed();
        self.attempts = config.attempts.cast_signed();
        self.dots_and_sort = (config.dots & 0x0f) as u8;
        self.set_servers(config.servers());
        let mut used = 0;
        for (place, domain) in self.domains.iter_mut().zip(config.domains()) {
            let text = domain.text(b"");
            let Some(room) = self.domain_text.get_mut(used..) else { break };
            // SAFETY: the room with its size.
            if !unsafe { put(text.as_bytes(), room.as_mut_ptr(), room.len()) } {
                break;
            }
            *place = room.as_mut_ptr();
            used += text.as_bytes().len() + 1;
        }
    }

    /// Puts other servers in the place of those that are there.
    pub(crate) fn set_servers(&mut self, servers: &[Server]) {
        if self.extension.is_null() {
            // SAFETY: any size may be asked for. Without memory there are the IPv4 servers only.
            self.extension = unsafe { calloc(1, size_of::<Extension>()) }.cast();
        }
        self.server_count = 0;
        self.servers = [SockaddrIn::ZERO; SERVER_LIMIT];
        for (index, (server, place)) in servers.iter().zip(&mut self.servers).enumerate() {
            let any = AnyAddress::of(server);
            if server.host.ip.family() == rump_abi::socket::AF_INET {
                // SAFETY: it holds an IPv4 address.
                *place = unsafe { any.address.v4 };
            }
            // SAFETY: null, or a block of this size.
            if let Some(slot) = unsafe { self.extension.as_mut() }.and_then(|all| all.get_mut(index)) {
                *slot = any;
            }
            self.server_count += 1;
        }
    }

    /// The servers.
    pub(crate) fn servers(&self) -> impl Iterator<Item = Server> {
        let count = usize::try_from(self.server_count).unwrap_or(0);
        self.servers.iter().enumerate().take(count).filter_map(|(index, v4)| {
            let own = AnyAddress { address: SocketAddress { v4: *v4 }, ..AnyAddress::NONE };
            // SAFETY: null, or a block of this size.
            let all = unsafe { self.extension.as_ref() };
            own.server().or_else(|| all?.get(index)?.server())
        })
    }

    /// The configuration that the state stands for.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::DEFAULT;
        config.clear_servers();
        for server in self.servers() {
            config.add_server(server);
        }
        let count = self.domains.iter().position(|domain| domain.is_null()).unwrap_or(0);
        // SAFETY: C strings, up to a null pointer.
        config.set_domains(
            self.domains.iter().take(count).map(|&domain| unsafe { CStr::from_ptr(domain) }.to_bytes()),
        );
        config.dots = (self.dots_and_sort & 0x0f).into();
        config.timeout_s = u32::try_from(self.timeout_s).unwrap_or(0).clamp(1, 300);
        config.attempts = u32::try_from(self.attempts).unwrap_or(0).clamp(1, 10);
        config.rotates = self.options & RES_ROTATE != 0;
        config.carrier = match self.options {
            options if options & RES_USEVC != 0 => Carrier::Stream,
            options if options & RES_IGNTC != 0 => Carrier::DatagramsOnly,
            _ => Carrier::Datagrams,
        };
        config
    }

    /// Frees what the state has besides itself.
    fn clear(&mut self) {
        // SAFETY: null or a block, which nobody has any more.
        unsafe { free(self.extension.cast()) };
        self.extension = null_mut();
        self.options &= !RES_INIT;
    }
}

/// Fills a state in from resolv.conf(5).
///
/// # Safety
/// `state` points to memory for a state, which was zero or filled in before.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_ninit(state: *mut State) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        if (*state).options & RES_INIT != 0 {
            (*state).clear();
        }
        (*state).fill(&configuration());
    }
    0
}

/// Frees what belongs to a state; no connection is kept open.
///
/// # Safety
/// `state` points to a state.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_ndestroy(state: *mut State) {
    // SAFETY: as this function's own.
    unsafe { (*state).clear() }
}

/// As `__res_ndestroy`.
///
/// # Safety
/// `state` points to a state.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_nclose(state: *mut State) {
    // SAFETY: as this function's own.
    unsafe { (*state).clear() }
}

/// Writes up to `count` servers out; returns how many there are.
///
/// # Safety
/// `state` points to a state, `servers` has `count` elements.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_getservers(
    state: *const State,
    servers: *mut AnyAddress,
    count: c_int,
) -> c_int {
    let room = usize::try_from(count).unwrap_or(0);
    // SAFETY: as this function's own.
    unsafe {
        for (index, server) in (*state).servers().take(room).enumerate() {
            servers.add(index).write(AnyAddress::of(&server));
        }
        (*state).server_count
    }
}

/// Puts other servers in the place of those that are there.
///
/// # Safety
/// `state` points to a state, `servers` has `count` elements.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn __res_setservers(state: *mut State, servers: *const AnyAddress, count: c_int) {
    let mut config = Config::DEFAULT;
    config.clear_servers();
    // SAFETY: as this function's own.
    unsafe {
        for index in 0..usize::try_from(count).unwrap_or(0) {
            if let Some(server) = (*servers.add(index)).server() {
                config.add_server(server);
            }
        }
        (*state).set_servers(config.servers());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_survives_the_structure() {
        let text = b"nameserver 10.0.2.3\nnameserver 2001:db8::53\nsearch one.example two.example\n\
            options ndots:3 timeout:2 attempts:4 rotate\n";
        let config = Config::parse(text, b"", |_| None);
        let mut state = State::NEW;
        state.fill(&config);
        let back = state.config();
        assert_eq!(back.servers(), config.servers());
        assert_eq!(back.domains().len(), 2);
        assert!(back.domains().iter().zip(config.domains()).all(|(left, right)| left.is_same(right)));
        assert_eq!((back.dots, back.timeout_s, back.attempts, back.rotates), (3, 2, 4, true));
        state.options |= RES_IGNTC;
        assert_eq!(state.config().carrier, Carrier::DatagramsOnly);
        let mut servers = [AnyAddress::NONE; 2];
        // SAFETY: a state, and as many elements as is said.
        unsafe {
            assert_eq!(__res_getservers(&raw const state, servers.as_mut_ptr(), 2), 2);
            servers.swap(0, 1);
            __res_setservers(&raw mut state, servers.as_ptr(), 2);
            assert_eq!(state.config().servers().first(), config.servers().last());
            __res_ndestroy(&raw mut state);
        }
    }
}
