//! Who has which hardware address: one cache for ARP and ND, with the states of RFC 4861 7.3.2, which ARP's entries go through, too.
//!
//! Bounded in entries and in packets that wait, since a scan of a network (by us, or by somebody who makes us answer) would fill any memory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rump_hypercall::net::Packet;
use rump_hypercall::{Giant, time};
use rump_kern::Errno;
use rump_kern::clock::NS_PER_S;

use crate::addr::Addr;
use crate::ifnet::Ifnet;
use crate::wire::{ETHERTYPE_IPV4, ETHERTYPE_IPV6, Mac};
use crate::{arp, ether, nd, netisr};

/// Most entries.
const ENTRIES_MAX: usize = 512;
/// Most packets that wait for one neighbour.
const QUEUE_MAX: usize = 16;
/// How long a confirmed address is used without a doubt (RFC 4861, 10: REACHABLE_TIME).
const REACHABLE_NS: u64 = 30 * NS_PER_S;
/// How long a doubtful one is used before it is asked for (DELAY_FIRST_PROBE_TIME).
const DELAY_NS: u64 = 5 * NS_PER_S;
/// Between two questions (RETRANS_TIMER).
const RETRANS_NS: u64 = NS_PER_S;
/// Questions before giving up (MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT).
const TRIES: u8 = 3;
/// How long it is remembered that a neighbour does not answer.
const FAILED_NS: u64 = 3 * NS_PER_S;
/// How long an entry that nobody uses is kept.
const IDLE_NS: u64 = 1200 * NS_PER_S;

/// What is known of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has been asked for, so many times.
    Incomplete(u8),
    /// It did not answer.
    Failed,
    /// Confirmed.
    Reachable,
    /// Confirmed long ago, or by the way.
    Stale,
    /// In use, to be asked soon.
    Delay,
    /// It has been asked whether it is still there, so many times.
    Probe(u8),
}

struct Entry {
    state: State,
    mac: Mac,
    /// When the state changes; monotonic time.
    deadline_ns: u64,
    queue: Vec<Packet>,
    is_router: bool,
}

type Key = (u16, Addr);

struct Cache {
    entries: BTreeMap<Key, Entry>,
    /// The last one that was confirmed and asked for, and until when that holds.
    last: Option<(Key, Mac, u64)>,
}

static CACHE: Giant<Cache> = Giant::new(Cache { entries: BTreeMap::new(), last: None });

/// What [`resolve`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its hardware address.
    Known(Mac),
    /// It has been asked for.
    Wait,
    /// It does not answer.
    Failed,
}

/// A neighbour as it is listed.
#[derive(Clone, Copy, Debug)]
pub struct Neighbor {
    /// The interface's number.
    pub index: u16,
    /// Its address.
    pub addr: Addr,
    /// Its hardware address.
    pub mac: Mac,
}

/// The hardware address of a neighbour on the link of `ifp`; asks for it if it is not known.
#[inline]
pub fn resolve(ifp: &'static Ifnet, addr: Addr) -> Answer {
    let key = (ifp.index, addr);
    let now_ns = time::monotonic_ns();
    if let Some((last, mac, until_ns)) = CACHE.borrow().last
        && last == key
        && now_ns < until_ns
    {
        return Answer::Known(mac);
    }
    resolve_slowly(ifp, key, now_ns)
}

fn resolve_slowly(ifp: &'static Ifnet, key: Key, now_ns: u64) -> Answer {
    let mut cache = CACHE.borrow_mut();
    if let Some(entry) = cache.entries.get_mut(&key) {
        let mac = entry.mac;
        match entry.state {
            State::Incomplete(_) => return Answer::Wait,
            State::Failed if now_ns < entry.deadline_ns => return Answer::Failed,
            State::Failed => {}
            State::Reachable if now_ns < entry.deadline_ns => {
                let until_ns = entry.deadline_ns;
                cache.last = Some((key, mac, until_ns));
                return Answer::Known(mac);
            }
            State::Reachable | State::Stale => {
                (entry.state, entry.deadline_ns) = (State::Delay, now_ns + DELAY_NS);
                netisr::wake_by(now_ns + DELAY_NS);
                return Answer::Known(mac);
            }
            State::Delay | State::Probe(_) => return Answer::Known(mac),
        }
    }
    cache.make_room(now_ns);
    let entry = Entry {
        state: State::Incomplete(1),
        mac: [0; 6],
        deadline_ns: now_ns + RETRANS_NS,
        queue: Vec::new(),
        is_router: false,
    };
    cache.entries.insert(key, entry);
    drop(cache);
    netisr::wake_by(now_ns + RETRANS_NS);
    ask(ifp, key.1, None);
    Answer::Wait
}

