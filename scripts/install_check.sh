# shellcheck shell=bash
# An installed libdamon works for a C program, found through CMake and through pkg-config, shared and static, also
# after the installed tree was moved.

install_check() {
    setup_build
    build_preset release
    tests/install/check.sh "$PWD/build/release" "$PWD/build/install-check"
}

install_check_command() { install_check; }
