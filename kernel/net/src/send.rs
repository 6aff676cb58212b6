//! Sending (sosend(9)).

use alloc::rc::Rc;

use rump_abi::socket::{MSG_DONTWAIT, MSG_OOB};
use rump_hypercall::time::{self, NEVER};
use rump_kern::errno::{ERESTART, Errno};
use rump_kern::file::Wait;
use rump_kern::sleep_sig;
use rump_kern::uio::Uio;

use crate::control::Control;
use crate::protocol::{Outgoing, PrFlags};
use crate::sockaddr::SockAddr;
use crate::sockbuf::SockBuf;
use crate::socket::{Socket, State};

/// What urgent data may exceed the send buffer by, bytes.
const URGENT_ROOM: usize = 1024;

/// When a wait that begins now has to end (SO_RCVTIMEO, SO_SNDTIMEO).
pub(crate) fn deadline(timeout_ns: u64) -> u64 {
    if timeout_ns == 0 { NEVER } else { time::monotonic_ns().saturating_add(timeout_ns).min(NEVER - 1) }
}

/// sbwait: sleeps until a buffer changes, or might have.
///
/// # Errors
/// EWOULDBLOCK at the deadline; EINTR, ERESTART.
pub(crate) fn wait_for(so: &Rc<Socket>, buf: &SockBuf, deadline_ns: u64) -> Result<(), Errno> {
    if so.proto().before_sleep(so) {
        return Ok(());
    }
    match sleep_sig(&buf.cv, deadline_ns) {
        // The time would begin anew.
        Err(ERESTART) if deadline_ns != NEVER => Err(Errno::EINTR),
        other => other,
    }
}

/// Whether something can be sent at all.
fn check(so: &Socket, to: Option<&SockAddr>) -> Result<(), Errno> {
    if so.has(State::CANTSENDMORE) {
        return Err(Errno::EPIPE);
    }
    if let Some(errno) = so.take_error() {
        return Err(errno);
    }
    if so.has(State::CONNECTED) {
        let names = to.is_some() && !so.is(PrFlags::CONNREQUIRED);
        return if names { Err(Errno::EISCONN) } else { Ok(()) };
    }
    if so.is(PrFlags::CONNREQUIRED) {
        return Err(Errno::ENOTCONN);
    }
    if to.is_none() { Err(Errno::EDESTADDRREQ) } else { Ok(()) }
}

/// Sends all that `uio` has; a record, or part of a stream. `flags` are MSG_ bits.
///
/// # Errors
/// Those of send(2); what was sent of a stream before is what `uio` says.
pub fn send(
    so: &Rc<Socket>,
    uio: &mut Uio<'_>,
    to: Option<&SockAddr>,
    mut control: Option<Control>,
    flags: i32,
    wait: Wait,
) -> Result<(), Errno> {
    let records = so.is(PrFlags::ATOMIC);
    let waits = wait == Wait::Yes && flags & MSG_DONTWAIT == 0;
    let mut deadline_ns = None;
    let mut owner = false;
    if records && uio.resid() > so.snd.limit.get() {
        return Err(Errno::EMSGSIZE);
    }
    let rights = control.as_ref().is_some_and(|control| control.files().next().is_some());
    if rights && !so.is(PrFlags::RIGHTS) {
        return Err(Errno::EOPNOTSUPP);
    }
    let result = loop {
        if let Err(errno) = check(so, to) {
            break Err(errno);
        }
        let mut space = so.proto().send_space(so);
        if flags & MSG_OOB != 0 {
            space = space.saturating_add(URGENT_ROOM);
        }
        let wanted = uio.resid();
        let others = so.snd.busy.get() && !owner;
        if others || wanted > space && (records || space < so.snd.low_water.get()) {
            so.snd.wanted.set(true);
            if !waits {
                break Err(Errno::EWOULDBLOCK);
            }
            // What one call sends to a stream is not mixed with what others send meanwhile.
            if !records && !others {
                so.snd.busy.set(true);
                owner = true;
            }
            let until = *deadline_ns.get_or_insert_with(|| deadline(so.snd.timeout_ns.get()));
            if let Err(errno) = wait_for(so, &so.snd, until) {
                break Err(errno);
            }
            continue;
        }
        let max = wanted.min(space);
        let control = control.take();
        let to = to.filter(|_| !so.has(State::CONNECTED));
        let out = Outgoing { uio, max, to, control, flags, more_to_come: max < wanted };
        if let Err(errno) = so.proto().send(so, out) {
            break Err(errno);
        }
        if uio.resid() == 0 || records {
            break Ok(());
        }
    };
    if owner {
        so.snd.busy.set(false);
        so.snd.wake();
    }
    result
}
