"""Page out what is cold, at most 256 MiB a second: tried on a simulated machine, where a minute takes no minute.

Run: python pageout_quota.py
"""

import damon
from damon import sim

GIB, MIB, SECOND = 1 << 30, 1 << 20, 1_000_000

POLICY = damon.Scheme(
    action=damon.Action.PAGEOUT,
    pattern=damon.AccessPattern(max_nr_accesses=0, min_age=20),  # not accessed for 20 windows of 100 ms
    quota=damon.Quota(sz=256 * MIB, reset_interval_ms=1_000, weight_age=1),  # the oldest first
)


def main() -> None:
    machine = sim.Simulator(seed=1)
    machine.add_range(end=8 * GIB)
    machine.add_pattern(end=1 * GIB)  # each page a thousand times a second
    machine.add_pattern(start=1 * GIB, end=2 * GIB, rate_millihz=100)  # each page every 10 seconds
    with machine.context(schemes=[POLICY], seed=1) as ctx:
        for _ in range(6):
            ctx.advance(10 * SECOND)
            stat, done = machine.stat(), ctx.scheme_stat(0)
            print(
                f"{stat.now_us // SECOND:3} s: {stat.resident_bytes / GIB:.2f} GiB resident, "
                f"{done.sz_applied / GIB:.2f} GiB paged out, {stat.refault_bytes / MIB:.0f} MiB came back, "
                f"programs waited {stat.stall_ns / 1e6:.0f} ms for it"
            )
    # The same scheme on memory of one's own: damon.monitor_self(array, schemes=[POLICY])


if __name__ == "__main__":
    main()
