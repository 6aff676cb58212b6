//! Descriptors in flight (SCM_RIGHTS, unix(4)): open files that were sent over a socket and not received yet.
//!
//! A file in flight is kept open by the message. If it is a socket, its own receive queue may hold files in flight in turn, and these may come back
//! to itself: then nobody could ever receive them, and counting references would never free them. [`collect`] finds such rings, and empties
//! their queues. It runs when half as many sockets were closed as are in flight, and when their number has doubled since it ran last: so its cost is a
//! constant per close, and what is lost meanwhile is bounded by what was ever of use at one time.
//!
//! # How rings are found
//! A socket in flight is suspect if no reference to it is held but by messages. Among the suspects those are alive to which a message
//! refers that does not lie in a suspect's queue; what lies in the queue of a living one lives, too. The rest is garbage.
//!
//! # Closing
//! Closing a socket drops its queue, which may close further sockets, to any depth. So files of a dropped message are not closed in place:
//! who drops one while another is being dropped leaves it to that one.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;

use rump_hypercall::Giant;
use rump_kern::errno::Errno;
use rump_kern::file::{File, FileOps, FileRef};

use crate::file::SocketFile;
use crate::socket::Socket;

/// Most files in flight.
const IN_FLIGHT_MAX: usize = 1 << 14;

/// With fewer sockets in flight nobody looks for rings.
const COLLECT_MIN: usize = 16;

/// A socket in flight.
struct Flying {
    file: Weak<File<dyn FileOps>>,
    socket: Rc<Socket>,
    /// How many messages refer to its file.
    count: usize,
}

struct State {
    /// Files in flight, sockets or not.
    total: usize,
    /// Sockets in flight, by their file's address.
    sockets: BTreeMap<usize, Flying>,
    /// So many sockets in flight make it worth looking for rings.
    threshold: usize,
    /// Sockets that were closed since.
    closes: usize,
    /// Somebody drops a message's files.
    closing: bool,
    /// What that one is to drop besides.
    waiting: Vec<FileRef>,
}

static STATE: Giant<State> = Giant::new(State {
    total: 0,
    sockets: BTreeMap::new(),
    threshold: COLLECT_MIN,
    closes: 0,
    closing: false,
    waiting: Vec::new(),
});

fn address(file: &FileRef) -> usize {
    Rc::as_ptr(file).cast::<()>().addr()
}

/// The socket behind an open file, if it is one.
fn socket_of(file: &FileRef) -> Option<&Rc<Socket>> {
    file.ops.as_any().downcast_ref::<SocketFile>().map(SocketFile::socket)
}

/// Open files in a message. Must not be dropped while a buffer is borrowed.
pub struct Rights {
    files: Vec<FileRef>,
}

impl Rights {
    /// Sends files off.
    ///
    /// # Errors
    /// ETOOMANYREFS if too many are in flight already.
    pub fn new(files: Vec<FileRef>) -> Result<Self, Errno> {
        let (total, flying, threshold) = {
            let state = STATE.borrow();
            (state.total, state.sockets.len(), state.threshold)
        };
        if flying >= threshold || total + files.len() > IN_FLIGHT_MAX {
            collect();
            let total = STATE.borrow().total;
            if total + files.len() > IN_FLIGHT_MAX {
                return Err(Errno::ETOOMANYREFS);
            }
        }
        let state = &mut *STATE.borrow_mut();
        state.total += files.len();
        for file in &files {
            if let Some(socket) = socket_of(file) {
                let new = || Flying { file: Rc::downgrade(file), socket: Rc::clone(socket), count: 0 };
                state.sockets.entry(address(file)).or_insert_with(new).count += 1;
            }
        }
        Ok(Self { files })
    }

    /// The files.
    #[must_use]
    pub fn files(&self) -> &[FileRef] {
        &self.files
    }
}

impl core::fmt::Debug for Rights {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Rights({} files)", self.files.len())
    }
}

