#!/usr/bin/env python3
"""Gathers the output of the benchmarks: collect.py RESULTS_DIR OUT.json [--docs]

Prints a table of what is to be reached and what was; --docs writes it into docs/benchmarks.md, between its markers.
"""
import json
import pathlib
import platform
import re
import sys

MARKERS = ("<!-- results: begin -->", "<!-- results: end -->")


def google_benchmarks(path):
    values = {}
    if not path.exists() or path.stat().st_size == 0:
        return values
    for run in json.loads(path.read_text())["benchmarks"]:
        if run.get("error_occurred"):
            continue
        name = run["name"].removesuffix("/iterations:200")
        for key in ("items_per_second", "ns_per_sample", "bytes_per_region", "regions", "unknown"):
            if key in run:
                scale = 1e9 if key == "ns_per_sample" else 1
                values[f"{name}.{key}"] = {"value": run[key] * scale, "unit": "ns" if scale != 1 else key}
        values[f"{name}.cpu_time"] = {"value": run["cpu_time"], "unit": run["time_unit"]}
    return values


def counted(folder, stem):
    """(instructions, events) by which the longer run of a program exceeds the shorter one; None where it did not run."""
    counts = {}
    for log in folder.glob(f"{stem}.*.log"):
        length = log.name.split(".")[1]
        collected = re.search(r"Collected\s*:\s*(\d+)", log.read_text())
        events = (folder / f"{stem}.{length}.samples").read_text().split()
        if collected and events:
            counts[int(length)] = (int(collected[1]), int(events[0]))
    if len(counts) < 2:
        return None
    (few, many) = (counts[min(counts)], counts[max(counts)])
    return many[0] - few[0], many[1] - few[1]


# By the numbers of bench/scheme_pass.h.
PASSES = ("nothing_matches", "all_match", "all_ranked", "all_rejected")


def instructions(folder):
    values = {}
    sampling = counted(folder, "instructions")
    if sampling:
        values["instructions_per_region_sample"] = {"value": sampling[0] / sampling[1], "unit": "instructions"}
    without = counted(folder, "applynone")
    for kind, name in enumerate(PASSES):
        passes = counted(folder, f"apply{kind}")
        if passes and without:
            value = (passes[0] - without[0]) / passes[1]
            values[f"apply_instructions.{name}"] = {"value": value, "unit": "instructions a region x scheme"}
    return values


def apply_times(values):
    for kind, name in enumerate(PASSES):
        passes = values.get(f"ApplyWalk/kind:{kind}.items_per_second")
        if passes:
            values[f"apply_ns.{name}"] = {"value": 1e9 / passes["value"], "unit": "ns a region x scheme"}


def python(path):
    if not path.exists():
        return {}
    cost = json.loads(path.read_text())
    values = {
        "python.snapshot_over_c": {"value": cost["snapshot_over_c_us"], "unit": "us"},
        "python.call_over_c": {"value": cost["call_ratio"], "unit": "ratio"},
    }
    for side in ("c", "python"):
        values.update({f"{side}.{name}": {"value": ns, "unit": "ns"} for name, ns in cost[side].items()})
    return values


def limit(path):
    """What gives way where the limit binds: a mean over 10, 100 and 1,000 regions for each way."""
    sums = {}
    for row in json.loads(path.read_text())["rows"]:
        sums.setdefault((row["way"], row["limit_permil"]), []).append(row)
    return {f"limit.{permil}_permil.{way}.{what}": {"value": sum(row[what] for row in rows) / len(rows), "unit": unit}
            for (way, permil), rows in sums.items() for what, unit in (("f1", "F1"), ("find_s", "s"))}


def gather(folder):
    values = {}
    for name in ("engine_bench", "access_bench", "apply_bench"):
        values.update(google_benchmarks(folder / f"{name}.json"))
    apply_times(values)
    values.update(instructions(folder))
    values.update(limit(folder / "limit.json"))
    for name in ("runtime", "reclaim"):
        for line in (folder / f"{name}.jsonl").read_text().splitlines():
            entry = json.loads(line)
            values[entry["name"]] = {"value": entry["value"], "unit": entry["unit"]}
    values.update(python(folder / "python.json"))
    cheapest = values.get("TwoBareSystemCalls.cpu_time")
    for name in list(values):
        if not name.startswith("Sampling/") or not name.endswith(".ns_per_sample"):
            continue
        bare = values.get(name.replace("Sampling/", "Bare/"))
        for other, suffix in ((bare, ".over_bare"), (cheapest, ".over_cheapest")):
            if other:
                ratio = values[name]["value"] / other["value"]
                values[name.replace(".ns_per_sample", suffix)] = {"value": ratio, "unit": "ratio"}
    return values


