"""Real memory of this process."""

from __future__ import annotations

import mmap
from collections.abc import Callable

import numpy
import pytest
from support import MIB

import damon

FAST = damon.Attrs(sample_us=2_000, aggr_us=40_000)


def watch(ctx: damon.Context, touch: Callable[[], object], found: Callable[[damon.Snapshot], bool]) -> bool:
    """Touches memory until a snapshot shows it, for 500 windows at most: where the machine is busy, some show less."""
    seq = 0
    while seq < 500:
        touch()
        snapshot = ctx.snapshot()
        if snapshot.seq > seq and found(snapshot):
            return True
        seq = snapshot.seq
    return False


def bytes_seen(snapshot: damon.Snapshot, start: int, end: int) -> int:
    """Of the hot regions, how much lies in [start, end)."""
    return sum(
        max(0, min(r.end, end) - max(r.start, start)) for r in snapshot if r.nr_accesses > snapshot.max_nr_accesses // 2
    )


def test_reads_of_shared_memory_are_seen_by_an_array() -> None:
    memory = damon.shared_memory(16 * MIB)
    array = numpy.frombuffer(memory, dtype=numpy.uint8)
    half = memory.address + 8 * MIB
    with damon.monitor_self(array, attrs=FAST) as ctx:
        assert watch(
            ctx,
            lambda: int(array[: 8 * MIB : 4096].sum()),
            lambda found: bytes_seen(found, memory.address, half) > 6 * MIB
            and bytes_seen(found, half, half + 8 * MIB) < 2 * MIB,
        )
        assert ctx.snapshot().nr_targets == 1 and not ctx.snapshot().writes_only


def test_a_declared_mapping_cannot_go_while_it_is_watched() -> None:
    mapping = mmap.mmap(-1, 4 * MIB)
    with damon.shared_declare(mapping):
        with damon.monitor_self(mapping, attrs=FAST) as ctx:
            assert watch(ctx, lambda: mapping[:: 4096], lambda found: bytes_seen(found, 0, 2**64) > 2 * MIB)
            with pytest.raises(BufferError):
                mapping.close()
    ctx.close()
    del ctx
    mapping.close()


def test_buffers_join_while_it_runs() -> None:
    first, second = damon.shared_memory(4 * MIB), damon.shared_memory(4 * MIB)
    with damon.monitor_self(first, attrs=FAST) as ctx:
        assert ctx.add_buffer(second) == 1
        seq = ctx.snapshot().seq
        snapshot = ctx.wait_snapshot(seq + 1, timeout=30)
    assert {region.target_idx for region in snapshot} == {0, 1}


# Which memory of this process is on huge pages depends on what other tests have loaded, such as pyarrow.
@pytest.mark.filterwarnings("ignore::damon.VisibilityWarning")
def test_the_whole_process_can_be_watched() -> None:
    with damon.monitor_self(attrs=FAST) as ctx:
        snapshot = ctx.wait_snapshot(timeout=60)
    assert len(snapshot) >= 10 and sum(region.size for region in snapshot) > 16 * MIB


def test_a_program_can_tell_of_its_accesses() -> None:
    buffer = bytearray(MIB)
    start = damon.Target.of(buffer).ranges[0][0]
    with damon.monitor_self(buffer, attrs=FAST, access_check=damon.AccessCheck.REPORT) as ctx:
        assert watch(
            ctx,
            lambda: ctx.report_access(start, len(buffer), is_write=True),
            lambda found: bytes_seen(found, start, start + MIB) > MIB // 2,
        )


def test_ways_of_seeing_are_tried() -> None:
    info = damon.probe_access_check(damon.AccessCheck.ZAP)
    assert info.name == "zap" and info.available and info.sees == damon.Sees.READS | damon.Sees.WRITES
    assert damon.probe_access_check().reason
