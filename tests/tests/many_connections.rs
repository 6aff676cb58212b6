//! Ten thousand connections to one image, which has 256 MiB.

use std::process::Command;

use rumpbake_tests::{c_from, rumpbake, run, work_dir, workspace};

/// Boots the image at the end of a tap device of this namespace (sysfs shows it where it is mounted anew), holds connections to it, and asks each of
/// them again and again.
const SCRIPT: &str = r#"
set -e
mount -t sysfs none /sys
ip link set lo up
ip tuntap add tap0 mode tap
ip address add 192.0.2.1/24 dev tap0
ip link set tap0 up
"$2" run "$3" --net tap:tap0 --memory 256M </dev/null &
trap 'kill $!' EXIT
for words in 1 10 100 1000 10000 $(yes ask | head -n 30); do echo $words; done | "$1" hold 192.0.2.2 80
"#;

/// The 300,000 answers are a test of their own: a device that is not told of a packet, or does not tell of one, shows after about as many.
#[test]
#[ignore = "needs a network namespace of its own, and a minute; cargo xtask conformance runs it"]
fn ten_thousand_are_held_and_answered() {
    let dir = work_dir("many-connections");
    let load = dir.join("load");
    run(Command::new("gcc").args(["-O2", "-o"]).arg(&load).arg(workspace().join("tests/bench/host/load.c")));
    let config = dir.join("net.json");
    let text = r#"{"net": {"interfaces": [{"name": "vioif0", "dhcp": false, "address": "192.0.2.2/24"}]}}"#;
    std::fs::write(&config, text).expect("the work folder is writable");
    let server = workspace().join("apps/netserver/netserver.c");
    let image =
        c_from("many-connections", &[server], &[]).bake_with(&["--config", &config.display().to_string()]);
    let output = run(Command::new("unshare")
        .args(["--net", "--mount", "--map-root-user", "sh", "-c", SCRIPT, "sh"])
        .arg(&load)
        .arg(rumpbake().get_program())
        .arg(&image.path));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("held 10000\n"), "{text}");
    assert_eq!(text.matches("net.held_answered").count(), 30, "{text}");
}
