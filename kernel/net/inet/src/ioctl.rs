//! Interfaces by ioctl(2) on a socket (netintro(4), net/if.h): `struct ifreq` holds a name and an answer.

use rump_abi::ioctl::*;
use rump_abi::net_if::{IFF_CANTCHANGE, IFF_UP};
use rump_abi::socket::AF_INET;
use rump_kern::Errno;
use rump_kern::copy::copyout_bytes;

use crate::addr::Addr;
use crate::ifnet::{self, IfAddr, Ifnet};
use crate::route;
use crate::sockaddr::{IN6_LEN, in_bytes, in6_bytes, link_bytes};
use crate::wire::get_array;
use crate::{config, rtsock};

/// Bytes of a name, with which every request begins (IFNAMSIZ).
const NAME: usize = 16;
/// Bytes of `struct ifreq`.
const IFREQ: usize = 144;

/// The interface that a request names.
fn named(data: &[u8]) -> Result<&'static Ifnet, Errno> {
    let name = data.get(..NAME).ok_or(Errno::ENXIO)?;
    let len = name.iter().position(|&byte| byte == 0).ok_or(Errno::ENXIO)?;
    let name = core::str::from_utf8(&name[..len]).map_err(|_| Errno::ENXIO)?;
    ifnet::by_name(name).ok_or(Errno::ENXIO)
}

fn answer(data: &mut [u8], bytes: &[u8]) -> Result<i32, Errno> {
    data.get_mut(NAME..NAME + bytes.len()).ok_or(Errno::ENOTTY)?.copy_from_slice(bytes);
    Ok(0)
}

fn answer_addr(data: &mut [u8], addr: Addr) -> Result<i32, Errno> {
    answer(data, &in_bytes(addr.low(), 0))
}

