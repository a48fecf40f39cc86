# shellcheck shell=bash
# `./dev test`: parts run one after another, a failing part does not hide the next one, scripts/report.py adds up. What
# failed runs once more, alone, and the report says so (results/again).

results=build/results

# One line a part: its name, the tiers that it belongs to, about how many minutes it takes on two quiet cores, and the
# command, a function of these scripts. `./dev test quick` stays within 5 minutes, `./dev test` within 40. The sanitizers
# are built beside the tests of vm (build_ahead).
parts=(
    "quick              quick       3  test_quick"
    "release            test,full   7  test_preset release"
    "vm                 test,full  12  test_vm"
    "asan               test,full   6  test_preset asan" # the sanitizer presets have the checks of the debug preset
    "tsan               test,full   3  test_preset tsan"
    "install-check      test,full   1  install_check"
    "python-fast        quick       1  test_python fast"
    "python             test,full   5  test_python"
    "rust-fast          quick       1  test_rust fast"
    "rust               test,full   3  test_rust"
    "docs               test,full   1  reference"
    "tidy               full        2  test_tidy"
    "debug              full        7  test_preset debug"
    "sanitize-python    full        6  sanitize_python"
    "browser            full        2  test_browser"
    "sanitize-rust      full        6  sanitize_rust"
    "python-versions    full        9  python_versions"
    "site               full        5  docs_command"
    "fuzz               full        6  fuzz_command 30s"
    "arm64              full       15  test_arm64"
    "vm-arm64           full       60  test_vm_arm64 arm64 arm64-16k"
    "builds             full       25  test_builds"
)

# Prints 'name minutes command...' of the parts of a tier, but for those that are also in the tier `without`.
parts_of() {
    local tier=$1 without=${2:-none} line name tiers minutes command
    for line in "${parts[@]}"; do
        read -r name tiers minutes command <<<"$line"
        [[ ,$tiers, != *,$tier,* || ,$tiers, == *,$without,* ]] || echo "$name $minutes $command"
    done
}

# Runs one part in a shell of its own, which ends at the first error; the parts after it still run. Its command knows
# its name as $part.
run_part() {
    local part=$1 status begin=$SECONDS
    shift
    say "$part"
    set +e
    (
        set -e
        "$@" </dev/null
    )
    status=$?
    set -e
    echo "$part $status $((SECONDS - begin))" >>"$results/parts.txt"
}

test_preset() {
    local preset=$1
    build_preset "$preset"
    run_ctest "$preset"
}

# More failures than these are no matter of a busy machine.
most_again=20

# The C and C++ tests of a preset, with further arguments for ctest.
run_ctest() {
    local preset=$1 failed
    shift
    ctest --preset "$preset" --parallel "$(jobs)" --no-tests=error --output-junit "$PWD/$results/$part.xml" "$@" && return
    failed=$(wc -l <"build/$preset/Testing/Temporary/LastTestsFailed.log")
    [ "$failed" -le "$most_again" ] || return 1
    say "what failed, alone"
    mkdir -p "$results/again"
    ctest --preset "$preset" --rerun-failed --parallel 1 --output-junit "$PWD/$results/again/$part.xml"
}

