#!/usr/bin/env bash
# Makes the source archive, and installs the package from it, as a user would get it.
# Usage: bindings/python/install.sh [python [options of pip]]. The Python has what requirements-dev.txt lists; default:
# that of .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(realpath ../..)
python=${1:-$root/.venv/bin/python}
build=$root/build/python
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

# Always unpacked to and built in the same place, so that a compiler cache knows the files again.
rm -rf "$build"
mkdir -p "$build/source"
"$python" -m build --no-isolation --sdist --outdir "$build" .
tar -xzf "$build"/libdamon-*.tar.gz --strip-components 1 -C "$build/source"
CMAKE_BUILD_PARALLEL_LEVEL=${DAMON_JOBS:-$(nproc)} "$python" -m pip install -q --no-build-isolation --no-deps \
    --force-reinstall --config-settings=build-dir="$build/cmake" "${@:2}" "$build/source"
