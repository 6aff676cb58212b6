//! Guests that Xen's own tool stack makes: a Linux dom0 with xl, under QEMU (`qemu-scripts/xen-xl.sh`).

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rumpbake_tests::{Program, Run, c, c_from, finish, go, go_from, rumpbake, run, work_dir, workspace};

/// What jobs in dom0 are written with.
const PRELUDE: &str = r#"
fail() { echo "FAILED: $*"; xl list; xl dmesg | tail -n 20; exit 1; }
console() { cat "/var/log/xen/console/guest-$1.log" | tr -d '\r'; }
# make NAME IMAGE [LINE OF THE CONFIGURATION...]: creates a guest of type TYPE. The counter of PVH ones is the processor's own: where Xen emulates it, QEMU
# names a rdtscp, with which Go reads it now and then, as a rdtsc, and Xen raises a general protection fault.
make() {
    name=$1
    printf 'name="%s"\ntype="%s"\nkernel="/job/%s"\nmemory=%s\nvcpus=1\non_poweroff="destroy"\non_crash="destroy"\n' "$1" "${TYPE:-pv}" "$2" "${MEMORY:-32}" >"/tmp/$1.cfg"
    shift 2
    if [ "${TYPE:-pv}" = pvh ]; then set -- 'tsc_mode="native"' "$@"; fi
    for line; do echo "$line" >>"/tmp/$name.cfg"; done
    xl create -q "/tmp/$name.cfg" || fail "xl create $name"
}
# await NAME TEXT: until the guest's console shows the text.
await() {
    tries=0
    until console "$1" 2>/dev/null | grep -qF "$2"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "the console of $1 does not show '$2', but: $(console "$1")"
        usleep 100000
    done
}
# gone NAME: until there is no such guest.
gone() {
    tries=0
    while xl domid "$1" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "$1 does not end: $(console "$1")"
        usleep 100000
    done
}
"#;

/// The program as a guest's kernel.
fn guest(program: &Program, name: &str, options: &[&str]) -> PathBuf {
    let image = work_dir("xen-toolstack").join(format!("{name}.img"));
    run(rumpbake().arg("xen").arg(&program.elf).arg("-o").arg(&image).args(options));
    image
}

/// What `rumpbake xen` is told for a guest of type pvh.
const PVH: [&str; 2] = ["--type", "pvh"];

/// The program as an image for bare metal.
fn bare_metal(program: &Program, name: &str) -> PathBuf {
    let image = work_dir("xen-toolstack").join(format!("{name}.img"));
    run(rumpbake().arg("hw").arg(&program.elf).arg("-o").arg(&image));
    image
}

/// Runs a job in dom0, with these images beside it.
fn dom0(name: &str, job: &str, images: &[PathBuf]) -> Run {
    let path = work_dir("xen-toolstack").join(name);
    std::fs::write(&path, format!("{PRELUDE}{job}")).expect("the work folder is writable");
    let mut command = Command::new("sh");
    command.arg(workspace().join("qemu-scripts/xen-xl.sh")).arg(&path).args(images);
    finish(command, b"")
}

fn hello() -> Program {
    c_from("xen-hello-c", &[workspace().join("apps/hello-c/hello.c")], &[])
}

