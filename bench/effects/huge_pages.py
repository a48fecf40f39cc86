"""Huge pages where memory is hot: never, for all memory, and by the agent's schemes for what it finds hot.

    huge_pages.py [--runs 3] [--warm 12] [--seconds 8] [PROGRAM...]      PROGRAM: redis, java, sqlite, numpy

A program works in units of equal work. After `--warm` seconds, in which the monitor learns and acts, its CPU time a unit
is measured for `--seconds`, the monitor's own time included, and what is resident at the end. Runs of each kind in turn.

never:   prctl(PR_SET_THP_DISABLE).
all:     the program asks for huge pages itself: jemalloc's thp:always, glibc's glibc.malloc.hugetlb=1, Java's
         -XX:+UseTransparentHugePages, NumPy's own advice.
guided:  nothing is asked for; schemes with HUGEPAGE and COLLAPSE act on regions of 2 MiB and more that are accessed.

The system's own setting must not be "always" (the kernel would not ask); nothing of the system is changed.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import os
import pathlib
import shutil
import statistics
import sys
import tempfile

from workloads import PROGRAMS, Lines, Redis, memory_of, times_of

from damon.cli.run import environment
from damon.params import AccessPattern, Attrs, Scheme

PR_SET_THP_DISABLE = 41
HOT = AccessPattern(min_sz=2 << 20, min_nr_accesses=1)
SCHEMES = [Scheme(action=action, pattern=HOT) for action in ("hugepage", "collapse")]
LIBC = ctypes.CDLL(None)


@dataclasses.dataclass
class Subject:
    program: object
    needed: str  # a command, or ""
    asking: dict[str, str]  # variables with which it asks for huge pages
    asking_options: tuple[str, ...] = ()
    quiet: dict[str, str] = dataclasses.field(default_factory=dict)  # variables with which it does not


@dataclasses.dataclass
class Measured:
    cpu_us: float  # a unit
    resident_mib: float
    huge_mib: float


def without_huge_pages():
    if LIBC.prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0:
        os._exit(125)


def subjects():
    glibc = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    java = Lines("java", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:G1HeapRegionSize=4m", PROGRAMS / "Updates.java")
    return {
        "redis": Subject(Redis(1_000_000, 400, halved=True), "redis-server", {"MALLOC_CONF": "thp:always"}),
        "java": Subject(java, "java", {}, ("-XX:+UseTransparentHugePages",)),
        "sqlite": Subject(Lines(sys.executable, PROGRAMS / "lookups.py"), "", glibc),
        "numpy": Subject(Lines(sys.executable, PROGRAMS / "sparse.py", 1024), "", {**glibc, "NUMPY_MADVISE_HUGEPAGE": "1"},
                         quiet={"NUMPY_MADVISE_HUGEPAGE": "0"}),
    }


def measure(subject, mode, warm, seconds):
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("DAMON_", "LD_PRELOAD"))}
    variables |= subject.asking if mode == "all" else subject.quiet
    with tempfile.TemporaryDirectory() as folder:
        if mode == "guided":
            os.environ["DAMON_AGENT_DIR"] = folder
            variables |= environment(Attrs(), SCHEMES)
        options = subject.asking_options if mode == "all" else ()
        with subject.program.started(variables, options, without_huge_pages if mode == "never" else None) as (pid, work):
            work(warm)
            before = times_of(pid)
            units = work(seconds)
            spent = times_of(pid) - before
            resident, huge = memory_of(pid)
    return Measured(1e6 * spent / units, resident, huge)


def told(values, digits=0):
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def table(name, found):
    never = statistics.median(run.cpu_us for run in found["never"])
    for mode, runs in found.items():
        saved = 100 * (1 - statistics.median(run.cpu_us for run in runs) / never)
        print(f"| {name}, {mode} | {told([run.cpu_us for run in runs])} | {'' if mode == 'never' else f'{saved:+.1f} %'} | "
              f"{told([run.resident_mib for run in runs])} | {told([run.huge_mib for run in runs])} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--warm", type=float, default=12)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    options = parser.parse_args()
    if "[always]" in pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(encoding="ascii"):
        raise SystemExit("the kernel gives huge pages to all programs here (transparent_hugepage/enabled is 'always'): nothing to guide")
    known = subjects()
    if unknown := set(options.programs).difference(known):
        parser.error(f"there is no program '{unknown.pop()}'; there are {', '.join(known)}")
    print("| | CPU time a unit, us | less than never | resident, MiB | of it huge, MiB |\n| --- | --- | --- | --- | --- |")
    for name in options.programs or known:
        subject = known[name]
        if subject.needed and not shutil.which(subject.needed):
            print(f"| {name} | {subject.needed} is not installed | | | |", flush=True)
            continue
        modes = ("never", "all", "guided")
        found = {mode: [] for mode in modes}
        for turn in range(options.runs):
            for mode in modes if turn % 2 == 0 else modes[::-1]:
                found[mode].append(measure(subject, mode, options.warm, options.seconds))
        table(name, found)


if __name__ == "__main__":
    main()
