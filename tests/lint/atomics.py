"""Atomic variables of one or two bytes are loaded and stored, no more: what reads and writes in one step calls libatomic
on riscv64 and others, which the library is not linked with."""

import collections
import re

import repo

SMALL = re.compile(r"std::atomic<(?:bool|char|u?int(?:8|16)_t)>\s+(\w+)")
CHANGE = re.compile(r"\b(\w+)(?:\.|->)(?:exchange|compare_exchange_\w+|fetch_\w+)\(")


def changes(texts):
    """(file, variable) of {path: text}: the variables of a folder that are small, and changed in one step there."""
    small, found = collections.defaultdict(set), []
    codes = {path: repo.code_only(text) for path, text in sorted(texts.items())}
    for path, code in codes.items():
        small[path.rpartition("/")[0]].update(SMALL.findall(code))
    for path, code in codes.items():
        found += [(path, name) for name in CHANGE.findall(code) if name in small[path.rpartition("/")[0]]]
    return found


def main():
    texts = {path.relative_to(repo.ROOT).as_posix(): path.read_text() for path in repo.files(".cc", ".h", under="lib")}
    repo.finish([f"{path}: {name} is changed in one step; std::atomic<uint32_t> has that on every processor"
                 for path, name in changes(texts)], len(texts))


if __name__ == "__main__":
    main()
