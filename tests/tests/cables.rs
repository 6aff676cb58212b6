//! Images at the ends of cables: two that talk, over a good cable and a bad one; and one that is sent what nobody should send.

use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rumpbake_tests::cable::{Cable, Faults, Outlet, Random, join};
use rumpbake_tests::flood::{self, Target};
use rumpbake_tests::{
    Image, Program, c, c_from, connect, finish, free_port, on_the_host, rumpbake, work_dir, workspace,
};

/// Bakes a program with this configuration of its network (JSON) into an image of its own.
fn bake(program: &Program, name: &str, net: &str) -> Image {
    let dir = work_dir(&format!("cable-{name}"));
    let elf: PathBuf = dir.join(format!("{name}.elf"));
    std::fs::copy(&program.elf, &elf).expect("the work folder is writable");
    let config = dir.join("config.json");
    std::fs::write(&config, format!("{{\"net\": {net}}}")).expect("the work folder is writable");
    Program { elf }.bake_with(&["--config", &config.display().to_string()])
}

fn transfer() -> Program {
    c_from("transfer", &[workspace().join("apps/transfer/transfer.c")], &["-Wall", "-Werror"])
}

/// The two hosts of a cable: their interface and their addresses.
fn host(interface: &str, number: u8) -> String {
    format!(
        r#"{{"interfaces": [{{"name": "{interface}", "address": ["10.9.0.{number}/16", "fd00:9::{number}/64"]}}]}}"#
    )
}

#[test]
fn two_images_talk() {
    let program = transfer();
    let listener = bake(&program, "listener", &host("vioif0", 1));
    // The second card of this one is on the user-mode network, where it gets an address of its own.
    let client = bake(&program, "client", &host("vioif0", 2));
    let port = free_port();
    let mut guest = listener.start(&[&format!("--net=socket:listen=127.0.0.1:{port}")], &["listen", "5001"]);
    guest.wait_for("transfer: ready\n");
    let plug = format!("--net=socket:connect=127.0.0.1:{port}");
    for words in [
        ["fetch", "10.9.0.1", "5001", "16"],
        ["send", "10.9.0.1", "5001", "16"],
        ["fetch", "fd00:9::1", "5001", "16"],
        ["send", "fd00:9::1", "5001", "16"],
    ] {
        let _ = client.run_with(&[&plug, "--net=user"], &words, b"").ok().shows("16 MiB, each byte right");
    }
    for address in ["10.9.0.1", "fd00:9::1"] {
        let _ = client
            .run_with(&[&plug], &["ping", address, "5001", "200"], b"")
            .ok()
            .shows("200 datagrams came back");
    }
}

/// A transfer of so many MiB in each direction over a cable that loses, doubles and reorders.
fn over_a_bad_cable(name: &str, mib: &str) {
    let faults = Faults { lost: 50, doubled: 20, overtaken: 20 };
    let program = transfer();
    let listener = bake(&program, &format!("listener-{name}"), &host("vioif0", 1));
    let client = bake(&program, &format!("client-{name}"), &host("vioif0", 2));
    for (what, seed) in [("fetch", 1), ("send", 2)] {
        let (first, second) = (Outlet::new(), Outlet::new());
        let mut serving = listener.start(&[&first.option()], &["listen", "5001"]);
        let one = first.cable();
        serving.wait_for("transfer: ready\n");
        let mut asking = client.start(&[&second.option()], &[what, "10.9.0.1", "5001", mib]);
        let fates = join(one, second.cable(), faults, seed);
        asking.wait_for(&format!("{mib} MiB, each byte right"));
        let [sent, lost] = [&fates.sent, &fates.lost].map(|count| count.load(Ordering::Relaxed));
        println!("{what}: {lost} of {sent} frames were lost; {}", asking.console().trim_end());
        // At least every thirtieth.
        assert!(lost * 30 > sent, "{lost} of {sent} frames were lost");
    }
}

#[test]
fn a_bad_cable() {
    over_a_bad_cable("short", "2");
}

#[test]
#[ignore = "takes minutes; cargo xtask conformance runs it"]
fn a_bad_cable_for_64_mib() {
    over_a_bad_cable("long", "64");
}

/// A server with two cards: over one it is asked, over the other it is sent what `frame` makes.
struct Flooded {
    cable: Cable,
    answers: Arc<AtomicU64>,
    target: Target,
    port: u16,
    _guest: rumpbake_tests::Guest,
}

impl Flooded {
    fn start(name: &str) -> Self {
        let image = bake(&c("netpages"), name, &host("vioif1", 1));
        let outlet = Outlet::new();
        let port = free_port();
        let mut guest =
            image.start(&["--net=user", &outlet.option(), &format!("--publish={port}:80"), "-m", "64"], &[]);
        let mut cable = outlet.cable();
        guest.wait_for("netpages: ready\n");
        // Whatever it sends bears its hardware address.
        let mac = cable.source().expect("it announces itself");
        let answers = cable.count(flood::ASKER);
        Self { cable, answers, target: Target { mac, addr: [10, 9, 0, 1] }, port, _guest: guest }
    }

