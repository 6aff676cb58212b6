//! The registers of Intel's 8254x and 82574 (software developer's manuals 317453 and 322154, chapter 13 and 10).

/// Device control.
pub const CTRL: usize = 0x0000;
/// Device status.
pub const STATUS: usize = 0x0008;
/// Extended device control.
pub const CTRL_EXT: usize = 0x0018;
/// Interrupt cause, read: taking the causes takes the line down.
pub const ICR: usize = 0x00c0;
/// Microseconds between two interrupts at least, in units of 256 ns.
pub const ITR: usize = 0x00c4;
/// Interrupt mask, set.
pub const IMS: usize = 0x00d0;
/// Interrupt mask, clear.
pub const IMC: usize = 0x00d8;
/// Receive control.
pub const RCTL: usize = 0x0100;
/// Transmit control.
pub const TCTL: usize = 0x0400;
/// Transmit inter-packet gap.
pub const TIPG: usize = 0x0410;
/// Receive descriptors: address, length, head, tail, delay.
pub const RDBAL: usize = 0x2800;
/// Bytes of the receive descriptors.
pub const RDLEN: usize = 0x2808;
/// The receive descriptor that the device fills next.
pub const RDH: usize = 0x2810;
/// The receive descriptor that the driver gives next.
pub const RDT: usize = 0x2818;
/// Transmit descriptors: address.
pub const TDBAL: usize = 0x3800;
/// Bytes of the transmit descriptors.
pub const TDLEN: usize = 0x3808;
/// The transmit descriptor that the device sends next.
pub const TDH: usize = 0x3810;
/// The transmit descriptor that the driver gives next.
pub const TDT: usize = 0x3818;
/// Receive checksums.
pub const RXCSUM: usize = 0x5000;
/// Multicast table, 128 words.
pub const MTA: usize = 0x5200;
/// The first receive address, low.
pub const RAL: usize = 0x5400;
/// The first receive address, high, with a bit that it is valid.
pub const RAH: usize = 0x5404;
/// Bytes of the registers that this driver uses.
pub const LEN: usize = 0x5800;

/// CTRL: set the link up.
pub const CTRL_SLU: u32 = 1 << 6;
/// CTRL: find the speed out.
pub const CTRL_ASDE: u32 = 1 << 5;
/// CTRL: reset of the link, of the copper interface; forced speed, duplex. All are to be 0.
pub const CTRL_CLEAR: u32 = 1 << 3 | 1 << 31 | 1 << 11 | 1 << 12 | 1 << 7;
/// CTRL: reset.
pub const CTRL_RST: u32 = 1 << 26;
/// STATUS: the link is up.
pub const STATUS_LU: u32 = 1 << 1;
/// CTRL_EXT: the driver is in charge (82574).
pub const CTRL_EXT_DRV_LOAD: u32 = 1 << 28;

/// Cause: transmit descriptors were written back.
pub const INT_TXDW: u32 = 1 << 0;
/// Cause: the link has changed.
pub const INT_LSC: u32 = 1 << 2;
/// Cause: few receive descriptors are left.
pub const INT_RXDMT0: u32 = 1 << 4;
/// Cause: no receive descriptor was left.
pub const INT_RXO: u32 = 1 << 6;
/// Cause: a packet has come.
pub const INT_RXT0: u32 = 1 << 7;

/// RCTL: on.
pub const RCTL_EN: u32 = 1 << 1;
/// RCTL: all multicast.
pub const RCTL_MPE: u32 = 1 << 4;
/// RCTL: broadcast.
pub const RCTL_BAM: u32 = 1 << 15;
/// RCTL: without the frame check sequence.
pub const RCTL_SECRC: u32 = 1 << 26;
/// TCTL: on.
pub const TCTL_EN: u32 = 1 << 1;
/// TCTL: pad short packets.
pub const TCTL_PSP: u32 = 1 << 3;
/// TCTL: collision threshold 15 and distance 64, as the manuals want it.
pub const TCTL_COLLISIONS: u32 = 0x0f << 4 | 0x40 << 12;
/// TIPG: the standard's gap, as the manuals want it.
pub const TIPG_STANDARD: u32 = 10 | 8 << 10 | 6 << 20;
/// RXCSUM: check the IP header and TCP's and UDP's checksums.
pub const RXCSUM_ON: u32 = 1 << 8 | 1 << 9;
/// RAH: the address is valid.
pub const RAH_AV: u32 = 1 << 31;

/// Receive status: the descriptor is done.
pub const RXD_DD: u8 = 1 << 0;
/// Receive status: the packet ends here.
pub const RXD_EOP: u8 = 1 << 1;
/// Receive status: the checksums were not looked at.
pub const RXD_IXSM: u8 = 1 << 2;
/// Receive status: UDP's checksum was looked at (82574 and the like; others use the next for both).
pub const RXD_UDPCS: u8 = 1 << 4;
/// Receive status: TCP's checksum was looked at.
pub const RXD_TCPCS: u8 = 1 << 5;
/// Receive error: a checksum is wrong.
pub const RXD_CHECKSUM_ERRORS: u8 = 1 << 5 | 1 << 6;

/// Transmit command: the packet ends here.
pub const TXD_EOP: u32 = 1 << 24;
/// Transmit command: add the frame check sequence.
pub const TXD_IFCS: u32 = 1 << 25;
/// Transmit command: segment.
pub const TXD_TSE: u32 = 1 << 26;
/// Transmit command: report when done.
pub const TXD_RS: u32 = 1 << 27;
/// Transmit command: the descriptor is of the extended kind.
pub const TXD_DEXT: u32 = 1 << 29;
/// Extended kind: data.
pub const TXD_DATA: u32 = 1 << 20;
/// Data option: complete TCP's or UDP's checksum.
pub const TXD_TXSM: u32 = 1 << 9;
/// Data option: complete IPv4's checksum.
pub const TXD_IXSM: u32 = 1 << 8;
/// Context command: TCP rather than UDP.
pub const TXC_TCP: u32 = 1 << 24;
/// Context command: IPv4 rather than IPv6.
pub const TXC_IP: u32 = 1 << 25;
/// Transmit status: done.
pub const TXD_DD: u32 = 1 << 0;
