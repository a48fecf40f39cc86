//! Every member of every structure of damon_c.h is read or set by the crate, or listed here with the reason why not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Members that the crate does not name, and why.
const NOT_NAMED: [(&str, &str, &str); 5] = [
    ("damon_probe_hits", "hits", "ProbeHits has the same layout and is read as an array"),
    ("damon_range_query", "flags", "none has a meaning so far"),
    ("damon_call_control", "return_code", "call() gives what the closure returns"),
    ("damon_call_control", "canceled", "the result says the same: ECANCELED"),
    ("damos_walk_control", "canceled", "the result says the same: ECANCELED"),
];

/// Names that bindgen makes of names that Rust keeps for itself.
const RENAMED: [(&str, &str); 2] = [("fn", "fn_"), ("type", "type_")];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The text without what stands between the two marks.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut parts = text.split(begin);
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |kept, part| kept + " " + part.split_once(end).map_or("", |(_, rest)| rest))
}

/// The names that a structure's body declares; those of nested structures as well.
fn members(body: &str) -> Vec<String> {
    let flat = body.replace("struct {", ";").replace('}', ";");
    let mut names = Vec::new();
    for declaration in flat.split(';').map(str::trim).filter(|declaration| declaration.contains(' ')) {
        let function = declaration.split("(*").nth(1);
        let before =
            function.map_or_else(|| declaration.split('[').next().unwrap(), |rest| rest.split(')').next().unwrap());
        names.push(before.rsplit(|c| !is_word(c)).next().unwrap().to_owned());
    }
    names.retain(|name| name != "size" && !name.starts_with("reserved"));
    names
}

fn structures() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(crates().join("../../include/damon_c.h")).unwrap();
    let code = without(&text, "/*", "*/");
    let bodies = code.split("\nstruct ").skip(1).map(|rest| rest.split("\n};").next().unwrap());
    bodies.map(|body| body.split_once(" {").unwrap()).map(|(name, body)| (name.to_owned(), members(body))).collect()
}

/// The code of the crate's files, without comments.
fn sources() -> Vec<String> {
    let files = fs::read_dir(crates().join("libdamon/src")).unwrap();
    files.map(|file| without(&format!("{}\n", fs::read_to_string(file.unwrap().path()).unwrap()), "//", "\n")).collect()
}

fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let rest = &code[at + name.len()..];
        !code[..at].ends_with(is_word) && (!rest.starts_with(is_word) || rest.starts_with("_init"))
    })
}

/// Whether the code has the name as a member: `.name`, or `name:` where a structure of that name is written out.
fn has_member(code: &str, structure: &str, name: &str) -> bool {
    let whole = |text: &str, at: usize| !text[..at].ends_with(is_word) && !text[at + name.len()..].starts_with(is_word);
    let read = |text: &str, at: usize| whole(text, at) && text[..at].ends_with('.');
    let written = |text: &str, at: usize| whole(text, at) && text[at + name.len()..].starts_with(':');
    let opening = format!("{structure} {{");
    let written_out = code.split(&opening).skip(1).map(|rest| rest.split('}').next().unwrap());
    code.match_indices(name).any(|(at, _)| read(code, at))
        || written_out.into_iter().any(|body| body.match_indices(name).any(|(at, _)| written(body, at)))
}

#[test]
fn the_header_is_read() {
    let structures = structures();
    assert!(structures.len() >= 27, "{:?}", structures.keys());
    assert_eq!(structures["damon_addr_range"], ["start", "end"]);
    assert!(structures["damos_params"].iter().any(|name| name == "fail_charge_denom"));
    assert!(structures["damos_params"].iter().any(|name| name == "action_fn"));
    assert!(structures["damon_operations"].iter().any(|name| name == "get_scheme_score"));
    assert!(structures["damon_sim_params"].iter().any(|name| name == "action_ns"));
}

#[test]
fn every_member_is_named_or_listed() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (structure, members) in structures() {
        let code: String = sources.iter().filter(|code| names(code, &structure)).cloned().collect();
        for member in members {
            let name = RENAMED.iter().find(|(theirs, _)| *theirs == member).map_or(member.as_str(), |(_, ours)| ours);
            let listed = NOT_NAMED.iter().any(|(of, its, _)| *of == structure && *its == member);
            if has_member(&code, &structure, name) == listed {
                wrong.push(format!("{structure}.{member} is {}named", if listed { "listed and " } else { "not " }));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
