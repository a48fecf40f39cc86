#!/usr/bin/env bash
# Tests the package with the extension and the library in it built for the address and undefined behaviour sanitizers, in
# a plain Python. Usage: bindings/python/sanitize.sh <results.xml>, after .venv has what requirements-dev.txt lists.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
results=$(realpath "${1:?where the results go}")
root=$(realpath ../..)
python=$root/.venv/bin/python
build=$root/build/python-sanitized
flags="-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer"
export ASAN_OPTIONS="log_path=$build/findings/log:detect_leaks=1" UBSAN_OPTIONS="log_path=$build/findings/log:print_stacktrace=1"
export LSAN_OPTIONS=exitcode=0 # leaks are told, and sorted out below
export PYTHONMALLOC=malloc     # else what Python's objects hold seems to be leaked

launcher=()
if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
mkdir -p "$build"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDAMON_CHECKS=ON -DDAMON_STATIC_LIBSTDCXX=OFF "${launcher[@]}" \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" \
    -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g1" -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" \
    -DPython_EXECUTABLE="$python" -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" >"$build/configured" 2>&1 || {
    cat "$build/configured"
    exit 1
}
cmake --build "$build" --parallel "${DAMON_JOBS:-$(nproc)}" --target _core
rm -rf "$build/site" "$build/findings"
mkdir -p "$build/findings"
cmake --install "$build" --prefix "$build/site" --component Unspecified >/dev/null
cp -r damon/*.py damon/cli damon/records damon/py.typed "$build/site/damon"

cd "$build"
tests=$root/bindings/python/tests
status=0
# The agent is preloaded into programs that have no sanitizer: its tests are left out.
# The runtime comes first; the C++ one with it, or exceptions would not be seen.
PYTHONPATH=$build/site LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)" \
    "$python" -B -m pytest -q -p no:cacheprovider -p no:faulthandler --junitxml "$results" \
    -c "$root/bindings/python/pyproject.toml" --rootdir "$root/bindings/python" --ignore "$tests/test_agent.py" \
    --ignore "$tests/test_warm.py" --ignore-glob "$tests/test_*_command.py" "$tests" || status=$?
"$python" -B "$root/bindings/python/findings.py" "$build/findings" || status=1
exit "$status"
