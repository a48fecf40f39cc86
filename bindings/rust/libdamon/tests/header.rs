//! Every function of damon_c.h is bound, and used by the safe crate or listed here with the reason why not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Functions that the safe crate does not use.
const NOT_USED: [(&str, &str); 0] = [];

fn rust() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The identifiers before each `(` of the text that start with the library's prefixes.
fn called(text: &str) -> BTreeSet<String> {
    let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let ends = text.match_indices('(').map(|(end, _)| text[..end].rsplit(|c| !word(c)).next().unwrap_or(""));
    ends.filter(|name| name.starts_with("damon_") || name.starts_with("damos_")).map(str::to_owned).collect()
}

fn header() -> BTreeSet<String> {
    let text = fs::read_to_string(rust().join("../../include/damon_c.h")).unwrap();
    let declarations = text.split("\nDAMON_API ").skip(1).map(|rest| rest.split(';').next().unwrap());
    let names = declarations.map(|declaration| called(&format!("{}(", declaration.split('(').next().unwrap())));
    names.flatten().collect()
}

fn bound() -> BTreeSet<String> {
    let text = fs::read_to_string(rust().join("libdamon-sys/src/bindings.rs")).unwrap();
    let names = text.split("pub fn ").skip(1).map(|rest| rest.split('(').next().unwrap().to_owned());
    names.filter(|name| !name.starts_with("bindgen_")).collect()
}

/// All names behind `sys::`, whether called or handed on.
fn used() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(rust().join("libdamon/src")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for rest in text.replace("damon_sys::", "sys::").split("sys::").skip(1) {
            names.extend(called(&format!(
                "{}(",
                rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap()
            )));
        }
    }
    names
}

#[test]
fn every_function_of_the_header_is_bound() {
    assert!(header().len() > 80, "{:?}", header());
    assert_eq!(header(), bound());
}

#[test]
fn every_function_is_used_or_said_not_to_be() {
    let listed: BTreeSet<_> = NOT_USED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let used = used();
    let missing: Vec<_> = header().difference(&used).filter(|name| !listed.contains(*name)).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "not reachable through the crate");
    assert!(listed.is_disjoint(&used), "listed as not used, and used");
}
