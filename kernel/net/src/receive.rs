//! Receiving (soreceive(9)).

use alloc::rc::Rc;

use rump_abi::socket::{MSG_DONTWAIT, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL};
use rump_kern::errno::Errno;
use rump_kern::file::Wait;
use rump_kern::uio::Uio;

use crate::control::Control;
use crate::protocol::PrFlags;
use crate::send::{deadline, wait_for};
use crate::sockaddr::SockAddr;
use crate::sockbuf::packet_to_uio;
use crate::socket::{Socket, State};

/// What came with the data.
#[derive(Debug, Default)]
pub struct Received {
    /// The sender's address.
    pub from: Option<SockAddr>,
    /// Control messages.
    pub control: Option<Control>,
    /// MSG_TRUNC, MSG_OOB.
    pub flags: i32,
}

/// Receives: a record, or what there is of a stream. `flags` are MSG_ bits. At a stream's end nothing is transferred.
///
/// # Errors
/// Those of recv(2); what was received of a stream before is what `uio` says.
pub fn receive(so: &Rc<Socket>, uio: &mut Uio<'_>, flags: i32, wait: Wait) -> Result<Received, Errno> {
    if flags & MSG_OOB != 0 {
        // No protocol keeps urgent data apart.
        return Err(Errno::EOPNOTSUPP);
    }
    let waits = wait == Wait::Yes && flags & MSG_DONTWAIT == 0;
    if so.is(PrFlags::ATOMIC) {
        receive_record(so, uio, flags, waits)
    } else {
        receive_stream(so, uio, flags, waits)
    }
}

/// There is nothing to be received now: what that means. `Ok(true)` if there will never be anything.
fn nothing_there(so: &Socket, resid: usize, flags: i32) -> Result<bool, Errno> {
    if let Some(errno) = so.error() {
        if flags & MSG_PEEK == 0 {
            let _ = so.take_error();
        }
        return Err(errno);
    }
    if so.has(State::CANTRCVMORE) {
        return Ok(true);
    }
    if so.is(PrFlags::CONNREQUIRED) && !so.has(State::CONNECTED) && !so.has(State::CONNECTING) {
        return Err(Errno::ENOTCONN);
    }
    Ok(resid == 0 && !so.is(PrFlags::ATOMIC))
}

fn receive_stream(so: &Rc<Socket>, uio: &mut Uio<'_>, flags: i32, waits: bool) -> Result<Received, Errno> {
    let buf = &so.rcv;
    let mut received = Received::default();
    let mut deadline_ns = None;
    let peek = flags & MSG_PEEK != 0;
    let all = flags & MSG_WAITALL != 0;
    let mut moved = false;
    loop {
        let there = buf.len();
        let wanted = uio.resid();
        if there > 0 && wanted > 0 {
            // It is waited for more only where that can come.
            let enough = there >= wanted
                || !waits
                || so.has(State::CANTRCVMORE)
                || so.error().is_some()
                || if all { there >= buf.limit.get() } else { there >= buf.low_water.get() };
            // What is only looked at stays where it is, so that it can be waited for.
            if enough || all && !peek {
                if peek {
                    received.control = buf.peek_mark();
                    buf.peek(uio, buf.run_len())?;
                    return Ok(received);
                }
                if let Some(control) = buf.take_mark() {
                    received.control = Some(control);
                }
                let run = buf.run_len();
                let result = buf.read(uio, run);
                if so.is(PrFlags::WANTRCVD) {
                    so.proto().received(so);
                }
                result?;
                moved = true;
                // What follows has control messages of its own.
                let ends = run < there && uio.resid() > 0;
                if !all || uio.resid() == 0 || ends || received.control.is_some() || !waits {
                    return Ok(received);
                }
                continue;
            }
        } else if moved && (so.has(State::CANTRCVMORE) || so.error().is_some())
            || nothing_there(so, wanted, flags)?
        {
            return Ok(received);
        }
        if !waits {
            return Err(Errno::EWOULDBLOCK);
        }
        let until = *deadline_ns.get_or_insert_with(|| deadline(buf.timeout_ns.get()));
        match wait_for(so, buf, until) {
            Ok(()) => {}
            Err(_) if moved => return Ok(received),
            Err(errno) => return Err(errno),
        }
    }
}

fn receive_record(so: &Rc<Socket>, uio: &mut Uio<'_>, flags: i32, waits: bool) -> Result<Received, Errno> {
    let mut deadline_ns = None;
    loop {
        let record = if flags & MSG_PEEK != 0 { so.rcv.peek_record() } else { so.rcv.take_record() };
        if let Some(record) = record {
            if flags & MSG_PEEK == 0 && so.is(PrFlags::WANTRCVD) {
                so.proto().received(so);
            }
            let mut received = Received { from: record.from, control: record.control, flags: 0 };
            if record.data.len() > uio.resid() {
                received.flags |= MSG_TRUNC;
            }
            packet_to_uio(&record.data, uio)?;
            return Ok(received);
        }
        if nothing_there(so, uio.resid(), flags)? {
            return Ok(Received::default());
        }
        if !waits {
            return Err(Errno::EWOULDBLOCK);
        }
        let until = *deadline_ns.get_or_insert_with(|| deadline(so.rcv.timeout_ns.get()));
        wait_for(so, &so.rcv, until)?;
    }
}
