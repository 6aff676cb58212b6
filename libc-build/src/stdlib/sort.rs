//! Sorting and searching arrays: qsort(3), heapsort(3), mergesort(3), bsearch(3).
//!
//! qsort is a quicksort around the median of three (of nine for large parts) with three-way partitioning, and heapsort where the recursion gets
//! too deep, so that no input takes more than n log n; parts that are in order are left alone. Parts of which half fits into some memory on the
//! stack are merged there, which takes fewer comparisons, and the smallest ones are sorted by insertion. mergesort is stable and needs memory.

use super::heap::{free, malloc};
use crate::errno;
use crate::string::copy::memcpy;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::ptr;

/// C's comparison function.
pub type Comparison = unsafe extern "C" fn(*const c_void, *const c_void) -> c_int;
/// C's comparison function with a context.
pub type ContextComparison = unsafe extern "C" fn(*const c_void, *const c_void, *mut c_void) -> c_int;

/// Parts of at most this many elements are sorted by insertion.
const SMALL: usize = 8;

/// Words on the stack for one half of a part that is merged.
const MERGE_WORDS: usize = 256;

/// Swaps two values.
///
/// # Safety
/// Both are valid for reading and writing, and distinct.
unsafe fn swap_unaligned<T: Copy>(left: *mut u8, right: *mut u8) {
    let (left, right) = (left.cast::<T>(), right.cast::<T>());
    // SAFETY: the caller's promise.
    unsafe {
        let kept = left.read_unaligned();
        left.write_unaligned(right.read_unaligned());
        right.write_unaligned(kept);
    }
}

/// How elements are compared.
#[derive(Clone, Copy)]
enum Order {
    Plain(Comparison),
    Context(ContextComparison, *mut c_void),
}

/// An array and its order. `SIZE` is the size of its elements where the compiler is to know it, and else 0.
#[derive(Clone, Copy)]
struct Array<const SIZE: usize> {
    base: *mut u8,
    /// The size of its elements in any case.
    bytes: usize,
    order: Order,
}

impl<const SIZE: usize> Array<SIZE> {
    #[inline(always)]
    fn size(self) -> usize {
        if SIZE == 0 { self.bytes } else { SIZE }
    }

    #[inline(always)]
    fn at(self, index: usize) -> *mut u8 {
        self.base.wrapping_add(index * self.size())
    }

    /// The order of two elements.
    ///
    /// # Safety
    /// Both are elements, and the comparison function is what C promises.
    #[inline(always)]
    unsafe fn compare(self, left: *const u8, right: *const u8) -> c_int {
        // SAFETY: as this function's own.
        unsafe {
            match self.order {
                Order::Plain(compare) => compare(left.cast(), right.cast()),
                Order::Context(compare, context) => compare(left.cast(), right.cast(), context),
            }
        }
    }

    /// Swaps two elements.
    ///
    /// # Safety
    /// Both indices are the array's.
    #[inline(always)]
    unsafe fn swap(self, left: usize, right: usize) {
        if left == right {
            return;
        }
        let (left, right) = (self.at(left), self.at(right));
        let mut offset = 0;
        // SAFETY: both elements have `size` bytes, and they are distinct.
        unsafe {
            while offset + 8 <= self.size() {
                swap_unaligned::<u64>(left.add(offset), right.add(offset));
                offset += 8;
            }
            if offset + 4 <= self.size() {
                swap_unaligned::<u32>(left.add(offset), right.add(offset));
                offset += 4;
            }
            while offset < self.size() {
                swap_unaligned::<u8>(left.add(offset), right.add(offset));
                offset += 1;
            }
        }
    }

    /// Swaps `count` elements from `left` on with as many from `right` on; the two runs are distinct.
    ///
    /// # Safety
    /// Both runs are the array's.
    unsafe fn swap_runs(self, left: usize, right: usize, count: usize) {
        for index in 0..count {
            // SAFETY: as this function's own.
            unsafe { self.swap(left + index, right + index) };
        }
    }

