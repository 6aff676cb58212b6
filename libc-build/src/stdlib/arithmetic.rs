//! abs(3), div(3) and their relatives. Structures of two ints or two longs come back in registers, as the ABI says.

use core::ffi::{c_int, c_long, c_longlong};

/// `div_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Division<T> {
    /// The quotient, rounded to zero.
    pub quot: T,
    /// The remainder, with the sign of the numerator.
    pub rem: T,
}

macro_rules! family {
    ($($abs:ident $div:ident $type:ty;)*) => {$(
        #[doc = concat!(stringify!($abs), "(3): the magnitude.")]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $abs(value: $type) -> $type {
            value.wrapping_abs()
        }

        #[doc = concat!(stringify!($div), "(3): quotient and remainder at once.")]
        /// Division by zero is what it is for the operator: a fault, which the program sees as SIGFPE.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $div(numerator: $type, denominator: $type) -> Division<$type> {
            if denominator == 0 {
                divide_fault();
            }
            Division { quot: numerator.wrapping_div(denominator), rem: numerator.wrapping_rem(denominator) }
        }
    )*};
}

/// The processor's own reaction to a division by zero.
#[cold]
fn divide_fault() {
    // SAFETY: the instruction faults, which is what is wanted; should a handler return, nothing has changed but eax and edx.
    unsafe {
        core::arch::asm!("xor ecx, ecx", "div ecx", out("ecx") _, inout("eax") 1 => _, inout("edx") 0 => _)
    };
}

family! {
    abs div c_int;
    labs ldiv c_long;
    llabs lldiv c_longlong;
    imaxabs imaxdiv i64;
    qabs qdiv i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_rounds_to_zero() {
        assert_eq!(div(-7, 2), Division { quot: -3, rem: -1 });
        assert_eq!(lldiv(7, -2), Division { quot: -3, rem: 1 });
        assert_eq!((abs(-3), labs(i64::MIN), llabs(5)), (3, i64::MIN, 5));
    }
}