impl Drop for Rights {
    fn drop(&mut self) {
        let mut files = core::mem::take(&mut self.files);
        let mut landed = Vec::new();
        {
            let state = &mut *STATE.borrow_mut();
            state.total -= files.len();
            for file in &files {
                if let Entry::Occupied(mut entry) = state.sockets.entry(address(file)) {
                    entry.get_mut().count -= 1;
                    if entry.get().count == 0 {
                        landed.push(entry.remove());
                    }
                }
            }
            if state.closing {
                state.waiting.append(&mut files);
                return;
            }
            state.closing = true;
        }
        drop(files);
        drop(landed);
        loop {
            let next = STATE.borrow_mut().waiting.pop();
            let Some(file) = next else { break };
            drop(file);
        }
        STATE.borrow_mut().closing = false;
    }
}

/// How many files are in flight.
#[must_use]
pub fn in_flight() -> usize {
    STATE.borrow().total
}

/// Shows every file in flight that lies in a socket's queue, or in those of the connections that wait to be accepted.
fn each_file(socket: &Socket, see: &mut dyn FnMut(&FileRef)) {
    socket.rcv.each_control(&mut |control| control.files().for_each(&mut *see));
    socket.each_waiting(&mut |waiting| {
        waiting.rcv.each_control(&mut |control| control.files().for_each(&mut *see));
    });
}

/// A socket was closed: others may be unreachable now. Looking takes time in proportion to the sockets in flight, so it is done
/// once in half as many closes.
#[inline]
pub fn socket_closed() {
    {
        let state = &mut *STATE.borrow_mut();
        if state.sockets.is_empty() || state.closing {
            return;
        }
        state.closes += 1;
        if 2 * state.closes < state.sockets.len() {
            return;
        }
    }
    collect();
}

/// A suspect.
struct Suspect {
    socket: Rc<Socket>,
    /// References to it from elsewhere than suspects' queues.
    from_outside: usize,
    alive: bool,
}

/// Empties the queues of sockets that nobody can reach any more.
pub fn collect() {
    sweep();
    let state = &mut *STATE.borrow_mut();
    state.closes = 0;
    state.threshold = COLLECT_MIN.max(2 * state.sockets.len());
}

fn sweep() {
    let mut suspects: BTreeMap<usize, Suspect> = BTreeMap::new();
    for (&address, flying) in &STATE.borrow().sockets {
        if flying.file.strong_count() == flying.count {
            let socket = Rc::clone(&flying.socket);
            suspects.insert(address, Suspect { socket, from_outside: flying.count, alive: false });
        }
    }
    if suspects.is_empty() {
        return;
    }
    let sockets: Vec<Rc<Socket>> = suspects.values().map(|suspect| Rc::clone(&suspect.socket)).collect();
    for socket in &sockets {
        each_file(socket, &mut |file| {
            if let Some(suspect) = suspects.get_mut(&address(file)) {
                suspect.from_outside -= 1;
            }
        });
    }
    let mut work: Vec<Rc<Socket>> = Vec::new();
    for suspect in suspects.values_mut().filter(|suspect| suspect.from_outside > 0) {
        suspect.alive = true;
        work.push(Rc::clone(&suspect.socket));
    }
    while let Some(socket) = work.pop() {
        each_file(&socket, &mut |file| {
            if let Some(suspect) = suspects.get_mut(&address(file)).filter(|suspect| !suspect.alive) {
                suspect.alive = true;
                work.push(Rc::clone(&suspect.socket));
            }
        });
    }
    for suspect in suspects.into_values().filter(|suspect| !suspect.alive) {
        suspect.socket.rcv.flush();
        let mut waiting = Vec::new();
        suspect.socket.each_waiting(&mut |socket| waiting.push(Rc::clone(socket)));
        waiting.iter().for_each(|socket| socket.rcv.flush());
    }
}