    /// Whether the elements from `start` to before `end` are in order.
    ///
    /// # Safety
    /// As [`Array::quick`].
    unsafe fn is_sorted(self, start: usize, end: usize) -> bool {
        // SAFETY: both elements are the array's.
        (start + 1..end).all(|index| unsafe { self.compare(self.at(index - 1), self.at(index)) <= 0 })
    }

    /// Which of three elements is in the middle.
    ///
    /// # Safety
    /// The indices are the array's.
    unsafe fn median(self, a: usize, b: usize, c: usize) -> usize {
        // SAFETY: as this function's own.
        unsafe {
            let less = |left: usize, right: usize| self.compare(self.at(left), self.at(right)) < 0;
            if less(a, b) {
                if less(b, c) {
                    b
                } else if less(a, c) {
                    c
                } else {
                    a
                }
            } else if less(c, b) {
                b
            } else if less(c, a) {
                c
            } else {
                a
            }
        }
    }

    /// Sorts the elements from `start` to before `end`.
    ///
    /// # Safety
    /// The range is the array's; the comparison function keeps C's promises about memory (not about order: any answers end).
    unsafe fn quick(self, mut start: usize, mut end: usize, mut depth: u32) {
        // SAFETY: all indices lie in the range.
        unsafe {
            while end - start > SMALL {
                if depth == 0 {
                    Self { base: self.at(start), ..self }.heap(end - start);
                    return;
                }
                depth -= 1;
                // What is in order is told by one look, and what is not by the first few elements of it.
                if self.is_sorted(start, end) {
                    return;
                }
                if (end - start) / 2 * self.size() <= MERGE_WORDS * 8 {
                    return self.merge_here(start, end);
                }
                let (count, middle) = (end - start, start + (end - start) / 2);
                let pivot = if count > 40 {
                    let step = count / 8;
                    let low = self.median(start, start + step, start + 2 * step);
                    let mid = self.median(middle - step, middle, middle + step);
                    let high = self.median(end - 1 - 2 * step, end - 1 - step, end - 1);
                    self.median(low, mid, high)
                } else {
                    self.median(start, middle, end - 1)
                };
                let (equal, greater) = self.partition(start, end, pivot);
                if equal - start < end - greater {
                    self.quick(start, equal, depth);
                    start = greater;
                } else {
                    self.quick(greater, end, depth);
                    end = equal;
                }
            }
            self.insert(start, end);
        }
    }

    /// Sorts a small part by insertion.
    ///
    /// # Safety
    /// As [`Array::quick`].
    unsafe fn insert(self, start: usize, end: usize) {
        // SAFETY: all indices lie in the range.
        unsafe {
            for index in start + 1..end {
                let mut at = index;
                while at > start && self.compare(self.at(at - 1), self.at(at)) > 0 {
                    self.swap(at - 1, at);
                    at -= 1;
                }
            }
        }
    }

    /// Sorts a part of which half fits into the memory that is set aside here, and not in the frames of [`Array::quick`].
    ///
    /// # Safety
    /// As [`Array::quick`].
    #[inline(never)]
    unsafe fn merge_here(self, start: usize, end: usize) {
        let mut words = [const { MaybeUninit::<u64>::uninit() }; MERGE_WORDS];
        // SAFETY: as this function's own; there is room for half.
        unsafe { self.merge_part(start, end, Self { base: words.as_mut_ptr().cast(), ..self }) };
    }

