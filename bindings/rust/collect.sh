#!/usr/bin/env bash
# Turns the output of `cargo test` into lines of the results, each test named after its file: collect.sh <log> <results>
set -euo pipefail
awk '
    /^ +(Running|Doc-tests)/ { suite = $NF; if (match($0, /[a-z_]+\.rs/)) suite = substr($0, RSTART, RLENGTH - 3) }
    /^test .* \.\.\. (ok|FAILED)$/ {
        kind = $NF == "ok" ? "passed" : "failed"
        name = $0; sub(/^test /, "", name); sub(/ \.\.\. [a-zA-Z]+$/, "", name); gsub(/ /, "_", name)
        print kind, suite "." name
    }' "$1" >>"$2"
