//! apps/netserver for both sides, with a fixed address.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::link::Link;
use crate::bench::control::Control;
use crate::bench::cpio;
use crate::bench::guest::Bootable;
use crate::bench::programs::{self, Purpose, Side, Source, System};
use crate::tools;

const NAME: &str = "netserver";

/// The server, ready to boot.
pub fn build(side: &Side, link: &Link, work: &Path) -> Result<Bootable> {
    let source = Source::C(tools::root().join("apps/netserver/netserver.c"));
    let built = side.build(&source, NAME, Purpose::Inside, &[], work)?;
    let work = work.join(&side.name);
    match &side.system {
        System::Rumpbake(command) => image(command, link, &work),
        System::Linux(control) => initramfs(control, built.boot, link, &work),
    }
}

fn image(command: &Path, link: &Link, work: &Path) -> Result<Bootable> {
    let config = work.join("net.json");
    let address = link.guest_address();
    let text =
        format!(r#"{{"net":{{"interfaces":[{{"name":"vioif0","dhcp":false,"address":"{address}/24"}}]}}}}"#);
    std::fs::write(&config, text).with_context(|| format!("cannot write {}", config.display()))?;
    let kernel = work.join(format!("{NAME}-net.img"));
    programs::must(
        Command::new(command)
            .args(["hw", "--quiet", "--config"])
            .arg(&config)
            .arg("-o")
            .arg(&kernel)
            .arg(work.join(format!("{NAME}.elf"))),
    )?;
    Ok(Bootable { kernel, initrd: None, command_line: String::new() })
}

/// The guest that was built, with the network's modules in its initramfs.
fn initramfs(control: &Control, mut guest: Bootable, link: &Link, work: &Path) -> Result<Bootable> {
    let read = |name: &str| {
        let path = work.join(name);
        std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (init, program) = (read("init")?, read(NAME)?);
    let modules = control.network_modules()?;
    let names: Vec<String> = (0..modules.len()).map(|number| format!("module{number}")).collect();
    let mut files: Vec<(&str, &[u8])> = vec![("init", &init), ("program", &program)];
    files.extend(names.iter().zip(&modules).map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    let initrd = work.join(format!("{NAME}-net.cpio"));
    std::fs::write(&initrd, cpio::archive(&files))
        .with_context(|| format!("cannot write {}", initrd.display()))?;
    guest.initrd = Some(initrd);
    // Words that the kernel does not know are its first process's environment.
    guest.command_line += &format!(" BENCH_ADDRESS={}", link.guest_address());
    Ok(guest)
}
