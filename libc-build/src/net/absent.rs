//! The same for unit tests, where there is no such kernel: loopback addresses, one interface, and no name server.

use super::address::{Host, Ip};
use super::buffer::Text;
use super::dns::config::Server;
use super::dns::query::{Heard, Wire};
use super::interfaces::{self, made};
use crate::stdlib::array::Array;
use core::ffi::c_int;

pub(crate) fn interface_list() -> Option<Array<u8>> {
    let [Ip::V6(loopback), _] = Ip::LOOPBACK else { return None };
    let mut link_local = [0; 16];
    (link_local[0], link_local[1], link_local[3], link_local[15]) = (0xfe, 0x80, 1, 1);
    let list = [
        made::interface(1, 8, b"lo0"),
        made::address(
            1,
            &[
                (interfaces::NETMASK, &[5, 0, 0, 0, 255]),
                (interfaces::ADDRESS, &made::v4(1)),
                (interfaces::BROADCAST, &made::v4(255)),
            ],
        ),
        made::address(1, &[(interfaces::ADDRESS, &made::v6(loopback))]),
        made::address(1, &[(interfaces::ADDRESS, &made::v6(link_local))]),
    ];
    Array::copied(&list.concat()).ok()
}

pub(crate) fn index_of(name: &[u8]) -> Option<u32> {
    interfaces::index_of(&interface_list()?, name)
}

pub(crate) fn name_of(index: u32, text: &mut Text<16>) -> bool {
    let list = interface_list().expect("memory");
    interfaces::name_of(&list, index).is_some_and(|name| {
        text.extend(name);
        true
    })
}

pub(crate) fn has_family(_family: c_int) -> bool {
    true
}

pub(crate) fn source_for(destination: Host) -> Option<Ip> {
    Ip::LOOPBACK.into_iter().find(|ip| *ip == destination.ip)
}

pub(crate) struct Network;

impl Wire for Network {
    fn datagram(
        &mut self,
        _: &Server,
        _: &[u8],
        _: &mut Array<u8>,
        _: u32,
        _: &dyn Fn(&[u8]) -> bool,
    ) -> Heard {
        Heard::Silence
    }
    fn stream(&mut self, _: &Server, _: &[u8], _: &mut Array<u8>, _: u32) -> Heard {
        Heard::Silence
    }
    fn random(&mut self) -> u32 {
        1
    }
}
