//! How names are looked up: resolv.conf(5).

use super::name::Name;
use crate::database::{number, words};
use crate::net::address::{Host, Ip};
use crate::net::numeric::parse_v4;
use core::ffi::CStr;

/// Where the file is.
pub(crate) const PATH: &CStr = c"/etc/resolv.conf";
/// MAXNS of resolv.h.
pub(crate) const SERVER_LIMIT: usize = 3;
/// MAXDNSRCH of resolv.h.
pub(crate) const DOMAIN_LIMIT: usize = 6;
/// The name servers' port.
pub(crate) const PORT: u16 = 53;

/// A name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// Its address.
    pub(crate) host: Host,
    /// Its port.
    pub(crate) port: u16,
}

/// Over what a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// UDP; TCP where the answer is cut.
    Datagrams,
    /// UDP, even where the answer is cut.
    DatagramsOnly,
    /// TCP.
    Stream,
}

/// Where and how to ask.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    servers: [Server; SERVER_LIMIT],
    server_count: usize,
    domains: [Name; DOMAIN_LIMIT],
    domain_count: usize,
    /// A name with fewer dots is first looked for in the domains.
    pub(crate) dots: u32,
    /// How long to wait for the first answer.
    pub(crate) timeout_s: u32,
    /// How often each server is asked.
    pub(crate) attempts: u32,
    /// Whether the servers take turns.
    pub(crate) rotates: bool,
    /// Over what.
    pub(crate) carrier: Carrier,
}

impl Config {
    /// Without a file: the server on this host, and no domain.
    pub(crate) const DEFAULT: Self = Self {
        servers: [Server { host: Host { ip: Ip::V4([127, 0, 0, 1]), scope: 0 }, port: PORT }; SERVER_LIMIT],
        server_count: 1,
        domains: [Name::ROOT; DOMAIN_LIMIT],
        domain_count: 0,
        dots: 1,
        timeout_s: 5,
        attempts: 2,
        rotates: false,
        carrier: Carrier::Datagrams,
    };

    /// The name servers.
    pub(crate) fn servers(&self) -> &[Server] {
        self.servers.get(..self.server_count).unwrap_or_default()
    }

    /// The domains to search.
    pub(crate) fn domains(&self) -> &[Name] {
        self.domains.get(..self.domain_count).unwrap_or_default()
    }

    /// Forgets the servers.
    pub(crate) fn clear_servers(&mut self) {
        self.server_count = 0;
    }

    /// Adds a server, where there is room.
    pub(crate) fn add_server(&mut self, server: Server) {
        if let Some(place) = self.servers.get_mut(self.server_count) {
            *place = server;
            self.server_count += 1;
        }
    }

    /// Puts other domains in the place of those to search.
    pub(crate) fn set_domains<'a>(&mut self, domains: impl Iterator<Item = &'a [u8]>) {
        self.domain_count = 0;
        for (place, name) in self.domains.iter_mut().zip(domains.filter_map(Name::from_text)) {
            *place = name;
            self.domain_count += 1;
        }
    }

    /// Reads the words of a line `options`, or of RES_OPTIONS.
    pub(crate) fn set_options<'a>(&mut self, options: impl Iterator<Item = &'a [u8]>) {
        for option in options {
            let mut parts = option.splitn(2, |&byte| byte == b':');
            let (name, value) = (parts.next().unwrap_or_default(), parts.next().and_then(number));
            match (name, value) {
                (b"ndots", Some(value)) => self.dots = value.min(15),
                (b"timeout", Some(value)) => self.timeout_s = value.clamp(1, 30),
                (b"attempts", Some(value)) => self.attempts = value.clamp(1, 5),
                (b"rotate", None) => self.rotates = true,
                (b"use-vc" | b"usevc", None) => self.carrier = Carrier::Stream,
                _ => {}
            }
        }
    }

    /// Reads the file's text. A host whose name has dots is in a domain, which is searched where the file names none.
    pub(crate) fn parse(text: &[u8], hostname: &[u8], index_of: impl Fn(&[u8]) -> Option<u32>) -> Self {
        let mut config = Self::DEFAULT;
        config.server_count = 0;
        let dot = hostname.iter().position(|&byte| byte == b'.');
        if let Some(domain) = dot.and_then(|dot| hostname.get(dot + 1..)) {
            config.set_domains([domain].into_iter());
        }
        for line in text.split(|&byte| byte == b'\n') {
            if line.first() == Some(&b';') {
                continue;
            }
            let mut words = words(line);
            match words.next() {
                Some(b"nameserver") => {
                    let host = words.next().and_then(|text| Host::parse(text, parse_v4, &index_of));
                    if let Some(host) = host {
                        config.add_server(Server { host, port: PORT });
                    }
                }
                Some(b"domain") => config.set_domains(words.take(1)),
                Some(b"search") => config.set_domains(words),
                Some(b"options") => config.set_options(words),
                _ => {}
            }
        }
        if config.server_count == 0 {
            config.server_count = 1;
        }
        config
    }
}
