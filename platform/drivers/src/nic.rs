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
