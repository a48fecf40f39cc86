#!/usr/bin/env python3
"""What monitoring does for allocators, collectors and programs, and what it costs them: docs/effects.md.

    run.py BUILD_FOLDER [--runs 5] [collector] [subrelease] [huge_pages] [reclaim] [slowdown]

Runs of each kind in turn, medians and quartiles, as tables in Markdown. `./dev bench --effects` builds what they need.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def in_turn(commands, runs, environment=None):
    """{name: [what each run printed]}"""
    found = {name: [] for name in commands}
    for turn in range(runs):
        names = list(commands) if turn % 2 == 0 else list(commands)[::-1]
        for name in names:
            ran = subprocess.run(commands[name], env={**os.environ, **(environment or {})}, check=True, capture_output=True, text=True)
            found[name].append(json.loads(ran.stdout))
    return found


def told(values, digits=1):
    if digits < 0:  # in thousands
        values, digits = [value / 1000 for value in values], 0
    middle = f"{statistics.median(values):,.{digits}f}"
    if len(values) < 4:
        return middle
    low, _, high = statistics.quantiles(values, n=4)
    return f"{middle} ({low:,.{digits}f} to {high:,.{digits}f})"


def table(found, columns):
    """columns: {title: (member, digits)}"""
    print("| | " + " | ".join(columns) + " |\n" + "| --- " * (len(columns) + 1) + "|")
    for name, runs in found.items():
        cells = [told([run[member] for run in runs], digits) for member, digits in columns.values()]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def collector(build, runs):
    print(f"\nA collector of our own, {runs} runs each in turn, 10 s:\n")
    program = str(build / "bench" / "effects" / "collector")
    names = {"no monitor": "none", "monitor that sees collections": "running", "monitor paused during collections": "paused"}
    table(in_turn({name: [program, mode, "10"] for name, mode in names.items()}, runs),
          {"heap before, MiB": ("resident_before_mib", 0), "after, MiB": ("resident_after_mib", 1),
           "a collection, ms": ("collection_ms", 1), "pause and resume, us": ("pause_and_resume_us", 0),
           "longest, us": ("longest_us", 0), "1,000 operations/s": ("operations_per_second", -3), "monitor's CPU, ms": ("monitor_cpu_ms", 0)})


def subrelease(build, runs):
    print(f"\nStale-page subrelease, {runs} runs each in turn, 18 s:\n")
    library = build / "lib"
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "subrelease"
        words = ["cc", "-O2", f"-I{HERE.parent.parent / 'include'}", HERE / "subrelease.c", "-o", program, library / "libdamon.so",
                 f"-Wl,-rpath,{library}", "-ljemalloc", "-lpthread"]
        if subprocess.run(words, check=False).returncode != 0:
            print("| not built: libjemalloc-dev is not installed |")
            return
        commands = {f"decay of {ms:,} ms": [program, "decay", str(ms), "18"] for ms in (10_000, 1_000, 200)}
        commands |= {f"idle for {ms:,} ms, as damon_query_range() tells": [program, "query", str(ms), "18"] for ms in (1_000, 500)}
        table(in_turn(commands, runs, {"MALLOC_CONF": "retain:false"}),
              {"mean resident MiB": ("mean_mib", 1), "most": ("most_mib", 1), "1,000 operations/s": ("operations_per_second", -3),
               "page faults/s": ("faults_per_second", 0), "CPU s": ("cpu_seconds", 2)})


def with_agent(build):
    return {**os.environ, "DAMON_AGENT_LIBRARY": str(build / "tools" / "agent" / "libdamon_agent.so")}


def slowdown(build, runs):
    print("\nPrograms that nobody changed, the agent at its defaults:\n", flush=True)
    subprocess.run([sys.executable, "-B", HERE / "slowdown.py", "--pairs", str(2 * runs + 1), "--control"], check=True, env=with_agent(build))


def huge_pages(build, runs):
    print(f"\nHuge pages where memory is hot, {runs} runs each in turn, 8 s after 12 s:\n", flush=True)
    subprocess.run([sys.executable, "-B", HERE / "huge_pages.py", "--runs", str(runs)], check=True, env=with_agent(build))


def reclaim(build, _):
    print("\nProactive reclaim in the virtual machine, 10 s after 15 s:\n", flush=True)
    subprocess.run([sys.executable, "-B", HERE / "proactive_reclaim.py", build, build / "proactive-reclaim.jsonl"], check=True)


PARTS = {"collector": collector, "subrelease": subrelease, "huge_pages": huge_pages, "reclaim": reclaim, "slowdown": slowdown}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS), help="default: all")
    options = parser.parse_intermixed_args()
    options.parts = options.parts or list(PARTS)
    if unknown := set(options.parts).difference(PARTS):
        parser.error(f"there is no part '{unknown.pop()}'; there are {', '.join(PARTS)}")
    load = os.getloadavg()
    print(f"Linux {os.uname().release}, {os.cpu_count()} processors, load {load[0]:.1f} at the beginning")
    for name in options.parts:
        PARTS[name](options.build.resolve(), options.runs)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
