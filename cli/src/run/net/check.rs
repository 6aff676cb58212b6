//! Whether the host can give what the options ask for.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, TcpListener, ToSocketAddrs, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use super::words::{Backend, Protocol, Publish};
use crate::failure::Failure;

/// Why a port cannot be had.
fn port_failure(option: &str, protocol: Protocol, port: u16, error: &io::Error) -> Failure {
    let name = protocol.name().to_ascii_uppercase();
    Failure::new(match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{option}: {name} port {port} of the host is in use; name another, or end what listens there"
        ),
        ErrorKind::PermissionDenied => {
            format!("{option}: {name} port {port} of the host is for the superuser; name one from 1024 on")
        }
        ErrorKind::AddrNotAvailable => format!("{option}: the host does not have that address"),
        _ => format!("{option}: {name} port {port} of the host cannot be listened on: {error}"),
    })
}

/// That a port can be listened on, by doing it for a moment.
pub fn publish(entry: &Publish) -> Result<(), Failure> {
    let place = (entry.address.unwrap_or(Ipv4Addr::UNSPECIFIED), entry.host_port);
    let outcome = match entry.protocol {
        Protocol::Tcp => TcpListener::bind(place).map(drop),
        Protocol::Udp => UdpSocket::bind(place).map(drop),
    };
    outcome.map_err(|error| port_failure("--publish", entry.protocol, entry.host_port, &error))
}

/// That what a card is to be plugged into exists.
pub fn backend(backend: &Backend) -> Result<(), Failure> {
    match backend {
        Backend::Tap(name) => tap(name),
        Backend::Listen(address, port) => {
            let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            TcpListener::bind((address, *port))
                .map(drop)
                .map_err(|error| port_failure("--net socket:listen", Protocol::Tcp, *port, &error))
        }
        Backend::Connect(host, port) => connect(host, *port),
        Backend::User | Backend::None => Ok(()),
    }
}

/// How long the other end of a cable may take to listen: it may have been started a moment ago.
const LISTEN_PATIENCE: Duration = Duration::from_secs(3);

/// That there is somebody to connect to, as far as that can be seen: on this host. It is not tried, since who listens takes one connection, which must be QEMU's; and
/// QEMU goes on without a word where nobody does.
fn connect(host: &str, port: u16) -> Result<(), Failure> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let mut places = (name, port)
        .to_socket_addrs()
        .map_err(|error| Failure::new(format!("--net socket:connect: {host} has no address: {error}")))?;
    if !places.all(|place| place.ip().is_loopback()) {
        return Ok(());
    }
    let begin = Instant::now();
    while is_listened_on(port) == Some(false) {
        if begin.elapsed() > LISTEN_PATIENCE {
            return Err(Failure::new(format!(
                "--net socket:connect: nobody listens at {host}:{port}; start the other image first, with --net socket:listen={port}"
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Whether a process of this host listens on a TCP port; `None` where that cannot be seen.
fn is_listened_on(port: u16) -> Option<bool> {
    /// TCP_LISTEN, as the tables have it.
    const LISTEN: &str = "0A";
    let end = format!(":{port:04X}");
    let mut seen = None;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(text) = std::fs::read_to_string(table) else { continue };
        let listens = text.lines().any(|line| {
            let mut words = line.split_ascii_whitespace().skip(1);
            words.next().is_some_and(|local| local.ends_with(&end)) && words.nth(1) == Some(LISTEN)
        });
        seen = Some(seen == Some(true) || listens);
    }
    seen
}

/// That no port is published twice.
pub fn twice(entries: &[Publish]) -> Result<(), Failure> {
    let same = |a: &Publish, b: &Publish| {
        (a.host_port, a.protocol) == (b.host_port, b.protocol)
            && (a.address == b.address || a.address.is_none() || b.address.is_none())
    };
    let clash = |(at, entry): (usize, &Publish)| entries[..at].iter().any(|other| same(entry, other));
    match entries.iter().enumerate().find(|pair| clash(*pair)) {
        None => Ok(()),
        Some((_, entry)) => Err(Failure::new(format!(
            "--publish: {} port {} of the host is named twice; it leads to one port of the program",
            entry.protocol.name().to_ascii_uppercase(),
            entry.host_port
        ))),
    }
}

fn tap(name: &str) -> Result<(), Failure> {
    let folder = Path::new("/sys/class/net").join(name);
    if !folder.exists() {
        return Err(Failure::new(format!(
            "--net tap:{name}: the host has no interface of that name; make one with: \
             ip tuntap add {name} mode tap user $USER"
        )));
    }
    if !folder.join("tun_flags").exists() {
        return Err(Failure::new(format!(
            "--net tap:{name}: that interface of the host is no tap interface"
        )));
    }
    match OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(format!("--net tap:{name}: /dev/net/tun cannot be opened: {error}"))),
    }
}

/// That the file for packets can be written.
pub fn pcap(file: &Path) -> Result<(), Failure> {
    match File::create(file) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(format!("{}: cannot be written: {error}", file.display()))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    #[test]
    fn a_port_in_use_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let entry = format!("127.0.0.1:{port}:80").parse().unwrap();
        let sentence = super::publish(&entry).unwrap_err().to_string();
        assert!(sentence.contains(&format!("port {port} of the host is in use")), "{sentence}");
    }

    #[test]
    fn a_port_that_is_named_twice() {
        let outcome = |words: &[&str]| {
            super::twice(&words.iter().map(|word| word.parse().unwrap()).collect::<Vec<_>>())
        };
        for fine in
            [&["80:80", "80:80/udp"][..], &["127.0.0.1:80:80", "127.0.0.2:80:81"], &["80:80", "81:80"]]
        {
            assert!(outcome(fine).is_ok(), "{fine:?}");
        }
        for clash in [["80:80", "80:81"], ["127.0.0.1:80:80", "80:81"], ["80:80/udp", "80:80/udp"]] {
            assert!(outcome(&clash).unwrap_err().to_string().contains("port 80 of the host is named twice"));
        }
    }

    #[test]
    fn who_is_connected_to_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(super::connect("127.0.0.1", port).is_ok());
        let sentence = super::connect("no-such-host.invalid", 1).unwrap_err().to_string();
        assert!(sentence.contains("no-such-host.invalid has no address"), "{sentence}");
    }

    #[test]
    fn interfaces_that_are_none() {
        let sentence = |name| super::tap(name).unwrap_err().to_string();
        assert!(sentence("no-such-if").contains("no interface of that name"));
        assert!(sentence("lo").contains("no tap interface"));
    }
}
