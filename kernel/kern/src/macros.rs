//! The macro that defines a system call, and the one that tells the linker something.

/// Defines a system call `sys_<name>` from a function that returns `Result<T, Errno>`, where `T` goes into the return value.
///
/// The linker learns in which crate, and so with which component, the call comes. Up to six arguments, each converted from its word with `as` (so `i32` takes the low half, as the C ABI has it).
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

        $crate::linker_record!(".rb.syscalls", concat!(stringify!($name), "\0", module_path!(), "\n"));
    };
}

/// Puts a line of text into a section of the kit that only the linker reads.
#[doc(hidden)]
#[macro_export]
macro_rules! linker_record {
    ($section:literal, $text:expr) => {
        #[cfg(not(test))]
        const _: () = {
            const TEXT: &str = $text;
            #[used]
            #[unsafe(link_section = $section)]
            static RECORD: [u8; TEXT.len()] = {
                let mut bytes = [0; TEXT.len()];
                let mut i = 0;
                while i < bytes.len() {
                    bytes[i] = TEXT.as_bytes()[i];
                    i += 1;
                }
                bytes
            };
        };
    };
}
