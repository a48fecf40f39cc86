#!/usr/bin/env python3
"""run.py BUILD {sim,real,machine} [--seeds N] [--only PATTERN] [--lines FILE]: runs survey_sim or survey_real over
patterns and seeds and prints a table in Markdown, plain DAMON (survey_bp 0) beside surveys at the default budget.
`machine`: survey_real_static in the virtual machine of tests/vm, whose kernel has read-write protection; private memory,
which is read. --lines keeps what each run printed."""

import argparse
import collections
import json
import pathlib
import statistics
import subprocess
import sys

SECONDS = {"50x2m_in_1t": 60, "moving": 20, "jumping_4m": 20, "stairs": 20, "zigzag": 20, "1e-4_of_64g": 10, "1e-4_of_1t": 10}
NEVER = float("inf")
REAL = (  # pattern, budgets, seconds, max_overhead_permil, kind
    ("1m", ("0", "default"), 6, "0", ""),
    ("1m", ("0", "default"), 12, "10", ""),
    ("jump", ("0", "default"), 21, "0", ""),
    ("64x64k", ("0", "default"), 12, "0", ""),
    ("1m", ("0", "default"), 6, "0", "zap"),
)


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, check=True, timeout=600)
    return json.loads(done.stdout)


def sim_results(build, options):
    program = build / "bench" / "surveys" / "survey_sim"
    names = subprocess.run([program], stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    for name in names:
        if options.only not in (None, name):
            continue
        for seed in range(1, options.seeds + 1):
            for budget in (0, 10):
                yield run(program, name, seed, budget, SECONDS.get(name, 6))


def real_results(build, options):
    program = build / "bench" / "surveys" / "survey_real"
    for pattern, budgets, seconds, permil, kind in REAL:
        if options.only not in (None, pattern):
            continue
        for seed in range(1, options.seeds + 1):
            for budget in budgets:
                yield run(program, pattern, seed, budget, seconds, permil, *([kind] if kind else []))


def machine_results(build, options):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    import counted_vm

    out = build / "survey-machine.jsonl"
    for budget in ("0", "default"):
        words = f"{options.only or '1m'} 1-{options.seeds} {budget} 4 0 read"
        counted_vm.run(build / "bench" / "surveys" / "survey_real_static", out, "3G", {"DAMON_VM_WORDS": words})
        yield from (json.loads(line) for line in out.read_text().splitlines() if line.startswith("{"))


def time_of(values):
    """Median and 90th percentile; a run that never got there counts as infinitely long."""
    ordered = sorted(NEVER if value < 0 else value for value in values)
    middle, late = ordered[len(ordered) // 2], ordered[-(-9 * len(ordered) // 10) - 1]
    return " ".join(("never" if middle == NEVER else f"{middle:.1f}", "(never)" if late == NEVER else f"({late:.1f})"))


def middle(results, field, digits):
    return f"{statistics.median(result[field] for result in results):.{digits}f}"


def sim_row(name, plain, surveyed):
    cells = [f"`{name}`"]
    for results in (plain, surveyed):
        cells.append("/".join(middle(results, f"f1_{when}s", 2) for when in (1, 2, 5)))
        cells.append(middle(results, "f1_mean", 3))
        changes = [result["change_s"] for result in results]
        cells.append(time_of(result["found_s"] for result in results) + (f"; {statistics.median(changes):.1f}" if max(changes) >= 0 else ""))
        cells.append(f"{middle(results, 'regions', 0)}, {middle(results, 'sampling_pct', 2)}")
    return cells + [middle(surveyed, "survey_pct", 3)]


def real_row(name, plain, surveyed):
    cells = [f"`{name}`"]
    for results in (plain, surveyed):
        cells.append(time_of(result["found_s"] for result in results))
        changes = [result["change_s"] for result in results]
        cells.append(f"{statistics.median(changes):.2f}" if max(changes) >= 0 else "-")
        cells.append(f"{middle(results, 'f1_mean', 2)}, {middle(results, 'f1_after_5s', 2)}")
        cells.append(f"{middle(results, 'regions', 0)}, {middle(results, 'cpu_pct', 2)}")
    return cells + [f"{middle(surveyed, 'survey_pct', 3)}, {max(result['survey_ms_in_10s'] for result in surveyed):.1f}"]


HEADS = {
    "sim": "pattern | plain: F1 at 1/2/5 s | mean | found, s | regions, CPU % | surveys: F1 at 1/2/5 s | mean | found, s | regions, CPU % | survey %",
    "real": "pattern, permil | plain: found, s | after a jump | F1 mean, after 5 s | regions, CPU % | surveys: found, s | after a jump | F1 mean, after 5 s | regions, CPU % | survey CPU %, most ms in 10 s",
}


def print_table(kind, results):
    groups = collections.defaultdict(list)
    for result in results:
        name = result["pattern"] + ("" if kind == "sim" else f", {result['permil']}")
        groups[name, str(result["survey_bp"]) == "0"].append(result)
    head = HEADS["sim" if kind == "sim" else "real"]
    print(f"| {head} |")
    print("|" + " --- |" * (head.count("|") + 1))
    for name in dict.fromkeys(name for name, _ in groups):
        row = sim_row if kind == "sim" else real_row
        print("| " + " | ".join(row(name, groups[name, True], groups[name, False])) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("kind", choices=("sim", "real", "machine"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only")
    parser.add_argument("--lines", type=pathlib.Path)
    options = parser.parse_args()
    results = []
    measured = {"sim": sim_results, "real": real_results, "machine": machine_results}[options.kind]
    for result in measured(options.build, options):
        results.append(result)
        if options.lines:
            options.lines.write_text("".join(json.dumps(line) + "\n" for line in results))
    print_table(options.kind, results)


if __name__ == "__main__":
    sys.exit(main())