# Builds later parts' programs while earlier parts run tests, which mostly wait: at the lowest priority, so that the
# tests have the processors when they want them. A part that finds its build unfinished waits for it.
build_ahead() {
    [ $# -gt 0 ] || return 0
    # A process group of its own, to be ended as a whole where the tests are interrupted. Not a session: the kernel
    # shares processors between sessions first, whatever the priorities.
    set -m
    nice -n 19 bash -c "set -e; $(declare -f build_preset configure_and_build jobs)
        for preset in $*; do build_preset \$preset; done" >build/ahead.log 2>&1 </dev/null &
    set +m
    # shellcheck disable=SC2064
    trap "kill -- -$! 2>/dev/null || true" EXIT
}

# The C and C++ tests but for those that have the machine to themselves; lint is among them.
test_quick() {
    build_preset release
    run_ctest release --exclude-regex '^linux_tests'
}

# With 'fast', without what takes longest.
test_python() {
    setup_python bindings/python/requirements-dev.txt
    bindings/python/test.sh "$PWD/$results/$part.xml" "$@"
}

test_rust() {
    setup_rust
    bindings/rust/test.sh "$PWD/$results/$part.txt" "$@"
}

# The bugs that clang-tidy knows, and the sizes of functions.
test_tidy() {
    want_packages clang-tidy-14
    cmake -S . -B build/tidy -G Ninja -DBUILD_TESTING=OFF -DDAMON_BUILD_BENCH=OFF -DDAMON_BUILD_EXAMPLES=OFF \
        -DDAMON_BUILD_TOOLS=OFF -DDAMON_STATIC_EXPORTS=ON -DDAMON_FOLDER_UNITS=ON
    python3 -B tests/lint/tidy.py build/tidy "$PWD/$results/$part.txt"
}

test_builds() {
    want_packages "${packages_builds[@]}"
    python3 -B tests/builds/run.py "$results/$part.txt" "$@"
}

# The bindings' tests with a sanitizer in the library; see bindings/*/sanitize.sh.
# The pages of `damon report html` in a browser. The part python does it too, where there is one.
test_browser() {
    want_packages "${packages_browser[@]}"
    setup_python bindings/python/requirements-dev.txt
    .venv/bin/python -c 'import damon' 2>/dev/null || bindings/python/install.sh
    .venv/bin/python -B -m pytest -q -p no:cacheprovider --junitxml "$PWD/$results/$part.xml" \
        -c bindings/python/pyproject.toml --rootdir bindings/python bindings/python/tests/test_page.py
}

sanitize_python() {
    setup_python bindings/python/requirements-dev.txt
    bindings/python/sanitize.sh "$PWD/$results/$part.xml"
}

sanitize_rust() {
    setup_rust
    bindings/rust/sanitize.sh "$PWD/$results/$part.txt"
}

python_versions() { bindings/python/versions.sh "$PWD/$results"; }

fresh_results() {
    rm -rf "$results"
    mkdir -p "$results"
}

# What a tier runs and about how long that takes; what it leaves out is told at the end.
announce() {
    local tier=$1 name minutes rest total=0
    say "$tier"
    while read -r name minutes rest; do
        printf '   %-18s about %s min\n' "$name" "$minutes"
        total=$((total + minutes))
    done < <(parts_of "$tier")
    echo "   together about $total minutes on two quiet cores, and longer where nothing was built before"
    parts_of full "$tier" | cut -d' ' -f1 >"$results/left-out"
}

test_tier() {
    local tier=$1 name minutes command later
    setup_test
    fresh_results
    announce "$tier"
    mapfile -t later < <(parts_of "$tier" | sed -n 's/.* test_preset //p' | grep -vx release)
    while read -r -u 3 name minutes command; do
        # The command is words of the table above.
        # shellcheck disable=SC2086
        run_part "$name" $command
        # Not beside the first part, whose tests are the ones about time.
        [ "$name" != release ] || build_ahead "${later[@]}"
    done 3< <(parts_of "$tier")
    python3 scripts/report.py "$results"
}

# Runs one part, or a function that runs several, as a test of its own.
test_only() {
    setup_test
    fresh_results
    "$@"
    python3 scripts/report.py "$results"
}

sanitize_bindings() {
    run_part sanitize-python sanitize_python
    run_part sanitize-rust sanitize_rust
}

# A part by its name; its command gets the other arguments.
test_named() {
    local line name tiers minutes command
    for line in "${parts[@]}"; do
        read -r name tiers minutes command <<<"$line"
        if [ "$name" = "$1" ]; then
            # shellcheck disable=SC2086
            test_only run_part "$name" $command "${@:2}"
            return
        fi
    done
    echo "./dev test: no part '$1'; there are: quick, full, sanitize-bindings, $(printf '%s\n' "${parts[@]}" | cut -d' ' -f1 | tr '\n' ' ')" >&2
    return 2
}

test_command() {
    case ${1:-} in
    "") test_tier test ;;
    quick | full) test_tier "$1" ;;
    sanitize-bindings) test_only sanitize_bindings ;;
    *) test_named "$@" ;;
    esac
}
