//! Variable arguments: `va_list` and how one is made (System V ABI, AMD64 supplement, section 3.5.7).

use core::arch::naked_asm;

/// C's `va_list` element. A `va_list` parameter is a pointer to one.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct VaList {
    /// Offset of the next general register in the save area, 48 when there are no more.
    gp_offset: u32,
    /// Offset of the next vector register in the save area, 176 when there are no more.
    fp_offset: u32,
    /// The next argument on the stack.
    overflow_arg_area: *mut u8,
    /// Six general registers, then eight vector registers of 16 bytes.
    reg_save_area: *mut u8,
}

/// C's `long double`: the 80-bit format of the x87.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct LongDouble {
    /// The significand with its explicit leading bit.
    pub mantissa: u64,
    /// The sign in bit 15, the exponent biased by 16383 in the others.
    pub sign_exponent: u16,
}

/// What can be read from a [`VaList`].
pub trait VaArg: Sized {
    /// Reads the next argument.
    ///
    /// # Safety
    /// The next argument has this type after C's promotions.
    unsafe fn read(list: &mut VaList) -> Self;
}

impl VaList {
    /// A list whose arguments all lie on a stack.
    #[cfg(test)]
    pub(crate) fn on_stack(arguments: *mut u8) -> Self {
        Self {
            gp_offset: 48,
            fp_offset: 176,
            overflow_arg_area: arguments,
            reg_save_area: core::ptr::null_mut(),
        }
    }

    /// Takes the next argument.
    ///
    /// # Safety
    /// There is one, and after C's default promotions it has the type `T`.
    #[inline]
    pub unsafe fn arg<T: VaArg>(&mut self) -> T {
        // SAFETY: as this function's own.
        unsafe { T::read(self) }
    }

    /// The address of the next 8-byte argument on the stack, which it passes over.
    #[inline]
    fn overflow(&mut self) -> *mut u8 {
        let at = self.overflow_arg_area;
        self.overflow_arg_area = at.wrapping_add(8);
        at
    }

    #[inline]
    unsafe fn general(&mut self) -> u64 {
        let at = if self.gp_offset < 48 {
            let at = self.reg_save_area.wrapping_add(self.gp_offset as usize);
            self.gp_offset += 8;
            at
        } else {
            self.overflow()
        };
        // SAFETY: there is such an argument (contract of `arg`), so the address lies in one of the two areas.
        unsafe { at.cast::<u64>().read() }
    }
}

macro_rules! general {
    ($($type:ty)*) => {$(
        impl VaArg for $type {
            #[inline]
            unsafe fn read(list: &mut VaList) -> Self {
                // SAFETY: as this function's own.
                unsafe { list.general() as $type }
            }
        }
    )*};
}
general!(i32 u32 i64 u64 isize usize);

impl<T> VaArg for *const T {
    #[inline]
    unsafe fn read(list: &mut VaList) -> Self {
        // SAFETY: as this function's own.
        core::ptr::with_exposed_provenance(unsafe { list.general() } as usize)
    }
}

impl<T> VaArg for *mut T {
    #[inline]
    unsafe fn read(list: &mut VaList) -> Self {
        // SAFETY: as this function's own.
        core::ptr::with_exposed_provenance_mut(unsafe { list.general() } as usize)
    }
}

impl VaArg for f64 {
    #[inline]
    unsafe fn read(list: &mut VaList) -> Self {
        let at = if list.fp_offset < 176 {
            let at = list.reg_save_area.wrapping_add(list.fp_offset as usize);
            list.fp_offset += 16;
            at
        } else {
            list.overflow()
        };
        // SAFETY: there is such an argument (this function's contract), so the address lies in one of the two areas.
        unsafe { at.cast::<f64>().read() }
    }
}

impl VaArg for LongDouble {
    #[inline]
    unsafe fn read(list: &mut VaList) -> Self {
        let at = list.overflow_arg_area.wrapping_add(list.overflow_arg_area.addr().wrapping_neg() & 15);
        list.overflow_arg_area = at.wrapping_add(16);
        // SAFETY: there is such an argument (this function's contract); it lies on the stack at the next multiple of 16. The
        // bytes after its tenth are padding here too.
        unsafe { Self { mantissa: at.cast::<u64>().read(), sign_exponent: at.add(8).cast::<u16>().read() } }
    }
}

