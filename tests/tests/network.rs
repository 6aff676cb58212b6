//! Servers and clients in images, over QEMU's user network.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rumpbake_tests::cable::Outlet;
use rumpbake_tests::{
    Guest, Image, Program, c, c_from, connect, finish, free_port, go_from, on_the_host, rumpbake, run,
    work_dir, workspace,
};

fn app(path: &str) -> PathBuf {
    workspace().join("apps").join(path)
}

/// What `curl` prints.
fn curl(arguments: &[&str]) -> String {
    let output = run(Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--max-time", "60"])
        .args(arguments));
    String::from_utf8(output.stdout).expect("the servers answer with text")
}

/// The image with ports of the guest on ports of the host, in the same order.
fn serve<const N: usize>(image: &Image, ready: &str, guest_ports: [&str; N]) -> (Guest, [u16; N]) {
    let host_ports = [(); N].map(|()| free_port());
    let publish: Vec<String> =
        host_ports.iter().zip(guest_ports).map(|(host, guest)| format!("--publish={host}:{guest}")).collect();
    let options: Vec<&str> = publish.iter().map(String::as_str).collect();
    let mut guest = image.start(&options, &[]);
    guest.wait_for(ready);
    (guest, host_ports)
}

#[test]
fn the_classic_services() {
    let image = c_from("netserver", &[app("netserver/netserver.c")], &[]).bake();
    let (_guest, [echo, echo_udp, discard, chargen, http]) =
        serve(&image, "netserver: ready\n", ["7", "7/udp", "9", "19", "80"]);

    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut stream = connect(echo);
    let mut writer = stream.try_clone().expect("descriptors are plentiful");
    let bytes = sent.clone();
    let feeder = std::thread::spawn(move || {
        writer.write_all(&bytes).expect("the guest takes what it echoes");
        writer.shutdown(std::net::Shutdown::Write).expect("it is connected");
    });
    let mut echoed = Vec::new();
    stream.read_to_end(&mut echoed).expect("the guest echoes");
    feeder.join().expect("the feeder does not panic");
    assert!(echoed == sent, "{} bytes came back of {}", echoed.len(), sent.len());

    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("the host has free ports");
    socket.connect(("127.0.0.1", echo_udp)).expect("a datagram socket connects to anything");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("the time is not zero");
    for len in [0, 1, 100, 1400, 1472] {
        socket.send(&sent[..len]).expect("it fits");
        let mut answer = [0; 2000];
        let got =
            socket.recv(&mut answer).unwrap_or_else(|error| panic!("a datagram of {len} bytes: {error}"));
        assert_eq!(&answer[..got], &sent[..len]);
    }

    let mut stream = connect(discard);
    for _ in 0..10 {
        stream.write_all(&sent).expect("the guest takes everything");
    }
    drop(stream);

    let mut stream = connect(chargen);
    let mut received = vec![0; 10_000_000];
    stream.read_exact(&mut received).expect("the guest sends without end");
    drop(stream);

    assert_eq!(
        curl(&[&format!("http://127.0.0.1:{http}/"), &format!("http://127.0.0.1:{http}/again")]),
        "Hello, world\n".repeat(2)
    );
}

/// The kinds of network cards, on the machines that have them; what no driver knows is named.
#[test]
fn cards() {
    let source = app("transfer/transfer.c");
    let image = c_from("transfer", std::slice::from_ref(&source), &["-Wall", "-Werror"]).bake();
    let port = free_port().to_string();
    let mut server = on_the_host("transfer", &source)
        .args(["listen", &port])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was just built");
    let mut ready = [0; 16];
    server.stdout.as_mut().expect("piped").read_exact(&mut ready).expect("it says that it listens");
    let run = |machine: &str, card: &str, words: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(workspace().join(format!("qemu-scripts/{machine}.sh"))).arg(&image.path).arg("--");
        command.args(words).env("NETDEV", "user").env("NIC", card);
        finish(command, b"")
    };
    for (machine, card) in [
        ("microvm", "virtio-net-device"),
        ("pc", "virtio-net-pci"),
        ("q35", "virtio-net-pci,disable-legacy=on"),
        ("pc", "e1000"),
        ("q35", "e1000e"),
    ] {
        for direction in ["fetch", "send"] {
            let _ =
                run(machine, card, &[direction, "10.0.2.2", &port, "4"]).ok().shows("4 MiB, each byte right");
        }
    }
    for (card, name) in [("rtl8139", "10ec:8139"), ("vmxnet3", "15ad:07b0")] {
        // Without words it goes at once.
        let _ = run("pc", card, &[]).status(2).shows(&format!("network card {name} has no driver"));
    }
    server.kill().and_then(|()| server.wait()).expect("it runs");
}

