//! Moving data: from the sender's memory into the receiver's buffer (uipc_send, uipc_rcvd of NetBSD).

use alloc::rc::Rc;

use rump_abi::socket::MSG_OOB;
use rump_kern::errno::Errno;
use rump_net::control::Body;
use rump_net::socket::State;
use rump_net::{Control, Outgoing, PrFlags, Socket};

use crate::pcb::{Unpcb, name_of, of};
use crate::{creds, name};

/// Room to send: what the other side's buffer has.
pub(crate) fn send_space(pcb: &Unpcb, so: &Rc<Socket>) -> usize {
    let datagrams = !so.is(PrFlags::CONNREQUIRED);
    let peer = pcb.peer.borrow();
    let Some(peer) = peer.as_ref().filter(|_| !datagrams) else { return so.snd.limit.get() };
    if peer.has(State::CANTRCVMORE) {
        // There will never be room: the send finds out.
        return usize::MAX;
    }
    if so.is(PrFlags::ATOMIC) && !peer.rcv.takes_record(0) {
        return 0;
    }
    let space = peer.rcv.space();
    // An empty buffer takes something, however small it was made.
    if peer.rcv.is_empty() { space.max(so.snd.low_water.get()) } else { space }
}

/// Only descriptors can be sent along.
fn check_control(control: Option<&Control>) -> Result<(), Errno> {
    let mut messages = control.iter().flat_map(|control| &control.messages);
    if messages.any(|message| matches!(message.body, Body::Bytes(_))) { Err(Errno::EINVAL) } else { Ok(()) }
}

/// Adds credentials if the receiver wants them: to every datagram, and to the first message of a connection.
fn with_creds(receiver: &Socket, control: Option<Control>) -> Result<Option<Control>, Errno> {
    let Some(pcb) = of(receiver).filter(|pcb| pcb.wants_creds.get()) else { return Ok(control) };
    if receiver.is(PrFlags::CONNREQUIRED) {
        pcb.wants_creds.set(false);
    }
    creds::add(control).map(Some)
}

/// Sends into the other side's buffer.
pub(crate) fn send(pcb: &Unpcb, so: &Rc<Socket>, out: Outgoing<'_, '_>) -> Result<(), Errno> {
    if out.flags & MSG_OOB != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    check_control(out.control.as_ref())?;
    if !so.is(PrFlags::CONNREQUIRED) {
        return send_datagram(pcb, so, out);
    }
    // Nothing is borrowed here: control messages that are dropped after an error may close the other side.
    let peer = pcb.peer.borrow().clone().ok_or(Errno::EPIPE)?;
    if peer.has(State::CANTRCVMORE) {
        return Err(Errno::EPIPE);
    }
    if so.is(PrFlags::ATOMIC) {
        if out.uio.resid() > peer.rcv.limit.get() {
            return Err(Errno::EMSGSIZE);
        }
        let control = with_creds(&peer, out.control)?;
        peer.rcv.append_record_uio(out.uio, None, control)?;
        peer.wake_readers();
        return Ok(());
    }
    if out.max == 0 {
        return Ok(());
    }
    let control = with_creds(&peer, out.control)?;
    let marked = control.is_some();
    if let Some(control) = control {
        peer.rcv.append_mark(control)?;
    }
    let before = out.uio.resid();
    let result = peer.rcv.append_uio(out.uio, out.max);
    if out.uio.resid() < before {
        peer.wake_readers();
    } else if marked {
        peer.rcv.remove_mark();
    }
    result.map(|_| ())
}

fn send_datagram(pcb: &Unpcb, so: &Rc<Socket>, out: Outgoing<'_, '_>) -> Result<(), Errno> {
    let target = match out.to {
        Some(to) => name::find(to)?,
        None => pcb.peer.borrow().clone().ok_or(Errno::ENOTCONN)?,
    };
    if target.protosw.kind != so.protosw.kind {
        return Err(Errno::EPROTOTYPE);
    }
    if target.has(State::CANTRCVMORE) {
        return Err(Errno::ENOBUFS);
    }
    let control = with_creds(&target, out.control)?;
    target.rcv.append_record_uio(out.uio, Some(name_of(so)), control).inspect_err(|_| target.overflow())?;
    target.wake_readers();
    Ok(())
}

/// Room has come about in `so`'s buffer: tells the other side, if it was turned away and there is enough.
pub(crate) fn received(pcb: &Unpcb, so: &Rc<Socket>) {
    let peer = pcb.peer.borrow();
    let Some(peer) = peer.as_ref().filter(|peer| peer.snd.wanted.get()) else { return };
    if so.rcv.space() >= peer.snd.low_water.get() || so.rcv.is_empty() {
        peer.wake_writers();
    }
}
