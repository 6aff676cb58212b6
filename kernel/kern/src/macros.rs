//! The macro that defines a system call.

/// Defines a system call `sys_<name>` from a function that returns `Result<T, Errno>`, where `T` goes into the return value.
///
/// Up to six arguments, each converted from its word with `as` (so `i32` takes the low half, as the C ABI has it).
///
/// ```ignore
/// syscall! {
///     /// close(2).
///     fn sys_close(fd: i32) -> Result<(), Errno> { … }
/// }
/// ```
#[macro_export]
macro_rules! syscall {
    ($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) -> $result:ty $body:block) => {
        $(#[$meta])*
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(a0: u64, a1: u64, a2: u64, a3: u64, a4: u64, a5: u64) -> $crate::Ret {
            #[inline(always)]
            fn body($($arg: $type),*) -> $result $body
            let words = [a0, a1, a2, a3, a4, a5];
            let mut next = words.iter();
            let _ = &mut next;
            $(let $arg = *next.next().expect("at most six arguments") as $type;)*
            $crate::IntoRet::into_ret(body($($arg),*))
        }
    };
}
