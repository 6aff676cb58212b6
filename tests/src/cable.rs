//! The other end of an image's network cable: QEMU's socket network is a TCP stream of Ethernet frames, each after its length.
//!
//! A test listens ([`Outlet`]); an image that is told to connect is plugged in ([`Cable`]). A test may be the other host itself, or join two images by
//! a cable that loses, doubles and reorders frames by a seeded generator ([`join`]).

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::boot::PATIENCE;

/// The longest frame that QEMU sends.
const FRAME_MAX: usize = 69_632;
/// Most frames that overtake one that is held back.
const OVERTAKEN_MAX: u64 = 5;

/// A generator of numbers that is the same in every run (xorshift64*).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// One that starts at `seed`, which is not zero.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        (self.word() >> 32) % limit
    }
}

/// Where images plug in their cables.
#[derive(Debug)]
pub struct Outlet(TcpListener);

impl Outlet {
    /// A place that nobody else uses.
    ///
    /// # Panics
    /// If the host has no free port.
    #[expect(clippy::new_without_default, reason = "it takes something of the host")]
    pub fn new() -> Self {
        Self(TcpListener::bind(("127.0.0.1", 0)).expect("the host has free ports"))
    }

    /// The option for `rumpbake run`.
    ///
    /// # Panics
    /// If the host has forgotten the port.
    pub fn option(&self) -> String {
        let port = self.0.local_addr().expect("it is bound").port();
        format!("--net=socket:connect=127.0.0.1:{port}")
    }

    /// The cable of the image that has come next.
    ///
    /// # Panics
    /// If none can.
    pub fn cable(&self) -> Cable {
        let (stream, _) = self.0.accept().expect("an image connects");
        stream.set_nodelay(true).expect("it is connected");
        stream.set_write_timeout(Some(PATIENCE)).expect("the time is not zero");
        Cable {
            reader: BufReader::with_capacity(1 << 20, stream.try_clone().expect("descriptors are plentiful")),
            writer: stream,
        }
    }
}

/// A cable, seen from the end that is not the image's.
#[derive(Debug)]
pub struct Cable {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

/// Writes frames.
fn send(stream: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let mut bytes = (frame.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(frame);
    stream.write_all(&bytes)
}

/// Reads a frame; an error when the image has ended.
fn receive(stream: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<()> {
    let mut len = [0; 4];
    stream.read_exact(&mut len)?;
    let len = u32::from_be_bytes(len) as usize;
    assert!(len <= FRAME_MAX, "QEMU sends a frame of {len} bytes");
    frame.resize(len, 0);
    stream.read_exact(frame)
}

impl Cable {
    /// Sends a frame.
    ///
    /// # Errors
    /// If the image has ended.
    pub fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        send(&mut self.writer, frame)
    }

    /// The sender's hardware address of the frame that comes next.
    ///
    /// # Errors
    /// If the image has ended.
    pub fn source(&mut self) -> io::Result<[u8; 6]> {
        let mut frame = Vec::new();
        receive(&mut self.reader, &mut frame)?;
        Ok(std::array::from_fn(|at| frame.get(6 + at).copied().unwrap_or_default()))
    }

    /// Reads what the image sends from now on, and counts the frames for one hardware address.
    ///
    /// # Panics
    /// If the host has no descriptors left.
    pub fn count(&mut self, mac: [u8; 6]) -> Arc<AtomicU64> {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        // With what it has read ahead.
        let other = BufReader::new(self.writer.try_clone().expect("descriptors are plentiful"));
        let mut stream = std::mem::replace(&mut self.reader, other);
        std::thread::spawn(move || {
            let mut frame = Vec::new();
            while receive(&mut stream, &mut frame).is_ok() {
                if frame.starts_with(&mac) {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        count
    }
}

/// What happens to frames, of a thousand each.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Those that are lost.
    pub lost: u64,
    /// Those that come twice.
    pub doubled: u64,
    /// Those that later ones overtake.
    pub overtaken: u64,
}

/// What has happened to frames.
#[derive(Debug, Default)]
pub struct Fates {
    /// All that were sent.
    pub sent: AtomicU64,
    /// Those that were lost.
    pub lost: AtomicU64,
}

/// One direction, until an end is gone.
fn carry(
    from: &mut impl Read,
    to: &mut impl Write,
    faults: Faults,
    mut random: Random,
    fates: &Fates,
) -> io::Result<()> {
    let mut frame = Vec::new();
    let mut held: Option<(Vec<u8>, u64)> = None;
    loop {
        receive(from, &mut frame)?;
        fates.sent.fetch_add(1, Ordering::Relaxed);
        let fate = random.below(1000);
        if fate < faults.lost {
            fates.lost.fetch_add(1, Ordering::Relaxed);
        } else if fate < faults.lost + faults.overtaken && held.is_none() {
            held = Some((frame.clone(), 1 + random.below(OVERTAKEN_MAX)));
            continue;
        } else {
            send(to, &frame)?;
            if random.below(1000) < faults.doubled {
                send(to, &frame)?;
            }
        }
        held = match held {
            Some((late, 0)) => {
                send(to, &late)?;
                None
            }
            Some((late, left)) => Some((late, left - 1)),
            None => None,
        };
    }
}

/// Joins two cables, with faults in both directions, until one of the images ends.
///
/// # Panics
/// If no thread can be made.
pub fn join(a: Cable, b: Cable, faults: Faults, seed: u64) -> Arc<Fates> {
    let fates = Arc::new(Fates::default());
    let Cable { reader: mut from_a, writer: mut to_a } = a;
    let Cable { reader: mut from_b, writer: mut to_b } = b;
    let (one, two) = (Arc::clone(&fates), Arc::clone(&fates));
    // They end with an error: that an image has ended.
    std::thread::spawn(move || carry(&mut from_a, &mut to_b, faults, Random::new(seed), &one));
    std::thread::spawn(move || carry(&mut from_b, &mut to_a, faults, Random::new(!seed), &two));
    fates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_over_it_or_do_not() {
        let mut bytes = Vec::new();
        for number in 0..2000_u32 {
            send(&mut bytes, &number.to_be_bytes()).unwrap();
        }
        let faults = Faults { lost: 100, doubled: 100, overtaken: 100 };
        let (fates, mut out) = (Fates::default(), Vec::new());
        let end = carry(&mut bytes.as_slice(), &mut out, faults, Random::new(1), &fates);
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (mut stream, mut frame, mut came) = (out.as_slice(), Vec::new(), Vec::new());
        while receive(&mut stream, &mut frame).is_ok() {
            came.push(u32::from_be_bytes(frame.as_slice().try_into().unwrap()));
        }
        let lost = fates.lost.load(Ordering::Relaxed) as usize;
        assert!((100..300).contains(&lost), "{lost} were lost");
        assert!(came.windows(2).any(|two| two[0] > two[1]), "some are overtaken");
        assert!(came.windows(2).any(|two| two[0] == two[1]), "some come twice");
        came.sort_unstable();
        came.dedup();
        // The last one may still be held back.
        assert!((2000 - lost - 1..=2000 - lost).contains(&came.len()), "{} came", came.len());
    }
}