# What is to be reached, in the order of the table: text, value's name, limit, whether more is better, format.
GOALS = [
    ("virtual intervals/s, default attributes", "IntervalsAtDefaults.items_per_second", 1e6, True, "{:,.0f}"),
    ("region-samples/s at 1,000 regions", "RegionSamples/1000.items_per_second", 100e6, True, "{:,.0f}"),
    ("instructions a region-sample (counted)", "instructions_per_region_sample", None, None, "{:.1f}"),
    ("1,000 regions x 8 schemes, no pattern matches, ns each", "apply_ns.nothing_matches", None, None, "{:.1f}"),
    ("1,000 regions x 8 schemes x 8 filters, all match, ns each", "apply_ns.all_match", None, None, "{:.1f}"),
    ("the same with a quota: ranked first, ns each", "apply_ns.all_ranked", None, None, "{:.1f}"),
    ("the same, refused by the last filter, ns each", "apply_ns.all_rejected", None, None, "{:.1f}"),
    ("instructions of these (counted): no match", "apply_instructions.nothing_matches", None, None, "{:.0f}"),
    ("instructions: all match", "apply_instructions.all_match", None, None, "{:.0f}"),
    ("instructions: ranked first", "apply_instructions.all_ranked", None, None, "{:.0f}"),
    ("instructions: refused by the last filter", "apply_instructions.all_rejected", None, None, "{:.0f}"),
    ("bytes a region, reserved at start (engine)", "RegionSamples/1000.bytes_per_region", 96, False, "{:.0f}"),
    ("snapshot read, 1,000 regions, us", "snapshot_read", 10, False, "{:.2f}"),
    ("call round trip while paused, us", "call_round_trip.paused", None, None, "{:.1f}"),
    ("Python: snapshot of 1,000 regions over C, us", "python.snapshot_over_c", 20, False, "{:.2f}"),
    ("Python: call round trip while paused over C", "python.call_over_c", 2, False, "{:.2f}"),
    ("paused: worker CPU, ns in 2 s", "paused.worker_cpu", None, None, "{:.0f}"),
    ("paused: wake-ups in 2 s", "paused.wakeups", 0, False, "{:.0f}"),
    ("CPU an interval, 1 TiB sparse over 1 GiB", "interval_cpu.1TiB_over_1GiB", 1.2, False, "{:.2f}"),
    ("slow-down, private memory, defaults, %", "slowdown.private_defaults", 2, False, "{:.2f}"),
    ("slow-down, private memory, intervals goal, %", "slowdown.private_tuned", 0.5, False, "{:.2f}"),
    ("slow-down, shared memory, defaults, %", "slowdown.shared_defaults", 2, False, "{:.2f}"),
    ("slow-down, shared memory, intervals goal, %", "slowdown.shared_tuned", 0.5, False, "{:.2f}"),
    ("reclaim of file-backed memory in 1 % of the time, bytes/s", "reclaim.bytes_per_s", None, None, "{:,.0f}"),
    ("slow-down while the cold part is reclaimed, %", "slowdown.reclaim", None, None, "{:.2f}"),
    ("the same, CPU time an access, %", "slowdown.reclaim_cpu", None, None, "{:.2f}"),
    ("the same program monitored without schemes, CPU time, %", "slowdown.reclaim_monitored_only_cpu", None, None, "{:.2f}"),
    ("slow-down, paused over stopped, %", "slowdown.shared_paused_over_stopped", None, None, "{:.2f}"),
]


def table(values):
    rows = ["| what | to reach | measured | |", "| --- | --- | --- | --- |"]
    for text, name, limit, more, form in GOALS:
        if name not in values:
            rows.append(f"| {text} | {'' if limit is None else form.format(limit)} | not measured here | |")
            continue
        value = values[name]["value"]
        goal, verdict = "", ""
        if limit is not None:
            goal = (">= " if more else "<= ") + form.format(limit)
            verdict = "reached" if (value >= limit if more else value <= limit) else "not reached"
        rows.append(f"| {text} | {goal} | {form.format(value)} | {verdict} |")
    checks = {"1": "uffd_rwp", "2": "zap", "3": "uffd_wp"}
    for name in sorted(values, key=lambda n: [int(x) for x in re.findall(r"\d+", n)] if n.startswith("Sampling") else []):
        found = re.fullmatch(r"(Sampling/check:(\d)/samples:(\d+)/MiB:(\d+))\.over_bare", name)
        if found:
            ns, cheapest = (values[f"{found[1]}.{what}"]["value"] for what in ("ns_per_sample", "over_cheapest"))
            value = values[name]["value"]
            verdict = "reached" if value <= 2 else "not reached"
            rows.append(f"| {checks[found[2]]}, {found[3]} samples over {found[4]} MiB: CPU a sample over its two bare calls "
                        f"| <= 2.00 | {value:.2f} ({ns:.0f} ns, {cheapest:.1f} times two getppid()) | {verdict} |")
    for kind in ("private", "shared"):
        for regions in (10, 100, 1000):
            name = f"worker_cpu.{kind}.{regions}_regions"
            if name in values:
                rows.append(f"| worker CPU, program idle, {kind} memory, {regions} regions, % of a core | "
                            f"| {values[name]['value']:.2f} | |")
    return "\n".join(rows)


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    values = gather(folder)
    out.write_text(json.dumps({"kernel": platform.release(), "machine": platform.machine(), "values": values}, indent=1))
    text = table(values)
    print(text)
    if "--docs" in sys.argv[3:]:
        page = pathlib.Path("docs/benchmarks.md")
        before, rest = page.read_text().split(MARKERS[0])
        after = rest.split(MARKERS[1])[1]
        page.write_text(f"{before}{MARKERS[0]}\n{text}\n{MARKERS[1]}{after}")


if __name__ == "__main__":
    main()
