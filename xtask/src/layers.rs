//! What ARCHITECTURE.md says about the layers, against the sources.

use std::path::Path;

use crate::tools;

/// Calls `f` with each of the Rust files in a folder, its path and text.
fn sources(folder: &Path, f: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, f);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            f(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn lines(folder: &str) -> usize {
    let mut count = 0;
    sources(&tools::root().join("platform").join(folder).join("src"), &mut |_, text| {
        count += text.lines().count();
    });
    count
}

#[test]
fn kernel_components_know_neither_platform_nor_assembly() {
    for folder in ["kernel", "libc-build/src"] {
        sources(&tools::root().join(folder), &mut |path, text| {
            for line in text.lines() {
                let assembly = ["asm!(", "naked_asm", "#[unsafe(naked)]"];
                // Layer 2 has setjmp(3), contexts, the gate and the x87 in assembly: its ABI is the processor's.
                let assembly = folder == "kernel" && assembly.iter().any(|word| line.contains(word));
                let names = ["\"hw\"", "\"xen\"", "\"posix\"", "target_os"];
                let platform = line.contains("cfg(") && names.iter().any(|name| line.contains(name));
                assert!(!assembly && !platform, "{}: {line}", path.display());
            }
        });
    }
}

/// The table's figures may lag behind by a twentieth.
#[test]
fn the_table_of_layer_3_is_true() {
    let text = std::fs::read_to_string(tools::root().join("ARCHITECTURE.md")).unwrap();
    let mut rows = 0;
    for row in text.lines().filter_map(|line| line.strip_prefix("| `platform/")) {
        let (folder, rest) = row.split_once("` | ").unwrap();
        let told: usize = rest.split_once(' ').unwrap().0.replace(',', "").parse().unwrap();
        let counted = lines(folder);
        assert!(counted.abs_diff(told) * 20 <= counted, "platform/{folder} has {counted} lines, not {told}");
        rows += 1;
    }
    assert!(rows > 5, "{rows} rows");
}

#[test]
fn what_hw_and_xen_share_is_more_than_either_has() {
    let shared = lines("common") + lines("xenguest");
    assert!(lines("hw") < shared && lines("xen") < shared);
}