#[test]
fn nginx_serves_a_folder() {
    let dir = work_dir("nginx");
    let root = app("nginx/root");
    run(Command::new("sh")
        .arg(app("nginx/build.sh"))
        .arg(&dir)
        .env("RUMPBAKE", rumpbake_tests::rumpbake().get_program()));
    let image = Program { elf: dir.join("nginx.elf") }.bake_with(&["--root", &root.display().to_string()]);
    let (_guest, [port]) = serve(&image, "using the", ["80"]);
    let page = std::fs::read_to_string(root.join("htdocs/index.html")).expect("the page is there");
    assert_eq!(curl(&[&format!("http://127.0.0.1:{port}/")]), page);
    assert_eq!(curl(&[&format!("http://127.0.0.1:{port}/hello")]), "hello\n");
    let missing = Command::new("curl")
        .args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"])
        .arg(format!("http://127.0.0.1:{port}/none"))
        .output();
    assert_eq!(missing.expect("curl is there").stdout, b"404");
}

#[test]
fn go_serves_and_fetches() {
    let image = go_from("web-go", &app("web-go")).bake();
    {
        let (_guest, [http, https]) = serve(&image, "web-go: ready\n", ["80", "443"]);
        assert_eq!(curl(&[&format!("http://127.0.0.1:{http}/")]), "Hello from Go over HTTP/1.1, TLS false\n");
        assert_eq!(
            curl(&["--insecure", &format!("https://127.0.0.1:{https}/")]),
            "Hello from Go over HTTP/1.1, TLS true\n"
        );
    }

    // A server on the host, whose name the image knows from its file of hosts.
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the host has free ports");
    let port = listener.local_addr().expect("it is bound").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the guest connects");
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.ends_with(b"\r\n\r\n") {
            let len = stream.read(&mut buffer).expect("the guest asks");
            request.extend_from_slice(&buffer[..len]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nfound\n")
            .expect("the guest listens");
        String::from_utf8(request).expect("requests are text")
    });
    let root = work_dir("web-go-client").join("root");
    std::fs::create_dir_all(root.join("etc")).expect("the work folder is writable");
    std::fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n10.0.2.2 the-host.example\n")
        .expect("the work folder is writable");
    let client = go_from("web-go-client", &app("web-go")).bake_with(&["--root", &root.display().to_string()]);
    let _ = client.run_args(&["get", &format!("http://the-host.example:{port}/page")]).ok().shows("found\n");
    assert!(server.join().expect("the server does not panic").starts_with("GET /page HTTP/1.1\r\n"));
}

/// Bakes a program with this configuration of the network (JSON).
fn bake_with_net(program: &Program, name: &str, net: &str) -> Image {
    let dir = work_dir(&format!("net-{name}"));
    let (elf, config) = (dir.join(format!("{name}.elf")), dir.join("config.json"));
    std::fs::copy(&program.elf, &elf).expect("the work folder is writable");
    std::fs::write(&config, format!("{{\"net\": {net}}}")).expect("the work folder is writable");
    Program { elf }.bake_with(&["--config", &config.display().to_string()])
}

#[test]
fn the_host_over_ipv6() {
    if TcpListener::bind(("::1", 0)).is_err() {
        println!("this host has no IPv6");
        return;
    }
    let source = app("transfer/transfer.c");
    let port = free_port().to_string();
    let mut listener =
        on_the_host("transfer", &source).arg("listen").arg(&port).spawn().expect("it was built");
    let image = c_from("transfer", &[source], &["-Wall", "-Werror"]).bake();
    for what in ["send", "fetch"] {
        let _ = image.run_args(&[what, "fec0::2", &port, "8"]).ok().shows("8 MiB, each byte right");
    }
    listener.kill().expect("it runs");
    let _ = listener.wait();
}

#[test]
fn last_words_arrive() {
    let image = c("lastwords").bake();
    for (end, status) in
        [("exit", 3), ("_exit", 3), ("abort", 134), ("kill", 137), ("segv", 139), ("memory", 137)]
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the host has free ports");
        let port = listener.local_addr().expect("it is bound").port().to_string();
        let reader = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("the guest connects");
            let mut words = Vec::new();
            let end = stream.read_to_end(&mut words);
            (words.len(), end.is_ok())
        });
        let _ = image.run_with(&["-m", "32"], &[end, &port], b"").status(status);
        let (len, whole) = reader.join().expect("the reader does not panic");
        assert!(len == 256 << 10 && whole, "{end}: {len} bytes came, {whole}");
    }
}

