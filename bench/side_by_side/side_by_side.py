#!/usr/bin/env python3
"""side_by_side.py PROGRAM OUT.jsonl [--docs] [--repeats=N] [PATTERN...]: boots the current kernel in the virtual machine of
tests/vm with the program side_by_side and gathers what it prints; report.py makes the tables of that."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import counted_vm  # noqa: E402
import report  # noqa: E402


def main():
    program, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    repeats, docs, patterns = counted_vm.options(sys.argv[3:])
    variables = {"SIDE_BY_SIDE_REPEATS": repeats or "3", "DAMON_VM_WORDS": " ".join(patterns)}
    counted_vm.run(program, out, "3G", variables)
    report.report(out, docs)


if __name__ == "__main__":
    main()
