//! Guests of Xen's tool stack with network devices: several at once on dom0's bridge, devices that are taken away and given back, and what is left
//! in Xen, xenstore and dom0 when all of it has ended.

use std::path::PathBuf;
use std::sync::LazyLock;

use rumpbake_tests::dom0::{PVH, dom0, guest};
use rumpbake_tests::{c_from, work_dir, workspace};

/// What these jobs are written with.
const PRELUDE: &str = r#"
vif='vif=["bridge=br0,script=hotplug"]'
http() { printf 'GET / HTTP/1.0\r\n\r\n' | timeout 60 nc "10.0.0.$1" 80 | grep -qF 'Hello, world'; }
# reached NUMBER NAME: until the guest with this address answers a ping; a bridge without ports takes a while to be one with.
reached() {
    tries=0
    until ping -c 1 -W 2 "10.0.0.$1" >/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 30 ] || fail "no answer to ping: $(console "$2"); $(ip -s link)"
    done
}
# answers NUMBER NAME: the guest answers a request.
answers() { http "$1" || fail "no answer to HTTP: $(console "$2")"; }
# echoes NUMBER NAME: what is larger than rings and windows, there and back.
echoes() {
    timeout 200 nc "10.0.0.$1" 7 </tmp/sent >"/tmp/back-$1"
    cmp /tmp/sent "/tmp/back-$1" || fail "the echo differs: $(console "$2")"
    echo "echoed: $2"
}
# traffic NUMBER: both ways, as much as there can be, until the machine is gone or the shell kills it.
traffic() {
    timeout 300 nc "10.0.0.$1" 19 </dev/null >/dev/null 2>&1 &
    receiver=$!
    timeout 300 nc "10.0.0.$1" 9 </dev/zero >/dev/null 2>&1 &
    sender=$!
}
quiet() { kill $receiver $sender 2>/dev/null; wait $receiver $sender; }
dump() { xl dmesg -c >/dev/null; xl debug-keys "$1"; xl dmesg; }
grants() { dump g | awk -v domain="d$1" '/grant-table for/ { mine = $(NF - 1) == domain } mine && /\[0x/ { n++ } END { print n + 0 }'; }
channels() { dump e | awk -v domain="$1:" '/information for domain/ { mine = $NF == domain } mine && / s=/ { n++ } END { print n + 0 }'; }
# held DOMAIN: what Xen has of a guest: grants that dom0 has mapped, and event channels. Console and store have two of each, the timer a channel.
held() { echo "$(grants "$1") grants, $(channels "$1") channels"; }
interfaces() { ls /sys/class/net | grep -c vif; }
# behind: what guests could leave behind.
behind() {
    echo "$(channels 0) channels, $(xenstore-ls -f / | grep -c .) nodes, $(interfaces) interfaces," \
        "$(xl info | sed -n 's/^free_memory *: //p') MiB free"
}
# settles VALUE COMMAND...: until the command prints the value.
settles() {
    wanted=$1
    shift
    tries=0
    until [ "$("$@")" = "$wanted" ]; do
        tries=$((tries + 1))
        [ $tries -lt 60 ] || fail "$*: $("$@"), and not $wanted"
        sleep 1
    done
}
# replug NUMBER NAME: takes the device away, and gives another one in its place.
replug() {
    xl network-detach "$2" 0 || fail "the device of $2 is not taken away: $(console "$2")"
    settles '2 grants, 3 channels' held "$(xl domid "$2")"
    xl network-attach "$2" bridge=br0 script=hotplug
    answers "$1" "$2"
    settles '4 grants, 4 channels' held "$(xl domid "$2")"
}
# busily NUMBER NAME: the same amid traffic.
busily() {
    traffic "$1"
    usleep 500000
    replug "$1" "$2"
    quiet
}
dd if=/dev/urandom of=/tmp/sent bs=64k count=8 2>/dev/null
# The first guest makes some nodes of xenstore that stay.
make first pv-2.img "$vif"
await first 'netserver: ready'
reached 2 first
answers 2 first
xl shutdown -w first
gone first
settles 0 interfaces
sleep 1
before=$(behind)
"#;

/// The server's file for xl, as the command writes it.
fn xl_config() -> PathBuf {
    work_dir("dom0").join("server.cfg")
}

/// The server as a guest's kernel, of either type, with the addresses 10.0.0.2 to 10.0.0.4.
static SERVERS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let server = c_from("xen-netserver", &[workspace().join("apps/netserver/netserver.c")], &[]);
    let xl_config = xl_config();
    let mut images = Vec::new();
    for number in 2..=4 {
        let net = format!(
            r#"{{"net": {{"required": true, "interfaces": [{{"name": "xennet0", "address": "10.0.0.{number}/24"}}]}}}}"#
        );
        let json = work_dir("dom0").join(format!("server-{number}.json"));
        std::fs::write(&json, net).expect("the work folder is writable");
        let path = |path: &PathBuf| path.to_str().expect("the checkout's path is text").to_owned();
        let (json, xl_config) = (path(&json), path(&xl_config));
        let pv = ["--config", &json, "--xl-config", &xl_config];
        images.push(guest(&server, &format!("pv-{number}"), &pv));
        images.push(guest(&server, &format!("pvh-{number}"), &[&PVH[..], &pv[..2]].concat()));
    }
    images
});

