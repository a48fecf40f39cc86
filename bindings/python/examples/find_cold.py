"""Which part of a big array is cold? Run: python find_cold.py"""

import time

import numpy as np

import damon

MIB = 1 << 20


def main() -> None:
    array = damon.shared_array(32 * MIB, np.int64)  # memory whose reads and writes can be seen on every kernel
    hot = array[: len(array) // 8]  # the program only works on this
    with damon.monitor_self(array, sample_us=2_000, aggr_us=50_000) as ctx:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            hot[::512].sum()
        snapshot = ctx.snapshot()
    print(f"{len(snapshot)} regions of {snapshot.total_bytes / MIB:.0f} MiB")
    print(f"cold for 3 windows or more: {snapshot.idle_bytes(3) / MIB:.0f} MiB")
    if snapshot.unknown_bytes:
        print(f"not visible, which is not cold: {snapshot.unknown_bytes / MIB:.0f} MiB")
    for part in snapshot.slices(array):
        region = part.region
        seen = "not visible" if region.unknown else f"accessed in {region.nr_accesses} of {snapshot.max_nr_accesses} samples"
        print(f"  array[{part.start}:{part.stop}] {seen}")


if __name__ == "__main__":
    main()
