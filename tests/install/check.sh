#!/usr/bin/env bash
# check.sh <build tree> <scratch folder>: installs, moves the installed tree, then builds and runs a C program against
# it through CMake and through pkg-config, shared and static. A shared object with the static library in it exports none
# of the library's names.
set -euo pipefail
build=$(realpath "$1")
scratch=$2
here=$(dirname "$(realpath "$0")")
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")
prefix=$scratch/moved/here

install_and_move() {
    rm -rf "$scratch"
    mkdir -p "$scratch/moved"
    cmake --install "$build" --prefix "$scratch/first" >"$scratch/install.log"
    mv "$scratch/first" "$prefix"
    if grep -rIl "$scratch/first" "$prefix"; then
        echo "an installed file names the place of its installation"
        return 1
    fi
}

check_cmake() {
    cmake -S "$here/consumer" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DDAMON_WANTED="$version" \
        -DCMAKE_C_FLAGS="-DWANTED_VERSION='\"$version\"'" >"$scratch/cmake.log"
    cmake --build "$scratch/cmake" >>"$scratch/cmake.log"
    "$scratch/cmake/consumer_shared"
    "$scratch/cmake/consumer_static"
    local range # what asks for several versions
    for range in "0.1...<0.2" "$version...0.1.9" "0.1"; do
        cmake -S "$here/consumer" -B "$scratch/range" -DCMAKE_PREFIX_PATH="$prefix" -DDAMON_WANTED="$range" >"$scratch/range.log"
    done
    for range in "0.0...<0.1" "0.0...1" "0.2...1" "0.2"; do
        if cmake -S "$here/consumer" -B "$scratch/no-range" -DCMAKE_PREFIX_PATH="$prefix" -DDAMON_WANTED="$range" \
            >"$scratch/range.log" 2>&1; then
            echo "find_package(damon $range) finds $version"
            return 1
        fi
    done
    readelf -d "$scratch/cmake/consumer_shared" | grep 'libdamon\.so\.0' >/dev/null
    if readelf -d "$scratch/cmake/consumer_static" | grep libdamon; then return 1; fi
}

# The flags are words for the shell to split.
# shellcheck disable=SC2046
check_pkg_config() {
    local pc compile=(gcc "-DWANTED_VERSION=\"$version\"" "$here/consumer/main.c")
    pc=$(dirname "$(find "$prefix" -name damon.pc)")
    export PKG_CONFIG_PATH=$pc
    [ "$(pkg-config --modversion damon)" = "$version" ]
    "${compile[@]}" $(pkg-config --cflags damon) -o "$scratch/pc_shared" $(pkg-config --libs damon)
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir damon) "$scratch/pc_shared"
    "${compile[@]}" -static $(pkg-config --cflags damon) -o "$scratch/pc_static" $(pkg-config --libs --static damon)
    "$scratch/pc_static"
}

# Distributions that have no prefix give absolute places; without a build, for damon.pc is written when it is configured.
check_absolute_places() {
    cmake -S "$here/../.." -B "$scratch/absolute" -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX=/none \
        -DCMAKE_INSTALL_LIBDIR=/store/lib/damon/lib -DCMAKE_INSTALL_INCLUDEDIR=/store/dev/include >"$scratch/absolute.log"
    local flags
    flags=$(PKG_CONFIG_PATH="$scratch/absolute/lib" pkg-config --cflags --libs damon)
    [ "$flags" = "-I/store/dev/include -L/store/lib/damon/lib -ldamon " ] || {
        echo "damon.pc with absolute places says: $flags"
        return 1
    }
}

check_plugin() {
    local names
    gcc -shared -fPIC -I"$prefix/include" "$here/consumer/plugin.c" -o "$scratch/plugin.so" \
        "$(find "$prefix" -name libdamon.a)" -Wl,-z,defs
    names=$(nm -D --defined-only --format=posix "$scratch/plugin.so" | cut -d' ' -f1)
    [ "$names" = plugin_version ] || {
        echo "a shared object with libdamon.a in it exports: $names"
        return 1
    }
}

# It exports pthread_exit alone, and a program that it is loaded into ends as it does without.
check_agent() {
    local agent names
    agent=$(find "$prefix" -name libdamon_agent.so)
    names=$(nm -D --defined-only "$agent" | cut -d" " -f3)
    if [ "$names" != pthread_exit ]; then
        echo "the agent exports: $names"
        return 1
    fi
    [ "$(LD_PRELOAD=$agent sh -c 'echo alive')" = alive ]
}

install_and_move
check_cmake
check_agent
check_plugin
check_pkg_config
check_absolute_places
echo "installed, moved, found by CMake and pkg-config: $version"
