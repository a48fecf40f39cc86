"""abi.py [--renew]: what programs compiled against a release rely on is still so: tests/abi has it, one file a release.

Each line of such a file is a fact: a function with its parameters, an enumerator with its value, a member with its place
and size, the size of a frozen structure. A later header may add facts (functions, enumerators, members at the end of
structures that begin with `size`) and give reserved members a meaning, and never takes a fact away. --renew writes the
file of the version in the header: to be done as long as that is not released, and never after.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import repo

HEADER = repo.ROOT / "include" / "damon_c.h"
BASELINES = repo.ROOT / "tests" / "abi"
COMMENT = re.compile(r"/\*.*?\*/", re.S)
STRUCTURE = re.compile(r"^struct (\w+) \{(.*?)^\};", re.M | re.S)
MEMBER = re.compile(r"(?:\(\*(\w+)\)\([^;]*\)|\b(\w+)(?:\[\w+\])?);")
ENUMERATOR = re.compile(r"^ +(DAMO[NS]_\w+) = ", re.M)
FUNCTION = re.compile(r"^DAMON_API ([^;]*);", re.M | re.S)
CALLBACK = re.compile(r"^typedef ([^;{]*\(\*\w+\)[^;]*);", re.M | re.S)
DEFINED = re.compile(r"^#define (DAMON_(?!API|VERSION|C_H)\w+) (\w+)", re.M)


def members_of(body):
    """Names of members; those of inner structures as inner.member."""
    names = []

    def inner(match):
        names.extend(f"{match.group(2)}.{name}" for name in members_of(match.group(1)))
        return f"int {match.group(2)};"

    flat = re.sub(r"struct \{([^{}]*)\} (\w+);", inner, body)
    return [one or other for one, other in MEMBER.findall(flat) if not other.startswith("reserved")] + names


def declarations(header):
    """Facts that are text: functions, callbacks, defined constants."""
    text = COMMENT.sub("", header)
    found = [" ".join(f"function {match}".split()) for match in FUNCTION.findall(text)]
    found += [" ".join(f"callback {match}".split()) for match in CALLBACK.findall(text)]
    return found + [f"constant {name} {value}" for name, value in DEFINED.findall(text)]


def probe_of(header):
    """A program in C that prints the other facts. Whether a structure may grow says its first member."""
    text = COMMENT.sub("", header)
    lines = [f'printf("enumerator {name} %ld\\n", (long){name});' for name in ENUMERATOR.findall(text)]
    for structure, body in STRUCTURE.findall(text):
        names = members_of(body)
        for name in names:
            place = f"offsetof(struct {structure}, {name}), sizeof ((struct {structure} *)0)->{name}"
            if name not in {other.split(".")[0] for other in names if "." in other}:
                lines.append(f'printf("member {structure}.{name} at %zu, %zu bytes\\n", {place});')
        if names[0] != "size":
            lines.append(f'printf("frozen {structure} %zu bytes\\n", sizeof(struct {structure}));')
    body = "\n    ".join(lines)
    return f'#include "damon_c.h"\n#include <stdio.h>\nint main(void) {{\n    {body}\n    return 0;\n}}\n'


def facts_of(folder):
    header = (folder / "damon_c.h").read_text()
    with tempfile.TemporaryDirectory() as scratch:
        source, binary = pathlib.Path(scratch, "probe.c"), pathlib.Path(scratch, "probe")
        source.write_text(probe_of(header))
        subprocess.run(["cc", "-std=c11", f"-I{folder}", source, "-o", binary], check=True)
        printed = subprocess.run([binary], check=True, capture_output=True, text=True).stdout
    return sorted(declarations(header) + printed.splitlines())


def version_of(header):
    return ".".join(re.findall(r"^#define DAMON_VERSION_\w+ (\d+)", header, re.M))


def main():
    if not shutil.which("cc"):
        repo.skip("compiler", "there is no cc")
    facts = facts_of(HEADER.parent)
    current = BASELINES / f"{version_of(HEADER.read_text())}.txt"
    if sys.argv[1:] == ["--renew"]:
        current.parent.mkdir(exist_ok=True)
        current.write_text("\n".join(facts) + "\n")
    problems, checked = [], 0
    for baseline in sorted(BASELINES.glob("*.txt")):
        for fact in baseline.read_text().splitlines():
            checked += 1
            if fact not in facts:
                problems.append(f"since {baseline.stem}: {fact}: is not so any more (CONTRIBUTING.md, How to add a member)")
    if current.exists():
        new = sorted(set(facts) - set(current.read_text().splitlines()))
        print(*(f"new: {fact}" for fact in new), sep="\n")
    repo.finish(problems, checked)


if __name__ == "__main__":
    main()
