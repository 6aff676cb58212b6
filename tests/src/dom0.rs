//! Jobs in the Linux dom0 of `qemu-scripts/xen-xl.sh`, with guests that Xen's own tool stack makes.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::boot::finish_within;
use crate::{Program, Run, rumpbake, run, work_dir, workspace};

/// For a job: some make a hundred guests.
const PATIENCE: Duration = Duration::from_secs(900);

/// What jobs in dom0 are written with.
const PRELUDE: &str = r#"
fail() { echo "FAILED: $*"; xl list; xl dmesg | tail -n 20; exit 1; }
console() { cat "/var/log/xen/console/guest-$1.log" | tr -d '\r'; }
# make NAME IMAGE [LINE OF THE CONFIGURATION...]: creates a guest of type TYPE. The counter of PVH ones is the processor's own: where Xen emulates it, QEMU
# names a rdtscp, with which Go reads it now and then, as a rdtsc, and Xen raises a general protection fault.
make() {
    name=$1
    printf 'name="%s"\ntype="%s"\nkernel="/job/%s"\nmemory=%s\nvcpus=1\non_poweroff="destroy"\non_crash="destroy"\n' "$1" "${TYPE:-pv}" "$2" "${MEMORY:-32}" >"/tmp/$1.cfg"
    shift 2
    if [ "${TYPE:-pv}" = pvh ]; then set -- 'tsc_mode="native"' "$@"; fi
    for line; do echo "$line" >>"/tmp/$name.cfg"; done
    xl create -q "/tmp/$name.cfg" || fail "xl create $name"
}
# await NAME TEXT: until the guest's console shows the text.
await() {
    tries=0
    until console "$1" 2>/dev/null | grep -qF "$2"; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "the console of $1 does not show '$2', but: $(console "$1")"
        usleep 100000
    done
}
# gone NAME: until there is no such guest.
gone() {
    tries=0
    while xl domid "$1" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "$1 does not end: $(console "$1")"
        usleep 100000
    done
}
"#;

/// What `rumpbake xen` is told for a guest of type pvh.
pub const PVH: [&str; 2] = ["--type", "pvh"];

/// The program as a guest's kernel.
pub fn guest(program: &Program, name: &str, options: &[&str]) -> PathBuf {
    let image = work_dir("dom0").join(format!("{name}.img"));
    run(rumpbake().arg("xen").arg(&program.elf).arg("-o").arg(&image).args(options));
    image
}

/// Runs a job in dom0, with these images beside it. One that makes guests of type pvh is begun anew if it fails, once: QEMU's emulation of AMD's virtualisation
/// now and then stops such a guest for good (qemu-scripts/README.md).
pub fn dom0(name: &str, job: &str, images: &[PathBuf]) -> Run {
    let path = work_dir("dom0").join(name);
    std::fs::write(&path, format!("{PRELUDE}{job}")).expect("the work folder is writable");
    let begin = || {
        let mut command = Command::new("sh");
        command.arg(workspace().join("qemu-scripts/xen-xl.sh")).arg(&path).args(images);
        finish_within(PATIENCE, command, b"")
    };
    let run = begin();
    if run.status == 0 || !job.contains("TYPE=pvh") {
        return run;
    }
    eprintln!("job {name}, begun anew after this:\n{}{}", run.console, run.stderr);
    begin()
}
