//! `generate` writes libdamon-sys/src/bindings.rs from include/damon_c.h; `generate --check` fails where it is stale.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Text of the bindings: items of damon_c.h alone, for the oldest compiler that the crates promise.
fn generated(header: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let bindings = bindgen::Builder::default()
        .header(header.to_str().ok_or("the path of the header is not UTF-8")?)
        .clang_arg("-std=c99")
        .allowlist_file(".*/damon_c\\.h")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .use_core()
        .ctypes_prefix("crate::ctypes")
        .rust_target(bindgen::RustTarget::stable(59, 0).map_err(|error| error.to_string())?)
        .formatter(bindgen::Formatter::Prettyplease)
        .generate_comments(true)
        .layout_tests(true)
        .disable_header_comment()
        .generate()?;
    Ok(format!("// Written by bindings/rust/generate from damon_c.h; not to be edited.\n\n{bindings}"))
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let rust = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no parent folder")?;
    let output: PathBuf = rust.join("libdamon-sys/src/bindings.rs");
    let text = generated(&rust.join("../../include/damon_c.h"))?;
    if !std::env::args().any(|argument| argument == "--check") {
        std::fs::write(&output, text)?;
        return Ok(ExitCode::SUCCESS);
    }
    if std::fs::read_to_string(&output)? == text {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("libdamon-sys/src/bindings.rs is stale: run 'cargo run' in bindings/rust/generate");
    Ok(ExitCode::FAILURE)
}
