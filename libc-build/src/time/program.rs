//! The program's time zone: tzset(3).
//!
//! TZ names a file below /usr/share/zoneinfo, or is a POSIX string; unset, /etc/localtime decides, and without that it is Greenwich.
//! `tm_zone` points into the zone, so a zone that was replaced is not freed: programs change TZ a few times at most.

use super::rule::Rule;
use super::tzif::{Summer, TzFile};
use super::zone::Zone;
use crate::lock::{Guard, Lock};
use crate::stdlib::heap::{free, malloc};
use crate::sys;
use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicI32, AtomicI64, AtomicPtr, Ordering};

/// Where zones' files are.
const ZONE_DIRECTORY: &[u8] = b"/usr/share/zoneinfo/";
/// The zone of a program without TZ.
const DEFAULT_ZONE: &CStr = c"/etc/localtime";
/// The largest file that is read: they have some thousand bytes.
const FILE_LIMIT_BYTES: usize = 1 << 17;
/// The longest TZ that is understood.
const NAME_LIMIT_BYTES: usize = 256;

/// The zone and the TZ that it was made from.
pub(super) struct Current {
    pub(super) zone: Zone,
    /// TZ with its end; empty for unset. None before the first tzset(3).
    made_from: Option<[u8; NAME_LIMIT_BYTES]>,
    was_set: bool,
}

// SAFETY: the names that a zone points to are never written again.
unsafe impl Send for Current {}

static CURRENT: Lock<Current> =
    Lock::new(Current { zone: Zone::Rule(Rule::UTC), made_from: None, was_set: false });

/// `tzname`: abbreviations of standard and of summer time.
#[derive(Debug)]
#[repr(transparent)]
pub struct Names([AtomicPtr<c_char>; 2]);

/// C's `tzname`.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static tzname: Names =
    Names([AtomicPtr::new(c"UTC".as_ptr().cast_mut()), AtomicPtr::new(c"UTC".as_ptr().cast_mut())]);

/// C's `timezone`: seconds west of Greenwich in standard time.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static __timezone13: AtomicI64 = AtomicI64::new(0);

/// C's `daylight`: whether the zone ever has summer time.
#[cfg_attr(not(test), unsafe(no_mangle))]
#[allow(non_upper_case_globals, reason = "C's name")]
pub static daylight: AtomicI32 = AtomicI32::new(0);

/// Reads a zone's file into memory that is never freed.
fn load(path: &CStr) -> Option<Zone> {
    // SAFETY: a C string; the block holds what is read into it.
    unsafe {
        let fd = sys::open(path.as_ptr(), 0);
        if fd < 0 {
            return None;
        }
        let block = malloc(FILE_LIMIT_BYTES).cast::<u8>();
        let mut length = 0;
        while !block.is_null() && length < FILE_LIMIT_BYTES {
            let got = sys::read(fd, block.add(length).cast(), FILE_LIMIT_BYTES - length);
            let Some(got) = usize::try_from(got).ok().filter(|&got| got > 0) else { break };
            length += got;
        }
        sys::close(fd);
        if block.is_null() {
            return None;
        }
        let kept =
            if length > 0 { crate::stdlib::heap::realloc(block.cast(), length).cast::<u8>() } else { block };
        let kept = if kept.is_null() { block } else { kept };
        let file = TzFile::new(core::slice::from_raw_parts(kept, length));
        if file.is_none() {
            free(kept.cast());
        }
        file.map(Zone::File)
    }
}

/// The zone that a value of TZ names; None for none.
pub(super) fn by_name(name: Option<&CStr>) -> Option<Zone> {
    let Some(name) = name else { return load(DEFAULT_ZONE).or(Some(Zone::Rule(Rule::UTC))) };
    let text = name.to_bytes();
    let only_file = text.first() == Some(&b':');
    let text = text.strip_prefix(b":").unwrap_or(text);
    if text.is_empty() {
        return Some(Zone::Rule(Rule::UTC));
    }
    let mut path = [0; ZONE_DIRECTORY.len() + NAME_LIMIT_BYTES];
    let start = if text.first() == Some(&b'/') { 0 } else { ZONE_DIRECTORY.len() };
    path.get_mut(..start)?.copy_from_slice(ZONE_DIRECTORY.get(..start)?);
    let climbs = text.windows(2).any(|pair| pair == b"..");
    let room = path.get_mut(start..start + text.len());
    if let Some(room) = room.filter(|_| !climbs && text.len() < NAME_LIMIT_BYTES) {
        room.copy_from_slice(text);
        // A rule is told from a file's name by its digits, so that the common rules cost no look into the file system.
        let rule = if only_file { None } else { Rule::parse(text) };
        if rule.is_none()
            && let Some(zone) = CStr::from_bytes_until_nul(&path).ok().and_then(load)
        {
            return Some(zone);
        }
    }
    if only_file {
        return None;
    }
    Rule::parse(text).map(Zone::Rule).or((text == b"UTC" || text == b"GMT").then_some(Zone::Rule(Rule::UTC)))
}

/// The program's zone, after TZ was looked at.
pub(super) fn current() -> Guard<'static, Current> {
    let wanted = crate::env::get(c"TZ");
    let mut current = CURRENT.lock();
    let bytes = wanted.map_or(b"".as_slice(), CStr::to_bytes);
    let same = current.was_set == wanted.is_some()
        && current
            .made_from
            .as_ref()
            .is_some_and(|from| from.get(..bytes.len()) == Some(bytes) && from.get(bytes.len()) == Some(&0));
    if !same {
        let mut from = [0; NAME_LIMIT_BYTES];
        if let Some(room) = from.get_mut(..bytes.len()).filter(|room| room.len() < NAME_LIMIT_BYTES) {
            room.copy_from_slice(bytes);
        }
        current.made_from = Some(from);
        current.was_set = wanted.is_some();
        // A rule's names lie in the zone itself, which is overwritten here: tm_zone of earlier calls then shows the new zone's, as tzset(3) allows.
        current.zone = by_name(wanted).unwrap_or(Zone::Rule(Rule::UTC));
        let (standard, summer) = (current.zone.kind(Summer::No), current.zone.kind(Summer::Yes));
        if let Some(local) = standard.or(summer) {
            tzname.0[0].store(local.name.cast_mut(), Ordering::Relaxed);
            __timezone13.store(-i64::from(local.offset), Ordering::Relaxed);
        }
        if let Some(local) = summer.or(standard) {
            tzname.0[1].store(local.name.cast_mut(), Ordering::Relaxed);
        }
        daylight.store(summer.is_some().into(), Ordering::Relaxed);
    }
    current
}

/// A name of the program's zone: 0 standard time's, 1 summer time's.
pub(super) fn tzname_of(index: usize) -> *const c_char {
    drop(current());
    tzname.0.get(index).map_or(c"".as_ptr(), |name| name.load(Ordering::Relaxed).cast_const())
}

/// Looks at TZ.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __tzset50() {
    drop(current());
}

/// Goes to the zone of the machine, whatever TZ says.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn __tzsetwall50() {
    let mut current = current();
    current.zone = by_name(None).unwrap_or(Zone::Rule(Rule::UTC));
}