    /// Pages that are free, by the server's word.
    fn free_pages(&self) -> u64 {
        loop {
            let mut text = String::new();
            // A connection that came too early is reset.
            if connect(self.port).read_to_string(&mut text).is_ok()
                && let Ok(pages) = text.trim().parse()
            {
                return pages;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn send(&mut self, frames: usize, mut frame: impl FnMut(&Target) -> Vec<u8>) {
        for _ in 0..frames {
            let frame = frame(&self.target);
            self.cable.send(&frame).expect("the image lives");
        }
        // Whoever asks for its address is answered.
        let (before, start) = (self.answers.load(Ordering::Relaxed), Instant::now());
        while self.answers.load(Ordering::Relaxed) == before {
            assert!(start.elapsed() < Duration::from_secs(120), "the card takes no frames any more");
            self.cable.send(&flood::question(&self.target)).expect("the image lives");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Floods; the server answers all the while, and at the end has as many free pages as before, but for `spare`.
fn flood(name: &str, frames: usize, spare: u64) {
    let mut server = Flooded::start(name);
    let mut random = Random::new(0x5eed);
    // What is only made once is made: a first answer, and a first bit of everything.
    server.send(1000, |target| flood::wrong(&mut random, target));
    server.send(1000, |target| flood::syn(&mut random, target, 80));
    let before = server.free_pages();
    let mut least = before;
    for part in 0..10 {
        server.send(frames / 20, |target| flood::wrong(&mut random, target));
        server.send(frames / 20, |target| flood::syn(&mut random, target, 80));
        let now = server.free_pages();
        least = least.min(now);
        println!("after {} frames: {now} free pages, {before} before", (part + 1) * frames / 10);
    }
    assert!(before - least < 2048, "a flood took {} pages", before - least);
    // Timers let go of what waits for an answer.
    let deadline = Instant::now() + Duration::from_secs(240);
    let mut now = least;
    while now + spare < before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(500));
        now = server.free_pages();
    }
    println!("at the end: {now} free pages");
    assert!(now + spare >= before, "{before} pages were free, now {now} are");
}

#[test]
fn a_flood() {
    // Without the time that timers take.
    flood("flood-short", 20_000, 2048);
}

#[test]
#[ignore = "takes minutes; cargo xtask conformance runs it"]
fn a_long_flood_leaves_nothing_behind() {
    flood("flood-long", 1_000_000, 16);
}

/// A network namespace of the test's own: a tap interface with offloads, the program on the host, and the image at its other end. `$1` is the program on the
/// host, `$2` the command `rumpbake`, `$3` the image. Prints the program's words, and at the end the bytes and packets of the tap interface.
const TAP: &str = r#"
set -e
ip link set lo up
ip tuntap add dev tap0 mode tap
ip address add 10.9.0.9/16 dev tap0
ip address add fd00:9::9/64 dev tap0 nodad
ip link set tap0 up
"$1" listen 5001 &
"$2" run "$3" --net tap:tap0 -- send 10.9.0.9 5001 64
"$2" run "$3" --net tap:tap0 -- fetch 10.9.0.9 5001 64
"$2" run "$3" --net tap:tap0 -- send fd00:9::9 5001 64
"$2" run "$3" --net tap:tap0 -- fetch fd00:9::9 5001 64
kill $!
"$2" run "$3" --net tap:tap0 -- listen 5002 &
"$1" fetch fd00:9::2 5002 16
"$1" send fd00:9::2 5002 16
"$1" send 10.9.0.2 5002 16
for side in rx tx; do
    echo $side $(($(cat /sys/class/net/tap0/statistics/${side}_bytes) / $(cat /sys/class/net/tap0/statistics/${side}_packets)))
done
kill $!
"#;

#[test]
#[ignore = "needs a network namespace of its own, and a while; cargo xtask conformance runs it"]
fn a_tap_interface_with_offloads() {
    let image = bake(&transfer(), "tap", &host("vioif0", 2));
    let on_host = on_the_host("transfer", &workspace().join("apps/transfer/transfer.c"));
    // sysfs shows the interfaces of the namespace in which it was mounted.
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--map-root-user", "sh", "-c"]);
    command.arg(format!("mount -t sysfs none /sys; {TAP}")).arg("tap").arg(on_host.get_program());
    command.arg(rumpbake().get_program()).arg(&image.path);
    let outcome = finish(command, b"").ok();
    println!("{}", outcome.console);
    assert_eq!(outcome.console.matches("each byte right").count(), 7, "{outcome:?}");
    // Mean lengths above what a cable carries: segments were cut by nobody.
    for side in ["rx", "tx"] {
        let line = outcome.console.lines().find_map(|line| line.strip_prefix(side)).expect("it is printed");
        let mean: u64 = line.trim().parse().expect("a number is printed");
        println!("{side}: {mean} bytes a packet");
        assert!(mean > 1514, "{side}: {mean} bytes a packet");
    }
}
