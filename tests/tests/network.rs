//! Servers and clients in images, over QEMU's user network.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rumpbake_tests::{Guest, Image, Program, c_from, connect, free_port, go_from, run, work_dir, workspace};

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
