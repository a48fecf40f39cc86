#!/usr/bin/env python3
"""report.py LINES.jsonl [--docs]: tables of what side_by_side printed; --docs renews docs/side-by-side.md."""

import collections
import json
import pathlib
import statistics
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "side-by-side.md"
MARKERS = ("<!-- results: begin -->", "<!-- results: end -->")
FOUND_F1 = 0.9


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def f1(snapshot):
    parts = snapshot["hot"] + snapshot["found"]
    return 2 * snapshot["both"] / parts if parts else 1.0


def waits_until_found(snapshots, turn):
    """For each phase of a turn, windows from its begin until F1 reached FOUND_F1; None: never."""
    by_phase = collections.defaultdict(list)
    for snapshot in snapshots:
        by_phase[snapshot["phase"]].append(snapshot)
    phase_ms = turn["phase_ms"]
    waits = []
    for phase, seen in sorted(by_phase.items()):
        if turn["wall_ns"] / 1e6 - phase * phase_ms < 2 * turn["aggr_us"] / 1000:
            continue  # the last window ended a little after the turn, as if one more phase had begun
        found = next((s["at_ms"] for s in seen if f1(s) >= FOUND_F1), None)
        waits.append(None if found is None else (found - phase * phase_ms) * 1000 / turn["aggr_us"])
    return waits


def values_of(turn, snapshots, unwatched):
    """What one turn showed."""
    waits = waits_until_found(snapshots, turn)
    return {
        "f1": statistics.mean(map(f1, snapshots)) if snapshots else 0.0,
        "best": max(map(f1, snapshots), default=0.0),
        "set_error": median([abs(s["touched"] - s["hot"]) / s["hot"] for s in snapshots]),
        "start": waits[0] if waits else None,
        "start_found": float(bool(waits) and waits[0] is not None),
        "changes": len(waits) - 1,
        "changes_found": sum(wait is not None for wait in waits[1:]),
        "change": median(waits[1:]),
        "regions": median([s["regions"] for s in snapshots]),
        "cpu_share": turn["cpu_ns"] / turn["wall_ns"],
        "windows": turn["windows"] * turn["aggr_us"] * 1000 / turn["wall_ns"],
        "ns_per_sample": turn["cpu_ns"] / turn["samples"] if turn["samples"] else None,
        "slowdown": turn["program_cpu_ns"] / turn["accesses"] / unwatched - 1,
    }


def gather(path):
    """{pattern: {monitor: {value: median over the repeats}}}, and how each monitor sees accesses."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    snapshots = collections.defaultdict(list)
    for line in lines:
        if line["kind"] == "snapshot":
            snapshots[line["pattern"], line["monitor"], line["repeat"]].append(line)
    turns = [line for line in lines if line["kind"] == "turn"]
    patterns, how = {}, {}
    for pattern in dict.fromkeys(turn["pattern"] for turn in turns):
        rates = {t["repeat"]: t["program_cpu_ns"] / t["accesses"] for t in turns if (t["pattern"], t["monitor"]) == (pattern, "none")}
        of_monitor = collections.defaultdict(list)
        for turn in turns:
            if turn["pattern"] != pattern or turn["monitor"] == "none":
                continue
            seen = snapshots[pattern, turn["monitor"], turn["repeat"]]
            of_monitor[turn["monitor"]].append(values_of(turn, seen, rates[turn["repeat"]]))
            how[turn["monitor"]] = turn["how"]
        patterns[pattern] = {
            monitor: {key: median([run[key] for run in runs]) for key in runs[0]} for monitor, runs in of_monitor.items()
        }
        for monitor, runs in of_monitor.items():  # a median of those that found it would hide those that did not
            patterns[pattern][monitor]["missed"] = sum(not run["start_found"] for run in runs)
            patterns[pattern][monitor]["runs"] = len(runs)
    return patterns, how


def shown(value, form):
    return "-" if value is None else form.format(value)


def waits_text(values):
    at_start = shown(values["start"], "{:.0f}")
    if values["missed"]:
        at_start += f" (in {values['runs'] - values['missed']} of {values['runs']} runs)"
    if not values["changes"]:
        return at_start
    return f"{at_start}; {shown(values['change'], '{:.0f}')} ({values['changes_found']:.0f} of {values['changes']:.0f})"


def both(kernel, library, key, form):
    return f"{shown(kernel[key], form)} / {shown(library[key], form)}"


def accuracy_table(patterns):
    rows = ["| pattern | F1 | best F1 | working-set error | windows until found | regions |", "| --- | --- | --- | --- | --- | --- |"]
    for name, of in patterns.items():
        if name.startswith("regions"):
            continue
        kernel, library = of["kernel"], of["library"]
        rows.append(
            f"| {name} | {both(kernel, library, 'f1', '{:.3f}')} | {both(kernel, library, 'best', '{:.3f}')} "
            f"| {both(kernel, library, 'set_error', '{:.1%}')} | {waits_text(kernel)} / {waits_text(library)} "
            f"| {both(kernel, library, 'regions', '{:.0f}')} |"
        )
    return rows


def cost_table(patterns):
    rows = ["| pattern | CPU of the monitor | CPU a sample, ns | ratio | slow-down | windows kept |", "| --- | --- | --- | --- | --- | --- |"]
    for name, of in patterns.items():
        kernel, library = dict(of["kernel"]), of["library"]
        if name.startswith("regions"):
            kernel["ns_per_sample"] = kernel["cpu_share"] * 5e6 / kernel["regions"] / kernel["windows"]
        ratio = library["ns_per_sample"] / kernel["ns_per_sample"] if kernel["ns_per_sample"] else None
        rows.append(
            f"| {name} | {both(kernel, library, 'cpu_share', '{:.1%}')} | {both(kernel, library, 'ns_per_sample', '{:.0f}')} "
            f"| {shown(ratio, '{:.2f}')} | {both(kernel, library, 'slowdown', '{:.1%}')} | {both(kernel, library, 'windows', '{:.0%}')} |"
        )
    return rows


def report(path, docs):
    patterns, how = gather(path)
    text = "\n".join([*accuracy_table(patterns), "", *cost_table(patterns), "", *(f"- {name}: {said}" for name, said in how.items())])
    print(text)
    if docs:
        before, rest = PAGE.read_text().split(MARKERS[0])
        PAGE.write_text(f"{before}{MARKERS[0]}\n{text}\n{MARKERS[1]}{rest.split(MARKERS[1])[1]}")


if __name__ == "__main__":
    report(pathlib.Path(sys.argv[1]), "--docs" in sys.argv[2:])
