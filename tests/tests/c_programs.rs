//! C and C++ programs: small self-checking programs, one per subject.

use std::process::Command;

use rumpbake_tests::{Platform, c, cxx, finish, on, workspace};

fn checks(name: &str, platform: Platform) {
    let _ = c(name)
        .bake_for(platform, &[])
        .run_with(&["-m", "256"], &[], b"")
        .ok()
        .shows(&format!("{name}: all right\n"));
}

on!(hw, xen: fn arguments_environment_and_status(platform) {
    let image = c("echo").bake_for(platform, &["--env", "WHO=world"]);
    let _ = image
        .run_args(&["7", "two words", "\"quoted\""])
        .status(7)
        .shows("arg 2: two words\n")
        .shows("arg 3: \"quoted\"\n")
        .shows("env WHO=world\n");
    let _ = image.run().ok().shows("arg 0: ");
    let _ = image.run_args(&["255"]).status(255);
});

on!(hw, xen: fn a_crash_names_the_place(platform) {
    let run = c("null").bake_for(platform, &[]).run();
    let run = run.status(128 + 11).shows("about to crash\n").shows("0x10").shows("deepest");
    assert!(!run.console.contains("not reached"));
});

on!(hw, xen: fn memory(platform) {
    checks("memory", platform);
});

on!(hw, xen: fn threads(platform) {
    checks("threads", platform);
});

on!(hw, xen: fn signals(platform) {
    checks("signals", platform);
});

on!(hw, xen: fn both_ways_to_the_clock(platform) {
    checks("clock", platform);
});

on!(hw, xen: fn files(platform) {
    checks("files", platform);
});

on!(hw, xen: fn local_sockets(platform) {
    checks("socket_local", platform);
});

on!(hw, xen: fn internet_sockets(platform) {
    checks("socket_inet", platform);
});

on!(hw, xen: fn bad_system_calls(platform) {
    checks("badcalls", platform);
});

on!(hw, xen: fn indirect_system_calls(platform) {
    checks("indirect", platform);
});

on!(hw, xen: fn both_ways_into_the_kernel(platform) {
    checks("entering", platform);
});

on!(hw, xen: fn a_stack_that_overflows_is_told_so(platform) {
    let run = c("entering").bake_for(platform, &[]).run_args(&["overflow"]);
    let _ = run.status(128 + 11).shows("SIGSEGV (the stack is full)").shows("no_end");
});

on!(hw, xen: fn random_system_calls(platform) {
    let image = c("stress").bake_for(platform, &[]);
    let seconds = std::env::var("RUMPBAKE_STRESS_SECONDS").unwrap_or_else(|_| "10".to_owned());
    let _ = image.run_with(&["-m", "128"], &[&seconds, "1"], b"").ok().shows("stress: survived\n");
});

on!(hw, xen: fn what_is_used_up_comes_back(platform) {
    let _ = c("exhaust").bake_for(platform, &[]).run_with(&["-m", "32"], &[], b"").ok().shows("exhaust: all right\n");
});

on!(hw, xen: fn a_machine_that_is_too_small_is_told_so(platform) {
    let image = c("large").bake_for(platform, &[]);
    let (refusal, script, told, status, little) = match platform {
        Platform::Hw => ("the image lies in the first", "microvm.sh", "too little memory", 127, "16"),
        Platform::Xen => ("KiB of memory, and the guest has", "xen-dom0.sh", "allocation is too small", 124, "20"),
    };
    // The image ends inside of 14 MiB, and the zeros take 12 more.
    for size in ["2", "8", "12"] {
        let refused = image.run_with(&["-m", size], &[], b"").status(1);
        assert!(refused.stderr.contains(refusal), "{refused:?}");
    }
    // Where nobody looks beforehand, the kernel says so, or Xen for it.
    let mut command = Command::new("sh");
    command.arg(workspace().join("qemu-scripts").join(script)).arg(&image.path).env("MEMORY", "8");
    let _ = finish(command, b"").status(status).shows(told);
    let _ = image.run_with(&["-m", little], &[], b"").status(128 + 9).shows("out of memory");
    let _ = image.run_with(&["-m", "40"], &[], b"").ok().shows("large: all right\n");
});

on!(hw, xen: fn cplusplus(platform) {
    let _ = cxx("cxx").bake_for(platform, &[]).run().ok().shows("cxx: all right\n");
});

on!(hw, xen: fn every_machine_type_boots(platform) {
    let image = c("echo").bake_for(platform, &[]);
    let machines = match platform {
        Platform::Hw => &["microvm", "pc", "q35"][..],
        Platform::Xen => &["pc", "q35"],
    };
    for machine in machines {
        let _ = image.run_with(&["--machine", machine], &["5"], b"").status(5).shows("arg 1: 5\n");
    }
});

on!(hw, xen: fn sixteen_megabytes_are_enough_for_hello(platform) {
    let image = c("echo").bake_for(platform, &["--strip"]);
    let size = std::fs::metadata(&image.path).expect("it was just written").len();
    assert!(size < 1 << 20, "the stripped image has {size} bytes");
    let _ = image.run_with(&["-m", "16"], &["0"], b"").ok().shows("arg 1: 0\n");
});
