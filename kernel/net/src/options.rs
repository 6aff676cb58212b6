//! Options of level SOL_SOCKET (setsockopt(2), getsockopt(2)).
//!
//! Other levels are the protocol's. It is told of those of SOL_SOCKET, too, after they were set.

use alloc::rc::Rc;
use alloc::vec::Vec;

use rump_abi::socket::{
    SO_ACCEPTCONN, SO_BROADCAST, SO_DEBUG, SO_DONTROUTE, SO_ERROR, SO_KEEPALIVE, SO_LINGER, SO_NOSIGPIPE,
    SO_OOBINLINE, SO_OVERFLOWED, SO_RCVBUF, SO_RCVLOWAT, SO_RCVTIMEO, SO_RERROR, SO_REUSEADDR, SO_REUSEPORT,
    SO_SNDBUF, SO_SNDLOWAT, SO_SNDTIMEO, SO_TIMESTAMP, SO_TYPE, SO_USELOOPBACK, SOL_SOCKET,
};
use rump_kern::clock::Timeval;
use rump_kern::copy::bytes_of;
use rump_kern::errno::Errno;

use crate::sockbuf::{SB_MAX, SockBuf};
use crate::socket::Socket;

/// Options that are a bit, and can be set.
const BITS: i32 = SO_DEBUG
    | SO_REUSEADDR
    | SO_KEEPALIVE
    | SO_DONTROUTE
    | SO_BROADCAST
    | SO_USELOOPBACK
    | SO_OOBINLINE
    | SO_REUSEPORT
    | SO_NOSIGPIPE
    | SO_TIMESTAMP
    | SO_RERROR;

/// An int, which has to have exactly its size.
///
/// # Errors
/// EINVAL.
pub fn int(value: &[u8]) -> Result<i32, Errno> {
    value.try_into().map(i32::from_le_bytes).map_err(|_| Errno::EINVAL)
}

fn set_linger(so: &Socket, value: &[u8]) -> Result<(), Errno> {
    let (on, seconds) = value.split_at_checked(4).ok_or(Errno::EINVAL)?;
    let (on, seconds) = (int(on)?, int(seconds)?);
    let seconds = u16::try_from(seconds).map_err(|_| Errno::EDOM)?;
    so.linger_s.set(seconds);
    so.set_option_bit(SO_LINGER, on != 0);
    Ok(())
}

fn set_limit(buf: &SockBuf, value: &[u8]) -> Result<(), Errno> {
    let limit = usize::try_from(int(value)?).ok().filter(|&limit| limit > 0).ok_or(Errno::EINVAL)?;
    if limit > SB_MAX {
        return Err(Errno::ENOBUFS);
    }
    buf.limit.set(limit);
    buf.fixed_size.set(true);
    buf.low_water.set(buf.low_water.get().min(limit));
    Ok(())
}

fn set_low_water(buf: &SockBuf, value: &[u8]) -> Result<(), Errno> {
    let low = usize::try_from(int(value)?).ok().filter(|&low| low > 0).ok_or(Errno::EINVAL)?;
    buf.low_water.set(low.min(buf.limit.get()));
    Ok(())
}

fn set_timeout(buf: &SockBuf, value: &[u8]) -> Result<(), Errno> {
    let bytes: &[u8; 16] = value.try_into().map_err(|_| Errno::EINVAL)?;
    let (sec, rest) = bytes.split_at(8);
    let sec = i64::from_le_bytes(sec.try_into().map_err(|_| Errno::EINVAL)?);
    let usec = int(&rest[..4])?;
    buf.timeout_ns.set(Timeval { sec, usec, pad: 0 }.to_ns().map_err(|_| Errno::EDOM)?);
    Ok(())
}

/// setsockopt(2).
///
/// # Errors
/// ENOPROTOOPT; EINVAL for a value that makes no sense, EDOM for one that is out of range, ENOBUFS; what the protocol says.
pub fn set(so: &Rc<Socket>, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
    if level != SOL_SOCKET {
        return so.proto().set_option(so, level, name, value);
    }
    match name {
        SO_LINGER => set_linger(so, value)?,
        SO_SNDBUF => {
            set_limit(&so.snd, value)?;
            so.wake_writers();
        }
        SO_RCVBUF => set_limit(&so.rcv, value)?,
        SO_SNDLOWAT => set_low_water(&so.snd, value)?,
        SO_RCVLOWAT => set_low_water(&so.rcv, value)?,
        SO_SNDTIMEO => set_timeout(&so.snd, value)?,
        SO_RCVTIMEO => set_timeout(&so.rcv, value)?,
        // One bit, of those that there are.
        _ if name > 0 && name & (name - 1) == 0 && name & BITS != 0 => {
            so.set_option_bit(name, int(value)? != 0);
        }
        _ => return Err(Errno::ENOPROTOOPT),
    }
    // Most protocols have nothing to do with it.
    let _ = so.proto().set_option(so, level, name, value);
    Ok(())
}

/// getsockopt(2): fills `value`.
///
/// # Errors
/// ENOPROTOOPT; what the protocol says.
pub fn get(so: &Rc<Socket>, level: i32, name: i32, value: &mut Vec<u8>) -> Result<(), Errno> {
    if level != SOL_SOCKET {
        return so.proto().get_option(so, level, name, value);
    }
    value.clear();
    // Sizes are at most SB_MAX.
    let size = |size: usize| size as i32;
    let int = match name {
        SO_LINGER => {
            value.extend_from_slice(&i32::from(so.option(SO_LINGER)).to_le_bytes());
            i32::from(so.linger_s.get())
        }
        SO_SNDTIMEO | SO_RCVTIMEO => {
            let buf = if name == SO_SNDTIMEO { &so.snd } else { &so.rcv };
            value.extend_from_slice(bytes_of(&Timeval::from_ns(buf.timeout_ns.get())));
            return Ok(());
        }
        SO_TYPE => so.protosw.kind,
        SO_ERROR => so.take_error().map_or(0, |errno| errno.0),
        SO_SNDBUF => size(so.snd.limit.get()),
        SO_RCVBUF => size(so.rcv.limit.get()),
        SO_SNDLOWAT => size(so.snd.low_water.get()),
        SO_RCVLOWAT => size(so.rcv.low_water.get()),
        SO_OVERFLOWED => i32::try_from(so.overflowed.get()).unwrap_or(i32::MAX),
        _ if name > 0 && name & (name - 1) == 0 && name & (BITS | SO_ACCEPTCONN) != 0 => {
            i32::from(so.option(name))
        }
        _ => return Err(Errno::ENOPROTOOPT),
    };
    value.extend_from_slice(&int.to_le_bytes());
    Ok(())
}
