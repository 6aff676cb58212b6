//! Guests that Xen's own tool stack makes: a Linux dom0 with xl, under QEMU (`qemu-scripts/xen-xl.sh`).

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rumpbake_tests::dom0::{PVH, dom0, guest};
use rumpbake_tests::{Program, c, c_from, finish, go, go_from, rumpbake, run, work_dir, workspace};

/// The program as an image for bare metal.
fn bare_metal(program: &Program, name: &str) -> PathBuf {
    let image = work_dir("dom0").join(format!("{name}.img"));
    run(rumpbake().arg("hw").arg(&program.elf).arg("-o").arg(&image));
    image
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
    let described = run(rumpbake().arg("inspect").arg(&image)).stdout;
    let kind = "rumpbake image for guests of Xen of type pvh, and bare metal, with a ";
    assert!(described.starts_with(kind.as_bytes()), "{}", String::from_utf8_lossy(&described));
    let mut command = rumpbake();
    command.arg("run").arg(image).args(["--", "again"]);
    let _ = finish(command, b"").status(2).shows("argument 1: again\n");
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
