//! Macros for the whole crate.

/// Defines C functions that end in `...`.
///
/// `name(n) => implementation` makes `name`, which has `n` fixed integer or pointer arguments (at most five) and then variable ones; it
/// calls `implementation` with the fixed arguments and a `*mut VaList`, and returns what that returns in the same registers.
///
/// ```ignore
/// variadic! {
///     /// printf(3).
///     printf(1) => vprintf;
/// }
/// unsafe extern "C" fn vprintf(format: *const c_char, args: *mut VaList) -> c_int { … }
/// ```
#[macro_export]
macro_rules! variadic {
    ($($(#[$meta:meta])* $name:ident($fixed:tt) => $implementation:path;)*) => {
        $($crate::variadic!(@one $fixed $(#[$meta])* $name $implementation);)*
    };
    (@one 1 $($rest:tt)*) => { $crate::variadic!(@make [$crate::va::spill1] $($rest)*); };
    (@one 2 $($rest:tt)*) => { $crate::variadic!(@make [$crate::va::spill2] $($rest)*); };
    (@one 3 $($rest:tt)*) => { $crate::variadic!(@make [$crate::va::spill3] $($rest)*); };
    (@one 4 $($rest:tt)*) => { $crate::variadic!(@make [$crate::va::spill4] $($rest)*); };
    (@one 5 $($rest:tt)*) => { $crate::variadic!(@make [$crate::va::spill5] $($rest)*); };
    (@make [$spill:path] $(#[$meta:meta])* $name:ident $implementation:path) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// As C has it for this function: arguments of the types that the fixed ones announce.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            ::core::arch::naked_asm!(
                "lea r11, [rip + {implementation}]",
                "jmp {spill}",
                implementation = sym $implementation,
                spill = sym $spill,
            )
        }
    };
}

/// Gives a function more names: `alias! { name => function; }`.
#[cfg(not(test))]
macro_rules! alias {
    ($($(#[$meta:meta])* $name:ident => $function:path;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// As the function that it stands for.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            ::core::arch::naked_asm!("jmp {function}", function = sym $function)
        }
    )*};
}
