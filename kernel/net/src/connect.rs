//! Making and ending connections: bind(2), listen(2), accept(2), connect(2), shutdown(2), and what close(2) does with a socket.

use alloc::rc::Rc;

use rump_abi::socket::{SHUT_RD, SHUT_RDWR, SHUT_WR, SO_LINGER};
use rump_hypercall::time::NEVER;
use rump_kern::clock::NS_PER_S;
use rump_kern::errno::{ERESTART, Errno};
use rump_kern::file::Wait;
use rump_kern::sleep_sig;

use crate::protocol::{Direction, PrFlags};
use crate::send::{deadline, wait_for};
use crate::sockaddr::SockAddr;
use crate::socket::{SOMAXCONN_MAX, Socket, State};

/// States in which there is, or is about to be, another side.
const IN_CONNECTION: State = State::CONNECTED.union(State::CONNECTING).union(State::DISCONNECTING);

fn in_connection(so: &Socket) -> bool {
    [State::CONNECTED, State::CONNECTING, State::DISCONNECTING].into_iter().any(|state| so.has(state))
}

/// listen(2).
///
/// # Errors
/// EINVAL if the socket is connected, EOPNOTSUPP, what the protocol says.
pub fn listen(so: &Rc<Socket>, backlog: i32) -> Result<(), Errno> {
    if in_connection(so) {
        return Err(Errno::EINVAL);
    }
    if !so.is(PrFlags::LISTEN) {
        return Err(Errno::EOPNOTSUPP);
    }
    so.proto().listen(so)?;
    so.set_listening(usize::try_from(backlog).unwrap_or(0).min(SOMAXCONN_MAX));
    Ok(())
}

/// accept(2): waits until [`Socket::take_connection`] has one.
///
/// # Errors
/// EOPNOTSUPP, EINVAL if the socket does not listen, EWOULDBLOCK, ECONNABORTED, EINTR, ERESTART.
pub fn wait_for_connection(so: &Rc<Socket>, wait: Wait) -> Result<(), Errno> {
    if !so.is(PrFlags::LISTEN) {
        return Err(Errno::EOPNOTSUPP);
    }
    if !so.is_listening() {
        return Err(Errno::EINVAL);
    }
    let mut deadline_ns = None;
    loop {
        if so.accept_queue().0 > 0 {
            return Ok(());
        }
        if let Some(errno) = so.take_error() {
            return Err(errno);
        }
        if so.has(State::CANTRCVMORE) {
            return Err(Errno::ECONNABORTED);
        }
        if wait == Wait::No {
            return Err(Errno::EWOULDBLOCK);
        }
        let until = *deadline_ns.get_or_insert_with(|| deadline(so.rcv.timeout_ns.get()));
        wait_for(so, &so.rcv, until)?;
    }
}

/// connect(2).
///
/// # Errors
/// EALREADY, EISCONN, EOPNOTSUPP, EINPROGRESS where it does not wait; EINTR, and the connection goes on being made; what the protocol says.
pub fn connect(so: &Rc<Socket>, addr: &SockAddr, wait: Wait) -> Result<(), Errno> {
    if so.has(State::CONNECTING) {
        return Err(Errno::EALREADY);
    }
    if so.is_listening() {
        return Err(Errno::EOPNOTSUPP);
    }
    if so.has(State::CONNECTED) {
        if so.is(PrFlags::CONNREQUIRED) {
            return Err(Errno::EISCONN);
        }
        // A datagram socket gets another peer.
        so.proto().disconnect(so)?;
    }
    so.proto().connect(so, addr)?;
    if so.has(State::CONNECTING) && wait == Wait::No {
        return Err(Errno::EINPROGRESS);
    }
    while so.has(State::CONNECTING) && so.error().is_none() {
        if so.proto().before_sleep(so) {
            continue;
        }
        match sleep_sig(&so.cv, NEVER) {
            Err(ERESTART) => return Err(Errno::EINTR),
            other => other?,
        }
    }
    let result = so.take_error().map_or(Ok(()), Err);
    so.change(State::CONNECTING, State::empty());
    result
}

/// shutdown(2). Of a socket that listens it wakes who waits for connections.
///
/// # Errors
/// EINVAL; ENOTCONN if it was never connected and does not listen.
pub fn shutdown(so: &Rc<Socket>, how: i32) -> Result<(), Errno> {
    if !matches!(how, SHUT_RD | SHUT_WR | SHUT_RDWR) {
        return Err(Errno::EINVAL);
    }
    let ever = [State::CONNECTED, State::DISCONNECTED, State::DISCONNECTING];
    if !so.is_listening() && !ever.into_iter().any(|state| so.has(state)) {
        return Err(Errno::ENOTCONN);
    }
    if how != SHUT_WR {
        so.cant_recv_more();
        so.rcv.flush();
        so.proto().shutdown(so, Direction::Read)?;
    }
    if how != SHUT_RD {
        so.proto().shutdown(so, Direction::Write)?;
    }
    Ok(())
}

/// soclose: the last descriptor went.
pub fn close(so: &Rc<Socket>, wait: Wait) {
    let waiting = so.take_listener();
    for connection in waiting {
        abort(&connection);
    }
    if so.has(State::CONNECTED) {
        if !so.has(State::DISCONNECTING) {
            // What cannot be ended in order is ended by `detach`.
            let _ = so.proto().disconnect(so);
        }
        if so.option(SO_LINGER) && !(so.has(State::DISCONNECTING) && wait == Wait::No) {
            linger(so);
        }
    }
    so.proto().detach(so);
    so.change(IN_CONNECTION, State::CANTRCVMORE | State::CANTSENDMORE);
    so.rcv.flush();
}

/// Waits until the connection has ended in order, as long as SO_LINGER says.
fn linger(so: &Socket) {
    let until = deadline(u64::from(so.linger_s.get()) * NS_PER_S);
    if so.linger_s.get() == 0 || rump_kern::lwp::curlwp_opt().is_none() {
        return;
    }
    while so.has(State::CONNECTED) {
        if sleep_sig(&so.cv, until).is_err() {
            break;
        }
    }
}

/// soabort: ends a connection that nobody has accepted.
pub fn abort(so: &Rc<Socket>) {
    so.proto().abort(so);
    so.proto().detach(so);
    so.rcv.flush();
}
