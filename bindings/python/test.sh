#!/usr/bin/env bash
# Installs the package from its source archive and tests what was installed: types, tests, samples.
# Usage: bindings/python/test.sh <results.xml> [fast], after .venv has what requirements-dev.txt lists; fast: tests alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
results=$(realpath "${1:?where the results go}")
root=$(realpath ../..)
python=$root/.venv/bin/python
./install.sh "$python"

# From where the package's own folder is not in the way of the installed one.
cd "$root/build/python"
if [ "${2:-}" != fast ]; then
    "$python" -m mypy --config-file "$root/bindings/python/pyproject.toml" --cache-dir mypy -p damon
    "$python" -m mypy --config-file "$root/bindings/python/pyproject.toml" --cache-dir mypy \
        "$root/bindings/python/examples" "$root/bindings/python/bench"
fi
run_pytest() {
    "$python" -B -m pytest -q -o cache_dir="$root/build/python/pytest" --junitxml "$1" \
        -c "$root/bindings/python/pyproject.toml" --rootdir "$root/bindings/python" "${@:2}" "$root/bindings/python/tests"
}
run_pytest "$results" && exit
# Many tests are about time: what failed, once more.
run_pytest "$(dirname "$results")/again/$(basename "$results")" --last-failed --last-failed-no-failures none
