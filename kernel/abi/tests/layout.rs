//! The structures lie in memory as NetBSD's headers say: a C compiler for the target checks size, alignment and offsets.

mod layouts;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// A structure as Rust lays it out.
pub struct Layout {
    c_type: &'static str,
    size: usize,
    align: usize,
    /// C field, offset, size.
    fields: Vec<(&'static str, usize, usize)>,
}

fn size_of_field<S, F>(_: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

/// Collects a structure's layout.
#[macro_export]
macro_rules! layout {
    ($rust:ident, $c:literal $(, $field:ident = $c_field:literal)*) => {
        $crate::Layout {
            c_type: $c,
            size: size_of::<$rust>(),
            align: align_of::<$rust>(),
            fields: vec![$(($c_field, std::mem::offset_of!($rust, $field), $crate::size_of_field(|s: &$rust| &s.$field))),*],
        }
    };
}

#[test]
fn structures_lie_as_the_headers_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let zig = root.join(".tools/ziglang/ziglang/zig");
    assert!(zig.exists(), "the C compiler is not there yet: run `cargo xtask setup`");
    let mut source = String::new();
    for header in include_str!("layouts/headers.txt").lines() {
        let _ = writeln!(source, "#include <{header}>");
    }
    let mut assertions = 0;
    layouts::each(&mut |layout: Layout| {
        let c = layout.c_type;
        let _ = writeln!(source, "_Static_assert(sizeof({c}) == {}, \"size of {c}\");", layout.size);
        let _ = writeln!(source, "_Static_assert(_Alignof({c}) == {}, \"alignment of {c}\");", layout.align);
        for (field, offset, size) in layout.fields {
            let _ = writeln!(
                source,
                "_Static_assert(__builtin_offsetof({c}, {field}) == {offset}, \"offset of {field} in {c}\");"
            );
            let _ = writeln!(
                source,
                "_Static_assert(sizeof((({c} *)0)->{field}) == {size}, \"size of {field} in {c}\");"
            );
            assertions += 2;
        }
        assertions += 2;
    });
    assert!(assertions > 1000, "only {assertions} assertions");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("layout.c"), source).expect("cannot write into the target folder");
    let mut command = Command::new(zig);
    command.current_dir(folder).args([
        "cc",
        "-target",
        "x86_64-netbsd.10.1",
        "-O2",
        "-w",
        "-S",
        "-o",
        "layout.s",
        "layout.c",
    ]);
    for variable in ["ZIG_LOCAL_CACHE_DIR", "ZIG_GLOBAL_CACHE_DIR"] {
        if std::env::var_os(variable).is_none() {
            command.env(variable, root.join(".tools/zig-cache"));
        }
    }
    let output = command.output().expect("cannot start the C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
