//! Streams on cookies that record what is asked of them.

use super::buffer::setvbuf;
use super::file::{EOF, File};
use super::lines::{fgetln, fparseln, getdelim};
use super::memory::{fmemopen, open_memstream};
use super::open::{fclose, funopen2};
use super::read::{fgets, fread, getc, ungetc};
use super::seek::{fseek, ftell};
use super::state::{feof, ferror};
use super::write::{fflush, fputs, fwrite, putc};
use proptest::prelude::*;
use std::ffi::{CStr, c_int, c_void};
use std::ptr::{null, null_mut};

/// A file in memory that counts its transfers.
#[derive(Default)]
struct Disk {
    bytes: Vec<u8>,
    position: usize,
    reads: usize,
    writes: Vec<usize>,
    seeks: usize,
    /// The most that one transfer moves.
    most: usize,
}

unsafe extern "C" fn read(cookie: *mut c_void, to: *mut c_void, size: usize) -> isize {
    // SAFETY: the tests' cookie, and the stream's buffer.
    unsafe {
        let disk = &mut *cookie.cast::<Disk>();
        disk.reads += 1;
        let rest = &disk.bytes[disk.position.min(disk.bytes.len())..];
        let part = size.min(rest.len()).min(disk.most);
        to.cast::<u8>().copy_from(rest.as_ptr(), part);
        disk.position += part;
        part as isize
    }
}

unsafe extern "C" fn write(cookie: *mut c_void, from: *const c_void, size: usize) -> isize {
    // SAFETY: as above.
    unsafe {
        let disk = &mut *cookie.cast::<Disk>();
        let size = size.min(disk.most);
        disk.writes.push(size);
        let end = disk.position + size;
        if disk.bytes.len() < end {
            disk.bytes.resize(end, 0);
        }
        disk.bytes[disk.position..end].copy_from_slice(core::slice::from_raw_parts(from.cast(), size));
        disk.position = end;
        size as isize
    }
}

unsafe extern "C" fn seek(cookie: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as above.
    let disk = unsafe { &mut *cookie.cast::<Disk>() };
    disk.seeks += 1;
    let base = [0, disk.position, disk.bytes.len()][whence as usize] as i64;
    disk.position = (base + offset) as usize;
    disk.position as i64
}

/// A stream on a disk, for reading and writing.
fn open(disk: *mut Disk) -> *mut File {
    // SAFETY: the functions are made for the cookie, which outlives the stream in every test.
    unsafe { funopen2(disk.cast(), Some(read), Some(write), Some(seek), None, None) }
}

fn disk(bytes: &[u8]) -> *mut Disk {
    Box::into_raw(Box::new(Disk { bytes: bytes.to_vec(), most: usize::MAX, ..Disk::default() }))
}

#[test]
fn lines_of_any_length() {
    let text = format!("one\n{}\nlast", "x".repeat(10_000));
    // SAFETY: everything here lives to the end of the test.
    unsafe {
        let file = open(disk(text.as_bytes()));
        let mut buffer = [0; 8];
        assert_eq!(CStr::from_ptr(fgets(buffer.as_mut_ptr(), 8, file)), c"one\n");
        assert_eq!(CStr::from_ptr(fgets(buffer.as_mut_ptr(), 8, file)), c"xxxxxxx");
        let (mut line, mut size) = (null_mut(), 0);
        assert_eq!(getdelim(&raw mut line, &raw mut size, b'\n'.into(), file), 9_994);
        let mut len = 0;
        let last = fgetln(file, &raw mut len);
        assert_eq!(core::slice::from_raw_parts(last, len), b"last");
        assert_eq!(getdelim(&raw mut line, &raw mut size, b'\n'.into(), file), -1);
        assert_ne!(feof(file), 0);
        assert!(fgets(buffer.as_mut_ptr(), 8, file).is_null());
        assert_eq!(CStr::from_ptr(buffer.as_ptr()), c"xxxxxxx");
        libc::free(line.cast());
        assert_eq!(fclose(file), 0);
    }
}

