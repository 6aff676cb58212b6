//! Network interfaces as the platform offers them: Ethernet frames in and out.
//!
//! The platform looks for devices when [`count`] is called first; before, it has not touched one. Interfaces are numbered from 0 and never go
//! away.
//!
//! # Receiving
//! [`receive`] takes the next packet whenever it is called. Once it has returned `None`, [`enable_interrupt`] asks to be told: then the platform calls, once,
//! the function that [`on_ready`] was given, and is silent again until the next [`enable_interrupt`]. If that returns true, a packet has come in between,
//! nothing was enabled, and [`receive`] is to be called again.
//!
//! # Sending
//! [`transmit`] queues; [`flush`] after the last packet of a batch tells the device. The packet's views are let go when the device has sent them.
//! Where the queue is full the packet comes back, and the function of [`on_ready`] is called once there is room, whether interrupts are enabled or not.

mod buf;
mod packet;

pub use buf::{Buf, PoolCounts, Size, Slice, pool_counts};
pub use packet::{Checksum, Gso, GsoKind, Packet};

/// What an interface is like. Only `link_up` changes; then the function of [`on_ready`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The driver's name, to which NetBSD appends a number: `vioif`, `wm`.
    pub name: &'static str,
    /// The Ethernet address.
    pub mac: [u8; 6],
    /// The largest IP packet, bytes.
    pub mtu: u16,
    /// It completes a [`Checksum::Partial`].
    pub tx_checksum: bool,
    /// It may say [`Checksum::Verified`].
    pub rx_checksum: bool,
    /// It cuts a [`Gso`] of TCP over IPv4 up to 64 KiB (all headers included) into segments.
    pub tso4: bool,
    /// The same over IPv6.
    pub tso6: bool,
    /// A cable is plugged in, or seems to be.
    pub link_up: bool,
}

/// What an interface has counted beyond what is seen of it from above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Received packets that were dropped for want of clusters, or since the device's list was full.
    pub rx_dropped: u64,
    /// Received packets that were damaged, or that the device described wrongly.
    pub rx_errors: u64,
    /// Packets that the device could not send.
    pub tx_errors: u64,
    /// Times that the device had to be started anew.
    pub resets: u64,
}

unsafe extern "Rust" {
    /// How many interfaces there are. The first call looks for them.
    #[link_name = "rb_net_count"]
    pub safe fn count() -> usize;

    /// What interface `interface` is like.
    #[link_name = "rb_net_info"]
    pub safe fn info(interface: usize) -> Info;

    /// What it has counted.
    #[link_name = "rb_net_counters"]
    pub safe fn counters(interface: usize) -> Counters;

    /// The next received packet. Its first view has at least 128 bytes, if it has as many.
    #[link_name = "rb_net_receive"]
    pub safe fn receive(interface: usize) -> Option<Packet>;

    /// Queues a packet. It comes back if the queue is full (the function of [`on_ready`] is called when it is not any more).
    #[link_name = "rb_net_transmit"]
    pub safe fn transmit(interface: usize, packet: Packet) -> Result<(), Packet>;

    /// Tells the device of what was queued.
    #[link_name = "rb_net_flush"]
    pub safe fn flush(interface: usize);

    /// Asks to be told of the next packet. True, and no interrupt will come, if there is one already.
    #[link_name = "rb_net_enable_interrupt"]
    pub safe fn enable_interrupt(interface: usize) -> bool;

    /// `ready(interface)` is called, with the virtual CPU held, when a packet has come, there is room to send again, or the link has changed. It must not
    /// wait, and is never called from within another function of this module.
    #[link_name = "rb_net_on_ready"]
    pub safe fn on_ready(ready: fn(interface: usize));
}
