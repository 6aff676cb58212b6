//! An image on a network whose servers somebody else wrote: dnsmasq gives addresses by DHCP and advertises itself as a router, with DNS. The time comes from a few
//! lines here.

use std::process::Command;

use rumpbake_tests::{c, finish, rumpbake, work_dir};

/// In a network namespace: $1 rumpbake, $2 the image, $3 a folder, $4 the time server. A lease is for two minutes, the shortest that dnsmasq gives, and is renewed after one.
/// The machine's clock is years late.
const LAN: &str = r#"
set -e
mount -t sysfs none /sys
ip link set lo up
ip tuntap add dev tap0 mode tap
ip address add 10.7.0.1/24 dev tap0
ip address add fd00:7::1/64 dev tap0 nodad
ip link set tap0 up
dnsmasq --no-daemon --no-resolv --no-hosts --user=root --interface=tap0 --bind-interfaces --no-ping --log-dhcp \
    --dhcp-range=10.7.0.50,10.7.0.59,2m --dhcp-range=fd00:7::,ra-stateless,64,2m --enable-ra --ra-param=tap0,10,60 \
    "--dhcp-option=option6:dns-server,[fd00:7::1]" --domain=test.lan \
    --address=/thing.test.lan/10.7.0.99 --address=/thing.test.lan/fd00:7::99 \
    "--dhcp-leasefile=$3/leases" --pid-file= >"$3/dnsmasq.log" 2>&1 &
python3 -c "$4" &
# QEMU writes a file where it is.
cd "$3"
eval "$("$1" run "$2" --net tap:tap0 --dry-run -- 70) -rtc base=2021-03-04T05:06:07"
"#;

/// Answers as RFC 4330 has it: a server of stratum 1, the request's time of sending as the origin, seconds since 1900.
const SNTP: &str = r#"
import socket, struct, time
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("10.7.0.1", 123))
while True:
    request, sender = server.recvfrom(1024)
    now = time.time() + 2208988800
    stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
    server.sendto(b"\x24\x01\x04\xec" + bytes(8) + b"GPS\0" + stamp + request[40:48] + stamp * 2, sender)
"#;

#[test]
#[ignore = "needs a network namespace of its own, and a while; cargo xtask conformance runs it"]
fn servers_give_addresses_names_and_the_time() {
    let folder = work_dir("lan");
    let config = folder.join("config.json");
    let text = r#"{"net": {"interfaces": [{"name": "vioif0", "dhcp": true}], "sntp": "10.7.0.1"}}"#;
    std::fs::write(&config, text).expect("the work folder is writable");
    let image = c("lan").bake_with(&["--config", &config.display().to_string()]);
    let mut command = Command::new("unshare");
    command.args([
        "--net",
        "--mount",
        "--map-root-user",
        "--kill-child",
        "--pid",
        "--fork",
        "sh",
        "-c",
        LAN,
        "lan",
    ]);
    command.arg(rumpbake().get_program()).arg(&image.path).arg(&folder).arg(SNTP);
    let outcome = finish(command, b"");
    let log = std::fs::read_to_string(folder.join("dnsmasq.log")).unwrap_or_default();
    assert!(outcome.console.contains("lan: all right\n"), "{outcome:?}\n{log}");
    let _ = outcome.shows("lan: the year is 2021\n");
    // The lease, and its renewal.
    assert_eq!(log.matches("DHCPDISCOVER").count(), 1, "{log}");
    assert!(log.matches("DHCPACK").count() >= 2, "{log}");
}
