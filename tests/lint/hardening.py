"""hardening.py <libdamon.so> [fortified]: what docs/security.md says of the built library is so, and it was compiled as
cmake/hardening.cmake says."""

import re
import subprocess
import sys

import repo
import symbols


def segment_problems(headers):
    """Of `readelf -lW`."""
    found = [] if "GNU_RELRO" in headers else ["no RELRO segment: function pointers stay writable"]
    stack = re.search(r"GNU_STACK .*? ([RWE ]{3}) 0x", headers)
    if not stack or "E" in stack.group(1):
        found.append("asks for an executable stack")
    for flags in re.findall(r"LOAD .*? ([RWE ]{3}) 0x", headers):
        if "W" in flags and "E" in flags:
            found.append("a segment is writable and executable")
    return found


def dynamic_problems(section):
    """Of `readelf -dW`."""
    return [] if re.search(r"BIND_NOW|\bNOW\b", section) else ["not linked with -z now"]


def call_problems(undefined, fortified):
    """Of the names that the library takes from elsewhere."""
    found = [] if {"__stack_chk_fail", "__stack_chk_guard"} & undefined else ["compiled without stack protector"]
    if fortified and not any(re.fullmatch(r"__\w+_chk", name) for name in undefined):
        found.append("compiled without _FORTIFY_SOURCE: no call is checked")
    return found


def has_checked_calls():
    """glibc has them, musl does not."""
    seen = subprocess.run(["getconf", "GNU_LIBC_VERSION"], capture_output=True, text=True)
    return seen.returncode == 0


def main():
    library = sys.argv[1]
    fortified = "fortified" in sys.argv[2:] and has_checked_calls()
    said = {
        option: subprocess.run(["readelf", option, library], capture_output=True, text=True, check=True).stdout
        for option in ("-lW", "-dW")
    }
    problems = segment_problems(said["-lW"]) + dynamic_problems(said["-dW"])
    problems += call_problems(symbols.undefined(library, dynamic=True), fortified)
    repo.finish(problems, 1)


if __name__ == "__main__":
    main()
