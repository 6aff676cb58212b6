//! The wires and their ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rump_hypercall::net::{Checksum, Counters, Info, Packet, Size, Slice};
use rump_hypercall::time;

use super::fault::{Faults, Generator, LATE_NS};
use super::segment;

/// What a wire and the interfaces at its ends are like.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The largest IP packet.
    pub mtu: u16,
    /// The interfaces complete checksums.
    pub tx_checksum: bool,
    /// The interfaces say of undamaged frames that their checksum is right.
    pub rx_checksum: bool,
    /// The interfaces cut large packets into segments.
    pub tso: bool,
    /// Received packets come in views of at most so many bytes, the first excepted, which has at least 128; 0 leaves them whole.
    pub scatter_bytes: usize,
    /// Frames that wait at an end at most.
    pub queue_len: usize,
    /// A full queue makes the sender wait instead of losing the frame.
    pub backpressure: bool,
    /// What goes wrong.
    pub faults: Faults,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            mtu: 1500,
            tx_checksum: false,
            rx_checksum: false,
            tso: false,
            scatter_bytes: 0,
            queue_len: 1024,
            backpressure: false,
            faults: Faults::default(),
        }
    }
}

/// Bytes that a first view has at least.
const FIRST_VIEW: usize = 128;

struct Frame {
    bytes: Vec<u8>,
    damaged: bool,
}

/// One end of a wire: an interface, or the test itself.
struct End {
    link: Link,
    generator: Generator,
    peer: usize,
    /// The interface's number; `None` for a test's end.
    interface: Option<usize>,
    /// What arrives, by time and then by age.
    arriving: BTreeMap<(u64, u64), Frame>,
    sequence: u64,
    link_up: bool,
    enabled: bool,
    /// Somebody could not send, and is to be told when there is room.
    starved: bool,
    counters: Counters,
}

struct Net {
    ends: Vec<End>,
    /// Ends by interface number.
    interfaces: Vec<usize>,
    ready: Option<fn(usize)>,
    /// How often everything was taken away, so that a wire of an earlier test is noticed.
    lives: usize,
}

static NET: Mutex<Net> = Mutex::new(Net { ends: Vec::new(), interfaces: Vec::new(), ready: None, lives: 0 });

fn net() -> MutexGuard<'static, Net> {
    NET.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of a wire that a test holds.
#[derive(Debug)]
pub struct Wire {
    end: usize,
    life: usize,
}

impl Net {
    fn add(&mut self, link: Link, interface: bool) -> usize {
        let end = self.ends.len();
        let interface = interface.then(|| {
            self.interfaces.push(end);
            self.interfaces.len() - 1
        });
        self.ends.push(End {
            link,
            generator: Generator::new(link.faults.seed ^ end as u64),
            peer: end ^ 1,
            interface,
            arriving: BTreeMap::new(),
            sequence: 0,
            link_up: true,
            enabled: false,
            starved: false,
            counters: Counters::default(),
        });
        end
    }

    /// Whether the end to which `from` sends takes no more.
    fn is_full(&self, from: usize) -> bool {
        let to = &self.ends[self.ends[from].peer];
        to.arriving.len() >= to.link.queue_len
    }

    /// Sends a frame from an end, with the faults of that end.
    fn send(&mut self, from: usize, mut bytes: Vec<u8>) {
        let now = time::monotonic_ns();
        let full = self.is_full(from);
        let end = &mut self.ends[from];
        let (faults, up, peer) = (end.link.faults, end.link_up, end.peer);
        let lost = end.generator.happens(faults.lost_permille);
        let copies = 1 + usize::from(end.generator.happens(faults.doubled_permille));
        let damaged = end.generator.happens(faults.damaged_permille) && !bytes.is_empty();
        if damaged {
            let bit = end.generator.next() as usize % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let late = if end.generator.happens(faults.late_permille) { LATE_NS } else { 0 };
        let peer = &mut self.ends[peer];
        if lost || !up || !peer.link_up {
            return;
        }
        if full {
            peer.counters.rx_dropped += 1;
            return;
        }
        for _ in 0..copies {
            peer.sequence += 1;
            let due = now + faults.delay_ns + late;
            peer.arriving.insert((due, peer.sequence), Frame { bytes: bytes.clone(), damaged });
            if peer.enabled
                && let Some(interface) = peer.interface
            {
                time::callout(due, notice, interface);
            }
        }
    }

    /// Takes the first frame that has arrived.
    fn take(&mut self, at: usize) -> Option<Frame> {
        let end = &mut self.ends[at];
        let first = end.arriving.first_entry()?;
        if first.key().0 > time::monotonic_ns() {
            return None;
        }
        let frame = first.remove();
        let peer = end.peer;
        let peer = &mut self.ends[peer];
        if peer.starved
            && let Some(interface) = peer.interface
        {
            peer.starved = false;
            time::callout(0, tell, interface);
        }
        Some(frame)
    }
}

/// Tells of an interface.
fn tell(interface: usize) {
    let ready = net().ready;
    if let Some(ready) = ready {
        ready(interface);
    }
}

/// A frame is due at an interface.
fn notice(interface: usize) {
    let told = {
        let mut net = net();
        let Some(&at) = net.interfaces.get(interface) else { return };
        let end = &mut net.ends[at];
        let due = end.arriving.first_key_value().is_some_and(|(key, _)| key.0 <= time::monotonic_ns());
        due && std::mem::take(&mut end.enabled)
    };
    if told {
        tell(interface);
    }
}

/// Makes two interfaces that are wired to each other; returns their numbers.
pub fn net_pair(link: Link) -> (usize, usize) {
    let mut net = net();
    let (one, two) = (net.add(link, true), net.add(link, true));
    (net.ends[one].interface.unwrap_or_default(), net.ends[two].interface.unwrap_or_default())
}

/// Makes an interface whose wire ends in the test; returns its number and the other end.
pub fn net_wire(link: Link) -> (usize, Wire) {
    let mut net = net();
    let (one, two) = (net.add(link, true), net.add(link, false));
    (net.ends[one].interface.unwrap_or_default(), Wire { end: two, life: net.lives })
}

/// Takes all interfaces away, for the next test.
pub fn net_reset() {
    let mut net = net();
    net.ends.clear();
    net.interfaces.clear();
    net.ready = None;
    net.lives += 1;
}

/// Changes what goes wrong with what an interface sends.
pub fn net_set_faults(interface: usize, faults: Faults) {
    let mut net = net();
    let at = net.interfaces[interface];
    net.ends[at].link.faults = faults;
    net.ends[at].generator = Generator::new(faults.seed);
}

/// Plugs an interface's cable in or out.
pub fn net_set_link(interface: usize, up: bool) {
    let mut net = net();
    let at = net.interfaces[interface];
    net.ends[at].link_up = up;
    time::callout(0, tell, interface);
}

impl Wire {
    fn net(&self) -> MutexGuard<'static, Net> {
        let net = net();
        assert_eq!(self.life, net.lives, "the wire of an earlier test");
        net
    }

