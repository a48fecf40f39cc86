# shellcheck shell=bash
# Checks that take as long as they are given, or compare with another release.

seconds_of() {
    local amount=${1%[smh]}
    [[ $amount =~ ^[1-9][0-9]*$ ]] || return 1
    case $1 in
    *h) echo $((amount * 3600)) ;;
    *m) echo $((amount * 60)) ;;
    *) echo "$amount" ;;
    esac
}

# Trees that are built for one purpose, and seldom: the files of a folder are compiled as one, in a third of the time.
folder_units=(-DDAMON_FOLDER_UNITS=ON)

# What a fuzzer finds, and inputs that reach new code, stay in build/fuzz.
run_fuzzer() {
    local name=$1 seconds=$2 kept=build/fuzz/corpus/$1 status=0
    mkdir -p "$kept" build/fuzz/findings
    say "$name, $seconds s"
    "build/fuzz/tests/fuzz/${name}_fuzzer" -max_total_time="$seconds" -artifact_prefix="build/fuzz/findings/$name-" \
        -print_final_stats=1 -timeout=60 "$kept" "tests/fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1 || status=$?
    grep -E 'number_of_executed_units|new_units_added|peak_rss_mb' "build/fuzz/$name.log" || true
    if [ "$status" -ne 0 ]; then
        tail -n 40 "build/fuzz/$name.log"
        say "$name found something: the input is in build/fuzz/findings; make it a file of tests/fuzz/corpus/$name"
    fi
    return "$status"
}

# Every target of tests/fuzz, or those that are named, for so long each.
fuzz_command() {
    local seconds name status=0
    seconds=$(seconds_of "${1:-}") || {
        echo "usage: ./dev fuzz TIME [target...]; TIME is for each target, such as 30s, 10m, 2h" >&2
        return 2
    }
    shift
    setup_build
    need_packages clang
    need_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
    local names=("$@") launcher=() targets=()
    [ $# -gt 0 ] || mapfile -t names < <(basename -a -s _fuzz.cc tests/fuzz/*_fuzz.cc)
    targets=("${names[@]/%/_fuzzer}")
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    CC=clang CXX=clang++ cmake -S . -B build/fuzz -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDAMON_FUZZ=ON \
        -DDAMON_CHECKS=ON "${folder_units[@]}" "${launcher[@]}" >/dev/null
    cmake --build build/fuzz --parallel "$(jobs)" --target "${targets[@]}"
    for name in "${names[@]}"; do
        run_fuzzer "$name" "$seconds" || status=1
    done
    return "$status"
}

# Builds the shared library of another revision where nothing else is built.
build_revision() {
    local revision=$1 tree=build/abi
    rm -rf "$tree/source"
    mkdir -p "$tree/source"
    git archive "$revision" | tar -x -C "$tree/source"
    cmake -S "$tree/source" -B "$tree/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF \
        -DBUILD_SHARED_LIBS=ON -DDAMON_BUILD_EXAMPLES=OFF -DDAMON_BUILD_BENCH=OFF >/dev/null
    cmake --build "$tree/build" --parallel "$(jobs)" --target damon
}

# What programs rely on (tests/abi), the exported symbols, and a comparison with a release: the library by libabigail, the
# Rust crate by rustdoc.
abi_command() {
    local revision=${1:-} status=0
    setup_build
    want_packages abigail-tools git
    build_preset release --target damon
    python3 -B tests/lint/abi.py
    python3 -B tests/lint/library.py build/release/lib/libdamon.so
    [ -n "$revision" ] || revision=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null) || true
    if [ -z "$revision" ] || ! command -v abidiff >/dev/null; then
        say "not compared with another build: there is no tag v* (name a revision), or no abidiff"
        return 0
    fi
    build_revision "$revision"
    abidiff --headers-dir1 build/abi/source/include --headers-dir2 include --drop-private-types --no-show-locs \
        build/abi/build/lib/libdamon.so build/release/lib/libdamon.so || status=$?
    # Its bits: 1 and 2 failed, 4 changed, 8 changed so that programs break.
    [ $((status & 11)) -eq 0 ] || return 1
    setup_rust
    python3 -B bindings/rust/api.py "$revision"
    say "$revision: programs go on working"
}

# Which lines of the layers that decide are run by tests that need no particular kernel; what is not run says why.
coverage_command() {
    local least=${1:-95} tree=build/coverage launcher=() name
    local programs=(unit_tests sim_tests capi_tests engine_fuzz saved_fuzz capi_fuzz)
    setup_build
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    # The tests as the preset has them: a compiler cache knows them.
    cmake --preset release -B "$tree" "${launcher[@]}" "${folder_units[@]}" -DDAMON_COVERAGE=ON -DDAMON_BUILD_BENCH=OFF \
        -DDAMON_BUILD_EXAMPLES=OFF >"$tree.configured" 2>&1 || { cat "$tree.configured" && return 1; }
    cmake --build "$tree" --parallel "$(jobs)" --target "${programs[@]}"
    find "$tree" -name '*.gcda' -delete
    for name in unit sim capi; do
        find "$tree/tests" -name "${name}_tests" -type f -exec {} --gtest_brief=1 \; || say "${name}_tests failed"
    done
    for name in engine saved capi; do
        "$tree/tests/fuzz/${name}_fuzz" "tests/fuzz/corpus/$name" 1000 >"$tree/$name.log" || say "${name}_fuzz failed"
    done
    python3 -B scripts/coverage.py "$tree" "$least"
}
