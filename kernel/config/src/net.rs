//! The key `net`: interfaces and their addresses.
//!
//! Addresses are read here, so that one that is wrong is an error with the key's name before the image is made or started, and the kernel has none to read.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::net::IpAddr;

use crate::error::{ConfigError, Problem};
use crate::json::Reader;
use crate::keys::{check_text, once, text};

/// The network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Net {
    /// What is said of interfaces. JSON key `interfaces`: an array of objects.
    pub interfaces: Option<Vec<Interface>>,
    /// The program does not start before an interface has an address, and not at all if none gets one. JSON key `required`.
    pub required: Option<bool>,
    /// The server from which the time is taken at boot. JSON key `sntp`: an address.
    pub sntp: Option<IpAddr>,
}

/// What is said of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its name: `vioif0`, `wm0`. JSON key `name`.
    pub name: String,
    /// Whether it asks for an IPv4 address by DHCP; by default where it has none here. JSON key `dhcp`.
    pub dhcp: Option<bool>,
    /// Its addresses. JSON key `address`: a string `ADDRESS/BITS` or an array of them.
    pub addresses: Vec<Cidr>,
    /// Routers, one of each family. JSON key `gateway`: an address or an array of them.
    pub gateways: Vec<IpAddr>,
    /// The largest packet, bytes. JSON key `mtu`.
    pub mtu: Option<u32>,
    /// Name servers. JSON key `dns`: an address or an array of them.
    pub dns: Vec<IpAddr>,
}

/// An address and the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The address.
    pub addr: IpAddr,
    /// Bits, up to 32 or 128.
    pub bits: u8,
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.bits)
    }
}

/// The smallest and the largest MTU: what RFC 791 and the length field of IPv4 say.
const MTU_RANGE: core::ops::RangeInclusive<u32> = 576..=65535;

const CIDR_RULE: &str =
    "must be an address with the length of its prefix, for example \"10.0.0.2/24\" or \"2001:db8::2/64\"";
const ADDR_RULE: &str = "must be an IPv4 or IPv6 address";

fn cidr(word: &str) -> Result<Cidr, Problem> {
    let wrong = Problem::Value(CIDR_RULE);
    let Some((addr, bits)) = word.split_once('/') else { return Err(wrong) };
    let (Ok(addr), Ok(bits)) = (addr.parse::<IpAddr>(), bits.parse::<u8>()) else { return Err(wrong) };
    let most = if addr.is_ipv4() { 32 } else { 128 };
    if bits == 0 || bits > most || addr.is_multicast() || addr.is_unspecified() {
        return Err(wrong);
    }
    Ok(Cidr { addr, bits })
}

fn addr(word: &str) -> Result<IpAddr, Problem> {
    word.parse().map_err(|_| Problem::Value(ADDR_RULE))
}

/// One string or an array of them, each made a value by `parse`.
fn list<T>(
    reader: &mut Reader<'_>,
    parse: fn(&str) -> Result<T, Problem>,
) -> Result<Option<Vec<T>>, ConfigError> {
    const WANTED: &str = "a string or an array of strings";
    let mut values = Vec::new();
    let mut one = |reader: &mut Reader<'_>| -> Result<(), ConfigError> {
        let word = reader.string(WANTED)?;
        values.push(parse(&word).map_err(|problem| reader.error(problem))?);
        Ok(())
    };
    if reader.next_is(b'"') {
        one(reader)?;
    } else {
        let mut place = reader.open(b'[', WANTED)?;
        while reader.member(&mut place, b']')? {
            one(reader)?;
        }
    }
    Ok(Some(values))
}

fn mtu(reader: &mut Reader<'_>) -> Result<u32, ConfigError> {
    let value = reader.number("a number")?;
    if MTU_RANGE.contains(&value) {
        Ok(value)
    } else {
        Err(reader.error(Problem::Value("must be between 576 and 65535")))
    }
}

