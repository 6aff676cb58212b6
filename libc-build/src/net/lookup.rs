//! From names to addresses and back: hosts(5) first, then the name servers.

use super::address::{Host, Ip};
use super::dns::config::Config;
use super::dns::message::{CLASS_IN, TYPE_A, TYPE_AAAA, TYPE_PTR, addresses, answers, follow, reverse_name};
use super::dns::name::{Name, NameText};
use super::dns::query::{Failure, Wire, ask, search};
use super::numeric::parse_v4;
use crate::database::{lines, words};
use crate::stdlib::array::{Array, NoMemory};
use core::ffi::CStr;

/// Where hosts(5) is.
pub(crate) const HOSTS_PATH: &CStr = c"/etc/hosts";
/// What is known without it (RFC 6761, 6.3).
pub(crate) const HOSTS_BUILTIN: &[u8] = b"::1 localhost\n127.0.0.1 localhost\n";

/// Which addresses are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Families {
    /// IPv4.
    pub(crate) v4: bool,
    /// IPv6.
    pub(crate) v6: bool,
}

impl Families {
    fn has(self, ip: &Ip) -> bool {
        match ip {
            Ip::V4(_) => self.v4,
            Ip::V6(_) => self.v6,
        }
    }
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The addresses.
    pub(crate) addresses: Array<Host>,
    /// The name of which the others are aliases.
    pub(crate) name: NameText,
    /// The aliases, each with a zero behind it.
    pub(crate) aliases: Array<u8>,
}

impl Found {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self { addresses: Array::new(), name: NameText::new(), aliases: Array::new() }
    }

    /// The aliases.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.aliases.split(|&byte| byte == 0).filter(|alias| !alias.is_empty())
    }

    fn add_alias(&mut self, alias: &[u8]) -> Result<(), NoMemory> {
        self.aliases.extend(alias)?;
        self.aliases.push(0)
    }
}

impl From<NoMemory> for Failure {
    fn from(_: NoMemory) -> Self {
        crate::errno::set(crate::errno::ENOMEM);
        Self::Internal
    }
}

/// A line of hosts(5): an address and the names that it has.
pub(crate) fn hosts_line(
    line: &[u8],
    index_of: impl FnOnce(&[u8]) -> Option<u32>,
) -> Option<(Host, impl Iterator<Item = &[u8]> + Clone)> {
    let mut words = words(line);
    let host = Host::parse(words.next()?, parse_v4, index_of)?;
    words.clone().next()?;
    Some((host, words))
}

/// Looks a name up in the text of hosts(5).
pub(crate) fn in_hosts(
    text: &[u8],
    name: &[u8],
    families: Families,
    index_of: impl Fn(&[u8]) -> Option<u32>,
    found: &mut Found,
) -> Result<(), Failure> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut is_known = false;
    for (host, mut names) in lines(text).filter_map(|line| hosts_line(line, &index_of)) {
        if !names.clone().any(|other| other.eq_ignore_ascii_case(name)) {
            continue;
        }
        is_known = true;
        if !families.has(&host.ip) {
            continue;
        }
        if found.addresses.is_empty() {
            found.name.extend(names.next().unwrap_or_default());
        }
        for alias in names {
            if alias != found.name.as_bytes() && !found.aliases().any(|other| other == alias) {
                found.add_alias(alias)?;
            }
        }
        if !found.addresses.contains(&host) {
            found.addresses.push(host)?;
        }
    }
    match (found.addresses.is_empty(), is_known) {
        (false, _) => Ok(()),
        (true, true) => Err(Failure::NoData),
        (true, false) => Err(Failure::NotFound),
    }
}

/// Asks the name servers for the addresses of a name, which is whole or may be in one of the domains.
pub(crate) fn in_dns(
    config: &Config,
    wire: &mut impl Wire,
    name: &[u8],
    families: Families,
    found: &mut Found,
) -> Result<(), Failure> {
    let (mut reply, mut ips) = (Array::new(), Array::<Ip>::new());
    search(config, name, |candidate| {
        let mut failure = None;
        for (kind, is_wanted) in [(TYPE_A, families.v4), (TYPE_AAAA, families.v6)] {
            if !is_wanted {
                continue;
            }
            if let Err(error) = ask(config, wire, candidate, kind, CLASS_IN, &mut reply) {
                // That there is no address of one version says little about the other.
                if failure.is_none_or(|before| before == Failure::NoData) {
                    failure = Some(error);
                }
                if matches!(error, Failure::NotFound | Failure::Silence) {
                    break;
                }
                continue;
            }
            let before = ips.len();
            found.aliases.truncate(0);
            let mut is_out = Ok(());
            let last = follow(&reply, candidate, |alias| {
                if alias.is_host() && is_out.is_ok() {
                    is_out = found.add_alias(alias.text(b"").as_bytes());
                }
            });
            is_out?;
            addresses(&reply, &last, &mut ips)?;
            if ips.len() > before {
                found.name = last.text(b"");
            }
        }
        if ips.is_empty() { Err(failure.unwrap_or(Failure::NoData)) } else { Ok(()) }
    })?;
    for &ip in ips.iter() {
        found.addresses.push(ip.into())?;
    }
    Ok(())
}

