# shellcheck shell=bash
# What is published: made, compared with a second build, installed and used.

packages_release=(dpkg-dev lintian)

# Of the last commit: what is not committed is not released.
release_command() {
    setup_build
    want_packages "${packages_release[@]}"
    setup_rust
    setup_python bindings/python/requirements-dev.txt
    setup_python scripts/release/requirements.txt
    if [ -n "$(git status --porcelain --untracked-files=no)" ]; then
        say "there are changes that are not committed: they are not part of this"
    fi
    if command -v ccache >/dev/null; then
        export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
    fi
    .venv/bin/python -B scripts/release/release.py "$PWD" HEAD "$@"
}
