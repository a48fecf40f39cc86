//! Finds an installed libdamon through pkg-config, or builds the sources that come with the crate.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of the build that leave out what a program does not need. A debug build of a program is no reason to watch
/// it with a slow library.
const OPTIONS: &[&str] = &[
    "-DCMAKE_BUILD_TYPE=Release",
    "-DDAMON_BUILD_TESTS=OFF",
    "-DDAMON_BUILD_EXAMPLES=OFF",
    "-DDAMON_BUILD_TOOLS=OFF",
    "-DDAMON_BUILD_BENCH=OFF",
    "-DDAMON_WERROR=OFF",
    "-DDAMON_FOLDER_UNITS=ON",
];

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
    assert!(
        sources.join("CMakeLists.txt").exists(),
        "no installed libdamon (pkg-config damon), and the crate's libdamon/ folder has no sources"
    );
    let built = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("build");
    let mut configure = Command::new(cmake());
    configure.arg("-S").arg(sources).arg("-B").arg(&built).args(OPTIONS);
    // CMake's own choice is make, also where only Ninja is there. A tree that was configured before keeps its generator.
    println!("cargo:rerun-if-env-changed=CMAKE_GENERATOR");
    if env::var_os("CMAKE_GENERATOR").is_none() && !built.join("CMakeCache.txt").exists() && has_ninja() {
        configure.args(["-G", "Ninja"]);
    }
    for (language, variable) in [("C", "CC"), ("CXX", "CXX")] {
        if let Some(compiler) = of_target(variable) {
            configure.arg(format!("-DCMAKE_{language}_COMPILER={compiler}"));
        }
    }
    if let Some(toolchain) = of_target("CMAKE_TOOLCHAIN_FILE") {
        configure.arg(format!("-DCMAKE_TOOLCHAIN_FILE={toolchain}"));
    }
    run(&mut configure);
    let jobs = env::var("NUM_JOBS").unwrap_or_else(|_| "1".to_owned());
    run(Command::new(cmake()).arg("--build").arg(&built).args(["--target", "damon_static", "--parallel", &jobs]));
    println!("cargo:rustc-link-search=native={}", built.join("lib").display());
    println!("cargo:rustc-link-lib=static=damon");
    println!("cargo:rustc-link-lib=pthread");
    let headers = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("libdamon/include");
    println!("cargo:include={}", headers.display());
}

fn has_ninja() -> bool {
    Command::new("ninja").arg("--version").output().map(|said| said.status.success()).unwrap_or(false)
}

fn cmake() -> String {
    println!("cargo:rerun-if-env-changed=CMAKE");
    env::var("CMAKE").unwrap_or_else(|_| "cmake".to_owned())
}

/// The variable as it is set for this target alone: `CXX_aarch64_unknown_linux_gnu`. What holds for all (`CXX`, `CXXFLAGS`,
/// `CMAKE_TOOLCHAIN_FILE`) is read by the build tool itself.
fn of_target(variable: &str) -> Option<String> {
    let name = format!("{variable}_{}", env::var("TARGET").expect("cargo sets it").replace('-', "_"));
    for variable in [variable, &name] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    env::var(name).ok()
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; building libdamon needs CMake 3.25, Ninja or make, and a C++20 compiler; or install libdamon")
    });
    assert!(status.success(), "{command:?}: {status}");
}
