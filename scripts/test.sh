# shellcheck shell=bash
# `./dev test`: parts run one after another, a failing part does not hide the next one, scripts/report.py adds up.

results=build/results

# Runs one part in a shell of its own, which ends at the first error; the parts after it still run.
run_part() {
    local name=$1 status begin=$SECONDS
    shift
    say "$name"
    set +e
    (
        set -e
        "$@" </dev/null
    )
    status=$?
    set -e
    echo "$name $status $((SECONDS - begin))" >>"$results/parts.txt"
}

test_preset() {
    local preset=$1
    build_preset "$preset"
    ctest --preset "$preset" --parallel "$(jobs)" --no-tests=error --output-junit "$PWD/$results/$preset.xml"
}

test_python() {
    setup_python bindings/python/requirements-dev.txt
    bindings/python/test.sh "$PWD/$results/python.xml"
}

test_rust() {
    setup_rust
    bindings/rust/test.sh "$PWD/$results/rust.txt"
}

# The bindings' tests with a sanitizer in the library; see bindings/*/sanitize.sh.
sanitize_python() {
    setup_python bindings/python/requirements-dev.txt
    bindings/python/sanitize.sh "$PWD/$results/sanitize-python.xml"
}

sanitize_rust() {
    setup_rust
    bindings/rust/sanitize.sh "$PWD/$results/sanitize-rust.txt"
}

sanitize_bindings() {
    run_part sanitize-python sanitize_python
    run_part sanitize-rust sanitize_rust
}

python_versions() {
    run_part python-versions bindings/python/versions.sh "$PWD/$results"
}

fresh_results() {
    rm -rf "$results"
    mkdir -p "$results"
}

test_everything() {
    local preset
    setup_test
    fresh_results
    # The sanitizer presets have the checks of the debug preset.
    for preset in release asan tsan; do
        run_part "$preset" test_preset "$preset"
    done
    [ ! -d lib/capi ] || run_part install-check install_check
    [ ! -x bindings/python/test.sh ] || run_part python test_python
    [ ! -x bindings/rust/test.sh ] || run_part rust test_rust
    run_part vm test_vm
    [ ! -f docs/Doxyfile ] || run_part docs docs_command
    python3 scripts/report.py "$results"
}

# Runs one part, or a function that runs several, as a test of its own.
test_only() {
    setup_test
    fresh_results
    "$@"
    python3 scripts/report.py "$results"
}

test_command() {
    case ${1:-} in
    "") test_everything ;;
    sanitize-bindings) test_only sanitize_bindings ;;
    python-versions) test_only python_versions ;;
    *)
        is_preset "$1"
        test_only run_part "$1" test_preset "$1"
        ;;
    esac
}
