//! Finds an installed libdamon through pkg-config, or builds the sources that come with the crate.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    for input in ["build.rs", "libdamon"] {
        println!("cargo:rerun-if-changed={input}");
    }
    if env::var_os("DOCS_RS").is_some() {
        return; // documentation needs no library
    }
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        println!("cargo:warning=libdamon is for Linux; programs for this target will not link");
        return;
    }
    let vendored = env::var_os("CARGO_FEATURE_VENDORED").is_some();
    if !vendored && pkg_config::Config::new().range_version("0.1.0".."0.2.0").probe("damon").is_ok() {
        return;
    }
    build_bundled();
}

fn build_bundled() {
    let sources = Path::new("libdamon");
    if !sources.join("CMakeLists.txt").exists() {
        panic!("no installed libdamon (pkg-config damon), and the crate's libdamon/ folder has no sources");
    }
    let mut config = cmake::Config::new(sources);
    for option in ["TESTS", "EXAMPLES", "BENCH"] {
        config.define(format!("DAMON_BUILD_{option}"), "OFF");
    }
    // A debug build of a program is no reason to watch it with a slow library.
    config.define("DAMON_WERROR", "OFF").profile("Release");
    if let Some(launcher) = env::var_os("CMAKE_CXX_COMPILER_LAUNCHER") {
        config.define("CMAKE_CXX_COMPILER_LAUNCHER", launcher);
    }
    let built: PathBuf = config.build_target("damon_static").build().join("build");
    println!("cargo:rustc-link-search=native={}", built.join("lib").display());
    println!("cargo:rustc-link-lib=static=damon");
    println!("cargo:rustc-link-lib=pthread");
    println!(
        "cargo:include={}",
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("libdamon/include").display()
    );
}