fn check_name(name: &str) -> Result<(), Problem> {
    const RULE: &str = "must be an interface's name, for example \"vioif0\"";
    let good = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if name.is_empty() || name.len() > 15 || !good {
        return Err(Problem::Value(RULE));
    }
    check_text(name)
}

fn interface(reader: &mut Reader<'_>) -> Result<Interface, ConfigError> {
    let (mut name, mut dhcp, mut mtu_seen) = (None, None, None);
    let (mut addresses, mut gateways, mut dns) = (None, None, None);
    let mut place = reader.open(b'{', "an object")?;
    while let Some(key) = reader.key(&mut place)? {
        let result = match key.as_str() {
            "name" => once(reader, &mut name, |reader| text(reader, check_name)),
            "dhcp" => once(reader, &mut dhcp, |reader| reader.boolean("true or false")),
            "address" => once(reader, &mut addresses, |reader| list(reader, cidr)),
            "gateway" => once(reader, &mut gateways, |reader| list(reader, addr)),
            "mtu" => once(reader, &mut mtu_seen, mtu),
            "dns" => once(reader, &mut dns, |reader| list(reader, addr)),
            _ => Err(reader.error(Problem::UnknownKeyOf("name, dhcp, address, gateway, mtu, dns"))),
        };
        result.map_err(|error| error.at_key(&["net.interfaces.", &key].concat()))?;
    }
    let Some(name) = name else {
        return Err(reader.error(Problem::Value("is missing")).at_key("net.interfaces.name"));
    };
    Ok(Interface {
        name,
        dhcp,
        addresses: addresses.flatten().unwrap_or_default(),
        gateways: gateways.flatten().unwrap_or_default(),
        mtu: mtu_seen,
        dns: dns.flatten().unwrap_or_default(),
    })
}

fn interfaces(reader: &mut Reader<'_>) -> Result<Vec<Interface>, ConfigError> {
    let mut list: Vec<Interface> = Vec::new();
    let mut place = reader.open(b'[', "an array of objects")?;
    while reader.member(&mut place, b']')? {
        let one = interface(reader)?;
        if list.iter().any(|known| known.name == one.name) {
            return Err(reader.error(Problem::Value("has an interface twice")));
        }
        list.push(one);
    }
    Ok(list)
}

/// Reads the object.
pub fn net(reader: &mut Reader<'_>) -> Result<Net, ConfigError> {
    let mut net = Net::default();
    let mut place = reader.open(b'{', "an object")?;
    while let Some(key) = reader.key(&mut place)? {
        let result = match key.as_str() {
            "interfaces" => once(reader, &mut net.interfaces, interfaces),
            "required" => once(reader, &mut net.required, |reader| reader.boolean("true or false")),
            "sntp" => once(reader, &mut net.sntp, |reader| {
                let word = reader.string("a string")?;
                addr(&word).map_err(|problem| reader.error(problem))
            }),
            _ => Err(reader.error(Problem::UnknownKeyOf("interfaces, required, sntp"))),
        };
        result.map_err(|error| error.at_key(&["net.", &key].concat()))?;
    }
    Ok(net)
}

impl Net {
    /// This with `other` laid over it; a list of interfaces replaces the other one whole.
    #[must_use]
    pub fn overlay(self, other: Self) -> Self {
        Self {
            interfaces: other.interfaces.or(self.interfaces),
            required: other.required.or(self.required),
            sntp: other.sntp.or(self.sntp),
        }
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As JSON. Names and addresses need no escapes.
    pub(crate) fn write(&self, out: &mut String) {
        let mut comma = "{";
        if let Some(interfaces) = &self.interfaces {
            out.push_str("{\"interfaces\":[");
            for (index, interface) in interfaces.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                interface.write(out);
            }
            out.push(']');
            comma = ",";
        }
        // Writing to a String does not fail.
        if let Some(required) = self.required {
            let _ = write!(out, "{comma}\"required\":{required}");
            comma = ",";
        }
        if let Some(sntp) = self.sntp {
            let _ = write!(out, "{comma}\"sntp\":\"{sntp}\"");
            comma = ",";
        }
        out.push_str(if comma == "{" { "{}" } else { "}" });
    }
}