#[test]
fn guests_live_and_end_as_the_tool_stack_wants() {
    let asked = c("asked");
    let hello_go = go_from("xen-hello-go", &workspace().join("apps/hello-go"));
    let runtime = ["--env", "WHO=gopher", "--args", "one"];
    let images = [
        guest(&hello(), "hello-c", &["--args", "one two"]),
        guest(&hello_go, "hello-go", &[]),
        guest(&go("runtime"), "runtime", &runtime),
        guest(&hello(), "pvh-hello-c", &[&PVH[..], &["--args", "three four"]].concat()),
        guest(&hello_go, "pvh-hello-go", &PVH),
        guest(&go("runtime"), "pvh-runtime", &[&PVH[..], &runtime].concat()),
        guest(&c("threads"), "pvh-threads", &PVH),
        guest(&c("null"), "pvh-null", &PVH),
        guest(&asked, "pvh-asked", &PVH),
        guest(&asked, "asked", &[]),
        guest(&asked, "stubborn", &["--args", "deaf"]),
        bare_metal(&hello(), "hello-hw"),
    ];
    let job = r#"
        make hello-c hello-c.img
        gone hello-c
        console hello-c
        make hello-go hello-go.img
        gone hello-go
        console hello-go
        MEMORY=128 make runtime runtime.img
        gone runtime
        console runtime

        # The same as guests of the other type: status, clock, timer, preemption, a crash, less memory than the image takes.
        export TYPE=pvh
        for program in hello-c hello-go threads null; do
            make pvh-$program pvh-$program.img
            gone pvh-$program
            console pvh-$program | sed "s/^/pvh $program: /"
        done
        MEMORY=128 make pvh-runtime pvh-runtime.img
        gone pvh-runtime
        console pvh-runtime | sed 's/^/pvh /'
        make pvh-asked pvh-asked.img 'on_poweroff="preserve"'
        await pvh-asked 'asked: waiting'
        xl shutdown pvh-asked
        await pvh-asked 'rumpbake: exited'
        console pvh-asked | sed 's/^/pvh /'
        echo "pvh store: $(xenstore-read /local/domain/$(xl domid pvh-asked)/data/rumpbake/status)"
        xl destroy pvh-asked
        TYPE=pv

        # Three at once; one is paused meanwhile, one is asked to end, one is asked and does not hear, one is destroyed.
        make first asked.img
        make second asked.img
        make third asked.img
        make deaf stubborn.img 'on_poweroff="preserve"'
        for name in first second third deaf; do await $name 'asked: waiting'; done
        xl pause second
        xl list | grep -q 'second .*p---' || fail 'second is not paused'
        xl shutdown first
        gone first
        console first | sed 's/^/first: /'
        xl unpause second
        xl shutdown -w second
        gone second
        console second | sed 's/^/second: /'
        xl destroy third
        gone third
        xl shutdown deaf
        await deaf 'rumpbake: signaled 9'
        echo "store: $(xenstore-read /local/domain/$(xl domid deaf)/data/rumpbake/status)"
        xl destroy deaf
        gone deaf

        # One that is asked to reboot ends in the same way, and is made anew.
        make again asked.img 'on_reboot="restart"'
        await again 'asked: waiting'
        old=$(xl domid again)
        xl reboot again
        tries=0
        until new=$(xl domid again 2>/dev/null) && [ "$new" != "$old" ]; do
            tries=$((tries + 1))
            [ $tries -lt 600 ] || fail "again is not made anew: $(console again)"
            usleep 100000
        done
        echo 'again: anew'
        xl destroy again
        gone again

        # refused TYPE IMAGE MEMORY: what cannot be a guest, and the tool stack says why.
        refused() {
            printf 'name="refused"\ntype="%s"\nkernel="/job/%s.img"\nmemory=%s\n' "$1" "$2" "$3" >/tmp/refused.cfg
            if xl create -q /tmp/refused.cfg 2>/tmp/refused; then fail "$* is not refused"; fi
            head -n 1 /tmp/refused
        }
        # An image of the other type; less memory than the first mapping or the image takes.
        refused pv hello-hw 16
        refused pvh hello-c 16
        refused pv hello-c 2
        # In one of several sentences.
        refused pvh pvh-hello-c 1
        echo "left: $(xl list | tail -n +3 | wc -l) guests"
    "#;
    let shown = dom0("life", job, &images).ok();
    for text in [
        "argument 2: two\n",
        "pvh hello-c: argument 2: four\npvh hello-c: rumpbake: exited 3\n",
        "pvh hello-go: rumpbake: exited 2\n",
        "pvh threads: rumpbake: exited 0\n",
        "pvh null: rumpbake: signaled 11\n",
        "middle+0x",
        "pvh runtime: all right\n",
        "pvh asked: ending in an orderly way\npvh rumpbake: exited 5\n",
        "pvh store: exited 5\n",
        "runtime: all right\n",
        "first: asked: ending in an orderly way\nfirst: rumpbake: exited 5\n",
        "second: asked: ending in an orderly way\nsecond: rumpbake: exited 5\n",
        "store: signaled 9\n",
        "again: anew\n",
        "no loader found: Invalid kernel\n",
        "ELF image is not 32bit: Invalid kernel\n",
        "not enough memory for initial mapping",
        "left: 0 guests\n",
    ] {
        assert!(shown.console.contains(text), "{text:?} is missing in:\n{}", shown.console);
    }
}

#[test]
fn an_image_for_pvh_guests_runs_on_bare_metal() {
    let image = guest(&hello(), "hello-both", &PVH);
    let mut command = rumpbake();
    command.arg("run").arg(image).args(["--", "again"]);
    let _ = finish(command, b"").status(2).shows("argument 1: again\n");
}

