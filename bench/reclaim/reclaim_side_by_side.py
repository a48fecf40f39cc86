#!/usr/bin/env python3
"""reclaim_side_by_side.py PROGRAM OUT.jsonl [--docs] [--repeats=N]: boots the current kernel in the virtual machine of tests/vm
with the program reclaim_side_by_side, and makes a table of what it prints; --docs puts that into docs/actions.md."""

import collections
import json
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import counted_vm  # noqa: E402

PAGE = ROOT / "docs" / "actions.md"
MARKERS = ("<!-- side by side: begin -->", "<!-- side by side: end -->")
RECLAIMERS = {"none": "nobody", "kernel": "the kernel's DAMON", "library": "this library"}
MIB = 1 << 20


def lives(path):
    """{reclaimer: [values of one life]}"""
    found = collections.defaultdict(list)
    phases, resident = {}, []
    for entry in (json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")):
        if entry["kind"] == "rss" and entry["phase"] == "during":
            resident.append((entry["at_ms"], entry["rss_bytes"]))
        elif entry["kind"] == "phase":
            phases[entry["phase"]] = entry
        elif entry["kind"] == "life":
            found[entry["reclaimer"]].append(values_of(phases, resident, entry))
            phases, resident = {}, []
    return found


def values_of(phases, resident, life):
    before, during, after = phases["before"], phases["during"], phases["after"]
    gone = before["rss_bytes"] - 0.9 * before["cold_present_bytes"]
    waited = [at for at, rss in resident if rss <= gone]
    # Against the time after it, of the same life.
    price = during["cpu_ns_per_access"] / after["cpu_ns_per_access"] - 1
    pace = after["accesses_per_s"] / during["accesses_per_s"] - 1
    return {
        "resident before, MiB": before["rss_bytes"] / MIB,
        "resident after 6 s, MiB": during["rss_bytes"] / MIB,
        "resident 2 s after the reclaimer left, MiB": after["rss_bytes"] / MIB,
        "cold part still there, MiB": during["cold_present_bytes"] / MIB,
        "hot part still there, MiB": during["hot_present_bytes"] / MIB,
        "seconds until 90 % of the cold part was gone": waited[0] / 1000 if waited else None,
        "pages that the program had to wait for": during["major_faults"],
        "slow-down while it works, CPU time an access, %": price * 100,
        "the same in time, program and monitor on one processor, %": pace * 100,
        "CPU time of the monitor's thread, s": life["monitor_cpu_ns"] / 1e9,
        "pages damaged": life["damaged_pages"],
    }


def table(found):
    names = list(next(iter(found.values()))[0])
    rows = ["| | " + " | ".join(RECLAIMERS[who] for who in found) + " |", "| --- " * (len(found) + 1) + "|"]
    for name in names:
        cells = []
        for runs in found.values():
            numbers = [run[name] for run in runs if run[name] is not None]
            whole = all(isinstance(number, int) for number in numbers)
            cells.append(f"{statistics.median(numbers):{'.0f' if whole else '.2f'}}" if numbers else "never")
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main():
    program, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    repeats, docs, _ = counted_vm.options(sys.argv[3:])
    counted_vm.run(program, out, "2G", {"RECLAIM_REPEATS": repeats or "1"})
    text = table(lives(out))
    print(text)
    if docs:
        before, rest = PAGE.read_text().split(MARKERS[0])
        PAGE.write_text(f"{before}{MARKERS[0]}\n{text}\n{MARKERS[1]}{rest.split(MARKERS[1])[1]}")


if __name__ == "__main__":
    main()
