//! What a network card's driver offers; `rump_hypercall::net` says what the calls mean.

use rump_hypercall::net::{Counters, Info, Packet};

/// A network card.
pub trait Nic {
    /// What it is like.
    fn info(&self) -> Info;
    /// What it has counted.
    fn counters(&self) -> Counters;
    /// The next received packet.
    fn receive(&mut self) -> Option<Packet>;
    /// Queues a packet.
    ///
    /// # Errors
    /// The packet, if the queue is full.
    fn transmit(&mut self, packet: Packet) -> Result<(), Packet>;
    /// Tells the device of what was queued.
    fn flush(&mut self);
    /// Asks for an interrupt with the next packet. True if there is one already.
    fn enable_interrupt(&mut self) -> bool;
    /// Its interrupt came. True if whoever listens is to be told.
    fn interrupt(&mut self, why: Interrupt) -> bool;
    /// From now on until [`Nic::watched`] somebody looks at [`Nic::has_received`] all the time, so no interrupt is needed for a packet. False if the
    /// card cannot be watched, or nobody listens.
    fn watch(&mut self) -> bool {
        false
    }
    /// Whether a packet has come. Cheap.
    fn has_received(&self) -> bool {
        false
    }
    /// The watch is over. True, as with [`Nic::interrupt`], if whoever listens is to be told; else an interrupt comes with the next packet.
    fn watched(&mut self) -> bool {
        false
    }
}

/// Which of a card's interrupts it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// One that is shared by everything, perhaps even with other devices: the card is to be asked.
    Line,
    /// A message for its queues.
    Queues,
    /// A message for everything else.
    Config,
}
