"""A record of a simulated program: 64 MiB, of which the first 8 MiB are in use, and 8 MiB in the middle for a while."""

from __future__ import annotations

import pathlib
from typing import Any

import damon
from damon import records, sim

MIB = 1 << 20
BASE = 1 << 30
WALL_NS = 1_700_000_000_000_000_000
HOT = (BASE, BASE + 8 * MIB)
LATER = (BASE + 32 * MIB, BASE + 40 * MIB)
MAPPINGS = (records.Mapping(BASE, BASE + 32 * MIB, "rw-p", "[heap]"),
            records.Mapping(BASE + 32 * MIB, BASE + 64 * MIB, "rw-s", "/dev/shm/cache"))


def simulated(path: pathlib.Path, seconds: int = 10, **options: Any) -> pathlib.Path:
    """Ten windows a second; the part in the middle is used in the second half. What lies idle for 3 s is paged out."""
    machine = sim.Simulator(seed=1)
    machine.add_range(start=BASE, end=BASE + 64 * MIB)
    machine.add_pattern(start=HOT[0], end=HOT[1])
    machine.add_pattern(start=LATER[0], end=LATER[1], begin_us=seconds * 500_000)
    cold = damon.Scheme(action="pageout", pattern=damon.AccessPattern(max_nr_accesses=0, min_age=30))
    with machine.context(schemes=[cold], seed=1) as ctx:
        with records.record(ctx, path, **{"wall_ns": WALL_NS, "labels": {"service": "toy"}, **options}) as recorder:
            recorder.writer.mappings(MAPPINGS, 0)
            ctx.advance(seconds * 1_000_000)
    return path
