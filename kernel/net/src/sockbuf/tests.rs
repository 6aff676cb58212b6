extern crate std;

use alloc::vec::Vec;

use rump_abi::socket::SOL_SOCKET;
use rump_hypercall::net::{Packet, Slice};

use super::{Record, SockBuf};
use crate::control::Control;

fn kernel(body: impl FnOnce() + Send) {
    rumpbake_posix::run(body);
}

fn bytes(from: usize, len: usize) -> Vec<u8> {
    (from..from + len).map(|index| (index % 251) as u8).collect()
}

fn gathered(buf: &SockBuf, offset: usize, len: usize) -> Vec<u8> {
    let mut packet = Packet::default();
    let count = buf.gather(offset, len, &mut packet).unwrap();
    assert_eq!(count, packet.len());
    packet.to_vec()
}

#[test]
fn a_stream_is_found_at_any_position() {
    kernel(|| {
        let buf = SockBuf::new(1 << 20, 1);
        let (mut start, mut end) = (0, 0);
        for round in 0..500_usize {
            let len = 1 + round * 7919 % 9000;
            if round % 3 == 0 {
                buf.append_slice(Slice::from_bytes(&bytes(end, len.min(4000)), 0).unwrap()).unwrap();
                end += len.min(4000);
            } else {
                buf.append_bytes(&bytes(end, len)).unwrap();
                end += len;
            }
            assert_eq!(buf.len(), end - start);
            for probe in 0..5 {
                let offset = probe * 10_007 % buf.len();
                let len = (probe * 3001).min(buf.len() - offset);
                assert_eq!(gathered(&buf, offset, len), bytes(start + offset, len));
                let mut out = alloc::vec![0; 700];
                let count = buf.copy_bytes(offset, &mut out);
                assert_eq!(count, 700.min(buf.len() - offset));
                assert_eq!(out[..count], bytes(start + offset, count));
            }
            let acknowledged = (round * 104_729 % 9500).min(buf.len());
            buf.drop_front(acknowledged);
            start += acknowledged;
            if buf.is_empty() {
                assert!(gathered(&buf, 0, 10).is_empty());
                buf.append_bytes(&bytes(end, 1)).unwrap();
                end += 1;
            }
        }
        assert_eq!(gathered(&buf, 0, usize::MAX), bytes(start, end - start));
        buf.flush();
        buf.append_bytes(b"anew").unwrap();
        assert_eq!((buf.len(), gathered(&buf, 1, 2)), (4, b"ne".to_vec()));
    });
}

#[test]
fn control_messages_keep_their_place() {
    kernel(|| {
        let buf = SockBuf::new(1000, 1);
        let control = |byte| {
            let mut control = Control::default();
            control.push(SOL_SOCKET, 7, &[byte]).unwrap();
            control
        };
        buf.append_bytes(b"plain").unwrap();
        buf.append_mark(control(1)).unwrap();
        buf.append_bytes(b"first").unwrap();
        buf.append_mark(control(2)).unwrap();
        buf.append_bytes(b"second").unwrap();
        buf.append_mark(control(3)).unwrap();
        buf.remove_mark();
        assert!(buf.take_mark().is_none());
        assert_eq!(buf.run_len(), 5);
        buf.drop_front(5);
        assert_eq!(buf.peek_mark().unwrap().find(SOL_SOCKET, 7), Some(&[1][..]));
        assert_eq!(buf.take_mark().unwrap().find(SOL_SOCKET, 7), Some(&[1][..]));
        assert_eq!((buf.run_len(), buf.take_mark().is_none()), (5, true));
        buf.drop_front(5);
        assert_eq!((buf.take_mark().is_some(), buf.run_len()), (true, 6));
        buf.drop_front(6);
        assert!(buf.take_mark().is_none() && buf.is_empty());
    });
}

#[test]
fn small_records_share_clusters() {
    kernel(|| {
        let buf = SockBuf::new(100_000, 1);
        let record =
            |len| Record { data: Packet::from_bytes(&bytes(len, len)).unwrap(), ..Record::default() };
        let pages = rump_hypercall::net::pool_counts().pages;
        let mut count = 0;
        while buf.append_record(record(count % 100)).is_ok() {
            count += 1;
        }
        assert!(count > 700, "{count}");
        assert!(rump_hypercall::net::pool_counts().pages - pages < 40);
        assert_eq!((buf.record_count(), buf.first_record_len()), (count, Some(0)));
        for index in 0..count {
            let len = index % 100;
            assert_eq!(buf.peek_record().unwrap().data.to_vec(), bytes(len, len));
            assert_eq!(buf.take_record().unwrap().data.to_vec(), bytes(len, len));
        }
        assert!(buf.take_record().is_none() && buf.is_empty() && buf.append_record(record(5000)).is_ok());
    });
}
