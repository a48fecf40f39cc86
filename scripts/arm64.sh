# shellcheck shell=bash
# Builds for arm64 on other processors: the tests that need no particular kernel run under qemu's user mode, those of the
# virtual machine on arm64 kernels with pages of 4 and of 16 KiB.

packages_arm64=(g++-aarch64-linux-gnu googletest)

cross_configure() {
    local source=$1 tree=$2 root=/usr/aarch64-linux-gnu
    shift 2
    cmake -S "$source" -B "$tree" -G Ninja -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
        -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
        "-DCMAKE_CROSSCOMPILING_EMULATOR=$(command -v qemu-aarch64-static);-L;$root" "$@" >"$tree.configured" 2>&1 ||
        { cat "$tree.configured" && return 1; }
}

can_cross_build() {
    want_packages "${packages_arm64[@]}" "$@"
    command -v aarch64-linux-gnu-g++ >/dev/null && [ -d /usr/src/googletest ]
}

# Targets in build/arm64/tree, with GoogleTest built for it.
cross_build() {
    local tree=build/arm64 launcher=()
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    mkdir -p "$tree"
    if [ ! -d "$tree/prefix" ]; then
        cross_configure /usr/src/googletest "$tree/googletest" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$PWD/$tree/prefix"
        cmake --build "$tree/googletest" --parallel "$(jobs)" --target install >"$tree/googletest.log"
    fi
    cross_configure . "$tree/tree" "${launcher[@]}" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDAMON_BUILD_BENCH=OFF \
        -DDAMON_BUILD_EXAMPLES=OFF -DCMAKE_PREFIX_PATH="$PWD/$tree/prefix"
    cmake --build "$tree/tree" --parallel "$(jobs)" --target "$@"
}

cannot_cross_build() {
    echo "skipped $part SKIP compilers: no cross compiler for arm64, no qemu for it, or no sources of GoogleTest" >"$results/$part.txt"
}

test_arm64() {
    local test status=0
    if ! can_cross_build qemu-user-static || ! command -v qemu-aarch64-static >/dev/null; then
        cannot_cross_build
        return
    fi
    cross_build unit_tests sim_tests damon damon_agent
    for test in unit sim; do
        timeout 1800 qemu-aarch64-static -L /usr/aarch64-linux-gnu "build/arm64/tree/tests/${test}_tests" --gtest_brief=1 \
            --gtest_output="xml:$PWD/$results/$part-$test.xml" || status=1
    done
    return "$status"
}

# On the kernels of their names: arm64, arm64-16k.
test_vm_arm64() {
    if ! can_cross_build qemu-system-arm "${packages_vm[@]}"; then
        cannot_cross_build
        return
    fi
    cross_build vm_programs
    python3 -B tests/vm/run.py build/arm64/tree/tests/vm/programs.txt "$PWD/$results" "$@"
}
