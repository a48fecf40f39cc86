# shellcheck shell=bash
# Configuring and building a preset of CMakePresets.json.

presets=(release debug asan tsan)

is_preset() {
    local name
    for name in "${presets[@]}"; do
        [ "$name" = "$1" ] && return 0
    done
    echo "./dev: no preset '$1'; there are: ${presets[*]}" >&2
    return 2
}

jobs() { echo "${DAMON_JOBS:-$(nproc)}"; }

# Configures once and lets CMake notice changes; ccache is used where it is installed. Two of one preset wait for each
# other.
build_preset() {
    mkdir -p build
    (
        flock 9
        configure_and_build "$@"
    ) 9>"build/$1.lock"
}

configure_and_build() {
    local preset=$1 launcher=()
    shift
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    fi
    cmake --preset "$preset" "${launcher[@]}" >"build/$preset.configured" 2>&1 || {
        cat "build/$preset.configured"
        return 1
    }
    cmake --build --preset "$preset" --parallel "$(jobs)" "$@"
}

build_command() {
    local preset=${1:-release}
    is_preset "$preset"
    setup_build
    build_preset "$preset"
}

clean_command() { rm -rf build; }
