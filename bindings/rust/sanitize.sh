#!/usr/bin/env bash
# Tests the crates with the library in them built for the address and undefined behaviour sanitizers, on a stable
# compiler: Rust's own code is not instrumented, its allocations are the sanitizer's. The argument is a file for the
# results, as that of test.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
results=${1:-/dev/stdout}
build=$(realpath ../..)/build/rust-sanitized
mkdir -p "$build"

# rustc links without the compiler's default libraries; the sanitizer's has to come first of all.
cat >"$build/cc" <<'TEXT'
#!/bin/sh
exec cc -Wl,--push-state,--no-as-needed -lasan -lubsan -Wl,--pop-state "$@"
TEXT
chmod +x "$build/cc"

export CARGO_TERM_COLOR=never CARGO_TARGET_DIR=$build
export CFLAGS="-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1"
export CXXFLAGS=$CFLAGS RUSTFLAGS="-Clinker=$build/cc" RUSTDOCFLAGS="-Clinker=$build/cc"
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
# With a target, what cargo itself runs (build scripts) is not linked with the sanitizer.
target=$(rustc -vV | sed -n 's/^host: //p')
status=0
cargo test --locked --target "$target" --workspace --features libdamon/vendored,libdamon/serde --no-fail-fast 2>&1 | tee "$build/log" || status=1
./collect.sh "$build/log" "$results"
for example in libdamon/examples/*.rs; do
    name=$(basename "$example" .rs)
    if cargo run --quiet --locked --target "$target" --features libdamon/vendored,libdamon/serde --example "$name"; then
        echo "passed example.$name" >>"$results"
    else
        echo "failed example.$name" >>"$results"
        status=1
    fi
done
exit "$status"
