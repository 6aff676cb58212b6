//! The options of `rumpbake run` about the network: what they make of QEMU's command line, and what is refused with which words.

mod common;

use std::net::TcpListener;

use common::{Elf, call, file, one_sentence, rumpbake, script, stderr, stdout};

/// A folder with an image and a stand-in for QEMU.
fn bench() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "program", &Elf::netbsd().bytes());
    let output = call(folder.path(), &["hw", "program", "-o", "image"]);
    assert!(output.status.success(), "{}", stderr(&output));
    script(folder.path(), "qemu", "#!/bin/sh\nexit 9\n");
    folder
}

fn run(folder: &tempfile::TempDir, arguments: &[&str]) -> std::process::Output {
    rumpbake()
        .current_dir(folder.path())
        .env("RUMPBAKE_QEMU", folder.path().join("qemu"))
        .args(["run", "image"])
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn cards_on_every_machine() {
    let folder = bench();
    for (machine, device) in [
        ("microvm", "virtio-net-device,netdev=net0"),
        ("pc", "virtio-net-pci,netdev=net0"),
        ("q35", "virtio-net-pci,"),
    ] {
        let output = run(&folder, &["--dry-run", "--machine", machine, "--net", "user", "--pcap", "x.pcap"]);
        let line = stdout(&output);
        assert!(line.contains(" -netdev user,id=net0 ") && line.contains(device), "{line}");
        assert!(line.contains(" -object filter-dump,id=dump0,netdev=net0,file=x.pcap "), "{line}");
    }
    let line = stdout(&run(&folder, &["--dry-run", "--net", "none"]));
    assert!(line.contains(" -kernel image") && !line.contains("netdev"), "{line}");
}

#[test]
fn what_the_host_does_not_have() {
    let folder = bench();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let listen = format!("socket:listen=127.0.0.1:{port}");
    for (arguments, problem) in [
        (&["--net", "tap:no-such-if"][..], "--net tap:no-such-if: the host has no interface of that name"),
        (&["--net", "tap:lo"], "that interface of the host is no tap interface"),
        (&["--net", &listen], "of the host is in use"),
        (&["--net", "user", "--pcap", "no/such/folder/x"], "no/such/folder/x: cannot be written"),
        (&["--net", "none", "--pcap", "x"], "--pcap: the machine has no network card"),
        (&["--net", "none", "--net", "user"], "--net none: stands alone"),
        (&["--net", "user", "--net", "user"], "--net user: named twice"),
    ] {
        let sentence = one_sentence(&run(&folder, arguments));
        assert!(sentence.contains(problem), "{arguments:?}: {sentence}");
    }
}

#[test]
fn words_that_say_nothing() {
    let folder = bench();
    for (arguments, problem) in [
        (["--publish", "80"], "it must be HOSTPORT:PORT"),
        (["--publish", "80:99999"], "\"99999\" is no port number"),
        (["--publish", "80:80/sctp"], "\"sctp\" is neither tcp nor udp"),
        (["--publish", "localhost:80:80"], "\"localhost\" is no IPv4 address"),
        (["--net", "bridge"], "it must be user, none, tap:IFNAME"),
        (["--net", "tap:a-name-that-is-too-long"], "is no name of an interface"),
        (["--net", "socket:1234"], "after socket: comes listen="),
        (["--net", "socket:connect=1234"], "after connect= comes ADDRESS:PORT"),
    ] {
        let output = run(&folder, &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(problem), "{arguments:?}: {}", stderr(&output));
    }
}
