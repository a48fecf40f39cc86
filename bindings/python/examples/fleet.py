"""Which services of a fleet hold how much memory that is idle for an hour?

Simulates a day of many hosts, records each of them, exports the records to a Parquet data set by host and day, and asks
DuckDB. Then says what a host costs in bytes a day. Needs: pip install numpy pyarrow duckdb

    python examples/fleet.py --hosts 100 --folder fleet
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import pathlib
import tempfile

import damon
from damon import records, sim
from damon.records import loading, parquet

GIB, MIB, S = 1 << 30, 1 << 20, 1_000_000
HOUR, DAY = 3600 * S, 86_400 * S
MIDNIGHT_NS = 1_767_225_600 * 10**9  # 2026-01-01
ATTRS = damon.Attrs(sample_us=15 * S, aggr_us=300 * S, ops_update_us=HOUR, max_nr_regions=100)
HEAP, CACHE = 0x5600_0000_0000, 0x7F00_0000_0000

# Of each service: bytes of its heap and of its cache, and which parts are in use: (mapping, from, to, begin, end) in MiB
# and hours.
SERVICES = {
    "search": (2 * GIB, 6 * GIB, ((HEAP, 0, 2048, 0, 24), (CACHE, 0, 4096, 0, 24), (CACHE, 4096, 6144, 8, 18))),
    "batch": (8 * GIB, 0, ((HEAP, 0, 8192, 1, 4), (HEAP, 0, 256, 0, 24))),
    "web": (1 * GIB, 1 * GIB, ((HEAP, 0, 512, 0, 24), (HEAP, 512, 1024, 7, 22), (CACHE, 0, 256, 0, 24))),
    "cache": (256 * MIB, 12 * GIB, ((HEAP, 0, 256, 0, 24), (CACHE, 0, 3072, 0, 24), (CACHE, 3072, 6144, 9, 17))),
}
QUESTION = """
    with moments as (
        select service, host, time, sum(bytes) as watched,
            sum(bytes) filter (nr_accesses = 0 and not unknown and coalesce(idle_us, age_us) >= 3600 * 1000000::ubigint) as idle
        from read_parquet('{folder}/**/*.parquet', hive_partitioning = true)
        group by all)
    select service, count(distinct host) as hosts, avg(watched) / 2**30 as watched_gib, avg(idle) / 2**30 as idle_gib,
        100 * sum(idle) / sum(watched) as percent
    from moments group by service order by idle_gib desc
"""


def record_day(number: int, folder: str) -> tuple[int, int]:
    """One host's day. Returns (bytes of its record, bytes of its part of the data set)."""
    service = sorted(SERVICES)[number % len(SERVICES)]
    heap, cache, parts = SERVICES[service]
    machine = sim.Simulator(seed=number + 1, node_bytes=[32 * GIB])
    mappings = [records.Mapping(HEAP, HEAP + heap, "rw-p", "[heap]")]
    if cache:
        mappings.append(records.Mapping(CACHE, CACHE + cache, "rw-s", f"/dev/shm/{service}"))
    for mapping in mappings:
        machine.add_range(start=mapping.start, end=mapping.end)
    for base, low, high, begin, end in parts:
        machine.add_pattern(start=base + low * MIB, end=base + high * MIB, begin_us=begin * HOUR, end_us=end * HOUR,
                            rate_millihz=200)  # each page once in five seconds
    header = records.header_of(command_line=False, host=f"host-{number:04}", program=service, pid=1000 + number,
                               labels={"service": service}, monotonic_ns=0, wall_ns=MIDNIGHT_NS)
    path = os.path.join(folder, f"host-{number:04}.rec")
    with machine.context(ATTRS, seed=number + 1) as ctx, records.Writer(path, header) as writer:
        writer.mappings(mappings, 0)
        for _ in range(DAY // ATTRS.aggr_us - 1):
            ctx.advance(ATTRS.aggr_us)
            writer.window(ctx.snapshot())
    paths, _ = parquet.save(loading.load(path), os.path.join(folder, "parquet"))
    return os.path.getsize(path), sum(os.path.getsize(one) for one in paths)


def simulate(hosts: int, folder: str) -> tuple[float, float]:
    """Mean bytes a host and day: (record, data set)."""
    with concurrent.futures.ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        sizes = list(pool.map(record_day, range(hosts), [folder] * hosts, chunksize=4))
    return sum(size for size, _ in sizes) / hosts, sum(size for _, size in sizes) / hosts


def answer(folder: str) -> list[tuple[str, int, float, float, float]]:
    """(service, hosts, GiB watched, GiB idle for an hour, percent) of each service, a host and moment."""
    import duckdb

    found: list[tuple[str, int, float, float, float]] = duckdb.connect().execute(
        QUESTION.format(folder=os.path.join(folder, "parquet"))).fetchall()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--folder", type=pathlib.Path, help="keep the records and the data set there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = str(options.folder or temporary)
        os.makedirs(folder, exist_ok=True)
        record_bytes, parquet_bytes = simulate(options.hosts, folder)
        print(f"{'service':<10} {'hosts':>5} {'watched':>10} {'idle for 1 h':>13} {'':>7}")
        for service, hosts, watched, idle, percent in answer(folder):
            print(f"{service:<10} {hosts:>5} {watched:>6.2f} GiB {idle:>9.2f} GiB {percent:>5.1f} %")
        windows = DAY // ATTRS.aggr_us
        print(f"a host and day, {windows} windows of {ATTRS.aggr_us // S} s: {record_bytes:,.0f} bytes of record, "
              f"{parquet_bytes:,.0f} bytes of Parquet")


if __name__ == "__main__":
    main()