fn write_list<T: fmt::Display>(out: &mut String, key: &str, list: &[T]) {
    if list.is_empty() {
        return;
    }
    let _ = write!(out, ",\"{key}\":[");
    for (index, item) in list.iter().enumerate() {
        let _ = write!(out, "{}\"{item}\"", if index > 0 { "," } else { "" });
    }
    out.push(']');
}

impl Interface {
    fn write(&self, out: &mut String) {
        let _ = write!(out, "{{\"name\":\"{}\"", self.name);
        if let Some(dhcp) = self.dhcp {
            let _ = write!(out, ",\"dhcp\":{dhcp}");
        }
        write_list(out, "address", &self.addresses);
        write_list(out, "gateway", &self.gateways);
        if let Some(mtu) = self.mtu {
            let _ = write!(out, ",\"mtu\":{mtu}");
        }
        write_list(out, "dns", &self.dns);
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;
    use alloc::string::ToString;

    #[test]
    fn reads_and_writes() {
        let json = r#"{"net":{"interfaces":[{"name":"vioif0","dhcp":false,"address":["10.0.0.2/24","2001:db8::2/64"],"gateway":["10.0.0.1"],"mtu":9000,"dns":["10.0.0.1"]},{"name":"wm0"}],"required":true,"sntp":"10.0.0.1"}}"#;
        let config = Config::parse(json.as_bytes()).unwrap();
        assert_eq!(config.to_json(), json);
        assert_eq!(config.net.interfaces.unwrap()[0].addresses[1].bits, 64);
        let one =
            Config::parse(br#"{"net":{"interfaces":[{"name":"wm0","address":"10.0.0.2/8"}]}}"#).unwrap();
        assert_eq!(one.net.interfaces.as_ref().unwrap()[0].addresses.len(), 1);
        let line = Config::parse(br#"{"net":{"required":true}}"#).unwrap();
        let both = one.overlay(line);
        assert_eq!((both.net.required, both.net.interfaces.map(|list| list.len())), (Some(true), Some(1)));
    }

    #[test]
    fn the_sentence_names_the_key() {
        for (json, expected) in [
            (r#"{"net":[]}"#, "\"net\" must be an object, not an array"),
            (
                r#"{"net":{"x":1}}"#,
                "there is no key \"net.x\"; the keys are interfaces, required, sntp (line 1, column 13)",
            ),
            (
                r#"{"net":{"interfaces":[{"name":"wm0","address":"10.0.0.300/8"}]}}"#,
                "\"net.interfaces.address\" must be an address with the length of its prefix",
            ),
            (
                r#"{"net":{"interfaces":[{"name":"wm0","address":"10.0.0.3"}]}}"#,
                "\"net.interfaces.address\" must be an address with the length of its prefix",
            ),
            (
                r#"{"net":{"interfaces":[{"name":"wm0","gateway":"a"}]}}"#,
                "\"net.interfaces.gateway\" must be an IPv4 or IPv6 address",
            ),
            (r#"{"net":{"interfaces":[{"mtu":1500}]}}"#, "\"net.interfaces.name\" is missing"),
            (
                r#"{"net":{"interfaces":[{"name":"wm0","mtu":99999999999}]}}"#,
                "\"net.interfaces.mtu\" must be between 576 and 65535",
            ),
            (
                r#"{"net":{"interfaces":[{"name":"wm0","mtu":"1500"}]}}"#,
                "\"net.interfaces.mtu\" must be a number, not a string",
            ),
            (
                r#"{"net":{"interfaces":[{"name":"wm0"},{"name":"wm0"}]}}"#,
                "\"net.interfaces\" has an interface twice",
            ),
            (r#"{"net":{"sntp":"pool.ntp"}}"#, "\"net.sntp\" must be an IPv4 or IPv6 address"),
        ] {
            let sentence = Config::parse(json.as_bytes()).unwrap_err().to_string();
            assert!(sentence.starts_with(expected), "{json}: {sentence}");
        }
    }
}
