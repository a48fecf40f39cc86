"""damon_c.h compiles alone, first, in every C and C++ standard it promises, and includes only what it promises."""

import itertools
import re
import shutil
import subprocess
import tempfile

import repo

HEADER = repo.ROOT / "include" / "damon_c.h"
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
COMPILERS = {
    "c": (("gcc", "clang"), ("c99", "c11", "c17")),
    "cc": (("g++", "clang++"), ("c++11", "c++14", "c++17", "c++20")),
}
MAY_INCLUDE = {"stddef.h", "stdint.h"}


def compile_errors(suffix, compiler, standard):
    with tempfile.NamedTemporaryFile("w", suffix="." + suffix) as source:
        source.write('#include "damon_c.h"\n#include "damon_c.h"\nint main(void) { return (int)(damon_version() >> 31); }\n')
        source.flush()
        command = [compiler, f"-std={standard}", *STRICT, f"-I{HEADER.parent}", source.name]
        done = subprocess.run(command, capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"{compiler} -std={standard}:\n{done.stderr}"]


def main():
    text = repo.code_only(re.sub(r'(#\s*include\s*)"([^"]*)"', r"\1<\2>", HEADER.read_text()))
    included = set(re.findall(r"#\s*include\s*<([^>]+)>", text))
    problems = [f"damon_c.h includes <{name}>" for name in sorted(included - MAY_INCLUDE)]
    if re.search(r"\binline\b|\.\.\.|\blong\b", text):
        problems.append("damon_c.h has an inline function, a variadic one or a `long`")
    checked = 0
    for suffix, (compilers, standards) in COMPILERS.items():
        for compiler, standard in itertools.product(filter(shutil.which, compilers), standards):
            problems += compile_errors(suffix, compiler, standard)
            checked += 1
    repo.finish(problems, checked)


if __name__ == "__main__":
    main()