/// Makes a function that spills the argument registers, builds a `va_list` after `$fixed` fixed arguments, puts its address in `$register`
/// and calls the function in r11.
///
/// The frame: the `va_list` at rsp, the save area at rsp+32, 216 bytes in all, so that the stack is aligned at the call;
/// the arguments on the stack begin at rsp+224.
macro_rules! spill {
    ($($name:ident $fixed:literal $register:literal;)*) => {$(
        #[unsafe(naked)]
        pub(crate) unsafe extern "C" fn $name() {
            naked_asm!(
                "sub rsp, 216",
                "mov [rsp + 32], rdi",
                "mov [rsp + 40], rsi",
                "mov [rsp + 48], rdx",
                "mov [rsp + 56], rcx",
                "mov [rsp + 64], r8",
                "mov [rsp + 72], r9",
                "test al, al",
                "je 2f",
                "movaps [rsp + 80], xmm0",
                "movaps [rsp + 96], xmm1",
                "movaps [rsp + 112], xmm2",
                "movaps [rsp + 128], xmm3",
                "movaps [rsp + 144], xmm4",
                "movaps [rsp + 160], xmm5",
                "movaps [rsp + 176], xmm6",
                "movaps [rsp + 192], xmm7",
                "2:",
                concat!("mov dword ptr [rsp], ", $fixed, " * 8"),
                "mov dword ptr [rsp + 4], 48",
                "lea rax, [rsp + 224]",
                "mov [rsp + 8], rax",
                "lea rax, [rsp + 32]",
                "mov [rsp + 16], rax",
                concat!("mov ", $register, ", rsp"),
                "call r11",
                "add rsp, 216",
                "ret",
            )
        }
    )*};
}

spill! {
    spill1 1 "rsi";
    spill2 2 "rdx";
    spill3 3 "rcx";
    spill4 4 "r8";
    spill5 5 "r9";
}

#[cfg(test)]
mod tests {
    use super::{LongDouble, VaList};

    unsafe extern "C" fn sum(count: i32, args: *mut VaList) -> f64 {
        // SAFETY: the test passes pairs of an int and a double.
        unsafe {
            let args = &mut *args;
            (0..count).map(|_| f64::from(args.arg::<i32>()) * args.arg::<f64>()).sum()
        }
    }

    unsafe extern "C" fn mixed(a: u64, b: u64, args: *mut VaList) -> u64 {
        // SAFETY: the test passes these types.
        unsafe {
            let args = &mut *args;
            let p = *args.arg::<*const u64>();
            let l = args.arg::<i64>();
            a + b + p + l.unsigned_abs()
        }
    }

    variadic! {
        /// Adds products.
        test_sum(1) => sum;
        /// Reads several types.
        test_mixed(2) => mixed;
    }

    #[test]
    fn registers_then_stack() {
        // SAFETY: the function is variadic by construction.
        let f: unsafe extern "C" fn(i32, ...) -> f64 = unsafe { core::mem::transmute(test_sum as *const ()) };
        // SAFETY: ten pairs, as the first argument says.
        let got = unsafe {
            f(10, 1, 1.0, 2, 2.0, 3, 3.0, 4, 4.0, 5, 5.0, 6, 6.0, 7, 7.0, 8, 8.0, 9, 9.0, 10, 10.0)
        };
        assert_eq!(got, 385.0);
    }

    #[test]
    fn two_fixed() {
        // SAFETY: as above.
        let f: unsafe extern "C" fn(u64, u64, ...) -> u64 =
            unsafe { core::mem::transmute(test_mixed as *const ()) };
        let x = 100_u64;
        // SAFETY: the types that `mixed` reads.
        assert_eq!(unsafe { f(1, 2, &raw const x, -1000_i64) }, 1103);
    }

    #[test]
    fn long_double_is_aligned_on_the_stack() {
        #[repr(C, align(16))]
        struct Stack([u64; 6]);
        let mut stack = Stack([7, 0, 0x8000_0000_0000_0000, 0x3fff, 9, 0]);
        let mut list = VaList {
            gp_offset: 48,
            fp_offset: 176,
            overflow_arg_area: stack.0.as_mut_ptr().cast(),
            reg_save_area: core::ptr::null_mut(),
        };
        // SAFETY: the array holds these three arguments.
        unsafe {
            assert_eq!(list.arg::<i32>(), 7);
            assert_eq!(list.arg::<LongDouble>(), LongDouble { mantissa: 1 << 63, sign_exponent: 0x3fff });
            assert_eq!(list.arg::<u64>(), 9);
        }
    }
}
