//! The machine's network: which cards it has, what they are plugged into, and which ports of the host lead to the program.
//!
//! Without a word about it, an image that holds the network's components gets one card on QEMU's user-mode network, which needs no
//! rights: 10.0.2.15 by DHCP, the host at 10.0.2.2. Others get none, and so start as fast as before. What can be known to fail is looked at
//! before QEMU starts, since QEMU's own words for it help nobody.

mod check;
mod words;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

pub use words::{Backend, Publish};

use super::Machine;
use super::qemu::option_value;
use crate::failure::Failure;

/// The options about the network.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Network")]
pub struct NetArgs {
    /// Let a port of the host lead to one of the program, on the user-mode network; may be repeated
    ///
    /// 8080:80 for TCP, 5353:53/udp for UDP, 127.0.0.1:8080:80 for one address of the host only.
    #[arg(long, value_name = "[ADDRESS:]HOSTPORT:PORT[/udp]", verbatim_doc_comment)]
    publish: Vec<Publish>,
    /// What a network card is plugged into; may be repeated, each makes a card
    ///
    /// user: QEMU's user-mode network, which needs no rights (the default where the image holds a network)
    /// none: no card
    /// tap:IFNAME: an interface of the host that exists
    /// socket:listen=[ADDRESS:]PORT, socket:connect=ADDRESS:PORT: a cable to another image on this or another host
    #[arg(long, value_name = "WHAT", verbatim_doc_comment)]
    net: Vec<Backend>,
    /// Write every packet to this file, for tcpdump and Wireshark; with several cards the second's is FILE.1
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

/// The cards that a machine gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    cards: Vec<Backend>,
    publish: Vec<Publish>,
    pcap: Option<PathBuf>,
    /// What makes the addresses of cards differ that may meet on one cable.
    seed: u32,
}

impl NetArgs {
    /// # Errors
    /// If there is a word about the network, which a machine with Xen has no use for here.
    pub fn refuse_with_xen(&self) -> Result<(), Failure> {
        if self.publish.is_empty() && self.net.is_empty() && self.pcap.is_none() {
            return Ok(());
        }
        Err(Failure::new(
            "--xen: the hypervisor's first guest has no network card that an image could drive; leave --publish, --net and --pcap out",
        ))
    }

    /// The network of an image that holds network components, or does not. `image` is its name, for sentences.
    ///
    /// # Errors
    /// What contradicts itself, or the image.
    pub fn network(&self, image: &str, has_network: bool) -> Result<Network, Failure> {
        let cards = match self.net.as_slice() {
            [] if has_network || !self.publish.is_empty() => vec![Backend::User],
            [] | [Backend::None] => Vec::new(),
            all if all.contains(&Backend::None) => {
                return Err(Failure::new("--net none: stands alone; leave it out, or the others"));
            }
            all => all.to_vec(),
        };
        if !self.publish.is_empty() {
            if !has_network {
                return Err(Failure::new(format!(
                    "--publish: {image} holds no network, so nothing would answer; see: rumpbake inspect {image}"
                )));
            }
            if !cards.contains(&Backend::User) {
                return Err(Failure::new(
                    "--publish: only the user-mode network has ports to publish; add --net user",
                ));
            }
        }
        if cards.iter().filter(|&card| *card == Backend::User).count() > 1 {
            return Err(Failure::new("--net user: named twice; one machine has one user-mode network"));
        }
        if cards.is_empty() && self.pcap.is_some() {
            return Err(Failure::new(
                "--pcap: the machine has no network card whose packets could be written; add --net user",
            ));
        }
        let publish = self.publish.clone();
        Ok(Network { cards, publish, pcap: self.pcap.clone(), seed: std::process::id() })
    }
}

impl Network {
    /// Looks whether the host can give what is asked of it.
    ///
    /// # Errors
    /// What it cannot.
    pub fn check(&self) -> Result<(), Failure> {
        check::twice(&self.publish)?;
        self.publish.iter().try_for_each(check::publish)?;
        self.cards.iter().try_for_each(check::backend)?;
        (0..self.cards.len()).filter_map(|card| self.pcap_of(card)).try_for_each(|file| check::pcap(&file))
    }

