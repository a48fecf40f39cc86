"""run.py <results.txt> [pattern]: builds the library as packagers and embedders do, with every compiler that is found.

Writes one line a build: 'passed name', 'failed name why' or 'skipped name SKIP compilers: seen'. The build trees of those
that failed stay in build/builds.

A row compiles the library once and runs the smallest program with it; each compiler gets other flags, so that the rows
together have all of them. The newest g++ and clang, and libc++, compile file by file, which finds headers that are not
included; the others compile a folder at a time, which takes a third of the time. What other parts of `./dev test full`
build is not here: the presets (g++ -O0 to -O2 with warnings as errors), arm64. Without ccache: most compilers are new to it.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREES = ROOT / "build" / "builds"
JOBS = os.environ.get("DAMON_JOBS") or str(os.cpu_count())
# What distributions build everything with.
HARDENED = (
    "-O2 -g -Wp,-U_FORTIFY_SOURCE -Wp,-D_FORTIFY_SOURCE=3 -Wp,-D_GLIBCXX_ASSERTIONS -fstack-protector-strong "
    "-fstack-clash-protection -fno-omit-frame-pointer -Wformat -Werror=format-security"
)
COMPILERS = {
    "g++-12": "-Os",
    "g++-13": "-O1",
    "g++-14": "-O3",
    "clang++-14": "-O3",
    "clang++-15": "-O0",
    "clang++-16": "-O1",
    "clang++-17": "-O0",
    "clang++-18": "-O1",
    "clang++-19": "-O3",
}
FILE_BY_FILE = {"g++-14", "clang++-19"}
FOLDERS = ["-DDAMON_FOLDER_UNITS=ON"]
MUSL = "x86_64-linux-musl"
RISCV = "riscv64-linux-gnu"


class Missing(Exception):
    """This machine lacks what the build needs; the text says what."""


def run(*command, **more):
    print("+", *command, flush=True)
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, **more)


def build(source, tree, *options, targets=()):
    run("cmake", "-S", source, "-B", tree, "-G", "Ninja", *options)
    run("cmake", "--build", tree, "--parallel", JOBS, *(["--target", *targets] if targets else []))


def flags(text):
    if text == "-Os":
        return ["-DCMAKE_BUILD_TYPE=MinSizeRel"]
    return ["-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_C_FLAGS={text}", f"-DCMAKE_CXX_FLAGS={text}"]


def compilers(cc, cxx):
    return [f"-DCMAKE_C_COMPILER={cc}", f"-DCMAKE_CXX_COMPILER={cxx}"]


def library(tree, *options, targets=("example_policy",), launcher=()):
    """The shared library, unless `options` say otherwise, and a program that runs in virtual time."""
    words = ["-DBUILD_TESTING=OFF", "-DDAMON_BUILD_BENCH=OFF", "-DDAMON_BUILD_TOOLS=OFF", "-DBUILD_SHARED_LIBS=ON"]
    build(ROOT, tree, *words, *options, targets=targets)
    run(*launcher, tree / "examples" / "policy", stdout=subprocess.DEVNULL)


def static_program(tree, compiler, *options):
    """A program with the static library in it, linked by a C compiler."""
    source = ROOT / "tests" / "install" / "consumer" / "main.c"
    words = ['-DWANTED_VERSION="%s"' % version(), f"-I{ROOT}/include", source, tree / "lib" / "libdamon.a"]
    run(compiler, *options, *words, "-o", tree / "consumer")
    run(tree / "consumer", stdout=subprocess.DEVNULL)


def version():
    return re.search(r"^project\(damon VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)


def without_build_type(tree):
    """All but tests and benchmarks, by the two commands that everybody tries first."""
    build(ROOT, tree, "-DBUILD_TESTING=OFF", "-DDAMON_BUILD_BENCH=OFF")
    run(tree / "examples" / "policy", stdout=subprocess.DEVNULL)


def distribution(tree):
    """Hardened and with LTO, as distributions build; programs without LTO get code out of the static library."""
    options = [*compilers("gcc", "g++"), *flags(HARDENED), "-DCMAKE_SHARED_LINKER_FLAGS=-Wl,-z,relro,-z,now -Wl,--as-needed"]
    options += ["-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON", "-DDAMON_STATIC_EXPORTS=ON"]
    library(tree, *options, targets=("example_policy", "damon_static"))
    static_program(tree, "gcc", "-fno-lto")


def packager(tree):
    """No preset: no warning is an error, and the tests that warnings of optimization were seen in are built."""
    build(ROOT, tree, "-DCMAKE_BUILD_TYPE=Release", targets=("example_policy", "sim_tests"))
    commands = json.loads((tree / "compile_commands.json").read_text())
    strict = [command["file"] for command in commands if "-Werror" in command["command"].split()]
    assert not strict, f"without a preset warnings are errors in {strict[0]}"


def native(cxx, text):
    def make(tree):
        cc = cxx.replace("clang++", "clang").replace("g++", "gcc")
        if not (shutil.which(cxx) and shutil.which(cc)):
            raise Missing(f"there is no {cxx}")
        library(tree, *flags(text), *compilers(cc, cxx), *([] if cxx in FILE_BY_FILE else FOLDERS))

    return make


def libcxx(tree):
    """Headers that are found may be another compiler's: those of libc++ 14 are where every clang looks."""
    words = ["clang++-19", "-stdlib=libc++", "-x", "c++", "-E", "-P", "-"]
    try:
        source = "#include <version>\n_LIBCPP_VERSION\n"
        said = subprocess.run(words, input=source, check=True, capture_output=True, text=True).stdout.split()[-1]
    except (OSError, subprocess.CalledProcessError):
        raise Missing("there is no clang++-19 with libc++") from None
    if not said.isdigit() or int(said) < 160000:  # before 15 it had three digits less
        raise Missing(f"clang++-19 finds libc++ {said}, needed is 160000")
    library(tree, *compilers("clang-19", "clang++-19"), "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS=-stdlib=libc++")


