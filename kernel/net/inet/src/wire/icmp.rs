//! Types and codes of ICMP (RFC 792, RFC 1122) and ICMPv6 (RFC 4443, RFC 4861), and the header that all of their messages begin with.

/// Bytes of the header: type, code, checksum, and four bytes that depend on the type.
pub const ICMP_LEN: usize = 8;

/// ICMP.
#[expect(missing_docs, reason = "the protocol's own names")]
pub mod v4 {
    pub const ECHO_REPLY: u8 = 0;
    pub const UNREACHABLE: u8 = 3;
    pub const ECHO: u8 = 8;
    pub const TIME_EXCEEDED: u8 = 11;
    pub const PARAMETER_PROBLEM: u8 = 12;
    /// Code of UNREACHABLE.
    pub const PROTOCOL: u8 = 2;
    /// Code of UNREACHABLE.
    pub const PORT: u8 = 3;
    /// Code of UNREACHABLE: too big and not to be fragmented.
    pub const NEEDS_FRAGMENT: u8 = 4;
    /// Code of TIME_EXCEEDED.
    pub const REASSEMBLY: u8 = 1;
}

/// ICMPv6.
#[expect(missing_docs, reason = "the protocol's own names")]
pub mod v6 {
    pub const UNREACHABLE: u8 = 1;
    pub const PACKET_TOO_BIG: u8 = 2;
    pub const TIME_EXCEEDED: u8 = 3;
    pub const PARAMETER_PROBLEM: u8 = 4;
    pub const ECHO: u8 = 128;
    pub const ECHO_REPLY: u8 = 129;
    pub const MLD_QUERY: u8 = 130;
    pub const MLD_REPORT: u8 = 131;
    pub const MLD_DONE: u8 = 132;
    pub const ROUTER_SOLICIT: u8 = 133;
    pub const ROUTER_ADVERT: u8 = 134;
    pub const NEIGHBOR_SOLICIT: u8 = 135;
    pub const NEIGHBOR_ADVERT: u8 = 136;
    /// Code of UNREACHABLE.
    pub const PORT: u8 = 4;
    /// Code of PARAMETER_PROBLEM.
    pub const NEXT_HEADER: u8 = 1;
    /// Code of PARAMETER_PROBLEM.
    pub const OPTION: u8 = 2;
    /// Code of TIME_EXCEEDED.
    pub const REASSEMBLY: u8 = 1;
}