/// The `sockaddr_in` at `at`, unless nothing is there.
fn addr_at(data: &[u8], at: usize) -> Result<Option<Addr>, Errno> {
    let bytes: &[u8] = data.get(at..at + 16).ok_or(Errno::EINVAL)?;
    match i32::from(bytes[1]) {
        AF_INET => Ok(Some(Addr::v4(get_array(bytes, 4)))),
        0 if bytes[0] == 0 => Ok(None),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

fn int(data: &[u8]) -> Result<i32, Errno> {
    let bytes = data.get(NAME..).and_then(|rest| rest.first_chunk()).ok_or(Errno::EINVAL)?;
    Ok(i32::from_le_bytes(*bytes))
}

fn check_root() -> Result<(), Errno> {
    if rump_kern::prot::effective().0 == 0 { Ok(()) } else { Err(Errno::EPERM) }
}

/// The address bits that a mask stands for, of 128.
fn mask_bits(mask: Addr) -> Result<u8, Errno> {
    let mask = u32::from_be_bytes(mask.low());
    if mask.leading_ones() + mask.trailing_zeros() != 32 {
        return Err(Errno::EINVAL);
    }
    Ok(96 + mask.leading_ones() as u8)
}

/// The prefix of an address whose owner does not say (its class).
fn class_bits(addr: Addr) -> u8 {
    match addr.low()[0] {
        0..=127 => 96 + 8,
        128..=191 => 96 + 16,
        _ => 96 + 24,
    }
}

/// The mask of a prefix.
#[must_use]
pub fn mask_of(bits: u8) -> Addr {
    let mask = u32::MAX.checked_shl(32 - u32::from(bits.saturating_sub(96))).unwrap_or(0);
    Addr::v4(mask.to_be_bytes())
}

/// Does what a request asks for.
///
/// # Errors
/// ENOTTY if it is none of ours, ENXIO if there is no such interface, EADDRNOTAVAIL, EINVAL, EPERM.
pub fn ioctl(cmd: u64, data: &mut [u8]) -> Result<i32, Errno> {
    match cmd {
        SIOCGIFCONF => conf(data),
        SIOCGIFADDR | SIOCGIFNETMASK | SIOCGIFBRDADDR | SIOCGIFDSTADDR => {
            let own = named(data)?.first_v4().ok_or(Errno::EADDRNOTAVAIL)?;
            let addr = match cmd {
                SIOCGIFNETMASK => mask_of(own.bits),
                SIOCGIFADDR => own.addr,
                // Nothing here is point to point.
                SIOCGIFDSTADDR => return Err(Errno::EINVAL),
                _ => own.broadcast().ok_or(Errno::EINVAL)?,
            };
            answer_addr(data, addr)
        }
        SIOCGIFFLAGS => {
            let flags = named(data)?.flags.get() as u16;
            answer(data, &flags.to_le_bytes())
        }
        SIOCGIFMTU => {
            let mtu = named(data)?.mtu.get() as i32;
            answer(data, &mtu.to_le_bytes())
        }
        SIOCGIFMETRIC => {
            named(data)?;
            answer(data, &0_i32.to_le_bytes())
        }
        SIOCGIFINDEX => {
            let index = u32::from(named(data)?.index);
            answer(data, &index.to_le_bytes())
        }
        SIOCGIFDATA => {
            let stats = rtsock::if_data(named(data)?);
            answer(data, &stats)
        }
        SIOCSIFFLAGS => {
            check_root()?;
            let ifp = named(data)?;
            let cant = IFF_CANTCHANGE.cast_unsigned();
            let wanted = int(data)?.cast_unsigned() & 0xffff;
            let flags = ifp.flags.get() & cant | wanted & !cant;
            ifp.flags.set(flags);
            if flags & IFF_UP.cast_unsigned() == 0 {
                crate::neighbor::forget(ifp);
            }
            route::changed();
            Ok(0)
        }
        SIOCSIFMTU => {
            check_root()?;
            let ifp = named(data)?;
            let mtu = usize::try_from(int(data)?).map_err(|_| Errno::EINVAL)?;
            if !(576..=ifp.mtu_max).contains(&mtu) {
                return Err(Errno::EINVAL);
            }
            ifp.mtu.set(mtu);
            route::changed();
            Ok(0)
        }
        SIOCAIFADDR | SIOCSIFADDR => {
            check_root()?;
            let ifp = named(data)?;
            let addr = addr_at(data, NAME)?.ok_or(Errno::EINVAL)?;
            let mask = if cmd == SIOCAIFADDR { addr_at(data, NAME + 32)? } else { None };
            let bits = mask.map_or_else(|| Ok(class_bits(addr)), mask_bits)?;
            if addr.is_multicast() || addr.is_unspecified() || addr.is_limited_broadcast() {
                return Err(Errno::EINVAL);
            }
            config::add_addr(ifp, IfAddr::permanent(addr, bits))?;
            config::addresses_changed();
            Ok(0)
        }
        SIOCDIFADDR => {
            check_root()?;
            let ifp = named(data)?;
            let addr = match addr_at(data, NAME)? {
                Some(addr) => addr,
                None => ifp.first_v4().ok_or(Errno::EADDRNOTAVAIL)?.addr,
            };
            if config::remove_addr(ifp, addr) { Ok(0) } else { Err(Errno::EADDRNOTAVAIL) }
        }
        _ => Err(Errno::ENOTTY),
    }
}

/// SIOCGIFCONF: one `struct ifreq` for each address, or for each interface that has none.
fn conf(data: &mut [u8]) -> Result<i32, Errno> {
    let len: i32 = i32::from_le_bytes(*data.first_chunk().ok_or(Errno::EINVAL)?);
    let buffer = usize::from_le_bytes(get_array(data.get(8..16).ok_or(Errno::EINVAL)?, 0));
    let room = usize::try_from(len).map_err(|_| Errno::EINVAL)?;
    let mut at = 0;
    let mut put = |ifp: &Ifnet, addr: &[u8]| -> Result<(), Errno> {
        // A null buffer asks how much there is.
        if buffer == 0 || at + IFREQ <= room {
            let mut entry = [0; IFREQ];
            entry[..ifp.name().len()].copy_from_slice(ifp.name().as_bytes());
            entry[NAME..NAME + addr.len()].copy_from_slice(addr);
            if buffer != 0 {
                copyout_bytes(&entry, buffer.wrapping_add(at))?;
            }
            at += IFREQ;
        }
        Ok(())
    };
    for ifp in ifnet::all() {
        put(ifp, &link_bytes(ifp))?;
        let addrs = ifp.addrs.borrow().clone();
        for own in addrs {
            if own.addr.is_v4() {
                put(ifp, &in_bytes(own.addr.low(), 0))?;
            } else {
                let bytes: [u8; IN6_LEN] = in6_bytes(own.addr, 0);
                put(ifp, &bytes)?;
            }
        }
    }
    data[..4].copy_from_slice(&(at as i32).to_le_bytes());
    Ok(0)
}
