# shellcheck shell=bash
# The small commands.

fmt_command() {
    need_packages clang-format-14 git
    python3 -B tests/lint/format.py --fix
}

# The reference of damon_c.h alone: seconds, and every warning of the header's comments.
reference() {
    need_packages "${packages_docs[@]}"
    rm -rf build/docs/doxygen
    mkdir -p build/docs/doxygen
    doxygen docs/Doxyfile
    say "build/docs/doxygen/html/index.html"
}

# The site: the reference, the pages of docs/, programs with what they print, the bindings. With --quick, without
# building the bindings: what was built before is documented.
docs_command() {
    reference
    setup_build
    setup_python docs/requirements.txt
    build_preset release --target damon
    local strict=()
    if [ "${1:-}" != --quick ]; then
        setup_python bindings/python/requirements-dev.txt
        bindings/python/install.sh
        setup_rust
        strict=(--strict)
    fi
    .venv/bin/python -B docs/site/build.py --library build/release/lib "${strict[@]}"
    say "build/docs/html/index.html"
}

demo_command() {
    setup_build
    build_preset release --target example_demo example_reclaim
    build/release/examples/demo
    build/release/examples/reclaim
}

# Minutes in all, shared out among the access checks.
chaos_command() {
    local minutes=${1:-2} seed=${2:-1}
    setup_build
    want_packages libgtest-dev
    build_preset release --target chaos_tests
    CHAOS_SECONDS=$((minutes * 20)) CHAOS_SEED=$seed build/release/tests/chaos_tests
}

bench_command() {
    setup_build
    if [ "${1:-}" = --side-by-side ]; then
        side_by_side "${@:2}"
        return
    fi
    if [ "${1:-}" = --reclaim ]; then
        reclaim_side_by_side "${@:2}"
        return
    fi
    if [ "${1:-}" = --effects ]; then
        effects "${@:2}"
        return
    fi
    want_packages "${packages_bench[@]}"
    build_preset release
    if [ -x bindings/python/install.sh ]; then
        setup_python bindings/python/requirements-dev.txt
        bindings/python/install.sh
    fi
    bench/run.sh build/release "$@"
}

# What monitoring does for real programs, and what it costs them: docs/effects.md.
effects() {
    want_packages libjemalloc-dev redis-server sqlite3 default-jdk-headless "${packages_vm[@]}"
    build_preset release --target collector damon damon_agent
    setup_python bindings/python/requirements-dev.txt
    bindings/python/install.sh
    .venv/bin/python -B bench/effects/run.py build/release "$@"
}

# Under the kernel's DAMON and under this library in turns, in the virtual machine.
side_by_side() {
    want_packages "${packages_vm[@]}"
    build_preset release --target side_by_side
    python3 -B bench/side_by_side/side_by_side.py build/release/bench/side_by_side/side_by_side \
        build/release/side-by-side.jsonl "$@"
}

# The same for paging out cold anonymous memory.
reclaim_side_by_side() {
    want_packages "${packages_vm[@]}"
    build_preset release --target reclaim_side_by_side
    python3 -B bench/reclaim/reclaim_side_by_side.py build/release/bench/reclaim/reclaim_side_by_side \
        build/release/reclaim.jsonl "$@"
}

# Leaves its results where `./dev test` adds them up.
test_vm() {
    want_packages "${packages_vm[@]}"
    build_preset release --target vm_programs
    python3 -B tests/vm/run.py build/release/tests/vm/programs.txt "$PWD/$results" "$@"
}

vm_command() {
    local name own=() others=()
    for name in "$@"; do
        case $name in
        arm64*) others+=("$name") ;;
        *) own+=("$name") ;;
        esac
    done
    setup_test
    fresh_results
    if [ ${#own[@]} -gt 0 ] || [ ${#others[@]} -eq 0 ]; then
        run_part vm test_vm "${own[@]}"
    fi
    if [ ${#others[@]} -gt 0 ]; then
        run_part vm-arm64 test_vm_arm64 "${others[@]}"
    fi
    python3 scripts/report.py "$results"
}
