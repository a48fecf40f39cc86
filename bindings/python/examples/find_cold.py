"""Which part of a big array is cold? Run: python find_cold.py"""

import time

import numpy as np

import damon

MIB = 1 << 20


def main() -> None:
    array = damon.shared_array(32 * MIB, np.int64)  # memory whose reads and writes can be seen on every kernel
    begin = array.__array_interface__["data"][0]
    hot = array[: len(array) // 8]  # the program only works on this
    with damon.monitor_self(array, sample_us=2_000, aggr_us=50_000) as ctx:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            hot[::512].sum()
        snapshot = ctx.snapshot()
    regions = snapshot.regions  # a NumPy array that looks at the snapshot
    sizes = regions["end"] - regions["start"]
    cold = (regions["nr_accesses"] == 0) & (regions["age"] >= 3)
    print(f"{len(snapshot)} regions of {sizes.sum() / MIB:.0f} MiB")
    print(f"cold for 3 windows or more: {sizes[cold].sum() / MIB:.0f} MiB")
    for region in snapshot:
        first = (region.start - begin) // array.itemsize
        last = (region.end - begin) // array.itemsize
        print(f"  array[{first}:{last}] accessed in {region.nr_accesses} of {snapshot.max_nr_accesses} samples")


if __name__ == "__main__":
    main()