    /// Sorts a part by merging.
    ///
    /// # Safety
    /// As [`Array::quick`]; `spare` has room for half of the elements.
    unsafe fn merge_part(self, start: usize, end: usize, spare: Self) {
        // SAFETY: all indices lie in the range, and those of `spare` below its half: `target` stays behind `right`, as it is ahead of `start` by
        // what was taken from both sides.
        unsafe {
            if end - start <= SMALL {
                return self.insert(start, end);
            }
            let middle = start + (end - start) / 2;
            self.merge_part(start, middle, spare);
            self.merge_part(middle, end, spare);
            if self.compare(self.at(middle - 1), self.at(middle)) <= 0 {
                return;
            }
            let held = middle - start;
            ptr::copy_nonoverlapping(self.at(start), spare.at(0), held * self.size());
            let (mut left, mut right, mut target) = (0, middle, start);
            while left < held && right < end {
                let source = if self.compare(spare.at(left), self.at(right)) <= 0 {
                    left += 1;
                    spare.at(left - 1)
                } else {
                    right += 1;
                    self.at(right - 1)
                };
                ptr::copy_nonoverlapping(source, self.at(target), self.size());
                target += 1;
            }
            ptr::copy_nonoverlapping(spare.at(left), self.at(target), (held - left) * self.size());
        }
    }

    /// Puts what is less than the element at `pivot` first and what is greater last; returns where the elements between, which equal it, begin
    /// and end. Equal ones are gathered at the two ends meanwhile, so that each element that is on its side already stays where it is.
    ///
    /// # Safety
    /// As [`Array::quick`]; `pivot` is in the range.
    unsafe fn partition(self, start: usize, end: usize, pivot: usize) -> (usize, usize) {
        // SAFETY: all indices lie in the range, as `at` and `rest` only move towards each other.
        unsafe {
            self.swap(start, pivot);
            // [start, low) equal, [low, at) less, [at, rest) not looked at, [rest, high) greater, [high, end) equal.
            let (mut low, mut at, mut rest, mut high) = (start + 1, start + 1, end, end);
            loop {
                while at < rest {
                    let order = self.compare(self.at(at), self.at(start));
                    if order > 0 {
                        break;
                    }
                    if order == 0 {
                        self.swap(low, at);
                        low += 1;
                    }
                    at += 1;
                }
                while at < rest {
                    let order = self.compare(self.at(rest - 1), self.at(start));
                    if order < 0 {
                        break;
                    }
                    rest -= 1;
                    if order == 0 {
                        high -= 1;
                        self.swap(rest, high);
                    }
                }
                if at >= rest {
                    break;
                }
                rest -= 1;
                self.swap(at, rest);
                at += 1;
            }
            let (equal_below, less) = (low - start, at - low);
            let (greater, equal_above) = (high - rest, end - high);
            let moved = equal_below.min(less);
            self.swap_runs(start, at - moved, moved);
            let moved = equal_above.min(greater);
            self.swap_runs(rest, end - moved, moved);
            (start + less, end - greater)
        }
    }

    /// Sorts the first `count` elements in place.
    ///
    /// # Safety
    /// As [`Array::quick`].
    unsafe fn heap(self, count: usize) {
        let sift = |mut root: usize, end: usize| {
            // SAFETY: children are followed below `end` only.
            unsafe {
                loop {
                    let mut child = 2 * root + 1;
                    if child >= end {
                        return;
                    }
                    if child + 1 < end && self.compare(self.at(child), self.at(child + 1)) < 0 {
                        child += 1;
                    }
                    if self.compare(self.at(root), self.at(child)) >= 0 {
                        return;
                    }
                    self.swap(root, child);
                    root = child;
                }
            }
        };
        for root in (0..count / 2).rev() {
            sift(root, count);
        }
        for end in (1..count).rev() {
            // SAFETY: both indices lie below `count`.
            unsafe { self.swap(0, end) };
            sift(0, end);
        }
    }