fn ask(ifp: &'static Ifnet, addr: Addr, mac: Option<Mac>) {
    // A question that cannot be sent is asked again later.
    let _ = if addr.is_v4() { arp::request(ifp, addr, mac) } else { nd::solicit(ifp, addr, mac) };
}

impl Cache {
    /// Takes the entry out that is used least, if there are too many.
    fn make_room(&mut self, now_ns: u64) {
        if self.entries.len() < ENTRIES_MAX {
            return;
        }
        self.last = None;
        let idle = |entry: &Entry| match entry.state {
            State::Failed => 0,
            State::Stale => 1,
            State::Incomplete(_) => 2,
            State::Reachable if entry.deadline_ns < now_ns => 1,
            _ => 3,
        };
        let victim = self.entries.iter().min_by_key(|(_, entry)| (idle(entry), entry.deadline_ns));
        if let Some(key) = victim.map(|(key, _)| *key) {
            self.entries.remove(&key);
        }
    }
}

/// Keeps a packet until the neighbour's hardware address is known; the oldest go if there are too many.
///
/// # Errors
/// ENOBUFS without memory.
pub fn enqueue(ifp: &'static Ifnet, addr: Addr, packet: Packet) -> Result<(), Errno> {
    let mut cache = CACHE.borrow_mut();
    let entry = cache.entries.get_mut(&(ifp.index, addr)).ok_or(Errno::ENOBUFS)?;
    if entry.queue.len() >= QUEUE_MAX {
        entry.queue.remove(0);
    }
    entry.queue.try_reserve(1).map_err(|_| Errno::ENOBUFS)?;
    entry.queue.push(packet);
    Ok(())
}

/// How an address was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The neighbour asked for us, or said so unasked: it is there, whether it hears us is open.
    Heard,
    /// It answered a question of ours.
    Answered,
}

/// A neighbour's hardware address was learnt. `create`: even if nobody has asked for it. Sends what waits for it.
pub fn learn(ifp: &'static Ifnet, addr: Addr, mac: Mac, evidence: Evidence, create: bool) {
    let key = (ifp.index, addr);
    let now_ns = time::monotonic_ns();
    let mut cache = CACHE.borrow_mut();
    if !cache.entries.contains_key(&key) {
        if !create {
            return;
        }
        cache.make_room(now_ns);
    }
    if cache.last.is_some_and(|(last, known, _)| last == key && known != mac) {
        cache.last = None;
    }
    let entry = cache.entries.entry(key).or_insert(Entry {
        state: State::Incomplete(0),
        mac,
        deadline_ns: now_ns,
        queue: Vec::new(),
        is_router: false,
    });
    let changed = entry.mac != mac;
    entry.mac = mac;
    match evidence {
        Evidence::Answered => (entry.state, entry.deadline_ns) = (State::Reachable, now_ns + REACHABLE_NS),
        Evidence::Heard => match entry.state {
            State::Incomplete(_) | State::Failed => {
                (entry.state, entry.deadline_ns) = (State::Stale, now_ns + IDLE_NS)
            }
            _ if changed => (entry.state, entry.deadline_ns) = (State::Stale, now_ns + IDLE_NS),
            _ => {}
        },
    }
    let waiting = core::mem::take(&mut entry.queue);
    drop(cache);
    let ethertype = if addr.is_v4() { ETHERTYPE_IPV4 } else { ETHERTYPE_IPV6 };
    for packet in waiting {
        // As if the link had lost it.
        let _ = ether::frame(ifp, packet, mac, ethertype);
    }
}

