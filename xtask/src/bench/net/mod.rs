//! The network, measured from outside: apps/netserver in the guest, load from the host over virtio-net.
//!
//! One boot gives a sample of every figure. wrk asks for pages; tests/bench/host/load.c moves bulk data, sends datagrams and holds idle connections.

mod link;
mod load;
mod server;

use std::time::Duration;

use anyhow::{Context, Result, bail};

use self::link::Link;
use self::load::{Held, Tools};
use super::guest::{Bootable, Guest, Machine, Setup};
use super::programs::System;
use super::{Mode, Run};

/// Memory of the guests: 10,000 connections have to fit.
const MEMORY_KIB: u64 = 256 << 10;
/// Connections that ask for pages at the same time.
const CONNECTIONS: [u64; 3] = [1, 32, 256];
/// Connections that ask while others are idle.
const BESIDE_IDLE: u64 = 32;
/// Ports of apps/netserver.
const ECHO: u16 = 7;
const DISCARD: u16 = 9;
const CHARGEN: u16 = 19;
const HTTP: u16 = 80;

/// How much is measured in a boot.
struct Plan {
    connections: &'static [u64],
    /// Of each of wrk's runs.
    pages_s: u64,
    /// Of each of load.c's runs.
    bulk_ms: u64,
    idle: &'static [u64],
}

impl Plan {
    fn of(mode: Mode) -> Self {
        let (pages_s, bulk_ms, connections, idle): (_, _, &[u64], &[u64]) = match mode {
            Mode::Full => (2, 1000, &CONNECTIONS, &[10, 100, 1000, 10_000]),
            Mode::Quick => (1, 700, &CONNECTIONS, &[10, 1000]),
            Mode::Check => (1, 200, &[32], &[10]),
        };
        Self { connections, pages_s, bulk_ms, idle }
    }
}

/// Requests per second, bulk data, datagrams, and the cost of a request beside idle connections.
pub fn net(run: &mut Run) -> Result<()> {
    let link = Link::make()?;
    eprintln!("bench: net: {}", link.what());
    run.results.machine.network = Some(link.what().to_owned());
    let load = Tools::build(&run.work)?;
    let mut built = Vec::new();
    for side in &run.sides {
        // `cargo xtask test` asks whether ours works; the control's modules would have to be fetched.
        if run.mode == Mode::Check && matches!(side.system, System::Linux(_)) {
            continue;
        }
        built.push((side.name.clone(), server::build(side, &link, &run.work)?));
    }
    let plan = Plan::of(run.mode);
    for round in 0..run.rounds(7, 1) {
        eprintln!("bench: round {} of the network", round + 1);
        run.calibrate();
        for (side, what) in &built {
            sample(run, side, what, &link, &load, &plan).with_context(|| side.clone())?;
        }
    }
    Ok(())
}

/// One boot.
fn sample(run: &mut Run, side: &str, what: &Bootable, link: &Link, load: &Tools, plan: &Plan) -> Result<()> {
    let ports = link.ports([ECHO, DISCARD, CHARGEN, HTTP])?;
    let [echo, discard, chargen, http] = ports.host;
    let setup = Setup {
        what,
        machine: Machine::Pc,
        memory_kib: MEMORY_KIB,
        arguments: &[],
        options: ports.options,
        through: link.through(),
        timeout: Duration::from_secs(60),
    };
    let mut guest = Guest::start(&setup)?;
    if !guest.wait_for("netserver: ready") {
        bail!("the server in the guest did not start");
    }
    if run.mode != Mode::Check {
        // The warm-up: the first second of a guest's life is its own, and the translator's.
        load.pages(link, http, BESIDE_IDLE, 1)?;
    }
    let add = |run: &mut Run, figure: &str, value| {
        run.results.add(&format!("net.{figure}"), "requests_per_s", side, vec![value]);
    };
    for &connections in plan.connections {
        let rate = load.pages(link, http, connections, plan.pages_s)?;
        add(run, &format!("http_{connections}"), rate);
    }
    let ms = plan.bulk_ms.to_string();
    for (what, port) in [("in", discard), ("out", chargen), ("udp", echo)] {
        let lines = load.run(link, what, port, &ms)?;
        run.results.add_lines(side, lines.lines());
    }
    let mut held = Held::start(load, link, http)?;
    for &idle in plan.idle {
        held.hold(idle)?;
        let rate = load.pages(link, http, BESIDE_IDLE, 1)?;
        if rate > 0.0 {
            run.results.add_scale("net.request_beside_idle", "ns", side, idle, 1e9 / rate);
        }
    }
    let line = held.ask()?;
    run.results.add_lines(side, [line.as_str()].into_iter());
    Ok(())
}