#[test]
fn guests_serve_on_the_bridge_and_survive_their_devices() {
    let images = &*SERVERS;
    let config = std::fs::read_to_string(xl_config()).expect("the command writes it");
    assert!(config.contains("\nvif = [\"bridge=xenbr0\"]\n"), "{config}");
    let job = r#"
        # Three at once.
        make two pv-2.img "$vif"
        TYPE=pvh make three pvh-3.img "$vif"
        make four pv-4.img "$vif"
        for name in two three four; do await $name 'netserver: ready'; done
        echoes 2 two &
        echoes 3 three &
        echoes 4 four &
        wait
        answers 4 four

        # Connections leave nothing behind in the guest.
        id=$(xl domid two)
        had=$(held $id)
        round=0
        while [ $round -lt 10 ]; do
            answers 2 two
            round=$((round + 1))
        done
        settles "$had" held $id

        # A device that is taken away and given again, while a connection waits.
        (echo begun; sleep 10; echo ended) | timeout 200 nc 10.0.0.3 7 >/tmp/waited &
        busily 2 two
        replug 3 three
        xl network-attach four bridge=br0 script=hotplug
        await four 'the network device 1 of Xen is not used'
        answers 4 four
        wait
        grep -qx ended /tmp/waited || fail "the connection broke: $(console three)"
        console two
        console four | sed 's/^/four: /'

        # A back end that changes its state without end, and one that is not there any more.
        domain=$(xl domid four)
        backend=/local/domain/0/backend/vif/$domain/0
        while :; do xenstore-write $backend/state 4; done &
        storm=$!
        answers 4 four
        answers 4 four
        kill $storm
        wait $storm
        traffic 4
        xenstore-rm $backend
        await four 'taken away'
        quiet
        xl network-detach four 1
        xl network-detach four 0
        xl network-attach four bridge=br0 script=hotplug
        answers 4 four
        settles '4 grants, 4 channels' held $domain

        # What is no request to end is none.
        control=/local/domain/$domain/control/shutdown
        for wish in '' 'poweroff ' "$(head -c 2000 /dev/zero | tr '\0' x)" '../../x' S; do xenstore-write $control "$wish"; done
        answers 4 four
        xl shutdown -w four
        gone four

        # The ends of the others, amid traffic.
        traffic 2
        usleep 500000
        xl destroy two
        gone two
        quiet
        xl destroy three
        gone three
        settles "$before" behind

        # Without the device that it needs.
        make alone pv-2.img
        gone alone
        console alone
        echo "left: $(xenstore-ls -f / | grep -c /backend/vif/.*state) devices"
    "#;
    let _ = dom0("bridge", &format!("{PRELUDE}{job}"), images)
        .ok()
        .shows("echoed: two\n")
        .shows("echoed: three\n")
        .shows("echoed: four\n")
        .shows("rumpbake: the network device of xennet0 is taken away by Xen\n")
        .shows("rumpbake: xennet0 has a network device of Xen again, and keeps its own Ethernet address\n")
        .shows("four: rumpbake: the network device 1 of Xen is not used: interfaces are looked for when the network starts\n")
        .shows("the configuration names the interface xennet0, which this machine has not; it has lo0\n")
        .shows("left: 0 devices\n");
}

#[test]
#[ignore = "takes some minutes; cargo xtask conformance runs it"]
fn sixty_guests_with_networks_leave_nothing_behind() {
    let job = r#"
        round=0
        while [ $round -lt 60 ]; do
            rm -f /var/log/xen/console/guest-server.log
            # Two of a type, in turn.
            if [ $((round / 2 % 2)) = 0 ]; then TYPE=pv; else TYPE=pvh; fi
            make server $TYPE-3.img "$vif"
            # Every other one is destroyed amid traffic, the others while they start, or are asked to end.
            case $((round % 4)) in
            0 | 2) await server 'netserver: ready'; traffic 3; usleep 300000; xl destroy server; gone server; quiet ;;
            1) xl destroy server ;;
            3) await server 'netserver: ready'; answers 3 server; xl shutdown -w server >/dev/null ;;
            esac
            gone server
            round=$((round + 1))
        done
        settles "$before" behind
        echo "left behind: nothing"
    "#;
    let _ = dom0("network-cycles", &format!("{PRELUDE}{job}"), &SERVERS).ok().shows("left behind: nothing\n");
}

#[test]
#[ignore = "takes some minutes; cargo xtask conformance runs it"]
fn a_long_life_with_a_network_uses_nothing_up() {
    // More connections than there are grants, each of several packets, and more devices than there are channels for them. A paravirtual guest, since
    // another kind does not live as long under this QEMU (qemu-scripts/README.md).
    let job = r#"
        make server pv-3.img "$vif"
        await server 'netserver: ready'
        id=$(xl domid server)
        had=$(held $id)
        round=0
        while [ $round -lt 400 ]; do answers 3 server; round=$((round + 1)); done
        echoes 3 server
        settles "$had" held $id
        round=0
        while [ $round -lt 10 ]; do busily 3 server; round=$((round + 1)); done
        echoes 3 server
        xl destroy server
        gone server
        settles "$before" behind
        echo 'left behind: nothing'
    "#;
    let _ = dom0("network-life", &format!("{PRELUDE}{job}"), &SERVERS).ok().shows("left behind: nothing\n");
}
