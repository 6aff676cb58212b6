//! atomic_ops(3) and membar_ops(3).

use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Defines the operations on a word under their names for several C types of the same size.
macro_rules! operations {
    ($atomic:ident $word:ident $signed:ident: $(
        $add:ident $add_nv:ident $inc:ident $inc_nv:ident $dec:ident $dec_nv:ident $cas:ident $cas_ni:ident $swap:ident;
    )*) => {$(
        operations!(@one $atomic $word $add(change: $signed) -> () |at| { at.fetch_add(change as $word, Ordering::SeqCst); });
        operations!(@one $atomic $word $add_nv(change: $signed) -> $word |at|
            { at.fetch_add(change as $word, Ordering::SeqCst).wrapping_add(change as $word) });
        operations!(@one $atomic $word $inc() -> () |at| { at.fetch_add(1, Ordering::SeqCst); });
        operations!(@one $atomic $word $inc_nv() -> $word |at| { at.fetch_add(1, Ordering::SeqCst).wrapping_add(1) });
        operations!(@one $atomic $word $dec() -> () |at| { at.fetch_sub(1, Ordering::SeqCst); });
        operations!(@one $atomic $word $dec_nv() -> $word |at| { at.fetch_sub(1, Ordering::SeqCst).wrapping_sub(1) });
        operations!(@one $atomic $word $cas(expected: $word, new: $word) -> $word |at| {
            match at.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst) { Ok(old) | Err(old) => old }
        });
        operations!(@one $atomic $word $cas_ni(expected: $word, new: $word) -> $word |at| {
            match at.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst) { Ok(old) | Err(old) => old }
        });
        operations!(@one $atomic $word $swap(new: $word) -> $word |at| { at.swap(new, Ordering::SeqCst) });
    )*};
    (bits $atomic:ident $word:ident: $($and:ident $and_nv:ident $or:ident $or_nv:ident;)*) => {$(
        operations!(@one $atomic $word $and(bits: $word) -> () |at| { at.fetch_and(bits, Ordering::SeqCst); });
        operations!(@one $atomic $word $and_nv(bits: $word) -> $word |at| { at.fetch_and(bits, Ordering::SeqCst) & bits });
        operations!(@one $atomic $word $or(bits: $word) -> () |at| { at.fetch_or(bits, Ordering::SeqCst); });
        operations!(@one $atomic $word $or_nv(bits: $word) -> $word |at| { at.fetch_or(bits, Ordering::SeqCst) | bits });
    )*};
    (@one $atomic:ident $word:ident $name:ident($($argument:ident: $type:ty),*) -> $result:ty |$at:ident| $body:block) => {
        /// atomic_ops(3).
        ///
        /// # Safety
        /// `word` points to an aligned word.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(word: *mut c_void $(, $argument: $type)*) -> $result {
            // SAFETY: this function's contract.
            let $at = unsafe { $atomic::from_ptr(word.cast::<$word>()) };
            $body
        }
    };
}

operations! { AtomicU32 u32 i32:
    atomic_add_32 atomic_add_32_nv atomic_inc_32 atomic_inc_32_nv atomic_dec_32 atomic_dec_32_nv atomic_cas_32 atomic_cas_32_ni atomic_swap_32;
    atomic_add_int atomic_add_int_nv atomic_inc_uint atomic_inc_uint_nv atomic_dec_uint atomic_dec_uint_nv atomic_cas_uint atomic_cas_uint_ni atomic_swap_uint;
}

operations! { AtomicU64 u64 i64:
    atomic_add_64 atomic_add_64_nv atomic_inc_64 atomic_inc_64_nv atomic_dec_64 atomic_dec_64_nv atomic_cas_64 atomic_cas_64_ni atomic_swap_64;
    atomic_add_long atomic_add_long_nv atomic_inc_ulong atomic_inc_ulong_nv atomic_dec_ulong atomic_dec_ulong_nv atomic_cas_ulong atomic_cas_ulong_ni atomic_swap_ulong;
    atomic_add_ptr atomic_add_ptr_nv atomic_inc_ptr atomic_inc_ptr_nv atomic_dec_ptr atomic_dec_ptr_nv atomic_cas_ptr atomic_cas_ptr_ni atomic_swap_ptr;
}

operations! { bits AtomicU32 u32:
    atomic_and_32 atomic_and_32_nv atomic_or_32 atomic_or_32_nv;
    atomic_and_uint atomic_and_uint_nv atomic_or_uint atomic_or_uint_nv;
}

operations! { bits AtomicU64 u64:
    atomic_and_64 atomic_and_64_nv atomic_or_64 atomic_or_64_nv;
    atomic_and_ulong atomic_and_ulong_nv atomic_or_ulong atomic_or_ulong_nv;
}

macro_rules! barriers {
    ($($name:ident $ordering:ident;)*) => {$(
        /// membar_ops(3).
        #[unsafe(no_mangle)]
        pub extern "C" fn $name() {
            fence(Ordering::$ordering);
        }
    )*};
}

barriers! {
    membar_acquire Acquire;
    membar_release Release;
    membar_consumer Acquire;
    membar_producer Release;
    membar_enter SeqCst;
    membar_exit Release;
    membar_sync SeqCst;
}
