//! Programs that nobody here wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use rumpbake_tests::{Image, Platform, Program, c_from, on, run, work_dir, workspace};

/// The folder of a crate that this one depends on.
fn crate_folder(name: &str) -> PathBuf {
    let output = run(Command::new(env!("CARGO")).current_dir(workspace()).args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
    ]));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let package = packages
        .iter()
        .find(|package| package["name"] == name)
        .unwrap_or_else(|| panic!("{name} is no dependency"));
    let manifest = package["manifest_path"].as_str().expect("a path");
    Path::new(manifest).parent().expect("a file has a folder").to_owned()
}

fn lua(platform: Platform) -> Image {
    let folder = std::fs::read_dir(crate_folder("lua-src"))
        .expect("the crate is unpacked")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lua-5.4")))
        .expect("the crate has Lua 5.4");
    let mut sources: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    sources.sort();
    // The crate leaves the interpreter's own main file out.
    sources.push(workspace().join("tests/programs/c/lua-main.c"));
    let include = format!("-I{}", folder.display());
    let root = workspace().join("apps/lua/root");
    c_from("lua", &sources, &[&include, "-DLUA_USE_POSIX", "-lm"]).bake_for(
        platform,
        &["--root", &root.display().to_string(), "--env", "GREETING=hello", "--env", "LUA_PATH=/?.lua"],
    )
}

on!(hw, xen: fn lua_runs_scripts_from_the_image(platform) {
    let image = lua(platform);
    let _ = image.run_args(&["/selftest.lua"]).ok().shows("lua: all right\n");
    let glider = "................\n................\n...#............\n....#...........\n..###...........\n................\n";
    let _ = image.run_args(&["/life.lua", "8"]).ok().shows(glider);
    let failed = image.run_args(&["/missing.lua"]).status(1);
    assert!(failed.console.contains("cannot open"), "{failed:?}");
});

fn esbuild(platform: Platform) -> Image {
    let binary = workspace().join(".tools/esbuild/package/bin/esbuild");
    assert!(binary.exists(), "{} is missing; `cargo xtask setup` fetches it", binary.display());
    // Two tests must not write the same copy at once.
    let elf = work_dir(&format!("esbuild-{platform:?}")).join("esbuild.elf");
    std::fs::copy(&binary, &elf).expect("the work folder is writable");
    Program { elf }.bake_for(platform, &[])
}

on!(hw, xen: fn esbuild_bundles_from_standard_input(platform) {
    let image = esbuild(platform);
    let _ = image.run_with(&["-m", "512"], &["--version"], b"").ok();
    let source = b"const greet = (name) => `hello ${name}`;\nconsole.log(greet('image'), 1 + 2);\n";
    let run = image.run_with(&["-m", "512"], &["--bundle", "--minify"], source).ok();
    assert_eq!(run.console, "(()=>{var o=e=>`hello ${e}`;console.log(o(\"image\"),3);})();\n");
});
