//! Paths, names and contents through the system calls, as a program sees them.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use std::sync::Mutex;

use proptest::prelude::*;
use rump_hypercall::memory::{self, PAGE_SIZE, Prot};
use rump_hypercall::user;
use rump_kern::errno::Errno;
use rump_kern::filedesc::{dup, rw};
use rump_kern::pagestore::PageStore;
use rump_kern::uio::Uio;
use rump_kern::{Ret, proc};
use rump_vfs::calls::{attr, dirs, links, open, stat};
use rump_vfs::{mount, namei};

use super::{Tmpfs, cpio, root_of};

extern crate std;

/// Where the tests' application memory is.
const USER: usize = 0x30_0000_0000;
const USER_PAGES: usize = 40;
/// Where paths go, and where other things go.
const PATH: usize = USER;
const PATH2: usize = USER + 0x1000;
const DATA: usize = USER + 0x2000;

const AT_FDCWD: i32 = -100;
const O_RDONLY: u64 = 0;
const O_WRONLY: u64 = 1;
const O_RDWR: u64 = 2;
const O_CREAT: u64 = 0x200;
const O_TRUNC: u64 = 0x400;
const O_EXCL: u64 = 0x800;
const O_APPEND: u64 = 8;
const O_NOFOLLOW: u64 = 0x100;
const O_DIRECTORY: u64 = 0x20_0000;

/// One kernel at a time: its state is the process's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `body` as the program's first LWP, with a new directory /t as working directory.
fn program(body: impl FnOnce() + Send) {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    rumpbake_posix::run(move || {
        let proc = proc::init();
        proc.lwps.alloc(proc).unwrap().attach();
        for page in 0..USER_PAGES {
            let va = USER + page * PAGE_SIZE;
            if memory::pmap_extract(va).is_none() {
                memory::pmap_enter(va, memory::page_alloc().unwrap(), Prot::READ | Prot::WRITE).unwrap();
            }
        }
        if mount::root().is_none() {
            let dev = mount::next_dev();
            mount::mount(root_of(dev, &[]), dev, None, b"/".to_vec(), b"root".to_vec(), 0).unwrap();
        }
        static COUNT: rump_hypercall::Giant<u32> = rump_hypercall::Giant::new(0);
        COUNT.set(COUNT.get() + 1);
        let dir = format!("/t{}", COUNT.get());
        mkdir(&dir, 0o755).unwrap();
        chdir(&dir).unwrap();
        body();
    });
}

fn put(addr: usize, text: &[u8]) -> u64 {
    user::copyout(text, addr).unwrap();
    user::copyout(&[0], addr + text.len()).unwrap();
    addr as u64
}

fn get(addr: usize, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    user::copyin(addr, &mut bytes).unwrap();
    bytes
}

fn result(ret: Ret) -> Result<i64, Errno> {
    if ret.errno == 0 { Ok(ret.value) } else { Err(Errno(ret.errno)) }
}

fn path(text: &str) -> u64 {
    put(PATH, text.as_bytes())
}

fn mkdir(name: &str, mode: u64) -> Result<i64, Errno> {
    result(dirs::sys_mkdir(path(name), mode, 0, 0, 0, 0))
}

fn rmdir(name: &str) -> Result<i64, Errno> {
    result(dirs::sys_rmdir(path(name), 0, 0, 0, 0, 0))
}

fn chdir(name: &str) -> Result<i64, Errno> {
    result(dirs::sys_chdir(path(name), 0, 0, 0, 0, 0))
}

fn open_file(name: &str, flags: u64) -> Result<u64, Errno> {
    Ok(result(open::sys_open(path(name), flags, 0o644, 0, 0, 0))? as u64)
}

fn close(fd: u64) {
    result(dup::sys_close(fd, 0, 0, 0, 0, 0)).unwrap();
}

fn write(fd: u64, bytes: &[u8]) -> Result<i64, Errno> {
    put(DATA, bytes);
    result(rw::sys_write(fd, DATA as u64, bytes.len() as u64, 0, 0, 0))
}

fn read(fd: u64, len: usize) -> Result<Vec<u8>, Errno> {
    let done = result(rw::sys_read(fd, DATA as u64, len as u64, 0, 0, 0))?;
    Ok(get(DATA, done as usize))
}

fn make(name: &str, content: &[u8]) {
    let fd = open_file(name, O_WRONLY | O_CREAT | O_EXCL).unwrap();
    assert_eq!(write(fd, content), Ok(content.len() as i64));
    close(fd);
}