    /// The file for the packets of a card.
    fn pcap_of(&self, card: usize) -> Option<PathBuf> {
        let file = self.pcap.as_ref()?;
        if card == 0 {
            return Some(file.clone());
        }
        let mut name = file.clone().into_os_string();
        name.push(format!(".{card}"));
        Some(name.into())
    }

    /// The Ethernet address of a card: QEMU's own on the user-mode network, else one that another machine hardly has.
    fn mac(&self, card: usize) -> String {
        let own = if self.cards.get(card) == Some(&Backend::User) {
            0x12_34_56
        } else {
            self.seed << 3 | 0x80_0000
        };
        let [_, a, b, c] = (own.wrapping_add(card as u32)).to_be_bytes();
        format!("52:54:00:{a:02x}:{b:02x}:{c:02x}")
    }

    /// QEMU's arguments.
    pub fn arguments(&self, machine: Machine) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        let mut add = |option: &str, value: OsString| arguments.extend([OsString::from(option), value]);
        if machine == Machine::Microvm && !self.cards.is_empty() {
            // QEMU's cards for it follow the draft of virtio unless told otherwise.
            add("-global", "virtio-mmio.force-legacy=false".into());
        }
        for (card, backend) in self.cards.iter().enumerate() {
            add("-netdev", backend.netdev(card, &self.publish));
            let (device, more) = match machine {
                Machine::Microvm => ("virtio-net-device", ""),
                // Without the firmware to boot from it, which would be loaded and run.
                Machine::Pc | Machine::Q35 => ("virtio-net-pci", ",romfile="),
            };
            add("-device", format!("{device},netdev=net{card},mac={}{more}", self.mac(card)).into());
            if let Some(file) = self.pcap_of(card) {
                let mut dump = OsString::from(format!("filter-dump,id=dump{card},netdev=net{card},file="));
                dump.push(option_value(OsStr::new(&file)));
                add("-object", dump);
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::{Backend, Machine, NetArgs};

    fn arguments(publish: &[&str], net: &[&str], pcap: Option<&str>, machine: Machine) -> String {
        let args = NetArgs {
            publish: publish.iter().map(|word| word.parse().unwrap()).collect(),
            net: net.iter().map(|word| word.parse().unwrap()).collect(),
            pcap: pcap.map(Into::into),
        };
        let mut network = args.network("a.img", true).unwrap();
        network.seed = 0x1234;
        let words = network.arguments(machine);
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn cards_by_machine() {
        assert_eq!(
            arguments(&["8080:80", "127.0.0.1:53:5353/udp"], &[], None, Machine::Microvm),
            "-global virtio-mmio.force-legacy=false \
             -netdev user,id=net0,hostfwd=tcp::8080-:80,hostfwd=udp:127.0.0.1:53-:5353 \
             -device virtio-net-device,netdev=net0,mac=52:54:00:12:34:56"
        );
        assert_eq!(
            arguments(&[], &["tap:br-tap0", "socket:listen=1234"], Some("a,b"), Machine::Q35),
            "-netdev tap,id=net0,ifname=br-tap0,script=no,downscript=no \
             -device virtio-net-pci,netdev=net0,mac=52:54:00:80:91:a0,romfile= \
             -object filter-dump,id=dump0,netdev=net0,file=a,,b \
             -netdev socket,id=net1,listen=:1234 \
             -device virtio-net-pci,netdev=net1,mac=52:54:00:80:91:a1,romfile= \
             -object filter-dump,id=dump1,netdev=net1,file=a,,b.1"
        );
        assert_eq!(arguments(&[], &["none"], None, Machine::Pc), "");
    }

    #[test]
    fn an_image_without_a_network_gets_no_card() {
        let network = NetArgs::default().network("a.img", false).unwrap();
        assert!(network.arguments(Machine::Microvm).is_empty());
        let asked = NetArgs { net: vec![Backend::User], ..NetArgs::default() };
        assert!(!asked.network("a.img", false).unwrap().arguments(Machine::Microvm).is_empty());
    }
}
