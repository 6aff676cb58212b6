//! Size classes: multiples of 16 up to 128 bytes, then four per doubling up to 32 KiB, then whole pages.

/// The largest object that has a class of its own.
pub const MAX_SMALL: usize = 32 * 1024;
/// Number of classes.
pub const COUNT: usize = 8 + 4 * 8;
/// Bytes in a page.
pub const PAGE: usize = 4096;

/// The class of objects that hold `size` bytes (1 to [`MAX_SMALL`]).
#[inline]
pub const fn of(size: usize) -> usize {
    if size <= 128 {
        (size.saturating_sub(1)) / 16
    } else {
        // With 2^k < size <= 2^(k+1), the two bits below the highest one of size-1 choose the quarter.
        let k = (size - 1).ilog2() as usize;
        8 + (k - 7) * 4 + (((size - 1) >> (k - 2)) & 3)
    }
}

/// Bytes that an object of a class holds.
#[inline]
pub const fn size(class: usize) -> usize {
    if class < 8 {
        (class + 1) * 16
    } else {
        let (k, quarter) = (7 + (class - 8) / 4, (class - 8) % 4);
        (1 << k) + ((quarter + 1) << (k - 2))
    }
}

/// Pages in a run of a class: the fewest that waste at most an eighth.
pub const fn run_pages(class: usize) -> usize {
    let size = size(class);
    let mut pages = size.div_ceil(PAGE);
    while (pages * PAGE) % size > pages * PAGE / 8 {
        pages += 1;
    }
    pages
}

/// How many objects a thread's list takes from or gives to the runs at a time.
pub const fn batch(class: usize) -> usize {
    let objects = 4096 / size(class);
    if objects > 32 {
        32
    } else if objects == 0 {
        1
    } else {
        objects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits_its_class() {
        for bytes in 1..=MAX_SMALL {
            let class = of(bytes);
            assert!(class < COUNT, "{bytes}");
            assert!(size(class) >= bytes, "{bytes}");
            assert!(class == 0 || size(class - 1) < bytes, "{bytes}");
        }
        assert_eq!(size(COUNT - 1), MAX_SMALL);
    }

    #[test]
    fn runs_fit_a_segment() {
        for class in 0..COUNT {
            assert!(size(class).is_multiple_of(16));
            assert!(run_pages(class) <= 63 && run_pages(class) * PAGE >= size(class));
            assert!(run_pages(class) * PAGE / size(class) <= 256);
        }
    }
}
