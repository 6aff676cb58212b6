//! Services and protocols: getservbyname(3), getprotobyname(3), from services(5) and protocols(5) or what is best known of them.

use crate::database::{Room, Shared, Table, find, number, words};
use core::ffi::{CStr, c_char, c_int};
use core::ptr::null_mut;

/// `struct servent`.
#[derive(Debug)]
#[repr(C)]
pub struct Servent {
    name: *mut c_char,
    aliases: *mut *mut c_char,
    /// In network order.
    port: c_int,
    protocol: *mut c_char,
}

/// `struct protoent`.
#[derive(Debug)]
#[repr(C)]
pub struct Protoent {
    name: *mut c_char,
    aliases: *mut *mut c_char,
    number: c_int,
}

/// A line of services(5): `name port/protocol alias ...`.
pub(crate) struct ServiceFields<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) port: u16,
    pub(crate) protocol: &'a [u8],
    line: &'a [u8],
}

impl ServiceFields<'_> {
    fn aliases(&self) -> impl Iterator<Item = &[u8]> + Clone {
        words(self.line).skip(2)
    }

    /// Whether it is a service of this name; every protocol where `protocol` is empty.
    pub(crate) fn is(&self, name: &[u8], protocol: &[u8]) -> bool {
        (protocol.is_empty() || self.protocol == protocol)
            && (self.name == name || self.aliases().any(|alias| alias == name))
    }
}

/// The database of services.
pub(crate) struct Services;

impl Table for Services {
    type Fields<'a> = ServiceFields<'a>;
    type Entry = Servent;
    const PATH: &'static CStr = c"/etc/services";
    const BUILTIN: &'static [u8] = b"echo 7/tcp\necho 7/udp\ndiscard 9/tcp sink null\ndiscard 9/udp sink null\n\
        daytime 13/tcp\ndaytime 13/udp\nftp-data 20/tcp\nftp 21/tcp\nssh 22/tcp\ntelnet 23/tcp\nsmtp 25/tcp mail\n\
        time 37/tcp timserver\ntime 37/udp timserver\ndomain 53/tcp\ndomain 53/udp\nbootps 67/udp\nbootpc 68/udp\n\
        tftp 69/udp\ngopher 70/tcp\nfinger 79/tcp\nhttp 80/tcp www www-http\nhttp 80/udp www www-http\n\
        kerberos 88/tcp\nkerberos 88/udp\npop3 110/tcp\nsunrpc 111/tcp rpcbind\nsunrpc 111/udp rpcbind\n\
        auth 113/tcp ident\nnntp 119/tcp\nntp 123/udp\nimap 143/tcp imap2\nsnmp 161/udp\nsnmptrap 162/udp\n\
        bgp 179/tcp\nirc 194/tcp\nldap 389/tcp\nldap 389/udp\nhttps 443/tcp\nhttps 443/udp\nsubmissions 465/tcp smtps\n\
        syslog 514/udp\nprinter 515/tcp\nsubmission 587/tcp\nldaps 636/tcp\nrsync 873/tcp\nimaps 993/tcp\n\
        pop3s 995/tcp\nsocks 1080/tcp\nnfs 2049/tcp nfsd\nnfs 2049/udp nfsd\nmysql 3306/tcp\npostgresql 5432/tcp\n\
        xmpp-client 5222/tcp\nmdns 5353/udp\nredis 6379/tcp\nhttp-alt 8080/tcp\n";

    fn parse(line: &[u8]) -> Option<ServiceFields<'_>> {
        let mut words = words(line);
        let name = words.next()?;
        let mut parts = words.next()?.splitn(2, |&byte| byte == b'/');
        let port = u16::try_from(number(parts.next()?)?).ok()?;
        Some(ServiceFields { name, port, protocol: parts.next()?, line })
    }

    fn write(fields: &ServiceFields<'_>, room: &mut Room) -> Option<Servent> {
        Some(Servent {
            aliases: room.strings(fields.aliases())?,
            name: room.string(fields.name)?,
            port: fields.port.to_be().into(),
            protocol: room.string(fields.protocol)?,
        })
    }
}

/// The port of a service, if it is known.
pub(crate) fn port(name: &[u8], protocol: &[u8]) -> Option<u16> {
    let text = crate::database::text(Services::PATH, Services::BUILTIN);
    let mut services = crate::database::lines(&text).filter_map(Services::parse);
    services.find(|service| service.is(name, protocol)).map(|service| service.port)
}

/// A line of protocols(5): `name number alias ...`.
pub(crate) struct ProtocolFields<'a> {
    name: &'a [u8],
    number: u32,
    line: &'a [u8],
}

impl ProtocolFields<'_> {
    fn aliases(&self) -> impl Iterator<Item = &[u8]> + Clone {
        words(self.line).skip(2)
    }

    fn is(&self, name: &[u8]) -> bool {
        self.name == name || self.aliases().any(|alias| alias == name)
    }
}

/// The database of protocols.
struct Protocols;

impl Table for Protocols {
    type Fields<'a> = ProtocolFields<'a>;
    type Entry = Protoent;
    const PATH: &'static CStr = c"/etc/protocols";
    const BUILTIN: &'static [u8] = b"ip 0 IP\nicmp 1 ICMP\nigmp 2 IGMP\nipencap 4 IP-ENCAP\ntcp 6 TCP\nudp 17 UDP\n\
        ipv6 41 IPv6\nipv6-route 43 IPv6-Route\nipv6-frag 44 IPv6-Frag\ngre 47 GRE\nesp 50 ESP\nah 51 AH\n\
        ipv6-icmp 58 IPv6-ICMP icmp6 ICMP6\nipv6-nonxt 59 IPv6-NoNxt\nipv6-opts 60 IPv6-Opts\npim 103 PIM\nsctp 132 SCTP\n";

