# shellcheck shell=bash
# What a machine needs, by purpose. Quick where everything is there: no package index is fetched, nothing is started.

packages_build=(cmake g++ libgtest-dev ninja-build pkg-config python3)
packages_test=(clang clang-format-14 git shellcheck)
packages_docs=(doxygen)
packages_python=(ca-certificates file python3-dev python3-venv) # file: for damo, which the tests run
# Of the compilers a distribution offers some only: Debian 12 g++ 12 and clang 14 to 16 and 19, Debian 13 g++ 12 to 14
# and clang 17 to 19.
packages_builds=(g++-{12,13,14} clang clang-{14,15,16,17,18,19} g++-riscv64-linux-gnu libc++-19-dev libc++abi-19-dev musl-tools)
packages_browser=(chromium)
packages_rust=(ca-certificates cargo)
packages_bench=(libbenchmark-dev valgrind)
packages_vm=(debian-archive-keyring e2fsprogs qemu-system-x86 zstd)

say() { printf '== %s\n' "$*"; }

# Prints the packages of its arguments that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg -s "$package" 2>/dev/null | grep '^Status: install ok installed' >/dev/null || echo "$package"
    done
}

# Prints those that apt can install here. To apt a name that it does not know is a pattern: g++-13 is clang-13, too.
available_packages() {
    local package
    for package in "$@"; do
        apt-cache policy "$package" 2>/dev/null | awk -v heading="$package:" '
            /^[^ ]/ { own = $0 == heading }
            own && /^  Candidate: [^(]/ { print substr(heading, 1, length(heading) - 1) }'
    done
}

apt_line() { echo "apt-get install --no-install-recommends $*"; }

# Runs a command as root. Whoever is not root and has no sudo reads what root would have to do.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo --preserve-env=DEBIAN_FRONTEND "$@"
    else
        return 1
    fi
}

may_install() {
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here; needed are this system's packages for: $*"
    elif [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        say "neither root nor sudo; as root: $(apt_line "$@")"
    else
        return 0
    fi
    return 1
}

# Together, or else those that can be installed one by one: of two that exclude each other the one that is there stays.
apt_install() {
    local package
    [ $# -gt 0 ] || return 0
    as_root apt-get -q install -y --no-remove --no-install-recommends "$@" </dev/null && return
    [ $# -gt 1 ] || return 0
    for package in "$@"; do
        apt_install "$package"
    done
}

# Installs what is missing of its arguments, as far as apt has it and nothing else has to go for it. Fails where something is
# missing afterwards.
install_packages() {
    local missing available
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    may_install "${missing[@]}" || return 1
    say "installing ${missing[*]}"
    as_root apt-get -q update </dev/null || say "the package lists could not be brought up to date"
    mapfile -t available < <(available_packages "${missing[@]}")
    apt_install "${available[@]}"
    mapfile -t missing < <(missing_packages "${missing[@]}")
    [ ${#missing[@]} -eq 0 ] || { say "apt installs no ${missing[*]}" && return 1; }
}

# For what nothing goes without. A machine without apt may have it all the same: then the build tells.
need_packages() { install_packages "$@" || ! command -v apt-get >/dev/null; }

# For packages that a test can do without: their absence becomes a declared skip.
want_packages() { install_packages "$@" || say "what needs the packages that are missing will be skipped"; }

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

# .venv with what a requirements file lists; done again only where that file changed. Several files add up.
setup_python() {
    local requirements=${1:?}
    need_packages "${packages_python[@]}"
    local stamp
    stamp=.venv/$(echo "${requirements%.txt}" | tr / -).done
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
    setup_rust
    setup_python bindings/python/requirements-dev.txt
    say "ready"
}
