//! NetBSD's system calls by number.

use rump_abi::syscall::SYSCALLS;

/// For each of the six argument words of a call a bit: whether it is a pointer; whether the next word is the length of what it points to; whether
/// such memory is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pointers {
    pub any: u8,
    pub sized: u8,
    pub written: u8,
}

/// What of a call's arguments is a pointer, by its number.
pub(crate) fn pointers(number: usize) -> Pointers {
    let args = SYSCALLS.iter().find(|call| call.number == number).map_or(&[][..], |call| call.args);
    let mut pointers = Pointers::default();
    for (nth, arg) in args.iter().take(6).enumerate().filter(|(_, arg)| arg.contains('*')) {
        let sized = args.get(nth + 1) == Some(&"size_t");
        pointers.any |= 1 << nth;
        pointers.sized |= u8::from(sized) << nth;
        pointers.written |= u8::from(sized && !arg.contains("const")) << nth;
    }
    pointers
}

/// Number and name of every system call.
pub(crate) fn all() -> impl Iterator<Item = (usize, &'static str)> {
    SYSCALLS.iter().map(|call| (call.number, call.name))
}

#[cfg(test)]
mod tests {
    use super::{Pointers, pointers};

    #[test]
    fn pointers_are_told_from_numbers() {
        let of = |any, sized, written| Pointers { any, sized, written };
        // read(int, void *, size_t), write(int, const void *, size_t), lseek(int, int, off_t, int), pipe2(int *, int).
        assert_eq!([3, 4, 199, 453].map(pointers), [of(2, 2, 2), of(2, 2, 0), of(0, 0, 0), of(1, 0, 0)]);
    }
}
