"""What the agent costs a program that ends at once: /bin/true with and without it, in turn.

    bench/agent_start.py build/release/tools/agent/libdamon_agent.so [runs]

Prints the 10 % quantile and the median of both, in microseconds, and their ratios. Aim: at most 1.3.
"""

import os
import pathlib
import sys
import time


def one(environment):
    begin = time.perf_counter_ns()
    pid = os.posix_spawn("/bin/true", ["true"], environment)
    os.waitpid(pid, 0)
    return time.perf_counter_ns() - begin


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
    for found in times.values():
        found.sort()
    for name, place in (("10 %", runs // 10), ("median", runs // 2)):
        without, with_agent = times["without"][place], times["with"][place]
        print(f"{name:<7} without {without / 1000:7.0f} us   with {with_agent / 1000:7.0f} us   "
              f"ratio {with_agent / without:.2f}")


if __name__ == "__main__":
    main()
