//! Timers: a hierarchical wheel (Varghese and Lauck, 1987), one entry per connection.
//!
//! A connection has several timers, of which the wheel knows a time not later than the earliest. Putting a timer off, which every acknowledgement
//! does, leaves the wheel alone: the entry fires, finds nothing due and is set anew. So a connection costs the wheel a few operations per timeout
//! and none per segment; each operation costs the same whatever the number of connections.
//!
//! Five levels of 64 slots count ticks of about a millisecond (2^20 ns); an entry is set four levels ahead at most, five hours. An entry is on the level of the highest six bits in
//! which its tick differs from the wheel's; when the wheel comes to a slot of a higher level, its entries move down.

use alloc::vec::Vec;

/// A deadline that never comes.
pub const NEVER: u64 = u64::MAX;

const TICK_SHIFT: u32 = 20;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
const LEVELS: usize = 5;
/// The furthest that an entry is set ahead; later ones fire early and are set anew.
const FURTHEST: u64 = (1 << (SLOT_BITS * (LEVELS as u32 - 1))) - 1;
const NONE: u32 = u32::MAX;
const UNLINKED: u16 = u16::MAX;

#[derive(Clone, Copy)]
struct Node {
    tick: u64,
    prev: u32,
    next: u32,
    /// Level times 64 plus slot.
    place: u16,
}

/// The wheel. Keys are small numbers: they index a table.
pub struct Wheel {
    nodes: Vec<Node>,
    heads: [[u32; SLOTS]; LEVELS],
    occupied: [u64; LEVELS],
    /// The tick that has been reached.
    elapsed: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Self { nodes: Vec::new(), heads: [[NONE; SLOTS]; LEVELS], occupied: [0; LEVELS], elapsed: 0 }
    }
}

impl Wheel {
    /// Makes room for keys below `len`; false if there is no memory.
    pub fn reserve(&mut self, len: usize) -> bool {
        let more = len.saturating_sub(self.nodes.len());
        if self.nodes.try_reserve(more).is_err() {
            return false;
        }
        let empty = Node { tick: 0, prev: NONE, next: NONE, place: UNLINKED };
        self.nodes.resize(self.nodes.len() + more, empty);
        true
    }

    /// When `key` is set to fire, at the latest a tick later; [`NEVER`] if it is not set.
    #[inline]
    #[must_use]
    pub fn deadline(&self, key: u32) -> u64 {
        let node = &self.nodes[key as usize];
        if node.place == UNLINKED { NEVER } else { node.tick << TICK_SHIFT }
    }

    /// Has `key` fire at `deadline_ns`, and not when it was set to.
    pub fn set(&mut self, key: u32, deadline_ns: u64) {
        self.cancel(key);
        let tick = deadline_ns.div_ceil(1 << TICK_SHIFT);
        self.insert(key, tick.clamp(self.elapsed + 1, self.elapsed + FURTHEST));
    }

    /// Forgets `key`.
    pub fn cancel(&mut self, key: u32) {
        let node = self.nodes[key as usize];
        if node.place == UNLINKED {
            return;
        }
        let (level, slot) = (usize::from(node.place) / SLOTS, usize::from(node.place) % SLOTS);
        if node.prev == NONE {
            self.heads[level][slot] = node.next;
            if node.next == NONE {
                self.occupied[level] &= !(1 << slot);
            }
        } else {
            self.nodes[node.prev as usize].next = node.next;
        }
        if node.next != NONE {
            self.nodes[node.next as usize].prev = node.prev;
        }
        self.nodes[key as usize].place = UNLINKED;
    }

    fn insert(&mut self, key: u32, tick: u64) {
        let differing = (tick ^ self.elapsed) | 1;
        let level = ((63 - differing.leading_zeros()) / SLOT_BITS).min(LEVELS as u32 - 1);
        let slot = (tick >> (level * SLOT_BITS)) as usize % SLOTS;
        let level = level as usize;
        let next = self.heads[level][slot];
        self.nodes[key as usize] = Node { tick, prev: NONE, next, place: (level * SLOTS + slot) as u16 };
        if next != NONE {
            self.nodes[next as usize].prev = key;
        }
        self.heads[level][slot] = key;
        self.occupied[level] |= 1 << slot;
    }

