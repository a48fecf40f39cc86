# shellcheck shell=bash
# The small commands.

fmt_command() {
    need_packages clang-format-14 git
    python3 -B tests/lint/format.py --fix
}

docs_command() {
    need_packages "${packages_docs[@]}"
    mkdir -p build/docs
    doxygen docs/Doxyfile
    say "build/docs/html/index.html"
}

demo_command() {
    setup_build
    build_preset release --target example_demo example_reclaim
    build/release/examples/demo
    build/release/examples/reclaim
}

bench_command() {
    setup_build
    want_packages "${packages_bench[@]}"
    build_preset release
    bench/run.sh build/release "$@"
}

# Leaves its results where `./dev test` adds them up.
test_vm() {
    want_packages "${packages_vm[@]}"
    build_preset release --target vm_programs
    python3 -B tests/vm/run.py build/release/tests/vm/programs.txt "$PWD/$results" "$@"
}

vm_command() {
    setup_test
    fresh_results
    run_part vm test_vm "$@"
    python3 scripts/report.py "$results"
}
