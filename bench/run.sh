#!/usr/bin/env bash
# Runs the benchmarks of a build tree and gathers what they print: bench/run.sh BUILD_DIR [--docs]
# BUILD_DIR/bench.json gets every value; --docs also renews the table in docs/benchmarks.md.
set -euo pipefail

build=$1
out=$build/bench-results
mkdir -p "$out"

for name in engine_bench access_bench apply_bench; do
    if [[ -x $build/bench/$name ]]; then
        "$build/bench/$name" --benchmark_format=json >"$out/$name.json" 2>"$out/$name.err" || cat "$out/$name.err" >&2
    fi
done

# Instructions are counted, not timed: two lengths of the same run, so that start-up cancels out.
if command -v valgrind >/dev/null; then
    for intervals in 1000 3000; do
        valgrind --tool=callgrind --callgrind-out-file=/dev/null "$build/bench/instructions_bench" "$intervals" \
            >"$out/instructions.$intervals.samples" 2>"$out/instructions.$intervals.log"
    done
    for kind in "" 0 1 2 3; do # without schemes, then the kinds of bench/scheme_pass.h
        for intervals in 100 300; do
            # shellcheck disable=SC2086 # one word or none
            valgrind --tool=callgrind --callgrind-out-file=/dev/null "$build/bench/instructions_bench" "$intervals" $kind \
                >"$out/apply${kind:-none}.$intervals.samples" 2>"$out/apply${kind:-none}.$intervals.log"
        done
    done
fi

# The Python package against the same calls in C, where it is installed.
if [[ -x .venv/bin/python ]] && .venv/bin/python -c 'import damon' 2>/dev/null; then
    .venv/bin/python -B bindings/python/bench/cost.py "$build/lib/libdamon.a" >"$out/python.json"
fi

"$build/bench/limit_bench" --seeds 4 >"$out/limit.json" # in virtual time, some minutes
"$build/bench/runtime_bench" >"$out/runtime.jsonl"
"$build/bench/reclaim/reclaim_bench" >"$out/reclaim.jsonl"
python3 -B bench/collect.py "$out" "$build/bench.json" "${@:2}"
