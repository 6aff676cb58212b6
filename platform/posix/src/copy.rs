//! The application's memory (hypercall `user`): page by page through the table of mappings, and not by catching faults.

use rump_hypercall::memory::{PAGE_SIZE, Prot, USER_MAX, USER_MIN};
use rump_hypercall::upcall::Access;
use rump_hypercall::user::Fault;

use crate::{memory, user};

/// Where the kernel sees `va`, for `access`: the mapping as it is, or after one call of the fault upcall.
fn translate(va: usize, access: Access) -> Result<*mut u8, Fault> {
    let look = || {
        let (page, prot) = memory::mapping(va)?;
        // As on the processor, whatever is mapped at all can be read.
        let allowed = if access == Access::Write { prot.contains(Prot::WRITE) } else { !prot.is_empty() };
        allowed.then(|| memory::page_ptr(page).wrapping_add(va % PAGE_SIZE))
    };
    if let Some(pointer) = look() {
        return Ok(pointer);
    }
    match user::upcalls() {
        Some(upcalls) if (upcalls.fault)(va, access) => look().ok_or(Fault),
        _ => Err(Fault),
    }
}

/// Calls `work` for each part of `va..va+len` that lies in one page: the offset from `va`, the kernel's pointer, the length.
fn by_page(
    va: usize,
    len: usize,
    access: Access,
    mut work: impl FnMut(usize, *mut u8, usize),
) -> Result<(), Fault> {
    if len == 0 {
        return Ok(());
    }
    match va.checked_add(len) {
        Some(end) if va >= USER_MIN && end <= USER_MAX => {}
        _ => return Err(Fault),
    }
    let mut done = 0;
    while done < len {
        let here = va + done;
        let part = (PAGE_SIZE - here % PAGE_SIZE).min(len - done);
        work(done, translate(here, access)?, part);
        done += part;
    }
    Ok(())
}

#[unsafe(export_name = "rb_copyin")]
fn copyin(src: usize, dst: &mut [u8]) -> Result<(), Fault> {
    by_page(src, dst.len(), Access::Read, |offset, from, len| {
        // SAFETY: `len` bytes of one page; the kernel's buffer is none of the application's pages.
        unsafe { std::ptr::copy_nonoverlapping(from, dst[offset..].as_mut_ptr(), len) };
    })
}

#[unsafe(export_name = "rb_copyout")]
fn copyout(src: &[u8], dst: usize) -> Result<(), Fault> {
    by_page(dst, src.len(), Access::Write, |offset, to, len| {
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(src[offset..].as_ptr(), to, len) };
    })
}

#[unsafe(export_name = "rb_zeroout")]
fn zeroout(dst: usize, len: usize) -> Result<(), Fault> {
    // SAFETY: as above.
    by_page(dst, len, Access::Write, |_, to, len| unsafe { to.write_bytes(0, len) })
}

#[unsafe(export_name = "rb_ucas32")]
fn ucas32(addr: usize, expected: u32, new: u32) -> Result<u32, Fault> {
    if !addr.is_multiple_of(4) {
        return Err(Fault);
    }
    let mut old = 0;
    by_page(addr, 4, Access::Write, |_, word, _| {
        let word = word.cast::<u32>();
        // SAFETY: an aligned word in one page, touched under the virtual CPU only.
        unsafe {
            old = word.read();
            if old == expected {
                word.write(new);
            }
        }
    })?;
    Ok(old)
}

#[cfg(test)]
mod tests {
    use rump_hypercall::memory::{self, PAGE_SIZE, Prot};
    use rump_hypercall::user::{self, Fault};

    #[test]
    fn copies_cross_pages_and_obey_protection() {
        const VA: usize = 0x1000_2000_0000;
        let pages = [memory::page_alloc().unwrap(), memory::page_alloc().unwrap()];
        memory::pmap_enter(VA, pages[0], Prot::READ | Prot::WRITE).unwrap();
        memory::pmap_enter(VA + PAGE_SIZE, pages[1], Prot::READ | Prot::WRITE).unwrap();
        user::copyout(b"across", VA + PAGE_SIZE - 3).unwrap();
        let mut buf = [0; 6];
        user::copyin(VA + PAGE_SIZE - 3, &mut buf).unwrap();
        assert_eq!(&buf, b"across");
        memory::pmap_protect(VA + PAGE_SIZE, VA + 2 * PAGE_SIZE, Prot::READ);
        assert_eq!(user::copyout(b"across", VA + PAGE_SIZE - 3), Err(Fault));
        assert_eq!(user::zeroout(VA, PAGE_SIZE), Ok(()));
        assert_eq!(user::ucas32(VA, 0, 5), Ok(0));
        assert_eq!(user::ucas32(VA, 0, 6), Ok(5));
        assert_eq!(user::ucas32(VA + 2, 0, 6), Err(Fault));
        memory::pmap_remove(VA, VA + 2 * PAGE_SIZE);
        assert_eq!(user::copyin(VA, &mut buf), Err(Fault));
        assert_eq!(user::copyin(0, &mut buf), Err(Fault));
        assert_eq!(user::copyin(usize::MAX - 2, &mut buf), Err(Fault));
        for page in pages {
            // SAFETY: allocated above, mapped nowhere any more, not used again.
            unsafe { memory::page_free(page) };
        }
    }
}