    /// Sends a frame to the interface.
    pub fn send(&self, frame: &[u8]) {
        self.net().send(self.end, frame.to_vec());
    }

    /// The next frame that the interface has sent and that has arrived.
    pub fn receive(&self) -> Option<Vec<u8>> {
        self.net().take(self.end).map(|frame| frame.bytes)
    }
}

#[unsafe(export_name = "rb_net_count")]
fn count() -> usize {
    net().interfaces.len()
}

#[unsafe(export_name = "rb_net_info")]
fn info(interface: usize) -> Info {
    let net = net();
    let at = net.interfaces[interface];
    let End { link, link_up, peer, .. } = &net.ends[at];
    Info {
        name: "virt",
        mac: [2, 0, 0, 0, 0, interface as u8 + 1],
        mtu: link.mtu,
        tx_checksum: link.tx_checksum,
        rx_checksum: link.rx_checksum,
        tso4: link.tso,
        tso6: link.tso,
        link_up: *link_up && net.ends[*peer].link_up,
    }
}

#[unsafe(export_name = "rb_net_counters")]
fn counters(interface: usize) -> Counters {
    let net = net();
    net.ends[net.interfaces[interface]].counters
}

/// A packet of a frame, in views as the link wants them.
fn packet(bytes: &[u8], scatter_bytes: usize) -> Option<Packet> {
    if scatter_bytes == 0 {
        return Packet::from_bytes(bytes);
    }
    let (first, rest) = bytes.split_at(bytes.len().min(FIRST_VIEW));
    let mut packet = Packet::new(Slice::from_bytes(first, 0)?);
    for chunk in rest.chunks(scatter_bytes.min(Size::Page.capacity())) {
        packet.push(Slice::from_bytes(chunk, 0)?).ok()?;
    }
    Some(packet)
}

#[unsafe(export_name = "rb_net_receive")]
fn receive(interface: usize) -> Option<Packet> {
    let mut net = net();
    let at = net.interfaces[interface];
    let link = net.ends[at].link;
    while let Some(frame) = net.take(at) {
        if let Some(mut packet) = packet(&frame.bytes, link.scatter_bytes) {
            if link.rx_checksum && !frame.damaged {
                packet.checksum = Checksum::Verified;
            }
            return Some(packet);
        }
        net.ends[at].counters.rx_dropped += 1;
    }
    None
}

#[unsafe(export_name = "rb_net_transmit")]
fn transmit(interface: usize, packet: Packet) -> Result<(), Packet> {
    let mut net = net();
    let at = net.interfaces[interface];
    let link = net.ends[at].link;
    if link.backpressure && net.is_full(at) {
        net.ends[at].starved = true;
        return Err(packet);
    }
    assert!(
        packet.gso.is_none() || link.tso,
        "a large packet for an interface that does not cut: {packet:?}"
    );
    let partial = matches!(packet.checksum, Checksum::Partial { .. });
    assert!(
        !partial || link.tx_checksum,
        "an incomplete checksum for an interface that does not complete it"
    );
    let frames: VecDeque<_> = segment::frames(&packet).into();
    drop(packet);
    for frame in frames {
        assert!(frame.len() <= usize::from(link.mtu) + 14, "a frame of {} bytes", frame.len());
        net.send(at, frame);
    }
    Ok(())
}

#[unsafe(export_name = "rb_net_flush")]
fn flush(_interface: usize) {}

#[unsafe(export_name = "rb_net_enable_interrupt")]
fn enable_interrupt(interface: usize) -> bool {
    let mut net = net();
    let at = net.interfaces[interface];
    let end = &mut net.ends[at];
    let first = end.arriving.first_key_value().map(|(key, _)| key.0);
    if first.is_some_and(|due| due <= time::monotonic_ns()) {
        return true;
    }
    end.enabled = true;
    if let Some(due) = first {
        time::callout(due, notice, interface);
    }
    false
}

#[unsafe(export_name = "rb_net_on_ready")]
fn on_ready(ready: fn(usize)) {
    net().ready = Some(ready);
}