/// The components of an image that have to do with the network, by `rumpbake inspect`, and their bytes of code.
fn network_of(image: &Image) -> (Vec<String>, u64) {
    let output = run(rumpbake().arg("inspect").arg("--json").arg(&image.path));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let components = report["components"].as_array().expect("an image has components");
    let name = |component: &serde_json::Value| component["name"].as_str().unwrap_or_default().to_owned();
    let network: Vec<_> = components.iter().filter(|component| name(component).starts_with("net")).collect();
    let bytes = network.iter().map(|component| component["text_bytes"].as_u64().unwrap_or_default());
    (network.iter().map(|component| name(component)).collect(), bytes.sum())
}

#[test]
fn who_opens_no_socket_has_no_network() {
    assert_eq!(network_of(&c("files").bake()), (Vec::new(), 0));
    let image = c("interfaces").bake();
    let (names, bytes) = network_of(&image);
    assert!(
        ["net", "net_inet", "net_inet6"].iter().all(|name| names.iter().any(|other| other == name)),
        "{names:?}"
    );
    assert!(bytes > 100_000, "{bytes}");
    let _ = image.run().ok().shows("lo0 127.0.0.1\n").shows("vioif0 fe80::").shows("lo0 is number 1\n");
}

#[test]
fn what_cannot_be_is_said_in_a_sentence() {
    let program = c("interfaces");
    let taken = TcpListener::bind(("0.0.0.0", 0)).expect("the host has free ports");
    let port = taken.local_addr().expect("it is bound").port();
    let image = program.bake();
    let outcome = image.run_with(&[&format!("--publish={port}:80")], &[], b"");
    let sentence =
        format!("--publish: TCP port {port} of the host is in use; name another, or end what listens there");
    assert!(outcome.status != 0 && outcome.stderr.contains(&sentence), "{outcome:?}");

    let image =
        bake_with_net(&program, "unknown", r#"{"interfaces": [{"name": "wm7", "address": "10.9.0.1/16"}]}"#);
    let _ = image
        .run()
        .ok()
        .shows("the configuration names the interface wm7, which this machine has not; it has lo0, vioif0\n");

    let dir = work_dir("net-malformed");
    let config = dir.join("config.json");
    for (net, sentence) in [
        (r#"{"interfaces": [{"name": "vioif0", "address": "10.9.0.300/16"}]}"#, "net.interfaces.address"),
        (r#"{"interfaces": [{"name": "vioif0", "gateway": "here"}]}"#, "net.interfaces.gateway"),
        (r#"{"sntp": 7}"#, "net.sntp"),
    ] {
        std::fs::write(&config, format!("{{\"net\": {net}}}")).expect("the work folder is writable");
        let mut command = rumpbake();
        command.arg("hw").arg(&program.elf).arg("-o").arg(dir.join("none.img")).arg("--config").arg(&config);
        let outcome = finish(command, b"");
        assert!(outcome.status != 0 && outcome.stderr.contains(sentence), "{outcome:?}");
    }

    let image = bake_with_net(&program, "required", r#"{"required": true}"#);
    let _ = image
        .run_with(&["--net=none"], &[], b"")
        .status(127)
        .shows("the program needs the network (net.required), and no interface has got an address\n");
}

#[test]
fn nobody_gives_addresses() {
    let outlet = Outlet::new();
    let mut guest = c("lastwords").bake().start(&[&outlet.option()], &["exit", "9"]);
    let _cable = outlet.cable();
    guest.wait_for("vioif0: no DHCP server has answered yet\n");
    guest.wait_for("connect: No route to host\n");
}

#[test]
#[ignore = "waits for half a minute; cargo xtask conformance runs it"]
fn a_program_that_needs_an_address_does_not_start_without() {
    let outlet = Outlet::new();
    let image = bake_with_net(&c("interfaces"), "needs", r#"{"required": true}"#);
    let mut guest = image.start(&[&outlet.option()], &[]);
    let _cable = outlet.cable();
    guest.wait_for("the program needs the network (net.required), and no interface has got an address");
    assert!(!guest.console().contains("lo0"));
}
