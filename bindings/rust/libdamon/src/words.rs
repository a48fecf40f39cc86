//! The library's texts name things of C; here they get the names of this crate.

/// Where a C constant belongs to, by its prefix; the longest that fits counts.
const ENUMS: [(&str, &str); 12] = [
    ("DAMON_ACCESS_CHECK_", "AccessCheck"),
    ("DAMON_DRIVE_", "Drive"),
    ("DAMON_OPS_", "Ops"),
    ("DAMON_PROBE_FILTER_", "ProbeProperty"),
    ("DAMON_SEEN_", "Seen"),
    ("DAMON_STATE_", "State"),
    ("DAMON_UNKNOWN_", "UnknownReason"),
    ("DAMOS_FILTER_", "Property"),
    ("DAMOS_QUOTA_GOAL_TUNER_", "Tuner"),
    ("DAMOS_QUOTA_", "Metric"),
    ("DAMOS_SKIP_", "Skip"),
    ("DAMOS_", "Action"),
];

/// Functions and members whose name is not that of C without its prefix.
const RENAMED: [(&str, &str); 23] = [
    ("cpu_mask", "cpus"),
    ("DAMON_SURVEY_DEFAULT", "None"),
    ("DAMON_RANGE_SHARED", "add_shared_range"),
    ("DAMON_RANGE_STABLE", "RangeOptions.stable"),
    ("DAMON_RANGE_TRACKED", "RangeOptions.tracked"),
    ("DAMON_COVER_FILES", "Coverage.files"),
    ("DAMON_COVER_THREE_AREAS", "Coverage.three_areas"),
    ("DAMON_COVER_STABLE", "Coverage.stable"),
    ("DAMOS_ALLOW_UNSEEN_READS", "allow_unseen_reads"),
    ("DAMOS_WMARK_FREE_MEM_RATE", "WatermarkMetric::FreeMemory"),
    ("DAMOS_WMARK_OWN_MEMCG_FREE_RATE", "WatermarkMetric::OwnMemcgFree"),
    ("DAMON_OPS_CUSTOM", "Operations"),
    ("DAMON_OPS_SIM", "Sim"),
    ("damon_commit_ctx", "commit"),
    ("damon_set_pause", "pause"),
    ("damon_snapshot_wait", "wait_snapshot"),
    ("damon_snapshot_read", "snapshot"),
    ("damon_live_read", "live_snapshot"),
    ("damon_ctx_set_custom_ops", "set_operations"),
    ("damon_ctx_errmsg", "Error::message"),
    ("DAMON_OPERATIONS_WRITES_ONLY", "Operations::WRITES_ONLY"),
    ("DAMON_CALL_REPEAT", "call_repeat"),
    ("DAMOS_CALLBACK", "Scheme::calling"),
];

pub(crate) fn in_rust_words(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, behind) = rest.split_at(end);
        told.push_str(&renamed(word, behind.starts_with('(')));
        rest = behind;
    }
    told
}

fn renamed(word: &str, is_called: bool) -> String {
    if let Some((_, name)) = RENAMED.iter().find(|(theirs, _)| *theirs == word) {
        return (*name).to_owned();
    }
    for prefix in ["damon_ctx_", "damon_", "damos_"] {
        match word.strip_prefix(prefix) {
            Some(rest) if is_called => return rest.to_owned(),
            Some(rest) => return camel(rest),
            None => {}
        }
    }
    let known = ENUMS.iter().filter_map(|(prefix, name)| Some((name, word.strip_prefix(prefix)?)));
    let shortest = known.min_by_key(|(_, rest)| rest.len());
    shortest.map_or_else(|| word.to_owned(), |(name, rest)| format!("{name}::{}", camel(&rest.to_ascii_lowercase())))
}

fn camel(name: &str) -> String {
    let parts = name.split('_').filter(|part| !part.is_empty());
    parts.map(|part| part[..1].to_ascii_uppercase() + &part[1..]).collect()
}

#[cfg(test)]
mod tests {
    use super::in_rust_words;

    #[test]
    fn names_of_c_become_names_of_rust() {
        for (theirs, ours) in [
            ("use damon_commit_ctx(), or damon_stop() it first", "use commit(), or stop() it first"),
            ("with DAMON_DRIVE_MANUAL and", "with Drive::Manual and"),
            ("it must be DAMOS_QUOTA_USER_INPUT (0)", "it must be Metric::UserInput (0)"),
            ("(DAMON_ACCESS_CHECK_UFFD_WP)", "(AccessCheck::UffdWp)"),
            ("min_region_sz is 3; damon_attrs.sample_us", "min_region_sz is 3; Attrs.sample_us"),
            ("the kernel's DAMON, DAMON_RECLAIM", "the kernel's DAMON, DAMON_RECLAIM"),
            ("größer", "größer"),
        ] {
            assert_eq!(in_rust_words(theirs), ours);
        }
    }

    /// Every text of the library, where its sources are at hand.
    #[test]
    fn no_text_of_the_library_keeps_a_name_of_c() {
        const OF_THE_KERNEL: [&str; 4] = ["DAMON_RECLAIM", "DAMON_LRU_SORT", "DAMON_STAT", "DAMON_TEXT"];
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../lib")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { &mut folders } else { &mut files }.push(path);
            }
        }
        for file in files {
            let text = std::fs::read_to_string(file).unwrap();
            let code = text.lines().filter(|line| !line.starts_with("#include"));
            for line in code {
                let literals = line.split('"').skip(1).step_by(2);
                for words in literals.map(in_rust_words) {
                    let words = OF_THE_KERNEL.iter().fold(words, |words, name| words.replace(name, ""));
                    let left = ["damon_", "damos_", "DAMOS_", "DAMON_"];
                    assert!(!left.iter().any(|name| words.contains(name)), "{words}");
                }
            }
        }
    }
}