/// Whether a name is this host's own by convention (RFC 6761, 6.3), so that no server is asked.
pub(crate) fn is_localhost(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let (start, end) = name.split_at_checked(name.len().saturating_sub(9)).unwrap_or((b"", b""));
    end.eq_ignore_ascii_case(b"localhost") && matches!(start.last(), None | Some(b'.'))
}

/// Looks an address up in the text of hosts(5).
pub(crate) fn address_in_hosts(
    text: &[u8],
    address: &Host,
    index_of: impl Fn(&[u8]) -> Option<u32>,
    found: &mut Found,
) -> Result<(), Failure> {
    for (host, mut names) in lines(text).filter_map(|line| hosts_line(line, &index_of)) {
        if host == *address {
            found.name.extend(names.next().unwrap_or_default());
            for alias in names {
                found.add_alias(alias)?;
            }
            found.addresses.push(host)?;
            return Ok(());
        }
    }
    Err(Failure::NotFound)
}

/// Asks the name servers for the name of an address.
pub(crate) fn address_in_dns(
    config: &Config,
    wire: &mut impl Wire,
    address: &Host,
    found: &mut Found,
) -> Result<(), Failure> {
    let mut reply = Array::new();
    let asked = reverse_name(&address.ip).ok_or(Failure::NotFound)?;
    ask(config, wire, &asked, TYPE_PTR, CLASS_IN, &mut reply)?;
    let last = follow(&reply, &asked, |_| {});
    for record in answers(&reply) {
        if record.kind != TYPE_PTR || record.class != CLASS_IN || !record.owner.is_same(&last) {
            continue;
        }
        // A name that is none of a host's is not handed to programs that may take it for one.
        let Some((name, _)) = Name::read(&reply, record.start).filter(|(name, _)| name.is_host()) else {
            continue;
        };
        let text = name.text(b"");
        if found.name.as_bytes().is_empty() {
            found.name = text;
        } else {
            found.add_alias(text.as_bytes())?;
        }
    }
    if found.name.as_bytes().is_empty() {
        return Err(Failure::NoData);
    }
    found.addresses.push(*address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Families = Families { v4: true, v6: true };
    const HOSTS: &[u8] = b"127.0.0.1 localhost\n# none\n10.0.0.7\n10.0.0.5 web.example Web www # two\n\
        2001:db8::5 web.example web6\nfe80::1%lo0 link\nnonsense web\n";

    fn lookup(name: &str, families: Families) -> (Result<(), Failure>, Found) {
        let mut found = Found::new();
        let index_of = |name: &[u8]| (name == b"lo0").then_some(1);
        (in_hosts(HOSTS, name.as_bytes(), families, index_of, &mut found), found)
    }

    #[test]
    fn names_in_hosts() {
        let (result, found) = lookup("WEB.example.", BOTH);
        assert_eq!((result, found.addresses.len()), (Ok(()), 2));
        assert_eq!(found.name.as_bytes(), b"web.example");
        assert_eq!(found.aliases().collect::<Vec<_>>(), [b"Web".as_slice(), b"www", b"web6"]);
        assert_eq!(lookup("www", Families { v4: false, v6: true }).0, Err(Failure::NoData));
        assert_eq!(lookup("wwww", BOTH).0, Err(Failure::NotFound));
        let (_, found) = lookup("link", BOTH);
        assert_eq!(found.addresses.first().map(|host| host.scope), Some(1));
    }

    #[test]
    fn addresses_in_hosts() {
        let mut found = Found::new();
        let host = Ip::V4([10, 0, 0, 5]).into();
        assert_eq!(address_in_hosts(HOSTS, &host, |_| None, &mut found), Ok(()));
        assert_eq!((found.name.as_bytes(), found.aliases().count()), (b"web.example".as_slice(), 2));
        let host = Ip::V4([10, 0, 0, 7]).into();
        assert_eq!(address_in_hosts(HOSTS, &host, |_| None, &mut Found::new()), Err(Failure::NotFound));
    }

    #[test]
    fn localhost() {
        assert!([b"localhost".as_slice(), b"LocalHost.", b"a.localhost"].into_iter().all(is_localhost));
        assert!(![b"local".as_slice(), b"mylocalhost", b"localhost.a", b""].into_iter().any(is_localhost));
    }
}
