#!/usr/bin/python3
"""Runs inside of the virtual machine: programs with a cold part, alone, with the kernel's DAMON_RECLAIM, and with the agent's
scheme that pages out what was not accessed for five seconds, or for ten or thirty ("library10", "library30"). Prints one JSON object for each. See proactive_reclaim.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sys
import tempfile
import time

HOME = "/usr/lib/damon-effects"
sys.path[:0] = [HOME, HOME + "/packages"]

from workloads import Lines, Redis, memory_of, times_of  # noqa: E402

from damon.agent_page import AgentPage  # noqa: E402
from damon.cli.run import environment  # noqa: E402
from damon.params import AccessPattern, Attrs, Scheme  # noqa: E402

MIB = 1 << 20
SAMPLE_US, AGGR_US, COLD_US = 5_000, 100_000, 5_000_000
WARM_S, SECONDS = int(os.environ.get("EFFECTS_WARM_S", "60")), 20
RECLAIM = pathlib.Path("/sys/module/damon_reclaim/parameters")


def parameter(name, value):
    (RECLAIM / name).write_text(str(value), encoding="ascii")


class Kernel:
    """DAMON_RECLAIM with the same intervals, whatever the free memory."""

    def __init__(self, _):
        for name, value in {"min_age": COLD_US, "sample_interval": SAMPLE_US, "aggr_interval": AGGR_US, "min_nr_regions": 10, "max_nr_regions": 1000,
                            "quota_ms": 0, "quota_sz": 1 << 30, "quota_reset_interval_ms": 1000, "wmarks_high": 1000, "wmarks_mid": 1000,
                            "wmarks_low": 0, "wmarks_interval": 1_000_000, "enabled": "Y"}.items():
            parameter(name, value)
        self._pid = (RECLAIM / "kdamond_pid").read_text(encoding="ascii").strip()

    def close(self):
        parameter("enabled", "N")

    def cpu(self):
        with open(f"/proc/{self._pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9

    def acted(self):
        return [int((RECLAIM / name).read_text(encoding="ascii")) for name in ("bytes_reclaim_tried_regions", "bytes_reclaimed_regions")]


class Library:
    def __init__(self, pid):
        self._page = AgentPage.open(pid)

    def close(self):
        self._page.close()

    def cpu(self):
        found = self._page.snapshot()
        return (found.stats.cpu_ns + found.agent_cpu_ns) / 1e9

    def acted(self):
        stat = self._page.snapshot().schemes[0].stat
        return [stat.sz_tried, stat.sz_applied]


class Nobody:
    def __init__(self, _):
        pass

    def close(self):
        pass

    def cpu(self):
        """CPU seconds so far."""
        return 0.0

    def acted(self):
        """Bytes that were tried, and that were paged out."""
        return [0, 0]


RECLAIMERS = {"nobody": Nobody, "kernel": Kernel, "library": Library}


def subjects():
    programs = HOME + "/programs"
    return {
        "redis": Redis(100_000, 1000, requests=2_000, pause_s=1.0),
        "sqlite": Lines("/usr/bin/python3", programs + "/lookups.py", 300_000, 10, 1000),
        "numpy": Lines("/usr/bin/python3", programs + "/sparse.py", 160, 10, 1, 1000),
        "java": Lines(os.environ.get("EFFECTS_JAVA", "/usr/bin/java"), "-Xshare:auto", "-XX:+UseSerialGC", "-Xms256m", "-Xmx256m", "-cp", programs, "Updates", 160, 10, 1000),
    }


def major_faults(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rsplit(")", 1)[1].split()[9])


def measure(name, subject, who):
    variables = dict(os.environ)
    reclaimer_of, cold_us = RECLAIMERS[who.rstrip("0123456789")], int("".join(filter(str.isdecimal, who)) or 0) * 1_000_000 or COLD_US
    if who.startswith("library"):
        cold = Scheme(action="pageout", pattern=AccessPattern(max_nr_accesses=0), min_age_us=cold_us)
        variables |= environment(Attrs(sample_us=SAMPLE_US, aggr_us=AGGR_US), [cold])
    with subject.started(variables) as (pid, work):
        before = memory_of(pid)[0]
        with contextlib.closing(reclaimer_of(pid)) as reclaimer:
            work(WARM_S)
            own, spent, faults, began = reclaimer.cpu(), times_of(pid), major_faults(pid), time.monotonic()
            resident, units = [], 0
            for _ in range(SECONDS):
                units += work(1)
                resident.append(memory_of(pid)[0])
            own, spent, faults, seconds = (reclaimer.cpu() - own, times_of(pid) - spent, major_faults(pid) - faults, time.monotonic() - began)
            tried, applied = reclaimer.acted()
    if who.startswith("library"):
        spent -= own  # it is one of the process's threads
    print(json.dumps({"program": name, "who": who, "before_mib": before, "resident_mib": sum(resident) / len(resident), "units": units,
                      "cpu_us_a_unit": 1e6 * spent / units, "seconds": seconds, "monitor_cpu_s": own, "major_faults": faults,
                      "tried_mib": tried / MIB, "applied_mib": applied / MIB}), flush=True)


def main():
    os.environ.update({"PATH": "/usr/bin:/bin", "HOME": "/tmp", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": HOME + "/packages", "NUMPY_MADVISE_HUGEPAGE": "0",
                       "DAMON_AGENT_LIBRARY": HOME + "/libdamon_agent.so", "DAMON_AGENT_DIR": tempfile.mkdtemp()})
    os.system("ip link set lo up")
    known = subjects()
    for name in os.environ.get("EFFECTS_PROGRAMS", ",".join(known)).split(","):
        for who in os.environ.get("EFFECTS_WHO", "nobody,kernel,library,library10,library30").split(","):
            if who == "kernel" and not RECLAIM.exists():
                continue
            try:
                measure(name, known[name], who)
            except (Exception, SystemExit) as error:  # the others are still worth having
                print(json.dumps({"program": name, "who": who, "error": repr(error)}), flush=True)


if __name__ == "__main__":
    main()
