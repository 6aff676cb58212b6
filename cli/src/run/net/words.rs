//! What the options about the network say.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Its name as QEMU has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A port of the host that leads to one of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The host's address; all of them if there is none.
    pub address: Option<Ipv4Addr>,
    /// The host's port.
    pub host_port: u16,
    /// The program's.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// A port number that can be listened on.
fn port(word: &str) -> Result<u16, String> {
    match word.parse() {
        Ok(0) | Err(_) => Err(format!("{word:?} is no port number; they go from 1 to 65535")),
        Ok(port) => Ok(port),
    }
}

impl FromStr for Publish {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (rest, protocol) = match word.split_once('/') {
            None => (word, Protocol::Tcp),
            Some((rest, "tcp")) => (rest, Protocol::Tcp),
            Some((rest, "udp")) => (rest, Protocol::Udp),
            Some((_, other)) => return Err(format!("{other:?} is neither tcp nor udp")),
        };
        let wrong = || "it must be HOSTPORT:PORT or ADDRESS:HOSTPORT:PORT, for example 8080:80".to_owned();
        let (rest, guest) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let (address, host) = match rest.rsplit_once(':') {
            None => (None, rest),
            Some((address, host)) => {
                let address = address.parse().map_err(|_| {
                    format!("{address:?} is no IPv4 address, which is what QEMU forwards from")
                })?;
                (Some(address), host)
            }
        };
        Ok(Self { address, host_port: port(host)?, port: port(guest)?, protocol })
    }
}

/// What a card is plugged into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// QEMU's user-mode network.
    User,
    /// There is no card.
    None,
    /// An interface of the host.
    Tap(String),
    /// A cable whose other end connects.
    Listen(Option<IpAddr>, u16),
    /// A cable whose other end listens.
    Connect(String, u16),
}

/// Linux's IFNAMSIZ, without the byte at the end.
const MAX_IFNAME: usize = 15;

impl FromStr for Backend {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let (kind, rest) = word.split_once(':').unwrap_or((word, ""));
        match (kind, rest) {
            ("user", "") if kind == word => Ok(Self::User),
            ("none", "") if kind == word => Ok(Self::None),
            ("tap", name) => {
                let usable = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b',';
                if name.is_empty() || name.len() > MAX_IFNAME || !name.bytes().all(usable) {
                    return Err(format!("{name:?} is no name of an interface, for example tap:tap0"));
                }
                Ok(Self::Tap(name.into()))
            }
            ("socket", rest) => socket(rest),
            _ => Err(
                "it must be user, none, tap:IFNAME, socket:listen=[ADDRESS:]PORT or socket:connect=ADDRESS:PORT"
                    .into(),
            ),
        }
    }
}

/// What follows `socket:`.
fn socket(word: &str) -> Result<Backend, String> {
    if let Some(rest) = word.strip_prefix("listen=") {
        let (address, number) = match rest.rsplit_once(':') {
            None | Some(("", _)) => (None, rest.trim_start_matches(':')),
            Some((address, number)) => {
                let address = address.trim_start_matches('[').trim_end_matches(']');
                (
                    Some(address.parse().map_err(|_| format!("{address:?} is no address to listen on"))?),
                    number,
                )
            }
        };
        return Ok(Backend::Listen(address, port(number)?));
    }
    let Some(rest) = word.strip_prefix("connect=") else {
        return Err("after socket: comes listen=[ADDRESS:]PORT or connect=ADDRESS:PORT".into());
    };
    let (host, number) = rest
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty() && !host.contains(','))
        .ok_or("after connect= comes ADDRESS:PORT, for example connect=127.0.0.1:1234")?;
    Ok(Backend::Connect(host.into(), port(number)?))
}

impl Backend {
    /// QEMU's option `-netdev`.
    pub fn netdev(&self, card: usize, publish: &[Publish]) -> OsString {
        let text = match self {
            Self::User => {
                let forward = |entry: &Publish| {
                    let Publish { address, host_port, port, protocol } = entry;
                    let address = address.map(|address| address.to_string()).unwrap_or_default();
                    format!(",hostfwd={}:{address}:{host_port}-:{port}", protocol.name())
                };
                let forwards: String = publish.iter().map(forward).collect();
                format!("user,id=net{card}{forwards}")
            }
            Self::None => format!("hubport,id=net{card},hubid={card}"),
            Self::Tap(name) => format!("tap,id=net{card},ifname={name},script=no,downscript=no"),
            Self::Listen(address, port) => {
                let address = match address {
                    Some(IpAddr::V6(address)) => format!("[{address}]"),
                    Some(IpAddr::V4(address)) => address.to_string(),
                    None => String::new(),
                };
                format!("socket,id=net{card},listen={address}:{port}")
            }
            Self::Connect(host, port) => format!("socket,id=net{card},connect={host}:{port}"),
        };
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::{Backend, Protocol, Publish};
    use std::net::Ipv4Addr;

    #[test]
    fn published_ports() {
        let plain = Publish { address: None, host_port: 8080, port: 80, protocol: Protocol::Tcp };
        assert_eq!("8080:80".parse(), Ok(plain.clone()));
        assert_eq!("8080:80/tcp".parse(), Ok(plain.clone()));
        let udp = Publish { address: Some(Ipv4Addr::LOCALHOST), protocol: Protocol::Udp, ..plain };
        assert_eq!("127.0.0.1:8080:80/udp".parse(), Ok(udp));
        for bad in [
            "",
            "80",
            ":",
            "80:",
            ":80",
            "0:80",
            "80:0",
            "80:65536",
            "80:80/sctp",
            "a:80:80",
            "::1:80:80",
            "80:80/",
            "-1:80",
        ] {
            assert!(bad.parse::<Publish>().is_err(), "{bad}");
        }
    }

    #[test]
    fn backends() {
        assert_eq!("user".parse(), Ok(Backend::User));
        assert_eq!("tap:tap0".parse(), Ok(Backend::Tap("tap0".into())));
        assert_eq!("socket:listen=1234".parse(), Ok(Backend::Listen(None, 1234)));
        assert_eq!("socket:listen=:1234".parse(), Ok(Backend::Listen(None, 1234)));
        assert_eq!("socket:connect=h:1".parse(), Ok(Backend::Connect("h".into(), 1)));
        for bad in [
            "",
            "users",
            "user:",
            "none:x",
            "tap",
            "tap:",
            "tap:a,b=c",
            "tap:0123456789abcdef",
            "socket",
            "socket:1",
            "socket:listen=",
            "socket:listen=x:1",
            "socket:connect=1",
            "socket:connect=:1",
            "socket:connect=a,b:1",
        ] {
            assert!(bad.parse::<Backend>().is_err(), "{bad}");
        }
    }
}
