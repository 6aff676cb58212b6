//! Messages as programs take them apart and put them together.

use super::*;
use crate::net::dns::compress::__dn_comp;
use core::ptr::null_mut;
use proptest::prelude::*;

/// A message with one question and two records, the second of which has a pointer in its data.
const MESSAGE: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0\
    \x03www\x01e\0\0\x0f\0\x01\
    \xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x05\0\x0amx\xc0\
    \xc0\x0c\0\x05\0\x01\0\0\0\x3d\0\x02\xc0\x10";

fn message() -> Message {
    let mut parsed = core::mem::MaybeUninit::uninit();
    // SAFETY: the message with its length; a result is written where 0 is returned.
    unsafe {
        assert_eq!(__ns_initparse(MESSAGE.as_ptr(), MESSAGE.len() as c_int, parsed.as_mut_ptr()), 0);
        parsed.assume_init()
    }
}

/// An item of a section.
fn item(message: &mut Message, section: c_int, index: c_int) -> Option<(String, u16, u32, usize)> {
    let mut record = core::mem::MaybeUninit::<Record>::zeroed();
    // SAFETY: a message, and memory for a record; any bytes are one.
    unsafe {
        if __ns_parserr(message, section, index, record.as_mut_ptr()) != 0 {
            return None;
        }
        let record = record.assume_init();
        let name = CStr::from_ptr(record.name.as_ptr()).to_str().expect("ASCII").to_owned();
        Some((name, record.kind, record.ttl_s, record.data_len.into()))
    }
}

#[test]
fn sections() {
    let mut parsed = message();
    assert_eq!((parsed.id, __ns_msg_getflag(parsed, 0), __ns_msg_getflag(parsed, 9)), (0x1234, 1, 0));
    assert_eq!(item(&mut parsed, 0, 0), Some(("www.e".to_owned(), 15, 0, 0)));
    assert_eq!(item(&mut parsed, 1, 1), Some(("www.e".to_owned(), 5, 61, 2)));
    assert_eq!(item(&mut parsed, 1, 0), Some(("www.e".to_owned(), 15, 60, 5)));
    assert_eq!(item(&mut parsed, 1, -1).map(|item| item.2), Some(61));
    assert_eq!(
        (item(&mut parsed, 1, 2), item(&mut parsed, 2, 0), item(&mut parsed, 9, 0)),
        (None, None, None)
    );
    let mut target = core::mem::MaybeUninit::uninit();
    for cut in 0..MESSAGE.len() {
        // SAFETY: a part of the message with its length.
        assert_eq!(unsafe { __ns_initparse(MESSAGE.as_ptr(), cut as c_int, target.as_mut_ptr()) }, -1);
    }
}

#[test]
fn names_in_messages() {
    let mut text = [0; 1025];
    let (start, end) = (MESSAGE.as_ptr(), MESSAGE.as_ptr().wrapping_add(MESSAGE.len()));
    // SAFETY: the message, places in it, and buffers with their sizes.
    unsafe {
        assert_eq!(dn_expand(start, end, start.add(MESSAGE.len() - 2), text.as_mut_ptr(), 1025), 2);
        assert_eq!(CStr::from_ptr(text.as_ptr()), c"e");
        assert_eq!(dn_expand(start, end, start.add(12), text.as_mut_ptr(), 5), -1);
        assert_eq!(__dn_skipname(start.add(12), end), 7);
        assert_eq!(__ns_skiprr(start.add(23), end, 1, 2), MESSAGE.len() as c_int - 23);
        assert_eq!(__ns_skiprr(start.add(23), end, 1, 3), -1);
        let mut wire = [0_u8; 16];
        assert_eq!(__ns_name_pton(c"a.b.".as_ptr(), wire.as_mut_ptr(), 16), 1);
        assert_eq!(&wire[..5], b"\x01a\x01b\0");
        assert_eq!(__ns_name_ntop(wire.as_ptr(), text.as_mut_ptr(), 4), 4);
        assert_eq!(CStr::from_ptr(text.as_ptr()), c"a.b");
        assert_eq!(__ns_samename(c"A.b".as_ptr(), c"a.B.".as_ptr()), 1);
    }
}

#[test]
fn names_are_written_with_pointers() {
    let mut buffer = [0_u8; 128];
    let mut names = [null_mut(); 8];
    names[0] = buffer.as_mut_ptr();
    let mut length = 12;
    let mut ends = vec![];
    // SAFETY: names in the buffer, and room behind them.
    unsafe {
        let last = names.as_mut_ptr().add(8);
        for name in [c"www.example.com", c"mail.example.com", c"example.com.", c"com", c"org"] {
            let target = buffer.as_mut_ptr().add(length);
            let used = __dn_comp(name.as_ptr(), target, 40, names.as_mut_ptr(), last);
            assert!(used > 0);
            length += used as usize;
            ends.push(used);
        }
        assert_eq!(ends, [17, 7, 2, 2, 5]);
        let mut text = [0; 64];
        let end = buffer.as_ptr().add(length);
        assert_eq!(dn_expand(buffer.as_ptr(), end, buffer.as_ptr().add(29), text.as_mut_ptr(), 64), 7);
        assert_eq!(CStr::from_ptr(text.as_ptr()), c"mail.example.com");
        assert_eq!(__dn_comp(c"too.long".as_ptr(), buffer.as_mut_ptr(), 9, null_mut(), null_mut()), -1);
    }
}

proptest! {
    #[test]
    fn no_message_hurts(changes in proptest::collection::vec((0..MESSAGE.len(), any::<u8>()), 0..8), cut in 0..70_usize) {
        let mut bytes = MESSAGE.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(cut);
        let mut parsed = core::mem::MaybeUninit::uninit();
        let mut text = [0; 1025];
        // SAFETY: the message with its length; a result is written where 0 is returned.
        unsafe {
            let (start, end) = (bytes.as_ptr(), bytes.as_ptr().wrapping_add(bytes.len()));
            for at in 0..bytes.len() {
                dn_expand(start, end, start.add(at), text.as_mut_ptr(), 1025);
                __ns_skiprr(start.add(at), end, 1, 2);
            }
            if __ns_initparse(start, bytes.len() as c_int, parsed.as_mut_ptr()) == 0 {
                let mut parsed = parsed.assume_init();
                for section in 0..4 {
                    for index in -1..4 {
                        item(&mut parsed, section, index);
                    }
                }
            }
        }
    }
}