fn content(name: &str) -> Result<Vec<u8>, Errno> {
    let fd = open_file(name, O_RDONLY)?;
    let bytes = read(fd, 1000);
    close(fd);
    bytes
}

/// st_mode and st_nlink.
fn lstat(name: &str) -> Result<(u32, u32), Errno> {
    result(stat::sys___lstat50(path(name), DATA as u64, 0, 0, 0, 0))?;
    let word = |at: usize| u32::from_le_bytes(get(DATA + at, 4).try_into().unwrap());
    Ok((word(8), word(24)))
}

fn two(from: &str, to: &str) -> (u64, u64) {
    (path(from), put(PATH2, to.as_bytes()))
}

fn rename(from: &str, to: &str) -> Result<i64, Errno> {
    let (from, to) = two(from, to);
    result(links::sys_rename(from, to, 0, 0, 0, 0))
}

fn link(from: &str, to: &str) -> Result<i64, Errno> {
    let (from, to) = two(from, to);
    result(links::sys_link(from, to, 0, 0, 0, 0))
}

fn symlink(target: &str, name: &str) -> Result<i64, Errno> {
    let (target, name) = two(target, name);
    result(links::sys_symlink(target, name, 0, 0, 0, 0))
}

fn unlink(name: &str) -> Result<i64, Errno> {
    result(links::sys_unlink(path(name), 0, 0, 0, 0, 0))
}

#[test]
fn files_are_made_written_and_read() {
    program(|| {
        make("file", b"hello");
        assert_eq!(content("file"), Ok(b"hello".to_vec()));
        assert_eq!(open_file("file", O_RDWR | O_CREAT | O_EXCL), Err(Errno::EEXIST));
        assert_eq!(open_file("none", O_RDWR), Err(Errno::ENOENT));
        let fd = open_file("file", O_RDWR | O_APPEND).unwrap();
        write(fd, b" world").unwrap();
        close(fd);
        assert_eq!(content("file"), Ok(b"hello world".to_vec()));
        close(open_file("file", O_WRONLY | O_TRUNC).unwrap());
        assert_eq!(content("file"), Ok(Vec::new()));
        let fd = open_file("file", O_RDONLY).unwrap();
        assert_eq!(write(fd, b"x"), Err(Errno::EBADF));
        close(fd);
    });
}

#[test]
fn trailing_slashes_and_dots() {
    program(|| {
        mkdir("dir/", 0o755).unwrap();
        make("dir/./../dir//file", b"x");
        assert_eq!(content("dir/file/"), Err(Errno::ENOTDIR));
        assert_eq!(content("dir/file/x"), Err(Errno::ENOTDIR));
        assert_eq!(open_file("new/", O_WRONLY | O_CREAT), Err(Errno::EISDIR));
        assert_eq!(open_file("dir", O_WRONLY), Err(Errno::EISDIR));
        assert_eq!(open_file("dir/file", O_RDONLY | O_DIRECTORY), Err(Errno::ENOTDIR));
        assert_eq!(content("dir"), Err(Errno::EISDIR));
        assert_eq!(rmdir("dir/."), Err(Errno::EINVAL));
        assert_eq!(rmdir("dir/.."), Err(Errno::ENOTEMPTY));
        assert_eq!(rmdir("dir"), Err(Errno::ENOTEMPTY));
        assert_eq!(rmdir("/"), Err(Errno::EBUSY));
        assert_eq!(unlink("dir"), Err(Errno::EPERM));
        assert_eq!(rmdir("dir/file"), Err(Errno::ENOTDIR));
        unlink("dir/file").unwrap();
        rmdir("dir/").unwrap();
        assert_eq!(mkdir("", 0o755), Err(Errno::ENOENT));
        assert!(lstat("/../..").is_ok());
    });
}

#[test]
fn long_and_wild_paths() {
    program(|| {
        let name = |len| String::from_utf8(vec![b'n'; len]).unwrap();
        make(&name(255), b"");
        assert_eq!(open_file(&name(256), O_CREAT | O_WRONLY), Err(Errno::ENAMETOOLONG));
        assert_eq!(lstat(&format!("{}x", "./".repeat(520))), Err(Errno::ENAMETOOLONG));
        assert_eq!(result(stat::sys___stat50(8, DATA as u64, 0, 0, 0, 0)), Err(Errno::EFAULT));
        assert_eq!(result(stat::sys___stat50(u64::MAX, DATA as u64, 0, 0, 0, 0)), Err(Errno::EFAULT));
        let path = path(".");
        assert_eq!(result(stat::sys___stat50(path, 16, 0, 0, 0, 0)), Err(Errno::EFAULT));
        assert_eq!(result(stat::sys_fstatat(99, path, DATA as u64, 0, 0, 0)), Err(Errno::EBADF));
        assert_eq!(
            result(stat::sys_fstatat(AT_FDCWD as u64, path, DATA as u64, 0x8000, 0, 0)),
            Err(Errno::EINVAL)
        );
    });
}

