"""Tells what a sanitizer wrote down: findings.py FOLDER. Exit status 1: something of ours is wrong.

Everything but leaks counts. Leaks count where the extension or the library allocated: the interpreter and other
extensions keep memory until the process ends, which a sanitizer cannot tell from a leak.
"""

from __future__ import annotations

import pathlib
import re
import sys

FRAME = re.compile(r"^ +#\d+ 0x[0-9a-f]+ (?:in (?P<function>.*?) )?\(?(?P<place>\S+?)\)?(?: \(BuildId.*)?$", re.M)
ALLOCATORS = re.compile(r"^(?:__interceptor_)?(?:malloc|calloc|realloc|posix_memalign|aligned_alloc|strdup)$|^operator new")
OURS = re.compile(r"damon|_core\.")
LEAK = re.compile(r"^(?:Direct|Indirect) leak of .*?(?=\n\n|\Z)", re.M | re.S)


def allocated_by_us(leak: str) -> bool:
    """Whether the first frame that is no allocator's is of the extension or the library."""
    for frame in FRAME.finditer(leak):
        function = frame["function"] or ""
        if not ALLOCATORS.match(function):
            return OURS.search(function + " " + frame["place"]) is not None
    return False


def findings_of(text: str) -> list[str]:
    """What counts in one file of a sanitizer."""
    parts = re.split(r"(?=^=+\n==\d+==ERROR: LeakSanitizer|^=+$)", text, flags=re.M)
    found = []
    for part in parts:
        if "LeakSanitizer" in part or LEAK.search(part):
            found += [leak.group() for leak in LEAK.finditer(part) if allocated_by_us(leak.group())]
        elif re.search(r"ERROR: |WARNING: ThreadSanitizer|runtime error:|FATAL: |CHECK failed", part):
            found.append(part.strip())
    return found


def main() -> None:
    files = sorted(pathlib.Path(sys.argv[1]).glob("*"))
    found = [finding for file in files for finding in findings_of(file.read_text(errors="replace"))]
    for finding in found:
        print(finding, end="\n\n")
    print(f"{len(found)} findings in {len(files)} files")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