/// A protocol above has heard from the neighbour (RFC 4861, 7.3.1).
pub fn confirm(ifp: &'static Ifnet, addr: Addr) {
    let now_ns = time::monotonic_ns();
    if let Some(entry) = CACHE.borrow_mut().entries.get_mut(&(ifp.index, addr))
        && !matches!(entry.state, State::Incomplete(_) | State::Failed)
    {
        (entry.state, entry.deadline_ns) = (State::Reachable, now_ns + REACHABLE_NS);
    }
}

/// Whether it said that it is a router; `None` if it is not known.
pub fn set_router(ifp: &'static Ifnet, addr: Addr, is_router: bool) -> Option<bool> {
    let mut cache = CACHE.borrow_mut();
    let entry = cache.entries.get_mut(&(ifp.index, addr))?;
    Some(core::mem::replace(&mut entry.is_router, is_router))
}

/// Those whose hardware address is known.
#[must_use]
pub fn all() -> Vec<Neighbor> {
    let known = |entry: &Entry| !matches!(entry.state, State::Incomplete(_) | State::Failed);
    let cache = CACHE.borrow();
    let list = cache.entries.iter().filter(|(_, entry)| known(entry));
    list.map(|(&(index, addr), entry)| Neighbor { index, addr, mac: entry.mac }).collect()
}

/// Forgets all that is known of the interface's neighbours of one family.
pub fn forget(ifp: &Ifnet) {
    let mut cache = CACHE.borrow_mut();
    cache.last = None;
    cache.entries.retain(|key, _| key.0 != ifp.index);
}

/// Asks again, gives up, forgets; returns when there is something to do next.
pub fn timer(now_ns: u64) -> u64 {
    let mut next_ns = time::NEVER;
    let mut asks: Vec<(Key, Option<Mac>)> = Vec::new();
    let mut dropped: Vec<Packet> = Vec::new();
    let mut cache = CACHE.borrow_mut();
    cache.entries.retain(|key, entry| {
        if entry.deadline_ns <= now_ns {
            match entry.state {
                State::Incomplete(tries) if tries < TRIES => {
                    asks.push((*key, None));
                    (entry.state, entry.deadline_ns) = (State::Incomplete(tries + 1), now_ns + RETRANS_NS);
                }
                State::Incomplete(_) => {
                    dropped.append(&mut entry.queue);
                    (entry.state, entry.deadline_ns) = (State::Failed, now_ns + FAILED_NS);
                }
                State::Delay => {
                    asks.push((*key, Some(entry.mac)));
                    (entry.state, entry.deadline_ns) = (State::Probe(1), now_ns + RETRANS_NS);
                }
                State::Probe(tries) if tries < TRIES => {
                    asks.push((*key, Some(entry.mac)));
                    (entry.state, entry.deadline_ns) = (State::Probe(tries + 1), now_ns + RETRANS_NS);
                }
                State::Reachable => (entry.state, entry.deadline_ns) = (State::Stale, now_ns + IDLE_NS),
                State::Probe(_) | State::Failed | State::Stale => return false,
            }
        }
        // What only grows old needs no timer of its own: it is looked at with the rest.
        if matches!(entry.state, State::Incomplete(_) | State::Delay | State::Probe(_)) {
            next_ns = next_ns.min(entry.deadline_ns);
        }
        true
    });
    if !asks.is_empty() {
        cache.last = None;
    }
    drop(cache);
    drop(dropped);
    for ((index, addr), mac) in asks {
        if let Some(ifp) = crate::ifnet::by_index(index.into()) {
            ask(ifp, addr, mac);
        }
    }
    next_ns
}

/// Takes everything away, for the next test.
#[cfg(test)]
pub(crate) fn reset() {
    let mut cache = CACHE.borrow_mut();
    cache.entries.clear();
    cache.last = None;
}
