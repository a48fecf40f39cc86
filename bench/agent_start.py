"""What the agent costs a program that ends at once: /bin/true with and without it, in turn.

    bench/agent_start.py build/release/tools/agent/libdamon_agent.so [runs]

Prints the 10 % quantile and the median of both, in microseconds, and their ratios; and the same of the CPU time that the
program took with all of its threads, which says more on a busy machine. Aim: at most 1.3.
"""

import os
import pathlib
import sys
import time


def one(environment):
    """(nanoseconds, of CPU time)"""
    begin = time.perf_counter_ns()
    pid = os.posix_spawn("/bin/true", ["true"], environment)
    _, _, usage = os.wait4(pid, 0)
    return time.perf_counter_ns() - begin, round((usage.ru_utime + usage.ru_stime) * 1e9)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    agent, runs = pathlib.Path(sys.argv[1]).resolve(strict=True), int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    plain = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    preloaded = {**plain, "LD_PRELOAD": str(agent)}
    times = {"without": [], "with": []}
    for _ in range(runs):
        times["without"].append(one(plain))
        times["with"].append(one(preloaded))
    for kind, of in (("time", 0), ("CPU", 1)):
        without, with_agent = (sorted(one[of] for one in times[name]) for name in ("without", "with"))
        for name, place in (("10 %", runs // 10), ("median", runs // 2)):
            print(f"{kind:<5} {name:<7} without {without[place] / 1000:7.0f} us   with {with_agent[place] / 1000:7.0f} us   "
                  f"ratio {with_agent[place] / without[place]:.2f}")


if __name__ == "__main__":
    main()
