"""What a context finds, and how its results look."""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
import threading
from typing import Any

import numpy
import pytest
from support import AGGR_US, KIB, MIB, ToyMemory, toy_context

import damon


def test_hot_memory_is_found_hot() -> None:
    hot = (MIB, MIB + 128 * KIB)
    with toy_context(ToyMemory(hot=(hot,))) as ctx:
        ctx.advance(50 * AGGR_US)
        snapshot = ctx.snapshot()
    assert snapshot.seq == 50 and snapshot.max_nr_accesses == 20
    assert sum(region.size for region in snapshot) == MIB
    found = sum(region.size for region in snapshot if region.nr_accesses >= 15)
    assert abs(found - 128 * KIB) <= 16 * KIB
    assert snapshot.working_set_bytes(15) == found


def test_equal_seeds_give_equal_snapshots() -> None:
    rows = []
    for _ in range(2):
        with toy_context(ToyMemory(hot=((MIB, MIB + 64 * KIB),)), seed=7) as ctx:
            ctx.advance(20 * AGGR_US)
            rows.append(ctx.snapshot().rows())
    assert rows[0] == rows[1] and len(rows[0]) >= 10


def test_regions_are_the_snapshots_own_memory_and_read_only() -> None:
    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        snapshot = ctx.snapshot()
    regions = snapshot.regions
    assert regions.dtype.names == (
        "start", "end", "age_us", "idle_us", "target_idx", "nr_accesses", "age", "flags", "unknown_reason", "reserved"
    )
    assert regions.dtype.itemsize == 56 and len(regions) == len(snapshot)
    assert regions.__array_interface__["data"] == snapshot.regions.__array_interface__["data"][:1] + (True,)
    with pytest.raises(ValueError, match="read-only"):
        regions["age"] = 1
    names = ("start", "end", "target_idx", "nr_accesses", "age", "flags", "age_us")
    assert [tuple(row) for row in regions[list(names)].tolist()] == [row[:7] for row in snapshot.rows()]


def test_regions_outlive_the_snapshot_and_the_context() -> None:
    ctx = toy_context()
    with ctx:
        ctx.advance(AGGR_US)
        regions = ctx.snapshot().regions
    ctx.close()
    del ctx
    assert int((regions["end"] - regions["start"]).sum()) == MIB


def test_a_snapshot_is_a_sequence_that_cannot_be_changed() -> None:
    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        snapshot = ctx.snapshot()
    assert snapshot[0] == snapshot[-len(snapshot)] and snapshot[0].start == MIB and not snapshot[0].unknown
    with pytest.raises(IndexError):
        snapshot[len(snapshot)]
    with pytest.raises(AttributeError):
        snapshot.seq = 3  # type: ignore[misc]
    with pytest.raises(AttributeError):
        snapshot[0].age = 3  # type: ignore[misc]


def test_the_buffer_names_its_members() -> None:
    with toy_context(ToyMemory(hot=((MIB, MIB + 256 * KIB),))) as ctx:
        ctx.advance(5 * AGGR_US)
        snapshot = ctx.snapshot()
    array = numpy.asarray(snapshot)  # by the format of the buffer
    for name in ("start", "end", "target_idx", "nr_accesses", "age", "flags"):
        assert array[name].tolist() == [getattr(region, name) for region in snapshot] == snapshot.regions[name].tolist()
    assert array["nr_accesses"].tolist() != array["age"].tolist() and not array.flags.writeable


