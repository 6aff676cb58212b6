//! In which order to try addresses: destination address selection, RFC 6724, rules 1, 2, 5, 6, 8, 9 and 10.
//!
//! Rules 3, 4 and 7 (deprecated and home addresses, native transport) ask for what this kernel does not know of its addresses.

use super::address::Ip;

/// An address as the rules see it: IPv4 is mapped into IPv6.
fn mapped(ip: &Ip) -> u128 {
    match ip {
        Ip::V4(bytes) => 0xffff_0000_0000 | u128::from(u32::from_be_bytes(*bytes)),
        Ip::V6(bytes) => u128::from_be_bytes(*bytes),
    }
}

/// A line of the policy table.
struct Policy {
    prefix: u128,
    bits: u32,
    precedence: u8,
    label: u8,
}

/// The default policy table (RFC 6724, 2.1), longest prefixes first.
const POLICIES: [Policy; 9] = [
    Policy { prefix: 1, bits: 128, precedence: 50, label: 0 },
    Policy { prefix: 0xffff_0000_0000, bits: 96, precedence: 35, label: 4 },
    Policy { prefix: 0, bits: 96, precedence: 1, label: 3 },
    Policy { prefix: 0x2001_0000 << 96, bits: 32, precedence: 5, label: 5 },
    Policy { prefix: 0x2002 << 112, bits: 16, precedence: 30, label: 2 },
    Policy { prefix: 0x3ffe << 112, bits: 16, precedence: 1, label: 12 },
    Policy { prefix: 0xfec0 << 112, bits: 10, precedence: 1, label: 11 },
    Policy { prefix: 0xfc00 << 112, bits: 7, precedence: 3, label: 13 },
    Policy { prefix: 0, bits: 0, precedence: 40, label: 1 },
];

/// Bits that two addresses have in common at their start.
fn common_bits(left: u128, right: u128) -> u32 {
    (left ^ right).leading_zeros()
}

fn policy(address: u128) -> &'static Policy {
    let [.., everything] = &POLICIES;
    POLICIES.iter().find(|policy| common_bits(policy.prefix, address) >= policy.bits).unwrap_or(everything)
}

/// How far an address reaches (RFC 6724, 3.1): the scope of a multicast address.
fn scope(ip: &Ip) -> u8 {
    const LINK: u8 = 2;
    const SITE: u8 = 5;
    const GLOBAL: u8 = 14;
    match ip {
        Ip::V4([127, ..] | [169, 254, ..]) => LINK,
        Ip::V6([0xff, flags, ..]) => flags & 0x0f,
        Ip::V6([0xfe, second, ..]) if second & 0xc0 == 0x80 => LINK,
        Ip::V6([0xfe, second, ..]) if second & 0xc0 == 0xc0 => SITE,
        Ip::V6(_) if mapped(ip) == 1 => LINK,
        Ip::V4(_) | Ip::V6(_) => GLOBAL,
    }
}

/// What is compared of a destination and the address that it would be reached from: the greater, the better.
pub(crate) type Rank = (bool, bool, bool, u8, u8, u32);

/// How good a destination is, with the source that it would be reached from, if it can be reached.
pub(crate) fn rank(destination: &Ip, source: Option<&Ip>) -> Rank {
    let (to, reach) = (mapped(destination), scope(destination));
    let policy_to = policy(to);
    let (same_scope, same_label, common) = match source {
        None => (false, false, 0),
        Some(source) => {
            let from = mapped(source);
            // How long the common prefix is means nothing for IPv4, where it would defeat round robin.
            let common = if matches!(destination, Ip::V6(_)) { common_bits(to, from).min(64) } else { 0 };
            (scope(source) == reach, policy(from).label == policy_to.label, common)
        }
    };
    (source.is_some(), same_scope, same_label, policy_to.precedence, u8::MAX - reach, common)
}

/// Sorts by rank, the best first; what is equal stays as it is. Few addresses are sorted, so insertion does.
pub(crate) fn sort<T: Copy>(items: &mut [T], rank_of: impl Fn(&T) -> Rank) {
    for end in 1..items.len() {
        let mut at = end;
        while let Some([before, this]) = at.checked_sub(1).and_then(|start| items.get_mut(start..=at)) {
            // The length of a common prefix is compared within IPv6 only: it is 0 for IPv4.
            if rank_of(before) >= rank_of(this) {
                break;
            }
            core::mem::swap(before, this);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::numeric::{parse_v4, parse_v6};

    fn ip(text: &str) -> Ip {
        parse_v4(text.as_bytes()).map(Ip::V4).or_else(|| parse_v6(text.as_bytes()).map(Ip::V6)).expect(text)
    }

    /// Whether the first destination, reached from the first source, is tried before the second.
    fn is_first(first: (&str, &str), second: (&str, &str)) -> bool {
        let source = |text: &str| (!text.is_empty()).then(|| ip(text));
        rank(&ip(first.0), source(first.1).as_ref()) > rank(&ip(second.0), source(second.1).as_ref())
    }

    #[test]
    fn examples_of_the_rfc() {
        // 10.2
        assert!(is_first(("2001:db8:1::1", "2001:db8:1::2"), ("198.51.100.121", "169.254.13.78")));
        assert!(is_first(("198.51.100.121", "198.51.100.117"), ("2001:db8:1::1", "fe80::1")));
        assert!(is_first(("2001:db8:1::1", "2001:db8:1::2"), ("10.1.2.3", "10.1.2.4")));
        assert!(is_first(("fe80::1", "fe80::2"), ("2001:db8:1::1", "2001:db8:1::2")));
        assert!(is_first(("2001:db8:1::1", "2001:db8:1::2"), ("2001:db8:3ffe::1", "2001:db8:3f44::2")));
        assert!(is_first(("2002:c633:6401::1", "2002:c633:6401::2"), ("2001:db8:1::1", "2002:c633:6401::2")));
        assert!(is_first(("2001:db8:1::1", "2001:db8:1::2"), ("2002:c633:6401::1", "2002:c633:6401::2")));
    }

    #[test]
    fn what_cannot_be_reached_comes_last_and_equals_stay() {
        assert!(is_first(("10.0.0.1", "10.0.2.15"), ("2001:db8::1", "")));
        let source = ip("10.0.2.15");
        let mut items = [ip("2001:db8::1"), ip("9.9.9.9"), ip("1.1.1.1")];
        sort(&mut items, |to| rank(to, matches!(to, Ip::V4(_)).then_some(&source)));
        assert_eq!(items, [ip("9.9.9.9"), ip("1.1.1.1"), ip("2001:db8::1")]);
    }
}