#[test]
fn symbolic_links() {
    program(|| {
        make("file", b"x");
        symlink("file", "soft").unwrap();
        assert_eq!(content("soft"), Ok(b"x".to_vec()));
        assert_eq!(open_file("soft", O_RDONLY | O_NOFOLLOW), Err(Errno::EFTYPE));
        assert_eq!(open_file("soft", O_RDWR | O_CREAT | O_EXCL), Err(Errno::EEXIST));
        symlink("made", "dangling").unwrap();
        assert_eq!(content("dangling"), Err(Errno::ENOENT));
        close(open_file("dangling", O_WRONLY | O_CREAT).unwrap());
        assert!(lstat("made").is_ok());
        symlink("loop", "loop").unwrap();
        assert_eq!(content("loop"), Err(Errno::ELOOP));
        mkdir("dir", 0o755).unwrap();
        symlink("dir", "to-dir").unwrap();
        make("to-dir/in", b"y");
        assert_eq!(content("dir/in"), Ok(b"y".to_vec()));
        assert_eq!(lstat("to-dir").unwrap().0 & 0o170_000, 0o120_000);
        assert_eq!(lstat("to-dir/").unwrap().0 & 0o170_000, 0o040_000);
        assert_eq!(unlink("to-dir/"), Err(Errno::EPERM));
        unlink("to-dir").unwrap();
        let name = path("soft");
        assert_eq!(result(links::sys_readlink(name, DATA as u64, 2, 0, 0, 0)), Ok(2));
        assert_eq!(get(DATA, 2), b"fi");
    });
}

#[test]
fn links_and_renames() {
    program(|| {
        make("a", b"a");
        link("a", "b").unwrap();
        assert_eq!(lstat("a").unwrap().1, 2);
        assert_eq!(link("a", "b"), Err(Errno::EEXIST));
        assert_eq!(link("/", "root"), Err(Errno::EPERM));
        assert_eq!(rename("a", "b"), Ok(0));
        assert!(lstat("a").is_ok(), "both are the same file: nothing happens");
        unlink("a").unwrap();
        assert_eq!(lstat("b").unwrap().1, 1);
        mkdir("d1", 0o755).unwrap();
        mkdir("d1/d2", 0o755).unwrap();
        assert_eq!(lstat("d1").unwrap().1, 3);
        assert_eq!(rename("d1", "d1/d2/d3"), Err(Errno::EINVAL));
        assert_eq!(rename("d1", "b"), Err(Errno::ENOTDIR));
        assert_eq!(rename("b", "d1"), Err(Errno::EISDIR));
        mkdir("d3", 0o755).unwrap();
        assert_eq!(rename("d3", "d1"), Err(Errno::ENOTEMPTY));
        rename("d1", "d3").unwrap();
        assert_eq!((lstat("d1"), lstat("d3/d2").map(|_| ())), (Err(Errno::ENOENT), Ok(())));
        rename("d3/d2", "d4").unwrap();
        assert_eq!((lstat("d3").unwrap().1, lstat("d4").unwrap().1), (2, 2));
        rename("b", "d4/b").unwrap();
        assert_eq!(content("d4/b"), Ok(b"a".to_vec()));
    });
}

#[test]
fn a_removed_file_lives_while_it_is_open() {
    program(|| {
        make("file", b"content");
        let fd = open_file("file", O_RDONLY).unwrap();
        unlink("file").unwrap();
        assert_eq!(read(fd, 100), Ok(b"content".to_vec()));
        close(fd);
        mkdir("gone", 0o755).unwrap();
        chdir("gone").unwrap();
        rmdir("../gone").unwrap();
        assert_eq!(open_file("file", O_CREAT | O_WRONLY), Err(Errno::ENOENT));
        assert_eq!(result(dirs::sys___getcwd(DATA as u64, 100, 0, 0, 0, 0)), Err(Errno::ENOENT));
    });
}

