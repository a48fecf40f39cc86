#!/usr/bin/env bash
# Builds the source archive, installs the package from it into .venv, and tests what was installed: types, tests, samples.
# Usage: bindings/python/test.sh <results.xml>, after .venv has what requirements-dev.txt lists.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
results=$(realpath "${1:?where the results go}")
root=$(realpath ../..)
python=$root/.venv/bin/python
build=$root/build/python
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

# Always unpacked to the same place, so that a compiler cache knows the files again.
rm -rf "$build"
mkdir -p "$build/source"
"$python" -m build --no-isolation --sdist --outdir "$build" .
tar -xzf "$build"/damon-*.tar.gz --strip-components 1 -C "$build/source"
CMAKE_BUILD_PARALLEL_LEVEL=${DAMON_JOBS:-$(nproc)} "$python" -m pip install -q --no-build-isolation --no-deps \
    --force-reinstall "$build/source"

# From where the package's own folder is not in the way of the installed one.
cd "$build"
"$python" -m mypy --config-file "$root/bindings/python/pyproject.toml" --cache-dir "$build/mypy" -p damon
"$python" -m mypy --config-file "$root/bindings/python/pyproject.toml" --cache-dir "$build/mypy" \
    "$root/bindings/python/examples" "$root/bindings/python/bench"
"$python" -B -m pytest -q -p no:cacheprovider --junitxml "$results" -c "$root/bindings/python/pyproject.toml" \
    --rootdir "$root/bindings/python" "$root/bindings/python/tests"
