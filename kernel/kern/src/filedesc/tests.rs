use alloc::rc::Rc;
use core::any::Any;
use core::cell::Cell;

use rumpbake_posix as _;

use super::{FD_CLOEXEC, FD_MAX, FdWatcher, FileDescTable};
use crate::errno::Errno;
use crate::file::{Attr, File, FileHead, FileOps, FileRef};
use crate::uio::Uio;

struct Nothing(Rc<Cell<u32>>);

impl FileOps for Nothing {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn read(&self, _: &FileHead, _: &mut Uio<'_>) -> Result<(), Errno> {
        Ok(())
    }
    fn write(&self, _: &FileHead, _: &mut Uio<'_>) -> Result<(), Errno> {
        Ok(())
    }
    fn stat(&self, _: &FileHead) -> Result<Attr, Errno> {
        Ok(Attr::default())
    }
    fn close(&self, _: &FileHead) {
        self.0.set(self.0.get() + 1);
    }
}

fn nothing() -> (FileRef, Rc<Cell<u32>>) {
    let closed = Rc::new(Cell::new(0));
    (File::new(3, Nothing(Rc::clone(&closed))), closed)
}

#[test]
fn the_lowest_number_is_taken() {
    let table = FileDescTable::new();
    let (file, _) = nothing();
    for fd in 0..10_000 {
        assert_eq!(table.install_from(Rc::clone(&file), 0, 0, FD_MAX), Ok(fd));
    }
    for fd in [9_999, 4_096, 63, 64, 7_000] {
        table.close(fd).unwrap();
    }
    for fd in [63, 64, 4_096, 7_000, 9_999, 10_000] {
        assert_eq!(table.install_from(Rc::clone(&file), 0, 0, FD_MAX), Ok(fd));
    }
    assert_eq!(table.highest(), 10_000);
    assert_eq!(table.count(), 10_001);
    assert_eq!(table.install_from(Rc::clone(&file), 0, 20_000, FD_MAX), Ok(20_000));
    assert_eq!(table.install_from(file, 0, 4_000, FD_MAX), Ok(10_001));
}

#[test]
fn limits_hold() {
    let table = FileDescTable::new();
    let (file, _) = nothing();
    assert_eq!(table.install_from(Rc::clone(&file), 0, 0, 2), Ok(0));
    assert_eq!(table.install_from(Rc::clone(&file), 0, 0, 2), Ok(1));
    assert_eq!(table.install_from(Rc::clone(&file), 0, 0, 2), Err(Errno::EMFILE));
    assert_eq!(table.install_at(Rc::clone(&file), 0, 2, 2), Err(Errno::EBADF));
    assert_eq!(table.install_at(Rc::clone(&file), 0, -1, 2), Err(Errno::EBADF));
    assert_eq!(table.install_at(file, 0, i32::MAX, usize::MAX), Err(Errno::EBADF));
    assert_eq!(table.close(-1), Err(Errno::EBADF));
    assert_eq!(table.close(i32::MAX), Err(Errno::EBADF));
    assert_eq!(table.get(2).err(), Some(Errno::EBADF));
}

#[test]
fn the_last_descriptor_closes_the_file() {
    let table = FileDescTable::new();
    let (file, closed) = nothing();
    table.install_at(Rc::clone(&file), FD_CLOEXEC, 5, FD_MAX).unwrap();
    table.install_at(file, 0, 6, FD_MAX).unwrap();
    assert_eq!((table.flags(5), table.flags(6)), (Ok(FD_CLOEXEC), Ok(0)));
    table.close(5).unwrap();
    assert_eq!(closed.get(), 0);
    let (other, _) = nothing();
    table.install_at(other, 0, 6, FD_MAX).unwrap();
    assert_eq!(closed.get(), 1);
}

#[test]
fn watchers_learn_of_the_close() {
    struct Watch(Cell<bool>);
    impl FdWatcher for Watch {
        fn fd_closed(&self) {
            self.0.set(true);
        }
    }
    let table = FileDescTable::new();
    let (file, _) = nothing();
    let fd = table.install_from(file, 0, 0, FD_MAX).unwrap();
    let (one, two) = (Rc::new(Watch(Cell::new(false))), Rc::new(Watch(Cell::new(false))));
    table.watch(fd, Rc::clone(&one) as Rc<dyn FdWatcher>).unwrap();
    table.watch(fd, Rc::clone(&two) as Rc<dyn FdWatcher>).unwrap();
    table.unwatch(fd, Rc::as_ptr(&two).cast());
    table.close(fd).unwrap();
    assert!(one.0.get() && !two.0.get());
    assert_eq!(table.watch(fd, one), Err(Errno::EBADF));
}
