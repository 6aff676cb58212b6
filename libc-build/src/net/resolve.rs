//! The whole way from a name to its addresses, with the files and the servers of this machine.

use super::address::{Host, Ip};
use super::dns::config::{self, Config};
use super::dns::query::Failure;
use super::kernel::{Network, index_of};
use super::lookup::{
    Families, Found, HOSTS_BUILTIN, HOSTS_PATH, address_in_dns, address_in_hosts, in_dns, in_hosts,
    is_localhost,
};
use crate::database::text;
use crate::string::scan::strlen;
use core::ffi::{CStr, c_char};

/// How this machine looks names up: resolv.conf(5), LOCALDOMAIN and RES_OPTIONS.
pub(crate) fn configuration() -> Config {
    let file = text(config::PATH, b"");
    let hostname = hostname();
    // SAFETY: the name has its end.
    let length = unsafe { strlen(hostname.as_ptr().cast()) };
    let mut config = Config::parse(&file, hostname.get(..length).unwrap_or_default(), index_of);
    // SAFETY: C strings; the environment's strings stay while this looks at them, as for any getenv(3).
    unsafe {
        let domains = variable(c"LOCALDOMAIN");
        if !domains.is_empty() {
            config.set_domains(crate::database::words(domains));
        }
        config.set_options(crate::database::words(variable(c"RES_OPTIONS")));
    }
    config
}

/// A variable of the environment; nothing where it is not set.
///
/// # Safety
/// Nobody changes the environment while the result is used.
unsafe fn variable<'a>(name: &CStr) -> &'a [u8] {
    // SAFETY: a C string; as this function's own.
    unsafe {
        let value: *const c_char = crate::env::getenv(name.as_ptr());
        if value.is_null() { b"" } else { CStr::from_ptr(value).to_bytes() }
    }
}

#[cfg(not(test))]
fn hostname() -> [u8; 256] {
    let mut name = [0; 256];
    // SAFETY: the memory without its last byte, which stays an end.
    unsafe { crate::sysctl::gethostname(name.as_mut_ptr().cast(), 255) };
    name
}

#[cfg(test)]
fn hostname() -> [u8; 256] {
    [0; 256]
}

/// The addresses of a name.
pub(crate) fn by_name(name: &[u8], families: Families, found: &mut Found) -> Result<(), Failure> {
    let hosts = text(HOSTS_PATH, HOSTS_BUILTIN);
    match in_hosts(&hosts, name, families, index_of, found) {
        Err(Failure::NotFound) => {}
        known => return known,
    }
    if is_localhost(name) {
        return in_hosts(HOSTS_BUILTIN, b"localhost", families, index_of, found);
    }
    in_dns(&configuration(), &mut Network, name, families, found)
}

/// The name of an address.
pub(crate) fn by_address(address: &Host, found: &mut Found) -> Result<(), Failure> {
    let hosts = text(HOSTS_PATH, HOSTS_BUILTIN);
    match address_in_hosts(&hosts, address, index_of, found) {
        Err(Failure::NotFound) => {}
        known => return known,
    }
    let is_local = address.ip.is_link_local()
        || matches!(address.ip, Ip::V4([127, ..]))
        || Ip::LOOPBACK.contains(&address.ip);
    if is_local {
        return address_in_hosts(HOSTS_BUILTIN, address, index_of, found);
    }
    address_in_dns(&configuration(), &mut Network, address, found)
}