    /// Sorts the first `count` elements stably, with as much memory again.
    ///
    /// # Safety
    /// As [`Array::quick`].
    unsafe fn merge(self, count: usize) -> c_int {
        if count < 2 || self.bytes == 0 {
            return 0;
        }
        // SAFETY: every copy stays within the two areas of `count` elements.
        unsafe {
            let spare = malloc(count * self.size()).cast::<u8>();
            if spare.is_null() {
                return errno::fail(errno::ENOMEM);
            }
            let (mut from, mut to) = (self, Self { base: spare, ..self });
            let mut width = 1;
            while width < count {
                let mut start = 0;
                while start < count {
                    let (middle, end) = ((start + width).min(count), (start + 2 * width).min(count));
                    let (mut left, mut right) = (start, middle);
                    for target in start..end {
                        let take_left =
                            right >= end || left < middle && from.compare(from.at(left), from.at(right)) <= 0;
                        let source = if take_left { &mut left } else { &mut right };
                        memcpy(to.at(target).cast(), from.at(*source).cast(), self.size());
                        *source += 1;
                    }
                    start = end;
                }
                core::mem::swap(&mut from, &mut to);
                width *= 2;
            }
            if from.base != self.base {
                memcpy(self.base.cast(), from.base.cast(), count * self.size());
            }
            free(spare.cast());
        }
        0
    }
}

/// The recursion depth above which quicksort gives up.
fn depth_limit(count: usize) -> u32 {
    2 * count.checked_ilog2().unwrap_or(0) + 4
}

/// Sorts with a quicksort for elements of that size: most arrays are of pointers or of integers.
///
/// # Safety
/// As qsort(3).
unsafe fn sort(base: *mut c_void, count: usize, bytes: usize, order: Order) {
    let (base, depth) = (base.cast(), depth_limit(count));
    // SAFETY: as this function's own.
    unsafe {
        match bytes {
            4 => Array::<4> { base, bytes, order }.quick(0, count, depth),
            8 => Array::<8> { base, bytes, order }.quick(0, count, depth),
            _ => Array::<0> { base, bytes, order }.quick(0, count, depth),
        }
    }
}

/// Sorts `count` elements of `size` bytes.
///
/// # Safety
/// The array and the comparison function are what C says.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn qsort(base: *mut c_void, count: usize, size: usize, compare: Comparison) {
    // SAFETY: as this function's own.
    unsafe { sort(base, count, size, Order::Plain(compare)) }
}

/// qsort(3) whose comparison function gets `context`, too.
///
/// # Safety
/// As qsort(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn qsort_r(
    base: *mut c_void,
    count: usize,
    size: usize,
    compare: ContextComparison,
    context: *mut c_void,
) {
    // SAFETY: as this function's own.
    unsafe { sort(base, count, size, Order::Context(compare, context)) }
}

/// Sorts in place in at most n log n steps.
///
/// # Safety
/// As qsort(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn heapsort(
    base: *mut c_void,
    count: usize,
    size: usize,
    compare: Comparison,
) -> c_int {
    if size == 0 {
        return errno::fail(errno::EINVAL);
    }
    // SAFETY: as this function's own.
    unsafe { Array::<0> { base: base.cast(), bytes: size, order: Order::Plain(compare) }.heap(count) };
    0
}

/// heapsort(3) whose comparison function gets `context`, too.
///
/// # Safety
/// As qsort(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn heapsort_r(
    base: *mut c_void,
    count: usize,
    size: usize,
    compare: ContextComparison,
    context: *mut c_void,
) -> c_int {
    if size == 0 {
        return errno::fail(errno::EINVAL);
    }
    // SAFETY: as this function's own.
    unsafe {
        Array::<0> { base: base.cast(), bytes: size, order: Order::Context(compare, context) }.heap(count)
    };
    0
}

/// Sorts stably; -1 where there is no memory for it.
///
/// # Safety
/// As qsort(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn mergesort(
    base: *mut c_void,
    count: usize,
    size: usize,
    compare: Comparison,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe { Array::<0> { base: base.cast(), bytes: size, order: Order::Plain(compare) }.merge(count) }
}

/// mergesort(3) whose comparison function gets `context`, too.
///
/// # Safety
/// As qsort(3).
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn mergesort_r(
    base: *mut c_void,
    count: usize,
    size: usize,
    compare: ContextComparison,
    context: *mut c_void,
) -> c_int {
    // SAFETY: as this function's own.
    unsafe {
        Array::<0> { base: base.cast(), bytes: size, order: Order::Context(compare, context) }.merge(count)
    }
}