#[test]
fn logical_lines() {
    // SAFETY: as above.
    unsafe {
        let file = open(disk(b"# all comment\nkey = a\\\n b # rest\nesc \\# x\n"));
        let (mut size, mut number) = (0, 0);
        let line = fparseln(file, &raw mut size, &raw mut number, null(), 0xf);
        assert_eq!((CStr::from_ptr(line), size, number), (c"key = a b ", 10, 3));
        libc::free(line.cast());
        let line = fparseln(file, &raw mut size, &raw mut number, null(), 0xf);
        assert_eq!(CStr::from_ptr(line), c"esc # x");
        libc::free(line.cast());
        assert!(fparseln(file, null_mut(), null_mut(), null(), 0).is_null());
        fclose(file);
    }
}

#[test]
fn characters_pushed_back() {
    // SAFETY: as above.
    unsafe {
        let file = open(disk(b"abc"));
        assert_eq!(getc(file), b'a'.into());
        assert_eq!(ungetc(b'a'.into(), file), b'a'.into());
        assert_eq!(ungetc(b'z'.into(), file), b'z'.into());
        assert_eq!(ungetc(b'y'.into(), file), b'y'.into());
        let mut buffer = [0; 8];
        assert_eq!(fread(buffer.as_mut_ptr(), 1, 8, file), 5);
        assert_eq!(&buffer[..5], b"yzabc");
        assert_eq!(getc(file), EOF);
        assert_eq!(ungetc(b'!'.into(), file), b'!'.into());
        assert_eq!(feof(file), 0);
        assert_eq!(getc(file), b'!'.into());
        assert_eq!(getc(file), EOF);
        assert_eq!(ungetc(EOF, file), EOF);
        fclose(file);
    }
}

#[test]
fn line_buffering_and_none() {
    let it = disk(b"");
    // SAFETY: as above.
    unsafe {
        let file = open(it);
        assert_eq!(setvbuf(file, null_mut(), 1, 64), 0);
        fputs(c"ab".as_ptr(), file);
        putc(b'c'.into(), file);
        assert!((*it).writes.is_empty());
        putc(b'\n'.into(), file);
        assert_eq!((*it).writes, [4]);
        fputs(c"one\ntwo\nthr".as_ptr(), file);
        assert_eq!((*it).writes, [4, 8]);
        fflush(file);
        assert_eq!((*it).bytes, b"abc\none\ntwo\nthr");
        assert_eq!(setvbuf(file, null_mut(), 2, 0), 0);
        fputs(c"now".as_ptr(), file);
        assert_eq!((*it).writes, [4, 8, 3, 3]);
        fclose(file);
    }
}

#[test]
fn large_transfers_go_around_the_buffer() {
    let it = disk(b"");
    let bytes = vec![7u8; 100_000];
    // SAFETY: as above.
    unsafe {
        let file = open(it);
        setvbuf(file, null_mut(), 0, 4096);
        putc(1, file);
        assert_eq!(fwrite(bytes.as_ptr(), 1, bytes.len(), file), bytes.len());
        fflush(file);
        assert_eq!((*it).writes, [4096, 94_208, 1697]);
        fseek(file, 0, 0);
        let mut back = vec![0u8; 100_001];
        (*it).reads = 0;
        assert_eq!(fread(back.as_mut_ptr(), 1, back.len(), file), back.len());
        assert!((*it).reads <= 2, "{}", (*it).reads);
        assert_eq!(back[1..], bytes);
        // Within the buffer a position costs no call.
        fseek(file, 0, 0);
        getc(file);
        let (seeks, reads) = ((*it).seeks, (*it).reads);
        fseek(file, 100, 0);
        assert_eq!((getc(file), ftell(file)), (7, 101));
        assert_eq!(((*it).seeks, (*it).reads), (seeks, reads));
        fclose(file);
    }
}

#[test]
fn reading_and_writing_take_turns() {
    let it = disk(b"hello world");
    // SAFETY: as above.
    unsafe {
        let file = open(it);
        assert_eq!(getc(file), b'h'.into());
        fseek(file, 6, 0);
        fputs(c"W".as_ptr(), file);
        fseek(file, 0, 1);
        assert_eq!(getc(file), b'o'.into());
        fseek(file, -1, 2);
        assert_eq!(ftell(file), 10);
        fputs(c"D!".as_ptr(), file);
        fclose(file);
        assert_eq!((*it).bytes, b"hello WorlD!");
    }
}