    /// The first occupied slot and the tick at which it is due.
    #[inline]
    fn first(&self) -> Option<(usize, usize, u64)> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        let shift = level as u32 * SLOT_BITS;
        let here = (self.elapsed >> shift) as u32 % SLOTS as u32;
        let ahead = self.occupied[level].rotate_right(here).trailing_zeros();
        // The top level may come round; below it an entry is always in the present turn.
        let start = (self.elapsed >> shift).wrapping_add(u64::from(ahead)) << shift;
        Some((level, ((here + ahead) as usize) % SLOTS, start.max(self.elapsed)))
    }

    /// The time to look again, [`NEVER`] if nothing is set. It may be earlier than the first entry is due.
    #[inline]
    #[must_use]
    pub fn next_deadline(&self) -> u64 {
        self.first().map_or(NEVER, |(.., tick)| tick << TICK_SHIFT)
    }

    /// Takes out an entry that is due, if there is one.
    pub fn expire(&mut self, now_ns: u64) -> Option<u32> {
        let now = now_ns >> TICK_SHIFT;
        while let Some((level, slot, tick)) = self.first() {
            if tick > now {
                break;
            }
            self.elapsed = tick;
            let mut key = self.heads[level][slot];
            if level == 0 {
                self.cancel(key);
                return Some(key);
            }
            self.heads[level][slot] = NONE;
            self.occupied[level] &= !(1 << slot);
            while key != NONE {
                let node = self.nodes[key as usize];
                self.insert(key, node.tick.max(tick));
                key = node.next;
            }
        }
        self.elapsed = self.elapsed.max(now);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn fires_in_time() {
        let mut wheel = Wheel::default();
        assert!(wheel.reserve(2000));
        let mut state = 7_u64;
        let mut due = Vec::new();
        for key in 0..2000_u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let spread = [50 * MS, 3_000 * MS, 400_000 * MS, 15_000_000 * MS][key as usize % 4];
            due.push(state % spread);
            wheel.set(key, due[key as usize]);
        }
        for key in (0..2000).step_by(10) {
            wheel.cancel(key);
            due[key as usize] = NEVER;
        }
        let mut now = 0;
        let mut fired = 0;
        loop {
            while let Some(key) = wheel.expire(now) {
                let due = due[key as usize];
                assert!(due <= now && now - due <= 3 * MS, "{due} at {now}");
                fired += 1;
            }
            let next = wheel.next_deadline();
            if next == NEVER {
                break;
            }
            assert!(next > now);
            now = next;
        }
        assert_eq!(fired, 1800);
    }

    #[test]
    fn sets_anew_while_expiring() {
        let mut wheel = Wheel::default();
        assert!(wheel.reserve(1));
        wheel.set(0, 0);
        let mut now = 0;
        for _ in 0..1000 {
            now = wheel.next_deadline();
            assert_eq!(wheel.expire(now), Some(0));
            wheel.set(0, now);
            assert_eq!(wheel.expire(now), None);
        }
        assert!(now <= 1001 << TICK_SHIFT);
    }

    #[test]
    fn a_long_sleep_passes_many_slots() {
        let mut wheel = Wheel::default();
        assert!(wheel.reserve(3));
        for (key, at) in [(0, 5 * MS), (1, 10_000 * MS), (2, 500_000 * MS)] {
            wheel.set(key, at);
        }
        let late = 600_000 * MS;
        let order = [wheel.expire(late), wheel.expire(late), wheel.expire(late), wheel.expire(late)];
        assert_eq!(order, [Some(0), Some(1), Some(2), None]);
    }
}
