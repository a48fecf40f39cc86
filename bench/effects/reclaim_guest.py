#!/usr/bin/python3
"""Runs inside of the virtual machine: programs with a cold part, alone, with the kernel's DAMON_RECLAIM, and with the agent's
scheme that pages out what was not accessed for five seconds. Prints one JSON object for each. See proactive_reclaim.py.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import tempfile
import time

HOME = "/usr/lib/damon-effects"
sys.path[:0] = [HOME, HOME + "/packages"]
MIB = 1 << 20
COLD_US = 5_000_000
WARM_S, SECONDS = 25, 10
RECLAIM = pathlib.Path("/sys/module/damon_reclaim/parameters")


def parameter(name, value):
    (RECLAIM / name).write_text(str(value), encoding="ascii")


class Kernel:
    """DAMON_RECLAIM with the intervals of the library's defaults, whatever the free memory."""

    def __enter__(self):
        for name, value in {"min_age": COLD_US, "sample_interval": 5000, "aggr_interval": 100_000, "min_nr_regions": 10, "max_nr_regions": 1000,
                            "quota_ms": 0, "quota_sz": 1 << 30, "quota_reset_interval_ms": 1000, "wmarks_high": 1000, "wmarks_mid": 1000,
                            "wmarks_low": 0, "wmarks_interval": 1_000_000, "enabled": "Y"}.items():
            parameter(name, value)
        return self

    def __exit__(self, *_):
        parameter("enabled", "N")

    @staticmethod
    def acted():
        """Bytes that it tried and that it paged out."""
        return [int((RECLAIM / name).read_text(encoding="ascii")) for name in ("bytes_reclaim_tried_regions", "bytes_reclaimed_regions")]

    @staticmethod
    def cpu():
        """CPU seconds of its thread."""
        pid = (RECLAIM / "kdamond_pid").read_text(encoding="ascii").strip()
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9


class Nobody:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @staticmethod
    def acted():
        return [0, 0]

    @staticmethod
    def cpu():
        return 0.0


def subjects():
    from workloads import Lines, Redis

    programs = HOME + "/programs"
    return {
        "redis": Redis(100_000, 1000, requests=2_000, pause_s=0.2),
        "sqlite": Lines("/usr/bin/python3", programs + "/lookups.py", 300_000, 10, 200),
        "numpy": Lines("/usr/bin/python3", programs + "/sparse.py", 160, 10, 1, 200),
        "java": Lines("/usr/bin/java", "-Xshare:auto", "-XX:+UseSerialGC", "-Xms256m", "-Xmx256m", "-cp", programs, "Updates", 160, 10, 200),
    }


def major_faults(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rsplit(")", 1)[1].split()[9])


def measure(name, subject, who):
    from workloads import memory_of, times_of

    from damon.agent_page import AgentPage
    from damon.cli.run import environment
    from damon.params import AccessPattern, Attrs, Scheme

    variables = dict(os.environ)
    if who == "library":
        cold = Scheme(action="pageout", pattern=AccessPattern(max_nr_accesses=0), min_age_us=COLD_US)
        variables |= environment(Attrs(), [cold])
    with subject.started(variables) as (pid, work), (Kernel() if who == "kernel" else Nobody()) as other:
        before = memory_of(pid)[0]
        work(WARM_S)
        spent, faults, began = times_of(pid) + other.cpu(), major_faults(pid), time.monotonic()
        resident, units = [], 0
        for _ in range(SECONDS):
            units += work(1)
            resident.append(memory_of(pid)[0])
        spent = times_of(pid) + other.cpu() - spent
        own, (tried, applied) = other.cpu(), other.acted()
        if who == "library":
            with AgentPage.open(pid) as page:
                found = page.snapshot()
            own, stat = (found.stats.cpu_ns + found.agent_cpu_ns) / 1e9, found.schemes[0].stat
            tried, applied = stat.sz_tried, stat.sz_applied
        print(json.dumps({"program": name, "who": who, "before_mib": before, "resident_mib": sum(resident) / len(resident), "units": units,
                          "cpu_us_a_unit": 1e6 * spent / units, "seconds": time.monotonic() - began, "monitor_cpu_s": own,
                          "major_faults": major_faults(pid) - faults, "tried_mib": tried / MIB, "applied_mib": applied / MIB}), flush=True)


def main():
    os.environ.update({"PATH": "/usr/bin:/bin", "HOME": "/tmp", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": HOME + "/packages", "NUMPY_MADVISE_HUGEPAGE": "0",
                       "DAMON_AGENT_LIBRARY": HOME + "/libdamon_agent.so", "DAMON_AGENT_DIR": tempfile.mkdtemp()})
    os.system("ip link set lo up")
    known = subjects()
    for name in os.environ.get("EFFECTS_PROGRAMS", ",".join(known)).split(","):
        for who in os.environ.get("EFFECTS_WHO", "nobody,kernel,library").split(","):
            if who == "kernel" and not RECLAIM.exists():
                continue
            try:
                measure(name, known[name], who)
            except (Exception, SystemExit) as error:  # the others are still worth having
                print(json.dumps({"program": name, "who": who, "error": repr(error)}), flush=True)


if __name__ == "__main__":
    main()
