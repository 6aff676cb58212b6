//! How the guest is reached: a tap device in a network namespace of the benchmark's own, or QEMU's user network where that may not be made.
//!
//! The namespace belongs to a process that waits for its standard input to end, and goes with it. Nothing but this benchmark has its addresses, which are
//! those set aside for documentation (RFC 5737).

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};

const TAP_HOST: &str = "192.0.2.1";
const TAP_GUEST: &str = "192.0.2.2";
/// QEMU's user network gives this one to its first guest.
const USER_GUEST: &str = "10.0.2.15";
/// In the namespace: the tap device, and the congestion control that every Linux has, whatever the host prefers.
const SET_UP: &str = "ip link set lo up && ip tuntap add bench0 mode tap && ip address add $1/24 dev bench0 && ip link set bench0 up && \
    { echo reno >/proc/sys/net/ipv4/tcp_congestion_control; } 2>/dev/null; ip -o address show bench0 && exec cat";

/// A link between host and guest.
pub enum Link {
    Tap(Namespace),
    User,
}

/// The process that has the namespace; it ends when its standard input does.
pub struct Namespace {
    holder: Child,
    _stdin: Option<ChildStdin>,
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Where the guest's ports are for the host, and what QEMU has to be told.
pub struct Ports<const N: usize> {
    pub host: [u16; N],
    pub options: Vec<OsString>,
}

impl Link {
    /// Makes one.
    pub fn make() -> Result<Self> {
        Ok(Namespace::make()?.map_or(Self::User, Self::Tap))
    }

    /// What it is, for the reader of the figures.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Tap(_) => "a tap device in a network namespace",
            Self::User => {
                "QEMU's user network, since no tap device could be made: it is slow, and the same for both"
            }
        }
    }

    /// The guest's address as the guest has it.
    pub fn guest_address(&self) -> &'static str {
        match self {
            Self::Tap(_) => TAP_GUEST,
            Self::User => USER_GUEST,
        }
    }

    /// The guest's address as the host sees it.
    pub fn server_address(&self) -> &'static str {
        match self {
            Self::Tap(_) => TAP_GUEST,
            Self::User => "127.0.0.1",
        }
    }

    /// The command in front of any that is to use the link.
    pub fn through(&self) -> Vec<OsString> {
        match self {
            Self::Tap(namespace) => {
                vec![
                    "nsenter".into(),
                    format!("--net=/proc/{}/ns/net", namespace.holder.id()).into(),
                    "--".into(),
                ]
            }
            Self::User => Vec::new(),
        }
    }

    /// A command on the link.
    pub fn command(&self, program: impl Into<OsString>) -> Command {
        let mut words = self.through();
        words.push(program.into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Makes the guest's ports reachable.
    pub fn ports<const N: usize>(&self, guest: [u16; N]) -> Result<Ports<N>> {
        let mut host = guest;
        let backend = match self {
            Self::Tap(_) => "tap,id=net0,ifname=bench0,script=no,downscript=no".to_owned(),
            Self::User => {
                let mut backend = "user,id=net0".to_owned();
                for (host, guest) in host.iter_mut().zip(guest) {
                    *host = free_port()?;
                    for protocol in ["tcp", "udp"] {
                        backend += &format!(",hostfwd={protocol}:127.0.0.1:{host}-:{guest}");
                    }
                }
                backend
            }
        };
        // Without firmware to boot from it, which would be loaded and run.
        let options = ["-netdev", &backend, "-device", "virtio-net-pci,netdev=net0,romfile="];
        Ok(Ports { host, options: options.map(Into::into).to_vec() })
    }
}

impl Namespace {
    /// `None` if this user may not, or the tools for it are not there.
    fn make() -> Result<Option<Self>> {
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "sh", "-c", SET_UP, "sh", TAP_HOST]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut holder) = command.spawn() else { return Ok(None) };
        let stdin = holder.stdin.take();
        let stdout = holder.stdout.take().context("a process has no standard output")?;
        let namespace = Self { holder, _stdin: stdin };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("cannot read what a process says")?;
        Ok(line.contains(TAP_HOST).then_some(namespace))
    }
}

/// A port that is free for TCP and UDP.
fn free_port() -> Result<u16> {
    loop {
        let port = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?.local_addr()?.port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
}