#[test]
fn a_guest_serves_on_the_bridge() {
    let app = workspace().join("apps/netserver/netserver.c");
    let server = c_from("xen-netserver", &[app], &[]);
    let work = work_dir("xen-toolstack");
    let xl = work.join("server.cfg");
    let net = r#"{"net": {"required": true, "interfaces": [{"name": "xennet0", "address": "10.0.0.2/24"}]}}"#;
    let json = work.join("server.json");
    std::fs::write(&json, net).expect("the work folder is writable");
    let json = json.to_str().expect("the checkout's path is text");
    let xl_text = xl.to_str().expect("the checkout's path is text");
    let images = [
        guest(&server, "server", &["--config", json, "--xl-config", xl_text]),
        guest(&server, "pvh-server", &[&PVH[..], &["--config", json]].concat()),
    ];
    let config = std::fs::read_to_string(&xl).expect("the command writes it");
    assert!(config.contains("\nvif = [\"bridge=xenbr0\"]\n"), "{config}");
    let job = r#"
        vif='vif=["bridge=br0,script=hotplug"]'
        http() { printf 'GET / HTTP/1.0\r\n\r\n' | timeout 60 nc 10.0.0.2 80; }
        dd if=/dev/urandom of=/tmp/sent bs=64k count=32 2>/dev/null
        # serves NAME: such a guest answers, and ends.
        serves() {
            make "$1" "$1.img" "$vif"
            await "$1" 'netserver: ready'
            ping -c 3 -w 60 10.0.0.2 >/dev/null || fail "no answer to ping: $(console $1)"
            http | grep -qF 'Hello, world' || fail "no answer to HTTP: $(console $1)"
            # Larger than rings and windows, there and back.
            timeout 120 nc 10.0.0.2 7 </tmp/sent >/tmp/back
            cmp /tmp/sent /tmp/back || fail "the echo differs: $(console $1)"
            echo "echoed: $1"
            xl shutdown -w "$1"
            gone "$1"
        }
        serves server
        TYPE=pvh serves pvh-server

        # Without the device that it needs.
        make alone server.img
        gone alone
        console alone
        echo "left: $(xenstore-ls -f / | grep -c /backend/vif/.*state) devices"
    "#;
    let _ = dom0("bridge", job, &images)
        .ok()
        .shows("echoed: server\n")
        .shows("echoed: pvh-server\n")
        .shows("the configuration names the interface xennet0, which this machine has not; it has lo0\n")
        .shows("left: 0 devices\n");
}

#[test]
#[ignore = "takes some minutes; cargo xtask conformance runs it"]
fn a_hundred_guests_leave_nothing_behind() {
    let job = r#"
        nodes() { xenstore-ls -f / | grep -c .; }
        for TYPE in pv pvh; do
            make hello $TYPE.img
            gone hello
        done
        before=$(nodes)
        free=$(xl info | sed -n 's/^free_memory *: //p')
        round=0
        while [ $round -lt 100 ]; do
            rm -f /var/log/xen/console/guest-hello.log
            # Two of a type, in turn.
            if [ $((round / 2 % 2)) = 0 ]; then TYPE=pv; else TYPE=pvh; fi
            make hello $TYPE.img
            # Every other one is destroyed while it lives or after, every other one ends by itself.
            if [ $((round % 2)) = 0 ]; then await hello 'rumpbake: exited'; else xl destroy hello 2>/dev/null; fi
            gone hello
            round=$((round + 1))
        done
        echo "nodes: $(($(nodes) - before)) more"
        echo "memory: $((free - $(xl info | sed -n 's/^free_memory *: //p'))) MiB less"
    "#;
    let _ = dom0("cycles", job, &[guest(&hello(), "pv", &[]), guest(&hello(), "pvh", &PVH)])
        .ok()
        .shows("nodes: 0 more\n")
        .shows("memory: 0 MiB less\n");
}

/// A command that does nothing but end with a status, for a folder that comes first in PATH.
fn imposter(folder: &Path, name: &str, status: i32) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\nexit {status}\n")).expect("the work folder is writable");
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("the file was just made");
}

#[test]
fn packages_that_are_absent_are_told() {
    let folder = work_dir("xen-absent");
    let scripts = workspace().join("qemu-scripts");
    let image = guest(&hello(), "hello-absent", &[]);
    let mut command = Command::new("sh");
    command.arg(scripts.join("xen-dom0.sh")).arg(image).env("RUMPBAKE_XEN", folder.join("none"));
    let refused = finish(command, b"").status(1);
    assert!(refused.stderr.contains("there is no hypervisor; cargo xtask setup fetches it"), "{refused:?}");

    let cache = folder.join("cache");
    let _ = std::fs::remove_dir_all(&cache);
    imposter(&folder, "apt-cache", 0);
    imposter(&folder, "apt-get", 1);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.arg(scripts.join("xen-xl.sh")).env("PATH", path).env("XEN_CACHE", cache);
    let refused = finish(command, b"").status(1);
    assert!(refused.stderr.contains("apt knows no linux-image-amd64; run apt-get update"), "{refused:?}");
}
