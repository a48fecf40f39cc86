"""Every C and C++ file is as clang-format 14 with the repository's .clang-format leaves it. --fix rewrites."""

import re
import shutil
import subprocess
import sys

import repo

MAJOR = "14"  # other versions break lines differently
LAID_OUT_BY_HAND = {repo.ROOT / "include" / "damon_c.h"}


def clang_format():
    for name in (f"clang-format-{MAJOR}", "clang-format"):
        program = shutil.which(name)
        if program:
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            if re.search(rf"version {MAJOR}\.", said):
                return program
    return None


def main():
    program = clang_format()
    if program is None:
        repo.skip("clang-format-14", "no clang-format of version 14 in PATH")
    sources = [path for path in repo.files(".h", ".c", ".cc", ".cpp") if path not in LAID_OUT_BY_HAND]
    if "--fix" in sys.argv[1:]:
        sys.exit(subprocess.run([program, "-i", *sources]).returncode)
    said = subprocess.run([program, "--dry-run", "-Werror", *sources], capture_output=True, text=True).stderr
    places = {re.sub(rf"^{repo.ROOT}/", "", line.split(": error")[0]) for line in said.splitlines() if ": error" in line}
    repo.finish([f"{place}: not formatted (./dev fmt)" for place in sorted(places)], len(sources))


if __name__ == "__main__":
    main()
