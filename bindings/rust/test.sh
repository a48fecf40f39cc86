#!/usr/bin/env bash
# The tests of the Rust crates. The argument is a file for the results, one line a test: 'passed name', 'failed name',
# 'skipped name SKIP id: seen'; with 'fast' after it, `cargo test` alone. A compiler that is too old is a declared skip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
results=${1:-/dev/stdout}
oldest=1.63.0

if ! command -v cargo >/dev/null; then
    echo "skipped rust SKIP rust: there is no cargo" >"$results"
    exit 0
fi
version=$(rustc --version | cut -d' ' -f2)
newer_than() { [ "$(printf '%s\n' "$1" "${version%%-*}" | sort -V | head -n1)" = "$1" ]; }
if ! newer_than "$oldest"; then
    echo "skipped rust SKIP rust: rustc is $version, needed is $oldest" >"$results"
    exit 0
fi

export CARGO_TERM_COLOR=never
# As where a program that depends on the crate is built: there nobody chose CMake's generator.
unset CMAKE_GENERATOR
if ! cargo fetch --locked; then
    echo "skipped rust SKIP rust-registry: cargo $version could not fetch what Cargo.lock names" >"$results"
    exit 0
fi
# The tests are about these sources, not about a library that happens to be installed.
features=libdamon/vendored,libdamon/serde
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
: >"$results"
status=0

# Runs a command as one test.
one() {
    local name=$1
    shift
    if "$@"; then
        echo "passed $name" >>"$results"
    else
        echo "failed $name" >>"$results"
        status=1
    fi
}

# Whether cargo has a tool: rustup's minimal profile and Debian's cargo come without these.
has() { cargo "$1" --version >/dev/null 2>&1; }

run_tests() { cargo test --locked --workspace --features "$features" --no-fail-fast -- "$@" 2>&1 | tee "$log"; }

run_tests || status=1
./collect.sh "$log" "$results"
# Many tests are about time: once more, one after another.
if [ "$status" -ne 0 ] && [ "$results" != /dev/stdout ]; then
    mkdir -p "$(dirname "$results")/again"
    run_tests --test-threads=1 && status=0
    ./collect.sh "$log" "$(dirname "$results")/again/$(basename "$results")"
fi
[ "${2:-}" != fast ] || exit "$status"
one examples cargo build --locked --examples --features "$features"
for example in libdamon/examples/*.rs; do
    name=$(basename "$example" .rs)
    one "example.$name" cargo run --quiet --locked --features "$features" --example "$name"
done
one docs env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --workspace --no-deps --features "$features"
if newer_than 1.90.0; then # that publishes a workspace in one go
    one package cargo publish --quiet --dry-run --no-verify --allow-dirty --locked --workspace
else
    echo "skipped package SKIP rust-tools: cargo $version publishes one crate at a time" >>"$results"
fi
if has fmt; then
    one fmt cargo fmt --all --check
else
    echo "skipped fmt SKIP rust-tools: cargo fmt is not installed" >>"$results"
fi
if has clippy; then
    one clippy cargo clippy --locked --workspace --all-targets --features "$features" -- -D warnings
else
    echo "skipped clippy SKIP rust-tools: cargo clippy is not installed" >>"$results"
fi
if newer_than 1.85.0 && compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null; then
    one bindings-are-fresh cargo run --quiet --locked --manifest-path generate/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}/generate" -- --check
else
    echo "skipped bindings-are-fresh SKIP bindgen: needs libclang and rustc 1.85, which is $version" >>"$results"
fi
exit "$status"
