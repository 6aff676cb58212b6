//! C's calling convention for long double: arguments lie in memory at the caller's stack pointer, results come back in st(0), the
//! imaginary part of a complex one in st(1) (System V ABI, AMD64 supplement, 3.2.3). Naked functions hand the arguments' address to Rust.

/// Defines C functions of long double. Each name stands for a Rust function of the shape that its section tells.
macro_rules! long_functions {
    ($module:ident: $($shape:ident { $($($name:ident)+ = $path:expr;)* })*) => {
        mod $module {
            #[allow(unused_imports, reason = "some shapes need them")]
            use super::*;
            $($(long_functions!(@body $shape $path, $($name)+);)*)*
        }
        $($($(long_functions!(@shim $shape $module $name);)+)*)*
    };
    // Long doubles in, one long double out.
    (@body unary $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [F80; 1], out: *mut F80) {
            // SAFETY: the shim passes the caller's arguments and a place for the result.
            unsafe { *out = $path((*args)[0]) }
        }
    )+};
    (@body binary $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [F80; 2], out: *mut F80) {
            // SAFETY: as above.
            unsafe { *out = $path((*args)[0], (*args)[1]) }
        }
    )+};
    (@body ternary $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [F80; 3], out: *mut F80) {
            // SAFETY: as above.
            unsafe { *out = $path((*args)[0], (*args)[1], (*args)[2]) }
        }
    )+};
    // A long double and an integer or pointer in a register.
    (@body scaled $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [F80; 1], out: *mut F80, extra: u64) {
            // SAFETY: as above.
            unsafe { *out = $path((*args)[0], extra) }
        }
    )+};
    (@body scaled_binary $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [F80; 2], out: *mut F80, extra: u64) {
            // SAFETY: as above.
            unsafe { *out = $path((*args)[0], (*args)[1], extra) }
        }
    )+};
    // A long double in, an integer out.
    (@body integer $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [F80; 1]) -> i64 {
            // SAFETY: as above.
            unsafe { i64::from($path((*args)[0])) }
        }
    )+};
    // Complex numbers in and out.
    (@body complex $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [Complex<F80>; 1], out: *mut Complex<F80>) {
            // SAFETY: as above.
            unsafe { *out = $path((*args)[0]) }
        }
    )+};
    (@body complex_binary $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [Complex<F80>; 2], out: *mut Complex<F80>) {
            // SAFETY: as above.
            unsafe { *out = $path((*args)[0], (*args)[1]) }
        }
    )+};
    // A complex number in, a long double out.
    (@body real $path:expr, $($name:ident)+) => {$(
        pub(super) unsafe extern "C" fn $name(args: *const [Complex<F80>; 1], out: *mut F80) {
            // SAFETY: as above.
            unsafe { *out = $path((*args)[0]) }
        }
    )+};
    (@shim integer $module:ident $name:ident) => {
        long_functions!(@naked $module $name "lea rdi, [rsp + 8]", "jmp {body}");
    };
    (@shim complex $module:ident $name:ident) => {
        long_functions!(@shim complex_binary $module $name);
    };
    (@shim complex_binary $module:ident $name:ident) => {
        long_functions!(@naked $module $name
            "lea rdi, [rsp + 8]", "sub rsp, 40", "mov rsi, rsp", "call {body}", "fld tbyte ptr [rsp + 16]", "fld tbyte ptr [rsp]", "add rsp, 40", "ret");
    };
    (@shim $other:ident $module:ident $name:ident) => {
        // An integer or pointer argument is in rdi.
        long_functions!(@naked $module $name
            "mov rdx, rdi", "lea rdi, [rsp + 8]", "sub rsp, 24", "mov rsi, rsp", "call {body}", "fld tbyte ptr [rsp]", "add rsp, 24", "ret");
    };
    (@naked $module:ident $name:ident $($code:literal),+) => {
        #[doc = concat!("C's `", stringify!($name), "`.")]
        ///
        /// # Safety
        /// Called as C calls it: its arguments are not those that Rust sees.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            core::arch::naked_asm!($($code),+, body = sym $module::$name)
        }
    };
}
