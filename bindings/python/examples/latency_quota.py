"""A cache drops its cold blocks, as fast as the latency of its requests allows. Run: python latency_quota.py

The quota of the scheme is tuned towards a goal whose value the program tells: while requests are faster than wanted, it
may drop more; as soon as they are slower, less.
"""

import random
import time
import zlib

import damon

BLOCK = 16 << 10
NR_BLOCKS = 2048
WANTED_US = 500


class Cache:
    """Blocks in one piece of memory; what was dropped is made again when it is asked for."""

    def __init__(self) -> None:
        self.buffer = damon.shared_memory(NR_BLOCKS * BLOCK)
        self.memory = memoryview(self.buffer)
        self.dropped: set[int] = set()

    def drop(self, region: damon.Region, scheme_idx: int) -> int:
        """The scheme's action, on the worker: drops the blocks that lie in the region."""
        first = -(-(region.start - self.buffer.address) // BLOCK)
        last = (region.end - self.buffer.address) // BLOCK
        blocks = set(range(max(first, 0), last)) - self.dropped
        self.dropped |= blocks
        return len(blocks) * BLOCK

    def request(self, block: int) -> int:
        if block in self.dropped:
            zlib.compress(bytes(BLOCK), 9)  # the work of making it again
            self.dropped.discard(block)
        return sum(self.memory[block * BLOCK : (block + 1) * BLOCK : 512])


def main() -> None:
    cache, chance = Cache(), random.Random(1)
    goal = damon.QuotaGoal(target_value=WANTED_US)
    scheme = damon.Scheme.calling(
        cache.drop,
        pattern=damon.AccessPattern(max_nr_accesses=0, min_age=3),
        quota=damon.Quota(sz=8 << 20, reset_interval_ms=20, goals=(goal,)),
    )
    with damon.monitor_self(cache.buffer, schemes=[scheme], sample_us=2_000, aggr_us=40_000) as ctx:
        for round_ in range(1, 61):
            begin = time.perf_counter()
            for _ in range(20):  # mostly the first blocks, now and then any
                cache.request(chance.randrange(32) if chance.random() < 0.9 else chance.randrange(NR_BLOCKS))
            latency_us = round((time.perf_counter() - begin) * 1e6 / 20)
            ctx.set_quota_goal_value(0, 0, latency_us)
            if round_ % 10 == 0:
                done = ctx.scheme_stat(0)
                print(
                    f"{latency_us} us a request, quota {done.esz >> 10} KiB, dropped so far {done.sz_applied >> 20} MiB, "
                    f"{len(cache.dropped)} of {NR_BLOCKS} blocks are dropped now"
                )
            time.sleep(0.05)


if __name__ == "__main__":
    main()
