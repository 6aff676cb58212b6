//! Whether the host can give what the options ask for.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

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
        // Who listens there takes one connection, which must be QEMU's.
        Backend::Connect(..) | Backend::User | Backend::None => Ok(()),
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
    fn interfaces_that_are_none() {
        let sentence = |name| super::tap(name).unwrap_err().to_string();
        assert!(sentence("no-such-if").contains("no interface of that name"));
        assert!(sentence("lo").contains("no tap interface"));
    }
}