#[test]
fn the_working_directory_has_a_path() {
    program(|| {
        mkdir("one", 0o755).unwrap();
        mkdir("one/two", 0o755).unwrap();
        chdir("one/two").unwrap();
        let len = result(dirs::sys___getcwd(DATA as u64, 100, 0, 0, 0, 0)).unwrap();
        assert!(get(DATA, len as usize).ends_with(b"/one/two\0"));
        assert_eq!(result(dirs::sys___getcwd(DATA as u64, 5, 0, 0, 0, 0)), Err(Errno::ERANGE));
        assert_eq!(chdir("nowhere"), Err(Errno::ENOENT));
    });
}

/// The names in an open directory, from where it is.
fn names(fd: u64, room: u64) -> Vec<String> {
    let len = result(dirs::sys___getdents30(fd, DATA as u64, room, 0, 0, 0)).unwrap() as usize;
    let bytes = get(DATA, len);
    let mut names = Vec::new();
    let mut at = 0;
    while at < len {
        let record = u16::from_le_bytes([bytes[at + 8], bytes[at + 9]]) as usize;
        let name_len = u16::from_le_bytes([bytes[at + 10], bytes[at + 11]]) as usize;
        names.push(String::from_utf8(bytes[at + 13..at + 13 + name_len].to_vec()).unwrap());
        at += record;
    }
    names
}

#[test]
fn listing_survives_changes() {
    program(|| {
        for index in 0..10 {
            make(&format!("f{index}"), b"");
        }
        let fd = open_file(".", O_RDONLY).unwrap();
        assert_eq!(result(dirs::sys___getdents30(fd, DATA as u64, 8, 0, 0, 0)), Err(Errno::EINVAL));
        let mut seen = names(fd, 80);
        assert_eq!(seen, [".", "..", "f0", "f1", "f2"]);
        unlink("f1").unwrap();
        unlink("f3").unwrap();
        make("new", b"");
        loop {
            let more = names(fd, 64);
            if more.is_empty() {
                break;
            }
            seen.extend(more);
        }
        assert_eq!(seen[5..], ["f4", "f5", "f6", "f7", "f8", "f9", "new"]);
        assert_eq!(result(rw::sys_lseek(fd, 0, 0, 0, 0, 0)), Ok(0));
        assert_eq!(names(fd, 4096).len(), 11);
        close(fd);
    });
}

#[test]
fn attributes() {
    program(|| {
        make("file", b"12345");
        let name = path("file");
        assert_eq!(result(attr::sys_chmod(name, 0o600, 0, 0, 0, 0)), Ok(0));
        assert_eq!(lstat("file").unwrap().0, 0o100_600);
        let name = path("file");
        assert_eq!(result(stat::sys_access(name, 1, 0, 0, 0, 0)), Err(Errno::EACCES));
        assert_eq!(result(stat::sys_access(name, 6, 0, 0, 0, 0)), Ok(0));
        assert_eq!(result(stat::sys_access(name, 8, 0, 0, 0, 0)), Err(Errno::EINVAL));
        put(DATA, &[7_i64, 0, 9, 5].map(i64::to_le_bytes).concat());
        assert_eq!(result(attr::sys_utimensat(AT_FDCWD as u64, name, DATA as u64, 0, 0, 0)), Ok(0));
        result(stat::sys___stat50(name, DATA as u64, 0, 0, 0, 0)).unwrap();
        let times = get(DATA + 48, 32);
        assert_eq!(times, [7_i64, 0, 9, 5].map(i64::to_le_bytes).concat());
        assert_eq!(result(attr::sys_truncate(name, 0, u64::MAX, 0, 0, 0)), Err(Errno::EINVAL));
        assert_eq!(result(attr::sys_truncate(name, 0, 2, 0, 0, 0)), Ok(0));
        assert_eq!(content("file"), Ok(b"12".to_vec()));
    });
}

