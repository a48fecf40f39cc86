# shellcheck shell=bash
# What a machine needs, by purpose. Quick where everything is there: no package index is fetched, nothing is started.

packages_build=(cmake g++ libgtest-dev ninja-build pkg-config python3)
packages_test=(clang clang-format-14 git shellcheck)
packages_docs=(doxygen)
packages_python=(python3-dev python3-venv)
packages_rust=(cargo)
packages_bench=(libbenchmark-dev valgrind)
packages_vm=(debian-archive-keyring e2fsprogs qemu-system-x86 zstd)

say() { printf '== %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo --preserve-env=DEBIAN_FRONTEND "$@"
    fi
}

# Prints the packages of its arguments that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' || echo "$package"
    done
}

# Installs what is missing; fails where apt cannot.
need_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    as_root apt-get -q update </dev/null
    as_root apt-get -q install -y --no-install-recommends "${missing[@]}" </dev/null
}

# As need_packages, for packages that a test can do without: their absence becomes a declared skip.
want_packages() {
    need_packages "$@" || say "could not install all of: $*; what needs them will be skipped"
}

setup_build() { need_packages "${packages_build[@]}"; }

setup_test() {
    setup_build
    want_packages "${packages_test[@]}"
}

# A cargo that rustup installed is used as it is; else the distribution's.
setup_rust() {
    if [ -x "$HOME/.cargo/bin/cargo" ]; then
        export PATH="$HOME/.cargo/bin:$PATH"
    fi
    command -v cargo >/dev/null || need_packages "${packages_rust[@]}"
}

# .venv with what a requirements file lists; done again only where that file changed.
setup_python() {
    local requirements=${1:?}
    need_packages "${packages_python[@]}"
    local stamp=.venv/requirements.done
    if [ ! -f "$stamp" ] || ! cmp -s "$requirements" "$stamp"; then
        say "installing $requirements into .venv"
        [ -x .venv/bin/python ] || /usr/bin/python3 -m venv .venv
        .venv/bin/python -m pip install -q -r "$requirements" </dev/null
        cp "$requirements" "$stamp"
    fi
}

setup_all() {
    setup_test
    want_packages "${packages_docs[@]}" "${packages_vm[@]}"
    [ ! -d bindings/rust ] || setup_rust
    [ ! -f bindings/python/requirements-dev.txt ] || setup_python bindings/python/requirements-dev.txt
    say "ready"
}
