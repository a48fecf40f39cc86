#!/usr/bin/env bash
# Installs and tests the package with every Python from 3.9 to 3.14 that is found: on PATH, or of pyenv.
# Usage: bindings/python/versions.sh <folder for results>; one python-<version>.xml each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
results=$(realpath "${1:?where the results go}")
root=$(realpath ../..)

# The first interpreter of that version which runs and can make environments.
find_python() {
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python3; do
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

status=0
for version in 3.9 3.10 3.11 3.12 3.13 3.14; do
    found=$(find_python "$version")
    if [ -z "$found" ]; then
        echo "skipped python-$version SKIP python-versions: there is no Python $version" >>"$results/python-versions.txt"
        continue
    fi
    environment=$root/build/python-environments/$version
    [ -x "$environment/bin/python" ] || "$found" -m venv "$environment"
    "$environment/bin/python" -m pip install -q -r requirements-dev.txt </dev/null
    # Quick to compile: what counts is another interpreter's interface.
    ./install.sh "$environment/bin/python" --config-settings=cmake.build-type=Debug
    (
        cd "$root/build/python"
        "$environment/bin/python" -B -m pytest -q -p no:cacheprovider --junitxml "$results/python-versions-$version.xml" \
            -c "$root/bindings/python/pyproject.toml" --rootdir "$root/bindings/python" "$root/bindings/python/tests"
    ) || status=1
done
exit "$status"