    fn parse(line: &[u8]) -> Option<ProtocolFields<'_>> {
        let mut words = words(line);
        let (name, number) = (words.next()?, number(words.next()?)?);
        Some(ProtocolFields { name, number, line })
    }

    fn write(fields: &ProtocolFields<'_>, room: &mut Room) -> Option<Protoent> {
        Some(Protoent {
            aliases: room.strings(fields.aliases())?,
            name: room.string(fields.name)?,
            number: fields.number.cast_signed(),
        })
    }
}

static SERVICE: Shared<Services, 1024> = Shared::new();
static PROTOCOL: Shared<Protocols, 512> = Shared::new();

/// The bytes of a string; none for null.
///
/// # Safety
/// `string` is null or a C string.
unsafe fn bytes<'a>(string: *const c_char) -> &'a [u8] {
    // SAFETY: as this function's own.
    if string.is_null() { b"" } else { unsafe { CStr::from_ptr(string) }.to_bytes() }
}

/// A port as `struct servent` holds it, in host order.
fn host_order(port: c_int) -> u16 {
    u16::from_be(port as u16)
}

/// The service with this name, of any protocol where `protocol` is null.
///
/// # Safety
/// `name` is a C string, `protocol` one or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getservbyname(name: *const c_char, protocol: *const c_char) -> *mut Servent {
    // SAFETY: as this function's own.
    let (name, protocol) = unsafe { (bytes(name), bytes(protocol)) };
    SERVICE.find(|_, service| service.is(name, protocol))
}

/// The service at a port, of any protocol where `protocol` is null.
///
/// # Safety
/// `protocol` is a C string or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getservbyport(port: c_int, protocol: *const c_char) -> *mut Servent {
    // SAFETY: as this function's own.
    let (port, protocol) = (host_order(port), unsafe { bytes(protocol) });
    SERVICE.find(|_, service| service.port == port && (protocol.is_empty() || service.protocol == protocol))
}

/// The next service.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getservent() -> *mut Servent {
    SERVICE.next()
}

/// Goes back to the first service; no file is kept open, so there is nothing to keep.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setservent(_stay_open: c_int) {
    SERVICE.rewind();
}

/// Goes back to the first service.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn endservent() {
    SERVICE.rewind();
}

/// The protocol with this name.
///
/// # Safety
/// `name` is a C string.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getprotobyname(name: *const c_char) -> *mut Protoent {
    // SAFETY: as this function's own.
    let name = unsafe { bytes(name) };
    PROTOCOL.find(|_, protocol| protocol.is(name))
}

/// The protocol with this number.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getprotobynumber(number: c_int) -> *mut Protoent {
    PROTOCOL.find(|_, protocol| protocol.number == number.cast_unsigned())
}

/// The protocol with this name, in the caller's memory; null where there is none or no room.
///
/// # Safety
/// `name` is a C string, `target` is writable, `buffer` has `size` bytes.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn getprotobyname_r(
    name: *const c_char,
    target: *mut Protoent,
    buffer: *mut c_char,
    size: usize,
) -> *mut Protoent {
    let mut found = null_mut();
    // SAFETY: as this function's own.
    unsafe {
        let name = bytes(name);
        find::<Protocols>(|_, protocol| protocol.is(name), target, buffer, size, &raw mut found);
    }
    found
}

/// The next protocol.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn getprotoent() -> *mut Protoent {
    PROTOCOL.next()
}

/// Goes back to the first protocol; no file is kept open, so there is nothing to keep.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn setprotoent(_stay_open: c_int) {
    PROTOCOL.rewind();
}

/// Goes back to the first protocol.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn endprotoent() {
    PROTOCOL.rewind();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::lines;

    #[test]
    fn every_line_of_the_built_in_tables_is_one() {
        for table in [Services::BUILTIN, Protocols::BUILTIN] {
            assert!(table.is_ascii() && table.ends_with(b"\n"));
        }
        let services = lines(Services::BUILTIN).filter(|line| Services::parse(line).is_some()).count();
        assert_eq!(services, lines(Services::BUILTIN).count());
        let protocols = lines(Protocols::BUILTIN).filter(|line| Protocols::parse(line).is_some()).count();
        assert_eq!(protocols, lines(Protocols::BUILTIN).count());
    }

    #[test]
    fn names_aliases_and_ports() {
        let service = Services::parse(b"http\t80/tcp\twww web # all of it").expect("a service");
        assert!(service.is(b"web", b"tcp") && service.is(b"http", b"") && !service.is(b"www", b"udp"));
        assert!(Services::parse(b"http 80").is_none() && Services::parse(b"http 70000/tcp").is_none());
        // SAFETY: C strings; what is found stays until the next lookup.
        unsafe {
            let found = getservbyname(c"domain".as_ptr(), c"udp".as_ptr());
            assert_eq!(host_order((*found).port), 53);
            assert_eq!(CStr::from_ptr((*found).protocol), c"udp");
            let found = getservbyport(443_u16.to_be().into(), core::ptr::null());
            assert_eq!(CStr::from_ptr((*found).name), c"https");
            let found = getprotobyname(c"TCP".as_ptr());
            assert_eq!(((*found).number, CStr::from_ptr((*found).name)), (6, c"tcp"));
            assert_eq!(CStr::from_ptr((*getprotobynumber(17)).name), c"udp");
            assert!(getservbyname(c"no such service".as_ptr(), core::ptr::null()).is_null());
        }
    }
}
