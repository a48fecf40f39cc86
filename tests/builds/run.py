"""run.py <results.txt> [pattern]: builds the library as packagers and embedders do, with every compiler that is found.

Writes one line a build: 'passed name', 'failed name why' or 'skipped name SKIP compilers: seen'. The build trees of those
that failed stay in build/builds.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREES = ROOT / "build" / "builds"
JOBS = os.environ.get("DAMON_JOBS") or str(os.cpu_count())
LAUNCHER = [f"-DCMAKE_{lang}_COMPILER_LAUNCHER=ccache" for lang in ("C", "CXX")] if shutil.which("ccache") else []
# What distributions build everything with.
HARDENED = (
    "-O2 -g -Wp,-U_FORTIFY_SOURCE -Wp,-D_FORTIFY_SOURCE=3 -Wp,-D_GLIBCXX_ASSERTIONS -fstack-protector-strong "
    "-fstack-clash-protection -fno-omit-frame-pointer -Wformat -Werror=format-security"
)


def flags(text):
    return ["-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_C_FLAGS={text}", f"-DCMAKE_CXX_FLAGS={text}"]


KINDS = {
    "no-build-type": [],
    "O0": flags("-O0"),
    "O1": flags("-O1"),
    "O2": flags("-O2"),
    "O3": flags("-O3"),
    "MinSizeRel": ["-DCMAKE_BUILD_TYPE=MinSizeRel"],
    "hardened": [*flags(HARDENED), "-DCMAKE_SHARED_LINKER_FLAGS=-Wl,-z,relro,-z,now -Wl,--as-needed"],
    "shared-only": ["-DBUILD_SHARED_LIBS=ON"],
    "static-only": ["-DBUILD_SHARED_LIBS=OFF"],
    "static-exports": ["-DDAMON_STATIC_EXPORTS=ON"],
}
COMPILERS = {f"g++-{version}": (f"gcc-{version}", []) for version in (12, 13, 14)}
COMPILERS |= {f"clang++-{version}": (f"clang-{version}", []) for version in range(14, 20)}
CROSS = ("aarch64-linux-gnu", "riscv64-linux-gnu")


class Missing(Exception):
    """This machine lacks what the build needs; the text says what."""


def run(*command, **more):
    print("+", *command, flush=True)
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, **more)


def build(source, tree, *options):
    run("cmake", "-S", source, "-B", tree, *LAUNCHER, *options)
    run("cmake", "--build", tree, "--parallel", JOBS)


def library(tree, *options):
    build(ROOT, tree, "-G", "Ninja", "-DBUILD_TESTING=OFF", "-DDAMON_BUILD_BENCH=OFF", *options)


def library_that_works(tree, *options):
    library(tree, *options)
    run(tree / "examples" / "policy", stdout=subprocess.DEVNULL)  # in virtual time


def with_lto(tree):
    """Programs that are linked without LTO get code out of the static library all the same."""
    library_that_works(tree, "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON")
    source = ROOT / "tests" / "install" / "consumer" / "main.c"
    words = ["gcc", "-fno-lto", '-DWANTED_VERSION="%s"' % version(), f"-I{ROOT}/include", source, tree / "lib" / "libdamon.a"]
    run(*words, "-o", tree / "consumer")
    run(tree / "consumer", stdout=subprocess.DEVNULL)


def version():
    return re.search(r"^project\(damon VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)


def native(cxx, cc, *options):
    def make(tree):
        if not shutil.which(cxx):
            raise Missing(f"there is no {cxx}")
        compilers = [f"-DCMAKE_C_COMPILER={cc}", f"-DCMAKE_CXX_COMPILER={cxx}"]
        library_that_works(tree, "-DCMAKE_BUILD_TYPE=Release", *compilers, *options)

    return make


def libcxx(tree):
    try:
        words = ["clang++", "-stdlib=libc++", "-x", "c++", "-fsyntax-only", "-include", "version", os.devnull]
        subprocess.run(words, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise Missing("there is no clang with libc++") from None
    native("clang++", "clang", "-DCMAKE_CXX_FLAGS=-stdlib=libc++")(tree)


def musl(tree):
    """With this machine's C++ headers, which were configured for glibc (musl.h): only what they hold is compiled."""
    specs = pathlib.Path("/usr/lib/x86_64-linux-musl/musl-gcc.specs")
    headers = sorted(pathlib.Path("/usr/include/x86_64-linux-gnu/c++").glob("*"))
    if not (specs.exists() and shutil.which("musl-gcc") and headers):
        raise Missing("there is no musl-gcc")
    version = headers[0].name
    words = [f"-specs={specs}", "-include", str(ROOT / "tests" / "builds" / "musl.h")]
    words += ["-isystem", f"/usr/include/c++/{version}", "-isystem", str(headers[0])]
    compilers = ["-DCMAKE_C_COMPILER=musl-gcc", f"-DCMAKE_CXX_COMPILER=g++-{version}"]
    library_that_works(tree, "-DCMAKE_BUILD_TYPE=Release", *compilers, f"-DCMAKE_CXX_FLAGS={' '.join(words)}")