#[test]
fn an_archive_becomes_files() {
    let mut archive = Vec::new();
    let add = cpio::tests::add;
    add(&mut archive, 1, 0o040_700, 2, "./etc", b"");
    add(&mut archive, 2, 0o100_444, 1, "etc/motd", &[b'm'; 5000]);
    add(&mut archive, 3, 0o120_777, 1, "link", b"etc/motd");
    add(&mut archive, 4, 0o100_644, 2, "one", b"");
    add(&mut archive, 4, 0o100_644, 2, "two", b"shared");
    add(&mut archive, 5, 0o100_644, 1, "../outside", b"");
    add(&mut archive, 6, 0o100_755, 1, "deep/er/file", b"deep");
    archive.extend_from_slice(b"rubbish");
    let archive: &'static [u8] = Vec::leak(archive);
    program(move || {
        let fs = root_of(7, archive);
        let root =
            || -> rump_vfs::vnode::VnodeRef { alloc::rc::Rc::<crate::node::Node>::clone(fs.root_node()) };
        let at = |path: &str| namei::lookup(root(), path.into(), namei::Follow::Yes);
        assert_eq!(at("etc/motd").unwrap().attr().size, 5000);
        assert_eq!(at("link").unwrap().attr().mode, 0o100_444);
        assert_eq!(at("etc").unwrap().attr().mode, 0o040_700);
        assert_eq!((at("one").unwrap().attr().size, at("two").unwrap().attr().nlink), (6, 2));
        assert_eq!(at("deep/er/file").unwrap().attr().mtime.sec, 1000);
        assert_eq!(at("tmp").unwrap().attr().mode, 0o041_777);
        assert!(at("outside").is_err());
        assert_eq!(Tmpfs::new(8, 0o755).root_node().store().map(|_| ()), None);
    });
    let said = String::from_utf8(rumpbake_posix::take_console()).unwrap();
    assert!(said.contains("cannot be made: ../outside"), "{said}");
    assert!(said.contains("is damaged"), "{said}");
}

/// What is done to a file and to the model of it.
#[derive(Clone, Debug)]
enum Step {
    Write(usize, Vec<u8>),
    Resize(usize),
    Discard(usize, usize),
    Fault(usize),
}

/// Largest file of the model: a few pages.
const MODEL_MAX: usize = 5 * PAGE_SIZE;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..MODEL_MAX, 0..2 * PAGE_SIZE, any::<u8>())
            .prop_map(|(at, len, byte)| Step::Write(at, vec![byte; len])),
        (0..MODEL_MAX).prop_map(Step::Resize),
        (0..MODEL_MAX, 0..MODEL_MAX).prop_map(|(at, len)| Step::Discard(at, len)),
        (0..MODEL_MAX).prop_map(Step::Fault),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn contents_follow_the_model(image_len in 0..3 * PAGE_SIZE, steps in proptest::collection::vec(step(), 0..25)) {
        let image: &'static [u8] = vec![0xee; image_len].leak();
        program(move || {
            use rump_hypercall::upcall::Access;
            use rump_kern::uvm::UvmObject as _;
            let store = PageStore::of_image(image);
            let mut model = image.to_vec();
            for step in steps {
                match step {
                    Step::Write(at, bytes) => {
                        put(DATA, &bytes);
                        store.write(&mut Uio::new(DATA, bytes.len()).unwrap(), at as u64).unwrap();
                        if !bytes.is_empty() {
                            model.resize(model.len().max(at + bytes.len()), 0);
                            model[at..at + bytes.len()].copy_from_slice(&bytes);
                        }
                    }
                    Step::Resize(len) => {
                        store.set_size(len as u64).unwrap();
                        model.resize(len, 0);
                    }
                    Step::Discard(at, len) => {
                        store.discard(at as u64, len as u64).unwrap();
                        let end = (at + len).min(model.len());
                        if at < end {
                            model[at..end].fill(0);
                        }
                    }
                    Step::Fault(at) => {
                        let page = store.get_page((at - at % PAGE_SIZE) as u64, Access::Read);
                        assert_eq!(page.is_ok(), at - at % PAGE_SIZE < model.len());
                    }
                }
                assert_eq!(store.size(), model.len() as u64);
                let mut uio = Uio::new(DATA, MODEL_MAX * 2).unwrap();
                store.read(&mut uio, 0).unwrap();
                assert_eq!(uio.resid(), MODEL_MAX * 2 - model.len());
                assert!(get(DATA, model.len()) == model);
            }
        });
    }
}

#[test]
fn a_deep_tree_goes_without_a_deep_stack() {
    program(|| {
        let fs = Tmpfs::new(mount::next_dev(), 0o755);
        let mut at = std::rc::Rc::clone(fs.root_node());
        for _ in 0..100_000 {
            let body = super::Body::Directory(std::cell::RefCell::new(super::Dir::new(std::rc::Weak::new())));
            at = at.make(b"d", body, super::NewAttr { mode: 0o755, uid: 0, gid: 0 }).unwrap();
        }
        drop(at);
        drop(fs);
    });
}
