# shellcheck shell=bash
# The tests that need no particular kernel, built for arm64 and run under qemu's user mode.

packages_arm64=(g++-aarch64-linux-gnu googletest qemu-user-static)

cross_configure() {
    local source=$1 tree=$2 root=/usr/aarch64-linux-gnu
    shift 2
    cmake -S "$source" -B "$tree" -G Ninja -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
        -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
        "-DCMAKE_CROSSCOMPILING_EMULATOR=$(command -v qemu-aarch64-static);-L;$root" "$@" >"$tree.configured" 2>&1 ||
        { cat "$tree.configured" && return 1; }
}

test_arm64() {
    local tree=build/arm64 test status=0 launcher=()
    want_packages "${packages_arm64[@]}"
    if ! command -v aarch64-linux-gnu-g++ qemu-aarch64-static >/dev/null || [ ! -d /usr/src/googletest ]; then
        echo "skipped arm64 SKIP compilers: no cross compiler for arm64, no qemu-user, or no sources of GoogleTest" \
            >"$results/$part.txt"
        return
    fi
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    mkdir -p "$tree"
    if [ ! -d "$tree/prefix" ]; then
        cross_configure /usr/src/googletest "$tree/googletest" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$PWD/$tree/prefix"
        cmake --build "$tree/googletest" --parallel "$(jobs)" --target install >"$tree/googletest.log"
    fi
    cross_configure . "$tree/tree" "${launcher[@]}" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDAMON_CHECKS=ON \
        -DDAMON_BUILD_BENCH=OFF -DDAMON_BUILD_EXAMPLES=OFF -DCMAKE_PREFIX_PATH="$PWD/$tree/prefix"
    cmake --build "$tree/tree" --parallel "$(jobs)" --target unit_tests sim_tests damon damon_agent
    for test in unit sim; do
        timeout 1800 qemu-aarch64-static -L /usr/aarch64-linux-gnu "$tree/tree/tests/${test}_tests" --gtest_brief=1 \
            --gtest_output="xml:$PWD/$results/$part-$test.xml" || status=1
    done
    return "$status"
}
