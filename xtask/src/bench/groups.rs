//! The groups of figures: what each is about, in the order in which docs/bench.html has them, and the measures that are taken from outside.
//!
//! A figure is called `GROUP.NAME`; whatever a measure adds to [`Results`](super::results::Results) under such a name is in the table,
//! in bench.json and in the page, and can be promised in tests/bench/promises.json. A new measure is a function `fn(&mut Run) -> Result<()>` in
//! [`OUTSIDE`], and a line in [`ABOUT`].

use anyhow::Result;

use super::{Run, growth, host, net, xen_calls, xen_guests};

/// A measure that is taken from outside of the guest.
pub type Measure = fn(&mut Run) -> Result<()>;

/// The measures from outside, by the names that `--filter` takes.
pub const OUTSIDE: &[(&str, Measure)] = &[
    ("size", host::size),
    ("boot", host::boot),
    ("instructions", host::instructions),
    ("memory", host::memory),
    ("bake", host::bake),
    ("growth", growth::growth),
    ("net", net::net),
    ("xen-calls", xen_calls::calls),
    ("xen-guests", xen_guests::guests),
];

/// What the figures of a group are.
const ABOUT: &[(&str, &str)] = &[
    (
        "boot",
        "From QEMU's start to the first line of a C program's main, to QEMU's end, and the instructions in between.",
    ),
    (
        "size",
        "What has to be shipped: the image, or the kernel as the distribution has it with an initramfs.",
    ),
    ("memory", "The least memory that a C program runs with, and what it keeps in use when it sleeps."),
    ("bake", "Making an image of a program that is compiled already; a Linux guest has no such step."),
    (
        "calls",
        "System calls: getppid does nothing, by libc, by syscall(2), and by the instruction in the program itself.",
    ),
    ("threads", "Threads and what they wait for each other with."),
    ("rumpuser", "Hypercalls of rumpuser(3), beside what pthreads and malloc of the other side do instead."),
    (
        "signals",
        "Signals: one raised and handled, one sent to another thread and answered, one blocked and not.",
    ),
    ("sleep", "How much later than asked for a sleeping program wakes up."),
    ("events", "poll(2), select(2), and the event queue: kqueue(2) or epoll(7)."),
    (
        "files",
        "Files in memory (tmpfs): names and metadata; data in sequence (*_64k in MB/s, append) and out of it (pread, pwrite).",
    ),
    ("pages", "Mappings, and first touches of their pages."),
    ("malloc", "Blocks allocated and freed, of several sizes and in several orders."),
    ("strings", "Functions of string.h, at lengths of 16 bytes to 1 MiB."),
    ("text", "Formatting, parsing, sorting, buffered output."),
    ("golang", "The same things and some more from Go, whose runtime makes its system calls itself."),
    (
        "net",
        "The network, with the other end on the host: HTTP requests over so many connections, bulk data, datagrams.",
    ),
    (
        "xen",
        "As a guest of Xen: system calls, and guests that xl makes, from its start (create) or from the moment they may run (guest).",
    ),
    ("counted", "Instructions of one operation, counted by QEMU."),
];

/// So many boots a figure has in a full run, at least.
pub const USUAL_BOOTS: usize = 7;

/// Figures of fewer boots in a full run, by the beginnings of their names, and why.
const FEWER: &[(&str, &str)] = &[
    ("size.", "a file's length is the same every time"),
    ("counted.", "a count is the same every time"),
    ("memory.least", "a bisection takes some ten boots for one value"),
    ("xen.memory.least", "a bisection takes some ten guests for one value"),
];

/// Why the figure has fewer boots than others in a full run.
pub fn why_fewer(figure: &str) -> Option<&'static str> {
    FEWER.iter().find(|(start, _)| figure.starts_with(start)).map(|(_, why)| *why)
}

/// What the figures of the group are; empty if nobody has said it.
pub fn about(group: &str) -> &'static str {
    ABOUT.iter().find(|(name, _)| *name == group).map_or("", |(_, about)| about)
}

/// Where the group stands among the others.
pub fn place(group: &str) -> usize {
    ABOUT.iter().position(|(name, _)| *name == group).unwrap_or(ABOUT.len())
}