#[test]
fn memory_of_fixed_size() {
    let mut buffer = *b"##########";
    // SAFETY: as above.
    unsafe {
        let file = fmemopen(buffer.as_mut_ptr().cast(), 10, c"w+".as_ptr());
        fputs(c"hello".as_ptr(), file);
        fflush(file);
        assert_eq!(&buffer[..7], b"hello\0#");
        fseek(file, 1, 0);
        assert_eq!(getc(file), b'e'.into());
        fseek(file, 0, 2);
        assert_eq!(ftell(file), 5);
        fputs(c"123456789".as_ptr(), file);
        assert_eq!(fflush(file), EOF);
        assert_ne!(ferror(file), 0);
        fclose(file);
        assert_eq!(&buffer, b"hello12345");
        assert!(fmemopen(null_mut(), 0, c"r".as_ptr()).is_null());
    }
}

#[test]
fn memory_that_grows() {
    let (mut text, mut size) = (null_mut(), 0);
    // SAFETY: as above.
    unsafe {
        let file = open_memstream(&raw mut text, &raw mut size);
        for _ in 0..1000 {
            fputs(c"0123456789".as_ptr(), file);
        }
        fflush(file);
        assert_eq!(size, 10_000);
        fseek(file, 3, 0);
        fputs(c"x".as_ptr(), file);
        fclose(file);
        assert_eq!(size, 4);
        assert_eq!(CStr::from_ptr(text.cast()).count_bytes(), 10_000);
        assert_eq!(*text.add(3), b'x');
        libc::free(text.cast());
    }
}

/// What a program may do with a stream.
#[derive(Clone, Debug)]
enum Step {
    Read(usize),
    Write(usize),
    Seek(usize),
    Back,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0usize..70).prop_map(Step::Read),
        (0usize..70).prop_map(Step::Write),
        (0usize..200).prop_map(Step::Seek),
        Just(Step::Back),
    ]
}

proptest! {
    /// Any sequence of operations does to the file what it would do without a buffer.
    #[test]
    fn buffers_are_invisible(steps in proptest::collection::vec(step(), 1..40), mode in 0..3, size in 1usize..40, most in 1usize..50) {
        let it = disk(&(0..100).collect::<Vec<u8>>());
        let (mut bytes, mut position) = ((0..100).collect::<Vec<u8>>(), 0usize);
        let mut next = 100u8;
        // SAFETY: everything here lives to the end of the test.
        unsafe {
            (*it).most = most;
            let file = open(it);
            setvbuf(file, null_mut(), mode, size);
            let mut last_was = 0;
            for step in steps {
                // ISO C wants a seek between reading and writing.
                let kind = match step { Step::Read(_) | Step::Back => 1, Step::Write(_) => 2, Step::Seek(_) => 0 };
                if last_was != 0 && kind != last_was {
                    fseek(file, 0, 1);
                }
                last_was = kind;
                match step {
                    Step::Read(count) => {
                        let mut got = vec![0; count];
                        let len = fread(got.as_mut_ptr(), 1, count, file);
                        let end = (position + count).min(bytes.len().max(position));
                        prop_assert_eq!(&got[..len], &bytes[position.min(bytes.len())..end.min(bytes.len())]);
                        position += len;
                    }
                    Step::Write(count) => {
                        let new: Vec<u8> = (0..count).map(|_| { next = next.wrapping_add(1); next }).collect();
                        prop_assert_eq!(fwrite(new.as_ptr(), 1, count, file), count);
                        if count != 0 {
                            bytes.resize(bytes.len().max(position + count), 0);
                            bytes[position..position + count].copy_from_slice(&new);
                            position += count;
                        }
                    }
                    Step::Seek(to) => {
                        let to = to.min(bytes.len());
                        prop_assert_eq!(fseek(file, to as i64, 0), 0);
                        position = to;
                    }
                    Step::Back => {
                        let c = getc(file);
                        prop_assert_eq!(c, bytes.get(position).map_or(EOF, |&byte| byte.into()));
                        ungetc(c, file);
                    }
                }
                prop_assert_eq!(ftell(file), position as i64);
            }
            fclose(file);
            prop_assert_eq!(&(*it).bytes, &bytes);
            drop(Box::from_raw(it));
        }
    }
}