def test_without_numpy_regions_are_a_memoryview() -> None:
    program = """
import sys
sys.modules["numpy"] = None
sys.path.insert(0, sys.argv[1])
import damon, struct
from support import toy_context
with toy_context() as ctx:
    ctx.advance(100_000)
    view = ctx.snapshot().regions
    assert isinstance(view, memoryview) and view.readonly and view.itemsize == 56, view
    rows = list(struct.iter_unpack("QQQQIIIIiI", view.tobytes()))
    assert [row[:2] + row[4:8] + row[2:3] for row in rows] == [row[:7] for row in ctx.snapshot().rows()]
print("done")
"""
    folder = __file__.rsplit("/", 1)[0]
    ran = subprocess.run([sys.executable, "-c", program, folder], cwd=folder, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "done\n", ran.stderr


def test_before_the_first_window_there_is_an_empty_snapshot() -> None:
    with toy_context() as ctx:
        snapshot = ctx.snapshot()
    assert snapshot.seq == 0 and len(snapshot) == 0 and len(snapshot.regions) == 0


def test_a_live_snapshot_shows_the_window_so_far() -> None:
    with toy_context(ToyMemory(hot=((MIB, 2 * MIB),))) as ctx:
        ctx.advance(5 * 5_000)
        live = ctx.live_snapshot()
        assert {region.nr_accesses for region in live} == {5} and live.seq == 0


def test_snapshots_come_one_after_the_other_and_end_with_the_context() -> None:
    ctx = toy_context()
    seen = []
    ctx.start()
    follower = threading.Thread(target=lambda: seen.extend(s.seq for s in ctx.snapshots()))
    iterator = ctx.snapshots()
    ctx.advance(AGGR_US)
    assert next(iterator).seq == 1
    follower.start()
    for _ in range(3):
        ctx.advance(AGGR_US)
        ctx.wait_snapshot()
    ctx.stop()
    follower.join(timeout=30)
    assert not follower.is_alive() and seen == sorted(seen)
    with pytest.raises(StopIteration):
        while True:
            next(iterator)


def test_snapshots_can_be_awaited() -> None:
    async def follow(ctx: damon.Context) -> list[int]:
        seen = []
        async for snapshot in ctx.snapshots(after_seq=0, timeout=30):
            seen.append(snapshot.seq)
            if len(seen) == 3:
                return seen
            ctx.advance(AGGR_US)
        return seen

    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        assert asyncio.run(follow(ctx)) == [1, 2, 3]


def test_awaiting_ends_with_the_context_and_can_be_cancelled() -> None:
    async def ended(ctx: damon.Context) -> int:
        return len([s async for s in ctx.snapshots()])

    async def cancelled(ctx: damon.Context) -> None:
        await asyncio.wait_for(ctx.snapshots().__anext__(), timeout=0.05)

    with toy_context() as ctx:
        with pytest.raises((asyncio.TimeoutError, TimeoutError)):
            asyncio.run(cancelled(ctx))
        ctx.stop()
        assert asyncio.run(ended(ctx)) == 0


def test_a_snapshot_that_does_not_come_is_a_timeout() -> None:
    with toy_context() as ctx:
        with pytest.raises(damon.SnapshotTimeoutError, match="no snapshot newer than number 0 within 1 ms") as raised:
            ctx.wait_snapshot(timeout=0.001)
        assert isinstance(raised.value, TimeoutError)
        with pytest.raises(damon.SnapshotTimeoutError):
            next(ctx.snapshots(timeout=0))


def test_counters_count() -> None:
    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        stats = ctx.stats
    assert stats.nr_intervals == 20 and stats.nr_samples >= 200 and stats.nr_unknown_samples == 0


def test_numpy_answers_are_understood() -> None:
    class Vectors(ToyMemory):
        def check_accesses(self, samples: damon.Samples) -> None:
            array = samples.array
            array["seen"] = array["addr"] < MIB + 512 * KIB

    class Bools(ToyMemory):
        def check_accesses(self, samples: damon.Samples) -> numpy.ndarray:  # type: ignore[type-arg]
            return samples.array["addr"] < MIB + 512 * KIB  # type: ignore[no-any-return]

    found = []
    for operations in (Vectors(), Bools(), ToyMemory(hot=((MIB, MIB + 512 * KIB),))):
        with toy_context(operations) as ctx:
            ctx.advance(10 * AGGR_US)
            found.append(ctx.snapshot().rows())
    assert found[0] == found[1] == found[2]


def test_what_cannot_be_looked_at_is_unknown_and_not_cold() -> None:
    class Blind(ToyMemory):
        def check_accesses(self, samples: damon.Samples) -> list[None]:
            return [None] * len(samples)

    with toy_context(Blind()) as ctx:
        ctx.advance(2 * AGGR_US)
        snapshot = ctx.snapshot()
    assert all(region.unknown for region in snapshot)
    assert snapshot.flags & damon.SnapshotFlags.UNKNOWN


def test_operations_that_see_writes_only_say_so() -> None:
    class Writes(ToyMemory):
        writes_only = True

    with toy_context(Writes()) as ctx:
        ctx.advance(AGGR_US)
        assert ctx.snapshot().writes_only


def test_operations_are_called_in_their_order() -> None:
    operations = ToyMemory()
    with toy_context(operations) as ctx:
        ctx.advance(AGGR_US)
        ctx.pause()
        ctx.resume()
    assert operations.calls == ["init", "disarm", "disarm", "cleanup"]  # pausing and stopping disarm


def test_a_dead_target_ends_the_context() -> None:
    class Mortal(ToyMemory):
        alive = True

        def target_valid(self, target_idx: int) -> bool:
            return self.alive

    operations = Mortal()
    with toy_context(operations) as ctx:
        ctx.advance(AGGR_US)
        operations.alive = False
        with pytest.raises(damon.CanceledError):
            ctx.advance(2 * AGGR_US)
        assert not ctx.is_running


def test_contexts_start_together_or_not_at_all() -> None:
    class Broken(ToyMemory):
        def init(self, ctx: damon.Context) -> None:
            raise LookupError("no memory here")

    good, bad = toy_context(), toy_context(Broken())
    with pytest.raises(LookupError, match="no memory here"):
        damon.start([good, bad])
    assert not good.is_running and damon.nr_running() == 0
    other = toy_context()
    damon.start([good, other], exclusive=True)
    assert damon.nr_running() == 2
    with pytest.raises(damon.BusyError):
        toy_context().start()
    damon.stop([good, other])
    assert damon.nr_running() == 0


def test_a_group_that_does_not_start_says_what_is_wrong_with_which() -> None:
    good, bad = toy_context(), damon.Context(targets=[(MIB, 2 * MIB)], ops=damon.Ops.PADDR)
    for _ in range(2):  # the second time nobody has new words
        with pytest.raises(damon.UnsupportedError, match="physical memory"):
            damon.start([good, bad])
    with pytest.raises(damon.CanceledError):
        good.call(int)
    with pytest.raises(damon.UnsupportedError) as raised:
        damon.start([good, bad])
    assert "call" not in str(raised.value)


def test_snapshots_go_to_other_processes() -> None:
    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        snapshot = ctx.snapshot()
    for other in (pickle.loads(pickle.dumps(snapshot)), copy.copy(snapshot), copy.deepcopy(snapshot)):
        assert other == snapshot and hash(other) == hash(snapshot) and other is not snapshot
        assert other.rows() == snapshot.rows() and bytes(memoryview(other)) == bytes(memoryview(snapshot))
        assert (other.seq, other.time_ns, other.sample_us, other.aggr_us, other.nr_regions, other.passed_sample_intervals) == (
            snapshot.seq, snapshot.time_ns, snapshot.sample_us, snapshot.aggr_us, snapshot.nr_regions,
            snapshot.passed_sample_intervals)
        assert (other.max_nr_accesses, other.nr_targets, other.flags) == (20, 1, snapshot.flags)
    assert pickle.loads(pickle.dumps(snapshot[0])) == snapshot[0] == copy.copy(snapshot[0])
    state = snapshot.__reduce__()
    with pytest.raises(ValueError, match="is not that of a snapshot"):
        state[0](*state[1][:-1], b"short")


def test_snapshots_are_equal_by_what_they_show() -> None:
    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        first, again = ctx.snapshot(), ctx.snapshot()
        ctx.advance(AGGR_US)
        assert first == again and hash(first) == hash(again) and first != ctx.snapshot()
        assert first != object() and len({first, again, ctx.snapshot()}) == 2


def test_a_slice_of_a_snapshot_is_a_list_of_regions() -> None:
    with toy_context() as ctx:
        ctx.advance(AGGR_US)
        snapshot = ctx.snapshot()
    everything = list(snapshot)
    assert snapshot[1:3] == everything[1:3] and snapshot[::-2] == everything[::-2] and snapshot[99:] == []
    with pytest.raises(TypeError, match="index must be an integer or a slice, not str"):
        snapshot["start"]  # type: ignore[call-overload]
