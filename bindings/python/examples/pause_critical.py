"""No monitoring while it matters: pausing costs nothing and forgets nothing. Run: python pause_critical.py"""

import time

import damon

MIB = 1 << 20


def busy(memory: memoryview, seconds: float) -> int:
    rounds, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        bytes(memory[: 8 * MIB : 4096])
        rounds += 1
    return rounds


def main() -> None:
    memory = memoryview(damon.shared_memory(64 * MIB))
    with damon.monitor_self(memory, sample_us=1_000, aggr_us=20_000) as ctx:
        watched = busy(memory, 0.5)
        with ctx.paused():  # returns once every page is disarmed
            before = ctx.stats.nr_samples
            unwatched = busy(memory, 0.5)
            samples = ctx.stats.nr_samples - before
            age = max(region.age for region in ctx.snapshot())
        busy(memory, 0.1)
        print(f"rounds while watched {watched}, while paused {unwatched}; samples while paused: {samples}")
        print(f"oldest region before: {age} windows, after: {max(region.age for region in ctx.snapshot())}")


if __name__ == "__main__":
    main()
