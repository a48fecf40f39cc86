"""libdamon.so exports exactly what damon_c.h declares, needs the C library alone, and never calls the host's malloc."""

import re
import subprocess
import sys

import repo
import symbols

LISTED = repo.ROOT / "tests" / "lint" / "libc_symbols.txt"
MAP = repo.ROOT / "lib" / "damon.map"
HEADER = repo.ROOT / "include" / "damon_c.h"
NEEDED = {"libc.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def undefined_problems(undefined, allowed):
    return [f"libdamon calls {symbols.readable(name)}, not in libc_symbols.txt" for name in sorted(undefined - allowed)]


def export_problems(exported, declared, mapped):
    problems = [f"exported, not declared in damon_c.h: {name}" for name in sorted(exported - declared)]
    problems += [f"declared in damon_c.h, not exported: {name}" for name in sorted(declared - exported)]
    problems += [f"declared in damon_c.h, not in damon.map: {name}" for name in sorted(declared - mapped)]
    problems += [f"in damon.map, not declared in damon_c.h: {name}" for name in sorted(mapped - declared)]
    return problems


def dynamic_problems(dynamic_section):
    found = [
        f"libdamon.so needs {name}"
        for name in re.findall(r"\(NEEDED\).*\[(.*?)\]", dynamic_section)
        if name not in NEEDED
    ]
    if not re.search(r"\(SONAME\).*\[libdamon\.so\.0\]", dynamic_section):
        found.append("the soname is not libdamon.so.0")
    if "TEXTREL" in dynamic_section:
        found.append("libdamon.so has text relocations")
    if not re.search(r"BIND_NOW|\bNOW\b", dynamic_section):
        found.append("libdamon.so is not linked with -z now")
    return found


def main():
    library = sys.argv[1]
    listed = {line.split("#")[0].strip() for line in LISTED.read_text().splitlines()} - {""}
    undefined = symbols.undefined(library, dynamic=True)
    exported = symbols.defined(library, dynamic=True)
    mapped = set().union(*symbols.version_script(MAP.read_text()).values())
    problems = undefined_problems(undefined, listed)
    problems += export_problems(exported, symbols.declared_functions(HEADER.read_text()), mapped)
    said = subprocess.run(["readelf", "-d", "-W", library], capture_output=True, text=True, check=True).stdout
    problems += dynamic_problems(said)
    repo.finish(problems, len(undefined) + len(exported))


if __name__ == "__main__":
    main()
