"""What the binding costs over the same calls in C; prints JSON. The argument is a libdamon.a.

    python bench/cost.py build/release/lib/libdamon.a
"""

from __future__ import annotations

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable

import damon

HERE = pathlib.Path(__file__).resolve().parent
HEADERS = HERE.parents[2] / "include"
REGIONS, ROUNDS = 1000, 2000


def measure_c(library: str) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "cost")
        command = ["cc", "-O2", f"-I{HEADERS}", str(HERE / "cost.c"), library, "-lpthread", "-o", str(program)]
        subprocess.run(command, check=True)
        ran = subprocess.run([program], check=True, capture_output=True, text=True)
    found: dict[str, int] = json.loads(ran.stdout)
    return found


def median_ns(function: Callable[[], Any]) -> int:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        function()
        times.append(time.perf_counter_ns() - begin)
    return round(statistics.median(times))


def nothing() -> None:
    pass


def context(manual: bool) -> damon.Context:
    ranges = tuple(((2 * i + 1) << 20, (2 * i + 2) << 20) for i in range(REGIONS))
    return damon.Context(targets=[damon.Target(ranges)], ops=damon.Operations(), manual=manual)


def measure_python() -> dict[str, int]:
    with context(manual=True) as manual:
        manual.advance(100_000)
        assert len(manual.snapshot()) == REGIONS
        found = {
            "snapshot_ns": median_ns(manual.snapshot),
            "snapshot_and_numpy_ns": median_ns(lambda: manual.snapshot().regions),
            "manual_call_ns": median_ns(lambda: manual.call(nothing)),
        }
    with context(manual=False) as threaded:
        threaded.pause()
        found["call_ns"] = median_ns(lambda: threaded.call(nothing))
    return found


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    c, python = measure_c(sys.argv[1]), measure_python()
    goals = {
        "snapshot_over_c_us": (python["snapshot_ns"] - c["snapshot_ns"]) / 1000,
        "call_ratio": round(python["call_ns"] / c["call_ns"], 2),
    }
    print(json.dumps({"c": c, "python": python, **goals}, indent=2))


if __name__ == "__main__":
    main()
