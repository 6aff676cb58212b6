use alloc::vec::Vec;

use rump_abi::termios::{ECHO, ICANON, OPOST, OXTABS, VEOF};
use rumpbake_posix as _;

use super::{LINE_MAX, Signals, Tty};

fn typed(tty: &mut Tty, bytes: &[u8]) -> (Vec<u8>, Signals) {
    let mut echo = Vec::new();
    let signals = tty.input(bytes, &mut echo);
    (echo, signals)
}

fn take(tty: &mut Tty, at_most: usize) -> Vec<u8> {
    let bytes = tty.peek();
    let bytes = bytes[..bytes.len().min(at_most)].to_vec();
    tty.consume(bytes.len());
    bytes
}

fn with_modes(change: impl Fn(&mut crate::termios::Termios)) -> Tty {
    let mut tty = Tty::new();
    let mut termios = *tty.termios();
    change(&mut termios);
    tty.set_termios(termios);
    tty
}

#[test]
fn lines_are_read_one_at_a_time() {
    let mut tty = Tty::new();
    let (echo, _) = typed(&mut tty, b"one\rtw");
    assert_eq!(echo, b"one\r\ntw");
    assert!(tty.is_readable());
    typed(&mut tty, b"o\r");
    assert_eq!(take(&mut tty, 2), b"on");
    assert_eq!(take(&mut tty, 100), b"e\n");
    assert_eq!(take(&mut tty, 100), b"two\n");
    assert!(!tty.is_readable());
}

#[test]
fn erasing() {
    let mut tty = Tty::new();
    assert_eq!(typed(&mut tty, b"ab\x7f").0, b"ab\x08 \x08");
    assert_eq!(typed(&mut tty, b"\x7f\x7f").0, b"\x08 \x08");
    assert_eq!(typed(&mut tty, "ü\x7f".as_bytes()).0, b"\xc3\xbc\x08 \x08\x08 \x08"[..5].to_vec().as_slice());
    typed(&mut tty, b"some words \x17");
    typed(&mut tty, b"x\x15last\n");
    assert_eq!(take(&mut tty, 100), b"last\n");
}

#[test]
fn end_of_file() {
    let mut tty = Tty::new();
    typed(&mut tty, b"\x04");
    assert!(tty.is_readable());
    assert_eq!(take(&mut tty, 10), b"");
    assert!(!tty.is_readable());
    typed(&mut tty, b"abc\x04");
    assert_eq!(take(&mut tty, 10), b"abc");
    assert!(!tty.is_readable());
    // Taken as it is after VLNEXT.
    typed(&mut tty, b"\x16\x04\n");
    assert_eq!(take(&mut tty, 10), b"\x04\n");
}

#[test]
fn signals_flush_what_was_typed() {
    let mut tty = Tty::new();
    let (echo, signals) = typed(&mut tty, b"abc\x03");
    assert_eq!(echo, b"abc^C");
    assert_eq!(signals, Signals { interrupt: true, ..Signals::default() });
    typed(&mut tty, b"d\n");
    assert_eq!(take(&mut tty, 10), b"d\n");
    assert!(typed(&mut tty, b"\x1c").1.quit);
    assert!(typed(&mut tty, b"\x1a").1.suspend);
    assert!(typed(&mut tty, b"\x14").1.status);
}

#[test]
fn raw_mode_gives_every_byte() {
    let mut tty = with_modes(|termios| (termios.lflag, termios.iflag) = (0, 0));
    let (echo, signals) = typed(&mut tty, b"\x03\x04\x7f\r\x13");
    assert_eq!((echo.as_slice(), signals), (&b""[..], Signals::default()));
    assert_eq!(take(&mut tty, 100), b"\x03\x04\x7f\r\x13");
}

#[test]
fn changing_modes_keeps_what_was_typed() {
    let mut tty = Tty::new();
    typed(&mut tty, b"a\nb");
    let canonical = *tty.termios();
    let mut raw = canonical;
    raw.lflag &= !ICANON;
    tty.set_termios(raw);
    assert_eq!(take(&mut tty, 100), b"a\nb");
    typed(&mut tty, b"xy");
    tty.set_termios(canonical);
    assert_eq!(take(&mut tty, 100), b"xy");
}

#[test]
fn output_modes() {
    let mut out = Vec::new();
    Tty::new().output(b"a\n\tb\n", &mut out);
    assert_eq!(out, b"a\r\n\tb\r\n");
    out.clear();
    with_modes(|termios| termios.oflag |= OXTABS).output(b"ab\tc\n\td", &mut out);
    assert_eq!(out, b"ab      c\r\n        d");
    out.clear();
    with_modes(|termios| termios.oflag &= !OPOST).output(b"a\n", &mut out);
    assert_eq!(out, b"a\n");
}

#[test]
fn flow_control() {
    let mut tty = Tty::new();
    typed(&mut tty, b"\x13");
    assert!(tty.is_stopped());
    typed(&mut tty, b"\x11");
    assert!(!tty.is_stopped());
    typed(&mut tty, b"\x13x");
    assert!(!tty.is_stopped(), "IXANY is a default");
}

#[test]
fn nothing_grows_without_bound() {
    let mut tty = Tty::new();
    for _ in 0..10 {
        typed(&mut tty, &[b'x'; LINE_MAX]);
    }
    typed(&mut tty, b"\x15");
    let mut quiet = *tty.termios();
    quiet.lflag &= !ECHO;
    tty.set_termios(quiet);
    for _ in 0..100_000 {
        typed(&mut tty, b"line\n");
    }
    assert!(tty.readable_bytes() <= super::READY_MAX);
    assert!(tty.termios().is(VEOF, 4));
}