def cross(triple):
    def make(tree):
        if not shutil.which(f"{triple}-g++"):
            raise Missing(f"there is no {triple}-g++")
        system = ["-DCMAKE_SYSTEM_NAME=Linux", f"-DCMAKE_SYSTEM_PROCESSOR={triple.split('-')[0]}"]
        library(tree, *system, f"-DCMAKE_C_COMPILER={triple}-gcc", f"-DCMAKE_CXX_COMPILER={triple}-g++")

    return make


def refused_on_32_bits(tree):
    options = ["-DCMAKE_C_FLAGS=-m32", "-DCMAKE_CXX_FLAGS=-m32", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"]
    done = subprocess.run(["cmake", "-S", ROOT, "-B", tree, *options], capture_output=True, text=True)
    assert done.returncode, "configured for 32 bits"
    assert "libdamon needs 64-bit Linux; this build is for 32-bit Linux" in " ".join(done.stderr.split()), done.stderr


def embedded(tree):
    """Whether the install of a project that contains libdamon holds libdamon is what that project says."""
    for option in ("OFF", "ON"):
        shutil.rmtree(tree / "prefix", ignore_errors=True)
        options = [f"-DDAMON_SOURCE={ROOT}", "-DBUILD_SHARED_LIBS=OFF", f"-DDAMON_INSTALL={option}"]
        build(ROOT / "tests" / "builds" / "embedder", tree, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *options)
        run("cmake", "--install", tree, "--prefix", tree / "prefix")
        run(tree / "prefix" / "bin" / "embedder")
        found = sorted(path.name for path in tree.glob("prefix/**/*damon*"))
        assert bool(found) == (option == "ON"), f"with DAMON_INSTALL={option} the install holds {found}"


def archive(tree):
    """What a release's archive holds, where git knows nothing of it."""
    if not (ROOT / ".git").exists():
        raise Missing("this is no clone of the repository")
    tree.mkdir(parents=True)
    run("git", "-C", ROOT, "archive", "-o", tree / "source.tar", "HEAD")
    with tarfile.open(tree / "source.tar") as packed:
        packed.extractall(tree / "source")
    os.environ["GIT_DIR"] = "nowhere"
    try:
        build(tree / "source", tree / "tree", "-G", "Ninja", "-DBUILD_TESTING=OFF", "-DDAMON_BUILD_BENCH=OFF")
        for check in ("words", "includes", "sizes"):
            run(sys.executable, "-B", tree / "source" / "tests" / "lint" / f"{check}.py")
    finally:
        del os.environ["GIT_DIR"]


def packager(tree):
    """No preset: the tests are built, and no warning is an error."""
    build(ROOT, tree, "-DCMAKE_BUILD_TYPE=Release")


BUILDS = {name: lambda tree, options=options: library_that_works(tree, *options) for name, options in KINDS.items()}
BUILDS |= {cxx: native(cxx, cc, *options) for cxx, (cc, options) in COMPILERS.items()}
BUILDS |= {triple: cross(triple) for triple in CROSS}
BUILDS |= {"lto": with_lto, "libc++": libcxx, "musl": musl, "32-bit": refused_on_32_bits, "embedded": embedded}
BUILDS |= {"archive": archive, "packager": packager}


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
        lines.append(outcome(name))
        print(lines[-1], flush=True)
        results.write_text("".join(line + "\n" for line in lines))
    sys.exit(1 if any(line.startswith("failed") for line in lines) else 0)


if __name__ == "__main__":
    main()
