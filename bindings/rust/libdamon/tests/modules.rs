//! The modules below everything else use nothing above them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// From the lowest up: each uses those before it alone.
const LOW: [&str; 8] = ["lock", "pins", "machine", "registry", "callback", "structs", "words", "error"];

/// The modules and items that the code names behind `crate::`, one level deep.
fn used(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap());
        let one = if rest.starts_with('{') { list } else { rest.split(|c| !is_word(c)).next().unwrap() };
        names.extend(one.split(',').map(|name| name.trim().split(|c| !is_word(c)).next().unwrap().to_owned()));
    }
    names
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_code_names_is_found() {
    let code = "use crate::lock::lock;\nuse crate::{callback, Error, Monitor};\nlet x = crate::errno::EINVAL;";
    let found = used(code);
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["Error", "Monitor", "callback", "errno", "lock"]);
}

#[test]
fn low_modules_use_lower_ones_alone() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (position, name) in LOW.iter().enumerate() {
        let code = without_comments(&fs::read_to_string(sources.join(format!("{name}.rs"))).unwrap());
        let higher: Vec<_> = used(&code).into_iter().filter(|used| !LOW[..position].contains(&used.as_str())).collect();
        assert_eq!(higher, Vec::<String>::new(), "used by {name}");
    }
}