/// The element of a sorted array that equals `key`, or null.
///
/// # Safety
/// As qsort(3); the comparison gets the key first.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn bsearch(
    key: *const c_void,
    base: *const c_void,
    count: usize,
    size: usize,
    compare: Comparison,
) -> *mut c_void {
    let (mut start, mut left) = (base, count);
    while left > 0 {
        let middle = start.wrapping_byte_add(left / 2 * size);
        // SAFETY: `middle` is an element.
        let order = unsafe { compare(key, middle) };
        if order == 0 {
            return middle.cast_mut();
        }
        if order > 0 {
            start = middle.wrapping_byte_add(size);
            left -= 1;
        }
        left /= 2;
    }
    ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string::testing::Random;

    unsafe extern "C" fn by_first(left: *const c_void, right: *const c_void) -> c_int {
        // SAFETY: elements begin with a u32.
        let (left, right) =
            unsafe { (left.cast::<u32>().read_unaligned(), right.cast::<u32>().read_unaligned()) };
        left.cmp(&right) as c_int
    }

    unsafe extern "C" fn by_first_counting(
        left: *const c_void,
        right: *const c_void,
        context: *mut c_void,
    ) -> c_int {
        // SAFETY: the context is a counter.
        unsafe {
            *context.cast::<usize>() += 1;
            by_first(left, right)
        }
    }

    #[test]
    fn all_ways_sort_and_merge_is_stable() {
        let mut random = Random::new(5);
        for count in (0..60).chain([1000, 5000]) {
            for spread in [1, 3, 1000, u64::from(u32::MAX)] {
                let input: Vec<[u32; 3]> =
                    (0..count).map(|index| [(random.next() % spread) as u32, index, 7]).collect();
                let mut stable = input.clone();
                stable.sort_by_key(|element| element[0]);
                let mut keys: Vec<[u32; 3]> = stable.clone();
                keys.sort_unstable();
                let (mut quick, mut heap, mut merged) = (input.clone(), input.clone(), input.clone());
                // SAFETY: arrays with their counts and sizes.
                unsafe {
                    qsort(quick.as_mut_ptr().cast(), quick.len(), 12, by_first);
                    assert_eq!(heapsort(heap.as_mut_ptr().cast(), heap.len(), 12, by_first), 0);
                    assert_eq!(mergesort(merged.as_mut_ptr().cast(), merged.len(), 12, by_first), 0);
                }
                assert_eq!(merged, stable);
                for sorted in [&mut quick, &mut heap] {
                    assert!(sorted.is_sorted_by_key(|element| element[0]));
                    sorted.sort_unstable();
                    assert_eq!(*sorted, keys);
                }
            }
        }
    }

    #[test]
    fn hostile_orders_stay_within_n_log_n() {
        let count = 20_000_usize;
        let shapes: [fn(usize) -> u32; 4] = [
            |_| 7,
            |index| index as u32,
            |index| 20_000 - index as u32,
            |index| (index as u32).min(20_000 - index as u32),
        ];
        for shape in shapes {
            let mut array: Vec<u32> = (0..count).map(shape).collect();
            let mut comparisons = 0_usize;
            // SAFETY: an array, and a counter as context.
            unsafe {
                qsort_r(array.as_mut_ptr().cast(), count, 4, by_first_counting, (&raw mut comparisons).cast())
            };
            assert!(array.is_sorted());
            assert!(comparisons < 60 * count, "{comparisons}");
        }
    }

    #[test]
    fn bsearch_finds_every_element_and_nothing_else() {
        let array: Vec<u32> = (0..100).map(|index| index * 2).collect();
        for key in 0..210_u32 {
            // SAFETY: a sorted array.
            let found = unsafe { bsearch((&raw const key).cast(), array.as_ptr().cast(), 100, 4, by_first) };
            assert_eq!(!found.is_null(), key % 2 == 0 && key < 200);
        }
    }
}
