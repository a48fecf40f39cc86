//! `generate` writes libdamon-sys/src/bindings.rs from include/damon_c.h; `generate --check` fails where it is stale.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Turns Doxygen's comments into Rust's.
#[derive(Debug)]
struct Comments;

impl bindgen::callbacks::ParseCallbacks for Comments {
    fn process_comment(&self, comment: &str) -> Option<String> {
        let text = rust_comment(comment);
        Some(if text.contains('\n') { text } else { format!(" {text}") })
    }
}

/// Members carry their comment behind them ("/**< ..."), functions name parts of theirs with an @.
fn rust_comment(comment: &str) -> String {
    let mut text = String::new();
    let mut in_code = false;
    for line in comment.lines() {
        let line = line.strip_prefix("< ").or_else(|| line.strip_prefix(" < ")).unwrap_or(line);
        let line = line.trim_start_matches(' ').replace("@code{.c}", "```c").replace("@endcode", "```");
        let fence = line.starts_with("```");
        in_code ^= fence;
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&if in_code || fence { line } else { marked_up(&line) });
    }
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text
}

/// Words behind an @, enumerators behind a #.
fn marked_up(line: &str) -> String {
    let mut text = String::new();
    let mut words = line.split(' ').peekable();
    while let Some(word) = words.next() {
        match word {
            "@param" => {
                let name = words.next().unwrap_or_default();
                text.push_str(if text.is_empty() { "" } else { "\n" });
                text.push_str(&format!("\n- `{name}`: "));
                continue;
            }
            "@return" => text.push_str("\n\nReturns"),
            "@since" => text.push_str("\n\nSince"),
            "@brief" | "@name" | "@{" | "@}" => continue,
            _ => text.push_str(word.strip_prefix('#').filter(|rest| rest.starts_with("damo")).unwrap_or(word)),
        }
        if words.peek().is_some() {
            text.push(' ');
        }
    }
    text
}

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
        .parse_callbacks(Box::new(Comments))
        .derive_partialeq(true)
        .derive_eq(true)
        .derive_hash(true)
        // Addresses of functions say nothing about what they do.
        .no_partialeq("damos_params|damon_operations|damon_call_control|damos_walk_control")
        .no_hash("damos_params|damon_operations|damon_call_control|damos_walk_control")
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
