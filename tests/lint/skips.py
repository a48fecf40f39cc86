"""Tests skip through tests/skips.txt alone: one line a skip, with an identifier and a reason that a reader can act on."""

import re

import repo

LIST = repo.ROOT / "tests" / "skips.txt"
LINE = re.compile(r"^([a-z0-9-]+): (\S.{9,})$")
DIRECT = re.compile(r"\bGTEST_SKIP\b|\bpytest\.(?:skip|importorskip|mark\.skip\w*)|@unittest\.skip|#\[ignore")
MAY_SKIP = {"tests/support/declared_skip.cc", "bindings/python/tests/skipping.py", "tests/lint/skips.py", "tests/lint/selftest.py"}


def list_problems(text):
    found, seen = [], set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            found.append(f"tests/skips.txt:{number}: not 'identifier: reason'")
        elif match.group(1) in seen:
            found.append(f"tests/skips.txt:{number}: {match.group(1)} is there twice")
        else:
            seen.add(match.group(1))
    return found


def main():
    problems = list_problems(LIST.read_text())
    sources = repo.files(".cc", ".c", ".h", ".py", ".rs")
    for path in sources:
        name = str(path.relative_to(repo.ROOT))
        if name not in MAY_SKIP and DIRECT.search(path.read_text(errors="replace")):
            problems.append(f"{name}: skips by itself instead of through tests/skips.txt")
    repo.finish(problems, len(sources))


if __name__ == "__main__":
    main()
