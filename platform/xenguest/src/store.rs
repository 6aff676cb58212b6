//! The guest's connection with xenstore: how the tool stack asks it to end (`control/shutdown`), and where it says how it did
//! (`data/rumpbake/status`).

use rump_hypercall::Giant;
use rump_hypercall::time::{self, monotonic_ns};
use rumpbake_drivers::xen::store::{Link, Store, Transaction};
use rumpbake_platform::cpu::Local;

use crate::events;

/// The tool stack writes `poweroff`, `halt` or `reboot` here, and the guest takes it away when it has seen it.
const SHUTDOWN: &str = "control/shutdown";
/// How the program ended, in the words of the status line: `exited N`, `signaled N`, `panicked`.
const STATUS: &str = "data/rumpbake/status";
/// A store that is silent for so long is given up.
const PATIENCE_NS: u64 = 2_000_000_000;

/// How long the program has before requests to end are watched for: who made the guest waits for its first words, and where guest and store share a processor
/// the store's answer would come before them.
const HEAD_START_NS: u64 = 20_000_000;

/// Changes that are followed up in one go, and the rest after so many: somebody who writes without end does not have the guest do nothing else.
const CHANGES: usize = 16;
/// How long then nothing is followed up.
const REST_NS: u64 = 100_000_000;

static STORE: Giant<Option<Store>> = Giant::new(None);
static PORT: Local<u32> = Local::new(0);
/// The tool stack wants the guest to be made anew when it has ended.
static REBOOT: Giant<bool> = Giant::new(false);
/// Who is told of changes of what it watches.
static WATCHER: Giant<Option<Watcher>> = Giant::new(None);

/// Takes the connection and the token of a watch.
pub type Watcher = fn(&mut Store, &str);

fn port() -> u32 {
    // SAFETY: written once at boot.
    unsafe { *PORT.get() }
}

fn wait(begun_ns: u64) -> bool {
    let end_ns = begun_ns.saturating_add(PATIENCE_NS);
    events::wait(port(), end_ns);
    monotonic_ns() < end_ns
}

/// Connects with the store by its page and event channel, and watches for requests to end from a little later on. Does not wait for the store.
///
/// # Safety
/// The page is mapped for good, and nobody else's.
pub unsafe fn init(page: *mut u8, port: u32) {
    // SAFETY: boot, one processor.
    unsafe { *PORT.get() = port };
    let link = Link { notify: || events::notify(self::port()), wait, now_ns: monotonic_ns };
    // SAFETY: the caller's promise.
    *STORE.borrow_mut() = Some(unsafe { Store::new(page, link) });
    let _ = time::callout(monotonic_ns().saturating_add(HEAD_START_NS), watch_requests, 0);
}

/// Watches for requests to end. The store reports one that is there already, too.
fn watch_requests(_: usize) {
    // Without the watch the guest cannot be asked to end; it can be destroyed.
    let _ = with_store(|store| store.watch_from_now_on(SHUTDOWN, SHUTDOWN));
}

/// Uses the connection, if there is one. It is gone if a panic broke off its last use.
pub fn with_store<T>(f: impl FnOnce(&mut Store) -> T) -> Option<T> {
    let taken = STORE.borrow_mut().take();
    taken.map(|mut store| {
        let result = f(&mut store);
        *STORE.borrow_mut() = Some(store);
        result
    })
}

/// From now on `watcher` is told of changes that are not the store's own business here.
pub fn set_watcher(watcher: Watcher) {
    WATCHER.set(Some(watcher));
}

/// Waits a little for something that somebody else is to write into the store; false if that has lasted too long.
pub fn nap(begun_ns: u64) -> bool {
    const NAP_NS: u64 = 10_000_000;
    let now_ns = monotonic_ns();
    events::wait(port(), now_ns.saturating_add(NAP_NS));
    now_ns < begun_ns.saturating_add(PATIENCE_NS)
}

/// A rest is over.
fn go_on(_: usize) {
    events::unmask(port());
    interrupt();
}

/// Has changes followed up soon that came while the connection was used and waited for, which takes their events back.
pub fn look_again() {
    let _ = time::callout(monotonic_ns(), go_on, 0);
}

/// The store has said something.
pub fn interrupt() {
    let (mut asked, mut refused) = (false, false);
    let mut left = CHANGES;
    with_store(|store| {
        while left > 0
            && let Some(token) = store.changed()
        {
            left -= 1;
            if token != SHUTDOWN {
                let watcher = WATCHER.get();
                if let Some(watcher) = watcher {
                    watcher(store, &token);
                }
                continue;
            }
            let wish = store.read(Transaction::NONE, SHUTDOWN);
            match wish.as_deref() {
                Ok(wish @ (b"poweroff" | b"halt" | b"reboot")) => {
                    REBOOT.set(wish == b"reboot");
                    // The tool stack waits for this.
                    let _ = store.write(Transaction::NONE, SHUTDOWN, b"");
                    asked = true;
                }
                // The request stays as it is, so that the tool stack knows, after a while, that nothing comes of it.
                Ok(b"suspend") => refused = true,
                _ => {}
            }
        }
    });
    if left == 0 {
        events::mask(port());
        let _ = time::callout(monotonic_ns().saturating_add(REST_NS), go_on, 0);
    }
    if refused {
        rump_hypercall::console::write(
            b"rumpbake: this guest can be neither saved nor migrated; it goes on\n",
        );
    }
    if asked {
        rumpbake_platform::trap::shutdown();
    }
}

/// Whether the guest was asked to reboot.
pub fn reboot_wanted() -> bool {
    REBOOT.get()
}

/// Says how the program ended.
pub fn say_status(line: &str) {
    // Nobody is there to be told of a failure.
    let _ = with_store(|store| store.write(Transaction::NONE, STATUS, line.trim_end().as_bytes()));
}