def musl(tree):
    """With this machine's C++ headers, which were configured for glibc (musl.h): only what they hold is compiled."""
    specs = pathlib.Path(f"/usr/lib/{MUSL}/musl-gcc.specs")
    headers = sorted(pathlib.Path("/usr/include/x86_64-linux-gnu/c++").glob("*"))
    if not (specs.exists() and shutil.which("musl-gcc") and headers):
        raise Missing("there is no musl-gcc")
    version = headers[0].name
    words = [f"-specs={specs}", "-O0", "-include", str(ROOT / "tests" / "builds" / "musl.h")]
    words += ["-isystem", f"/usr/include/c++/{version}", "-isystem", str(headers[0])]
    options = [*FOLDERS, "-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_CXX_FLAGS={' '.join(words)}"]
    library(tree, *compilers("musl-gcc", f"g++-{version}"), *options, targets=("example_policy", "damon_static"))
    static_program(tree, "musl-gcc", "-static")


def riscv64(tree):
    if not shutil.which(f"{RISCV}-g++"):
        raise Missing(f"there is no {RISCV}-g++")
    system = [*FOLDERS, "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=riscv64"]
    emulator = shutil.which("qemu-riscv64") or shutil.which("qemu-riscv64-static")
    launcher = (emulator, "-L", f"/usr/{RISCV}") if emulator else ("test", "-x")
    library(tree, *system, *flags("-O1"), *compilers(f"{RISCV}-gcc", f"{RISCV}-g++"), launcher=launcher)


def refused_on_32_bits(tree):
    options = ["-DCMAKE_C_FLAGS=-m32", "-DCMAKE_CXX_FLAGS=-m32", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"]
    done = subprocess.run(["cmake", "-G", "Ninja", "-S", ROOT, "-B", tree, *options], capture_output=True, text=True)
    assert done.returncode, "configured for 32 bits"
    assert "libdamon needs 64-bit Linux; this build is for 32-bit Linux" in " ".join(done.stderr.split()), done.stderr


def archive(tree):
    """What a release's archive holds, where git knows nothing of it, and in a project that contains it."""
    if not (ROOT / ".git").exists():
        raise Missing("this is no clone of the repository")
    tree.mkdir(parents=True)
    run("git", "-C", ROOT, "archive", "-o", tree / "source.tar", "HEAD")
    with tarfile.open(tree / "source.tar") as packed:
        packed.extractall(tree / "source")
    os.environ["GIT_DIR"] = "nowhere"
    try:
        run("cmake", "-G", "Ninja", "-S", tree / "source", "-B", tree / "alone", "-DBUILD_TESTING=OFF")
        for check in ("words", "includes", "sizes"):
            run(sys.executable, "-B", tree / "source" / "tests" / "lint" / f"{check}.py")
        embedded(tree / "source", tree)
    finally:
        del os.environ["GIT_DIR"]


def embedded(source, tree):
    """Whether the install of a project that contains libdamon holds libdamon is what that project says."""
    for option in ("OFF", "ON"):
        options = [f"-DDAMON_SOURCE={source}", "-DBUILD_SHARED_LIBS=OFF", f"-DDAMON_INSTALL={option}", *FOLDERS]
        build(source / "tests" / "builds" / "embedder", tree / "tree", "-DCMAKE_BUILD_TYPE=Release", *options)
        prefix = tree / f"installed-{option}"
        run("cmake", "--install", tree / "tree", "--prefix", prefix)
        run(prefix / "bin" / "embedder")
        found = sorted(path.name for path in prefix.glob("**/*damon*"))
        assert bool(found) == (option == "ON"), f"with DAMON_INSTALL={option} the install holds {found}"


BUILDS = {"32-bit": refused_on_32_bits, "no-build-type": without_build_type, "packager": packager}
BUILDS |= {"distribution": distribution, "archive": archive, "libc++": libcxx, "musl": musl, "riscv64": riscv64}
BUILDS |= {cxx + text: native(cxx, text) for cxx, text in COMPILERS.items()}


def outcome(name):
    """The line of the results."""
    tree = TREES / name
    shutil.rmtree(tree, ignore_errors=True)
    try:
        BUILDS[name](tree)
    except Missing as why:
        return f"skipped {name} SKIP compilers: {why}"
    except (AssertionError, subprocess.CalledProcessError) as why:
        return f"failed {name} {str(why).splitlines()[0]}"
    shutil.rmtree(tree, ignore_errors=True)
    return f"passed {name}"


def main():
    results = pathlib.Path(sys.argv[1])
    chosen = [name for name in BUILDS if re.search(sys.argv[2] if len(sys.argv) > 2 else ".", name)]
    lines = []
    for name in chosen:
        begin = time.monotonic()
        lines.append(outcome(name))
        print(f"{lines[-1]} ({time.monotonic() - begin:.0f} s)", flush=True)
        results.write_text("".join(line + "\n" for line in lines))
    sys.exit(1 if any(line.startswith("failed") for line in lines) else 0)


if __name__ == "__main__":
    main()
